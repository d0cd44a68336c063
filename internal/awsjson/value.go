package awsjson

import (
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"idpool/internal/shape"
)

// value reads a present value into v, which is addressable and of the Shape's type.
func (d *decoder) value(sh *shape.Shape, v reflect.Value, times shape.TimeFormat) error {
	switch sh.Kind {
	case shape.KindStructure:
		return d.structure(sh, v)
	case shape.KindList:
		return d.list(sh, v, times)
	case shape.KindMap:
		return d.entries(sh, v, times)
	}
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	if !scalar(sh.Kind, v, tok, times) {
		return unfit(tok)
	}
	return nil
}

func (d *decoder) structure(sh *shape.Shape, v reflect.Value) error {
	if err := d.open('{'); err != nil {
		return err
	}
	return d.each(func(name string) error { return d.member(sh, name, v) })
}

// each reads an object after its opening brace: a name, and what entry reads after it.
func (d *decoder) each(entry func(name string) error) error {
	for {
		if more, err := d.more(); err != nil || !more {
			return err
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := entry(name); err != nil {
			return err
		}
	}
}

func (d *decoder) member(sh *shape.Shape, name string, v reflect.Value) error {
	m := sh.Member(name)
	switch {
	case m == nil && sh.Folds(name):
		return errCase
	case m == nil || d.PeekKind() == 'n':
		return d.skip()
	}
	if err := d.value(m.Shape, m.New(v), m.Time.Or(shape.Epoch)); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// list reads an array. Its elements must be there: null is not one of them.
func (d *decoder) list(sh *shape.Shape, v reflect.Value, times shape.TimeFormat) error {
	if err := d.open('['); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(sh.Type, 0, 0))
	for n := 0; ; n++ {
		if more, err := d.more(); err != nil || !more {
			return err
		}
		v.Grow(1)
		v.SetLen(n + 1)
		if err := d.value(sh.Elem, v.Index(n), times); err != nil {
			return err
		}
	}
}

// entries reads an object whose names are data. Its values must be there: null is not one of them.
func (d *decoder) entries(sh *shape.Shape, v reflect.Value, times shape.TimeFormat) error {
	if err := d.open('{'); err != nil {
		return err
	}
	if texts, ok := v.Addr().Interface().(*map[string]string); ok && sh.Elem.Kind == shape.KindString {
		*texts = map[string]string{}
		return d.texts(*texts)
	}
	v.Set(reflect.MakeMap(sh.Type))
	return d.each(func(name string) error {
		elem := reflect.New(sh.Elem.Type).Elem()
		err := d.value(sh.Elem, elem, times)
		if err == nil {
			v.SetMapIndex(reflect.ValueOf(name), elem)
		}
		return err
	})
}

// texts reads the entries of a map of strings, which is what most maps are, without reflection.
func (d *decoder) texts(into map[string]string) error {
	return d.each(func(name string) error {
		tok, err := d.ReadToken()
		if err != nil {
			return err
		}
		if tok.Kind() != '"' {
			return unfit(tok)
		}
		into[name] = tok.String()
		return nil
	})
}

func unfit(tok jsontext.Token) error { return fmt.Errorf("a %s that does not do", tok.Kind()) }

// scalar reads a token into v, and reports whether it is of the right kind and form.
func scalar(kind shape.Kind, v reflect.Value, tok jsontext.Token, times shape.TimeFormat) bool {
	switch k := tok.Kind(); {
	case kind == shape.KindString && k == '"':
		v.SetString(tok.String())
		return true
	case kind == shape.KindBool && (k == 't' || k == 'f'):
		v.SetBool(k == 't')
		return true
	case kind == shape.KindInteger && k == '0':
		n, ok := shape.ParseInteger(tok.String())
		v.SetInt(n)
		return ok
	case kind == shape.KindFloat && (k == '0' || k == '"'):
		return float(v, tok)
	case kind == shape.KindTime && k == '0' == (times == shape.Epoch) && (k == '0' || k == '"'):
		at, ok := times.Parse(tok.String())
		v.Set(reflect.ValueOf(at))
		return ok
	case kind == shape.KindBlob && k == '"':
		b, ok := shape.ParseBlob(tok.String())
		v.SetBytes(b)
		return ok
	}
	return false
}

// float reads a number, or the three words that JSON has no numbers for, which come as strings.
func float(v reflect.Value, tok jsontext.Token) bool {
	f, ok := shape.ParseFloat(tok.String())
	v.SetFloat(f)
	words := f != f || f-f != 0 // NaN and the infinities
	return ok && words == (tok.Kind() == '"')
}
