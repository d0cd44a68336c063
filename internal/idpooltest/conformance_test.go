package idpooltest

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"idpool/internal/account"
	"idpool/internal/config"
	"idpool/internal/pool"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
	"idpool/internal/testidp"
)

// The numbers in the names of these tests are those of the conformance checklist, spec cognito-identity §21; what is not
// here is in the other files of this package.

const (
	noGuests       = "Unauthenticated access is not supported for this identity pool."
	loginsMismatch = "Logins don't match. Please include at least one valid login for this identity or identity pool."
	badRoles       = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
	cognitoToken   = "Invalid login token. Can't pass in a Cognito token."
)

func forbidden(id string) string { return "Access to Identity '" + id + "' is forbidden." }

// token is an OpenID token of the pool's identity provider for the pool's client id.
func (s *Server) token(sub string, claims object) string {
	s.t.Helper()
	return s.MustMint(testidp.TokenRequest{Sub: sub, Aud: "dev-app", Alg: "ES256", Claims: claims})
}

func (s *Server) logins(sub string) map[string]string { return s.Logins(s.token(sub, nil)) }

// mustIdentity calls a public operation and returns the identity that it answers.
func (s *Server) mustIdentity(operation string, in object) string {
	s.t.Helper()
	var out struct{ IdentityId string }
	s.MustCall(operation, nil, in, &out)
	return out.IdentityId
}

func TestConformance07GetID(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	id := object{"IdentityPoolId": s.Dev.PoolID}
	seen := map[string]bool{}
	for _, body := range []string{`{"IdentityPoolId":"ID"}`, `{"IdentityPoolId":"ID"}`, `{"IdentityPoolId":"ID","Logins":{}}`, `{"IdentityPoolId":"ID","Logins":null,"AccountId":null}`,
		`{"IdentityPoolId":"ID","AccountId":"` + Account + `","New":{"a":[1]}}`} {
		got := s.post("GetId", nil, strings.ReplaceAll(body, "ID\"", s.Dev.PoolID+"\""))
		var out struct{ IdentityId string }
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 || seen[out.IdentityId] {
			t.Errorf("%s: got %d %s, want a new guest", body, got.status, got.body)
		}
		seen[out.IdentityId] = true
	}
	guests := len(s.MustIdentities(s.Dev.PoolID))
	first := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": s.logins("alice")})
	second := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": s.logins("alice")})
	if first != second || len(s.MustIdentities(s.Dev.PoolID)) != guests+1 {
		t.Errorf("got %s, then %s for one login, want one identity", first, second)
	}
	id["AccountId"] = "999999999999"
	s.refuses(t, "another account", 400, refused{"ResourceNotFoundException", "IdentityPool '" + s.Dev.PoolID + "' not found."},
		func() *answer { return s.call("GetId", nil, id) })
}

func TestConformance08NoGuests(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	guest := s.MustVend("")
	var other string
	for name, want := range map[string]string{
		"unknown":        "us-east-1:00000000-0000-4000-8000-000000000000",
		"another region": "eu-west-1" + strings.TrimPrefix(s.Dev.PoolID, "us-east-1"),
		"of an identity": guest.IdentityId,
		"odd":            "a:b",
	} {
		s.refuses(t, name, 400, refused{"ResourceNotFoundException", "IdentityPool '" + want + "' not found."},
			func() *answer { return s.call("GetId", nil, object{"IdentityPoolId": want}) })
		other = "us-east-1:ffffffff-0000-4000-8000-000000000000"
		s.refuses(t, "identity", 400, refused{"ResourceNotFoundException", "Identity '" + other + "' not found."},
			func() *answer { return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": other}) })
	}
	// Guests that are switched off are off at once, for identities of before too (security D5).
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.AllowUnauthenticated = false })
	for operation, in := range map[string]object{
		"GetId": {"IdentityPoolId": s.Dev.PoolID}, "GetCredentialsForIdentity": {"IdentityId": guest.IdentityId}, "GetOpenIdToken": {"IdentityId": guest.IdentityId},
	} {
		s.refuses(t, operation, 400, refused{"NotAuthorizedException", noGuests}, func() *answer { return s.call(operation, nil, in) })
	}
	// A guest of before can still become somebody.
	if got := s.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": guest.IdentityId, "Logins": s.logins("alice")}); got != guest.IdentityId {
		t.Errorf("got %s, want the guest with a login", got)
	}
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.AllowUnauthenticated = true })
	s.refuses(t, "no way back", 400, refused{"NotAuthorizedException", forbidden(guest.IdentityId)},
		func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest.IdentityId})
		})
}

