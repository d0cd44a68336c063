package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestObject(t *testing.T) {
	got, err := Object([]byte(` {"a":1.50,"A":"x","b":[true,null,{}],"c":{"d":-0}} `))
	want := map[string]any{
		"a": json.Number("1.50"), "A": "x", "b": []any{true, nil, map[string]any{}}, "c": map[string]any{"d": json.Number("-0")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
}

func TestObjectRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + `{}` + strings.Repeat(`}`, MaxDepth)
	for text, want := range map[string]error{
		"": errNotObject, "[]": errNotObject, `"x"`: errNotObject, "null": errNotObject,
		`{"a":1,"a":1}`: errDuplicate, `{"x":[{"a":1,"a":2}]}`: errDuplicate, `{"a":1,"\u0061":2}`: errDuplicate,
		`{}{}`: errTrailing, `{} x`: errTrailing,
		`{`: errJSON, `{"a"}`: errJSON, `{"a":1,}`: errJSON, "{\"a\":\"\xff\"}": errJSON, `{"a":"\ud800"}`: errJSON, `{"a":01}`: errJSON, `{'a':1}`: errJSON,
		deep: errDepth, `{"a":[` + strings.Repeat("1,", MaxValues) + `1]}`: errValues,
	} {
		if got, err := Object([]byte(text)); err != want || got != nil {
			t.Errorf("%.40q: got %v and %v, want %v", text, got, err, want)
		}
	}
}

// FuzzObject: what it reads, encoding/json reads as the same.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,{"b":"\u00e9"}]}`, `{"a":1,"a":2}`, `{"a":1e400}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Object(text)
		if err != nil {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v (%v)", text, got, want, err)
		}
	})
}
