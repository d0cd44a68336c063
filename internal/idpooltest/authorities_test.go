package idpooltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"idpool/internal/authority"
	"idpool/internal/config"
	"idpool/internal/operate"
)

// foreign is the STS of another authority. It believes tokens of its own issuer alone, by the first key of the set.
type foreign struct {
	t      *testing.T
	web    *httptest.Server
	name   string
	issuer string
	roles  string // the beginning of their ARNs
	keys   func() []byte

	mu     sync.Mutex
	tokens []string
	forms  []url.Values
	// answers stands in for its own.
	answers http.HandlerFunc
}

func newForeign(t *testing.T, name, roles string) *foreign {
	f := &foreign{t: t, name: name, roles: roles, issuer: "https://idpool.test/authority/" + name}
	f.web = httptest.NewServer(f)
	t.Cleanup(f.web.Close)
	return f
}

// config is its entry.
func (f *foreign) config(t *testing.T, kind, algorithm string) config.Authority {
	p, err := authority.ParsePattern(f.roles + "*")
	if err != nil {
		t.Fatal(err)
	}
	return config.Authority{
		Name: f.name, Kind: kind, Endpoint: f.web.URL, Region: Region, Roles: []authority.Pattern{p}, Algorithm: algorithm,
		Duration: time.Hour, Timeout: 300 * time.Millisecond,
	}
}

func (f *foreign) answer(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = h
}

// believe verifies a token as the authority does.
func (f *foreign) believe(token string) (map[string]any, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(f.keys(), &set); err != nil {
		return nil, err
	}
	if len(set.Keys) == 0 || len(set.Keys[0].Certificates) != 1 {
		return nil, errors.New("no first key with a certificate")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(set.Keys[0].Algorithm)})
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	if err := parsed.Claims(set.Keys[0].Certificates[0].PublicKey, &claims); err != nil {
		return nil, err
	}
	if claims["iss"] != f.issuer {
		return nil, errors.New("another issuer")
	}
	return claims, nil
}

// ServeHTTP is AssumeRoleWithWebIdentity.
func (f *foreign) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		f.t.Error(err)
	}
	f.mu.Lock()
	f.tokens, f.forms = append(f.tokens, r.Form.Get("WebIdentityToken")), append(f.forms, r.Form)
	other := f.answers
	f.mu.Unlock()
	if other != nil {
		other(w, r)
		return
	}
	if _, err := f.believe(r.Form.Get("WebIdentityToken")); err != nil {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>no trust</Message></Error>`)
		return
	}
	_, _ = io.WriteString(w, f.minted(r.Form.Get("RoleArn"), time.Now().Add(time.Hour)))
}

func (f *foreign) minted(role string, end time.Time) string {
	session := strings.Replace(strings.Replace(role, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/CognitoIdentityCredentials"
	return `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>` + session + `</Arn></AssumedRoleUser>` +
		`<Credentials><AccessKeyId>KEYOF` + f.name + `</AccessKeyId><SecretAccessKey>SECRETOF` + f.name + `</SecretAccessKey><SessionToken>TOKENOF` + f.name +
		`</SessionToken><Expiration>` + end.UTC().Format(time.RFC3339) + `</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
}

// startForeign starts a server with two authorities, and gives the pool's roles to the first.
func startForeign(t *testing.T) (*Server, *foreign, *foreign) {
	one, two := newForeign(t, "one", "arn:aws:iam:::role/"), newForeign(t, "two", "arn:aws:iam::999999999999:role/")
	s := Start(t, Options{Configure: func(c *config.Config) {
		c.Authorities = []config.Authority{one.config(t, "ceph", "RS256"), two.config(t, "aws", "ES256")}
	}})
	for _, f := range []*foreign{one, two} {
		f.keys = func() []byte {
			return []byte(s.send(http.MethodGet, "/authority/"+f.name+"/.well-known/jwks_uri", http.Header{}, "").body)
		}
	}
	s.giveRoles(one.roles+"user", one.roles+"guest")
	return s, one, two
}