func TestConformance11To13Identities(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice, bob, guest := s.MustGetID("alice"), s.MustGetID("bob"), s.MustGetID("")
	for _, operation := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
		s.refuses(t, operation+" without logins", 400, refused{"NotAuthorizedException", forbidden(alice)},
			func() *answer { return s.call(operation, nil, object{"IdentityId": alice}) })
		for _, sub := range []string{"bob", "carol"} {
			s.refuses(t, operation+" as "+sub, 400, refused{"NotAuthorizedException", loginsMismatch},
				func() *answer { return s.call(operation, nil, object{"IdentityId": alice, "Logins": s.logins(sub)}) })
		}
	}
	if got := s.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": s.logins("bob")}); got != bob {
		t.Errorf("a guest with a known login: got %s, want the known identity %s", got, bob)
	}
	for name, in := range map[string]object{"without logins": {"IdentityId": guest}, "with them": {"IdentityId": guest, "Logins": s.logins("bob")}} {
		s.refuses(t, "the guest, "+name, 400, refused{"NotAuthorizedException", forbidden(guest)},
			func() *answer { return s.call("GetCredentialsForIdentity", nil, in) })
	}
	for hide, want := range map[bool][]string{false: {alice, bob, guest}, true: {alice, bob}} {
		var out struct{ Identities []struct{ IdentityId string } }
		s.MustCall("ListIdentities", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 60, "HideDisabled": hide}, &out)
		var got []string
		for _, i := range out.Identities {
			got = append(got, i.IdentityId)
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("HideDisabled %v: got %v, want %v", hide, got, want)
		}
	}
}

