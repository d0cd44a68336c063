package oidc

import (
	"strings"
	"testing"

	"idpool/internal/login"
)

// google is a provider with two spellings of its issuer, keys at an address of its own, and Google's rule for azp.
func google() *login.Provider {
	return &login.Provider{
		Kind: login.Social, Key: "accounts.example", Issuer: "https://accounts.example", MoreIssuers: []string{"accounts.example"},
		KeysURL: "https://keys.example/certs", Audiences: []string{"client-1"}, AZPOrAudience: true, Config: "google",
	}
}

// TestKeysURL: keys at a configured address are asked for there and nowhere else.
func TestKeysURL(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serveKeys("https://accounts.example", keySetJSON(es256("1").jwk()), 0)
	w.serveKeys("https://keys.example", keySetJSON(s.jwk()), 0)
	w.docs["https://keys.example/certs"] = w.docs["https://keys.example/keys"]
	v := mustVerifier(t, w, Options{})
	if _, err := v.Verify(t.Context(), google(), s.sign(goodClaims(map[string]any{"iss": "https://accounts.example"})), t0); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.urls(), " "); got != "https://keys.example/certs" {
		t.Errorf("got fetches of %s, want the configured address alone", got)
	}
	// The same issuer by discovery has other keys, and neither set is taken for the other.
	plain := google()
	plain.KeysURL = ""
	l, err := v.Verify(t.Context(), plain, s.sign(goodClaims(map[string]any{"iss": "https://accounts.example"})), t0)
	wantRefusal(t, l, err, login.BadSignature, "")
}

// TestSpellingsOfIssuer: those that are configured, and no others (security A23).
func TestSpellingsOfIssuer(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serveKeys("https://keys.example", keySetJSON(s.jwk()), 0)
	w.docs["https://keys.example/certs"] = w.docs["https://keys.example/keys"]
	v := mustVerifier(t, w, Options{})
	for _, iss := range []string{"https://accounts.example", "accounts.example"} {
		if _, err := v.Verify(t.Context(), google(), s.sign(goodClaims(map[string]any{"iss": iss})), t0); err != nil {
			t.Errorf("%s: %v", iss, err)
		}
	}
	for _, iss := range []string{"http://accounts.example", "https://accounts.example/", "Accounts.example", "accounts.example/", "https://keys.example", "example"} {
		l, err := v.Verify(t.Context(), google(), s.sign(goodClaims(map[string]any{"iss": iss})), t0)
		wantRefusal(t, l, err, login.IssuerMismatch, "iss")
	}
}

// TestAZPOrAudience is the rule of spec cognito-identity §8.5.
func TestAZPOrAudience(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serveKeys("https://keys.example", keySetJSON(s.jwk()), 0)
	w.docs["https://keys.example/certs"] = w.docs["https://keys.example/keys"]
	v := mustVerifier(t, w, Options{})
	for _, c := range []struct {
		name     string
		aud, azp any
		refused  bool
	}{
		{"ours", "client-1", nil, false},
		{"ours, azp ours", "client-1", "client-1", false},
		{"ours, for the page of the app on a phone", "client-1", "phone", false},
		{"another's, by our app", "web", "client-1", false},
		{"another's", "web", nil, true},
		{"another's, by another", "web", "phone", true},
		{"in capitals", "CLIENT-1", "CLIENT-1", true},
		{"none of several", []string{"a", "b"}, nil, true},
	} {
		l, err := v.Verify(t.Context(), google(), s.sign(goodClaims(map[string]any{"iss": "accounts.example", "aud": c.aud, "azp": c.azp})), t0)
		if c.refused {
			wantRefusal(t, l, err, login.AudienceMismatch, "aud")
		} else if err != nil || l.Audience != "client-1" {
			t.Errorf("%s: got %v and %v, want the audience client-1", c.name, l, err)
		}
	}
}

// TestTokenUse: where it must be there, as in tokens of user pools, its absence is a refusal too (security A17).
func TestTokenUse(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v, p := mustVerifier(t, w, Options{}), provider()
	p.Kind, p.TokenUse = login.UserPool, "id"
	if _, err := v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"token_use": "id"})), t0); err != nil {
		t.Error(err)
	}
	l, err := v.Verify(t.Context(), p, s.sign(goodClaims(nil)), t0)
	wantRefusal(t, l, err, login.MissingClaim, "token_use")
	for _, use := range []any{"access", "ID", "", 1, true, []string{"id"}} {
		l, err := v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"token_use": use})), t0)
		wantRefusal(t, l, err, login.WrongTokenType, "token_use")
	}
	// An access token of a user pool has no audience, and that is what its sender is told (spec cognito-identity §8.2).
	l, err = v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"aud": nil, "client_id": "client-1", "token_use": "access"})), t0)
	wantRefusal(t, l, err, login.MissingClaim, "aud")
}
