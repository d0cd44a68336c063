package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"

	"github.com/google/go-cmp/cmp"
)

func signers() []signer {
	return []signer{
		{"RS256", "rsa", rsaKey()}, {"RS384", "rsa", rsaKey()}, {"RS512", "rsa", rsaKey()},
		{"PS256", "rsa", rsaKey()}, {"PS384", "rsa", rsaKey()}, {"PS512", "rsa", rsaKey()},
		{"ES256", "p256", p256Key()}, {"ES384", "p384", p384Key()}, {"ES512", "p521", p521Key()}, {"EdDSA", "ed", edKey()},
	}
}

func TestVerify(t *testing.T) {
	for _, s := range signers() {
		t.Run(s.alg, func(t *testing.T) {
			w := new(web)
			w.serve(issuer, s)
			p := provider()
			got, err := mustVerifier(t, w, Options{}).Verify(t.Context(), p, s.sign(goodClaims(nil)), t0)
			if err != nil {
				t.Fatal(err)
			}
			if got.Provider != p || got.Subject != "user-1" || got.Audience != "client-1" || !got.Expires.Equal(t0.Add(time.Hour)) {
				t.Errorf("got %+v", got)
			}
			if all, keys := w.count(); all != 2 || keys != 1 {
				t.Errorf("got %d fetches, %d of keys, want 2 and 1", all, keys)
			}
		})
	}
}

// TestClaims: the claims come through as they were written.
func TestClaims(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	payload := `{"iss":"` + issuer + `","sub":"é\"\\","aud":["client-1"],"azp":"client-2","iat":1767323000,"exp":1767323999,
		"nbf":0,"a":1.50,"b":1e3,"c":12345678901234567890,"d":true,"e":null,"f":[1,"x",[]],"g":{"h":{"i":false}},"Sub":"other","":"empty"}`
	got, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(payload), t0)
	if err != nil {
		t.Fatal(err)
	}
	num := func(s string) any { return json.Number(s) }
	want := map[string]any{
		"iss": issuer, "sub": "é\"\\", "aud": []any{"client-1"}, "azp": "client-2", "iat": num("1767323000"), "exp": num("1767323999"),
		"nbf": num("0"), "a": num("1.50"), "b": num("1e3"), "c": num("12345678901234567890"), "d": true, "e": nil,
		"f": []any{num("1"), "x", []any{}}, "g": map[string]any{"h": map[string]any{"i": false}}, "Sub": "other", "": "empty",
	}
	if diff := cmp.Diff(got.Claims, want); diff != "" {
		t.Errorf("claims differ (-got +want):\n%s", diff)
	}
}

// TestMatrix: security A15. Providers that all call their key "1", each with each other's tokens; only the diagonal
// passes, and neither does it help to have the same issuer in another configuration.
func TestMatrix(t *testing.T) {
	const n = 6
	w := new(web)
	v := mustVerifier(t, w, Options{})
	var providers []*login.Provider
	var tokens []string
	for i := range n {
		iss := fmt.Sprintf("https://idp%d.example/x", i)
		s := es256("1")
		w.serve(iss, s)
		providers = append(providers, &login.Provider{Kind: login.OIDC, Key: iss[8:], Issuer: iss, Audiences: []string{"client-1"}, Config: "same"})
		tokens = append(tokens, s.sign(goodClaims(map[string]any{"iss": iss})))
	}
	for i, p := range providers {
		for j, token := range tokens {
			l, err := v.Verify(t.Context(), p, token, t0)
			if i == j && err != nil {
				t.Errorf("provider %d, its own token: got %v", i, err)
			}
			if i != j {
				wantRefusal(t, l, err, login.IssuerMismatch, "iss")
			}
		}
	}
	if _, keys := w.count(); keys != n {
		t.Errorf("got %d fetches of keys, want %d", keys, n)
	}
}

// TestForeignKey: provider A's key signs a token that says it is of B, under the key id that both use.
func TestForeignKey(t *testing.T) {
	a, b, w := es256("1"), es256("1"), new(web)
	const other = "https://other.example"
	w.serve(issuer, a)
	w.serve(other, b)
	v := mustVerifier(t, w, Options{})
	if _, err := v.Verify(t.Context(), provider(), a.sign(goodClaims(nil)), t0); err != nil {
		t.Fatal(err)
	}
	p := provider()
	p.Issuer = other
	l, err := v.Verify(t.Context(), p, a.sign(goodClaims(map[string]any{"iss": other})), t0)
	wantRefusal(t, l, err, login.BadSignature, "")
}

// TestConfigs: two configurations of one issuer share nothing.
func TestConfigs(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for i, config := range []string{"a", "b", "a", "b"} {
		p := provider()
		p.Config = config
		if _, err := v.Verify(t.Context(), p, s.sign(goodClaims(nil)), t0); err != nil {
			t.Fatal(err)
		}
		if _, keys := w.count(); keys != min(i+1, 2) {
			t.Errorf("after %d verifications: got %d fetches of keys", i+1, keys)
		}
	}
}

