package shape_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"idpool/internal/shape"
)

type everything struct {
	Text   *string
	Flag   *bool
	Count  *int64
	Ratio  *float64
	At     *time.Time `wire:"at,time=iso8601"`
	Data   []byte
	Names  []string `wire:"Nomina,flattened,item=nomen"`
	Pairs  map[string]string
	Inner  *everything
	Inners []everything
	ByName map[string]everything
	Deep   map[string][]map[string]int64
}

func TestOfDescribesTheType(t *testing.T) {
	s, err := shape.Of(nil, reflect.TypeFor[everything]())
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name string
		kind shape.Kind
	}{
		{"Text", shape.KindString}, {"Flag", shape.KindBool}, {"Count", shape.KindInteger}, {"Ratio", shape.KindFloat},
		{"at", shape.KindTime}, {"Data", shape.KindBlob}, {"Nomina", shape.KindList}, {"Pairs", shape.KindMap},
		{"Inner", shape.KindStructure}, {"Inners", shape.KindList}, {"ByName", shape.KindMap}, {"Deep", shape.KindMap},
	}
	if len(s.Members) != len(want) {
		t.Fatalf("got %d members, want %d", len(s.Members), len(want))
	}
	for i, w := range want {
		if m := s.Members[i]; m.Name != w.name || m.Shape.Kind != w.kind || s.Member(w.name) != &s.Members[i] {
			t.Errorf("got member %s of kind %d, want %s of kind %d", m.Name, m.Shape.Kind, w.name, w.kind)
		}
	}
	if got := s.Member("at").Time; got != shape.ISO8601 {
		t.Errorf("got time format %d, want ISO8601", got)
	}
	if m := s.Member("Nomina"); !m.Flattened || m.Item != "nomen" {
		t.Errorf("got style %+v, want a flattened list of nomen", m.Style)
	}
	if inner := s.Member("Inner").Shape; inner != s {
		t.Error("got another shape for the type inside itself, want the same")
	}
	if s.Member("Names") != nil || s.Member("nomina") != nil {
		t.Error("got a member under a name that it does not have on the wire")
	}
}

