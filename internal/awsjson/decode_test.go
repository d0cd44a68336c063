package awsjson_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/awsjson"
	"idpool/internal/fault"
	"idpool/internal/shape"
	"idpool/internal/shape/shapetest"
)

// request has every kind of member.
type request struct {
	Text   *string
	Flag   *bool
	Count  *int64
	Ratio  *float64
	At     *time.Time
	When   *time.Time `wire:",time=iso8601"`
	Data   []byte
	Names  []string
	Counts []int64
	Lists  [][]string
	Logins map[string]string
	Inner  *request
	Inners []request
	ByName map[string]request
}

var requestShape = shape.MustOf(nil, reflect.TypeFor[request]())

func TestDecode(t *testing.T) {
	for body, want := range map[string]request{
		"":                               {},
		"{}":                             {},
		" \t\r\n{ } \n":                  {},
		`{"Text":"a\u00e9\ud83d\ude00"}`: {Text: new("aé😀")},
		`{"T\u0065xt":"x"}`:              {Text: new("x")},
		`{"Text":null,"Names":null,"Inner":null,"Logins":null,"Data":null}`: {},
		`{"Flag":false,"Count":-12,"Ratio":1e2}`:                            {Flag: new(false), Count: new(int64(-12)), Ratio: new(100.0)},
		`{"Ratio":7}`:                                                       {Ratio: new(7.0)},
		`{"At":1486747083.123,"When":"2026-11-22T13:00:00Z"}`: {
			At: new(time.UnixMilli(1486747083123).UTC()), When: new(time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC))},
		`{"Data":"Zm9v"}`:                                                        {Data: []byte("foo")},
		`{"Names":[],"Logins":{},"Inner":{}}`:                                    {Names: []string{}, Logins: map[string]string{}, Inner: &request{}},
		`{"Names":["a",""],"Lists":[[],["b"]]}`:                                  {Names: []string{"a", ""}, Lists: [][]string{{}, {"b"}}},
		`{"Logins":{"Text":"1","text":"2","":""}}`:                               {Logins: map[string]string{"Text": "1", "text": "2", "": ""}},
		`{"Inners":[{"Inner":{"Count":1}}]}`:                                     {Inners: []request{{Inner: &request{Count: new(int64(1))}}}},
		`{"ByName":{"k":{"Names":["v"]}}}`:                                       {ByName: map[string]request{"k": {Names: []string{"v"}}}},
		`{"New":{"Text":[1,2,{"a":null}]},"Count":3,"Texts":"","Other":-0.0e+1}`: {Count: new(int64(3))},
	} {
		var got request
		if err := awsjson.Decode([]byte(body), requestShape, &got); err != nil {
			t.Errorf("%s: got %v, want it read", body, err)
		} else if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: got -, want +:\n%s", body, diff)
		}
	}
}

// refused checks that a body gives the one public sentence, and that nothing of it is in the error.
func refused(t *testing.T, what string, body []byte, sh *shape.Shape) {
	t.Helper()
	err := awsjson.Decode(body, sh, reflect.New(sh.Type).Interface())
	f := fault.From(err)
	if f == nil || f.Code != fault.Serialization || f.Message != "The request body is not the JSON object that the operation expects." {
		t.Errorf("%s: got %v, want it refused", what, err)
		return
	}
	if strings.Contains(f.Error(), "canary") {
		t.Errorf("%s: got %v, want nothing of the body in it", what, f)
	}
}

