package idpooltest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/config"
	"idpool/internal/login"
	"idpool/internal/login/social/socialtest"
	"idpool/internal/pool"
)

// TestEveryProvider: the main job by a login of each provider, and what our own token says of it (spec cognito-identity §10.2).
func TestEveryProvider(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	role := p.mustRole("member", trust(p.pool, "authenticated"), allow("sts:GetCallerIdentity", "*", ""))
	p.mustChangePool(p.pool, func(c *pool.Pool) { c.Roles = map[string]string{pool.Authenticated: role} })
	seen := map[string]string{}
	for _, e := range p.entrants() {
		id := p.identityOf(t, p.pool, e.key, e.token("sam"))
		if other, taken := seen[id]; taken && !strings.HasPrefix(other, "Facebook") {
			t.Errorf("%s and %s lead to one identity", e.name, other)
		}
		seen[id] = e.name
		logins := object{e.key: e.token("sam")}
		v := &Vended{}
		p.MustCall("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": logins}, v)
		p.accepts(t, e.name, "arn:aws:sts::"+Account+":assumed-role/member/CognitoIdentityCredentials", v.Signer())
		var open struct{ Token string }
		p.MustCall("GetOpenIdToken", nil, object{"IdentityId": id, "Logins": logins}, &open)
		if d := cmp.Diff(claimsOf(t, open.Token)["amr"], []any{"authenticated", e.key, e.amr + "sam"}); d != "" {
			t.Errorf("%s: amr (-got +want):\n%s", e.name, d)
		}
	}
	if len(seen) != len(p.entrants())-1 { // Facebook has two ways in
		t.Errorf("got %d identities: %v", len(seen), seen)
	}
	for _, s := range []string{facebookSecret, twitterSecret, "canarysecret", "EAAGsam", "Atza|sam"} {
		if strings.Contains(p.Output(), s) {
			t.Errorf("the log or an event holds %q", s)
		}
	}
}

// TestDeveloperTokenWithEveryProvider: the token of a developer's user who showed a login too leads to credentials, as long as
// that login is linked.
func TestDeveloperTokenWithEveryProvider(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	role := p.mustRole("member", trust(p.pool, "authenticated"))
	p.mustChangePool(p.pool, func(c *pool.Pool) {
		c.Roles, c.DeveloperProvider = map[string]string{pool.Authenticated: role}, "login.corp.app"
	})
	for i, e := range p.entrants() {
		user := fmt.Sprint("user", i)
		logins := object{"login.corp.app": user, e.key: e.token(user)}
		var out struct{ IdentityId, Token string }
		p.MustCall("GetOpenIdTokenForDeveloperIdentity", p.Admin(), object{"IdentityPoolId": p.pool, "Logins": logins}, &out)
		in := object{"IdentityId": out.IdentityId, "Logins": object{login.OwnIssuer: out.Token}}
		if err := p.Call("GetCredentialsForIdentity", nil, in, nil); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
		p.MustCall("UnlinkIdentity", nil, object{"IdentityId": out.IdentityId, "Logins": object{e.key: e.token(user)}, "LoginsToRemove": []string{e.key}}, nil)
		p.refuses(t, e.name+", unlinked", 400, refused{"NotAuthorizedException", "Invalid login token. Not a Cognito token."},
			func() *answer { return p.call("GetCredentialsForIdentity", nil, in) })
	}
}