// Names that differ only in case from a member's are found, so that codecs can refuse them (security I1).
func TestFolds(t *testing.T) {
	s := shape.MustOf(nil, reflect.TypeFor[struct{ Logins, Key *string }]())
	for name, want := range map[string]bool{
		"logins": true, "LOGINS": true, "Login\u017f": true, "\u212aey": true, "Logins": true,
		"Login": false, "Logins ": false, "": false, "Loginz": false,
	} {
		if got := s.Folds(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// What Of must refuse. Every one of them is a slip in a table or in a type that would otherwise lose a constraint.
func TestOfRefuses(t *testing.T) {
	type named string
	type recursive struct {
		Secret *string     `shape:"secret"`
		Next   []recursive `shape:"list"`
	}
	table := shape.Table{
		"text": shape.Text{Max: 3}, "number": shape.Integer{Min: 1}, "secret": shape.Text{Sensitive: true},
		"wrongPattern": shape.Text{Pattern: "(["}, "lookahead": shape.Text{Pattern: `(?!a)b`}, "set": shape.Text{Pattern: `[a-z&&[def]]`},
		"list": shape.List{Max: 2}, "listOf": shape.List{Of: "nowhere"}, "upside": shape.Text{Min: 3, Max: 2},
		"upsideNumber": shape.Integer{Min: 3, Max: 2}, "negative": shape.List{Min: -1}, "secretKeys": shape.Map{Key: "secret"},
		"unicode": shape.Text{Pattern: `\bword\b`}, "half": shape.Text{Pattern: `a\`}, "bracket": shape.Text{Pattern: `[]a]`},
	}
	for why, typ := range map[string]reflect.Type{
		"not a struct": reflect.TypeFor[string](),
		"a time":       reflect.TypeFor[time.Time](),
		"unknown shape": reflect.TypeFor[struct {
			A *string `shape:"nowhere"`
		}](),
		"unknown item": reflect.TypeFor[struct {
			A []string `shape:"listOf"`
		}](),
		"text rule on a number": reflect.TypeFor[struct {
			A *int64 `shape:"text"`
		}](),
		"number rule on a text": reflect.TypeFor[struct {
			A *string `shape:"number"`
		}](),
		"list rule on a map": reflect.TypeFor[struct {
			A map[string]string `shape:"list"`
		}](),
		"text rule on a boolean": reflect.TypeFor[struct {
			A *bool `shape:"text"`
		}](),
		"not Go's syntax": reflect.TypeFor[struct {
			A *string `shape:"wrongPattern"`
		}](),
		"lookahead": reflect.TypeFor[struct {
			A *string `shape:"lookahead"`
		}](),
		"set algebra": reflect.TypeFor[struct {
			A *string `shape:"set"`
		}](),
		"word boundary": reflect.TypeFor[struct {
			A *string `shape:"unicode"`
		}](),
		"trailing backslash": reflect.TypeFor[struct {
			A *string `shape:"half"`
		}](),
		"leading bracket": reflect.TypeFor[struct {
			A *string `shape:"bracket"`
		}](),
		"bounds upside down": reflect.TypeFor[struct {
			A *string `shape:"upside"`
		}](),
		"range upside down": reflect.TypeFor[struct {
			A *int64 `shape:"upsideNumber"`
		}](),
		"negative bound": reflect.TypeFor[struct {
			A []string `shape:"negative"`
		}](),
		"sensitive keys": reflect.TypeFor[struct {
			A map[string]string `shape:"secretKeys"`
		}](),
		"option": reflect.TypeFor[struct {
			A *string `shape:"text,optional"`
		}](),
		"wire option": reflect.TypeFor[struct {
			A *string `wire:"a,flat"`
		}](),
		"wire time": reflect.TypeFor[struct {
			A *time.Time `wire:"a,time=unix"`
		}](),
		"wire name": reflect.TypeFor[struct {
			A *string `wire:"a\"b"`
		}](),
		"wire item": reflect.TypeFor[struct {
			A []string `wire:",item=<b>"`
		}](),
		"same name": reflect.TypeFor[struct {
			A *string
			B *string `wire:"A"`
		}](),
		"same name but for case": reflect.TypeFor[struct {
			A *string
			B *string `wire:"a"`
		}](),
		"unexported":           reflect.TypeFor[struct{ a *string }](),
		"embedded":             reflect.TypeFor[struct{ recursive }](),
		"scalar by value":      reflect.TypeFor[struct{ A string }](),
		"pointer to a list":    reflect.TypeFor[struct{ A *[]string }](),
		"pointer to a pointer": reflect.TypeFor[struct{ A **string }](),
		"named scalar":         reflect.TypeFor[struct{ A *named }](),
		"small integer":        reflect.TypeFor[struct{ A *int32 }](),
		"integer keys":         reflect.TypeFor[struct{ A map[int64]string }](),
		"function":             reflect.TypeFor[struct{ A func() }](),
		"interface":            reflect.TypeFor[struct{ A any }](),
	} {
		if s, err := shape.Of(table, typ); err == nil || s != nil {
			t.Errorf("%s: got %v, %v, want an error", why, s, err)
		}
	}
	if _, err := shape.Of(table, reflect.TypeFor[recursive]()); err != nil {
		t.Errorf("got %v, want a type inside itself accepted", err)
	}
}

// A value that contains something sensitive, however deep and whatever contains itself, is never echoed.
func TestSensitivitySpreads(t *testing.T) {
	type inner struct {
		Secret *string `shape:"secret"`
		Self   []inner
	}
	type outer struct {
		List []map[string]inner `shape:"list"`
	}
	table := shape.Table{"secret": shape.Text{Sensitive: true}, "list": shape.List{Min: 2}}
	s := shape.MustOf(table, reflect.TypeFor[outer]())
	err := s.Check(&outer{List: []map[string]inner{{"key": {Self: []inner{{Secret: new("canary")}}}}}})
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "Value at 'list'") {
		t.Errorf("got %v, want a sentence without the value", err)
	}
}

// Java's patterns match whole strings, and some of their escapes mean more than Go's.
func TestPatterns(t *testing.T) {
	const id = `[\w-]+:[0-9a-f-]+`
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{id, "us-east-1:0a", true},
		{id, "us-east-1:0a\n", false},
		{id, "x us-east-1:0a", false},
		{id, "us-east-1:0A", false},
		{id, "ü:0a", false},
		{`a|b`, "a", true},
		{`a|b`, "ab", false},
		{`^a|b$`, "ax", false},
		{`^a|b$`, "xb", false},
		{`(un)?authenticated`, "unauthenticated", true},
		{`(un)?authenticated`, "unauthenticatedx", false},
		{`[\w\s+=,.@-]+`, "a\vb", true}, // Java's \s has the vertical tab
		{`[\w\s+=,.@-]+`, "a\u00a0b", false},
		{`\s`, "\v", true},
		{`[\S]+`, "a\vb", false},
		{`\S`, "\v", false},
		{`[\S]+`, "né😀", true},
		{`.*`, "a\u2028b", false}, // Java's full stop stops at more line ends
		{`.*`, "a\u0085b", false},
		{`.*`, "a b", true},
		{`[.]`, "x", false},
		{`\d+`, "٣", false},
		{`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`, "é😀$3!", true},
		{`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`, "a b", false},
		{`[\u0009\u000A\u000D\u0020-\u00FF]+`, "{\t\"é\"\n}", true},
		{`[\u0009\u000A\u000D\u0020-\u00FF]+`, "ā", false},
		{`[\t\n\r\x20-\xFF]+`, "ÿ", true},
		{`[\t\n\r\x20-\xFF]+`, "\x00", false},
		{`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, "/a/", true},
		{`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, "/a", false},
		{`[\w+=,.@:\/-]*`, "", true},
		{`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, "a key-1", true},
	} {
		type one struct {
			A *string `shape:"text"`
		}
		s, err := shape.Of(shape.Table{"text": shape.Text{Pattern: c.pattern}}, reflect.TypeFor[one]())
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Check(&one{A: &c.text}) == nil; got != c.want {
			t.Errorf("%s on %q: got %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}
