package social

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/login/social/socialtest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// The apps of the tests.
const (
	facebookApp, facebookSecret = "355456545678903", "facebookhunter2"
	amazonApp                   = "amzn1.application-oa2-client.ASFWDFBRN"
	twitterKey, twitterSecret   = "xvz1evFS4wEEPTGEFPHBog", "twitterhunter2"
)

// Tokens that their providers know, and the same words nowhere else.
const (
	facebookToken = "EAAGtokenhunter2"
	amazonToken   = "Atza|IQEBLjAsAhRtokenhunter2+/=_"
	twitterToken  = "370773112-GmHxMAgYtokenhunter2;LswwdoUaIvS8ltyTtokenhunter2"
)

// place is a provider with its fake, and a token that it knows.
type place struct {
	*socialtest.Fake
	provider *login.Provider
	token    string
	known    socialtest.Token
	subject  string
	claims   map[string]any
}

func startPlaces(t *testing.T) map[string]*place {
	t.Helper()
	out := map[string]*place{
		"facebook": {
			Fake:  socialtest.StartFacebook(t, now, map[string]string{facebookApp: facebookSecret}),
			token: facebookToken, known: socialtest.Token{App: facebookApp, User: "10215241773831025", Ends: noon.Add(time.Hour)},
			claims: map[string]any{"iss": "graph.facebook.com", "aud": facebookApp, "sub": "10215241773831025"},
		},
		"amazon": {
			Fake:  socialtest.StartAmazon(t, now),
			token: amazonToken, known: socialtest.Token{App: amazonApp, User: "amzn1.account.K2LI23KL2LK2", Ends: noon.Add(time.Hour)},
			claims: map[string]any{"iss": "www.amazon.com", "aud": amazonApp, "sub": "amzn1.account.K2LI23KL2LK2", "user_id": "amzn1.account.K2LI23KL2LK2"},
		},
		"twitter": {
			Fake:  socialtest.StartTwitter(t, now, map[string]string{twitterKey: twitterSecret, "otherKey": "otherSecret"}),
			token: twitterToken, known: socialtest.Token{App: twitterKey, User: "38895958", Secret: strings.Split(twitterToken, ";")[1]},
			claims: map[string]any{"iss": "api.twitter.com", "aud": twitterKey, "sub": "38895958"},
		},
	}
	settings := login.Settings{
		Endpoints: map[string]string{
			"graph.facebook.com": out["facebook"].URL, "www.amazon.com": out["amazon"].URL, "api.twitter.com": out["twitter"].URL,
		},
		Secrets: map[string]login.Secret{facebookApp: login.NewSecret(facebookSecret)},
	}
	out["facebook"].provider = settings.Public("graph.facebook.com", facebookApp, login.Secret{})
	out["amazon"].provider = settings.Public("www.amazon.com", amazonApp, login.Secret{})
	out["twitter"].provider = settings.Public("api.twitter.com", twitterKey, login.NewSecret(twitterSecret))
	for _, p := range out {
		token, _, _ := strings.Cut(p.token, ";")
		p.Put(token, p.known)
		p.subject = p.known.User
	}
	return out
}

// idTokens is a verifier of ID tokens that knows one of them.
type idTokens struct {
	token string
	login login.Login
	asked int
}

func (i *idTokens) Verify(_ context.Context, p *login.Provider, token string, _ time.Time) (*login.Login, error) {
	i.asked++
	if token != i.token {
		return nil, &login.Refusal{Reason: login.BadSignature, Expected: "x", Found: "y"}
	}
	l := i.login
	l.Provider = p
	return &l, nil
}

func newVerifier(t *testing.T, change func(*Options)) *Verifier {
	t.Helper()
	client := fetch.New(fetch.Config{LoopbackHTTP: true, Timeout: 200 * time.Millisecond})
	t.Cleanup(client.Close)
	o := Options{Asker: client, IDTokens: &idTokens{}, Random: rand.Reader, AtOnce: 4}
	if change != nil {
		change(&o)
	}
	return New(o)
}

// TestGenuine: each provider's token leads to its user at the pool's app, with the claims of spec cognito-identity §11.3.
func TestGenuine(t *testing.T) {
	v := newVerifier(t, nil)
	for name, p := range startPlaces(t) {
		l, err := v.Verify(t.Context(), p.provider, p.token, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Provider != p.provider || l.Subject != p.subject || l.Audience != p.provider.Audiences[0] || !l.Expires.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: got %+v, want the user %s for an hour", name, l, p.subject)
		}
		if d := cmp.Diff(l.Claims, p.claims); d != "" {
			t.Errorf("%s: claims (-got +want):\n%s", name, d)
		}
		if p.Asked() != 1 {
			t.Errorf("%s: got %d questions, want one", name, p.Asked())
		}
	}
}

