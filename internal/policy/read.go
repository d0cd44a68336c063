package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// source is a document as it was written: the form is right, the content is not checked yet.
type source struct {
	version    string
	hasVersion bool
	statements []Statement
}

// reader walks the tokens of a document along the grammar. It never skips what it does not know, so the grammar's own
// depth of six bounds the nesting. jsontext refuses repeated names, invalid UTF-8 and lone surrogates.
type reader struct{ dec *jsontext.Decoder }

// errForm is the cause of a document whose JSON is right and whose form is not.
var errForm = errors.New("not what the grammar asks for")

// read parses the text into statements (spec §2.1). Every error of it is a syntax error.
func read(text []byte) (*source, error) {
	r := reader{jsontext.NewDecoder(bytes.NewBuffer(text))}
	src := &source{version: oldVersion}
	err := r.document(src)
	if err == nil {
		_, err = r.dec.ReadToken()
		if err == io.EOF {
			return src, nil
		}
		err = errors.Join(errForm, err)
	}
	return nil, syntax("at %q: %w", clip(string(r.dec.StackPointer())), err)
}

func (r reader) document(src *source) error {
	found := false
	err := r.object(func(name string) (err error) {
		switch name {
		case "Version":
			src.hasVersion = true
			src.version, err = r.text()
		case "Id":
			_, err = r.text()
		case "Statement":
			found = true
			src.statements, err = r.statements()
		default:
			err = errForm
		}
		return err
	})
	if err == nil && (!found || len(src.statements) == 0) {
		err = fmt.Errorf("no statement: %w", errForm)
	}
	return err
}

func (r reader) statements() ([]Statement, error) {
	var all []Statement
	err := r.each(func(t jsontext.Token) error {
		if t.Kind() != '{' {
			return errForm
		}
		all = append(all, Statement{})
		return r.statement(&all[len(all)-1])
	})
	return all, err
}

// statement reads the members of a statement whose opening brace has been read.
func (r reader) statement(s *Statement) error {
	err := r.members(func(name string) (err error) {
		switch name {
		case "Sid":
			s.Sid, err = r.text()
		case "Effect":
			s.Effect, err = r.text()
		case "Principal", "NotPrincipal":
			err = s.put(hasPrincipal, &s.NotPrincipal, name)
			s.Principals, err = r.principals(err)
		case "Action", "NotAction":
			err = s.put(hasAction, &s.NotAction, name)
			s.Actions, err = r.texts(err)
		case "Resource", "NotResource":
			err = s.put(hasResource, &s.NotResource, name)
			s.Resources, err = r.texts(err)
		case "Condition":
			s.Conditions, err = r.conditions()
		default:
			err = errForm
		}
		return err
	})
	return err
}

// put notes that an element or its Not form is there; both in one statement are an error.
func (s *Statement) put(e element, not *bool, name string) error {
	if s.has&e != 0 {
		return errForm
	}
	s.has |= e
	*not = name[0] == 'N'
	return nil
}

func (r reader) principals(err error) ([]PrincipalName, error) {
	if err != nil {
		return nil, err
	}
	t, err := r.dec.ReadToken()
	switch {
	case err != nil:
		return nil, err
	case t.Kind() == '"' && t.String() == "*":
		return []PrincipalName{{Type: "*", Name: "*"}}, nil
	case t.Kind() != '{':
		return nil, errForm
	}
	var all []PrincipalName
	err = r.members(func(kind string) error {
		names, err := r.texts(nil)
		for _, name := range names {
			all = append(all, PrincipalName{Type: kind, Name: name})
		}
		if err == nil && (len(names) == 0 || kind == "*") {
			err = errForm
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = errForm
	}
	return all, err
}

// conditions reads a Condition element. An operator without keys and a key without values are refused: the one would
// always hold, the other always or never.
func (r reader) conditions() ([]Condition, error) {
	var all []Condition
	err := r.object(func(operator string) error {
		before := len(all)
		err := r.object(func(key string) error {
			values, err := r.scalars()
			all = append(all, Condition{Operator: operator, Key: key, Values: values})
			if err == nil && len(values) == 0 {
				err = errForm
			}
			return err
		})
		if err == nil && len(all) == before {
			err = errForm
		}
		return err
	})
	return all, err
}

// object reads a whole object and visits each member after its name.
func (r reader) object(visit func(name string) error) error {
	t, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '{' {
		return errForm
	}
	return r.members(visit)
}

// members visits the members of an object whose opening brace has been read, and reads its closing brace.
func (r reader) members(visit func(name string) error) error {
	for {
		t, err := r.dec.ReadToken()
		if err != nil {
			return err
		}
		if t.Kind() == '}' {
			return nil
		}
		if err := visit(t.String()); err != nil {
			return err
		}
	}
}

// each visits the first token of a lone value, or of each value of an array.
func (r reader) each(visit func(jsontext.Token) error) error {
	t, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '[' {
		return visit(t)
	}
	for {
		t, err := r.dec.ReadToken()
		if err != nil {
			return err
		}
		if t.Kind() == ']' {
			return nil
		}
		if err := visit(t); err != nil {
			return err
		}
	}
}

func (r reader) text() (string, error) {
	t, err := r.dec.ReadToken()
	if err != nil {
		return "", err
	}
	if t.Kind() != '"' {
		return "", errForm
	}
	return t.String(), nil
}

// texts reads a string or an array of strings, unless there is an error already.
func (r reader) texts(err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return r.values(func(k jsontext.Kind) bool { return k == '"' })
}

// scalars reads a value or an array of values that may be strings, numbers (as written) or booleans.
func (r reader) scalars() ([]string, error) {
	return r.values(func(k jsontext.Kind) bool { return k == '"' || k == '0' || k == 't' || k == 'f' })
}

func (r reader) values(wanted func(jsontext.Kind) bool) ([]string, error) {
	var all []string
	err := r.each(func(t jsontext.Token) error {
		if !wanted(t.Kind()) {
			return errForm
		}
		all = append(all, t.String())
		return nil
	})
	return all, err
}
