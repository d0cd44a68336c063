// Package strictjson reads one JSON object of somebody whom we need not trust so strictly that no two readers can disagree
// on it: what a token says, what a provider answers. The requests of our own API are read by awsjson.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

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
// Its errors are those above: they quote nothing of the input. b must not change while it is read.
func Object(b []byte) (map[string]any, error) {
	// The names are compared by the maps that are made of them anyway.
	d := decoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true)), text: string(b)}
	if d.PeekKind() != '{' {
		return nil, errNotObject
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errJSON
	}
	all, err := d.members(min(strings.Count(d.text, `":`), 64))
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errTrailing
	}
	return all, nil
}

// decoder is the tokenizer, with our limits added.
type decoder struct {
	*jsontext.Decoder
	text   string // the whole input, of which most strings are parts
	values int
}

func (d *decoder) value() (any, error) {
	if d.values++; d.values > MaxValues {
		return nil, errValues
	}
	switch kind := d.PeekKind(); kind {
	case '{', '[':
		if _, err := d.ReadToken(); err != nil {
			return nil, errJSON
		}
		if kind == '{' {
			return d.members(0)
		}
		return d.elements()
	case '"':
		return d.string()
	case '0':
		text, err := d.scalar()
		return json.Number(text), err
	case 't', 'f':
		_, err := d.scalar()
		return kind == 't', err
	case 'n':
		_, err := d.scalar()
		return nil, err
	}
	return nil, errJSON
}

// scalar reads a value that is neither object nor array, as it is written.
func (d *decoder) scalar() (string, error) {
	raw, err := d.ReadValue()
	if err != nil {
		return "", errJSON
	}
	end := d.InputOffset()
	return d.text[end-int64(len(raw)) : end], nil
}

// string reads a string, or a name.
func (d *decoder) string() (string, error) {
	text, err := d.scalar()
	if err != nil {
		return "", err
	}
	if text[0] != '"' {
		return "", errJSON
	}
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], nil
	}
	out, err := jsontext.AppendUnquote(nil, text)
	if err != nil {
		return "", errJSON
	}
	return string(out), nil
}

// members reads an object after its opening brace, of which about so many members are expected.
func (d *decoder) members(expected int) (map[string]any, error) {
	if d.StackDepth() > MaxDepth {
		return nil, errDepth
	}
	members := make(map[string]any, expected)
	for n := 1; d.PeekKind() != '}'; n++ {
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if members[name], err = d.value(); err != nil {
			return nil, err
		}
		if len(members) < n {
			return nil, errDuplicate
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
