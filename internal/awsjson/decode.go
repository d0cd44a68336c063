// Package awsjson is the AWS JSON 1.1 protocol of Cognito Identity: a request body to a wire struct, a wire struct to
// an answer's body, a fault to an error answer.
//
// Reading is stricter than the service that it stands for, so that nothing on the way can have read the same bytes
// differently (security I1, I2): names once and byte-exact, UTF-8 without a byte order mark, one object and nothing
// after it, at most 16 levels and 2,000 members and elements, numbers where numbers belong. What a member may hold is
// left to shape; headers, sizes and routing are left to the door.
package awsjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"idpool/internal/fault"
	"idpool/internal/shape"
)

// ContentType is that of every request and answer.
const ContentType = "application/x-amz-json-1.1"

const (
	maxDepth  = 16   // levels of objects and arrays; the body is the first
	maxValues = 2000 // members and elements, at all levels, known and unknown
)

// unreadable is the one sentence about a body that Decode refuses. It repeats nothing of the body.
const unreadable = "The request body is not the JSON object that the operation expects."

// Decode reads a body into a pointer to a zero struct of the Shape's type. An empty body is an empty object; null is an
// absent member; a member that the Shape lacks is skipped, but must be as strictly written as the others, and must not
// be a known name in another case. A body that is refused gives a *fault.Error of code Serialization, whose cause
// names a place and a reason, never a value; into then holds an undefined part of it. Constraints are not checked.
func Decode(body []byte, sh *shape.Shape, into any) error {
	structure, err := sh.Target(into)
	if err != nil {
		return fmt.Errorf("awsjson: %w", err)
	}
	if len(body) == 0 {
		return nil
	}
	d := decoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(body))}
	if err := d.document(sh, structure); err != nil {
		at := fmt.Errorf("awsjson: byte %d: %w", d.InputOffset(), reason(err))
		return fault.Wrap(fault.Serialization, unreadable, at)
	}
	return nil
}

// The reasons for refusing a body, for the operator.
var (
	errNotJSON   = errors.New("not JSON, or not strictly so")
	errDuplicate = errors.New("a name twice in one object")
	errTrailing  = errors.New("something after the object")
	errDepth     = errors.New("too many levels")
	errValues    = errors.New("too many members and elements")
	errCase      = errors.New("a known name in another case")
)

// reason replaces the parser's errors, which quote the body, with our own.
func reason(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errDuplicate
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errNotJSON
	}
	return err
}

// decoder is jsontext's tokenizer, which demands unique names and valid UTF-8, with our limits added.
type decoder struct {
	*jsontext.Decoder
	values int
}

func (d *decoder) document(sh *shape.Shape, structure reflect.Value) error {
	if err := d.value(sh, structure, shape.Epoch); err != nil {
		return err
	}
	_, err := d.ReadToken()
	if err == io.EOF {
		return nil
	}
	return errTrailing
}

// open reads the start of an object or array and holds the limit on levels.
func (d *decoder) open(kind jsontext.Kind) error {
	tok, err := d.ReadToken()
	switch {
	case err != nil:
		return err
	case tok.Kind() != kind:
		return fmt.Errorf("%s where %s is due", tok.Kind(), kind)
	case d.StackDepth() > maxDepth:
		return errDepth
	}
	return nil
}

// more reports whether the object or array goes on; if not, it reads the end. It holds the limit on values.
func (d *decoder) more() (bool, error) {
	if kind := d.PeekKind(); kind == '}' || kind == ']' {
		_, err := d.ReadToken()
		return false, err
	}
	if d.values++; d.values > maxValues {
		return false, errValues
	}
	return true, nil
}

// name reads the name of a member.
func (d *decoder) name() (string, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	return tok.String(), nil
}

// skip reads a value that nobody wants, as strictly as the others.
func (d *decoder) skip() error {
	kind := d.PeekKind()
	if kind != '{' && kind != '[' {
		_, err := d.ReadToken()
		return err
	}
	if err := d.open(kind); err != nil {
		return err
	}
	for {
		if more, err := d.more(); err != nil || !more {
			return err
		}
		if kind == '{' {
			if _, err := d.name(); err != nil {
				return err
			}
		}
		if err := d.skip(); err != nil {
			return err
		}
	}
}