func (s *Server) giveRoles(user, guest string) {
	s.t.Helper()
	s.MustCall("SetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "Roles": object{"authenticated": user, "unauthenticated": guest}}, nil)
}

// A role decides who mints. Users and guests get credentials of the authority, and it gets a token that it can believe.
func TestOtherAuthoritiesMint(t *testing.T) {
	s, one, two := startForeign(t)
	var doc struct{ Issuer, JWKS_URI string }
	s.mustGetJSON("/authority/one/.well-known/openid-configuration", &doc)
	if doc.Issuer != one.issuer || doc.JWKS_URI != one.issuer+"/.well-known/jwks_uri" {
		t.Errorf("got the discovery document %+v", doc)
	}
	user, guest := s.MustVend("alice"), s.MustVend("")
	for _, got := range []*Vended{user, guest} {
		if got.Credentials.AccessKeyId != "KEYOFone" || got.Credentials.SecretKey != "SECRETOFone" || got.Credentials.SessionToken != "TOKENOFone" {
			t.Errorf("got %+v", got.Credentials)
		}
	}
	if one.forms[0].Get("Policy") != "" || !strings.Contains(one.forms[1].Get("Policy"), `"s3:*"`) {
		t.Errorf("got the policies %q and %q", one.forms[0].Get("Policy"), one.forms[1].Get("Policy"))
	}
	claims, err := one.believe(one.tokens[0])
	if err != nil || claims["sub"] != user.IdentityId || claims["aud"] != s.Dev.PoolID || fmt.Sprint(claims["amr"]) == "" {
		t.Errorf("got the claims %v, %v", claims, err)
	}
	records := s.Records()
	if last := records[len(records)-1]; last.Minted != "KEYOFone" || last.Role != one.roles+"guest" || strings.Contains(last.Identity, guest.IdentityId) {
		t.Errorf("got the event %+v", last)
	}
	s.giveRoles(two.roles+"user", s.Dev.GuestRoleARN)
	if got := s.MustVend("alice"); got.Credentials.AccessKeyId != "KEYOFtwo" || got.IdentityId != user.IdentityId {
		t.Errorf("got %+v", got)
	}
	if got := s.MustVend(""); !strings.HasPrefix(got.Credentials.AccessKeyId, "ASIA") {
		t.Errorf("a role of ours: got %+v", got)
	}
	if out := s.Output(); strings.Contains(out, "SECRETOF") || strings.Contains(out, "TOKENOF") || strings.Contains(out, one.tokens[0]) {
		t.Error("a secret is in an event or in the log")
	}
	if got := s.send(http.MethodGet, "/authority/three/.well-known/jwks_uri", http.Header{}, ""); got.status == http.StatusOK {
		t.Errorf("an authority that is not there has keys: %s", got.body)
	}
}

// TestAuthoritiesAreNotFlooded: one client has an authority asked so often, and no more; our own roles go on.
func TestAuthoritiesAreNotFlooded(t *testing.T) {
	one, c := newForeign(t, "one", "arn:aws:iam:::role/"), newClock()
	s := Start(t, Options{Clock: c.Now, Configure: func(cfg *config.Config) {
		cfg.Authorities, cfg.Limits.AuthorityCallsPerClient = []config.Authority{one.config(t, "ceph", "RS256")}, 2
	}})
	one.answer(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, one.minted(r.Form.Get("RoleArn"), c.Now().Add(time.Hour)))
	})
	s.giveRoles(s.Dev.AuthenticatedRoleARN, one.roles+"guest")
	guest := object{"IdentityId": s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID})}
	for range 20 {
		s.MustCall("GetCredentialsForIdentity", nil, guest, nil)
	}
	for range 5 {
		if got := s.MustRefuse("TooManyRequestsException", "GetCredentialsForIdentity", nil, guest); got != "Rate exceeded" {
			t.Errorf("got %q", got)
		}
	}
	if got := len(one.tokens); got != 20 {
		t.Errorf("the authority was asked %d times, want 20", got)
	}
	s.MustVend("alice")
}

// Roles that are neither ours nor an authority's are refused when they are set, and after their authority went away.
func TestRolesOfNobody(t *testing.T) {
	s, one, _ := startForeign(t)
	for _, role := range []string{
		"arn:aws:iam::888888888888:role/x", "arn:aws:iam::role/another", "arn:minio:iam:::role/another", "arn:aws:iam:::role/team/", "arn:aws:iam:::role/a*",
		"arn:aws:iam:::user/another", "arn:aws:iam::" + Account + ":role/absent", "arn:aws-cn:iam::999999999999:role/x",
	} {
		for kind := range map[string]bool{"authenticated": true, "unauthenticated": true} {
			s.refuses(t, role, 400, refused{"NotAuthorizedException", "Access to Role '" + role + "' is forbidden."}, func() *answer {
				return s.call("SetIdentityPoolRoles", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "Roles": object{kind: role}})
			})
		}
	}
	id, logins := s.MustGetID("alice"), s.Logins(s.MustToken("alice"))
	again := Start(t, Options{Dir: s.Dir, IdP: s.IdP})
	again.refuses(t, "its authority is gone", 400, refused{"InvalidIdentityPoolConfigurationException", noRole}, func() *answer {
		return again.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": logins})
	})
	if len(one.tokens) != 0 {
		t.Errorf("it was asked %d times", len(one.tokens))
	}
}

