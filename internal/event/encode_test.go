package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// asStandard is the line as encoding/json writes it.
func asStandard(t *testing.T, r *Record) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzAppendLine: a line is what encoding/json makes of the record, whatever its texts hold.
func FuzzAppendLine(f *testing.F) {
	f.Add("plain", int64(0), uint8(0))
	f.Add("a \"quote\", a \\ and <&>\u2028\x00\x7f\xff é \U0001f600", int64(-1), uint8(2))
	f.Fuzz(func(t *testing.T, text string, n int64, steps uint8) {
		r := &Record{
			Time: time.Unix(n%1e10, n%1e9).UTC(), RequestID: text, Client: text, UserAgent: text, Service: text, Operation: text, Caller: text,
			AccessKeyID: text, Pool: text, Identity: text, Role: text, Minted: text, Outcome: text, Message: text, Cause: text, Micros: n, HeldMicros: n,
		}
		for i := range steps % 4 {
			r.Add(Step{Name: text, OK: i%2 == 0, Subject: text, Expected: text, Found: text})
		}
		if year := r.Time.Year(); year < 0 || year > 9999 {
			return
		}
		got, err := r.appendLine(nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := asStandard(t, r); string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// FuzzLegible: the quick look at a text finds all that the expression would have found.
func FuzzLegible(f *testing.F) {
	f.Add("arn:aws:iam::111122223333:role/Auth")
	f.Add(strings.Repeat("a", 39) + " " + strings.Repeat("b", 40))
	f.Add(strings.Repeat("a-_", 22))
	f.Add("x \u202e y")
	f.Fuzz(func(t *testing.T, text string) {
		if plain(text) && (secretForm.MatchString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })) {
			t.Errorf("%q is taken for plain", text)
		}
		if got := legible(text); secretForm.MatchString(got) {
			t.Errorf("%q still holds what looks like a secret: %q", text, got)
		}
	})
}

func TestLegible(t *testing.T) {
	secret := strings.Repeat("Ab0+/", 8) // 40 letters
	for text, want := range map[string]string{
		"":                                   "",
		"a trust policy that allows it":      "a trust policy that allows it",
		secret:                               "Ab0+/…",
		"the key '" + secret + "'.":          "the key 'Ab0+…'.",
		secret[1:]:                           secret[1:],
		secret + " " + secret + " " + secret: "Ab0+/… Ab0+… Ab0+…",
		strings.Repeat("a", 64):              strings.Repeat("a", 64),
		"x." + strings.Repeat("a-_b", 17):    "x.a-_ba…",
		"turned \u202e round":                "turned \ufffd round",
		"\x00":                               "\ufffd",
	} {
		if got := legible(text); got != want {
			t.Errorf("legible(%q): got %q, want %q", text, got, want)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	r := full()
	b.ReportAllocs()
	for b.Loop() {
		r.MakeLegible()
		if _, err := r.appendLine(make([]byte, 0, usualLine)); err != nil {
			b.Fatal(err)
		}
	}
}
