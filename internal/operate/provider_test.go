package operate_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/idpooltest"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/testidp"
)

// tested is an answer of TestProvider.
type tested struct {
	Accepted                                    bool
	ProviderName, ProviderArn, Issuer, Audience string
	ClientIds                                   []string
	Pools                                       []struct{ IdentityPoolId, IdentityPoolName string }
	Refusal                                     *refusal
}

type refusal struct{ Reason, Claim, Expected, Found, Message string }

func test(t *testing.T, s *idpooltest.Server, in object) *tested {
	t.Helper()
	before := revision(t, s)
	out := &tested{}
	must(t, s, "TestProvider", in, out)
	if after := revision(t, s); after != before || len(s.MustIdentities(s.Dev.PoolID)) != 0 {
		t.Error("something was written")
	}
	return out
}

// TestTestProvider: a token is judged as a login with it would be, and no more comes of it.
func TestTestProvider(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	provider := arn.OIDCProvider(idpooltest.Account, s.IdP.Issuer())
	token := s.MustToken("alice")
	got := test(t, s, object{"Token": token})
	if !got.Accepted || got.ProviderName != s.IdP.Key || got.ProviderArn != provider || got.Issuer != s.IdP.Issuer() ||
		got.Audience != setup.DevAudience || len(got.Pools) != 1 || got.Pools[0].IdentityPoolId != s.Dev.PoolID || got.Pools[0].IdentityPoolName == "" || got.Refusal != nil {
		t.Errorf("got %+v, want it accepted", got)
	}
	for _, in := range []object{
		{"Token": token, "IdentityPoolId": s.Dev.PoolID}, {"Token": token, "ProviderName": s.IdP.Key},
		{"Token": token, "ProviderName": provider, "IdentityPoolId": s.Dev.PoolID},
	} {
		if again := test(t, s, in); cmp.Diff(again, got) != "" {
			t.Errorf("got %+v, want the same as without a name", again)
		}
	}

	const notVerified, notOpenID = "Invalid login token. Couldn't verify signed token.", "Invalid login token. Not a valid OpenId Connect identity token."
	changed := token[:len(token)-8] + "AAAAAAAA"
	late := int64(-60)
	for _, c := range []struct {
		name string
		in   object
		want refusal
		led  bool // to a provider
	}{
		{"no token", object{"Token": "alice's password"}, refusal{"malformed", "", "three non-empty segments of base64url", "a byte outside the alphabet", notOpenID}, false},
		{"another audience", object{"Token": s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: "somebody-else"})},
			refusal{"audience mismatch", "aud", "one of the 1 configured client ids", "1 audiences, none of them configured", "Token is not from a supported provider of this identity pool."}, true},
		{"another signature", object{"Token": changed}, refusal{"bad signature", "", "a signature by the issuer's key", "a signature by none of the 1 keys that fit", notVerified}, true},
		{"an unknown name", object{"Token": token, "ProviderName": "login.example.com"},
			refusal{"issuer mismatch", "", "the key or ARN of a provider of a pool", "a name that no provider has", "Invalid login token. Issuer doesn't match providerName"}, false},
		{"an unknown issuer", object{"Token": unsigned(`{"iss":"https://canary.example","sub":"a","aud":"b","exp":1,"iat":1}`)},
			refusal{"issuer mismatch", "iss", "the issuer of a provider of a pool", "another issuer", "Invalid login token. Issuer doesn't match providerName"}, false},
		{"a slash too many", object{"Token": unsigned(fmt.Sprintf(`{"iss":"%s/","sub":"a","aud":"b","exp":1,"iat":1}`, s.IdP.Issuer()))},
			refusal{"issuer mismatch", "iss", s.IdP.Issuer(), "another issuer, which differs by a trailing slash", "Invalid login token. Issuer doesn't match providerName"}, true},
		{"no issuer", object{"Token": unsigned(`{"sub":"canary"}`)}, refusal{"missing claim", "iss", "the claim", "none, or an empty one", "Invalid login token. Missing a required claim: iss"}, false},
		{"an access token", object{"Token": unsigned(fmt.Sprintf(`{"iss":%q,"sub":"a","exp":1,"iat":1}`, s.IdP.Issuer()))},
			refusal{"missing claim", "aud", "the claim", "none, or an empty one", "Invalid login token. Missing a required claim: aud"}, true},
	} {
		got := test(t, s, c.in)
		if got.Accepted || got.Audience != "" || got.Refusal == nil {
			t.Errorf("%s: got %+v, want it refused", c.name, got)
			continue
		}
		if diff := cmp.Diff(*got.Refusal, c.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.name, diff)
		}
		if led := got.ProviderName == s.IdP.Key && got.Issuer == s.IdP.Issuer() && len(got.ClientIds) == 1 && len(got.Pools) == 1; led != c.led {
			t.Errorf("%s: got %+v, want a provider %v", c.name, got, c.led)
		}
	}
	expired := test(t, s, object{"Token": s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience, TTLSeconds: &late})})
	if expired.Refusal == nil || expired.Refusal.Reason != "expired" || expired.Refusal.Claim != "exp" || !strings.Contains(expired.Refusal.Message, "Token expired: ") {
		t.Errorf("expired: got %+v", expired)
	}
	for _, secret := range []string{"canary", "alice", "somebody-else", token} {
		if strings.Contains(s.Output(), secret) {
			t.Errorf("the records or the log hold %.20q", secret)
		}
	}
}

