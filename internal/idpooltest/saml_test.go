package idpooltest

import (
	"context"
	"crypto/elliptic"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/pool"
)

// samlScene is a server with the SAML provider corp, a pool that takes its logins and no others, and two roles that trust
// the pool.
type samlScene struct {
	*Server
	clock        *clock
	idp          *samltest.IdP
	arn          string // of the provider
	pool         string
	admin, staff string // ARNs of roles
}

// samlEntity is long, so that metadata of one key has the length that AWS demands.
var samlEntity = "https://idp.example.com/" + strings.Repeat("saml/", 60)

func startSAML(t *testing.T) *samlScene {
	s := &samlScene{clock: newClock(), idp: samltest.NewIdP(t, samlEntity), arn: "arn:aws:iam::" + Account + ":saml-provider/corp"}
	s.Server = Start(t, Options{Clock: s.clock.Now})
	s.mustIAM("CreateSAMLProvider", "Name", "corp", "SAMLMetadataDocument", string(s.idp.Metadata()))
	s.pool = s.mustPool(object{"SamlProviderARNs": []string{s.arn}})
	s.admin = s.mustRole("admin", trust(s.pool, "authenticated"))
	s.staff = s.mustRole("staff", trust(s.pool, "authenticated"))
	return s
}

// mustIAM calls an operation of IAM as the administrator.
func (s *samlScene) mustIAM(action string, pairs ...string) {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	if err := s.Client().Query(context.Background(), "iam", "2010-05-08", action, form, s.Admin(), new(struct{})); err != nil {
		s.t.Fatalf("%s: %v", action, err)
	}
}

// pairs are values of the role attribute for the scene's provider.
func (s *samlScene) pairs(roles ...string) map[string][]string {
	var out []string
	for _, r := range roles {
		out = append(out, r+","+s.arn)
	}
	return map[string][]string{login.RoleAttribute: out, "groups": {"it", "staff"}}
}

// response is a response about a user, with such roles.
func (s *samlScene) response(nameID string, roles ...string) string {
	return s.idp.Response(samltest.Options{Now: s.clock.Now(), NameID: nameID, Attributes: s.pairs(roles...)})
}

func (s *samlScene) logins(response string) object { return object{s.arn: response} }

func (s *samlScene) mustGetID(nameID string) string {
	s.t.Helper()
	var out struct{ IdentityId string }
	s.MustCall("GetId", nil, object{"IdentityPoolId": s.pool, "Logins": s.logins(s.response(nameID))}, &out)
	return out.IdentityId
}

// vend is the input of GetCredentialsForIdentity.
func (s *samlScene) vend(identity, response, custom string) object {
	in := object{"IdentityId": identity, "Logins": s.logins(response)}
	if custom != "" {
		in["CustomRoleArn"] = custom
	}
	return in
}

