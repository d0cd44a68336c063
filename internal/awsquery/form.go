// Package awsquery is the AWS Query protocol of STS and IAM: a form or query string to a wire struct, a wire struct to
// an XML answer, a fault to an XML error answer.
//
// A form is a tree whose paths are the names of its parameters: A.B is member B of structure A, X.member.N is item N of
// list X, X.entry.N.key and X.entry.N.value are a pair of map X. Reading is strict, so that nothing on the way can have
// read the same bytes differently and nothing that a caller asked for, such as a session policy, is lost in silence:
// names once, items numbered from 1 without gaps, nothing unknown between a list or map and its items. Members that a
// structure lacks are skipped, as the protocol wants. What a member may hold is left to shape; headers and routing are
// left to the door.
package awsquery

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"idpool/internal/fault"
)

// ContentType is that of every answer.
const ContentType = "text/xml"

const (
	maxForm       = 512 << 10 // bytes
	maxParameters = 2000
	maxSegments   = 48 // of one name; a level of lists takes two, a level of maps three
)

// unreadable is the one sentence about a form that is refused. It repeats nothing of the form.
const unreadable = "The query string contains a syntax error."

// The reasons for refusing a form, for the operator.
var (
	errSize      = errors.New("a form above the limit")
	errCount     = errors.New("too many parameters")
	errPair      = errors.New("a parameter without an equals sign")
	errByte      = errors.New("a byte that must be escaped")
	errEscape    = errors.New("a percent sign without two hexadecimal digits")
	errUTF8      = errors.New("a value that is not UTF-8")
	errName      = errors.New("a name that is no path of plain words")
	errDuplicate = errors.New("a name twice, or one name inside another's value")
	errCase      = errors.New("a known name in another case")
)

// Form is a parsed form. It is read-only.
type Form struct{ root node }

// node is a place in the tree: a leaf with a value, or an inner node with parts.
type node struct {
	leaf  bool
	value string
	parts map[string]*node
}

// Parse reads application/x-www-form-urlencoded text, a body or a query string without its question mark, of at most
// 512 KiB and 2,000 parameters. What it refuses gives a *fault.Error of code Serialization, whose cause names a reason,
// never a value: names that come twice, semicolons, empty pairs, unescaped spaces, control characters or bytes outside
// ASCII, wrong escapes, values that are not UTF-8. Empty text is a form without parameters.
func Parse(text string) (*Form, error) {
	f := &Form{}
	if err := f.parse(text); err != nil {
		return nil, refusal(err)
	}
	return f, nil
}

// Operation returns the parameters Action and Version, and whether the form has an Action that is not empty.
func Operation(f *Form) (action, version string, ok bool) {
	action, version = f.root.text("Action"), f.root.text("Version")
	return action, version, action != ""
}

func refusal(err error) error {
	return fault.Wrap(fault.Serialization, unreadable, fmt.Errorf("awsquery: %w", err))
}

func (f *Form) parse(text string) error {
	switch {
	case text == "":
		return nil
	case len(text) > maxForm:
		return errSize
	case strings.Count(text, "&") >= maxParameters:
		return errCount
	}
	for pair := range strings.SplitSeq(text, "&") {
		if err := f.pair(pair); err != nil {
			return err
		}
	}
	return f.reserved()
}

func (f *Form) pair(pair string) error {
	rawName, rawValue, ok := strings.Cut(pair, "=")
	if !ok {
		return errPair
	}
	name, err := unescape(rawName)
	if err != nil {
		return err
	}
	value, err := unescape(rawValue)
	if err != nil {
		return err
	}
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	if strings.Count(name, ".") >= maxSegments || strings.ContainsFunc(name, odd) {
		return errName
	}
	return f.root.put(strings.Split(name, "."), value)
}

// put makes the leaf for a path, which must not be there, nor lead through a leaf, nor end above one.
func (n *node) put(path []string, value string) error {
	for _, segment := range path {
		if segment == "" {
			return errName
		}
		if n.leaf {
			return errDuplicate
		}
		if n.parts == nil {
			n.parts = map[string]*node{}
		}
		next := n.parts[segment]
		if next == nil {
			next = &node{}
			n.parts[segment] = next
		}
		n = next
	}
	if n.leaf || n.parts != nil {
		return errDuplicate
	}
	n.leaf, n.value = true, value
	return nil
}

// text returns the value of a leaf below n, empty where there is none.
func (n *node) text(name string) string {
	if part := n.parts[name]; part != nil {
		return part.value
	}
	return ""
}

// reserved refuses Action and Version in another case: no shape knows them, so Decode would not.
func (f *Form) reserved() error {
	for name := range f.root.parts {
		for _, word := range []string{"Action", "Version"} {
			if name != word && strings.EqualFold(name, word) {
				return errCase
			}
		}
	}
	return nil
}

// unescape decodes one half of a pair. Only ASCII that prints may stand unescaped, and no semicolon, which some
// parsers take for an ampersand.
func unescape(text string) (string, error) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%':
			if i+2 >= len(text) {
				return "", errEscape
			}
			high, low := hex(text[i+1]), hex(text[i+2])
			if high < 0 || low < 0 {
				return "", errEscape
			}
			out = append(out, byte(high<<4|low))
			i += 2
		case c <= ' ' || c > '~' || c == ';':
			return "", errByte
		default:
			out = append(out, c)
		}
	}
	if !utf8.Valid(out) {
		return "", errUTF8
	}
	return string(out), nil
}

// hex returns the value of a hexadecimal digit, or -1.
func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
