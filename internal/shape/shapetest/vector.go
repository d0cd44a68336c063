package shapetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Corpus returns the path of something in the folder of third-party test data, $IDPOOL_CORPORA. Without the folder
// the test is skipped, or fails where $IDPOOL_REQUIRE is "all".
func Corpus(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("IDPOOL_CORPORA")
	switch {
	case root != "":
		return filepath.Join(append([]string{root}, parts...)...)
	case os.Getenv("IDPOOL_REQUIRE") == "all":
		t.Fatal("IDPOOL_CORPORA names no folder, and IDPOOL_REQUIRE=all demands one")
	}
	t.Skip("IDPOOL_CORPORA names no folder of third-party test data")
	return ""
}

// Vector is one case of the protocol test suites: what a client sends or reads, and what it means.
type Vector struct {
	ID        string
	Operation string
	Type      reflect.Type // of the wire struct; nil where the operation has none
	Value     any          // the parameters or the result, as encoding/json reads them
	Body      string
	HasBody   bool
	Fault     bool // the body is an error's
}

// Vectors reads a suite: direction is input or output, protocol json or query. The Go types are built from the
// suite's own models, recursive ones to four levels, as a service would write them.
func Vectors(t testing.TB, direction, protocol string) []Vector {
	t.Helper()
	text, err := os.ReadFile(Corpus(t, "protocols", direction, protocol+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var suites []suite
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&suites); err != nil {
		t.Fatal(err)
	}
	var vectors []Vector
	for _, s := range suites {
		b := builder{models: s.Shapes, built: map[string]reflect.Type{}, depth: map[string]int{}}
		for _, c := range s.Cases {
			vectors = append(vectors, c.vector(&b))
		}
	}
	return vectors
}

type suite struct {
	Shapes map[string]model
	Cases  []testCase
}

type testCase struct {
	ID    string
	Given struct {
		Name          string
		Input, Output *reference
	}
	Params, Result       any
	Serialized, Response struct{ Body *string }
	ErrorCode            string
}

func (c testCase) vector(b *builder) Vector {
	v := Vector{ID: c.ID, Operation: c.Given.Name, Value: c.Params, Fault: c.ErrorCode != ""}
	of, body := c.Given.Input, c.Serialized.Body
	if c.Params == nil {
		of, body, v.Value = c.Given.Output, c.Response.Body, c.Result
	}
	if of != nil {
		v.Type = b.of(*of)
	}
	if body != nil {
		v.Body, v.HasBody = *body, true
	}
	return v
}

// model is a shape as the suites write it.
type model struct {
	Type            string
	Members         map[string]reference
	Member          *reference
	Key, Value      *reference
	TimestampFormat string
}

type reference struct {
	Shape           string
	LocationName    string
	Flattened       bool
	TimestampFormat string
}

const maxRecursion = 4

type builder struct {
	models map[string]model
	built  map[string]reflect.Type
	depth  map[string]int
}

// of returns the Go type of a present value.
func (b *builder) of(ref reference) reflect.Type {
	m := b.models[ref.Shape]
	switch m.Type {
	case "string":
		return reflect.TypeFor[string]()
	case "boolean":
		return reflect.TypeFor[bool]()
	case "integer", "long":
		return reflect.TypeFor[int64]()
	case "float", "double":
		return reflect.TypeFor[float64]()
	case "blob":
		return reflect.TypeFor[[]byte]()
	case "timestamp":
		return reflect.TypeFor[time.Time]()
	case "list":
		return reflect.SliceOf(b.of(*m.Member))
	case "map":
		return reflect.MapOf(reflect.TypeFor[string](), b.of(*m.Value))
	case "structure":
		return b.structure(ref.Shape, m)
	}
	panic("shapetest: a model of type " + m.Type)
}

// structure builds a struct type. A shape inside itself ends after maxRecursion levels without the members that lead on.
func (b *builder) structure(name string, m model) reflect.Type {
	id := fmt.Sprint(name, " ", b.depth[name])
	if t := b.built[id]; t != nil {
		return t
	}
	b.depth[name]++
	defer func() { b.depth[name]-- }()
	var fields []reflect.StructField
	for member, ref := range m.Members {
		if b.depth[name] > maxRecursion && b.leadsTo(ref.Shape, name, 0) {
			continue
		}
		fields = append(fields, b.field(member, ref))
	}
	slices.SortFunc(fields, func(x, y reflect.StructField) int { return strings.Compare(x.Name, y.Name) })
	b.built[id] = reflect.StructOf(fields)
	return b.built[id]
}

// leadsTo reports whether a shape is, or contains through lists and maps, the one with the name.
func (b *builder) leadsTo(shape, name string, steps int) bool {
	m := b.models[shape]
	switch {
	case shape == name:
		return true
	case m.Member != nil:
		return b.leadsTo(m.Member.Shape, name, steps+1)
	case m.Value != nil:
		return b.leadsTo(m.Value.Shape, name, steps+1)
	case m.Type != "structure" || steps > maxRecursion:
		return false
	}
	for _, ref := range m.Members {
		if b.leadsTo(ref.Shape, name, steps+1) {
			return true
		}
	}
	return false
}

func (b *builder) field(member string, ref reference) reflect.StructField {
	t := b.of(ref)
	if k := t.Kind(); k != reflect.Slice && k != reflect.Map {
		t = reflect.PointerTo(t)
	}
	tag := `wire:"` + b.wire(member, ref) + `"`
	return reflect.StructField{Name: exported(member), Type: t, Tag: reflect.StructTag(tag)}
}

func exported(member string) string { return strings.ToUpper(member[:1]) + member[1:] }

// wire writes the tag for what the model says of a member's form.
func (b *builder) wire(member string, ref reference) string {
	if ref.LocationName != "" {
		member = ref.LocationName
	}
	tag := []string{member}
	m := b.models[ref.Shape]
	if ref.Flattened {
		tag = append(tag, "flattened")
	}
	for option, part := range map[string]*reference{"item": m.Member, "key": m.Key, "value": m.Value} {
		if part != nil && part.LocationName != "" {
			tag = append(tag, option+"="+part.LocationName)
		}
	}
	if ref.TimestampFormat != "" {
		tag = append(tag, "time="+ref.TimestampFormat)
	} else if m.TimestampFormat != "" {
		tag = append(tag, "time="+m.TimestampFormat)
	}
	return strings.Join(tag, ",")
}

// New returns a pointer to a struct of the Vector's Type that holds its Value.
func (v Vector) New() (any, error) {
	p := reflect.New(v.Type)
	return p.Interface(), fill(p.Elem(), v.Value)
}

// fill puts a value of the suite into a Go value. Blobs stand there as they are, times as seconds.
func fill(v reflect.Value, from any) error {
	switch from := from.(type) {
	case nil:
		return nil
	case bool:
		v.SetBool(from)
		return nil
	case map[string]any:
		return fillNamed(v, from)
	case []any:
		v.Set(reflect.MakeSlice(v.Type(), len(from), len(from)))
		for i := range from {
			if err := fill(v.Index(i), from[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return fillScalar(v, fmt.Sprint(from))
}

func fillScalar(v reflect.Value, text string) error {
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *[]byte:
		*p = []byte(text)
	case *int64, *float64:
		_, err := fmt.Sscan(strings.Replace(text, "Infinity", "Inf", 1), p)
		return err
	case *time.Time:
		seconds, err := strconv.ParseFloat(text, 64)
		*p = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
		return err
	default:
		return fmt.Errorf("%s for a %s", text, v.Type())
	}
	return nil
}

func fillNamed(v reflect.Value, from map[string]any) error {
	if v.Kind() == reflect.Map {
		return fillMap(v, from)
	}
	for name, value := range from {
		f := v.FieldByName(exported(name))
		if !f.IsValid() {
			return fmt.Errorf("no member %s", name)
		}
		if f.Kind() == reflect.Pointer && value != nil {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		if err := fill(f, value); err != nil {
			return err
		}
	}
	return nil
}

func fillMap(v reflect.Value, from map[string]any) error {
	v.Set(reflect.MakeMap(v.Type()))
	for name, value := range from {
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := fill(elem, value); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(name), elem)
	}
	return nil
}

// Run runs f for every Vector, each under its id. Those that the table of exceptions names must fail, so that no
// exception outlives its reason; the others must not. It demands the total and as many exceptions as the table has.
func Run(t *testing.T, vectors []Vector, total int, exceptions map[string]string, f func(Vector) error) {
	t.Helper()
	excepted := 0
	for _, v := range vectors {
		t.Run(v.ID, func(t *testing.T) {
			err := f(v)
			switch reason := exceptions[v.ID]; {
			case reason == "" && err != nil:
				t.Error(err)
			case reason != "" && err == nil:
				t.Errorf("got no error, so that the exception %q is not needed", reason)
			case reason != "":
				excepted++
			}
		})
	}
	if len(vectors) != total || excepted != len(exceptions) {
		t.Errorf("got %d vectors and %d exceptions, want %d and %d", len(vectors), excepted, total, len(exceptions))
	}
}
