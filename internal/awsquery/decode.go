package awsquery

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"idpool/internal/shape"
)

// The query protocol's own names for the parts of lists and maps.
const (
	itemName  = "member"
	entryName = "entry"
	keyName   = "key"
	valueName = "value"
)

var (
	errLeaf    = errors.New("a value where parts are due, or parts where a value is due")
	errScalar  = errors.New("a value of the wrong form")
	errItems   = errors.New("items that are not numbered from 1 without gaps")
	errEntry   = errors.New("an entry that is not a key and a value")
	errUnknown = errors.New("something unknown inside a list or a map")
)

// Decode reads a form into a pointer to a zero struct of the Shape's type. A list, map or structure given as an empty
// value, as SDKs send empty lists, is absent; an empty string is a string. A parameter that the Shape lacks is skipped,
// unless it is a known name in another case. A form that is refused gives a *fault.Error of code Serialization, whose
// cause names a member of the Shape and a reason, never a value; into then holds an undefined part of it. Constraints
// are not checked.
func Decode(f *Form, sh *shape.Shape, into any) error {
	structure, err := sh.Target(into)
	if err != nil {
		return fmt.Errorf("awsquery: %w", err)
	}
	if err := readStructure(sh, &f.root, structure); err != nil {
		return refusal(err)
	}
	return nil
}

func readStructure(sh *shape.Shape, n *node, v reflect.Value) error {
	if n.leaf {
		return errLeaf
	}
	for name := range n.parts {
		if sh.Member(name) == nil && sh.Folds(name) {
			return errCase
		}
	}
	for i := range sh.Members {
		m := &sh.Members[i]
		part := n.parts[m.Name]
		if part == nil || part.leaf && part.value == "" && composite(m.Shape) {
			continue
		}
		if err := readValue(m.Shape, part, m.New(v), m.Style); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

func composite(sh *shape.Shape) bool {
	return sh.Kind == shape.KindStructure || sh.Kind == shape.KindList || sh.Kind == shape.KindMap
}

// readValue reads a present value into v, which is addressable and of the Shape's type.
func readValue(sh *shape.Shape, n *node, v reflect.Value, style shape.Style) error {
	switch sh.Kind {
	case shape.KindStructure:
		return readStructure(sh, n, v)
	case shape.KindList:
		return readList(sh, n, v, style)
	case shape.KindMap:
		return readMap(sh, n, v, style)
	}
	if !n.leaf {
		return errLeaf
	}
	if !readScalar(sh.Kind, n.value, v, style.Time.Or(shape.ISO8601)) {
		return errScalar
	}
	return nil
}

func readList(sh *shape.Shape, n *node, v reflect.Value, style shape.Style) error {
	items, err := numbered(n, or(style.Item, itemName), style.Flattened)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(sh.Type, len(items), len(items)))
	for i, item := range items {
		if err := readValue(sh.Elem, item, v.Index(i), shape.Style{Time: style.Time}); err != nil {
			return err
		}
	}
	return nil
}

func readMap(sh *shape.Shape, n *node, v reflect.Value, style shape.Style) error {
	entries, err := numbered(n, entryName, style.Flattened)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMap(sh.Type))
	for _, entry := range entries {
		key, value := entry.parts[or(style.Key, keyName)], entry.parts[or(style.Value, valueName)]
		if len(entry.parts) != 2 || key == nil || value == nil || !key.leaf {
			return errEntry
		}
		name := reflect.ValueOf(key.value)
		if v.MapIndex(name).IsValid() {
			return errDuplicate
		}
		elem := reflect.New(sh.Elem.Type).Elem()
		if err := readValue(sh.Elem, value, elem, shape.Style{Time: style.Time}); err != nil {
			return err
		}
		v.SetMapIndex(name, elem)
	}
	return nil
}

// numbered returns the nodes called 1, 2, 3 and so on below the wrapper, or below n itself where it is flattened.
func numbered(n *node, wrapper string, flattened bool) ([]*node, error) {
	if !flattened {
		if n.leaf || len(n.parts) != 1 || n.parts[wrapper] == nil {
			return nil, errUnknown
		}
		n = n.parts[wrapper]
	}
	if n.leaf {
		return nil, errLeaf
	}
	nodes := make([]*node, len(n.parts))
	for i := range nodes {
		if nodes[i] = n.parts[strconv.Itoa(i+1)]; nodes[i] == nil {
			return nil, errItems
		}
	}
	return nodes, nil
}

// readScalar reads a value into v, and reports whether it has the right form.
func readScalar(kind shape.Kind, text string, v reflect.Value, times shape.TimeFormat) (ok bool) {
	switch kind {
	case shape.KindString:
		v.SetString(text)
		return true
	case shape.KindBool:
		v.SetBool(text == "true")
		return text == "true" || text == "false"
	case shape.KindInteger:
		var n int64
		n, ok = shape.ParseInteger(text)
		v.SetInt(n)
	case shape.KindFloat:
		var f float64
		f, ok = shape.ParseFloat(text)
		v.SetFloat(f)
	case shape.KindTime:
		at, good := times.Parse(text)
		v.Set(reflect.ValueOf(at))
		return good
	case shape.KindBlob:
		var b []byte
		b, ok = shape.ParseBlob(text)
		v.SetBytes(b)
	}
	return ok
}

func or(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}