// TestOrder: where several things are wrong, the first check of spec cognito-identity §8.2 speaks; and nothing is said
// of time and audience before the signature holds.
func TestOrder(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	claims := map[string]any{"iss": "https://other.example", "aud": nil, "sub": nil, "exp": "x", "azp": "other", "nbf": t0.Unix() + 9999}
	header := `{"alg":"none","kid":"9","cty":"JWT"}`
	stranger := es256("1")
	for _, step := range []struct {
		repair func()
		reason login.Reason
		claim  string
	}{
		{func() {}, login.Malformed, ""},
		{func() { header = `{"alg":"none","kid":"9"}` }, login.IssuerMismatch, "iss"},
		{func() { claims["iss"] = issuer }, login.MissingClaim, "aud"},
		{func() { claims["aud"] = "other" }, login.MissingClaim, "sub"},
		{func() { claims["sub"] = "user-1" }, login.InvalidClaim, "exp"},
		{func() { claims["exp"] = t0.Unix(); claims["events"] = true }, login.WrongTokenType, "events"},
		{func() { claims["events"] = nil }, login.AlgorithmRefused, ""},
		{func() { header = `{"alg":"ES256","kid":"9"}` }, login.KeyNotFound, ""},
		{func() { header = `{"alg":"ES256","kid":"1"}` }, login.BadSignature, ""},
		{func() { stranger = s }, login.Expired, "exp"},
		{func() { claims["exp"] = t0.Unix() + 90*86400 }, login.NotYetValid, "nbf"},
		{func() { claims["nbf"] = nil }, login.TooLong, "exp"},
		{func() { claims["exp"] = t0.Unix() + 9 }, login.AudienceMismatch, "aud"},
		{func() { claims["aud"] = "client-1" }, login.AudienceMismatch, "azp"},
	} {
		step.repair()
		l, err := v.Verify(t.Context(), provider(), stranger.signRaw(header, goodClaims(claims)), t0)
		wantRefusal(t, l, err, step.reason, step.claim)
	}
	claims["azp"] = "client-2"
	if _, err := v.Verify(t.Context(), provider(), s.signRaw(header, goodClaims(claims)), t0); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// TestRefusalsQuoteNothing: no refusal holds a claim's value, a key id or a part of the token.
func TestRefusalsQuoteNothing(t *testing.T) {
	const canary = "canary1canary2"
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for _, token := range []string{
		canary, canary + "." + canary + "." + canary, "." + canary + ".", canary + "." + canary + "." + canary + ".x",
		s.signRaw(`{"alg":"`+canary+`"}`, goodClaims(nil)),
		s.signRaw(`{"alg":"ES256","kid":"`+canary+`"}`, goodClaims(nil)),
		s.signRaw(`{"alg":"ES256","kid":"`+canary+`é"}`, goodClaims(nil)),
		s.signRaw(`{"alg":"ES256","typ":"`+canary+`"}`, goodClaims(nil)),
		s.signRaw(`{"alg":"ES256","kid":"1","`+canary+`":1,"`+canary+`":2}`, goodClaims(nil)),
		s.sign(`{"` + canary + `":1,"` + canary + `":2}`),
		s.sign(`{"` + canary + `":"` + canary + `"`),
		s.sign(`["` + canary + `"]`),
		s.sign(goodClaims(map[string]any{"iss": issuer + canary})),
		s.sign(goodClaims(map[string]any{"iss": []string{canary}})),
		s.sign(goodClaims(map[string]any{"sub": canary + "\n"})),
		s.sign(goodClaims(map[string]any{"aud": canary})),
		s.sign(goodClaims(map[string]any{"aud": map[string]any{canary: canary}})),
		s.sign(goodClaims(map[string]any{"azp": canary})),
		s.sign(goodClaims(map[string]any{"exp": canary})),
		s.sign(goodClaims(map[string]any{"token_use": canary})),
		s.sign(goodClaims(map[string]any{"events": canary})),
		es256("1").sign(goodClaims(map[string]any{"sub": canary})),
	} {
		l, err := v.Verify(t.Context(), provider(), token, t0)
		r := refusalOf(t, err)
		if r == nil || l != nil {
			t.Fatalf("got a login for %.80q, want a refusal", token)
		}
		text := fmt.Sprintf("%v %+v %v", r, *r, r.Cause)
		if strings.Contains(text, canary) || strings.Contains(text, b64.EncodeToString([]byte(canary))) {
			t.Errorf("%.80q: got %s, which quotes it", token, text)
		}
	}
}

func TestProviders(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for name, edit := range map[string]func(*login.Provider){
		"kind":      func(p *login.Provider) { p.Kind = "saml" },
		"issuer":    func(p *login.Provider) { p.Issuer = "" },
		"audiences": func(p *login.Provider) { p.Audiences = nil },
	} {
		p := provider()
		edit(p)
		if l, err := v.Verify(t.Context(), p, s.sign(goodClaims(nil)), t0); err == nil || l != nil {
			t.Errorf("%s: got a login, want a refusal", name)
		}
	}
	if all, _ := w.count(); all != 0 {
		t.Errorf("got %d fetches, want 0", all)
	}
}

func TestOptions(t *testing.T) {
	if _, err := New(new(web), Options{MaxSources: -1}); err == nil {
		t.Error("a negative number of sources: got no error")
	}
	broken := errors.New("no such file")
	for name, settings := range map[string]Settings{
		"negative grace": {ExpiryGrace: -1}, "long grace": {ExpiryGrace: MaxExpiryGrace + 1}, "negative life": {MaxLifetime: -1},
		"HS256": {Algorithms: []string{"RS256", "HS256"}}, "none": {Algorithms: []string{"none"}},
		"no file": {KeySet: func() ([]byte, error) { return nil, broken }}, "no keys": {KeySet: func() ([]byte, error) { return []byte(`{"keys":[]}`), nil }},
	} {
		if v, err := New(new(web), Options{Issuers: map[string]Settings{issuer: settings}}); err == nil || v != nil || !strings.Contains(err.Error(), issuer) {
			t.Errorf("%s: got %v, want an error that names the issuer", name, err)
		}
	}
	if _, err := New(new(web), Options{MaxSources: 1, Issuers: map[string]Settings{issuer: {ExpiryGrace: MaxExpiryGrace, MaxLifetime: time.Hour, Algorithms: Algorithms()}}}); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
