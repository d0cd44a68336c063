package awsjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idpool/internal/awsjson"
	"idpool/internal/shape"
)

func TestEncode(t *testing.T) {
	at := time.Date(2018, 9, 27, 18, 34, 37, 988_000_000, time.UTC)
	for want, out := range map[string]*request{
		`{}`:          {},
		`{"Text":""}`: {Text: new("")},
		`{"Text":"<a>&\u001f\"\\\n/é😀` + "\u2028\x7f" + `"}`: {Text: new("<a>&\x1f\"\\\n/é😀\u2028\x7f")},
		`{"Text":"a�b"}`: {Text: new("a\xffb")},
		`{"Text":"a","Flag":false,"Count":-9223372036854775808}`: {Count: new(int64(math.MinInt64)), Flag: new(false), Text: new("a")},
		`{"Ratio":10.8}`:                               {Ratio: new(10.8)},
		`{"Ratio":"-Infinity"}`:                        {Ratio: new(math.Inf(-1))},
		`{"At":1538073277.988}`:                        {At: &at},
		`{"At":1486747083}`:                            {At: new(time.Unix(1486747083, 0))},
		`{"At":4102444800}`:                            {At: new(time.Unix(4102444800, 999_999))},
		`{"When":"2018-09-27T18:34:37.988Z"}`:          {When: &at},
		`{"Data":"Zm9v"}`:                              {Data: []byte("foo")},
		`{"Data":"","Names":[],"Logins":{}}`:           {Data: []byte{}, Names: []string{}, Logins: map[string]string{}},
		`{"Names":["a",""],"Lists":[[],["b","c"]]}`:    {Names: []string{"a", ""}, Lists: [][]string{nil, {"b", "c"}}},
		`{"Logins":{"":"1","\"a":"2","b":"3"}}`:        {Logins: map[string]string{"b": "3", `"a`: "2", "": "1"}},
		`{"Inner":{},"Inners":[{},{"Counts":[1,-2]}]}`: {Inner: &request{}, Inners: []request{{}, {Counts: []int64{1, -2}}}},
		`{"ByName":{"a":{"Count":1},"b":{}}}`:          {ByName: map[string]request{"b": {}, "a": {Count: new(int64(1))}}},
	} {
		if got := string(awsjson.Encode([]byte("before"), requestShape, out)); got != "before"+want {
			t.Errorf("got %s, want %s", got, want)
		}
		if !json.Valid([]byte(want)) {
			t.Errorf("%s is no JSON", want)
		}
	}
}

func TestEncodeOfNothing(t *testing.T) {
	if got := awsjson.Encode(nil, nil, nil); len(got) != 0 {
		t.Errorf("no output: got %q, want an empty body", got)
	}
	type empty struct{}
	if got := awsjson.Encode(nil, shape.MustOf(nil, reflect.TypeFor[empty]()), &empty{}); string(got) != "{}" {
		t.Errorf("an output without members: got %q, want {}", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("got an answer of another type written, want a panic")
		}
	}()
	awsjson.Encode(nil, requestShape, &empty{})
}

// What Decode accepts, Encode writes such that Decode reads the same, and the same bytes come out again. Nothing panics.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"Text":"a","Flag":true,"Count":-1,"Ratio":1.5e-7,"At":-1.001,"When":"2026-11-22T13:00:00.5Z","Data":"Zm9v"}`,
		`{"Names":["a"],"Counts":[0],"Lists":[[],["b"]],"Logins":{"a":"b"},"Inner":{"Inners":[{}]},"ByName":{"x":{"Ratio":"NaN"}}}`,
		`{"text":1}`, `{"New":[{"a":[1e400]}],"Text":"\ud83d\ude00"}`, `{"Text":"a","Text":"b"}`, `{"Inner":null}`, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second request
		if awsjson.Decode(body, requestShape, &first) != nil {
			return
		}
		if len(body) > 0 && !json.Valid(body) {
			t.Fatalf("%q was read and is no JSON", body)
		}
		written := awsjson.Encode(nil, requestShape, &first)
		if err := awsjson.Decode(written, requestShape, &second); err != nil {
			t.Fatalf("%s was written and not read: %v", written, err)
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("%s: read -, read again +:\n%s", written, diff)
		}
		if again := awsjson.Encode(nil, requestShape, &second); !bytes.Equal(again, written) {
			t.Fatalf("got %s, want %s", again, written)
		}
	})
}

type credentialsRequest struct {
	IdentityId    *string
	Logins        map[string]string
	CustomRoleArn *string
}

type credentials struct {
	AccessKeyId, SecretKey, SessionToken *string
	Expiration                           *time.Time
}

type credentialsAnswer struct {
	IdentityId  *string
	Credentials *credentials
}

const identity = "us-east-1:1cf667a2-49a6-454b-9e45-23199e000000"

func BenchmarkDecodeGetCredentialsForIdentity(b *testing.B) {
	sh := shape.MustOf(nil, reflect.TypeFor[credentialsRequest]())
	token := strings.Repeat("eyJhbGciOi", 137) + ".abc-_"
	body := []byte(`{"IdentityId":"` + identity + `","Logins":{"accounts.google.com":"` + token + `"}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var in credentialsRequest
		if err := awsjson.Decode(body, sh, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeGetCredentialsForIdentity(b *testing.B) {
	sh := shape.MustOf(nil, reflect.TypeFor[credentialsAnswer]())
	out := &credentialsAnswer{IdentityId: new(identity), Credentials: &credentials{
		AccessKeyId: new("ASIAQWERTYUIOPASDFGH"), SecretKey: new(strings.Repeat("s", 40)),
		SessionToken: new(strings.Repeat("IQoJb3JpZ2", 96)), Expiration: new(time.Unix(1486747083, 0)),
	}}
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(awsjson.Encode(nil, sh, out))))
	b.ReportAllocs()
	for b.Loop() {
		buf = awsjson.Encode(buf[:0], sh, out)
	}
}

// The refusal of a hostile body must not cost more than reading a good one of the same size.
func BenchmarkDecodeHostile(b *testing.B) {
	var almost strings.Builder
	for i := range 1999 {
		fmt.Fprintf(&almost, `"Text%0250d":1,`, i)
	}
	for name, body := range map[string]string{
		"one name":     `{"` + strings.Repeat("Logins", 80_000) + `":1}`,
		"almost names": "{" + almost.String() + `"Text":"a"}`,
		"levels":       strings.Repeat("[", 512<<10),
		"one string":   `{"Text":"` + strings.Repeat("a", 500_000) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_ = awsjson.Decode([]byte(body), requestShape, new(request))
			}
		})
	}
}