// wantRole asks for credentials and fails unless they are the role's.
func (s *samlScene) wantRole(in object, role string) {
	s.t.Helper()
	out := &Vended{}
	s.MustCall("GetCredentialsForIdentity", nil, in, out)
	got, err := s.WhoAmI(out.Signer())
	if want := "arn:aws:sts::" + Account + ":assumed-role/" + role + "/CognitoIdentityCredentials"; err != nil || got != want {
		s.t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// A SAML login, from the provider to credentials: identities by NameID, roles by the assertion.
func TestSAMLLogin(t *testing.T) {
	t.Parallel()
	s := startSAML(t)
	alice := s.mustGetID("alice")
	if again, bob := s.mustGetID("alice"), s.mustGetID("bob"); again != alice || bob == alice {
		t.Errorf("got the identities %s and %s of alice, %s of bob", alice, again, bob)
	}
	both := s.response("alice", s.admin, s.staff)
	s.wantRole(s.vend(alice, both, s.admin), "admin")
	s.wantRole(s.vend(alice, both, s.staff), "staff")
	s.wantRole(s.vend(alice, s.response("alice", s.staff), ""), "staff")
	s.wantRole(s.vend(alice, s.idp.Response(samltest.Options{ // the other order, and somebody else's role beside it
		Now: s.clock.Now(), NameID: "alice", Attributes: map[string][]string{login.RoleAttribute: {
			s.arn + "," + s.admin, "arn:aws:iam::999999999999:role/staff,arn:aws:iam::999999999999:saml-provider/corp",
		}},
	}), ""), "admin")

	var described struct{ Logins []string }
	s.MustCall("DescribeIdentity", s.Admin(), object{"IdentityId": alice}, &described)
	if !slices.Equal(described.Logins, []string{s.arn}) {
		t.Errorf("got the logins %q, want the provider's ARN", described.Logins)
	}

	// The amr of our own token names the provider and the user (spec cognito-identity §10.2).
	for amr, want := range map[string]bool{"authenticated": true, s.arn: true, s.arn + ":SAML:alice": true, s.arn + ":SAML:bob": false, s.arn + ":OIDC:alice": false} {
		only := s.mustRole("only-"+strings.NewReplacer(":", "-", "/", "-").Replace(amr), trust(s.pool, amr))
		in := s.vend(alice, s.response("alice", only), "")
		if err := s.Call("GetCredentialsForIdentity", nil, in, nil); (err == nil) != want {
			t.Errorf("a role that wants the amr %s: got %v, want it given: %v", amr, err, want)
		}
	}

	s.MustCall("UnlinkIdentity", nil, object{"IdentityId": alice, "Logins": s.logins(both), "LoginsToRemove": []string{s.arn}}, nil)
	if again := s.mustGetID("alice"); again == alice {
		t.Errorf("after the unlink: got %s again", again)
	}
}

// Mappings of a SAML provider, and the pool's own role where an assertion names none.
func TestSAMLMappings(t *testing.T) {
	t.Parallel()
	s := startSAML(t)
	alice := s.mustGetID("alice")
	set := func(defaults object, mappings object) {
		t.Helper()
		s.MustCall("SetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": s.pool, "Roles": defaults, "RoleMappings": mappings}, nil)
	}
	none := s.idp.Response(samltest.Options{Now: s.clock.Now(), NameID: "alice", Attributes: map[string][]string{"groups": {"it", "staff"}}})
	set(object{"authenticated": s.staff}, nil)
	s.wantRole(s.vend(alice, none, ""), "staff")
	s.wantRole(s.vend(alice, s.response("alice", s.admin), ""), "admin")
	set(object{"authenticated": s.staff}, object{s.arn: object{"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}})
	s.wantRole(s.vend(alice, s.response("alice", s.admin, s.staff), ""), "staff")
	s.wantRole(s.vend(alice, s.response("alice", s.admin, s.staff), s.admin), "admin")
	set(object{}, object{s.arn: object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": object{"Rules": []object{
		{"Claim": "groups", "MatchType": "Contains", "Value": "staff", "RoleARN": s.staff},
	}}}})
	s.wantRole(s.vend(alice, s.response("alice", s.admin), ""), "staff")
	s.MustRefuse("NotAuthorizedException", "GetCredentialsForIdentity", nil, s.vend(alice, s.response("alice", s.admin), s.admin))
}

// Whatever is wrong with a response, or with what is asked for with a good one: refused, and nothing comes of it.
func TestSAMLRefusals(t *testing.T) {
	t.Parallel()
	s := startSAML(t)
	alice := s.mustGetID("alice")
	_ = s.mustGetID("bob")
	now := s.clock.Now()
	respond := func(o samltest.Options) string {
		if o.Now.IsZero() {
			o.Now = now
		}
		o.NameID, o.Attributes = "carol", s.pairs(s.staff)
		return s.idp.Response(o)
	}
	const (
		dontMatch   = "Logins don't match. Please include at least one valid login for this identity or identity pool."
		notVerified = "Invalid login token. Couldn't verify signed token."
		notSAML     = "Invalid login token. Not a valid SAML response."
		foreign     = "Token is not from a supported provider of this identity pool."
	)
	ambiguous := "The ambiguous role mapping rules for: " + s.arn + " denied this request."
	document, err := base64.StdEncoding.DecodeString(respond(samltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	getID := func(logins object) (string, object) {
		return "GetId", object{"IdentityPoolId": s.pool, "Logins": logins}
	}
	check := func(name, code, sentence, operation string, in object) {
		t.Helper()
		s.refuses(t, name, 400, refused{code, sentence}, func() *answer { return s.call(operation, nil, in) })
	}
	for name, c := range map[string]struct{ response, sentence string }{
		"no response":           {"x", notSAML},
		"an ID token":           {s.MustToken("carol"), notSAML},
		"unsigned":              {respond(samltest.Options{Signed: samltest.NothingSigned}), notVerified},
		"another user's name":   {base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(document), "carol", "alice", 1))), notVerified},
		"of another key":        {samltest.NewIdP(t, samlEntity).Response(samltest.Options{Now: now}), notVerified},
		"of another provider":   {(&samltest.IdP{EntityID: "https://other.example.com", Keys: s.idp.Keys}).Response(samltest.Options{Now: now}), "Invalid login token. Issuer doesn't match providerName"},
		"for somebody else":     {respond(samltest.Options{Audience: "https://app.example.com"}), foreign},
		"sent to somebody else": {respond(samltest.Options{Recipient: "https://app.example.com"}), foreign},
		"ended":                 {respond(samltest.Options{Now: now.Add(-time.Hour)}), "Invalid login token. Token expired: 1772366400 >= 1772363100"},
		"of the future":         {respond(samltest.Options{Now: now.Add(time.Hour)}), notSAML},
	} {
		operation, in := getID(s.logins(c.response))
		check(name, "NotAuthorizedException", c.sentence, operation, in)
	}
	good := respond(samltest.Options{})
	for name, key := range map[string]string{
		"another case":     strings.Replace(s.arn, "corp", "Corp", 1),
		"the entity id":    "https://idp.example.com/saml",
		"the name":         "corp",
		"another account":  strings.Replace(s.arn, Account, "999999999999", 1),
		"an OIDC provider": strings.Replace(s.arn, "saml", "oidc", 1),
	} {
		operation, in := getID(object{key: good})
		check("under "+name, "NotAuthorizedException", dontMatch, operation, in)
	}
	elsewhere := s.mustPool(object{"OpenIdConnectProviderARNs": []string{s.mustProvider(s.Dev.PoolID, "https://login.example.com", "a")}})
	check("in another pool", "NotAuthorizedException", dontMatch, "GetId", object{"IdentityPoolId": elsewhere, "Logins": s.logins(good)})

	many := s.response("alice", s.admin, s.staff)
	for name, c := range map[string]struct{ response, custom, sentence string }{
		"several roles, none asked for":  {many, "", ambiguous},
		"a role that it does not name":   {s.response("alice", s.staff), s.admin, "Access to Role '" + s.admin + "' is forbidden."},
		"another spelling":               {many, s.admin + " ", "Access to Role '" + s.admin + " ' is forbidden."},
		"a pair":                         {many, s.admin + "," + s.arn, "Access to Role '" + s.admin + "," + s.arn + "' is forbidden."},
		"another user's response":        {s.response("bob", s.admin), "", dontMatch},
		"the same role twice":            {s.response("alice", s.admin, s.admin), s.admin, ambiguous},
		"a role attribute with a line":   {s.response("alice", s.admin+","+s.arn+"\n"+s.staff), s.admin, ambiguous},
		"a role attribute with a comma":  {s.response("alice", s.admin+","+s.staff), s.admin, ambiguous},
		"another account's role for us":  {s.response("alice", "arn:aws:iam::999999999999:role/admin"), "", ambiguous},
		"another account's, asked for":   {s.response("alice", "arn:aws:iam::999999999999:role/admin"), "arn:aws:iam::999999999999:role/admin", ambiguous},
		"a role with a wildcard":         {s.response("alice", strings.Replace(s.admin, "admin", "*", 1)), "", ambiguous},
		"somebody else's roles and none": {s.idp.Response(samltest.Options{Now: now, NameID: "alice", Attributes: map[string][]string{login.RoleAttribute: {s.admin + "," + s.arn + "2"}}}), "", ambiguous},
	} {
		check(name, "NotAuthorizedException", c.sentence, "GetCredentialsForIdentity", s.vend(alice, c.response, c.custom))
	}
	const configuration = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
	check("a role that is not there", "InvalidIdentityPoolConfigurationException", configuration, "GetCredentialsForIdentity",
		s.vend(alice, s.response("alice", "arn:aws:iam::"+Account+":role/none"), ""))
	distrusts := s.mustRole("distrusts", trust(s.Dev.PoolID, "authenticated"))
	check("a role that trusts another pool", "InvalidIdentityPoolConfigurationException", configuration, "GetCredentialsForIdentity",
		s.vend(alice, s.response("alice", distrusts), ""))
	check("no role, and none of the pool's", "InvalidIdentityPoolConfigurationException", configuration, "GetCredentialsForIdentity",
		s.vend(alice, s.idp.Response(samltest.Options{Now: now, NameID: "alice"}), ""))
	check("the classic flow", "InvalidParameterException", "Basic (classic) flow is not supported with SAML providers, please use enhanced flow.", "GetOpenIdToken",
		object{"IdentityId": alice, "Logins": s.logins(s.response("dave", s.staff))})
}

