package cognito_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/pool"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// The tests of this file are the rows of security E, by their names there: which role, and what it can do.

// setRoles replaces the roles and mappings of the world's pool.
func (w *world) setRoles(roles, mappings any) {
	w.t.Helper()
	w.ok("SetIdentityPoolRoles", object{"IdentityPoolId": w.pool, "Roles": roles, "RoleMappings": mappings})
}

func (w *world) defaultRoles() object {
	return object{"authenticated": w.Dev.AuthenticatedRoleARN, "unauthenticated": w.Dev.GuestRoleARN}
}

// rules is a mapping of rules, each of four words: claim, match type, value, role ARN.
func rules(ambiguous string, all ...[4]string) object {
	var out []object
	for _, r := range all {
		out = append(out, object{"Claim": r[0], "MatchType": r[1], "Value": r[2], "RoleARN": r[3]})
	}
	return object{"Type": "Rules", "AmbiguousRoleResolution": ambiguous, "RulesConfiguration": object{"Rules": out}}
}

// roleOf returns the name of the role that a call gets, or the code and sentence of its refusal.
func (w *world) roleOf(t *testing.T, in object) string {
	t.Helper()
	out, err := w.as(nil, "GetCredentialsForIdentity", in)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), " (HTTP")
		return text
	}
	who, err := w.WhoAmI(out.signer())
	name, isSession := strings.CutSuffix(strings.TrimPrefix(who, "arn:aws:sts::"+accountID+":assumed-role/"), "/CognitoIdentityCredentials")
	if err != nil || !isSession {
		t.Fatalf("got %s, %v", who, err)
	}
	return name
}

// TestE1: roles in a token count only for providers whose users cannot write them; rules on claims that users may write
// are on record as such.
func TestE1(t *testing.T) {
	w := newWorld(t, options{})
	admin := w.role("admin", trust(w.pool, "authenticated"))
	alice := w.getID(w.idp.login(0, "alice"))
	w.refuse(t, "Token for an OpenID Connect provider", invalid, "Type Token is not supported for the role mapping of "+w.idp.arn(0)+".", ask{op: "SetIdentityPoolRoles", in: object{
		"IdentityPoolId": w.pool, "Roles": w.defaultRoles(), "RoleMappings": object{w.idp.arn(0): object{"Type": "Token", "AmbiguousRoleResolution": "Deny"}},
	}})
	claims := object{"cognito:roles": []string{admin}, "cognito:preferred_role": admin, "custom:role": "admin"}
	in := object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", claims)}}
	if got := w.roleOf(t, in); got != "dev-authenticated" {
		t.Errorf("roles in the token of a provider without a mapping: got %s", got)
	}
	in["CustomRoleArn"] = admin
	if got := w.roleOf(t, in); got != refused+": "+noRole(admin) {
		t.Errorf("a role that the token names: got %s", got)
	}
	for claim, warned := range map[string]bool{"custom:role": true, "email": true, "preferred_username": true, "groups": false, "sub": false, "cognito:groups": false} {
		at := w.journal.len()
		w.setRoles(w.defaultRoles(), object{w.idp.arn(0): rules("Deny", [4]string{claim, "Equals", "admin", admin})})
		found := slices.ContainsFunc(w.journal.since(at)[0].Steps, func(s event.Step) bool {
			return s.Name == "lint" && s.Subject == w.idp.arn(0) && strings.Contains(s.Found, claim)
		})
		if found != warned {
			t.Errorf("%s: warned %v, want %v", claim, found, warned)
		}
	}
}

