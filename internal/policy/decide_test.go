package policy

import (
	"strings"
	"testing"
)

// TestDecide holds the algorithm of spec §2.6 beyond the vectors: which policy is named, and what limits what.
func TestDecide(t *testing.T) {
	const object = b + "/x"
	everything := doc(allow("*", "*"))
	nothing := doc(allow("iam:GetRole", "*"))
	denyGet := doc(deny(get, "*", `"Sid":"No"`))
	forRole := doc(allow(get, b+"/*", principal("AWS", roleARN)))
	forSession := doc(allow(get, b+"/*", principal("AWS", sessionARN)))
	forAccount := doc(allow(get, b+"/*", principal("AWS", account)))
	forAll := doc(allow(get, b+"/*", `"Principal":"*"`))
	implicit := func(k Kind) Decision { return Decision{Kind: k, Statement: -1} }
	for _, row := range []struct {
		name               string
		id, sp, bd, sd, rp []string
		want               Decision
	}{
		{name: "nothing", want: implicit(KindIdentity)},
		{name: "first policy that allows", id: []string{nothing, doc(deny(put, "*"), allow(get, "*", `"Sid":"Yes"`)), everything},
			want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p1", Statement: 1, Sid: "Yes"}},
		{name: "a later Deny", id: []string{everything, denyGet}, want: Decision{Explicit: true, Kind: KindIdentity, Policy: "p1", Sid: "No"}},
		{name: "Deny in the boundary", id: []string{everything}, bd: []string{everything, denyGet},
			want: Decision{Explicit: true, Kind: KindBoundary, Policy: "p1", Sid: "No"}},
		{name: "Deny in a session policy", id: []string{everything}, sp: []string{denyGet},
			want: Decision{Explicit: true, Kind: KindSession, Policy: "p0", Sid: "No"}},
		{name: "Deny in the scope-down", id: []string{everything}, sd: []string{denyGet},
			want: Decision{Explicit: true, Kind: KindScopeDown, Policy: "p0", Sid: "No"}},
		{name: "Deny in the resource policy", id: []string{everything}, rp: []string{doc(deny(get, "*", `"Principal":"*"`))},
			want: Decision{Explicit: true, Kind: KindResource, Policy: "p0"}},
		{name: "no boundary allows", id: []string{everything}, bd: []string{nothing}, want: implicit(KindBoundary)},
		{name: "no session policy allows", id: []string{everything}, sp: []string{nothing}, want: implicit(KindSession)},
		{name: "the scope-down does not allow", id: []string{everything}, sd: []string{nothing}, want: implicit(KindScopeDown)},
		{name: "session policies cannot add", id: []string{nothing}, sp: []string{everything}, want: implicit(KindIdentity)},
		{name: "a boundary cannot add", bd: []string{everything}, want: implicit(KindIdentity)},
		{name: "a scope-down cannot add", sd: []string{everything}, want: implicit(KindIdentity)},
		{name: "empty list of session policies", id: []string{everything}, sp: []string{}, want: implicit(KindSession)},
		{name: "empty list of boundaries", id: []string{everything}, bd: []string{}, want: implicit(KindBoundary)},
		{name: "empty scope-down", id: []string{everything}, sd: []string{}, want: implicit(KindScopeDown)},
		{name: "empty list of identity policies", id: []string{}, want: implicit(KindIdentity)},
		{name: "empty list of resource policies", id: []string{everything}, rp: []string{}, want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p0"}},
		{name: "role named by the resource, bounded", rp: []string{forRole}, bd: []string{nothing}, want: implicit(KindBoundary)},
		{name: "session named by the resource, bounded", rp: []string{forSession}, bd: []string{nothing}, sp: []string{},
			want: Decision{Allowed: true, Kind: KindResource, Policy: "p0"}},
		{name: "session named by the resource, scoped down", rp: []string{forSession}, sd: []string{nothing}, want: implicit(KindScopeDown)},
		{name: "closest name counts", rp: []string{forAll, forRole, forSession}, sp: []string{nothing},
			want: Decision{Allowed: true, Kind: KindResource, Policy: "p2"}},
		{name: "account named by the resource", rp: []string{forAccount}, want: Decision{Allowed: true, Kind: KindResource, Policy: "p0"}},
		{name: "everyone named by the resource", rp: []string{forAll}, sp: []string{everything}, bd: []string{everything},
			want: Decision{Allowed: true, Kind: KindResource, Policy: "p0"}},
		{name: "everyone named by the resource, session", rp: []string{forAll}, sp: []string{nothing}, want: implicit(KindSession)},
		{name: "all kinds allow", id: []string{everything}, sp: []string{everything}, bd: []string{everything}, sd: []string{nothing, everything}, rp: []string{forAll},
			want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p0"}},
	} {
		p := &Policies{
			Identity: set(t, KindIdentity, row.id), Session: set(t, KindSession, row.sp), Boundary: set(t, KindBoundary, row.bd),
			ScopeDown: set(t, KindScopeDown, row.sd), Resource: set(t, KindResource, row.rp),
		}
		got := p.Decide(&Request{Action: get, Resource: object, Principal: caller()})
		if got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
}

// TestUnfitDocument: a document that is missing, or is of a kind that has other elements, must not be passed over, since
// it might have denied. A trust policy has no resources, so it would even match every one.
func TestUnfitDocument(t *testing.T) {
	everything := mustParse(t, KindIdentity, doc(allow("*", "*")))
	trust := mustParse(t, KindTrust, doc(allow("sts:*", "", `"Principal":"*"`)))
	onBucket := mustParse(t, KindResource, doc(allow("*", "*", `"Principal":"*"`)))
	good := []Named{{"good", everything}}
	r := &Request{Action: "sts:AssumeRole", Resource: roleARN, Principal: caller()}
	for name, p := range map[string]*Policies{
		"nil identity":        {Identity: []Named{{"good", everything}, {"bad", nil}}},
		"nil session":         {Identity: good, Session: []Named{{"bad", nil}}},
		"nil boundary":        {Identity: good, Boundary: []Named{{"good", everything}, {"bad", nil}}},
		"nil scope-down":      {Identity: good, ScopeDown: []Named{{"bad", nil}}},
		"nil resource":        {Identity: good, Resource: []Named{{"bad", nil}}},
		"trust as identity":   {Identity: []Named{{"bad", trust}}},
		"trust as resource":   {Identity: good, Resource: []Named{{"bad", trust}}},
		"resource as session": {Identity: good, Session: []Named{{"bad", onBucket}}},
		"identity as bucket":  {Resource: []Named{{"bad", everything}}},
	} {
		got := p.Decide(r)
		if got.Allowed || !got.Explicit || got.Policy != "bad" || got.Statement != -1 {
			t.Errorf("%s: got %+v, want an explicit deny by bad", name, got)
		}
		steps := p.Explain(r)
		if last := steps[len(steps)-1]; !strings.Contains(last.String(), "cannot be used") && !strings.Contains(steps[0].String(), "cannot be used") {
			t.Errorf("%s: got no step of the unfit document in %v", name, steps)
		}
	}
	for name, d := range map[string]*Document{"nil": nil, "identity": everything, "resource": onBucket} {
		if got := Trust(d, r); got.Allowed {
			t.Errorf("trust policy %s: got %+v, want a refusal", name, got)
		}
		if got := (&Policies{Identity: good}).AssumeRole(d, r); got.Allowed {
			t.Errorf("trust policy %s: AssumeRole got %+v, want a refusal", name, got)
		}
	}
	managed := &Policies{Identity: good, Session: good, Boundary: good, ScopeDown: good}
	if got := managed.Decide(r); !got.Allowed {
		t.Errorf("one managed policy in all places: got %+v, want allowed", got)
	}
}

// TestFederatedUser: a session of GetFederationToken without session policies may do nothing (spec §2.6).
func TestFederatedUser(t *testing.T) {
	const arn = "arn:aws:sts::111122223333:federated-user/Bob"
	everything := []Named{{"all", mustParse(t, KindIdentity, doc(allow("*", "*")))}}
	named := []Named{{"bucket", mustParse(t, KindResource, doc(allow(get, b+"/*", principal("AWS", arn))))}}
	r := &Request{Action: get, Resource: b + "/x", Principal: Principal{AWS: []string{arn}, Account: account, UserID: account + ":Bob"}}
	for _, row := range []struct {
		name string
		p    Policies
		want Decision
	}{
		{"no session policy", Policies{Identity: everything}, Decision{Kind: KindSession, Statement: -1}},
		{"session policy", Policies{Identity: everything, Session: everything}, Decision{Allowed: true, Kind: KindIdentity, Policy: "all"}},
		{"named by the bucket", Policies{Resource: named}, Decision{Allowed: true, Kind: KindResource, Policy: "bucket"}},
	} {
		if got := row.p.Decide(r); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
}

// TestPrincipals asks a bucket's policy for different callers.
func TestPrincipals(t *testing.T) {
	session, anonymous := caller(), Principal{}
	user := Principal{AWS: []string{userARN}, Account: account, UserID: "AIDAABCDEFGHIJKLMNOPQ"}
	web := Principal{Federated: cognito}
	service := Principal{Service: "ec2.amazonaws.com"}
	canonical := Principal{CanonicalUser: strings.Repeat("ab", 32)}
	role := Principal{AWS: []string{sessionARN, roleARN}, Account: account, UserID: "AROAABCDEFGHIJKLMNOPQ:s"}
	for _, row := range []struct {
		principal string
		who       Principal
		want      bool
	}{
		{`"*"`, session, true}, {`"*"`, anonymous, true}, {`"*"`, web, false}, {`"*"`, service, false},
		{`{"AWS":"*"}`, user, true}, {`{"AWS":"*"}`, anonymous, true}, {`{"AWS":"*"}`, web, false},
		{`{"AWS":"111122223333"}`, session, true}, {`{"AWS":"111122223333"}`, anonymous, false},
		{`{"AWS":"arn:aws:iam::111122223333:root"}`, user, true}, {`{"AWS":"111122223334"}`, user, false},
		{`{"AWS":"arn:aws-cn:iam::111122223333:root"}`, user, false},
		{`{"AWS":"` + userARN + `"}`, user, true}, {`{"AWS":"` + userARN + `x"}`, user, false},
		{`{"AWS":"` + strings.ToUpper(userARN[:3]) + userARN[3:] + `"}`, user, false},
		{`{"AWS":"` + roleARN + `"}`, session, true}, {`{"AWS":"` + sessionARN + `"}`, session, true},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/R/other"}`, session, false},
		{`{"AWS":["` + userARN + `","` + roleARN + `"]}`, session, true},
		{`{"AWS":"AIDAABCDEFGHIJKLMNOPQ"}`, user, true}, {`{"AWS":"AIDAABCDEFGHIJKLMNOPX"}`, user, false},
		{`{"AWS":"AROAABCDEFGHIJKLMNOPQ"}`, role, true}, {`{"AWS":"AROAABCDEFGHIJKLMNOPQ"}`, anonymous, false},
		{`{"Federated":"` + cognito + `"}`, web, true}, {`{"Federated":"` + cognito + `x"}`, web, false},
		{`{"Federated":"` + cognito + `"}`, anonymous, false},
		{`{"Service":"ec2.amazonaws.com"}`, service, true}, {`{"Service":"lambda.amazonaws.com"}`, service, false},
		{`{"CanonicalUser":"` + strings.Repeat("ab", 32) + `"}`, canonical, true},
		{`{"CanonicalUser":"` + strings.Repeat("ab", 32) + `"}`, anonymous, false},
		{`{"Service":"ec2.amazonaws.com","Federated":"` + cognito + `"}`, web, true},
	} {
		text := doc(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":` + row.principal + `}`)
		d, err := Parse(KindResource, []byte(text))
		if err != nil {
			if row.want {
				t.Errorf("%s: %v", row.principal, err)
			}
			continue
		}
		p := &Policies{Resource: []Named{{"p", d}}}
		if got := p.Decide(&Request{Action: get, Resource: b, Principal: row.who}).Allowed; got != row.want {
			t.Errorf("%s for %+v: got %v, want %v", row.principal, row.who, got, row.want)
		}
	}
}

// TestProviderIsNotTheCaller: a bucket that names an identity provider, service or role does not lift the session's limits.
func TestProviderIsNotTheCaller(t *testing.T) {
	limits := []Named{{"other", mustParse(t, KindIdentity, doc(allow(put, "*")))}}
	for _, row := range []struct {
		principal string
		who       Principal
	}{
		{principal("Federated", cognito), Principal{Federated: cognito}},
		{principal("Service", "ec2.amazonaws.com"), Principal{Service: "ec2.amazonaws.com"}},
		{principal("CanonicalUser", "abc"), Principal{CanonicalUser: "abc"}},
		{principal("AWS", "AROAABCDEFGHIJKLMNOPQ"), Principal{UserID: "AROAABCDEFGHIJKLMNOPQ:s"}},
	} {
		p := &Policies{Resource: []Named{{"b", mustParse(t, KindResource, doc(allow(get, "*", row.principal)))}}}
		r := &Request{Action: get, Resource: b, Principal: row.who}
		if got := p.Decide(r); !got.Allowed || got.Kind != KindResource {
			t.Errorf("%s: got %+v, want allowed by the bucket", row.principal, got)
		}
		p.Session = limits
		if got, want := p.Decide(r), (Decision{Kind: KindSession, Statement: -1}); got != want {
			t.Errorf("%s: got %+v, want %+v", row.principal, got, want)
		}
	}
}

// TestNotPrincipal denies all but those named.
func TestNotPrincipal(t *testing.T) {
	everything := []Named{{"all", mustParse(t, KindIdentity, doc(allow("*", "*")))}}
	text := doc(deny("*", "*", `"NotPrincipal":{"AWS":["`+roleARN+`","`+userARN+`"]}`))
	p := &Policies{Identity: everything, Resource: []Named{{"p", mustParse(t, KindResource, text)}}}
	for _, row := range []struct {
		arn  string
		want bool
	}{{roleARN, true}, {userARN, true}, {roleARN + "x", false}, {"", false}} {
		got := p.Decide(&Request{Action: get, Resource: b, Principal: Principal{AWS: []string{row.arn}, Account: account}})
		if got.Allowed != row.want || got.Explicit == row.want {
			t.Errorf("%q: got %+v, want allowed %v", row.arn, got, row.want)
		}
	}
}

// TestResources matches resources with patterns (spec §2.2).
func TestResources(t *testing.T) {
	for _, row := range []struct {
		pattern, resource string
		want              bool
	}{
		{"*", "*", true}, {"*", "", true}, {"*", "anything", true}, {"*", b, true},
		{b, b, true}, {b, b + "/x", false}, {b + "*", b + "2", true}, {b + "*", b + "/x", true}, // the documented trap
		{b + "/*", b + "/", true}, {b + "/*", "*", false}, {"arn:*", "*", false}, {"arn:*", "", false},
		{b + "/a?c", b + "/aéc", true}, {b + "/a?c", b + "/ac", false}, {b + "/a?c", b + "/a/c", true},
		{b + "/a?c", b + "/a\xffc", true}, {b + "/a??c", b + "/aéc", false},
		{"arn:aws:s3:*", b, true}, {"arn:aws:s3:*", "arn:aws:s3:r:a:x:y", true}, {"arn:aws:s3:*", "arn:aws:sqs:::b", false},
		{"arn:*", "arn:x:y:z:a:b:c", true}, {"arn:aws:*", b, true}, {"arn:aws*", "arn:aws-cn:s3:::b", true},
		{"arn:*:s3:::b", "arn:aws-cn:s3:::b", true}, {"arn:aws-cn:s3:::b", b, false},
		{"arn:aws:sqs:us-*:1:q", "arn:aws:sqs:us-east-1:1:q", true}, {"arn:aws:sqs:us-*:1:q", "arn:aws:sqs:us-east-1:2:q", false},
		{"arn:aws:sqs:*:q", "arn:aws:sqs:r:a:q", false}, // five parts and no * at the end: refused below
		{"arn:aws:sqs:*:*:q", "arn:aws:sqs:r:a:q", true}, {"arn:aws:sqs:*:*:q", "arn:aws:sqs:r:a:b:q", false},
		{"arn:aws:sqs:*:*:q", "arn:aws:sqs:r:q", false}, {"arn:aws:sqs:*", "arn:aws:sqs:r:q", false},
		{"arn:aws:dynamodb:r:1:table/*:x", "arn:aws:dynamodb:r:1:table/a:b:x", true},
		{b + "/**", b + "/x", true}, {b + "/*/*", b + "/x", false}, {b + "/a*b*c", b + "/abbcbc", true},
	} {
		d, err := Parse(KindIdentity, []byte(doc(allow(get, row.pattern))))
		if err != nil {
			if row.want {
				t.Errorf("%s: %v", row.pattern, err)
			}
			continue
		}
		if got := decideOne(d, &Request{Action: get, Resource: row.resource}).Allowed; got != row.want {
			t.Errorf("%s on %q: got %v, want %v", row.pattern, row.resource, got, row.want)
		}
		not := mustParse(t, KindIdentity, doc(allow(get, "!"+row.pattern)))
		if got := decideOne(not, &Request{Action: get, Resource: row.resource}).Allowed; got == row.want {
			t.Errorf("NotResource %s on %q: got %v, want %v", row.pattern, row.resource, got, !row.want)
		}
	}
}

// TestUnresolvedVariable: without a value a pattern matches nothing, so that NotResource excludes nothing (spec §2.4).
func TestUnresolvedVariable(t *testing.T) {
	const pattern = b + "/${a:v}*"
	ctx := &Context{}
	for _, row := range []struct {
		name string
		set  func()
	}{
		{"absent", func() {}},
		{"no value", func() { ctx.Set("a:v") }},
		{"empty", func() { ctx.Set("a:v", "") }},
		{"list", func() { ctx.SetList("a:v", "x") }},
		{"two", func() { ctx.Set("a:v", "x", "x") }},
		{"not UTF-8", func() { ctx.Set("a:v", "x\xc3") }},
	} {
		row.set()
		for _, resource := range []string{b + "/", b + "/x", b + "/xy", b + "/*", b + "/${a:v}", b + "/x\xc3\xa9"} {
			r := &Request{Action: get, Resource: resource, Context: ctx}
			if decideOne(mustParse(t, KindIdentity, doc(allow(get, pattern))), r).Allowed {
				t.Errorf("%s: Resource matches %q", row.name, resource)
			}
			if !decideOne(mustParse(t, KindIdentity, doc(allow(get, "!"+pattern))), r).Allowed {
				t.Errorf("%s: NotResource excludes %q", row.name, resource)
			}
		}
	}
}

// TestBecause has AWS's words.
func TestBecause(t *testing.T) {
	for _, row := range []struct {
		d    Decision
		want string
	}{
		{Decision{Allowed: true}, ""},
		{Decision{Kind: KindIdentity}, "because no identity-based policy allows the s3:GetObject action"},
		{Decision{Kind: KindSession}, "because no session policy allows the s3:GetObject action"},
		{Decision{Kind: KindScopeDown}, "because no session policy allows the s3:GetObject action"},
		{Decision{Kind: KindBoundary}, "because no permissions boundary allows the s3:GetObject action"},
		{Decision{Kind: KindResource}, "because no resource-based policy allows the s3:GetObject action"},
		{Decision{Kind: KindTrust}, "because no role trust policy allows the s3:GetObject action"},
		{Decision{Explicit: true, Kind: KindIdentity}, "with an explicit deny in an identity-based policy"},
		{Decision{Explicit: true, Kind: KindSession}, "with an explicit deny in a session policy"},
		{Decision{Explicit: true, Kind: KindScopeDown}, "with an explicit deny in a session policy"},
		{Decision{Explicit: true, Kind: KindBoundary}, "with an explicit deny in a permissions boundary"},
		{Decision{Explicit: true, Kind: KindResource}, "with an explicit deny in a resource-based policy"},
		{Decision{Explicit: true, Kind: KindTrust}, "with an explicit deny in the role trust policy"},
	} {
		if got := row.d.Because(get); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}
