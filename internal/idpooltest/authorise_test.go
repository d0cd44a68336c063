package idpooltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"idpool/internal/account"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/pool"
	"idpool/internal/shape"
	"idpool/internal/sigv4"
)

// permit is a signed operation, a call of it that works for who may, and what it concerns.
type permit struct {
	in func() object
	// account says that the operation concerns no pool; identity that it has no resource, but the pool as a condition key.
	account, identity bool
	// poolID is where the call finds its pool; empty for the first member IdentityPoolId.
	poolID func(in object) string
}

// permits has every operation of Cognito Identity that policies decide.
func permits(s *Server, fresh func() string) map[string]permit {
	s.t.Helper()
	developed := fresh()
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	s.mustChangePool(developed, func(p *pool.Pool) {
		p.DeveloperProvider, p.OIDCProviders, p.AllowUnauthenticated = developer, []string{provider}, true
	})
	guest := func() string { return s.mustIdentity("GetId", object{"IdentityPoolId": developed}) }
	n := 0
	user := func() string {
		n++
		name := fmt.Sprint("user", n)
		s.MustCall("GetOpenIdTokenForDeveloperIdentity", s.Admin(), object{"IdentityPoolId": developed, "Logins": object{developer: name}}, nil)
		return name
	}
	identityOf := func(user string) string {
		var out struct{ IdentityId string }
		s.MustCall("LookupDeveloperIdentity", s.Admin(), object{"IdentityPoolId": developed, "DeveloperUserIdentifier": user}, &out)
		return out.IdentityId
	}
	in := func(more object) func() object {
		return func() object {
			out := object{"IdentityPoolId": developed}
			maps.Copy(out, more)
			return out
		}
	}
	always := func(object) string { return developed }
	return map[string]permit{
		"CreateIdentityPool":          {in: func() object { return object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false} }, account: true},
		"ListIdentityPools":           {in: func() object { return object{"MaxResults": 1} }, account: true},
		"DescribeIdentityPool":        {in: in(nil)},
		"UpdateIdentityPool":          {in: in(object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": true, "OpenIdConnectProviderARNs": []string{provider}})},
		"DeleteIdentityPool":          {in: func() object { return object{"IdentityPoolId": fresh()} }},
		"SetIdentityPoolRoles":        {in: in(object{"Roles": object{}})},
		"GetIdentityPoolRoles":        {in: in(nil)},
		"ListIdentities":              {in: in(object{"MaxResults": 1})},
		"SetPrincipalTagAttributeMap": {in: in(object{"IdentityProviderName": provider, "UseDefaults": false})},
		"GetPrincipalTagAttributeMap": {in: in(object{"IdentityProviderName": provider})},
		"ListTagsForResource":         {in: func() object { return object{"ResourceArn": poolARN(developed)} }, poolID: always},
		"TagResource":                 {in: func() object { return object{"ResourceArn": poolARN(developed), "Tags": object{"k": "v"}} }, poolID: always},
		"UntagResource":               {in: func() object { return object{"ResourceArn": poolARN(developed), "TagKeys": []string{"k"}} }, poolID: always},
		"DescribeIdentity":            {in: func() object { return object{"IdentityId": guest()} }, identity: true, poolID: always},
		"DeleteIdentities":            {in: func() object { return object{"IdentityIdsToDelete": []string{guest(), guest()}} }, identity: true, poolID: always},

		"GetOpenIdTokenForDeveloperIdentity": {in: in(object{"Logins": object{developer: "somebody"}})},
		"LookupDeveloperIdentity":            {in: func() object { return in(object{"DeveloperUserIdentifier": user()})() }},
		"MergeDeveloperIdentities": {in: func() object {
			return in(object{"DeveloperProviderName": developer, "SourceUserIdentifier": user(), "DestinationUserIdentifier": user()})()
		}},
		"UnlinkDeveloperIdentity": {in: func() object {
			who := user()
			return in(object{"DeveloperProviderName": developer, "IdentityId": identityOf(who), "DeveloperUserIdentifier": who})()
		}},
	}
}

// caller is somebody whose policies can be replaced.
type caller struct {
	arn    string
	signer *sigv4.Credentials
	grant  func(policies ...string)
}

// callers are a user and a session of a role: policies decide alike on both.
func (s *Server) callers() map[string]caller {
	s.t.Helper()
	ann, alice := s.mustUser("ann"), s.MustVend("alice").Signer()
	return map[string]caller{
		"user": {"arn:aws:iam::" + Account + ":user/ann", ann, func(policies ...string) {
			s.mustChangeUser("ann", func(u *account.User) { u.Inline = inline(policies) })
		}},
		"session": {sessionARN, alice, func(policies ...string) {
			s.mustChangeRole("dev-authenticated", func(r *account.Role) { r.Inline = inline(policies) })
		}},
	}
}

// TestEveryOperationIsDecided: each signed operation works for who may do exactly that, on exactly that, and for nobody
// else (security G4, G12).
func TestEveryOperationIsDecided(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	all := permits(s, func() string { return s.mustPool(nil) })
	other := s.mustPool(nil)
	callers := s.callers()
	for _, row := range services()[0].Rows {
		p, ok := all[row.Name]
		if ok != (row.Access == operation.Authorised) {
			t.Errorf("%s: has a row in this test: %v", row.Name, ok)
		}
		for who, c := range callers {
			if !ok {
				break
			}
			in := p.in()
			id, _ := in["IdentityPoolId"].(string)
			if p.poolID != nil {
				id = p.poolID(in)
			}
			action := "cognito-identity:" + row.Name
			on := func(id string) string { return allow(action, poolARN(id), "") }
			resource, shown := poolARN(id), poolARN(id)
			switch {
			case p.account:
				on = func(string) string { return allow(action, poolARN("*"), "") } // no pool's ARN is the account
				resource, shown = "*", strings.TrimSuffix(poolARN("x"), "x")
			case p.identity:
				on = func(id string) string {
					return allow(action, "*", `{"StringEquals":{"cognito-identity:IdentityPoolArn":"`+poolARN(id)+`"}}`)
				}
				resource, shown = "*", "*"
			}
			sentence := "User: " + c.arn + " is not authorized to perform: " + action + " on resource: " + shown + " "
			no := refused{"AccessDeniedException", sentence + "because no identity-based policy allows the " + action + " action"}
			denied := refused{"AccessDeniedException", sentence + "with an explicit deny in an identity-based policy"}
			for name, no := range map[string]struct {
				policies []string
				want     refused
			}{
				"nothing":         {nil, no},
				"another pool":    {[]string{on(other)}, no},
				"another action":  {[]string{allow("cognito-identity:"+row.Name+"s", "*", ""), allow("iam:*", "*", "")}, no},
				"a denied action": {[]string{allow("*", "*", ""), deny(action, resource)}, denied},
				"a denied star":   {[]string{allow(action, "*", ""), deny("*", "*")}, denied},
			} {
				c.grant(no.policies...)
				s.refuses(t, row.Name+", "+who+" with "+name, 400, no.want, func() *answer { return s.call(row.Name, c.signer, in) })
			}
			if p.account {
				c.grant(allow(action, "*", ""))
			} else {
				c.grant(on(id))
			}
			if got := s.call(row.Name, c.signer, in); got.status != 200 {
				t.Errorf("%s, %s with all he needs: got %d %s", row.Name, who, got.status, got.body)
			}
		}
	}
}

// form is the body of a call of IAM with what the operation demands.
func form(t *testing.T, row *operation.Row, version string, valid map[string]string) string {
	t.Helper()
	out := url.Values{"Action": {row.Name}, "Version": {version}}
	for i := range row.In.Members {
		m := &row.In.Members[i]
		name := m.Name
		if m.Shape.Kind == shape.KindList {
			name += ".member.1"
		}
		value, ok := valid[m.Name]
		switch {
		case !m.Required:
		case m.Shape.Kind == shape.KindList && m.Shape.Elem.Kind == shape.KindStructure:
			out.Set(name+".Key", "k")
			out.Set(name+".Value", "v")
		case ok:
			out.Set(name, value)
		default:
			out.Set(name, "x")
		}
	}
	return out.Encode()
}

// undecided are the operations that no policy decides: for everybody, for users with keys of their own, or for nobody.
var undecided = []string{
	"sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:GetCallerIdentity", "sts:GetSessionToken",
	"sts:AssumeRoot", "sts:GetDelegatedAccessToken",
}

// TestEveryQueryOperationIsDecided: the same refusals for the operations of IAM, whose own tests have the rest. A new
// operation whose members need other values than these fails here.
func TestEveryQueryOperationIsDecided(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	nobody, denied := s.mustUser("nobody"), s.mustUser("denied", allow("*", "*", ""), deny("iam:*", "*"), deny("sts:*", "*"))
	valid := map[string]string{
		"PolicyArn": "arn:aws:iam::" + Account + ":policy/x", "PermissionsBoundary": "arn:aws:iam::" + Account + ":policy/x",
		"OpenIDConnectProviderArn": "arn:aws:iam::" + Account + ":oidc-provider/x.example", "Url": "https://x.example", "ThumbprintList": strings.Repeat("a", 40),
		"SAMLProviderArn": "arn:aws:iam::" + Account + ":saml-provider/x", "SAMLMetadataDocument": strings.Repeat("x", 1000),
		"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active", "VersionId": "v1", "PolicyDocument": allow("*", "*", ""),
		"AssumeRolePolicyDocument": trust(s.Dev.PoolID, "authenticated"), "PolicySourceArn": "arn:aws:iam::" + Account + ":user/nobody",
		"ActionNames": "iam:GetUser", "PolicyInputList": allow("*", "*", ""),
		"RoleArn": "arn:aws:iam::" + Account + ":role/x", "RoleSessionName": "xx", "Name": "xx", "SigningAlgorithm": "RS256",
	}
	tried := 0
	for _, service := range services() {
		if service.Protocol != operation.Query {
			continue
		}
		for i := range service.Rows {
			row := &service.Rows[i]
			if row.Access != operation.Authorised {
				if !slices.Contains(undecided, service.Name+":"+row.Name) {
					t.Errorf("%s:%s is decided by no policy", service.Name, row.Name)
				}
				continue
			}
			tried++
			action := service.Name + ":" + row.Name
			text := form(t, row, service.Version, valid)
			send := func(signer *sigv4.Credentials) *answer {
				header := formHeader()
				if signer != nil {
					s.sign(signer, service.Name, header, text)
				}
				return s.send("POST", "/", header, text)
			}
			s.refuses(t, row.Name+" unsigned", 403, refused{"MissingAuthenticationToken", "Missing Authentication Token"}, func() *answer { return send(nil) })
			for who, c := range map[string]struct {
				signer *sigv4.Credentials
				why    string
			}{
				"nobody": {nobody, " because no identity-based policy allows the " + action + " action"},
				"denied": {denied, " with an explicit deny in an identity-based policy"},
			} {
				got := send(c.signer).refusal()
				start := "User: arn:aws:iam::" + Account + ":user/" + who + " is not authorized to perform: " + action + " on resource: "
				if row.Name == "AssumeRole" { // whose sentence never says why
					c.why = ""
				}
				if got.code != "AccessDenied" || !strings.HasPrefix(got.sentence, start) || !strings.HasSuffix(got.sentence, c.why) {
					t.Errorf("%s by %s: got %+v", row.Name, who, got)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no operation was tried")
	}
}

// TestOnePool: who administers one pool touches no other, its identities, or the account.
func TestOnePool(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	own := s.mustPool(nil)
	limited := s.mustUser("limited", allow("cognito-identity:*", poolARN(own), ""), allow("iam:PassRole", "*", ""))
	all := permits(s, func() string { return s.mustPool(nil) })
	for name, p := range all {
		in := p.in()
		before := s.mustState()
		if got := s.call(name, limited, in).refusal(); got.code != "AccessDeniedException" {
			t.Errorf("%s on another pool: got %+v", name, got)
		}
		if after := s.mustState(); after.Revision != before.Revision {
			t.Errorf("%s on another pool changed something", name)
		}
		if _, ok := in["IdentityPoolId"]; ok && !strings.Contains(name, "Developer") && !strings.Contains(name, "PrincipalTag") {
			in["IdentityPoolId"] = own
			delete(in, "OpenIdConnectProviderARNs")
			if got := s.call(name, limited, in); got.status != 200 {
				t.Errorf("%s on his pool: got %d %s", name, got.status, got.body)
			}
			if name == "DeleteIdentityPool" { // a pool of the same id does not come back
				own = s.mustPool(nil)
				s.mustChangeUser("limited", func(u *account.User) {
					u.Inline = inline([]string{allow("cognito-identity:*", poolARN(own), ""), allow("iam:PassRole", "*", "")})
				})
			}
		}
	}
}

// TestTagsDecide: tags of the request and of the pool are condition keys, and who may update a pool cannot choose its tags
// on the side.
func TestTagsDecide(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	test, prod := s.mustPool(object{"IdentityPoolTags": object{"env": "test"}}), s.mustPool(object{"IdentityPoolTags": object{"env": "prod"}})
	const onTest = `{"StringEquals":{"aws:ResourceTag/env":"test"}}`
	tester := s.mustUser("tester", allow("cognito-identity:UpdateIdentityPool", "*", onTest), allow("cognito-identity:DescribeIdentityPool", "*", onTest),
		allow("cognito-identity:CreateIdentityPool", "*", `{"StringEquals":{"aws:RequestTag/env":"test"},"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}`))
	create := func(tags object) func() *answer {
		return func() *answer {
			return s.call("CreateIdentityPool", tester, object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false, "IdentityPoolTags": tags})
		}
	}
	update := func(id string, tags object) func() *answer {
		in := object{"IdentityPoolId": id, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
		if tags != nil {
			in["IdentityPoolTags"] = tags
		}
		return func() *answer { return s.call("UpdateIdentityPool", tester, in) }
	}
	for name, c := range map[string]struct {
		call func() *answer
		code string
	}{
		"create tagged":                {create(object{"env": "test"}), ""},
		"create untagged":              {create(object{}), "AccessDeniedException"},
		"create with another value":    {create(object{"env": "prod"}), "AccessDeniedException"},
		"create with another key":      {create(object{"env": "test", "x": "y"}), "AccessDeniedException"},
		"update his":                   {update(test, nil), ""},
		"update his with its tags":     {update(test, object{"env": "test"}), ""},
		"update another's":             {update(prod, nil), "AccessDeniedException"},
		"make another's his":           {update(prod, object{"env": "test"}), "AccessDeniedException"},
		"give his away":                {update(test, object{"env": "prod"}), "AccessDeniedException"},
		"take the tags off":            {update(test, object{}), "AccessDeniedException"},
		"describe his":                 {func() *answer { return s.call("DescribeIdentityPool", tester, object{"IdentityPoolId": test}) }, ""},
		"describe another's":           {func() *answer { return s.call("DescribeIdentityPool", tester, object{"IdentityPoolId": prod}) }, "AccessDeniedException"},
		"describe what does not exist": {func() *answer { return s.call("DescribeIdentityPool", tester, object{"IdentityPoolId": unknownID}) }, "AccessDeniedException"},
	} {
		if got := c.call().refusal(); got.code != c.code {
			t.Errorf("%s: got %+v, want %q", name, got, c.code)
		}
	}
	// Keys that differ in case alone are one key to policies, so nobody may have both: which one counted would be chance.
	for range 20 {
		if got := create(object{"env": "prod", "ENV": "test"})(); got.status != 400 {
			t.Fatalf("two keys that differ in case: got %d %s", got.status, got.body)
		}
	}
	s.refuses(t, "a second key in another case", 400, refused{"InvalidParameterException", "Invalid tag: env"},
		func() *answer {
			return s.call("TagResource", s.Admin(), object{"ResourceArn": poolARN(prod), "Tags": object{"ENV": "test"}})
		})
}

// TestPassRole: who may set a pool's roles hands out no role that he may not pass on.
func TestPassRole(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.mustRole("a", trust(s.Dev.PoolID, "authenticated")), s.mustRole("b", trust(s.Dev.PoolID, "authenticated"))
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	set := allow("cognito-identity:SetIdentityPoolRoles", "*", "")
	rules := func(role string) object {
		return object{provider: object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": object{
			"Rules": []object{{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": role}}}}}
	}
	for name, c := range map[string]struct {
		policies []string
		in       object
		no       string // the role that is refused
	}{
		"none":                {[]string{set}, object{"Roles": object{"authenticated": a}}, a},
		"the other":           {[]string{set, allow("iam:PassRole", a, "")}, object{"Roles": object{"authenticated": b}}, b},
		"one of two":          {[]string{set, allow("iam:PassRole", a, "")}, object{"Roles": object{"authenticated": a, "unauthenticated": b}}, b},
		"in a rule":           {[]string{set, allow("iam:PassRole", a, "")}, object{"Roles": object{"authenticated": a}, "RoleMappings": rules(b)}, b},
		"denied":              {[]string{set, allow("iam:PassRole", "*", ""), deny("iam:PassRole", b)}, object{"Roles": object{"authenticated": b}}, b},
		"to another service":  {[]string{set, allow("iam:PassRole", "*", `{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`)}, object{"Roles": object{"authenticated": a}}, a},
		"a role that is gone": {[]string{set, allow("iam:PassRole", "*", "")}, object{"Roles": object{"authenticated": a + "x"}}, a + "x"},
		"the right service":   {[]string{set, allow("iam:PassRole", "*", `{"StringEquals":{"iam:PassedToService":"cognito-identity.amazonaws.com"}}`)}, object{"Roles": object{"authenticated": a}, "RoleMappings": rules(b)}, ""},
		"no roles, no pass":   {[]string{set}, object{"Roles": object{}}, ""},
	} {
		signer := s.mustUser("u"+strings.ReplaceAll(name, " ", "-"), c.policies...)
		c.in["IdentityPoolId"] = s.Dev.PoolID
		call := func() *answer { return s.call("SetIdentityPoolRoles", signer, c.in) }
		if c.no != "" {
			s.refuses(t, name, 400, refused{"NotAuthorizedException", "Access to Role '" + c.no + "' is forbidden."}, call)
		} else if got := call(); got.status != 200 {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
}

// TestGuestsAreHeldDown: whatever the guests' role allows, guests of the enhanced flow have no more than the scope-down
// leaves; authenticated identities, and guests of the classic flow, have it all (spec §11.5, security E7).
func TestGuestsAreHeldDown(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, role := range []string{"dev-guest", "dev-authenticated"} {
		s.mustChangeRole(role, func(r *account.Role) { r.Inline = inline([]string{allow("*", "*", "")}) })
	}
	guest := s.MustVend("")
	var open struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": guest.IdentityId}, &open)
	classic := s.mustAssume(open.Token, s.Dev.GuestRoleARN)
	const users = "Action=ListUsers&Version=2010-05-08"
	list := func(signer *sigv4.Credentials) *answer {
		header := formHeader()
		s.sign(signer, "iam", header, users)
		return s.send("POST", "/", header, users)
	}
	describe := func(signer *sigv4.Credentials) *answer {
		return s.call("DescribeIdentityPool", signer, object{"IdentityPoolId": s.Dev.PoolID})
	}
	for name, signer := range map[string]*sigv4.Credentials{"guest": guest.Signer(), "classic guest": classic, "login": s.MustVend("alice").Signer()} {
		if got := describe(signer); got.status != 200 {
			t.Errorf("%s, an action that the scope-down has: got %d %s", name, got.status, got.body)
		}
		if name == "guest" {
			continue
		}
		if got := list(signer); got.status != 200 {
			t.Errorf("%s, an action that the scope-down lacks: got %d %s", name, got.status, got.body)
		}
	}
	const guestARN = "arn:aws:sts::" + Account + ":assumed-role/dev-guest/CognitoIdentityCredentials"
	s.refuses(t, "guest, an action that the scope-down lacks", 403, refused{"AccessDenied", "User: " + guestARN +
		" is not authorized to perform: iam:ListUsers on resource: * because no session policy allows the iam:ListUsers action"},
		func() *answer { return list(guest.Signer()) })
	s.refuses(t, "guest, another's dependent action", 400, refused{"NotAuthorizedException", "Access to Role '" + s.Dev.GuestRoleARN + "' is forbidden."}, func() *answer {
		return s.call("SetIdentityPoolRoles", guest.Signer(), object{"IdentityPoolId": s.Dev.PoolID, "Roles": object{"unauthenticated": s.Dev.GuestRoleARN}})
	})
	// What no operation of ours can show, the policies themselves do.
	everything, err := policy.Parse(policy.KindIdentity, []byte(allow("*", "*", "")))
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Policies{Identity: []policy.Named{{Name: "all", Document: everything}}, ScopeDown: policy.GuestScopeDown()}
	for action, want := range map[string]bool{
		"s3:GetObject": true, "dynamodb:Query": true, "rum:PutRumEvents": true, "kms:Decrypt": true, "sagemaker:InvokeEndpoint": true,
		"sts:AssumeRole": false, "iam:PassRole": false, "ec2:RunInstances": false, "kms:CreateGrant": false, "sagemaker:CreateEndpoint": false, "secretsmanager:GetSecretValue": false,
	} {
		if got := p.Decide(&policy.Request{Action: action, Resource: "*"}).Allowed; got != want {
			t.Errorf("guest with everything, %s: got %v, want %v", action, got, want)
		}
	}
}

// mustAssume takes a token of ours to STS.
func (s *Server) mustAssume(token, role string) *sigv4.Credentials {
	s.t.Helper()
	form := url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"app1"}, "WebIdentityToken": {token}}
	got := s.query(nil, form.Encode())
	between := func(name string) string {
		_, rest, _ := strings.Cut(got.body, "<"+name+">")
		value, _, _ := strings.Cut(rest, "</"+name+">")
		return value
	}
	if got.status != 200 {
		s.t.Fatalf("AssumeRoleWithWebIdentity: got %d %s", got.status, got.body)
	}
	return &sigv4.Credentials{AccessKeyID: between("AccessKeyId"), Secret: between("SecretAccessKey"), Token: between("SessionToken")}
}

// TestWhoAmIIsForEverybody: GetCallerIdentity answers who signs, even where a policy denies it (spec sts-iam §1.4).
func TestWhoAmIIsForEverybody(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for who, c := range s.callers() {
		for _, policies := range [][]string{nil, {deny("*", "*")}, {deny("sts:GetCallerIdentity", "*")}} {
			c.grant(policies...)
			s.accepts(t, who, c.arn, c.signer)
		}
	}
}

// TestOwnIdentity: what `idpool dev` gives its roles lets an identity describe itself and nobody else.
func TestOwnIdentity(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	guest, alice, bob := s.MustVend(""), s.MustVend("alice"), s.MustVend("bob")
	all := map[string]*Vended{"guest": guest, "alice": alice, "bob": bob}
	for who, v := range all {
		for whom, of := range all {
			got := s.call("DescribeIdentity", v.Signer(), object{"IdentityId": of.IdentityId})
			if ok := got.status == 200; ok != (who == whom) {
				t.Errorf("%s describes %s: got %d %s", who, whom, got.status, got.body)
			}
			var out struct{ IdentityId string }
			if err := json.Unmarshal([]byte(got.body), &out); who == whom && (err != nil || out.IdentityId != of.IdentityId) {
				t.Errorf("%s describes himself: got %s", who, got.body)
			}
		}
		if got := s.call("DescribeIdentity", v.Signer(), object{"IdentityId": unknownID}).refusal(); got.code != "AccessDeniedException" {
			t.Errorf("%s describes what does not exist: got %+v", who, got)
		}
	}
}