// TestE2: rules through the wire, with real tokens: four ways to match, the stored order, missing claims, arrays, numbers.
func TestE2(t *testing.T) {
	w := newWorld(t, options{})
	admin, staff := w.role("admin", trust(w.pool, "authenticated")), w.role("staff", trust(w.pool, "authenticated"))
	alice := w.getID(w.idp.login(0, "alice"))
	const none = refused + ": The ambiguous role mapping rules for: %s denied this request."
	rule := func(match, value string) [][4]string { return [][4]string{{"job", match, value, admin}} }
	for _, row := range []struct {
		name   string
		rules  [][4]string
		claims object
		want   string
	}{
		{"equals", rule("Equals", "admin"), object{"job": "admin"}, "admin"},
		{"equals, longer", rule("Equals", "admin"), object{"job": "not-admin"}, none},
		{"equals, another case", rule("Equals", "admin"), object{"job": "Admin"}, none},
		{"equals, a space", rule("Equals", "admin"), object{"job": "admin "}, none},
		{"equals, the claim in another case", rule("Equals", "admin"), object{"Job": "admin"}, none},
		{"equals, a pattern", rule("Equals", "*"), object{"job": "admin"}, none},
		{"equals, a number", rule("Equals", "7"), object{"job": 7}, "admin"},
		{"equals, a boolean", rule("Equals", "true"), object{"job": true}, "admin"},
		{"equals, one in an array", rule("Equals", "admin"), object{"job": []string{"admin"}}, "admin"},
		{"equals, one of an array", rule("Equals", "admin"), object{"job": []string{"admin", "staff"}}, none},
		{"equals, an object", rule("Equals", "admin"), object{"job": object{"admin": "admin"}}, none},
		{"equals, missing", rule("Equals", "admin"), nil, none},
		{"starts with", rule("StartsWith", "adm"), object{"job": "admin"}, "admin"},
		{"starts with, inside", rule("StartsWith", "adm"), object{"job": "not-admin"}, none},
		{"contains", rule("Contains", "adm"), object{"job": "not-admin"}, "admin"},
		{"contains, one of an array", rule("Contains", "admin"), object{"job": []string{"staff", "admin"}}, "admin"},
		{"contains, over two of an array", rule("Contains", "adm,in"), object{"job": []string{"adm", "in"}}, none},
		{"not equal", rule("NotEqual", "intern"), object{"job": "admin"}, "admin"},
		{"not equal, equal", rule("NotEqual", "intern"), object{"job": "intern"}, none},
		{"not equal, missing", rule("NotEqual", "intern"), nil, none},
		{"not equal, null", rule("NotEqual", "intern"), object{"job": rawJSON("null")}, none},
		{"not equal, several", rule("NotEqual", "intern"), object{"job": []string{"admin", "staff"}}, none},
		{"the first that matches", [][4]string{{"job", "Equals", "x", admin}, {"job", "StartsWith", "a", staff}, {"job", "Equals", "admin", admin}}, object{"job": "admin"}, "staff"},
		{"the audience", [][4]string{{"aud", "Equals", "dev-app", admin}}, nil, "admin"},
	} {
		w.setRoles(w.defaultRoles(), object{w.idp.arn(0): rules("Deny", row.rules...)})
		want := row.want
		if want == none {
			want = fmt.Sprintf(none, w.idp.arn(0))
		}
		in := object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", row.claims)}}
		if got := w.roleOf(t, in); got != want {
			t.Errorf("%s: got %s, want %s", row.name, got, want)
		}
	}
	// A mapping of one provider says nothing about another's logins.
	w.setRoles(w.defaultRoles(), object{w.idp.arn(1): rules("Deny", [4]string{"job", "Equals", "admin", admin})})
	if got := w.roleOf(t, object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", object{"job": "admin"})}}); got != "dev-authenticated" {
		t.Errorf("another provider's mapping: got %s", got)
	}
}

