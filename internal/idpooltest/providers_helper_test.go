package idpooltest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/config"
	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/login/social/socialtest"
	"idpool/internal/pool"
)

// The user pools and apps of these tests.
const (
	poolA = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AAAAAAAAA"
	poolB = "cognito-idp.us-east-1.amazonaws.com/us-east-1_BBBBBBBBB"

	google, apple, facebook, amazon, twitter = "accounts.google.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com", "api.twitter.com"

	facebookApp, facebookSecret = "355456545678903", "facebook-canary-secret"
	twitterKey, twitterSecret   = "xvz1evFS4wEEPTGEFPHBog", "twitter-canary-secret"
	amazonApp                   = "amzn1.application-oa2-client.ASFWDFBRN"
	googleApp                   = "1234-abc.apps.googleusercontent.com"
	appleApp                    = "com.example.app"
	bearer                      = "introspection-canary-secret"
)

// signer stands in for an issuer of RS256 tokens that publishes its keys at an address of its own: all key ids are the same.
type signer struct {
	iss, aud string
	more     object // claims that all of its tokens have
	keysURL  string
	key      *rsa.PrivateKey
	now      func() time.Time
	asked    atomic.Int64
	down     atomic.Bool
}

// rsaKeys are the keys of signers, made once for each process.
var rsaKeys = sync.OnceValues(func() (keys [6]*rsa.PrivateKey, err error) {
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keys, err
		}
	}
	return keys, nil
})

// startSigner starts an issuer with the n-th of the keys.
func startSigner(t testing.TB, n int, now func() time.Time, iss, aud string, more object) *signer {
	t.Helper()
	keys, err := rsaKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{iss: iss, aud: aud, more: more, key: keys[n], now: now}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.keysURL = web.URL + "/keys"
	return s
}

