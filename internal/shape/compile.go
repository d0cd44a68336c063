package shape

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// MustOf is Of for tables written in Go: it panics where Of returns an error.
func MustOf(table Table, t reflect.Type) *Shape {
	s, err := Of(table, t)
	if err != nil {
		panic(err)
	}
	return s
}

// Of compiles a struct type with the constraints of a table. It returns an error for a type that is no wire type, a
// tag that cannot be read, a name that the table lacks, a constraint that does not fit its type, and two members
// whose names differ only in case.
func Of(table Table, t reflect.Type) (*Shape, error) {
	if t == nil || t.Kind() != reflect.Struct || t == timeType {
		return nil, fmt.Errorf("shape: %v is not a struct of members", t)
	}
	c := compiler{table: table, done: map[identity]*Shape{}}
	s, err := c.shape(t, "")
	if err != nil {
		return nil, fmt.Errorf("shape: %s: %w", t, err)
	}
	c.spreadSensitivity()
	return s, nil
}

var (
	timeType = reflect.TypeFor[time.Time]()
	blobType = reflect.TypeFor[[]byte]()
)

// kinds are the scalars. Named types are not among them, so that no method of theirs changes what is written.
var kinds = map[reflect.Type]Kind{
	reflect.TypeFor[string]():  KindString,
	reflect.TypeFor[bool]():    KindBool,
	reflect.TypeFor[int64]():   KindInteger,
	reflect.TypeFor[float64](): KindFloat,
	timeType:                   KindTime,
	blobType:                   KindBlob,
}

// identity is what makes two Shapes of one compilation the same.
type identity struct {
	goType reflect.Type
	name   string
}

type compiler struct {
	table Table
	done  map[identity]*Shape // filled before a shape's parts are compiled, so that types may contain themselves
}

// shape compiles the type of a present value under the model's name for it.
func (c *compiler) shape(t reflect.Type, name string) (*Shape, error) {
	kind, err := kindOf(t)
	if err != nil {
		return nil, err
	}
	if kind == KindStructure {
		name = ""
	}
	id := identity{t, name}
	if s := c.done[id]; s != nil {
		return s, nil
	}
	s := &Shape{Kind: kind, Type: t}
	c.done[id] = s
	if kind == KindStructure {
		return s, c.members(s)
	}
	if err := c.constrain(s, name); err != nil && name != "" {
		return nil, fmt.Errorf("%s: %w", name, err)
	} else if err != nil {
		return nil, err
	}
	return s, nil
}

func kindOf(t reflect.Type) (Kind, error) {
	if k, ok := kinds[t]; ok {
		return k, nil
	}
	switch {
	case t.Kind() == reflect.Struct:
		return KindStructure, nil
	case t.Kind() == reflect.Slice:
		return KindList, nil
	case t.Kind() == reflect.Map && t.Key() == reflect.TypeFor[string]():
		return KindMap, nil
	}
	return 0, fmt.Errorf("%s is no type of a value on the wire", t)
}

// constrain looks the name up, checks that the row fits the kind, and compiles what the shape contains.
func (c *compiler) constrain(s *Shape, name string) error {
	row, err := c.row(s.Kind, name)
	if err != nil {
		return err
	}
	var of List
	var halves Map
	switch r := row.(type) {
	case Text:
		s.sensitive = r.Sensitive
	case List:
		of = r
	case Map:
		halves = r
	}
	if row != nil {
		if s.rule, err = row.compile(); err != nil {
			return err
		}
	}
	switch s.Kind {
	case KindList:
		s.Elem, err = c.shape(s.Type.Elem(), of.Of)
	case KindMap:
		err = c.halves(s, halves)
	}
	return err
}

// row returns the table's row for a name, nil for no name.
func (c *compiler) row(kind Kind, name string) (Constraint, error) {
	row, ok := c.table[name]
	constrained := kind == KindString || kind == KindInteger || kind == KindList || kind == KindMap
	switch {
	case name == "" || !ok && !constrained:
		return nil, nil
	case !ok:
		return nil, fmt.Errorf("the table has no such shape")
	case !fits(row, kind):
		return nil, fmt.Errorf("a constraint %T on another kind of value", row)
	}
	return row, nil
}

