// Package shape describes what goes over the wire: the members of a request or an answer, their Go types, and the
// constraints that the AWS model puts on them.
//
// A wire type is a plain Go struct. Its exported field names are the member names; nil means absent. As a member, a
// scalar is a pointer (*string, *bool, *int64, *float64, *time.Time), a blob is []byte, a list is a slice, a map is
// map[string]X and a structure is a pointer to a struct. As an element of a list or a map, scalars and structures
// stand by value. Two tags say the rest:
//
//	RoleArn *string  `shape:"arnType,required"`              the model's shape, and whether AWS demands the member
//	Arn     *string  `shape:"arnType" wire:"arn"`            the name on the wire where it is not the field's
//	Names   []string `wire:"names,flattened,item=name"`      the query protocol's list without a wrapper
//	Rules   map[string]string `wire:"rules,key=K,value=V"`   the query protocol's names for an entry
//	At      *time.Time `wire:",time=iso8601"`                iso8601, rfc822 or unixTimestamp instead of the protocol's own
//
// A Table names the constraints, as the model does. Of compiles a Go type with a Table into a Shape, once; the codecs
// walk Shapes to read and write, and Check writes AWS's own sentences about what is wrong with a value.
//
// Bytes on the wire are left to awsjson and awsquery; what a value means is left to the operations.
package shape

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Kind is what a Shape is on the wire.
type Kind uint8

// The kinds, and the Go type of a present value of each.
const (
	KindString    Kind = iota + 1 // string
	KindBool                      // bool
	KindInteger                   // int64
	KindFloat                     // float64
	KindTime                      // time.Time
	KindBlob                      // []byte
	KindStructure                 // a struct
	KindList                      // a slice
	KindMap                       // a map with string keys
)

// Shape is a compiled wire type. It is immutable: share it, never write to it.
type Shape struct {
	Kind    Kind
	Type    reflect.Type // the Go type of a present value
	Members []Member     // of a structure, in the order of the struct's fields
	Elem    *Shape       // of a list: its elements; of a map: its values

	key       *Shape         // of a map: its keys, always KindString
	rule      rule           // what the table says of this shape itself
	sensitive bool           // this shape or one inside it must not be echoed
	byName    map[string]int // of a structure: wire name to index in Members
}

// Member is one member of a structure.
type Member struct {
	Name     string // on the wire
	Shape    *Shape
	Required bool
	Style

	index int    // of the struct's field
	path  string // the name with a lower-case first letter, as AWS's sentences have it
}

// Style is how a member looks on the wire beyond its name. An empty string or a zero stands for the protocol's own.
type Style struct {
	Flattened  bool   // query: a list or map without a wrapper around its items
	Item       string // query: the name of a list's items
	Key, Value string // query: the names of the two halves of a map's entry
	Time       TimeFormat
}

// Member returns the member with exactly this name on the wire, or nil.
func (s *Shape) Member(name string) *Member {
	if i, ok := s.byName[name]; ok {
		return &s.Members[i]
	}
	return nil
}

// Folds reports whether the name differs from a member's only in case. Case is Unicode's simple folding, which takes
// "ſ" for "s" and the Kelvin sign for "k". A codec that finds no Member asks this: what another parser on the way
// would have taken for a member is refused instead of ignored.
func (s *Shape) Folds(name string) bool {
	for i := range s.Members {
		if strings.EqualFold(s.Members[i].Name, name) {
			return true
		}
	}
	return false
}

// Get returns the member's value inside a struct of the Shape's Type, and whether it is there.
func (m *Member) Get(structure reflect.Value) (reflect.Value, bool) {
	f := structure.Field(m.index)
	if f.IsNil() {
		return reflect.Value{}, false
	}
	if f.Kind() == reflect.Pointer {
		return f.Elem(), true
	}
	return f, true
}

// New makes the member present in an addressable struct, and returns the place to put its value.
func (m *Member) New(structure reflect.Value) reflect.Value {
	f := structure.Field(m.index)
	if f.Kind() != reflect.Pointer {
		return f
	}
	f.Set(reflect.New(m.Shape.Type))
	return f.Elem()
}

// Target returns the struct that v points to. Where v is nil, or points to anything but a struct of the Shape's Type,
// there is a bug in the caller, and the error says so.
func (s *Shape) Target(v any) (reflect.Value, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Type().Elem() != s.Type {
		return reflect.Value{}, fmt.Errorf("shape: a %T where a *%s is due", v, s.Type)
	}
	return rv.Elem(), nil
}

// SortedKeys returns the keys of a map of strings in order, so that nothing that is written depends on chance.
func SortedKeys(m reflect.Value) []string {
	if known, ok := m.Interface().(map[string]string); ok {
		return slices.Sorted(maps.Keys(known))
	}
	keys := make([]string, 0, m.Len())
	for iter := m.MapRange(); iter.Next(); {
		keys = append(keys, iter.Key().String())
	}
	slices.Sort(keys)
	return keys
}