// Security I1, I2: what two parsers could read differently, and what does not fit the operation.
func TestDecodeRefuses(t *testing.T) {
	for _, body := range []string{
		`{"Text":"canary","Text":"victim"}`, `{"Logins":{"canary":"1"},"Logins":{"b":"2"}}`, `{"Text":"canary","\u0054ext":"b"}`,
		`{"Logins":{"canary":"1","canary":"2"}}`, `{"New":1,"New":2}`, `{"New":{"a":[{"b":1,"b":2}]}}`, `{"Text":null,"Text":"canary"}`,
		`{"text":"canary"}`, `{"TEXT":null}`, `{"Login\u017f":{}}`, "{\"Login\u017f\":{}}", `{"Inner":{"logins":{}}}`, `{"Inners":[{"lists":0}]}`,
		`{"Text":1}`, `{"Text":true}`, `{"Text":{}}`, `{"Text":["canary"]}`,
		`{"Flag":"true"}`, `{"Flag":1}`, `{"Flag":"canary"}`,
		`{"Count":1.0}`, `{"Count":1e0}`, `{"Count":"1"}`, `{"Count":9223372036854775808}`, `{"Count":01}`, `{"Count":+1}`, `{"Count":true}`, `{"Count":-}`,
		`{"Ratio":"canary"}`, `{"Ratio":"1.5"}`, `{"Ratio":1e999}`, `{"Ratio":NaN}`, `{"Ratio":Infinity}`,
		`{"At":"1486747083"}`, `{"At":"2026-11-22T13:00:00Z"}`, `{"At":1e300}`, `{"At":"NaN"}`, `{"When":1486747083}`, `{"When":"canary"}`,
		`{"Data":"Zm9"}`, `{"Data":"Zm9v\n"}`, `{"Data":1}`, `{"Data":[1]}`,
		`{"Names":{}}`, `{"Names":"canary"}`, `{"Names":[null]}`, `{"Names":["canary",1]}`, `{"Names":["a",]}`, `{"Names":[,"a"]}`,
		`{"Logins":[]}`, `{"Logins":{"canary":null}}`, `{"Logins":{"a":1}}`, `{"Logins":"canary"}`, `{"Lists":["canary"]}`, `{"Counts":[1.5]}`,
		`{"Inner":[]}`, `{"Inner":"canary"}`, `{"Inners":[null]}`, `{"Inners":{}}`, `{"ByName":{"a":null}}`,
		"[]", "null", "true", `"canary"`, "1", " ", "\n", "{", `{"Text"`, `{"Text":`, `{"Text":"canary`, `{"Text":"a"`, `{"Text":"a",}`, `{,}`, `{"Text" "a"}`,
		"{}{}", "{}x", "{},", `{} "canary"`, "{}\x00", "\xef\xbb\xbf{}", "{}\xef\xbb\xbf", "\x00{}", "{}//canary", "/**/{}", `{'Text':'a'}`, `{Text:"canary"}`,
		"{\"Text\":\"\xff\"}", "{\"Text\":\"\xed\xa0\x80\"}", `{"Text":"\ud800"}`, `{"Text":"\udc00\ud800"}`, "{\"\xff\":1}", `{"New":"\ud800"}`, "{\"New\":\"\xc0\xaf\"}",
		"{\"Text\":\"a\nb\"}", "{\"Text\":\"a\x00\"}", `{"Text":"\x41"}`, `{"Text":"\u12"}`, "{\"Text\":\"\x7f\xfe\"}",
	} {
		refused(t, body, []byte(body), requestShape)
	}
}