func fits(row Constraint, kind Kind) bool {
	switch row.(type) {
	case Text:
		return kind == KindString
	case Integer:
		return kind == KindInteger
	case List:
		return kind == KindList
	case Map:
		return kind == KindMap
	}
	return false
}

func (c *compiler) halves(s *Shape, row Map) (err error) {
	if s.key, err = c.shape(s.Type.Key(), row.Key); err != nil {
		return err
	}
	if s.key.sensitive {
		return fmt.Errorf("a map's keys stand in member paths and cannot be sensitive")
	}
	s.Elem, err = c.shape(s.Type.Elem(), row.Value)
	return err
}

func (c *compiler) members(s *Shape) error {
	s.byName = make(map[string]int, s.Type.NumField())
	for i := range s.Type.NumField() {
		f := s.Type.Field(i)
		m, err := c.member(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		m.index = i
		if s.Folds(m.Name) {
			return fmt.Errorf("%s: two members whose names differ at most in case", f.Name)
		}
		s.byName[m.Name] = len(s.Members)
		s.Members = append(s.Members, m)
	}
	return nil
}

func (c *compiler) member(f reflect.StructField) (Member, error) {
	if !f.IsExported() || f.Anonymous {
		return Member{}, fmt.Errorf("an unexported or embedded field")
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind, err := kindOf(t)
	if err != nil {
		return Member{}, err
	}
	nilable := kind == KindBlob || kind == KindList || kind == KindMap
	if nilable == (f.Type.Kind() == reflect.Pointer) {
		return Member{}, fmt.Errorf("%s: scalars and structures are pointers, all else is not", f.Type)
	}
	name, required, err := parseShapeTag(f.Tag.Get("shape"))
	if err != nil {
		return Member{}, err
	}
	m := Member{Name: f.Name, Required: required}
	if err := parseWireTag(f.Tag.Get("wire"), &m); err != nil {
		return Member{}, err
	}
	m.path = strings.ToLower(m.Name[:1]) + m.Name[1:]
	m.Shape, err = c.shape(t, name)
	return m, err
}

func parseShapeTag(tag string) (name string, required bool, err error) {
	name, option, more := strings.Cut(tag, ",")
	if more && option != "required" {
		return "", false, fmt.Errorf("tag shape:%q", tag)
	}
	return name, more, nil
}

// wireName is what may stand on the wire: a codec writes names without escaping them.
var wireName = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]*\z`)

func parseWireTag(tag string, m *Member) error {
	name, options, _ := strings.Cut(tag, ",")
	if name != "" {
		m.Name = name
	}
	names := []string{m.Name}
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "":
			continue
		case "flattened":
			m.Flattened = true
			continue
		case "time":
			m.Time = timeFormats[value]
			if m.Time == 0 {
				return fmt.Errorf("tag wire:%q", tag)
			}
			continue
		case "item":
			m.Item = value
		case "key":
			m.Key = value
		case "value":
			m.Value = value
		default:
			return fmt.Errorf("tag wire:%q", tag)
		}
		names = append(names, value)
	}
	for _, n := range names {
		if !wireName.MatchString(n) {
			return fmt.Errorf("%q is no name for the wire", n)
		}
	}
	return nil
}

// spreadSensitivity marks what contains something sensitive, until nothing changes: shapes may contain themselves.
func (c *compiler) spreadSensitivity() {
	for changed := true; changed; {
		changed = false
		for _, s := range c.done {
			if !s.sensitive && s.containsSensitive() {
				s.sensitive, changed = true, true
			}
		}
	}
}

func (s *Shape) containsSensitive() bool {
	for i := range s.Members {
		if s.Members[i].Shape.sensitive {
			return true
		}
	}
	return s.Elem != nil && s.Elem.sensitive
}
