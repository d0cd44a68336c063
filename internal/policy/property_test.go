package policy

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// hostile draws what a claim, a tag or a session name may hold.
func hostile(t *rapid.T, label string) string {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"*", "?", "$", "{", "}", "${", "${*}", "${a:v}", "/", "..", "/../", ":", "'", ",", "\\", "\x00", "\n", "\u202e", "日", "é", "e\u0301", "\ufeff", "\xff", "\xc3"}),
		rapid.StringN(0, 4, -1),
	)
	return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, label), "")
}

// around draws literal text of a pattern: nothing in it is special.
func around(t *rapid.T, label string) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ab/:.-é")), 0, 4, -1).Draw(t, label)
}

// mayStand says whether a value can stand in for a variable.
func mayStand(v string) bool { return v != "" && utf8.ValidString(v) }

// TestSubstitutedValueIsLiteral: with literal text on both sides of a variable, exactly one resource matches: the one that
// has the value there, character for character (threat E9, requirement 29).
func TestSubstitutedValueIsLiteral(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before, after, value, other := around(rt, "before"), around(rt, "after"), hostile(rt, "value"), hostile(rt, "other")
		p := mustParse(t, KindIdentity, doc(allow(get, b+"/"+before+"${aws:PrincipalTag/v}"+after)))
		ctx := context("aws:PrincipalTag/v", value)
		for _, tail := range []string{before + value + after, before + other + after, before + after, other, before + "${aws:PrincipalTag/v}" + after} {
			got := decideOne(p, &Request{Action: get, Resource: b + "/" + tail, Context: ctx}).Allowed
			if want := mayStand(value) && tail == before+value+after; got != want {
				rt.Fatalf("value %q on %q: got %v, want %v", value, tail, got, want)
			}
		}
	})
}

// TestSubstitutedValueBeforeWildcard: what ${v}/* matches begins with the value and a slash, whatever the value is.
func TestSubstitutedValueBeforeWildcard(t *testing.T) {
	p := mustParse(t, KindIdentity, doc(allow(get, b+"/home/${aws:userid}/*")))
	rapid.Check(t, func(rt *rapid.T) {
		value, tail := hostile(rt, "value"), hostile(rt, "tail")
		ctx := context("aws:userid", value)
		for _, resource := range []string{b + "/home/" + tail, b + "/home/" + value + "/" + tail, b + "/home//" + tail, b + "/" + tail, tail} {
			got := decideOne(p, &Request{Action: get, Resource: resource, Context: ctx}).Allowed
			if want := mayStand(value) && strings.HasPrefix(resource, b+"/home/"+value+"/"); got != want {
				rt.Fatalf("value %q on %q: got %v, want %v", value, resource, got, want)
			}
		}
	})
}

// TestSubstitutedValueInConditions: the same for the operators that know variables.
func TestSubstitutedValueInConditions(t *testing.T) {
	operators := map[string]func(value, key string) bool{
		"StringEquals":           func(v, k string) bool { return v == k },
		"StringLike":             func(v, k string) bool { return v == k },
		"StringEqualsIgnoreCase": func(v, k string) bool { return strings.EqualFold(v, k) },
		"ArnLike":                func(v, k string) bool { return v == k && strings.Count(k, ":") >= 5 },
	}
	for operator, match := range operators {
		p := mustParse(t, KindIdentity, doc(allow("*", "*", cond(operator, "a:k", "${a:v}"))))
		not := mustParse(t, KindIdentity, doc(allow("*", "*", cond(strings.NewReplacer("String", "StringNot", "Arn", "ArnNot").Replace(operator), "a:k", "${a:v}"))))
		rapid.Check(t, func(rt *rapid.T) {
			value := hostile(rt, "value")
			key := rapid.SampledFrom([]string{value, hostile(rt, "key"), "arn:aws:s3:::" + value}).Draw(rt, "which")
			r := &Request{Action: get, Resource: b, Context: context("a:v", value, "a:k", key)}
			want := mayStand(value) && utf8.ValidString(key) && match(value, key)
			if got := decideOne(p, r).Allowed; got != want {
				rt.Fatalf("%s value %q key %q: got %v, want %v", operator, value, key, got, want)
			}
			if got := decideOne(not, r).Allowed; got == want {
				rt.Fatalf("%s negated, value %q key %q: got %v, want %v", operator, value, key, got, !want)
			}
		})
	}
}

// TestKeysNeverPatterns: a condition's key that a caller can write is compared, and nothing in it is a wildcard.
func TestKeysNeverPatterns(t *testing.T) {
	p := mustParse(t, KindIdentity, doc(allow("*", "*", cond("StringLike", "a:k", "red/*"))))
	rapid.Check(t, func(rt *rapid.T) {
		key := hostile(rt, "key")
		got := decideOne(p, &Request{Action: get, Resource: b, Context: context("a:k", key)}).Allowed
		if want := strings.HasPrefix(key, "red/"); got != want {
			rt.Fatalf("key %q: got %v, want %v", key, got, want)
		}
	})
}

// TestResourceNeverAPattern: a request for a resource that looks like a wildcard reaches nothing more than its own name.
func TestResourceNeverAPattern(t *testing.T) {
	p := mustParse(t, KindIdentity, doc(allow(get, b+"/a,"+b+"/b/*")))
	rapid.Check(t, func(rt *rapid.T) {
		tail := hostile(rt, "tail")
		got := decideOne(p, &Request{Action: get, Resource: b + "/" + tail}).Allowed
		if want := tail == "a" || strings.HasPrefix(tail, "b/"); got != want {
			rt.Fatalf("tail %q: got %v, want %v", tail, got, want)
		}
	})
}

// TestIntersection: adding a session policy, a boundary or a scope-down, or a Deny anywhere, never allows more (requirement
// 29), except that a resource may name the session itself, which the draw leaves out.
func TestIntersection(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		patterns := rapid.SampledFrom([]string{"*", b, b + "/*", b + "/x", b + "/${aws:PrincipalTag/v}*"})
		actions := rapid.SampledFrom([]string{"*", "s3:*", get, "s3:Get*", put, "!" + get})
		effect := rapid.SampledFrom([]string{"Allow", "Deny"})
		draw := func(label string) []Named {
			text := doc(stmt(effect.Draw(rt, label), actions.Draw(rt, label), patterns.Draw(rt, label)), stmt("Allow", actions.Draw(rt, label), patterns.Draw(rt, label)))
			return []Named{{label, mustParse(t, KindIdentity, text)}}
		}
		r := &Request{Action: rapid.SampledFrom([]string{get, put, "iam:GetRole"}).Draw(rt, "action"), Resource: b + "/" + hostile(rt, "tail"),
			Principal: caller(), Context: context("aws:PrincipalTag/v", hostile(rt, "v"))}
		base := Policies{Identity: draw("identity")}
		wide := base.Decide(r).Allowed
		for name, p := range map[string]Policies{
			"session":    {Identity: base.Identity, Session: draw("session")},
			"boundary":   {Identity: base.Identity, Boundary: draw("boundary")},
			"scope-down": {Identity: base.Identity, ScopeDown: draw("scope")},
			"none left":  {Identity: base.Identity, Session: []Named{}},
		} {
			if p.Decide(r).Allowed && !wide {
				rt.Fatalf("%s allows what identity policies do not", name)
			}
		}
	})
}