// claimsOf reads the claims of a token of ours.
func claimsOf(t testing.TB, token string) object {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var out object
	if err == nil {
		err = json.Unmarshal(payload, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestMatrix: every provider's token under every provider's key; the diagonal alone gets in (security A15). All issuers
// share one key id.
func TestMatrix(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	entrants := p.everybody(t)
	for _, under := range entrants {
		if id := p.identityOf(t, p.pool, under.key, under.token("sam")); id == "" {
			t.Errorf("%s: no identity", under.name)
		}
		for _, of := range entrants {
			if of.key == under.key {
				continue
			}
			want := refused{"NotAuthorizedException", sentenceUnder(&under, &of)}
			p.refuses(t, of.name+" under "+under.name, 400, want, p.getID(p.pool, under.key, of.token("sam")))
		}
	}
}

// sentenceUnder is how a token is refused under the key of another provider: by its issuer where it has one that is looked
// at, else as no token of the kind.
func sentenceUnder(under, of *entrant) string {
	isJWT := strings.Count(of.token("sam"), ".") == 2
	switch {
	case under.name == "SAML":
		return "Invalid login token. Not a valid SAML response."
	case under.key == amazon || under.key == twitter, under.key == facebook && !isJWT:
		return notVerified
	case isJWT:
		return notIssuer
	default:
		return notToken
	}
}

// TestMatrixOfForgeries: a token that says everything that the other provider's say, but is signed by its own issuer, is
// no token of the other's.
func TestMatrixOfForgeries(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	n := 0
	for _, under := range p.entrants() {
		for _, of := range p.entrants() {
			if of.idTokens == nil || under.idTokens == nil || of.idTokens == under.idTokens {
				continue
			}
			n++
			forged := object{"iss": under.idTokens.iss, "aud": under.idTokens.aud, "token_use": "id"}
			p.refuses(t, of.name+" as "+under.name, 400, refused{"NotAuthorizedException", notVerified},
				p.getID(p.pool, under.key, of.idTokens.token("sam", forged)))
		}
	}
	if n != 20 {
		t.Errorf("got %d pairs, want those of five issuers", n)
	}
}

// TestNotConfigured: a pool takes the logins of its own providers alone, also of those that another pool has.
func TestNotConfigured(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	only := p.mustPool(object{"SupportedLoginProviders": object{amazon: amazonApp}})
	for _, e := range p.entrants() {
		if e.key == amazon {
			continue
		}
		p.refuses(t, e.name, 400, refused{"NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool."},
			p.getID(only, e.key, e.token("sam")))
	}
	// One bad login fails the call, and of the good one nothing comes.
	p.refuses(t, "a bad one beside a good one", 400, refused{"NotAuthorizedException", notVerified}, func() *answer {
		return p.call("GetId", nil, object{"IdentityPoolId": p.pool, "Logins": object{google: p.google.token("sam", nil), amazon: "Atza|unknown"}})
	})
}

// TestIDTokensOfProviders: the checks that are a provider's own.
func TestIDTokensOfProviders(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	now := p.Clock().Unix()
	for _, c := range []struct {
		name, key string
		token     string
		sentence  string // empty where it gets in
	}{
		{"Google, without a scheme", google, p.google.token("sam", object{"iss": "accounts.google.com"}), ""},
		{"Google, azp of the phone", google, p.google.token("sam", object{"azp": "phone"}), ""},
		{"Google, aud of the page", google, p.google.token("sam", object{"aud": "page", "azp": googleApp}), ""},
		{"Google, for others", google, p.google.token("sam", object{"aud": "page", "azp": "phone"}), notClient},
		{"Google, plain http", google, p.google.token("sam", object{"iss": "http://accounts.google.com"}), notIssuer},
		{"Google, a longer issuer", google, p.google.token("sam", object{"iss": "https://accounts.google.com.evil.example"}), notIssuer},
		{"Google, expired", google, p.google.token("sam", object{"exp": now, "iat": now - 60}), expiredAt(now)},
		{"Google, no sub", google, p.google.token("sam", object{"sub": nil}), missing("sub")},
		{"Apple, without a scheme", apple, p.apple.token("sam", object{"iss": "appleid.apple.com"}), notIssuer},
		{"Apple, another app", apple, p.apple.token("sam", object{"aud": "com.example.other"}), notClient},
		{"Apple, azp of ours for another app", apple, p.apple.token("sam", object{"aud": "com.example.other", "azp": appleApp}), notClient},
		{"Apple, expired", apple, p.apple.token("sam", object{"exp": now, "iat": now - 60}), expiredAt(now)},
		{"Limited Login, another app", facebook, p.limited.token("sam", object{"aud": "1"}), notClient},
		{"Limited Login, expired", facebook, p.limited.token("sam", object{"exp": now, "iat": now - 60}), expiredAt(now)},
		{"Limited Login, another issuer", facebook, p.limited.token("sam", object{"iss": "https://facebook.com"}), notIssuer},
		{"user pool, the second client", poolA, p.usersA.token("sam", object{"aud": "clienta2"}), ""},
		{"user pool, another client", poolA, p.usersA.token("sam", object{"aud": "clientb"}), notClient},
		{"user pool, access token", poolA, p.usersA.token("sam", object{"aud": nil, "client_id": "clienta", "token_use": "access"}), missing("aud")},
		{"user pool, access token with an audience", poolA, p.usersA.token("sam", object{"token_use": "access"}), notToken},
		{"user pool, no token_use", poolA, p.usersA.token("sam", object{"token_use": nil}), missing("token_use")},
		{"user pool, the issuer of another", poolA, p.usersA.token("sam", object{"iss": "https://" + poolB}), notIssuer},
		{"user pool, without a scheme", poolA, p.usersA.token("sam", object{"iss": poolA}), notIssuer},
		{"user pool, expired", poolA, p.usersA.token("sam", object{"exp": now, "iat": now - 60}), expiredAt(now)},
	} {
		if c.sentence == "" {
			p.identityOf(t, p.pool, c.key, c.token)
			continue
		}
		p.refuses(t, c.name, 400, refused{"NotAuthorizedException", c.sentence}, p.getID(p.pool, c.key, c.token))
	}
	p.usersB.down.Store(true)
	p.refuses(t, "user pool without keys", 400, isDown, p.getID(p.pool, poolB, p.usersB.token("sam", nil)))
	// The same user of one app, by whichever client of the user pool, is one.
	a, b := p.identityOf(t, p.pool, poolA, p.usersA.token("tina", nil)), p.identityOf(t, p.pool, poolA, p.usersA.token("tina", object{"aud": "clienta2"}))
	if a != b {
		t.Errorf("got %s and %s for one user of a user pool", a, b)
	}
}

// TestUserPoolElsewhere: a user pool whose issuer is configured is at that place and at no other.
func TestUserPoolElsewhere(t *testing.T) {
	t.Parallel()
	clock := newClock().Now
	local := startSigner(t, 5, clock, "", "clienta", object{"token_use": "id"})
	local.iss = strings.TrimSuffix(local.keysURL, "/keys")
	p := startProviders(t, clock, func(_ *providers, l *config.LoginProviders) {
		l.Issuers = append(l.Issuers, config.ProviderURL{Provider: poolA, URL: local.iss})
		l.Keys[3].URL = local.keysURL
	})
	if id := p.identityOf(t, p.pool, poolA, local.token("sam", nil)); id == "" {
		t.Error("got no identity")
	}
	p.refuses(t, "the place before", 400, refused{"NotAuthorizedException", notIssuer}, p.getID(p.pool, poolA, p.usersA.token("sam", nil)))
	p.refuses(t, "our place, their issuer", 400, refused{"NotAuthorizedException", notIssuer},
		p.getID(p.pool, poolA, local.token("sam", object{"iss": "https://" + poolA})))
	p.refuses(t, "its place as the key", 400, refused{"NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		p.getID(p.pool, strings.TrimPrefix(local.iss, "http://"), local.token("sam", nil)))
}

// TestServerSideTokenCheck: on, the user pool is asked about each login; off, it is not; on without a place to ask, nobody
// gets in (spec cognito-identity §8.4).
func TestServerSideTokenCheck(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, func(p *providers, l *config.LoginProviders) {
		l.Endpoints = append(l.Endpoints, config.ProviderURL{Provider: poolA, URL: p.introspected.URL})
		l.Secrets = append(l.Secrets, config.ProviderSecret{Name: poolA, Secret: login.NewSecret(bearer)})
	})
	checked := p.mustPool(object{"CognitoIdentityProviders": []object{
		{"ProviderName": poolA, "ClientId": "clienta", "ServerSideTokenCheck": true},
		{"ProviderName": poolA, "ClientId": "clienta2", "ServerSideTokenCheck": false},
		{"ProviderName": poolB, "ClientId": "clientb", "ServerSideTokenCheck": true},
	}})
	token, unchecked := p.usersA.token("sam", nil), p.usersA.token("sam", object{"aud": "clienta2"})
	inactive := refused{"NotAuthorizedException", "Token is inactive"}
	p.refuses(t, "unknown there", 400, inactive, p.getID(checked, poolA, token))

	p.introspected.Put(token, socialtest.Token{User: "sam"})
	id := p.identityOf(t, checked, poolA, token)
	in := object{"IdentityId": id, "Logins": object{poolA: token}}
	p.introspected.Put(token, socialtest.Token{Revoked: true})
	for _, operation := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
		p.refuses(t, operation+" after a sign-out", 400, inactive, func() *answer { return p.call(operation, nil, in) })
	}
	p.introspected.Set(socialtest.Broken)
	p.refuses(t, "cannot be asked", 400, isDown, p.getID(checked, poolA, token))
	asked := p.introspected.Asked()
	if got := p.identityOf(t, checked, poolA, unchecked); got != id {
		t.Errorf("the client without the check: got %s, want %s", got, id)
	}
	p.refuses(t, "a bad token", 400, refused{"NotAuthorizedException", notClient}, p.getID(checked, poolA, p.usersA.token("sam", object{"aud": "x"})))
	p.identityOf(t, p.pool, poolA, token) // in the pool where the check is not on
	if n := p.introspected.Asked(); n != asked {
		t.Errorf("the user pool was asked %d times, want not at all", n-asked)
	}
	record := p.refuses(t, "nobody to ask", 400, isDown, p.getID(checked, poolB, p.usersB.token("sam", nil)))
	if last := record.Steps[len(record.Steps)-1]; !strings.Contains(last.Expected, "login_providers.endpoints") {
		t.Errorf("got the step %+v, want it to say what is missing", last)
	}
	if strings.Contains(p.Output(), bearer) || strings.Contains(p.Output(), token) {
		t.Error("the log or an event holds the token or the bearer token")
	}
}

func expiredAt(now int64) string {
	return fmt.Sprintf("Invalid login token. Token expired: %d >= %d", now, now)
}