// mustRefuse checks a refusal, and that it tells nothing of what must stay secret.
func mustRefuse(t *testing.T, name string, l *login.Login, err error, want login.Reason) *login.Refusal {
	t.Helper()
	r, ok := errors.AsType[*login.Refusal](err)
	if !ok || l != nil || r.Reason != want || r.Expected == "" || r.Found == "" {
		t.Errorf("%s: got %v and %v, want a refusal: %s", name, l, err, want)
		return &login.Refusal{}
	}
	if text := fmt.Sprintf("%v %+v %v %v", r, r, r.Cause, r.Fault()); strings.Contains(text, "hunter2") {
		t.Errorf("%s: got a refusal that tells a secret: %s", name, text)
	}
	return r
}

// TestRefused: what the providers refuse, in their own words (security A22).
func TestRefused(t *testing.T) {
	v := newVerifier(t, nil)
	for _, c := range []struct {
		name, place string
		change      func(*socialtest.Token)
		want        login.Reason
	}{
		{"of another app", "facebook", func(k *socialtest.Token) { k.App = "1" }, login.AudienceMismatch},
		{"revoked", "facebook", func(k *socialtest.Token) { k.Revoked = true }, login.Rejected},
		{"expired", "facebook", func(k *socialtest.Token) { k.Ends = noon }, login.Expired},
		{"long expired", "facebook", func(k *socialtest.Token) { k.Ends = noon.Add(-time.Hour) }, login.Expired},
		{"of a page", "facebook", func(k *socialtest.Token) { k.Kind = "PAGE" }, login.Rejected},
		{"of the app", "facebook", func(k *socialtest.Token) { k.Kind = "APP" }, login.Rejected},
		{"user with a control character", "facebook", func(k *socialtest.Token) { k.User = "a\x00" }, login.IssuerUnreachable},
		{"user too long", "facebook", func(k *socialtest.Token) { k.User = strings.Repeat("1", 256) }, login.IssuerUnreachable},
		{"of another app", "amazon", func(k *socialtest.Token) { k.App = "amzn1.application-oa2-client.other" }, login.AudienceMismatch},
		{"revoked", "amazon", func(k *socialtest.Token) { k.Revoked = true }, login.Rejected},
		{"expired", "amazon", func(k *socialtest.Token) { k.Ends = noon }, login.Rejected},
		{"less than a second left", "amazon", func(k *socialtest.Token) { k.Ends = noon.Add(time.Millisecond) }, login.Expired},
		{"of another app", "twitter", func(k *socialtest.Token) { k.App = "otherKey" }, login.Rejected},
		{"revoked", "twitter", func(k *socialtest.Token) { k.Revoked = true }, login.Rejected},
		{"another secret", "twitter", func(k *socialtest.Token) { k.Secret = "x" }, login.Rejected},
	} {
		p := startPlaces(t)[c.place]
		token, _, _ := strings.Cut(p.token, ";")
		c.change(&p.known)
		p.Put(token, p.known)
		l, err := v.Verify(t.Context(), p.provider, p.token, noon)
		mustRefuse(t, c.place+" "+c.name, l, err, c.want)
	}
}

// TestNeverEnds: a token without an end makes a login of an hour.
func TestNeverEnds(t *testing.T) {
	v, p := newVerifier(t, nil), startPlaces(t)["facebook"]
	p.known.Ends = time.Time{}
	p.Put(p.token, p.known)
	l, err := v.Verify(t.Context(), p.provider, p.token, noon)
	if err != nil || !l.Expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %+v and %v, want a login of an hour", l, err)
	}
}

// TestMisbehaviour: of a provider that does not answer as it says, nothing is believed, and it is the provider's fault.
func TestMisbehaviour(t *testing.T) {
	v := newVerifier(t, nil)
	for name, p := range startPlaces(t) {
		for _, mode := range socialtest.Modes {
			p.Set(mode)
			l, err := v.Verify(t.Context(), p.provider, p.token, noon)
			mustRefuse(t, name+" "+string(mode), l, err, login.IssuerUnreachable)
		}
		p.Set(socialtest.Genuine)
		if _, err := v.Verify(t.Context(), p.provider, p.token, noon); err != nil {
			t.Errorf("%s: after all that: %v", name, err)
		}
		gone := *p.provider
		gone.Endpoint = "http://127.0.0.1:1/"
		l, err := v.Verify(t.Context(), &gone, p.token, noon)
		mustRefuse(t, name+" gone", l, err, login.IssuerUnreachable)
	}
}

// TestConfusedApp: a provider that vouches for a token of another app is refused, whatever else it says.
func TestConfusedApp(t *testing.T) {
	v := newVerifier(t, nil)
	places := startPlaces(t)
	for _, name := range []string{"facebook", "amazon"} { // Twitter's answer names none
		places[name].Set(socialtest.OtherApp)
		l, err := v.Verify(t.Context(), places[name].provider, places[name].token, noon)
		mustRefuse(t, name, l, err, login.AudienceMismatch)
	}
}