func TestConformance14Roles(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice := s.MustGetID("alice")
	tagged := strings.Replace(trust(s.Dev.PoolID, "authenticated"), `"sts:AssumeRoleWithWebIdentity"`, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, 1)
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	roles := func(arn string) {
		s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.Roles = map[string]string{pool.Authenticated: arn} })
	}
	vend := func() *answer {
		return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": alice, "Logins": s.logins("alice")})
	}
	for name, prepare := range map[string]func(){
		"no roles": func() { s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.Roles = nil }) },
		"only guests' role": func() {
			s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.Roles = map[string]string{pool.Unauthenticated: s.Dev.GuestRoleARN} })
		},
		"unknown role":    func() { roles("arn:aws:iam::" + Account + ":role/gone") },
		"another account": func() { roles("arn:aws:iam::999999999999:role/dev-authenticated") },
		"another pool": func() {
			roles(s.mustRole("other-pool", trust("us-east-1:00000000-0000-4000-8000-000000000000", "authenticated")))
		},
		"guests alone": func() { roles(s.mustRole("guests", trust(s.Dev.PoolID, "unauthenticated"))) },
		"another principal": func() {
			roles(s.mustRole("principal", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`))
		},
		"an explicit deny": func() {
			roles(s.mustRole("denies", strings.Replace(trust(s.Dev.PoolID, "authenticated"), `"Statement":[`,
				`"Statement":[{"Effect":"Deny","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:*"},`, 1)))
		},
		"tags without sts:TagSession": func() {
			roles(s.mustRole("untagged", trust(s.Dev.PoolID, "authenticated")))
			s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.PrincipalTags = map[string]pool.TagMap{provider: {Defaults: true}} })
		},
	} {
		s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.PrincipalTags = nil })
		prepare()
		s.refuses(t, name, 400, refused{"InvalidIdentityPoolConfigurationException", badRoles}, vend)
	}
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.PrincipalTags = map[string]pool.TagMap{provider: {Defaults: true}} })
	roles(s.mustRole("tagged", tagged))
	if got := vend(); got.status != 200 {
		t.Errorf("tags with sts:TagSession: got %d %s, want credentials", got.status, got.body)
	}
}

func TestConformance15RoleMapping(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	a, b := s.mustRole("a", trust(s.Dev.PoolID, "authenticated")), s.mustRole("b", trust(s.Dev.PoolID, "authenticated"))
	rule := func(claim, match, value, role string) object {
		return object{"Claim": claim, "MatchType": match, "Value": value, "RoleARN": role}
	}
	set := func(ambiguous string) {
		s.MustCall("SetIdentityPoolRoles", s.Admin(), object{
			"IdentityPoolId": s.Dev.PoolID, "Roles": object{"authenticated": s.Dev.AuthenticatedRoleARN},
			"RoleMappings": object{provider: object{"Type": "Rules", "AmbiguousRoleResolution": ambiguous, "RulesConfiguration": object{"Rules": []object{
				rule("team", "Equals", "red", a), rule("team", "StartsWith", "re", b), rule("groups", "Contains", "ops", b), rule("level", "NotEqual", "1", a),
			}}}},
		}, nil)
	}
	denied := refused{"NotAuthorizedException", "The ambiguous role mapping rules for: " + provider + " denied this request."}
	for _, c := range []struct {
		name      string
		claims    object
		custom    string
		ambiguous string
		role      string // the name; empty where want says what is refused
		want      refused
	}{
		{"equals", object{"team": "red"}, "", "Deny", "a", refused{}},
		{"the first rule wins, the next may be asked for", object{"team": "red"}, b, "Deny", "b", refused{}},
		{"starts with", object{"team": "reed"}, "", "Deny", "b", refused{}},
		{"contains", object{"groups": []string{"dev", "ops"}}, "", "Deny", "b", refused{}},
		{"not equal", object{"level": 2}, "", "Deny", "a", refused{}},
		{"not equal, missing", object{}, "", "Deny", "", denied},
		{"another case", object{"team": "RED"}, "", "Deny", "", denied},
		{"a pattern", object{"team": "*"}, "", "Deny", "", denied},
		{"an object", object{"team": object{"red": 1}}, "", "Deny", "", denied},
		{"nothing matches", object{"team": "blue"}, "", "AuthenticatedRole", "dev-authenticated", refused{}},
		{"a role of no rule", object{"team": "red"}, s.Dev.AuthenticatedRoleARN, "Deny", "", refused{"NotAuthorizedException", "Access to Role '" + s.Dev.AuthenticatedRoleARN + "' is forbidden."}},
		{"the guests' role", object{"team": "red"}, s.Dev.GuestRoleARN, "AuthenticatedRole", "", refused{"NotAuthorizedException", "Access to Role '" + s.Dev.GuestRoleARN + "' is forbidden."}},
		{"a role with a space", object{"team": "red"}, a + " ", "Deny", "", refused{"NotAuthorizedException", "Access to Role '" + a + " ' is forbidden."}},
	} {
		set(c.ambiguous)
		in := object{"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.token("alice", c.claims))}
		if c.custom != "" {
			in["CustomRoleArn"] = c.custom
		}
		if c.role == "" {
			s.refuses(t, c.name, 400, c.want, func() *answer { return s.call("GetCredentialsForIdentity", nil, in) })
			continue
		}
		var out Vended
		s.MustCall("GetCredentialsForIdentity", nil, in, &out)
		if got, err := s.WhoAmI(out.Signer()); err != nil || got != "arn:aws:sts::"+Account+":assumed-role/"+c.role+"/CognitoIdentityCredentials" {
			t.Errorf("%s: got %s, %v, want a session of %s", c.name, got, err, c.role)
		}
	}
}

// TestConformance16Classic: the three states of the switch, under both settings of the server.
func TestConformance16Classic(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	const off, mapped = "Basic (classic) flow is not enabled, please use enhanced flow.", "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow."
	for _, whenUnset := range []bool{true, false} {
		s := Start(t, Options{Configure: func(c *config.Config) { c.ClassicWhenUnset = whenUnset }})
		guest, alice := s.MustGetID(""), s.MustGetID("alice")
		unset := off
		if whenUnset {
			unset = ""
		}
		provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
		mapping := map[string]pool.RoleMapping{provider: {Type: pool.TypeRules, Ambiguous: pool.Deny, Rules: []pool.Rule{{Claim: "c", MatchType: pool.Equals, Value: "v", RoleARN: s.Dev.AuthenticatedRoleARN}}}}
		for _, c := range []struct {
			name     string
			allowed  *bool
			mappings map[string]pool.RoleMapping
			want     string
		}{
			{"on", &yes, nil, ""}, {"off", &no, nil, off}, {"unset", nil, nil, unset}, {"mapped", &yes, mapping, mapped}, {"off and mapped", &no, mapping, mapped},
		} {
			s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.AllowClassic, p.RoleMappings = c.allowed, c.mappings })
			for who, in := range map[string]object{"guest": {"IdentityId": guest}, "login": {"IdentityId": alice, "Logins": s.logins("alice")}, "new login": {"IdentityId": guest, "Logins": s.logins("zoe")}} {
				if who == "new login" && c.want == "" {
					continue // the guest would be one no more
				}
				name := c.name + ", " + who
				if c.want != "" {
					s.refuses(t, name, 400, refused{"InvalidParameterException", c.want}, func() *answer { return s.call("GetOpenIdToken", nil, in) })
				} else if got := s.call("GetOpenIdToken", nil, in); got.status != 200 {
					t.Errorf("%s: got %d %s, want a token", name, got.status, got.body)
				}
			}
		}
	}
}

// TestConformance17Token verifies our tokens as a relying party does: by the discovery document and the keys it names.
func TestConformance17Token(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Clock: newClock().Now})
	var discovery struct {
		Issuer     string   `json:"issuer"`
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	s.mustGetJSON("/.well-known/openid-configuration", &discovery)
	path, ok := strings.CutPrefix(discovery.Keys, discovery.Issuer)
	if discovery.Issuer != "https://idpool.test" || !ok || path != "/.well-known/jwks_uri" || !slices.Equal(discovery.Algorithms, []string{"RS512"}) {
		t.Fatalf("got the discovery document %+v", discovery)
	}
	var keys jose.JSONWebKeySet
	s.mustGetJSON(path, &keys)
	for i := range keys.Keys {
		k := &keys.Keys[i]
		public, ok := k.Key.(*rsa.PublicKey)
		if !ok || k.Use != "sig" || k.Algorithm != "RS512" || k.KeyID == "" || public.N.BitLen() < 2048 || !k.IsPublic() {
			t.Errorf("got the key %+v, want a public RSA key for RS512", k)
		}
	}
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.DeveloperProvider = "login.corp.app" })
	alice, guest := s.MustGetID("alice"), s.MustGetID("")
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	now := noon.Unix()
	want := func(sub string, amr []any, life int64, more object) object {
		out := object{"iss": "https://idpool.test", "sub": sub, "aud": s.Dev.PoolID, "amr": amr, "iat": float64(now), "exp": float64(now + life),
			"https://cognito-identity.amazonaws.com/identity-pool-arn": poolARN(s.Dev.PoolID)}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	developer := []any{"authenticated", "login.corp.app", "login.corp.app:" + s.Dev.PoolID + ":user1"}
	user := object{"IdentityPoolId": s.Dev.PoolID, "Logins": map[string]string{"login.corp.app": "user1"}}
	with := func(name string, v any) object {
		return object{"IdentityPoolId": s.Dev.PoolID, "Logins": map[string]string{"login.corp.app": "user1"}, name: v}
	}
	for _, c := range []struct {
		name, operation string
		in              object
		want            func(id string) object
	}{
		{"guest", "GetOpenIdToken", object{"IdentityId": guest}, func(string) object { return want(guest, []any{"unauthenticated"}, 600, nil) }},
		{"login", "GetOpenIdToken", object{"IdentityId": alice, "Logins": s.logins("alice")},
			func(string) object {
				return want(alice, []any{"authenticated", s.IdP.Key, provider + ":OIDC:alice"}, 600, nil)
			}},
		{"developer", "GetOpenIdTokenForDeveloperIdentity", user, func(id string) object { return want(id, developer, 900, nil) }},
		{"developer, a day", "GetOpenIdTokenForDeveloperIdentity", with("TokenDuration", 86400), func(id string) object { return want(id, developer, 86400, nil) }},
		{"developer, tags", "GetOpenIdTokenForDeveloperIdentity", with("PrincipalTags", object{"team": "red"}), func(id string) object {
			return want(id, developer, 900, object{"https://aws.amazon.com/tags": object{"principal_tags": object{"team": []any{"red"}}}})
		}},
	} {
		signer := s.Admin()
		if c.operation == "GetOpenIdToken" {
			signer = nil
		}
		var out struct{ IdentityId, Token string }
		s.MustCall(c.operation, signer, c.in, &out)
		token, err := jwt.ParseSigned(out.Token, []jose.SignatureAlgorithm{jose.RS512})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if h := token.Headers[0]; h.Algorithm != "RS512" || h.ExtraHeaders[jose.HeaderType] != "JWS" || h.KeyID == "" {
			t.Errorf("%s: got the header %+v, want RS512, JWS and a key id", c.name, h)
		}
		got := object{}
		if err := token.Claims(keys, &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(got, c.want(out.IdentityId)); d != "" {
			t.Errorf("%s: claims (-got +want):\n%s", c.name, d)
		}
	}
}

func (s *Server) mustGetJSON(path string, out any) {
	s.t.Helper()
	got := s.send(http.MethodGet, path, http.Header{}, "")
	if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		s.t.Fatalf("GET %s: got %d %v", path, got.status, got.header)
	}
	if err := json.Unmarshal([]byte(got.body), out); err != nil {
		s.t.Fatal(err)
	}
}

// TestConformance18Developers: create, repeat, link, conflict, look up in three ways, merge, unlink.
func TestConformance18Developers(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.DeveloperProvider = "login.corp.app" })
	token := func(in object) *answer {
		body := object{"IdentityPoolId": s.Dev.PoolID}
		for k, v := range in {
			body[k] = v
		}
		return s.call("GetOpenIdTokenForDeveloperIdentity", s.Admin(), body)
	}
	id := func(in object) string {
		t.Helper()
		var out struct{ IdentityId string }
		got := token(in)
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 {
			t.Fatalf("%v: got %d %s", in, got.status, got.body)
		}
		return out.IdentityId
	}
	as := func(user string) map[string]string { return map[string]string{"login.corp.app": user} }
	one, guest, alice := id(object{"Logins": as("one")}), s.MustGetID(""), s.MustGetID("alice")
	if again := id(object{"Logins": as("one")}); again != one {
		t.Errorf("the same user: got %s, want %s", again, one)
	}
	if upper := id(object{"Logins": as("ONE")}); upper == one {
		t.Error("users that differ in case are one")
	}
	if got := id(object{"Logins": as("two"), "IdentityId": guest}); got != guest {
		t.Errorf("a guest's id: got %s, want %s", got, guest)
	}
	for name, c := range map[string]struct {
		in   object
		want refused
	}{
		"another's user": {object{"Logins": as("one"), "IdentityId": guest},
			refused{"DeveloperUserAlreadyRegisteredException", "The developer user identifier is already registered with another identity."}},
		"an identity without its login": {object{"Logins": as("three"), "IdentityId": alice}, refused{"NotAuthorizedException", loginsMismatch}},
		"a token of ours beside it": {object{"Logins": map[string]string{"login.corp.app": "four", "cognito-identity.amazonaws.com": "x"}},
			refused{"NotAuthorizedException", cognitoToken}},
		"a bad token beside it": {object{"Logins": map[string]string{"login.corp.app": "four", s.IdP.Key: "x"}},
			refused{"NotAuthorizedException", "Invalid login token. Not a valid OpenId Connect identity token."}},
		"a tag that is none": {object{"Logins": as("five"), "PrincipalTags": object{"aws:x": "y"}}, refused{"InvalidParameterException", "Invalid principal tag: aws:x"}},
		"too long":           {object{"Logins": as(strings.Repeat("u", 1025))}, refused{"InvalidParameterException", "A developer user identifier has at most 1024 bytes."}},
	} {
		s.refuses(t, name, 400, c.want, func() *answer { return token(c.in) })
	}
	if got := id(object{"Logins": map[string]string{"login.corp.app": "three", s.IdP.Key: s.token("alice", nil)}, "IdentityId": alice}); got != alice {
		t.Errorf("an identity with its login: got %s, want %s", got, alice)
	}

	lookup := func(in object) *answer {
		in["IdentityPoolId"] = s.Dev.PoolID
		return s.call("LookupDeveloperIdentity", s.Admin(), in)
	}
	for name, in := range map[string]object{"by user": {"DeveloperUserIdentifier": "one"}, "by identity": {"IdentityId": one}, "both": {"IdentityId": one, "DeveloperUserIdentifier": "one"}} {
		if got, want := lookup(in), `{"IdentityId":"`+one+`","DeveloperUserIdentifierList":["one"]}`; got.body != want {
			t.Errorf("%s: got %s, want %s", name, got.body, want)
		}
	}
	merge := func(from, to string) *answer {
		return s.call("MergeDeveloperIdentities", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "DeveloperProviderName": "login.corp.app", "SourceUserIdentifier": from, "DestinationUserIdentifier": to})
	}
	for range 2 { // the second time they are one already
		if got, want := merge("two", "one"), `{"IdentityId":"`+one+`"}`; got.status != 200 || got.body != want {
			t.Errorf("merge: got %d %s, want %s", got.status, got.body, want)
		}
	}
	s.refuses(t, "the merged one", 400, refused{"NotAuthorizedException", forbidden(guest)},
		func() *answer { return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest}) })
	for _, user := range []string{"one", "two"} {
		got := s.call("UnlinkDeveloperIdentity", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "DeveloperProviderName": "login.corp.app", "IdentityId": one, "DeveloperUserIdentifier": user})
		if got.status != 200 || got.body != "" {
			t.Errorf("unlink: got %d %s", got.status, got.body)
		}
	}
	s.refuses(t, "an identity that is nobody's", 400, refused{"NotAuthorizedException", forbidden(one)},
		func() *answer { return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": one}) })
	if fresh := id(object{"Logins": as("one")}); fresh == one {
		t.Error("an unlinked user came back to his old identity")
	}
}

// TestDeveloperTokens: a token of ours leads to the one identity and pool that it was made for (security D11).
func TestDeveloperTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.DeveloperProvider = "login.corp.app" })
	other := s.mustPool(object{"AllowUnauthenticatedIdentities": true, "DeveloperProviderName": "login.corp.app"})
	mint := func(poolID, user string) (id, token string) {
		var out struct{ IdentityId, Token string }
		s.MustCall("GetOpenIdTokenForDeveloperIdentity", s.Admin(), object{"IdentityPoolId": poolID, "Logins": object{"login.corp.app": user}}, &out)
		return out.IdentityId, out.Token
	}
	one, token := mint(s.Dev.PoolID, "one")
	two, _ := mint(s.Dev.PoolID, "two")
	_, foreign := mint(other, "one")
	guest := s.MustGetID("")
	var guestToken struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": guest}, &guestToken)
	own := func(token string) object { return object{"cognito-identity.amazonaws.com": token} }
	elsewhere := Start(t, Options{Clock: c.Now})
	var theirs struct{ Token string }
	elsewhere.MustCall("GetOpenIdToken", nil, object{"IdentityId": elsewhere.MustGetID("alice"), "Logins": elsewhere.logins("alice")}, &theirs)

	vended := &Vended{}
	s.MustCall("GetCredentialsForIdentity", nil, object{"IdentityId": one, "Logins": own(token)}, vended)
	if arn, err := s.WhoAmI(vended.Signer()); err != nil || arn != "arn:aws:sts::"+Account+":assumed-role/dev-authenticated/CognitoIdentityCredentials" {
		t.Errorf("got %s, %v, want the role for authenticated identities", arn, err)
	}
	const none = "Invalid login token. Not a Cognito token."
	for name, row := range map[string]struct {
		operation string
		in        object
		want      string
	}{
		"another identity":      {"GetCredentialsForIdentity", object{"IdentityId": two, "Logins": own(token)}, none},
		"a guest":               {"GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": own(token)}, none},
		"another pool's":        {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own(foreign)}, none},
		"a guest's":             {"GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": own(guestToken.Token)}, none},
		"another server's":      {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own(theirs.Token)}, none},
		"somebody's own":        {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own(s.token("alice", nil))}, none},
		"cut":                   {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own(token[:len(token)-1])}, none},
		"no token":              {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own("x")}, none},
		"beside another login":  {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": object{"cognito-identity.amazonaws.com": token, s.IdP.Key: s.token("alice", nil)}}, none},
		"as a provider's":       {"GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": object{s.IdP.Key: token}}, "Invalid login token. Not a valid OpenId Connect identity token."},
		"to GetId":              {"GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": own(token)}, cognitoToken},
		"to GetOpenIdToken":     {"GetOpenIdToken", object{"IdentityId": one, "Logins": own(token)}, cognitoToken},
		"to UnlinkIdentity":     {"UnlinkIdentity", object{"IdentityId": one, "Logins": own(token), "LoginsToRemove": []string{"login.corp.app"}}, cognitoToken},
		"another role for it":   {"GetCredentialsForIdentity", object{"IdentityId": one, "Logins": own(token), "CustomRoleArn": s.Dev.GuestRoleARN}, "Access to Role '" + s.Dev.GuestRoleARN + "' is forbidden."},
		"the user, as a public": {"GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{"login.corp.app": "one"}}, "Please provide a valid public provider."},
	} {
		code := "NotAuthorizedException"
		if strings.HasPrefix(row.want, "Please") {
			code = "InvalidParameterException"
		}
		s.refuses(t, name, 400, refused{code, row.want}, func() *answer { return s.call(row.operation, nil, row.in) })
	}
	// A merged user's token leads nowhere: not to the identity that it names, nor to that which has its login now.
	moved, movedToken := mint(s.Dev.PoolID, "moved")
	s.MustCall("MergeDeveloperIdentities", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "DeveloperProviderName": developer,
		"SourceUserIdentifier": "moved", "DestinationUserIdentifier": "one"}, nil)
	for id, want := range map[string]string{moved: forbidden(moved), one: none} {
		s.refuses(t, "a merged user's, for "+id, 400, refused{"NotAuthorizedException", want},
			func() *answer {
				return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": own(movedToken)})
			})
	}
	s.mustAdvance(c, 900*time.Second)
	now, exp := noon.Unix()+900, noon.Unix()+900
	s.refuses(t, "ended", 400, refused{"NotAuthorizedException", "Invalid login token. Token expired: " + strconv.FormatInt(now, 10) + " >= " + strconv.FormatInt(exp, 10)},
		func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": one, "Logins": own(token)})
		})
}

func TestConformance19Unlink(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice, bob := s.MustGetID("alice"), s.MustGetID("bob")
	guest := s.MustGetID("")
	unlink := func(id string, logins map[string]string, remove ...string) *answer {
		return s.call("UnlinkIdentity", nil, object{"IdentityId": id, "Logins": logins, "LoginsToRemove": remove})
	}
	for name, c := range map[string]struct {
		call func() *answer
		want refused
	}{
		"another's login":  {func() *answer { return unlink(alice, s.logins("bob"), s.IdP.Key) }, refused{"NotAuthorizedException", loginsMismatch}},
		"a new login":      {func() *answer { return unlink(alice, s.logins("carol"), s.IdP.Key) }, refused{"NotAuthorizedException", loginsMismatch}},
		"no login":         {func() *answer { return unlink(alice, map[string]string{}, s.IdP.Key) }, refused{"NotAuthorizedException", forbidden(alice)}},
		"a guest":          {func() *answer { return unlink(guest, s.logins("alice"), s.IdP.Key) }, refused{"NotAuthorizedException", loginsMismatch}},
		"another provider": {func() *answer { return unlink(alice, s.logins("alice"), "accounts.google.com") }, refused{"NotAuthorizedException", loginsMismatch}},
		"a key twice":      {func() *answer { return unlink(alice, s.logins("alice"), s.IdP.Key, s.IdP.Key) }, refused{"NotAuthorizedException", loginsMismatch}},
		"a bad token": {func() *answer { return unlink(alice, s.Logins("x"), s.IdP.Key) },
			refused{"NotAuthorizedException", "Invalid login token. Not a valid OpenId Connect identity token."}},
		"unknown": {func() *answer {
			return unlink("us-east-1:00000000-0000-4000-8000-000000000000", s.logins("alice"), s.IdP.Key)
		},
			refused{"ResourceNotFoundException", "Identity 'us-east-1:00000000-0000-4000-8000-000000000000' not found."}},
	} {
		s.refuses(t, name, 400, c.want, c.call)
	}
	if got := unlink(alice, s.logins("alice"), s.IdP.Key); got.status != 200 || got.body != "" {
		t.Fatalf("got %d %s, want an empty answer", got.status, got.body)
	}
	s.refuses(t, "the empty identity without logins", 400, refused{"NotAuthorizedException", forbidden(alice)},
		func() *answer { return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": alice}) })
	s.refuses(t, "the empty identity with its old login", 400, refused{"NotAuthorizedException", loginsMismatch},
		func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": alice, "Logins": s.logins("alice")})
		})
	if fresh := s.MustGetID("alice"); fresh == alice || fresh == bob {
		t.Errorf("got %s, want a new identity for the freed login", fresh)
	}
}

// TestDeletedIdentities: ids are never used again, logins are free (security D7).
func TestDeletedIdentities(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice := s.MustGetID("alice")
	s.MustCall("DeleteIdentities", s.Admin(), object{"IdentityIdsToDelete": []string{alice, alice, "us-east-1:00000000-0000-4000-8000-000000000000"}}, nil)
	for name, in := range map[string]object{"login": {"IdentityId": alice, "Logins": s.logins("alice")}, "guest": {"IdentityId": alice}} {
		s.refuses(t, name, 400, refused{"ResourceNotFoundException", "Identity '" + alice + "' not found."},
			func() *answer { return s.call("GetCredentialsForIdentity", nil, in) })
	}
	if fresh := s.MustGetID("alice"); fresh == alice {
		t.Error("a deleted id came back")
	}
}

// TestDeletedPool: its identities are gone for everybody and at once, though their rows are deleted later.
func TestDeletedPool(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{WrapStore: func(inner *store.Store) *store.Store {
		fails := storetest.NewFaulty(inner)
		for range 100 {
			fails.FailNext(storetest.IdentitiesPurge, storetest.Before, errBroken)
		}
		return fails.Store
	}})
	poolID := s.mustPool(object{"AllowUnauthenticatedIdentities": true})
	guest := s.mustIdentity("GetId", object{"IdentityPoolId": poolID})
	s.MustCall("DeleteIdentityPool", s.Admin(), object{"IdentityPoolId": poolID}, nil)
	if n := len(s.MustIdentities(poolID)); n != 1 {
		t.Fatalf("got %d rows, want that of the guest still there", n)
	}
	notFound := refused{"ResourceNotFoundException", "Identity '" + guest + "' not found."}
	for operation, in := range map[string]object{
		"GetCredentialsForIdentity": {"IdentityId": guest}, "GetOpenIdToken": {"IdentityId": guest},
		"UnlinkIdentity": {"IdentityId": guest, "Logins": s.logins("alice"), "LoginsToRemove": []string{s.IdP.Key}},
	} {
		s.refuses(t, operation, 400, notFound, func() *answer { return s.call(operation, nil, in) })
	}
	s.refuses(t, "DescribeIdentity", 400, notFound, func() *answer { return s.call("DescribeIdentity", s.Admin(), object{"IdentityId": guest}) })
	for _, operation := range []string{"DeleteIdentityPool", "DescribeIdentityPool"} {
		s.refuses(t, operation, 400, refused{"ResourceNotFoundException", "IdentityPool '" + poolID + "' not found."},
			func() *answer { return s.call(operation, s.Admin(), object{"IdentityPoolId": poolID}) })
	}
}

func TestConformance20Update(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	id := s.mustPool(object{"DeveloperProviderName": "login.corp.app", "IdentityPoolTags": object{"k": "v"}, "AllowClassicFlow": true,
		"SupportedLoginProviders": object{"accounts.google.com": "g"}, "AllowUnauthenticatedIdentities": true})
	s.MustCall("SetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": id, "Roles": object{"authenticated": s.Dev.AuthenticatedRoleARN}}, nil)
	rename := object{"IdentityPoolId": id, "IdentityPoolName": "renamed", "AllowUnauthenticatedIdentities": false}
	want := `{"IdentityPoolId":"` + id + `","IdentityPoolName":"renamed","AllowUnauthenticatedIdentities":false,"DeveloperProviderName":"login.corp.app","IdentityPoolTags":{"k":"v"}}`
	if got := s.call("UpdateIdentityPool", s.Admin(), rename); got.body != want {
		t.Errorf("update: got %s, want %s", got.body, want)
	}
	if got := s.call("DescribeIdentityPool", s.Admin(), object{"IdentityPoolId": id}); got.body != want {
		t.Errorf("describe: got %s, want %s", got.body, want)
	}
	if got := s.call("GetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": id}); !strings.Contains(got.body, s.Dev.AuthenticatedRoleARN) {
		t.Errorf("roles: got %s, want them as before", got.body)
	}
	rename["DeveloperProviderName"] = "another"
	s.refuses(t, "another developer name", 400, refused{"InvalidParameterException", "The developer provider name cannot be changed."},
		func() *answer { return s.call("UpdateIdentityPool", s.Admin(), rename) })
}

func TestConformance21SetRoles(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	set := func(roles, mappings any) *answer {
		return s.call("SetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "Roles": roles, "RoleMappings": mappings})
	}
	rules := object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": object{"Rules": []object{{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": s.Dev.GuestRoleARN}}}}
	for _, key := range []string{"https://" + s.IdP.Key, s.IdP.Key, "accounts.google.com", "cognito-idp.us-east-1.amazonaws.com/us-east-1_x", "arn:aws:iam::" + Account + ":oidc-provider/other"} {
		s.refuses(t, key, 400, refused{"InvalidParameterException", key + " is not a valid RoleMapping ProviderName or is not a configured provider."},
			func() *answer { return set(object{}, object{key: rules}) })
	}
	if got := set(object{}, object{}); got.status != 200 || got.body != "" {
		t.Errorf("empty maps: got %d %s", got.status, got.body)
	}
	if got, want := s.call("GetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID}), `{"IdentityPoolId":"`+s.Dev.PoolID+`","Roles":{}}`; got.body != want {
		t.Errorf("after clearing: got %s, want %s", got.body, want)
	}
}

// TestConformance22PrincipalTags: claims become tags of the token and of the session, where a policy reads them as they
// are (security E9).
func TestConformance22PrincipalTags(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	s.MustCall("SetPrincipalTagAttributeMap", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "IdentityProviderName": provider,
		"PrincipalTags": object{"team": "team", "absent": "absent"}}, nil)
	s.mustChangeRole("dev-authenticated", func(r *account.Role) {
		r.Trust = strings.Replace(trust(s.Dev.PoolID, "authenticated"), `"sts:AssumeRoleWithWebIdentity"`, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, 1)
		r.Inline = map[string]string{"p": allow("cognito-identity:DescribeIdentityPool", "arn:aws:cognito-identity:*:*:identitypool/${aws:PrincipalTag/team}", "")}
	})
	describe := func(team any) refused {
		t.Helper()
		vended := &Vended{}
		s.MustCall("GetCredentialsForIdentity", nil, object{"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.token("alice", object{"team": team}))}, vended)
		got := s.call("DescribeIdentityPool", vended.Signer(), object{"IdentityPoolId": s.Dev.PoolID})
		return refused{got.refusal().code, ""}
	}
	for name, c := range map[string]struct {
		team any
		want string
	}{
		"the pool":        {s.Dev.PoolID, ""},
		"the pool, alone": {[]string{s.Dev.PoolID}, ""},
		"another":         {"red", "AccessDeniedException"},
		"none":            {nil, "AccessDeniedException"},
		"several":         {[]string{s.Dev.PoolID, "red"}, "AccessDeniedException"},
	} {
		if got := describe(c.team); got.code != c.want {
			t.Errorf("%s: got %q, want %q", name, got.code, c.want)
		}
	}
	for _, hostile := range []string{"*", "${aws:username}", "?", "a,b", strings.Repeat("a", 257)} {
		got := s.call("GetCredentialsForIdentity", nil, object{"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.token("alice", object{"team": hostile}))})
		if want := (refused{"NotAuthorizedException", "Invalid principal tag: team"}); got.refusal() != want {
			t.Errorf("%q: got %+v, want %+v", hostile, got.refusal(), want)
		}
	}
	var out struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.token("alice", object{"team": "red"}))}, &out)
	token, err := jwt.ParseSigned(out.Token, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Tags object `json:"https://aws.amazon.com/tags"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(claims.Tags, object{"principal_tags": object{"team": []any{"red"}}}); d != "" {
		t.Errorf("tags of the token (-got +want):\n%s", d)
	}
}

// TestConformance23Tags: the ARN of a pool holds a colon of its own.
func TestConformance23Tags(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	id := s.mustPool(nil)
	for name, c := range map[string]struct {
		arn  string
		want refused
	}{
		"no ARN":          {"identitypool/us-east-1:x____", refused{"InvalidParameterException", "Invalid ARN: identitypool/us-east-1:x____"}},
		"another service": {"arn:aws:s3:us-east-1:111122223333:identitypool/" + id, refused{"InvalidParameterException", "Invalid ARN: arn:aws:s3:us-east-1:111122223333:identitypool/" + id}},
		"another account": {"arn:aws:cognito-identity:us-east-1:999999999999:identitypool/" + id, refused{"NotAuthorizedException", "Access to this identity pool is forbidden."}},
		"another region": {"arn:aws:cognito-identity:eu-west-1:111122223333:identitypool/" + id,
			refused{"ResourceNotFoundException", "Resource arn:aws:cognito-identity:eu-west-1:111122223333:identitypool/" + id + " not found."}},
		"unknown pool": {poolARN("us-east-1:0"), refused{"ResourceNotFoundException", "Resource " + poolARN("us-east-1:0") + " not found."}},
	} {
		for operation, more := range map[string]object{"ListTagsForResource": nil, "TagResource": {"Tags": object{"a": "b"}}, "UntagResource": {"TagKeys": []string{"a"}}} {
			in := object{"ResourceArn": c.arn}
			for k, v := range more {
				in[k] = v
			}
			s.refuses(t, operation+" "+name, 400, c.want, func() *answer { return s.call(operation, s.Admin(), in) })
		}
	}
	tags := object{}
	for i := range 51 {
		tags["k"+strconv.Itoa(i)] = "v"
	}
	for name, c := range map[string]struct {
		tags object
		want string
	}{
		"reserved":   {object{"AWS:x": "y"}, "Invalid tag: AWS:x"},
		"characters": {object{"k": "a*"}, "Invalid tag: k"},
		"too many":   {tags, "A pool can have at most 50 tags."},
	} {
		s.refuses(t, name, 400, refused{"InvalidParameterException", c.want},
			func() *answer {
				return s.call("TagResource", s.Admin(), object{"ResourceArn": poolARN(id), "Tags": c.tags})
			})
	}
}

// TestPages: pages go on where they ended, for the one caller, pool and list, for an hour (security I12).
func TestPages(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	for range 5 {
		s.MustGetID("")
	}
	other := s.mustPool(nil)
	type page struct {
		Identities    []struct{ IdentityId string }
		IdentityPools []struct{ IdentityPoolId string }
		NextToken     string
	}
	list := func(in object) page {
		t.Helper()
		var out page
		s.MustCall("ListIdentities", s.Admin(), in, &out)
		return out
	}
	var all []string
	in := object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2}
	var tokens []string
	for {
		p := list(in)
		for _, i := range p.Identities {
			all = append(all, i.IdentityId)
		}
		if p.NextToken == "" {
			break
		}
		tokens = append(tokens, p.NextToken)
		in["NextToken"] = p.NextToken
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != 5 || len(tokens) != 2 {
		t.Fatalf("got %v in %d pages, want each of 5 once in 3 pages", all, len(tokens)+1)
	}
	somebody := s.mustUser("somebody", allow("*", "*", ""))
	session := s.MustVend("alice").Credentials.SessionToken
	token := tokens[0]
	flipped := []byte(token)
	flipped[len(flipped)/2] ^= 1
	for name, row := range map[string]struct {
		operation string
		in        object
		signer    string
	}{
		"another pool":    {"ListIdentities", object{"IdentityPoolId": other, "MaxResults": 2, "NextToken": token}, ""},
		"another list":    {"ListIdentityPools", object{"MaxResults": 2, "NextToken": token}, ""},
		"another caller":  {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": token}, "somebody"},
		"changed":         {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": string(flipped)}, ""},
		"cut":             {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": token[:len(token)-1]}, ""},
		"doubled":         {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": token + token}, ""},
		"a session token": {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": session}, ""},
		"made up":         {"ListIdentities", object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": "us-east-1:0"}, ""},
	} {
		signer := s.Admin()
		if row.signer != "" {
			signer = somebody
		}
		s.refuses(t, name, 400, refused{"InvalidParameterException", "Invalid NextToken."}, func() *answer { return s.call(row.operation, signer, row.in) })
	}
	s.mustAdvance(c, time.Hour)
	s.refuses(t, "an hour later", 400, refused{"InvalidParameterException", "Invalid NextToken."},
		func() *answer {
			return s.call("ListIdentities", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 2, "NextToken": token})
		})
}