// Two certificates during a roll-over, then the new one alone; a provider that is replaced or gone. All of it holds from
// the next request on.
func TestSAMLProviderChanges(t *testing.T) {
	t.Parallel()
	s := startSAML(t)
	update := func(idp *samltest.IdP) {
		t.Helper()
		s.mustIAM("UpdateSAMLProvider", "SAMLProviderArn", s.arn, "SAMLMetadataDocument", string(idp.Metadata()))
	}
	old := s.idp
	next := &samltest.IdP{EntityID: samlEntity, Keys: []samltest.Key{samltest.NewEC(t, elliptic.P384())}}
	login := func(idp *samltest.IdP) error {
		return s.Call("GetId", nil, object{"IdentityPoolId": s.pool, "Logins": s.logins(idp.Response(samltest.Options{Now: s.clock.Now(), NameID: "alice"}))}, nil)
	}
	step := func(name string, oldOK, nextOK bool) {
		t.Helper()
		if err := login(old); (err == nil) != oldOK {
			t.Errorf("%s: the old key: got %v, want it taken: %v", name, err, oldOK)
		}
		if err := login(next); (err == nil) != nextOK {
			t.Errorf("%s: the new key: got %v, want it taken: %v", name, err, nextOK)
		}
	}
	step("before", true, false)
	update(&samltest.IdP{EntityID: samlEntity, Keys: slices.Concat(old.Keys, next.Keys)})
	step("during the roll-over", true, true)
	update(next)
	step("after it", false, true)
	alice := s.mustGetIDWith(next, "alice")

	s.mustIAM("DeleteSAMLProvider", "SAMLProviderArn", s.arn)
	step("without the provider", false, false)
	in := object{"IdentityPoolId": s.pool, "Logins": s.logins(next.Response(samltest.Options{Now: s.clock.Now(), NameID: "alice"}))}
	s.refuses(t, "without the provider", 400, refused{"NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		func() *answer { return s.call("GetId", nil, in) })
	s.mustIAM("CreateSAMLProvider", "Name", "corp", "SAMLMetadataDocument", string(next.Metadata()))
	step("made again", false, true)
	if again := s.mustGetIDWith(next, "alice"); again != alice {
		t.Errorf("the provider's users are other ones: got %s, want %s", again, alice)
	}

	// Metadata that ends.
	next.ValidUntil = s.clock.Now().Add(time.Minute)
	update(next)
	step("metadata that will end", false, true)
	s.mustAdvance(s.clock, time.Minute)
	step("metadata that has ended", false, false)

	// A pool that takes its logins no more.
	next.ValidUntil = time.Time{}
	update(next)
	step("metadata without an end", false, true)
	s.mustChangePool(s.pool, func(p *pool.Pool) { p.SAMLProviders = nil })
	step("a pool without the provider", false, false)
}

func (s *samlScene) mustGetIDWith(idp *samltest.IdP, nameID string) string {
	s.t.Helper()
	var out struct{ IdentityId string }
	response := idp.Response(samltest.Options{Now: s.clock.Now(), NameID: nameID})
	s.MustCall("GetId", nil, object{"IdentityPoolId": s.pool, "Logins": s.logins(response)}, &out)
	return out.IdentityId
}

// Principal tags from attributes: the defaults are who and for whom, and no attribute takes the place of the subject.
func TestSAMLPrincipalTags(t *testing.T) {
	t.Parallel()
	s := startSAML(t)
	alice := s.mustGetID("alice")
	tagged := strings.Replace(trust(s.pool, "authenticated"), `"sts:AssumeRoleWithWebIdentity"`, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, 1)
	response := s.idp.Response(samltest.Options{Now: s.clock.Now(), NameID: "alice", Attributes: map[string][]string{
		login.RoleAttribute: {"arn:aws:iam::" + Account + ":role/tagged," + s.arn}, "department": {"it"}, "sub": {"bob"}, "aud": {"x"},
	}})
	s.mustRole("tagged", tagged)
	for _, c := range []struct {
		tags      object
		condition string
		want      bool
	}{
		{object{"UseDefaults": true}, `{"StringEquals":{"aws:PrincipalTag/username":"alice","aws:PrincipalTag/client":"urn:amazon:webservices"}}`, true},
		{object{"UseDefaults": true}, `{"StringEquals":{"aws:PrincipalTag/username":"bob"}}`, false},
		{object{"PrincipalTags": object{"team": "department"}}, `{"StringEquals":{"aws:PrincipalTag/team":"it"}}`, true},
		{object{"PrincipalTags": object{"who": "sub"}}, `{"StringEquals":{"aws:PrincipalTag/who":"alice"}}`, true},
		{object{"PrincipalTags": object{"who": login.NameIDAttribute}}, `{"StringEquals":{"aws:PrincipalTag/who":"alice"}}`, true},
	} {
		in := object{"IdentityPoolId": s.pool, "IdentityProviderName": s.arn}
		for k, v := range c.tags {
			in[k] = v
		}
		s.MustCall("SetPrincipalTagAttributeMap", s.Admin(), in, nil)
		s.mustChangeRole("tagged", func(r *account.Role) {
			r.Inline = inline([]string{allow("cognito-identity:ListIdentityPools", "*", c.condition)})
		})
		out := &Vended{}
		s.MustCall("GetCredentialsForIdentity", nil, s.vend(alice, response, ""), out)
		if err := s.Call("ListIdentityPools", out.Signer(), object{"MaxResults": 1}, nil); (err == nil) != c.want {
			t.Errorf("%v, %s: got %v, want it allowed: %v", c.tags, c.condition, err, c.want)
		}
	}
}
