package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"idpool/internal/fault"
)

const (
	account    = "111122223333"
	roleARN    = "arn:aws:iam::111122223333:role/R"
	sessionARN = "arn:aws:sts::111122223333:assumed-role/R/s"
	userARN    = "arn:aws:iam::111122223333:user/U"
	bucket     = "arn:aws:s3:::b"
)

// caller is the session of the vectors.
func caller() Principal {
	return Principal{AWS: []string{sessionARN, roleARN}, Account: account, UserID: "AROAX:s"}
}

// quote writes a value as JSON in ASCII.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out strings.Builder
	for _, c := range string(b) {
		if c < utf8.RuneSelf {
			out.WriteRune(c)
			continue
		}
		for _, u := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&out, `\u%04x`, u)
		}
	}
	return out.String()
}

// stmt writes a statement. Each extra is a member such as `"Condition":{…}`; "NotAction" and "NotResource" are written by
// a leading "!".
func stmt(effect, action, resource string, extra ...string) string {
	member := func(name, list string) string {
		list, not := strings.CutPrefix(list, "!")
		if not {
			name = "Not" + name
		}
		return `"` + name + `":` + quote(strings.Split(list, ","))
	}
	parts := []string{`"Effect":"` + effect + `"`}
	if action != "" {
		parts = append(parts, member("Action", action))
	}
	if resource != "" {
		parts = append(parts, member("Resource", resource))
	}
	return "{" + strings.Join(append(parts, extra...), ",") + "}"
}

func allow(action, resource string, extra ...string) string {
	return stmt("Allow", action, resource, extra...)
}

func deny(action, resource string, extra ...string) string {
	return stmt("Deny", action, resource, extra...)
}

// cond writes a Condition element of one operator and key.
func cond(operator, key string, values ...string) string {
	return `"Condition":` + quote(map[string]any{operator: map[string]any{key: values}})
}

func principal(kind, name string) string { return `"Principal":{"` + kind + `":"` + name + `"}` }

// doc writes a document of statements.
func doc(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func mustParse(t testing.TB, kind Kind, text string) *Document {
	t.Helper()
	d, err := Parse(kind, []byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v\n%s", kind, err, text)
	}
	return d
}

// set parses documents into a slice named p0, p1, …; nil stays nil.
func set(t testing.TB, kind Kind, texts []string) []Named {
	t.Helper()
	if texts == nil {
		return nil
	}
	all := []Named{}
	for i, text := range texts {
		all = append(all, Named{Name: "p" + string(rune('0'+i)), Document: mustParse(t, kind, text)})
	}
	return all
}

// context builds a context of pairs of key and value.
func context(pairs ...string) *Context {
	c := &Context{}
	for i := 0; i < len(pairs); i += 2 {
		c.Set(pairs[i], pairs[i+1])
	}
	return c
}

// listContext is a context of one list.
func listContext(key string, values ...string) *Context {
	c := &Context{}
	c.SetList(key, values...)
	return c
}

// wantMalformed fails unless err is a malformed document with the sentence.
func wantMalformed(t testing.TB, err error, sentence string) {
	t.Helper()
	if !fault.Is(err, fault.MalformedPolicyDocument) {
		t.Errorf("got error %v, want MalformedPolicyDocument", err)
		return
	}
	if got := fault.From(err).Message; got != sentence {
		t.Errorf("got sentence %q, want %q", got, sentence)
	}
	if fault.From(err).Cause == nil {
		t.Error("got no cause")
	}
}
