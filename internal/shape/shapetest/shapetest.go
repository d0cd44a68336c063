// Package shapetest is what the tests of shapes, of the codecs and of the services share: the protocol test suites, with
// Go types built from their models, and a proof of a table of constraints by its edges.
package shapetest

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"idpool/internal/fault"
	"idpool/internal/shape"
)

// Boundaries proves a service's table: for every row it makes values one below, at and one above each bound, and compares
// what Check says with what the row says. It returns how many values it tried, so that a caller can demand a number.
func Boundaries(t *testing.T, table shape.Table) int {
	t.Helper()
	tried := 0
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			p := probe{t: t, table: table, name: name, tried: &tried}
			p.compile()
			switch row := row.(type) {
			case shape.Text:
				p.text(row)
			case shape.Integer:
				p.integer(row)
			case shape.List:
				p.sizes(row.Min, row.Max, p.list)
			case shape.Map:
				p.sizes(row.Min, row.Max, p.entries)
			}
		})
	}
	return tried
}

// probe is a struct type with one member, Probe, of the shape under test.
type probe struct {
	t     *testing.T
	table shape.Table
	name  string
	shape *shape.Shape
	tried *int
}

func (p *probe) compile() {
	p.t.Helper()
	of := goType(p.table, p.name)
	if of.Kind() != reflect.Slice && of.Kind() != reflect.Map {
		of = reflect.PointerTo(of)
	}
	field := reflect.StructField{Name: "Probe", Type: of, Tag: reflect.StructTag(`shape:"` + p.name + `,required"`)}
	s, err := shape.Of(p.table, reflect.StructOf([]reflect.StructField{field}))
	if err != nil {
		p.t.Fatal(err)
	}
	p.shape = s
	p.refused(p.check(reflect.Value{}), "absent", "Member must not be null")
}

// goType is the Go type of a present value; a name without a row is a structure.
func goType(table shape.Table, name string) reflect.Type {
	switch row := table[name].(type) {
	case shape.Text:
		return reflect.TypeFor[string]()
	case shape.Integer:
		return reflect.TypeFor[int64]()
	case shape.List:
		return reflect.SliceOf(goType(table, row.Of))
	case shape.Map:
		return reflect.MapOf(reflect.TypeFor[string](), goType(table, row.Value))
	}
	return reflect.TypeFor[struct{}]()
}

// check puts a value into the member, none for the zero Value, and returns the public sentence about it.
func (p *probe) check(v reflect.Value) string {
	p.t.Helper()
	*p.tried++
	in := reflect.New(p.shape.Type)
	if v.IsValid() {
		p.shape.Members[0].New(in.Elem()).Set(v)
	}
	err := p.shape.Check(in.Interface())
	if err == nil {
		return ""
	}
	if !fault.Is(err, fault.Validation) {
		p.t.Fatalf("got %v, want a fault of code Validation", err)
	}
	return fault.From(err).Message
}

// refused wants a sentence on the member itself with the phrase; an empty phrase wants none of its kind.
func (p *probe) refused(sentence, what, phrase string) {
	p.t.Helper()
	if !strings.Contains(sentence, "at 'probe' failed to satisfy constraint: "+phrase) {
		p.t.Errorf("%s: got %q, want %q", what, sentence, phrase)
	}
}

func (p *probe) permitted(sentence, what, phrase string) {
	p.t.Helper()
	if strings.Contains(sentence, "at 'probe' failed to satisfy constraint: "+phrase) {
		p.t.Errorf("%s: got %q, want nothing of %q", what, sentence, phrase)
	}
}

// edges calls back with one below, at and one above each bound.
func (p *probe) edges(unit string, least, most int64, sentence func(n int64) string) {
	p.t.Helper()
	bound := "Member must have " + unit
	if least > 0 || unit == "value" {
		p.refused(sentence(least-1), "one below the least", bound+" greater than or equal to "+strconv.FormatInt(least, 10))
		p.permitted(sentence(least), "the least", bound)
	}
	if most > 0 {
		p.permitted(sentence(most), "the most", bound)
		p.refused(sentence(most+1), "one above the most", bound+" less than or equal to "+strconv.FormatInt(most, 10))
	}
}

func (p *probe) text(row shape.Text) {
	p.t.Helper()
	say := func(text string) string { return p.check(reflect.ValueOf(text)) }
	p.edges("length", int64(row.Min), int64(row.Max), func(n int64) string {
		return say(strings.Repeat("a", int(n)))
	})
	if row.Pattern != "" {
		// No model's pattern permits both of these; they are what injections need.
		phrase := "Member must satisfy regular expression pattern: " + row.Pattern
		p.refused(say("\x00")+say(" \n"), "control characters and space", phrase)
	}
	for _, value := range row.Enum {
		p.permitted(say(value), value, "")
		p.refused(say(value+"x"), value+"x", "Member must satisfy enum value set: ["+strings.Join(row.Enum, ", ")+"]")
	}
	if echo := say("\x00canary"); row.Sensitive && strings.Contains(echo, "canary") {
		p.t.Errorf("a sensitive value is echoed: %q", echo)
	}
}

func (p *probe) integer(row shape.Integer) {
	p.t.Helper()
	p.edges("value", row.Min, row.Max, func(n int64) string { return p.check(reflect.ValueOf(n)) })
}

func (p *probe) sizes(least, most int, sentence func(n int64) string) {
	p.t.Helper()
	p.edges("length", int64(least), int64(most), sentence)
}

func (p *probe) list(n int64) string {
	return p.check(reflect.MakeSlice(goType(p.table, p.name), int(n), int(n)))
}

func (p *probe) entries(n int64) string {
	of := goType(p.table, p.name)
	m := reflect.MakeMap(of)
	for i := range n {
		m.SetMapIndex(reflect.ValueOf(strings.Repeat("k", int(i)+1)), reflect.Zero(of.Elem()))
	}
	return p.check(m)
}
