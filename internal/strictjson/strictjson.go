// Package strictjson reads one JSON object of somebody whom we need not trust so strictly that no two readers can disagree
// on it: what a token says, what a provider answers. The requests of our own API are read by awsjson.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of a document (security requirement 2). The number of values bounds what reading costs in time and memory.
const (
	MaxDepth  = 8 // of objects and arrays in each other, the outermost counted
	MaxValues = 2048
)

var (
	errNotObject = errors.New("no JSON object")
	errDuplicate = errors.New("JSON with a member named twice")
	errDepth     = errors.New("JSON that is nested too deep")
	errValues    = errors.New("JSON with too many values")
	errTrailing  = errors.New("bytes after the JSON object")
	errJSON      = errors.New("text that is not JSON in valid UTF-8")
)

// Object reads one JSON object strictly: UTF-8 without lone surrogates, no name twice at any depth, nothing after
// it. Values are string, json.Number (as written), bool, nil, []any and map[string]any; names are kept byte for byte.
// Its errors are those above: they quote nothing of the input.
func Object(b []byte) (map[string]any, error) {
	// The names are compared by the maps that are made of them anyway.
	d := decoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true))}
	if d.PeekKind() != '{' {
		return nil, errNotObject
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errJSON
	}
	all, err := d.members(min(len(b)/40, 64))
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errTrailing
	}
	return all, nil
}

type decoder struct {
	*jsontext.Decoder
	values int
}

func (d *decoder) value() (any, error) {
	if d.values++; d.values > MaxValues {
		return nil, errValues
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, errJSON
	}
	switch tok.Kind() {
	case '"':
		return tok.String(), nil
	case '0':
		return json.Number(tok.String()), nil
	case 't', 'f':
		return tok.Bool(), nil
	case 'n':
		return nil, nil
	case '{':
		return d.members(0)
	case '[':
		return d.elements()
	}
	return nil, errJSON
}

// members reads an object after its opening brace, of which some number of members is expected.
func (d *decoder) members(expected int) (map[string]any, error) {
	if d.StackDepth() > MaxDepth {
		return nil, errDepth
	}
	members := make(map[string]any, expected)
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, errJSON
		}
		name := tok.String()
		if _, ok := members[name]; ok {
			return nil, errDuplicate
		}
		if members[name], err = d.value(); err != nil {
			return nil, err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errJSON
	}
	return members, nil
}

// elements reads an array after its opening bracket.
func (d *decoder) elements() ([]any, error) {
	if d.StackDepth() > MaxDepth {
		return nil, errDepth
	}
	elements := []any{}
	for d.PeekKind() != ']' {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errJSON
	}
	return elements, nil
}