// The limits of security I2, one below and one above, in members that are known and in others.
func TestDecodeLimits(t *testing.T) {
	nested := func(name string, levels int) string { // the body itself is a level
		return `{"` + name + `":` + strings.Repeat(`[`, levels-1) + strings.Repeat(`]`, levels-1) + `}`
	}
	inner := func(levels int) string {
		return strings.Repeat(`{"Inner":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
	}
	elements := func(name string, n int) string { // the member that holds them counts too
		return `{"` + name + `":[` + strings.TrimSuffix(strings.Repeat("1,", n-1), ",") + `]}`
	}
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for what, body := range map[string]string{
		"levels, unknown": nested("New", 16), "levels, known": inner(16),
		"elements, unknown": elements("New", 2000), "elements, known": elements("Counts", 2000), "members": members(2000),
	} {
		if err := awsjson.Decode([]byte(body), requestShape, new(request)); err != nil {
			t.Errorf("%s at the limit: got %v, want it read", what, err)
		}
	}
	for what, body := range map[string]string{
		"levels, unknown": nested("New", 17), "levels, known": inner(17), "levels in objects": strings.Repeat(`{"New":`, 17) + "0" + strings.Repeat("}", 17),
		"elements, unknown": elements("New", 2001), "elements, known": elements("Counts", 2001), "members": members(2001),
		"levels without end": strings.Repeat(`{"New":[`, 200_000), "spread": `{"a":` + elements("New", 1000) + `,"b":` + elements("New", 1000) + `}`,
	} {
		refused(t, what, []byte(body), requestShape)
	}
}

func TestDecodeWantsItsOwnType(t *testing.T) {
	for _, into := range []any{nil, request{}, (*request)(nil), new(string)} {
		err := awsjson.Decode([]byte("{}"), requestShape, into)
		if err == nil || fault.Is(err, fault.Serialization) {
			t.Errorf("%T: got %v, want an error that is no refusal of the caller", into, err)
		}
	}
}

// suite reads the files of a folder of the JSON test suite.
func suite(t *testing.T, folder string, want int) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shapetest.Corpus(t, "json", folder), "*.json"))
	if err != nil || len(paths) != want {
		t.Fatalf("got %d files, %v, want %d", len(paths), err, want)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = text
	}
	return files
}

// The suite's files as bodies, and each as a member of a body. "y" must be read by every parser, "n" by none, "i" as
// one likes; we refuse names that come twice besides, and what is no object where the body must be one.
func TestJSONSuite(t *testing.T) {
	var none struct{}
	sh := shape.MustOf(nil, reflect.TypeFor[struct{}]())
	accepts := func(body []byte) bool { return awsjson.Decode(body, sh, &none) == nil }
	bodies, members := map[byte]int{}, map[byte]int{}
	for name, text := range suite(t, "test_parsing", 318) {
		object := strings.HasPrefix(strings.TrimSpace(string(text)), "{")
		twice := name == "y_object_duplicated_key.json" || name == "y_object_duplicated_key_and_value.json"
		want := name[0] == 'y' && object && !twice || name == "n_structure_no_data.json" // an empty body is an empty object
		if got := accepts(text); got != want {
			t.Errorf("%s as a body: got %v, want %v", name, got, want)
		} else if got {
			bodies[name[0]]++
		} else {
			refused(t, name, text, sh)
		}
		want = name[0] == 'y' && !twice || strings.HasPrefix(name, "i_number_") // values that nobody asked for are not computed
		member := []byte(`{"New":` + string(text) + `}`)
		if got := accepts(member); got != want {
			t.Errorf("%s as a member: got %v, want %v", name, got, want)
		} else if got {
			members[name[0]]++
		} else {
			refused(t, name, member, sh)
		}
	}
	if diff := cmp.Diff(bodies, map[byte]int{'y': 10, 'n': 1}); diff != "" {
		t.Errorf("accepted as bodies: got -, want +:\n%s", diff)
	}
	if diff := cmp.Diff(members, map[byte]int{'y': 93, 'i': 10}); diff != "" {
		t.Errorf("accepted as members: got -, want +:\n%s", diff)
	}
}

// The suite's files on which parsers differ in what they read. Each is a member's value; we read it exactly or not.
func TestJSONSuiteTransforms(t *testing.T) {
	type numbers struct{ In []int64 }
	type texts struct{ In []string }
	type named struct{ In map[string]string }
	want := map[string]any{
		"number_-9223372036854775808.json": &numbers{[]int64{-9223372036854775808}},
		"number_9223372036854775807.json":  &numbers{[]int64{9223372036854775807}},
		"number_1000000000000000.json":     &numbers{[]int64{1000000000000000}},
		"object_key_nfc_nfd.json":          &named{map[string]string{"\u00e9": "NFC", "e\u0301": "NFD"}},
		"object_key_nfd_nfc.json":          &named{map[string]string{"\u00e9": "NFC", "e\u0301": "NFD"}},
		"string_with_escaped_NULL.json":    &texts{[]string{"A\x00B"}},
	}
	for name, text := range suite(t, "test_transform", 22) {
		into := any(&texts{})
		switch kind, _, _ := strings.Cut(name, "_"); kind {
		case "number":
			into = &numbers{}
		case "object":
			into = &named{}
		}
		sh := shape.MustOf(nil, reflect.TypeOf(into).Elem())
		body := []byte(`{"In":` + string(text) + `}`)
		if want[name] == nil {
			refused(t, name, body, sh)
			continue
		}
		if err := awsjson.Decode(body, sh, into); err != nil {
			t.Errorf("%s: got %v, want it read", name, err)
		}
		if diff := cmp.Diff(into, want[name]); diff != "" {
			t.Errorf("%s: got -, want +:\n%s", name, diff)
		}
	}
}