// unsigned is a token with a signature by nobody.
func unsigned(claims string) string {
	return b64(`{"alg":"ES256","kid":"1"}`) + "." + b64(claims) + "." + b64(strings.Repeat("x", 64))
}

// TestTestProviderElsewhere: a provider that no pool has, one that another pool has, and one that is down.
func TestTestProviderElsewhere(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	down := httptest.NewServer(http.NotFoundHandler())
	defer down.Close()
	p := &account.OIDCProvider{Issuer: down.URL, ClientIDs: []string{"app"}, Created: s.Clock()}
	write(t, s, snapshot.PutOIDCProvider(p, idpooltest.Account, 0))
	now := s.Clock().Unix()
	token := unsigned(fmt.Sprintf(`{"iss":%q,"sub":"a","aud":"app","exp":%d,"iat":%d}`, down.URL, now+60, now))

	got := test(t, s, object{"Token": token})
	if got.Accepted || got.ProviderArn != arn.OIDCProvider(idpooltest.Account, down.URL) || len(got.Pools) != 0 || got.Refusal.Found != "that of a provider of the account that is not among them" {
		t.Errorf("in no pool: got %+v %+v", got, got.Refusal)
	}
	other := current(t, s).Pool(s.Dev.PoolID).Pool
	other.ID, other.Name = "us-east-1:00000000-0000-4000-8000-000000000001", "other"
	other.OIDCProviders = []string{arn.OIDCProvider(idpooltest.Account, down.URL)}
	write(t, s, snapshot.PutPool(&other, 0))
	// Who may ask about one pool learns nothing of what the account has beside it.
	for _, elsewhere := range []string{token, unsigned(`{"iss":"https://canary.example","sub":"a","aud":"app","exp":1,"iat":1}`)} {
		want := refusal{"issuer mismatch", "iss", "the issuer of a provider of the pool", "another issuer", "Invalid login token. Issuer doesn't match providerName"}
		got := test(t, s, object{"Token": elsewhere, "IdentityPoolId": s.Dev.PoolID})
		if d := cmp.Diff(got, &tested{Pools: got.Pools, Refusal: &want}); d != "" || len(got.Pools) != 0 {
			t.Errorf("in another pool, or nowhere (-got +want):\n%s", d)
		}
	}
	got = test(t, s, object{"Token": token})
	if got.Accepted || len(got.Pools) != 1 || got.Pools[0].IdentityPoolName != "other" ||
		got.Refusal.Reason != "issuer unreachable" || got.Refusal.Message != "The identity provider is not responding." {
		t.Errorf("down: got %+v %+v", got, got.Refusal)
	}
	if got := test(t, s, object{"Token": s.MustToken("alice")}); !got.Accepted || len(got.Pools) != 1 {
		t.Errorf("the first pool's: got %+v", got)
	}
}

// TestTestProviderIsAllowed: policies decide, by the pool that is named.
func TestTestProviderIsAllowed(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	pool := "arn:aws:idpool:" + idpooltest.Region + ":" + idpooltest.Account + ":pool/" + s.Dev.PoolID
	one := user(t, s, "one", allow("idpool:TestProvider", pool))
	in := object{"Token": s.MustToken("alice"), "IdentityPoolId": s.Dev.PoolID}
	if err := s.Client().Operate(t.Context(), "TestProvider", one, in, nil); err != nil {
		t.Errorf("the pool: got %v", err)
	}
	refuses(t, s, "all pools", "AccessDeniedException", "User: arn:aws:iam::"+idpooltest.Account+":user/one is not authorized to perform: idpool:TestProvider on resource: * "+
		"because no identity-based policy allows the idpool:TestProvider action", "TestProvider", one, object{"Token": in["Token"]})
	refuses(t, s, "no such pool", "ResourceNotFoundException", "IdentityPool 'us-east-1:00000000-0000-4000-8000-000000000009' not found.", "TestProvider", s.Admin(),
		object{"Token": in["Token"], "IdentityPoolId": "us-east-1:00000000-0000-4000-8000-000000000009"})
	refuses(t, s, "no token", "ValidationException", "1 validation error detected: Value null at 'token' failed to satisfy constraint: Member must not be null", "TestProvider", s.Admin(), object{})
	refuses(t, s, "a long token", "ValidationException", "1 validation error detected: Value at 'token' failed to satisfy constraint: Member must have length less than or equal to 50000",
		"TestProvider", s.Admin(), object{"Token": strings.Repeat("canary", 9000)})
	if strings.Contains(s.Output(), "canary") {
		t.Error("the records or the log hold the token")
	}
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
