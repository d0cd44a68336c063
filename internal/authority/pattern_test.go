package authority

import (
	"strings"
	"testing"
)

func mustPattern(t testing.TB, text string) Pattern {
	t.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		yes, not []string
	}{
		{"arn:aws:iam::123456789012:role/*", []string{"arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:role/a/b"}, []string{
			"", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/a/", "arn:aws:iam::123456789013:role/x", "arn:aws:iam::123456789012:user/x",
			"arn:aws:iam::123456789012:role/x*", "arn:aws:iam::123456789012:role/?", "arn:aws:iam::123456789012:role/a b", "ARN:aws:iam::123456789012:role/x",
			"arn:aws:iam::123456789012:role/é", " arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:role/x\n",
			"arn:aws:iam::123456789012:role/" + strings.Repeat("x", maxARN),
		}},
		{"arn:aws:iam:::role/*", []string{"arn:aws:iam:::role/App"}, []string{"arn:aws:iam::role/App", "arn:aws:iam::tenant:role/App"}},
		{"arn:aws:iam::role/*", []string{"arn:aws:iam::role/App"}, []string{"arn:aws:iam:::role/App"}},
		{"arn:minio:iam:::role/*", []string{"arn:minio:iam:::role/h-8_x"}, []string{"arn:aws:iam:::role/h-8_x"}},
		{"arn:aws:iam:::role/team/App", []string{"arn:aws:iam:::role/team/App"}, []string{"arn:aws:iam:::role/team/Apps", "arn:aws:iam:::role/team/app"}},
		{"arn:aws:iam:::role/team-*", []string{"arn:aws:iam:::role/team-x"}, []string{"arn:aws:iam:::role/team"}},
	} {
		p := mustPattern(t, c.pattern)
		for _, role := range c.yes {
			if !p.Match(role) {
				t.Errorf("%s does not match %s", p, role)
			}
		}
		for _, role := range c.not {
			if p.Match(role) {
				t.Errorf("%s matches %q", p, role)
			}
		}
	}
	for _, text := range []string{
		"", "*", "arn:*", "arn:aws:iam:::role/", "arn:aws:iam:::role/*x", "arn:aws:iam:::role/**", "arn:aws:iam::*:role/x", "arn:aws:iam:::role/a?",
		"arn:aws:iam:::user/*", "arn:aws:iam:::role", "aws:iam:::role/x", "arn:aws:iam:::role/a b", "arn:aws:iam:::role/é",
	} {
		if p, err := ParsePattern(text); err == nil {
			t.Errorf("%q is the pattern %v", text, p)
		}
	}
}

func TestPatternsOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"arn:aws:iam:::role/*", "arn:aws:iam:::role/*", true},
		{"arn:aws:iam:::role/*", "arn:aws:iam:::role/x", true},
		{"arn:aws:iam:::role/x*", "arn:aws:iam:::role/x", true},
		{"arn:aws:iam:::role/x*", "arn:aws:iam:::role/xy*", true},
		{"arn:aws:iam:::role/x", "arn:aws:iam:::role/x", true},
		{"arn:aws:iam:::role/x", "arn:aws:iam:::role/y", false},
		{"arn:aws:iam:::role/x*", "arn:aws:iam:::role/y*", false},
		{"arn:aws:iam:::role/*", "arn:aws:iam::role/*", false},
	} {
		a, b := mustPattern(t, c.a), mustPattern(t, c.b)
		if got := a.Overlaps(b); got != c.want || b.Overlaps(a) != got {
			t.Errorf("%s and %s: got %v and %v, want %v", a, b, got, b.Overlaps(a), c.want)
		}
	}
}

// A role belongs to the authority whose pattern it matches, and to no other.
func TestSet(t *testing.T) {
	ceph := &Authority{Name: "ceph", Roles: []Pattern{mustPattern(t, "arn:aws:iam:::role/*")}}
	aws := &Authority{Name: "aws", Roles: []Pattern{mustPattern(t, "arn:aws:iam::1:role/x"), mustPattern(t, "arn:aws:iam::2:role/*")}}
	s := NewSet(ceph, aws)
	for role, want := range map[string]*Authority{
		"arn:aws:iam:::role/x": ceph, "arn:aws:iam::1:role/x": aws, "arn:aws:iam::2:role/y": aws,
		"arn:aws:iam::1:role/y": nil, "arn:aws:iam::111122223333:role/x": nil, "": nil,
	} {
		if got := s.Of(role); got != want {
			t.Errorf("%s: got %v", role, got)
		}
	}
	if NewSet().Of("arn:aws:iam:::role/x") != nil {
		t.Error("an empty set has a role")
	}
}