// TestForms: what cannot be a token of the provider is refused without asking.
func TestForms(t *testing.T) {
	v := newVerifier(t, nil)
	places := startPlaces(t)
	for name, tokens := range map[string][]string{
		"facebook": {"", "EAAG|x", facebookApp + "|" + facebookSecret, "a b", "a\n", "é", "a&access_token=b", strings.Repeat("x", 2049)},
		"amazon":   {"", "Atza", "Atza|", "atza|x", "Atzr|x", "Atza|a b", "Atza|\x00", "Atza|é", "Atza|" + strings.Repeat("x", 2044), " " + amazonToken, amazonToken + "\n"},
		"twitter":  {"", ";", "a;", ";b", "a", "a;b;c", "a b;c", "a,oauth_token=x;b", `a";b`, "a;é", strings.Repeat("x", 129) + ";b", "a;" + strings.Repeat("x", 129)},
	} {
		for _, token := range tokens {
			l, err := v.Verify(t.Context(), places[name].provider, token, noon)
			mustRefuse(t, fmt.Sprintf("%s %.20q", name, token), l, err, login.Rejected)
		}
		if n := places[name].Asked(); n != 0 {
			t.Errorf("%s: got %d questions, want none", name, n)
		}
	}
}

// TestSecrets: without the app's secret nothing is asked; with a wrong one it is not the user's fault, where that can be told.
func TestSecrets(t *testing.T) {
	v := newVerifier(t, nil)
	places := startPlaces(t)
	for _, name := range []string{"facebook", "twitter"} {
		without := *places[name].provider
		without.Secret = login.Secret{}
		l, err := v.Verify(t.Context(), &without, places[name].token, noon)
		r := mustRefuse(t, name+" without", l, err, login.AudienceMismatch)
		if !strings.Contains(r.Expected, "secret") {
			t.Errorf("%s: got %q, want an operator to read that the secret is missing", name, r.Expected)
		}
		if n := places[name].Asked(); n != 0 {
			t.Errorf("%s: got %d questions, want none", name, n)
		}
	}
	wrong := *places["facebook"].provider
	wrong.Secret = login.NewSecret("wrong")
	l, err := v.Verify(t.Context(), &wrong, facebookToken, noon)
	mustRefuse(t, "facebook, wrong", l, err, login.IssuerUnreachable)
	wrong = *places["twitter"].provider
	wrong.Secret = login.NewSecret("wrong")
	l, err = v.Verify(t.Context(), &wrong, twitterToken, noon)
	mustRefuse(t, "twitter, wrong", l, err, login.Rejected)
}

// TestIssuerOfAmazon: where tokeninfo names an issuer, it must be the configured one.
func TestIssuerOfAmazon(t *testing.T) {
	v, p := newVerifier(t, nil), startPlaces(t)["amazon"]
	p.provider.Issuer = "https://www.amazon.co.jp"
	l, err := v.Verify(t.Context(), p.provider, p.token, noon)
	mustRefuse(t, "issuer", l, err, login.IssuerMismatch)
}

// TestLimitedLogin: an ID token of Facebook's is verified as one, and names the same user with the same claims; Graph is
// not asked. Whatever has a dot is none of Graph's.
func TestLimitedLogin(t *testing.T) {
	ids := &idTokens{token: "a.b.c", login: login.Login{
		Subject: "10215241773831025", Audience: facebookApp, Expires: noon.Add(time.Minute),
		Claims: map[string]any{"sub": "10215241773831025", "email": "a@b.example", "iss": "https://www.facebook.com"},
	}}
	v, p := newVerifier(t, func(o *Options) { o.IDTokens = ids }), startPlaces(t)["facebook"]
	l, err := v.Verify(t.Context(), p.provider, "a.b.c", noon)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(l.Claims, p.claims); d != "" || l.Subject != p.subject || l.Audience != facebookApp || !l.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("got %+v, want what an access token of the user gives (-got +want):\n%s", l, d)
	}
	for _, token := range []string{"a.b", ".", facebookToken + ".", "a.b.c "} {
		l, err := v.Verify(t.Context(), p.provider, token, noon)
		mustRefuse(t, token, l, err, login.BadSignature)
	}
	if p.Asked() != 0 || ids.asked != 5 {
		t.Errorf("got %d questions to Graph and %d ID tokens, want none and 5", p.Asked(), ids.asked)
	}
}

// TestOtherKinds: what is not to be asked about is refused.
func TestOtherKinds(t *testing.T) {
	v := newVerifier(t, nil)
	settings := login.Settings{}
	l, err := v.Verify(t.Context(), settings.Public("www.digits.com", "x", login.Secret{}), "a;b", noon)
	mustRefuse(t, "Digits", l, err, login.Ended)
	l, err = v.Verify(t.Context(), settings.Public("accounts.google.com", "x", login.Secret{}), "a", noon)
	mustRefuse(t, "Google", l, err, login.IssuerUnreachable)
	several := *startPlaces(t)["amazon"].provider
	several.Audiences = []string{amazonApp, "b"}
	l, err = v.Verify(t.Context(), &several, amazonToken, noon)
	mustRefuse(t, "several apps", l, err, login.IssuerUnreachable)
}