const noRole = "Invalid identity pool configuration. Check assigned IAM roles for this pool."

// Whatever the authority does wrong: its error, its event, and nothing half made.
func TestFaultsOfAuthorities(t *testing.T) {
	s, one, two := startForeign(t)
	id, logins := s.MustGetID("alice"), s.Logins(s.MustToken("alice"))
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	configuration := refused{"InvalidIdentityPoolConfigurationException", noRole}
	external := refused{"ExternalServiceException", "one is not responding."}
	role := one.roles + "user"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   refused
		found  string
	}{
		"slow":   {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, external, "no complete answer in time"},
		"broken": {say(500, ""), external, "it answered 500"},
		"redirecting": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, two.web.URL, http.StatusTemporaryRedirect)
		}, external, "redirects are not followed"},
		"garbage":         {say(200, "<html>"), external, "garbled"},
		"JSON":            {say(200, `{"AssumeRoleWithWebIdentityResponse":{}}`), external, "garbled: not one document"},
		"another role":    {say(200, one.minted(one.roles+"admin", time.Now().Add(time.Hour))), external, "for another role"},
		"ended already":   {say(200, one.minted(role, time.Now().Add(-time.Second))), external, "have ended already"},
		"for a whole day": {say(200, one.minted(role, time.Now().Add(24*time.Hour))), external, "longer than was asked for"},
		"refusing":        {say(403, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`), configuration, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		"too much":        {say(400, `<Error><Code>PackedPolicyTooLarge</Code></Error>`), configuration, "PackedPolicyTooLarge"},
		"throttling":      {say(400, `<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>`), refused{"TooManyRequestsException", "Rate exceeded"}, "throttled"},
	} {
		one.answer(c.answer)
		record := s.refuses(t, name, 400, c.want, func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": logins})
		})
		last := record.Steps[len(record.Steps)-1]
		if last.Name != "authority" || last.OK || !strings.Contains(last.Found, c.found) || last.Subject != role {
			t.Errorf("%s: got the step %+v, want one that found %s", name, last, c.found)
		}
		one.answer(nil)
		if got := s.MustVend("alice"); got.IdentityId != id {
			t.Errorf("%s: afterwards got %+v", name, got)
		}
	}
	if len(two.tokens) != 0 {
		t.Error("a redirect was followed")
	}
	one.web.Close()
	record := s.refuses(t, "down", 400, external, func() *answer {
		return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": logins})
	})
	if last := record.Steps[len(record.Steps)-1]; !strings.Contains(last.Found, "unreachable") {
		t.Errorf("down: got the step %+v", last)
	}
}

// A token that one authority got is no use anywhere else: at the other, at our STS, or as a login.
func TestTokensOfAuthoritiesReplayed(t *testing.T) {
	s, one, two := startForeign(t)
	s.MustVend("alice")
	s.giveRoles(two.roles+"user", two.roles+"guest")
	s.MustVend("alice")
	s.giveRoles(s.Dev.AuthenticatedRoleARN, s.Dev.GuestRoleARN)
	var own struct{ Token string }
	id := s.MustGetID("alice")
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": id, "Logins": s.Logins(s.MustToken("alice"))}, &own)
	// Nobody can have us believe them as a provider's.
	for _, f := range []*foreign{one, two} {
		form := "Action=CreateOpenIDConnectProvider&Version=2010-05-08&ClientIDList.member.1=" + url.QueryEscape(s.Dev.PoolID) + "&Url=" + url.QueryEscape(f.issuer)
		header := formHeader()
		s.sign(s.Admin(), "iam", header, form)
		if got := s.send(http.MethodPost, "/", header, form); got.status != 400 || !strings.Contains(got.body, "another authority alone") {
			t.Errorf("the issuer of %s became a provider: %d %s", f.name, got.status, got.body)
		}
	}
	tokens := map[string]string{"one": one.tokens[0], "two": two.tokens[0], "ours": own.Token}
	for whose, token := range tokens {
		for _, f := range []*foreign{one, two} {
			if _, err := f.believe(token); (err == nil) != (f.name == whose) {
				t.Errorf("the token of %s at %s: %v", whose, f.name, err)
			}
		}
		form := "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=replay&RoleArn=" + url.QueryEscape(s.Dev.AuthenticatedRoleARN) + "&WebIdentityToken=" + url.QueryEscape(token)
		if got := s.query(nil, form); (got.status == 200) != (whose == "ours") || whose != "ours" && !strings.Contains(got.body, "<Code>InvalidIdentityToken</Code>") {
			t.Errorf("the token of %s at our STS: %d %s", whose, got.status, got.body)
		}
		if whose == "ours" {
			continue
		}
		for key, want := range map[string]string{
			"cognito-identity.amazonaws.com": "NotAuthorizedException", "idpool.test/authority/" + whose: "NotAuthorizedException", s.IdP.Key: "NotAuthorizedException",
		} {
			for _, operation := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
				s.MustRefuse(want, operation, nil, object{"IdentityId": id, "Logins": object{key: token}})
			}
			s.MustRefuse(want, "GetId", nil, object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{key: token}})
		}
	}
}

// A document that makes one of these issuers a provider, wherever it came from, is as good as absent.
func TestIssuersOfAuthoritiesAreNoProviders(t *testing.T) {
	s, one, _ := startForeign(t)
	s.MustVend("alice")
	arn := s.mustProvider(s.Dev.PoolID, one.issuer, s.Dev.PoolID)
	if s.mustSnapshot().OIDCProvider(arn) != nil {
		t.Error("the provider is there")
	}
	id := s.MustGetID("bob")
	s.MustRefuse("NotAuthorizedException", "GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": object{"idpool.test/authority/one": one.tokens[0]}})
}

// Credentials that are used again end with any change of the configuration, as a revocation is one.
func TestReuseEndsWithRevocation(t *testing.T) {
	one := newForeign(t, "one", "arn:aws:iam:::role/")
	s := Start(t, Options{Configure: func(c *config.Config) {
		a := one.config(t, "ceph", "RS256")
		a.Reuse = 50
		c.Authorities = []config.Authority{a}
	}})
	one.keys = func() []byte {
		return []byte(s.send(http.MethodGet, "/authority/one/.well-known/jwks_uri", http.Header{}, "").body)
	}
	s.giveRoles(one.roles+"user", one.roles+"guest")
	id := s.MustVend("alice").IdentityId
	for range 3 {
		s.MustVend("alice")
	}
	s.MustVend("bob")
	if len(one.tokens) != 2 {
		t.Errorf("got %d sessions, want one for each user", len(one.tokens))
	}
	body, header := mustJSON(t, object{"IdentityId": id}), jsonHeader("")
	header.Set("X-Amz-Target", operate.TargetPrefix+".RevokeSessions")
	s.sign(s.Admin(), operate.Name, header, body)
	if got := s.send(http.MethodPost, "/", header, body); got.status != http.StatusOK {
		t.Fatalf("revoking: %d %s", got.status, got.body)
	}
	s.MustVend("bob")
	if len(one.tokens) != 3 {
		t.Errorf("got %d sessions after a revocation, want a new one", len(one.tokens))
	}
}

// The keys of an authority's issuer rotate with overlap: the new one signs and is the first, and the old one is still there.
func TestKeysOfAuthoritiesRotate(t *testing.T) {
	s, one, _ := startForeign(t)
	s.MustVend("alice")
	body, header := mustJSON(t, object{"Use": "authority/one/RS256", "Now": true}), jsonHeader("")
	header.Set("X-Amz-Target", operate.TargetPrefix+".RotateKeys")
	s.sign(s.Admin(), operate.Name, header, body)
	if got := s.send(http.MethodPost, "/", header, body); got.status != http.StatusOK {
		t.Fatalf("rotating: %d %s", got.status, got.body)
	}
	s.MustVend("alice")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(one.keys(), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("got the keys %s, %v", one.keys(), err)
	}
	for i, key := range []int{1, 0} {
		parsed, err := jwt.ParseSigned(one.tokens[i], []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Claims(set.Keys[key].Key, &map[string]any{}); err != nil {
			t.Errorf("token %d does not verify with key %d: %v", i, key, err)
		}
	}
}