func (s *signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if r.URL.Path != "/keys" || s.down.Load() {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"1","n":%q,"e":"AQAB"}]}`, b64(s.key.N.Bytes()))
}

// token is an ordinary token of the user, with changes to its claims: nil takes one away.
func (s *signer) token(sub string, changes object) string {
	now := s.now().Unix()
	all := object{"iss": s.iss, "sub": sub, "aud": s.aud, "iat": now, "exp": now + 3600}
	for _, add := range []object{s.more, changes} {
		for name, v := range add {
			if all[name] = v; v == nil {
				delete(all, name)
			}
		}
	}
	payload, err := json.Marshal(all)
	if err != nil {
		panic(err) // a test's own values
	}
	text := b64(`{"alg":"RS256","kid":"1","typ":"JWT"}`) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key is good
	}
	return text + "." + b64(signature)
}

// providers is a server with a stand-in for every provider, and a pool that has them all.
type providers struct {
	*Server
	pool string

	forges                                  []*forge // IAM's OpenID Connect providers
	google, apple, limited                  *signer
	usersA, usersB                          *signer
	facebook, amazon, twitter, introspected *socialtest.Fake
}

// allProviders is the pool's configuration.
func (p *providers) allProviders() object {
	return object{
		"SupportedLoginProviders": object{
			google: googleApp, apple: appleApp, facebook: facebookApp, amazon: amazonApp, twitter: twitterKey + ";" + twitterSecret,
		},
		"CognitoIdentityProviders": []object{
			{"ProviderName": poolA, "ClientId": "clienta"}, {"ProviderName": poolA, "ClientId": "clienta2"},
			{"ProviderName": poolB, "ClientId": "clientb"},
		},
	}
}

func startProviders(t *testing.T, clock func() time.Time, configure func(*providers, *config.LoginProviders)) *providers {
	t.Helper()
	users := object{"token_use": "id", "cognito:username": "sam", "email": "sam@example.com"}
	p := &providers{
		google:  startSigner(t, 0, clock, "https://accounts.google.com", googleApp, object{"azp": googleApp, "email": "sam@example.com", "email_verified": true}),
		apple:   startSigner(t, 1, clock, "https://appleid.apple.com", appleApp, object{"email": "sam@privaterelay.appleid.com", "email_verified": "true"}),
		limited: startSigner(t, 2, clock, "https://www.facebook.com", facebookApp, object{"jti": "x", "nonce": "n", "email": "sam@example.com"}),
		usersA:  startSigner(t, 3, clock, "https://"+poolA, "clienta", users), usersB: startSigner(t, 4, clock, "https://"+poolB, "clientb", users),
		facebook: socialtest.StartFacebook(t, clock, map[string]string{facebookApp: facebookSecret}),
		amazon:   socialtest.StartAmazon(t, clock), twitter: socialtest.StartTwitter(t, clock, map[string]string{twitterKey: twitterSecret}),
		introspected: socialtest.StartIntrospection(t, clock, bearer),
	}
	places := config.LoginProviders{
		Keys: []config.ProviderURL{
			{Provider: google, URL: p.google.keysURL}, {Provider: apple, URL: p.apple.keysURL}, {Provider: facebook, URL: p.limited.keysURL},
			{Provider: poolA, URL: p.usersA.keysURL}, {Provider: poolB, URL: p.usersB.keysURL},
		},
		Endpoints: []config.ProviderURL{
			{Provider: facebook, URL: p.facebook.URL}, {Provider: amazon, URL: p.amazon.URL}, {Provider: twitter, URL: p.twitter.URL},
		},
		Secrets:      []config.ProviderSecret{{Name: facebookApp, Secret: login.NewSecret(facebookSecret)}},
		ChecksAtOnce: 16,
	}
	if configure != nil {
		configure(p, &places)
	}
	p.Server = Start(t, Options{Clock: clock, Configure: func(c *config.Config) {
		c.LoginProviders, c.Fetch.Timeout = places, 500*time.Millisecond
	}})
	p.pool = p.mustPool(p.allProviders())
	for i := range 2 { // with one key id
		f := startForge(t, "1", clock)
		p.mustProvider(p.pool, f.url, fmt.Sprint("client-", i))
		p.forges = append(p.forges, f)
	}
	return p
}

// The tokens of users of providers that are asked.
func (p *providers) facebookToken(user string) string {
	token := "EAAG" + strings.ReplaceAll(user, "-", "")
	p.facebook.Put(token, socialtest.Token{App: facebookApp, User: user, Ends: p.Clock().Add(time.Hour)})
	return token
}

func (p *providers) amazonToken(user string) string {
	p.amazon.Put("Atza|"+user, socialtest.Token{App: amazonApp, User: user, Ends: p.Clock().Add(time.Hour)})
	return "Atza|" + user
}

func (p *providers) twitterToken(user string) string {
	p.twitter.Put("7-"+user, socialtest.Token{App: twitterKey, User: user, Secret: "canarysecret"})
	return "7-" + user + ";canarysecret"
}

// entrant is a way in: a provider and its tokens.
type entrant struct {
	name, key string
	token     func(user string) string
	idTokens  *signer // where its logins are ID tokens
	amr       string  // the third element, without the user
}

func (p *providers) entrants() []entrant {
	of := func(s *signer) func(string) string { return func(user string) string { return s.token(user, nil) } }
	out := []entrant{
		{"user pool A", poolA, of(p.usersA), p.usersA, poolA + ":CognitoSignIn:"},
		{"user pool B", poolB, of(p.usersB), p.usersB, poolB + ":CognitoSignIn:"},
		{"Google", google, of(p.google), p.google, google + ":" + googleApp + ":"},
		{"Apple", apple, of(p.apple), p.apple, apple + ":" + appleApp + ":"},
		{"Facebook Limited Login", facebook, of(p.limited), p.limited, facebook + ":" + facebookApp + ":"},
		{"Facebook", facebook, p.facebookToken, nil, facebook + ":" + facebookApp + ":"},
		{"Login with Amazon", amazon, p.amazonToken, nil, amazon + ":" + amazonApp + ":"},
		{"Twitter", twitter, p.twitterToken, nil, twitter + ":" + twitterKey + ":"},
	}
	for i, f := range p.forges {
		out = append(out, entrant{
			fmt.Sprint("OIDC ", i), f.key,
			func(user string) string { return f.token(user, object{"aud": fmt.Sprint("client-", i)}) }, nil,
			"arn:aws:iam::" + Account + ":oidc-provider/" + f.key + ":OIDC:",
		})
	}
	return out
}

// everybody are the ways in, and SAML's.
func (p *providers) everybody(t testing.TB) []entrant {
	t.Helper()
	idp := samltest.NewIdP(t, "https://saml.example.com/metadata")
	arn := p.MustTrustSAML("corp", idp)
	p.mustChangePool(p.pool, func(c *pool.Pool) { c.SAMLProviders = []string{arn} })
	return append(p.entrants(), entrant{"SAML", arn, func(user string) string {
		return idp.Response(samltest.Options{Now: p.Clock(), NameID: user})
	}, nil, arn + ":SAML:"})
}

// getID asks for the identity of a login.
func (p *providers) getID(pool, key, token string) func() *answer {
	return func() *answer {
		return p.call("GetId", nil, object{"IdentityPoolId": pool, "Logins": object{key: token}})
	}
}

// identityOf is the identity of a login that must be valid.
func (p *providers) identityOf(t testing.TB, pool, key, token string) string {
	t.Helper()
	a := p.getID(pool, key, token)()
	var out struct{ IdentityId string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.IdentityId == "" {
		t.Fatalf("%s: got %d %s", key, a.status, a.body)
	}
	return out.IdentityId
}