// TestE3: CustomRoleArn picks among what the call could have and adds nothing: byte for byte, for guests, defaults, rules
// and roles in a token.
func TestE3(t *testing.T) {
	w := newWorld(t, options{})
	admin, staff := w.role("admin", trust(w.pool, "authenticated")), w.role("staff", trust(w.pool, "authenticated"))
	guest, alice := w.getID(nil), w.getID(w.idp.login(0, "alice"))
	auth, unauth := w.Dev.AuthenticatedRoleARN, w.Dev.GuestRoleARN
	both := map[string]string{"authenticated": auth, "unauthenticated": unauth}
	byRules := &pool.RoleMapping{Type: pool.TypeRules, Ambiguous: pool.AuthenticatedRole, Rules: []pool.Rule{
		{Claim: "job", MatchType: pool.Equals, Value: "admin", RoleARN: admin}, {Claim: "job", MatchType: pool.NotEqual, Value: "intern", RoleARN: staff},
	}}
	byToken := func(ambiguous string) *pool.RoleMapping {
		return &pool.RoleMapping{Type: pool.TypeToken, Ambiguous: ambiguous}
	}
	job := func(v any) object { return object{"job": v} }
	roles := func(preferred any, list ...string) object {
		return object{"cognito:roles": list, "cognito:preferred_role": preferred}
	}
	ambiguous := refused + ": The ambiguous role mapping rules for: " + w.idp.arn(0) + " denied this request."
	no := func(role string) string { return refused + ": " + noRole(role) }
	for _, row := range []struct {
		name    string
		mapping *pool.RoleMapping
		claims  object // nil for a guest
		custom  string
		want    string
	}{
		{"guest", nil, nil, unauth, "dev-guest"},
		{"guest, the others' role", nil, nil, auth, no(auth)},
		{"guest, any role", nil, nil, admin, no(admin)},
		{"guest, beside a mapping", byRules, nil, admin, no(admin)},
		{"default", nil, object{}, auth, "dev-authenticated"},
		{"default, the guests' role", nil, object{}, unauth, no(unauth)},
		{"default, another case", nil, object{}, strings.ToUpper(auth[:3]) + auth[3:], no(strings.ToUpper(auth[:3]) + auth[3:])},
		{"default, a space more", nil, object{}, auth + " ", no(auth + " ")},
		{"rules, none asked for", byRules, job("admin"), "", "admin"},
		{"rules, the first", byRules, job("admin"), admin, "admin"},
		{"rules, a later one that matches", byRules, job("admin"), staff, "staff"},
		{"rules, one that does not match", byRules, job("clerk"), admin, no(admin)},
		{"rules, the default role", byRules, job("admin"), auth, no(auth)},
		{"rules, nothing matches", byRules, job("intern"), "", "dev-authenticated"},
		{"rules, nothing matches, the default asked for", byRules, job("intern"), auth, no(auth)},
		// What the API refuses to store for a provider like this one (TestE1) gives nothing where it is stored anyhow.
		{"token, preferred", byToken(pool.Deny), roles(admin, admin, staff), "", ambiguous},
		{"token, one of its roles", byToken(pool.Deny), roles(admin, admin, staff), staff, ambiguous},
		{"token, and AuthenticatedRole", byToken(pool.AuthenticatedRole), roles(admin, admin), "", ambiguous},
	} {
		w.changePool(w.pool, func(p *pool.Pool) {
			p.Roles, p.RoleMappings = both, nil
			if row.mapping != nil {
				p.RoleMappings = map[string]pool.RoleMapping{w.idp.arn(0): *row.mapping}
			}
		})
		in := object{"IdentityId": guest}
		if row.claims != nil {
			in = object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", row.claims)}}
		}
		if row.custom != "" {
			in["CustomRoleArn"] = row.custom
		}
		if got := w.roleOf(t, in); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

// TestE4: a pool gives only roles of the account that exist, by exactly their ARN; one that is gone later is refused then.
func TestE4(t *testing.T) {
	w := newWorld(t, options{})
	good := w.role("good", trust(w.pool, "authenticated"))
	alice := w.getID(w.idp.login(0, "alice"))
	set := func(role string) ask {
		return ask{op: "SetIdentityPoolRoles", in: object{"IdentityPoolId": w.pool, "Roles": object{"authenticated": role}}}
	}
	for name, role := range map[string]string{
		"not there":                    roleARN("gone"),
		"another account":              "arn:aws:iam::999999999999:role/good",
		"no account":                   "arn:aws:iam:::role/good",
		"another partition":            "arn:aws-cn:iam::111122223333:role/good",
		"upper case":                   strings.ToUpper(good),
		"another case of its name":     roleARN("Good"),
		"a wildcard":                   roleARN("*"),
		"a wildcard inside":            roleARN("goo?"),
		"a path":                       "arn:aws:iam::111122223333:role/x/good",
		"a path up":                    "arn:aws:iam::111122223333:role/../role/good",
		"a double slash":               "arn:aws:iam::111122223333:role//good",
		"a user":                       "arn:aws:iam::111122223333:user/dev-admin",
		"a policy":                     "arn:aws:iam::111122223333:policy/good",
		"a session":                    "arn:aws:sts::111122223333:assumed-role/good/x",
		"a space after it":             good + " ",
		"a space before it":            " " + good,
		"a line break after it":        good + "\n",
		"a NUL after it":               good + "\x00",
		"a region":                     "arn:aws:iam:us-east-1:111122223333:role/good",
		"no ARN":                       strings.Repeat("x", 20),
		"two ARNs":                     good + "," + good,
		"a part of it":                 good[:len(good)-1],
		"a letter that looks the same": strings.Replace(good, "good", "gооd", 1),
	} {
		w.refuse(t, name, refused, noRole(role), set(role))
		a := set(good)
		a.in.(object)["RoleMappings"] = object{w.idp.arn(0): rules("Deny", [4]string{"c", "Equals", "v", role})}
		w.refuse(t, name+", in a rule", refused, noRole(role), a)
	}
	w.setRoles(object{"authenticated": good}, nil)
	in := object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}
	if got := w.roleOf(t, in); got != "good" {
		t.Fatalf("got %s, want the good role", got)
	}
	w.write(snapshot.DeleteRole("good", w.snapshot().RoleNamed("good").Version))
	w.refuse(t, "gone later", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: in})
}

