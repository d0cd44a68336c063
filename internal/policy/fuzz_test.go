package policy

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"idpool/internal/fault"
)

// fuzzRequests are asked of every document that parses.
func fuzzRequests() []*Request {
	full := context("aws:userid", "AROAX:s", "aws:PrincipalTag/team", "*", "a:k", "x", "aws:SourceIp", "203.0.113.77", "aws:CurrentTime", "2026-11-22")
	full.SetList("aws:TagKeys", "a", "", "*")
	return []*Request{
		{},
		{Action: get, Resource: b + "/x", Principal: caller(), Context: full},
		{Action: webIdentity, Resource: "*", Principal: Principal{Federated: cognito}, Context: full},
		{Action: assume, Resource: roleARN, Principal: Principal{AWS: []string{userARN}, Account: account}},
	}
}

// answers asks all that can be asked of a document.
func answers(d *Document) (all []any) {
	p := &Policies{}
	set := []Named{{"p", d}}
	switch d.Kind() {
	case KindIdentity:
		p.Identity = set
	case KindSession:
		p.Session = set
	case KindBoundary:
		p.Boundary = set
	case KindScopeDown:
		p.ScopeDown = set
	case KindResource:
		p.Resource = set
	}
	for _, r := range fuzzRequests() {
		all = append(all, Trust(d, r), p.Decide(r), p.AssumeRole(d, r))
		for _, s := range append(p.Explain(r), ExplainTrust(d, r)...) {
			all = append(all, s.String())
		}
	}
	values, pinned := d.Pins(cognito, "a:k")
	return append(all, values, pinned, d.ContextKeys(), d.SizeWithoutSpace(), d.Version(), d.Statements())
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors() {
		for _, text := range append(append(append(v.id, v.sp...), v.rp...), v.trust) {
			f.Add(byte(KindIdentity), []byte(text))
			f.Add(byte(KindTrust), []byte(text))
			f.Add(byte(KindResource), []byte(text))
		}
	}
	f.Add(byte(KindScopeDown), []byte(guestScopeDown()[0].Document.Text()))
	f.Add(byte(KindBoundary), []byte(lone(`"Effect":"Deny","NotAction":"s3:${*}","NotResource":"arn:aws:s3:::${a:b, '*'}","Condition":{"Bool":{"a:k":"${a:b}"},"ArnLike":{"a:k":"${a:b}"}}`)))
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		d, err := Parse(Kind(kind%6), text)
		if err != nil {
			if d != nil || !fault.Is(err, fault.MalformedPolicyDocument) {
				t.Fatalf("got %v, %v, want MalformedPolicyDocument and no document", d, err)
			}
			return
		}
		if d.Text() != string(text) {
			t.Fatalf("got text %q, want %q", d.Text(), text)
		}
		again, err := Parse(d.Kind(), []byte(d.Text()))
		if err != nil {
			t.Fatalf("parse again: %v", err)
		}
		if got, want := answers(again), answers(d); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// FuzzGlob holds the matcher against the table of the reference, with the value of one variable.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc", "", byte(0))
	f.Add("*a*a*a*b", "aaaaaaaaaaaaaaab", "", byte(0))
	f.Add("${v}*", "*x", "*", byte(0))
	f.Add("*${v}?*", "日本é\xffk", "本", byte(2))
	f.Add("K*\u212ax", "k\u212aX", "", byte(2))
	f.Add("*ab*bab", "abababab", "", byte(0))
	f.Add("${v, '*'}${*}?", "***", "", byte(0))
	f.Add("*é", "\xc3\xa9\xa9é", "\xc3", byte(0))
	f.Fuzz(func(t *testing.T, text, subject, value string, mode byte) {
		how := comparison(mode % 3)
		if !utf8.ValidString(text) || len(text) > 200 || len(subject) > 200 || len(value) > 200 {
			t.Skip("patterns come from documents, which are UTF-8; the reference is slow")
		}
		if how == lowerCase && strings.ContainsFunc(text+subject+value, func(c rune) bool { return c >= utf8.RuneSelf }) {
			t.Skip("actions are ASCII")
		}
		if how == lowerCase {
			text, value = strings.ToLower(text), strings.ToLower(value)
		}
		p, err := compilePattern(text, true, true)
		if err != nil {
			return
		}
		keys := []refKey{{name: "v", values: []string{value}}}
		symbols, ok := refExpand(text, true, true, keys)
		want := ok && refGlob(symbols, subject, how != exact)
		if got := p.match(how, subject, context("v", value)); got != want {
			t.Fatalf("%q on %q with %q: got %v, want %v", text, subject, value, got, want)
		}
	})
}

// TestWorstPatterns: the time to match grows with the text, not with the number of ways to divide it. Each pattern would
// take a backtracking matcher longer than the universe.
func TestWorstPatterns(t *testing.T) {
	const size = 1 << 14
	subject := strings.Repeat("a", size)
	for _, text := range []string{
		strings.Repeat("*a", 500) + "*b", strings.Repeat("a*", 500) + "b", strings.Repeat("*", 1000) + "b",
		strings.Repeat("*a", 20) + "*" + strings.Repeat("a", 1000) + "b", // a long stretch that almost matches
		strings.Repeat("*?", 500) + "b", strings.Repeat("*a?", 300) + "*b", strings.Repeat("*${v}", 300) + "*b",
		strings.Repeat("*aab", 100), strings.Repeat("*ab", 300) + "*",
	} {
		p, err := compilePattern(text, true, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []comparison{exact, lowerCase, foldCase} {
			begin := time.Now()
			if p.match(how, subject, context("v", "aa")) {
				t.Errorf("%.20q matches", text)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%.20q: took %v", text, took)
			}
		}
	}
}
