package login

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRows: each row is whole, and no two take one key or one issuer.
func TestRows(t *testing.T) {
	keys, issuers := map[string]bool{}, map[string]bool{}
	for _, r := range Rows {
		if keys[r.Key] {
			t.Errorf("%s: two rows", r.Key)
		}
		keys[r.Key] = true
		for _, iss := range r.Issuers {
			if issuers[iss] {
				t.Errorf("%s: the issuer of two rows", iss)
			}
			issuers[iss] = true
		}
		tokens, asks, gone := r.Keys != "", r.Endpoint != "", r.Kind == Discontinued
		if gone == (tokens || asks) || tokens && (len(r.Issuers) == 0 || len(r.Algorithms) == 0) || asks && (r.Subject == "" || len(r.Attributes) == 0) {
			t.Errorf("%s: got %+v, want a way to verify its logins, whole", r.Key, r)
		}
		for _, u := range []string{r.Keys, r.Endpoint} {
			if u != "" && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "{issuer}/") {
				t.Errorf("%s: got %s, want https", r.Key, u)
			}
		}
	}
	for _, key := range []string{"", "accounts.google.co", "Accounts.google.com", "https://accounts.google.com"} {
		if r := RowOf(key); r != nil {
			t.Errorf("%q: got the row of %s", key, r.Key)
		}
	}
}

func TestPublic(t *testing.T) {
	s := Settings{Secrets: map[string]Secret{"7": NewSecret("of 7")}}
	got := s.Public("accounts.google.com", "app", Secret{})
	want := &Provider{
		Kind: Social, Key: "accounts.google.com", Issuer: "https://accounts.google.com", MoreIssuers: []string{"accounts.google.com"},
		KeysURL: "https://www.googleapis.com/oauth2/v3/certs", Audiences: []string{"app"}, Algorithms: []string{"RS256"},
		AZPOrAudience: true, Row: RowOf("accounts.google.com"), Config: "accounts.google.com",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("Google (-got +want):\n%s", d)
	}
	if got.Asks() || !s.Public("graph.facebook.com", "7", Secret{}).Asks() {
		t.Error("got Google asked, or Facebook not")
	}
	if got := s.Public("graph.facebook.com", "7", Secret{}).Secret.Reveal(); got != "of 7" {
		t.Errorf("got the secret %q, want that of the app", got)
	}
	if got := s.Public("api.twitter.com", "7", NewSecret("own")).Secret.Reveal(); got != "own" {
		t.Errorf("got the secret %q, want the pool's own", got)
	}
	for _, key := range []string{"accounts.google.com", "api.twitter.com", "www.amazon.com"} {
		if got := s.Public(key, "7", Secret{}).Secret; !got.Empty() {
			t.Errorf("%s: got a secret that is Facebook's", key)
		}
	}
	const users = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"
	bearer := Settings{Secrets: map[string]Secret{users: NewSecret("bearer")}}
	if got := bearer.Public("graph.facebook.com", users, Secret{}).Secret; !got.Empty() {
		t.Error("got the bearer token of a user pool as the secret of an app at Facebook")
	}
	if got := s.Public("login.example.com", "app", Secret{}); got != nil {
		t.Errorf("got %+v for a key in no row", got)
	}
}

