package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/login"
)

func TestLoginProviderSettings(t *testing.T) {
	const pool = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"
	c := mustParse(t, required+`login_providers:
  issuers: ["`+pool+`=https://users.example.com"]
  keys: ["accounts.google.com=https://keys.example.com/a"]
  endpoints: ["api.twitter.com=https://check.example.com/b"]
  secrets: ["1=x", "`+pool+`=y"]
`)
	want := login.Settings{
		Issuers: map[string]string{pool: "https://users.example.com"}, Keys: map[string]string{"accounts.google.com": "https://keys.example.com/a"},
		Endpoints: map[string]string{"api.twitter.com": "https://check.example.com/b"},
		Secrets:   map[string]login.Secret{"1": login.NewSecret("x"), pool: login.NewSecret("y")},
	}
	if d := cmp.Diff(c.LoginProviders.Settings(), want); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
}

func TestPlainHTTP(t *testing.T) {
	for text, want := range map[string]bool{
		"": false,
		"login_providers: {keys: [\"accounts.google.com=https://127.0.0.1/\"]}\n":             false,
		"login_providers: {keys: [\"accounts.google.com=http://127.0.0.1/\"]}\n":              true,
		"login_providers: {issuers: [\"accounts.google.com=http://127.0.0.1/\"]}\n":           true,
		"login_providers: {endpoints: [\"graph.facebook.com=http://[::1]:1/debug_token\"]}\n": true,
	} {
		if got := mustParse(t, required+text).LoginProviders.PlainHTTP(); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// A configuration that is printed reveals no secret of an app.
func TestProviderSecretsDoNotPrint(t *testing.T) {
	c := mustParse(t, required+"login_providers: {secrets: [\"1=hunter2\"]}\n")
	for _, text := range []string{fmt.Sprint(c.LoginProviders), fmt.Sprintf("%+v %#v", c, c.LoginProviders)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("got %s", text)
		}
	}
}
