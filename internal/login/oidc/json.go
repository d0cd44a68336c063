package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects and arrays may be nested, the outermost counted (requirement 2).
const maxDepth = 8

var (
	errNotObject = errors.New("no JSON object")
	errDuplicate = errors.New("JSON with a member named twice")
	errDepth     = errors.New("JSON that is nested too deep")
	errTrailing  = errors.New("bytes after the JSON object")
	errJSON      = errors.New("text that is not JSON in valid UTF-8")
)

// decodeObject reads one JSON object strictly: UTF-8 without lone surrogates, no name twice at any depth, nothing after
// it. Values are string, json.Number (as written), bool, nil, []any and map[string]any; names are kept byte for byte.
// Its errors are those above: they quote nothing of the input.
func decodeObject(b []byte) (map[string]any, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	if d.PeekKind() != '{' {
		return nil, errNotObject
	}
	v, err := decodeValue(d)
	if err != nil {
		return nil, plainJSON(err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errTrailing
	}
	return v.(map[string]any), nil
}

func plainJSON(err error) error {
	switch {
	case err == errDepth:
		return err
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errDuplicate
	}
	return errJSON
}

func decodeValue(d *jsontext.Decoder) (any, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
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
		return decodeMembers(d)
	case '[':
		return decodeElements(d)
	}
	return nil, errJSON
}

func decodeMembers(d *jsontext.Decoder) (any, error) {
	if d.StackDepth() > maxDepth {
		return nil, errDepth
	}
	members := map[string]any{}
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := tok.String()
		if members[name], err = decodeValue(d); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return members, err
}

func decodeElements(d *jsontext.Decoder) (any, error) {
	if d.StackDepth() > maxDepth {
		return nil, errDepth
	}
	elements := []any{}
	for d.PeekKind() != ']' {
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
	}
	_, err := d.ReadToken()
	return elements, err
}
