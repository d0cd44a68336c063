package shape

import (
	"reflect"
	"strconv"

	"idpool/internal/fault"
)

// Check compares a value, a pointer to a struct of the Shape's Type, with the constraints of the table. It returns
// nil or a *fault.Error of code Validation whose sentence is that of AWS's framework (cognito-identity spec §3.1,
// sts spec §1.3), the members in the order of the struct, the violations of one member in the order longest,
// shortest, pattern, permitted values. All violations are counted; the first 20 are spelled out. Paths begin with a
// lower-case letter in both protocols. A pointer of another type is a bug and comes back as a plain error.
func (s *Shape) Check(v any) error {
	structure, err := s.Target(v)
	if err != nil {
		return err
	}
	r := &report{}
	r.structure(s, structure)
	if r.count == 0 {
		return nil
	}
	return fault.New(fault.Validation, "%s", r.sentence())
}

func (r *report) structure(s *Shape, v reflect.Value) {
	for i := range s.Members {
		m := &s.Members[i]
		back := r.enter(m.path)
		if value, ok := m.Get(v); ok {
			r.value(m.Shape, value)
		} else if m.Required {
			r.missing()
		}
		r.path = r.path[:back]
	}
}

func (r *report) value(s *Shape, v reflect.Value) {
	switch s.Kind {
	case KindString:
		r.text(s, v)
	case KindInteger:
		r.size(s, v, v.Int())
	case KindStructure:
		r.structure(s, v)
	case KindList:
		r.size(s, v, int64(v.Len()))
		r.items(s, v)
	case KindMap:
		r.size(s, v, int64(v.Len()))
		r.entries(s, v)
	}
}

func (r *report) text(s *Shape, v reflect.Value) {
	text := v.String()
	if s.rule.tooLong(text) {
		r.violation(s, v, s.rule.atMost())
	}
	if s.rule.tooShort(text) {
		r.violation(s, v, s.rule.atLeast())
	}
	if !s.rule.matches(text) {
		r.violation(s, v, s.rule.patterned())
	}
	if !s.rule.listed(text) {
		r.violation(s, v, s.rule.oneOf())
	}
}

// size checks an integer, or the number of items of a list or a map.
func (r *report) size(s *Shape, v reflect.Value, n int64) {
	switch {
	case s.rule.permitsSize(n):
	case n > s.rule.max:
		r.violation(s, v, s.rule.atMost())
	default:
		r.violation(s, v, s.rule.atLeast())
	}
}

// items checks a list's elements. Scalars that are wrong give one sentence on the list, as AWS's framework has it.
func (r *report) items(s *Shape, v reflect.Value) {
	if s.Elem.rule.unbounded() && !s.Elem.composite() {
		return
	}
	for i := range v.Len() {
		switch elem := v.Index(i); {
		case s.Elem.composite():
			back := r.enter(strconv.Itoa(i+1), "member")
			r.value(s.Elem, elem)
			r.path = r.path[:back]
		case !s.Elem.holds(elem):
			r.violation(s, v, "Member must satisfy constraint: "+s.Elem.rule.all())
			return
		}
	}
}

// entries checks a map's keys and values: composite values first, in the order of the keys.
func (r *report) entries(s *Shape, v reflect.Value) {
	if s.Elem.composite() {
		for _, k := range SortedKeys(v) {
			back := r.enter(k, "member")
			r.value(s.Elem, v.MapIndex(reflect.ValueOf(k)))
			r.path = r.path[:back]
		}
	}
	keys, values := s.halvesHold(v)
	if !keys {
		r.violation(s, v, "Map keys must satisfy constraint: "+s.key.rule.all())
	}
	if !values {
		r.violation(s, v, "Map value must satisfy constraint: "+s.Elem.rule.all())
	}
}

// halvesHold reports whether all keys of a map, and all values that are scalars, keep their rules.
func (s *Shape) halvesHold(v reflect.Value) (keys, values bool) {
	keys, values = true, true
	if texts, ok := v.Interface().(map[string]string); ok { // the usual case, without reflection
		for k, text := range texts {
			keys, values = keys && s.key.rule.permits(k), values && s.Elem.rule.permits(text)
		}
		return keys, values
	}
	for iter := v.MapRange(); iter.Next(); {
		keys, values = keys && s.key.rule.permits(iter.Key().String()), values && s.Elem.holds(iter.Value())
	}
	return keys, values
}

func (s *Shape) composite() bool {
	return s.Kind == KindStructure || s.Kind == KindList || s.Kind == KindMap
}

// holds reports whether a scalar keeps its rule.
func (s *Shape) holds(v reflect.Value) bool {
	switch s.Kind {
	case KindString:
		return s.rule.permits(v.String())
	case KindInteger:
		return s.rule.permitsSize(v.Int())
	}
	return true
}