// TestE4Parser: no text but the ARNs of roles that exist is taken for one, and every ARN is one text.
func TestE4Parser(t *testing.T) {
	w := newWorld(t, options{})
	now := w.snapshot()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`arn:aws:iam::(111122223333)?:role/[a-z*?/.\- ]{0,20}`),
			rapid.StringMatching(`(arn|ARN):aws(-cn)?:(iam|sts):[a-z]?:111122223333:role/dev-(guest|Guest|authenticated)\s?`),
		).Draw(t, "text")
		if a, err := arn.Parse(text); err == nil && a.String() != text {
			t.Fatalf("%q is also %q", text, a)
		}
		if r := now.Role(text); (r != nil) != (text == w.Dev.GuestRoleARN || text == w.Dev.AuthenticatedRoleARN) {
			t.Fatalf("%q: got %v", text, r)
		}
	})
}

// TestE5: a role that trusts our issuer names the pools that it trusts, or is not stored; and only identities of those
// pools, of the kind that it names, get it.
func TestE5(t *testing.T) {
	w := newWorld(t, options{})
	alice, guest := w.getID(w.idp.login(0, "alice")), w.getID(nil)
	const federated = `"Principal":{"Federated":"cognito-identity.amazonaws.com"}`
	policyOf := func(principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + principal + `,"Action":"sts:AssumeRoleWithWebIdentity"` + condition + `}]}`
	}
	aud := func(operator, id string) string {
		return fmt.Sprintf(`%q:{"cognito-identity.amazonaws.com:aud":%q}`, operator, id)
	}
	const amr = `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`
	for name, row := range map[string]struct {
		trust         string
		stored        bool
		alice, guests bool
	}{
		"no condition":               {policyOf(federated, ""), false, false, false},
		"amr alone":                  {policyOf(federated, `,"Condition":{`+amr+`}`), false, false, false},
		"aud like anything":          {policyOf(federated, `,"Condition":{`+aud("StringLike", "*")+`}`), false, false, false},
		"aud unless another":         {policyOf(federated, `,"Condition":{`+aud("StringNotEquals", "x")+`}`), false, false, false},
		"aud if there is one":        {policyOf(federated, `,"Condition":{`+aud("StringEqualsIfExists", w.pool)+`}`), false, false, false},
		"everybody":                  {policyOf(`"Principal":"*"`, ""), true, false, false},
		"everybody federated":        {policyOf(`"Principal":{"Federated":"*"}`, ""), false, false, false},
		"not a person":               {policyOf(`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/x"}`, ""), false, false, false},
		"this pool, authenticated":   {policyOf(federated, `,"Condition":{`+aud("StringEquals", w.pool)+`,`+amr+`}`), true, true, false},
		"this pool, whoever":         {policyOf(federated, `,"Condition":{`+aud("StringEquals", w.pool)+`}`), true, true, true},
		"this pool, guests":          {trust(w.pool, "unauthenticated"), true, false, true},
		"another pool":               {trust("us-east-1:other", "authenticated"), true, false, false},
		"this pool, one identity":    {policyOf(federated, `,"Condition":{`+aud("StringEquals", w.pool)+`,"StringLike":{"cognito-identity.amazonaws.com:sub":"`+alice+`"}}`), true, true, false},
		"this pool, another action":  {trustFor("sts:AssumeRole", w.pool, "authenticated"), true, false, false},
		"a person":                   {policyOf(`"Principal":{"AWS":"arn:aws:iam::111122223333:user/dev-admin"}`, ""), true, false, false},
		"another issuer":             {policyOf(`"Principal":{"Federated":"`+w.idp.arn(0)+`"}`, `,"Condition":{"StringEquals":{"`+w.idp.key(0)+`:aud":"dev-app"}}`), true, false, false},
		"this pool, but not it":      {`{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.SplitN(trust(w.pool, "authenticated"), `[`, 2)[1], `]}`) + `,{"Effect":"Deny",` + federated + `,"Action":"sts:AssumeRoleWithWebIdentity"}]}`, true, false, false},
		"authenticated by a pattern": {trust(w.pool, "auth*"), true, true, false},
	} {
		r := account.Role{Name: "trusting", Path: "/", ID: "AROAAAAAAAAAAAAAAAAAA", Created: w.clock.Now(), MaxSession: 3600, Trust: row.trust}
		if err := cmp.Or(r.PinsPools(), r.Validate()); (err == nil) != row.stored || err != nil && !fault.Is(err, fault.MalformedPolicyDocument) {
			t.Errorf("%s: got %v, stored should be %v", name, err, row.stored)
		}
		if !row.stored {
			continue
		}
		role := w.role("trusting", row.trust)
		w.setRoles(object{"authenticated": role, "unauthenticated": role}, nil)
		for who, c := range map[string]struct {
			in   object
			want bool
		}{
			"alice": {object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}, row.alice}, "guest": {object{"IdentityId": guest}, row.guests},
		} {
			if !c.want {
				w.refuse(t, name+" for "+who, badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: c.in})
			} else if got := w.roleOf(t, c.in); got != "trusting" {
				t.Errorf("%s for %s: got %s", name, who, got)
			}
		}
	}
}

// TestE6: what no rule decides, the resolution decides, and never with the guests' role; guests never get another's.
func TestE6(t *testing.T) {
	w := newWorld(t, options{})
	admin := w.role("admin", trust(w.pool, "authenticated"))
	// Both default roles trust everybody of the pool, so that only the choice keeps them apart.
	any := strings.Replace(trust(w.pool, "authenticated"), `"cognito-identity.amazonaws.com:amr":"authenticated"`, `"cognito-identity.amazonaws.com:amr":"*authenticated"`, 1)
	auth, unauth := w.role("any-auth", any), w.role("any-guest", any)
	alice, guest := w.getID(w.idp.login(0, "alice")), w.getID(nil)
	ambiguous := refused + ": The ambiguous role mapping rules for: " + w.idp.arn(0) + " denied this request."
	const none = badPool + ": " + badRoles
	for _, row := range []struct {
		roles          object
		resolution     string // "" for no mapping
		alice, asGuest string
	}{
		{object{"authenticated": auth, "unauthenticated": unauth}, "Deny", ambiguous, "any-guest"},
		{object{"authenticated": auth, "unauthenticated": unauth}, "AuthenticatedRole", "any-auth", "any-guest"},
		{object{"authenticated": auth, "unauthenticated": unauth}, "", "any-auth", "any-guest"},
		{object{"unauthenticated": unauth}, "Deny", ambiguous, "any-guest"},
		{object{"unauthenticated": unauth}, "AuthenticatedRole", none, "any-guest"},
		{object{"unauthenticated": unauth}, "", none, "any-guest"},
		{object{"authenticated": auth}, "Deny", ambiguous, none},
		{object{"authenticated": auth}, "AuthenticatedRole", "any-auth", none},
		{object{"authenticated": auth}, "", "any-auth", none},
		{object{}, "Deny", ambiguous, none},
		{object{}, "AuthenticatedRole", none, none},
		{object{}, "", none, none},
	} {
		mappings := object{}
		if row.resolution != "" {
			mappings[w.idp.arn(0)] = rules(row.resolution, [4]string{"job", "Equals", "admin", admin})
		}
		w.setRoles(row.roles, mappings)
		name := fmt.Sprint(slices.Sorted(maps.Keys(row.roles)), row.resolution)
		if got := w.roleOf(t, object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}); got != row.alice {
			t.Errorf("%s: alice got %s, want %s", name, got, row.alice)
		}
		if got := w.roleOf(t, object{"IdentityId": guest}); got != row.asGuest {
			t.Errorf("%s: the guest got %s, want %s", name, got, row.asGuest)
		}
		if row.resolution != "" { // a rule that matches needs no default
			if got := w.roleOf(t, object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", object{"job": "admin"})}}); got != "admin" {
				t.Errorf("%s: the admin got %s", name, got)
			}
		}
	}
}

// opened returns the session behind credentials.
func (w *world) opened(r reply) *session.Session {
	w.t.Helper()
	s, _, err := session.Open(w.snapshot().Keys, r.Credentials.SessionToken, r.Credentials.AccessKeyId, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestE7: the credentials of guests are held to the scope-down, whatever their role allows, those of authenticated
// identities are not; the mark is in the sealed token, and the policies obey it.
func TestE7(t *testing.T) {
	w := newWorld(t, options{})
	everything := allow("*", "*", "")
	w.setRoles(object{
		"authenticated": w.role("auth", trust(w.pool, "authenticated"), everything), "unauthenticated": w.role("guest", trust(w.pool, "unauthenticated"), everything),
	}, nil)
	dev := w.developerToken(object{"Logins": user("dev")})
	for name, row := range map[string]struct {
		out   reply
		guest bool
	}{
		"guest":         {w.vend(w.getID(nil), nil), true},
		"authenticated": {w.vend(w.getID(w.idp.login(0, "alice")), w.idp.login(0, "alice")), false},
		"developer":     {w.vend(dev.IdentityId, map[string]string{own: dev.Token}), false},
	} {
		if got := w.opened(row.out).Guest; got != row.guest {
			t.Errorf("%s: scope-down %v, want %v", name, got, row.guest)
		}
		// cognito-identity is in the scope-down, iam:PassRole is not.
		if _, err := w.as(row.out.signer(), "DescribeIdentityPool", object{"IdentityPoolId": w.pool}); err != nil {
			t.Errorf("%s: got %v, want what both allow", name, err)
		}
		set := object{"IdentityPoolId": w.pool, "Roles": w.snapshot().Pool(w.pool).Roles}
		if row.guest {
			w.refuse(t, name, refused, noRole(roleARN("auth")), ask{row.out.signer(), "SetIdentityPoolRoles", set})
		} else if _, err := w.as(row.out.signer(), "SetIdentityPoolRoles", set); err != nil {
			t.Errorf("%s: got %v, want what the role allows", name, err)
		}
	}
}

// TestE8: what a session may do is what its role allows, within the boundary and the scope-down; an explicit deny wins.
func TestE8(t *testing.T) {
	w := newWorld(t, options{})
	fence := &account.ManagedPolicy{Name: "fence", Path: "/", ID: "ANPAAAAAAAAAAAAAAAAAA", Created: noon, Default: "v1", Versions: map[string]string{"v1": allow("cognito-identity:Describe*", "*", "")}}
	w.write(snapshot.PutPolicy(fence, 0))
	describe, list := object{"IdentityPoolId": w.pool}, object{"IdentityPoolId": w.pool, "MaxResults": 1}
	for name, row := range map[string]struct {
		policies       []string
		boundary       bool
		describe, list bool
	}{
		"everything":                    {[]string{allow("*", "*", "")}, false, true, true},
		"everything, within a boundary": {[]string{allow("*", "*", "")}, true, true, false},
		"less than the boundary":        {[]string{allow("cognito-identity:ListIdentities", "*", "")}, true, false, false},
		"everything but one":            {[]string{allow("*", "*", ""), deny("cognito-identity:DescribeIdentityPool", "*", "")}, false, false, true},
		"nothing":                       {nil, false, false, false},
	} {
		for _, kind := range []string{"authenticated", "unauthenticated"} {
			role := w.role("bounded", trust(w.pool, kind), row.policies...)
			old := w.snapshot().RoleNamed("bounded")
			changed := old.Role
			if changed.Boundary = ""; row.boundary {
				changed.Boundary = fence.ARN(accountID)
			}
			w.write(snapshot.PutRole(&changed, old.Version))
			w.setRoles(object{kind: role}, nil)
			logins := map[string]string{}
			if kind == "authenticated" {
				logins = w.idp.login(0, "alice")
			}
			out := w.vend(w.getID(logins), logins)
			for op, c := range map[string]struct {
				in   object
				want bool
			}{"DescribeIdentityPool": {describe, row.describe}, "ListIdentities": {list, row.list}} {
				if _, err := w.as(out.signer(), op, c.in); (err == nil) != c.want || err != nil && !strings.HasPrefix(err.Error(), denied) {
					t.Errorf("%s, %s: %s: got %v, want allowed %v", name, kind, op, err, c.want)
				}
			}
		}
	}
}

// TestE10: lives are what they are: an hour for credentials, what was asked for within a day for tokens; a role that
// allows less refuses.
func TestE10(t *testing.T) {
	w := newWorld(t, options{})
	for name, out := range map[string]reply{"guest": w.vend(w.getID(nil), nil), "alice": w.vend(w.getID(w.idp.login(0, "alice")), w.idp.login(0, "alice"))} {
		if got := out.Credentials.Expiration; got != float64(noon.Unix()+3600) {
			t.Errorf("%s: got the end %v, want an hour", name, got)
		}
	}
	for name, seconds := range map[string]int64{"too short": 3599, "too long": 43201, "none": 0, "negative": -3600} {
		r := account.Role{Name: "r", Path: "/", MaxSession: seconds, Trust: trust(w.pool, "authenticated")}
		if err := r.Validate(); !fault.Is(err, fault.Validation) {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	// A document of older times whose role gives less than the hour that the enhanced flow takes: refused, not cut.
	old := w.snapshot().RoleNamed("dev-authenticated")
	short := old.Role
	short.MaxSession = 900
	w.write(snapshot.PutRole(&short, old.Version))
	w.refuse(t, "a role of a quarter of an hour", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": w.getID(w.idp.login(0, "alice")), "Logins": w.idp.login(0, "alice")}})
}

// TestE11: nothing of a login gets into the name of a session; what it holds else does not break lines of a record.
func TestE11(t *testing.T) {
	w := newWorld(t, options{})
	for _, sub := range []string{"../admin", "a/b", "a:b", "*", "arn:aws:iam::111122223333:role/admin", "é", "a b", "<script>", "%0a", "\u2028", strings.Repeat("x", 255)} {
		if got := w.roleOf(t, object{"IdentityId": w.getID(w.idp.login(0, sub)), "Logins": w.idp.login(0, sub)}); got != "dev-authenticated" {
			t.Errorf("%q: got %s", sub, got)
		}
	}
	for _, sub := range []string{"a\nb", "a\x00b", "\x1b[2J", strings.Repeat("x", 256), ""} {
		w.refuse(t, fmt.Sprintf("%q", sub), refused, "", ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": w.idp.login(0, sub)}})
	}
	w.developerToken(object{"Logins": user("line\nbreak")})
	for _, r := range w.journal.since(0) {
		if strings.ContainsAny(fmt.Sprint(r.Caller, r.Identity, r.Role, r.Message), "\n\x00\x1b") {
			t.Errorf("the record %+v holds a control character", r)
		}
	}
}

// TestPassRole: who sets roles must be allowed to pass each of them on to Cognito Identity, those of rules included.
func TestPassRole(t *testing.T) {
	w := newWorld(t, options{})
	one, two := w.role("one", trust(w.pool, "authenticated")), w.role("two", trust(w.pool, "authenticated"))
	set := allow("cognito-identity:SetIdentityPoolRoles", poolARN(w.pool), "")
	in := object{"IdentityPoolId": w.pool, "Roles": object{"authenticated": one}, "RoleMappings": object{w.idp.arn(0): rules("Deny", [4]string{"c", "Equals", "v", two})}}
	n := 0
	for name, row := range map[string]struct {
		policies  []string
		forbidden string
	}{
		"no PassRole":                  {[]string{set}, one},
		"of the default role alone":    {[]string{set, allow("iam:PassRole", one, "")}, two},
		"of the rule's alone":          {[]string{set, allow("iam:PassRole", two, "")}, one},
		"of both":                      {[]string{set, allow("iam:PassRole", roleARN("*"), "")}, ""},
		"to this service":              {[]string{set, allow("iam:PassRole", "*", `{"StringEquals":{"iam:PassedToService":"cognito-identity.amazonaws.com"}}`)}, ""},
		"to another service":           {[]string{set, allow("iam:PassRole", "*", `{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`)}, one},
		"of all, with one forbidden":   {[]string{set, allow("iam:PassRole", "*", ""), deny("iam:PassRole", two, "")}, two},
		"everything but setting roles": {[]string{allow("iam:*", "*", ""), allow("cognito-identity:Get*", "*", "")}, "-"},
	} {
		n++
		key := w.user(fmt.Sprint("setter-", n), row.policies...)
		a := ask{key, "SetIdentityPoolRoles", in}
		switch row.forbidden {
		case "":
			if _, err := w.as(key, a.op, in); err != nil {
				t.Errorf("%s: got %v", name, err)
			}
		case "-":
			w.refuse(t, name, denied, "", a)
		default:
			w.refuse(t, name, refused, noRole(row.forbidden), a)
		}
	}
	nothing := object{"IdentityPoolId": w.pool, "Roles": object{}}
	if _, err := w.as(w.user("clears", set), "SetIdentityPoolRoles", nothing); err != nil {
		t.Errorf("clearing roles passes none on: got %v", err)
	}
	if got := w.ok("GetIdentityPoolRoles", object{"IdentityPoolId": w.pool}); len(got.Roles) != 0 || got.RoleMappings != nil {
		t.Errorf("got %+v, want them cleared", got)
	}
}