func TestUserPoolProvider(t *testing.T) {
	const name = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"
	got := new(Settings).UserPool(name, []string{"a", "b"}, []string{"b"})
	want := &Provider{
		Kind: UserPool, Key: name, Issuer: "https://" + name, KeysURL: "https://" + name + "/.well-known/jwks.json",
		Audiences: []string{"a", "b"}, MustBeActive: []string{"b"}, Algorithms: []string{"RS256"}, TokenUse: "id", Row: &Rows[0], Config: name,
	}
	if d := cmp.Diff(got, want, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
	if !got.Asks() || new(Settings).UserPool(name, []string{"a"}, nil).Asks() {
		t.Error("got a user pool asked without ServerSideTokenCheck, or not with it")
	}
	local := Settings{
		Issuers:   map[string]string{name: "http://127.0.0.1:9229/local_1"},
		Endpoints: map[string]string{name: "https://check.example.com"}, Secrets: map[string]Secret{name: NewSecret("bearer")},
	}
	got = local.UserPool(name, []string{"a"}, nil)
	if got.Key != name || got.Issuer != "http://127.0.0.1:9229/local_1" || got.KeysURL != "http://127.0.0.1:9229/local_1/.well-known/jwks.json" ||
		got.Endpoint != "https://check.example.com" || got.Secret.Reveal() != "bearer" {
		t.Errorf("got %+v, want the configured places", got)
	}
}

// TestPlaces: another place replaces every spelling of the real one.
func TestPlaces(t *testing.T) {
	s := Settings{
		Issuers: map[string]string{"accounts.google.com": "https://fake.example"}, Keys: map[string]string{"accounts.google.com": "https://fake.example/k"},
	}
	p := s.Public("accounts.google.com", "app", Secret{})
	if p.Issuer != "https://fake.example" || len(p.MoreIssuers) != 0 || p.KeysURL != "https://fake.example/k" {
		t.Errorf("got %+v, want the configured places alone", p)
	}
	if p := s.Public("appleid.apple.com", "app", Secret{}); p.Issuer != "https://appleid.apple.com" {
		t.Errorf("got %+v, want Apple as it is", p)
	}
}

func TestVouched(t *testing.T) {
	p := new(Settings).Public("www.amazon.com", "app", Secret{})
	end := time.Unix(1000, 0)
	got := p.Vouched("u", end)
	want := &Login{
		Provider: p, Subject: "u", Audience: "app", Expires: end,
		Claims: map[string]any{"iss": "www.amazon.com", "aud": "app", "sub": "u", "user_id": "u"},
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
}

func TestIsUserPool(t *testing.T) {
	for name, want := range map[string]bool{
		"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123":    true,
		"cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_a": true,
		"cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a":    true,
		"cognito-idp.us-east-1.amazonaws.com/local_4ntUq0sa":      true,
		"":                                                           false,
		"cognito-idp.us-east-1.amazonaws.com":                        false,
		"cognito-idp.us-east-1.amazonaws.com/":                       false,
		"cognito-idp.us-east-1.amazonaws.com/x":                      false,
		"cognito-idp.us-east-1.amazonaws.com/x_":                     false,
		"cognito-idp.us-east-1.amazonaws.com/_x":                     false,
		"cognito-idp.us-east-1.amazonaws.com/x_y_z":                  false,
		"cognito-idp.us-east-1.amazonaws.com/x_y/z":                  false,
		"cognito-idp..amazonaws.com/x_y":                             false,
		"cognito-idp.amazonaws.com/x_y":                              false,
		"cognito-idp.us-east-1.amazonaws.com.evil.example/x_y":       false,
		"cognito-idp.evil.example/.amazonaws.com/x_y":                false,
		"cognito-idp.us_east_1.amazonaws.com/x_y":                    false,
		"cognito-idp.us-east-1@evil.amazonaws.com/x_y":               false,
		"https://cognito-idp.us-east-1.amazonaws.com/x_y":            false,
		"cognito-idp.us-east-1.amazonaws.com/x_y:app":                false,
		"cognito-idp.a.amazonaws.com/a_" + strings.Repeat("x", 100):  false,
		"Cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC":          false,
		"cognito-idp.us-east-1.amazonaws.com:8443/us-east-1_AbC":     false,
		"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC#fragment": false,
	} {
		if got := IsUserPool(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestSecretPrintsNothing(t *testing.T) {
	s := NewSecret("hunter2")
	p := Provider{Secret: s}
	marshalled, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{s.String(), fmt.Sprint(s), fmt.Sprintf("%#v %+v %q %s", s, s, s, s), fmt.Sprintf("%+v %#v", p, p), string(marshalled)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("got %s", text)
		}
	}
	if s.Reveal() != "hunter2" || s.Empty() || !(Secret{}).Empty() || !s.Equal(NewSecret("hunter2")) || s.Equal(Secret{}) {
		t.Error("got a secret that is not what it was made of")
	}
}
