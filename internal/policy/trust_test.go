package policy

import "testing"

const assume = "sts:AssumeRole"

// TestTrust asks trust policies alone (spec §1.9).
func TestTrust(t *testing.T) {
	const provider = "arn:aws:iam::111122223333:oidc-provider/idp.example/realm"
	session, web := caller(), Principal{Federated: provider}
	for _, row := range []struct {
		name      string
		statement string
		action    string
		who       Principal
		want      Decision
	}{
		{"everyone never is a federated principal", allow("sts:*", "", `"Principal":"*"`), webIdentity, web, Decision{Kind: KindTrust, Statement: -1}},
		{"AWS everyone neither", allow("sts:*", "", principal("AWS", "*")), webIdentity, web, Decision{Kind: KindTrust, Statement: -1}},
		{"an account neither", allow("sts:*", "", principal("AWS", account)), webIdentity, web, Decision{Kind: KindTrust, Statement: -1}},
		{"provider", allow(webIdentity, "", principal("Federated", provider)), webIdentity, web, Decision{Allowed: true, Kind: KindTrust}},
		{"other provider", allow(webIdentity, "", principal("Federated", provider+"2")), webIdentity, web, Decision{Kind: KindTrust, Statement: -1}},
		{"wildcard of actions", allow("STS:assumerole*", "", principal("Federated", provider)), webIdentity, web, Decision{Allowed: true, Kind: KindTrust}},
		{"other action", allow(assume, "", principal("Federated", provider)), webIdentity, web, Decision{Kind: KindTrust, Statement: -1}},
		{"session", allow(assume, "", principal("AWS", sessionARN)), assume, session, Decision{Allowed: true, Kind: KindTrust}},
		{"role", allow(assume, "", principal("AWS", roleARN)), assume, session, Decision{Allowed: true, Kind: KindTrust}},
		{"account delegates", allow(assume, "", principal("AWS", account)), assume, session, Decision{Allowed: true, Delegated: true, Kind: KindTrust}},
		{"everyone delegates", allow(assume, "", `"Principal":"*"`), assume, session, Decision{Allowed: true, Delegated: true, Kind: KindTrust}},
		{"service", allow(assume, "", principal("Service", "ec2.amazonaws.com")), assume, Principal{Service: "ec2.amazonaws.com"}, Decision{Allowed: true, Kind: KindTrust}},
		{"deny", deny(assume, "", `"Sid":"S"`, `"Principal":"*"`), assume, session, Decision{Explicit: true, Kind: KindTrust, Sid: "S"}},
	} {
		d := mustParse(t, KindTrust, doc(row.statement))
		if got := Trust(d, &Request{Action: row.action, Principal: row.who}); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
	both := mustParse(t, KindTrust, doc(
		allow("sts:*", "", principal("AWS", account)), allow(assume, "", principal("AWS", roleARN)), deny("sts:TagSession", "", `"Principal":"*"`)))
	if got, want := Trust(both, &Request{Action: assume, Principal: session}), (Decision{Allowed: true, Kind: KindTrust, Statement: 1}); got != want {
		t.Errorf("closest name: got %+v, want %+v", got, want)
	}
	if got := Trust(both, &Request{Action: "sts:TagSession", Principal: session}); got.Allowed || !got.Explicit {
		t.Errorf("tags: got %+v, want an explicit deny", got)
	}
}

// TestAssumeRole is the table of spec §1.9: who needs a policy of his own.
func TestAssumeRole(t *testing.T) {
	const target = "arn:aws:iam::111122223333:role/T"
	const elsewhere = "arn:aws:iam::444455556666:role/T"
	permit, forbid := doc(allow(assume, "*")), doc(deny(assume, "*"))
	other := doc(allow(get, "*"))
	byAccount := doc(allow(assume, "", principal("AWS", account)))
	byRole := doc(allow(assume, "", principal("AWS", roleARN)))
	bySession := doc(allow(assume, "", principal("AWS", sessionARN)))
	everyone := doc(allow(assume, "", `"Principal":"*"`))
	stranger := doc(allow(assume, "", principal("AWS", userARN)))
	for _, row := range []struct {
		name, trust, role string
		id, sp, bd        []string
		want              Decision
	}{
		{name: "not trusted", trust: stranger, role: target, id: []string{permit}, want: Decision{Kind: KindTrust, Statement: -1}},
		{name: "account, no policy", trust: byAccount, role: target, want: Decision{Kind: KindIdentity, Statement: -1}},
		{name: "account, policy", trust: byAccount, role: target, id: []string{permit}, want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p0"}},
		{name: "everyone, no policy", trust: everyone, role: target, want: Decision{Kind: KindIdentity, Statement: -1}},
		{name: "everyone, policy", trust: everyone, role: target, id: []string{permit}, want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p0"}},
		{name: "role, no policy", trust: byRole, role: target, want: Decision{Allowed: true, Kind: KindTrust}},
		{name: "role, session policy", trust: byRole, role: target, sp: []string{other}, want: Decision{Kind: KindSession, Statement: -1}},
		{name: "role, boundary", trust: byRole, role: target, bd: []string{other}, want: Decision{Kind: KindBoundary, Statement: -1}},
		{name: "session, no policy", trust: bySession, role: target, sp: []string{other}, bd: []string{other}, want: Decision{Allowed: true, Kind: KindTrust}},
		{name: "session, explicit deny", trust: bySession, role: target, id: []string{forbid}, want: Decision{Explicit: true, Kind: KindIdentity, Policy: "p0"}},
		{name: "session, explicit deny of the session policy", trust: bySession, role: target, sp: []string{forbid}, want: Decision{Explicit: true, Kind: KindSession, Policy: "p0"}},
		{name: "other account, no policy", trust: bySession, role: elsewhere, want: Decision{Kind: KindIdentity, Statement: -1}},
		{name: "other account, policy", trust: bySession, role: elsewhere, id: []string{permit}, want: Decision{Allowed: true, Kind: KindIdentity, Policy: "p0"}},
		{name: "other account, limited", trust: bySession, role: elsewhere, id: []string{permit}, sp: []string{other}, want: Decision{Kind: KindSession, Statement: -1}},
		{name: "other account, role", trust: byRole, role: elsewhere, want: Decision{Kind: KindIdentity, Statement: -1}},
		{name: "no role", trust: bySession, role: "", want: Decision{Kind: KindIdentity, Statement: -1}},
	} {
		p := &Policies{Identity: set(t, KindIdentity, row.id), Session: set(t, KindSession, row.sp), Boundary: set(t, KindBoundary, row.bd)}
		got := p.AssumeRole(mustParse(t, KindTrust, row.trust), &Request{Action: assume, Resource: row.role, Principal: caller()})
		if got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
}

// TestPins finds trust policies that any user of a shared issuer could use (threat E5).
func TestPins(t *testing.T) {
	const aud = cognito + ":aud"
	fed := principal("Federated", cognito)
	pool := cond("StringEquals", aud, "pool1")
	for _, row := range []struct {
		name       string
		statements []string
		want       string
		all, trust bool
	}{
		{"bound", []string{allow(webIdentity, "", fed, pool)}, `["pool1"]`, true, true},
		{"bound to two", []string{allow(webIdentity, "", fed, cond("StringEquals", "Cognito-Identity.amazonaws.com:AUD", "pool2", "pool1"))}, `["pool1","pool2"]`, true, true},
		{"bound by a list", []string{allow(webIdentity, "", fed, cond("ForAnyValue:StringEquals", aud, "pool1"))}, `["pool1"]`, true, true},
		{"bound by a plain pattern", []string{allow(webIdentity, "", fed, cond("StringLike", aud, "pool1"))}, `["pool1"]`, true, true},
		{"free", []string{allow(webIdentity, "", fed)}, `null`, false, true},
		{"free by wildcard action", []string{allow("sts:AssumeRole*", "", fed)}, `null`, false, true},
		{"second statement free", []string{allow(webIdentity, "", fed, pool), allow("sts:*", "", fed)}, `["pool1"]`, false, true},
		{"second statement for another action", []string{allow(webIdentity, "", fed, pool), allow("sts:TagSession", "", fed)}, `["pool1"]`, true, true},
		{"wildcard", []string{allow(webIdentity, "", fed, cond("StringLike", aud, "pool*"))}, `null`, false, true},
		{"one wildcard of two", []string{allow(webIdentity, "", fed, cond("StringLike", aud, "pool1", "*"))}, `null`, false, true},
		{"variable", []string{allow(webIdentity, "", fed, cond("StringEquals", aud, "${"+aud+"}"))}, `null`, false, true},
		{"IfExists", []string{allow(webIdentity, "", fed, cond("StringEqualsIfExists", aud, "pool1"))}, `null`, false, true},
		{"ForAllValues", []string{allow(webIdentity, "", fed, cond("ForAllValues:StringEquals", aud, "pool1"))}, `null`, false, true},
		{"negated", []string{allow(webIdentity, "", fed, cond("StringNotEquals", aud, "pool1"))}, `null`, false, true},
		{"case ignored", []string{allow(webIdentity, "", fed, cond("StringEqualsIgnoreCase", aud, "pool1"))}, `null`, false, true},
		{"other key", []string{allow(webIdentity, "", fed, cond("StringEquals", cognito+":sub", "x"))}, `null`, false, true},
		{"other provider", []string{allow(webIdentity, "", principal("Federated", "accounts.google.com"))}, `null`, true, false},
		{"Deny needs none", []string{allow(webIdentity, "", fed, pool), deny(webIdentity, "", fed)}, `["pool1"]`, true, true},
	} {
		d := mustParse(t, KindTrust, doc(row.statements...))
		values, all := d.Pins(cognito, aud)
		if quote(values) != row.want || all != row.all {
			t.Errorf("%s: got %s, %v, want %s, %v", row.name, quote(values), all, row.want, row.all)
		}
		if got := d.FederatedWithout(cognito, aud); got == row.all {
			t.Errorf("%s: FederatedWithout got %v, want %v", row.name, got, !row.all)
		}
		if got := d.TrustsFederated(cognito); got != row.trust {
			t.Errorf("%s: TrustsFederated got %v, want %v", row.name, got, row.trust)
		}
	}
}
