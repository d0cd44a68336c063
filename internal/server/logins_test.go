package server

import (
	"testing"

	"idpool/internal/config"
	"idpool/internal/login"
)

// TestPlainHTTPIsForDevelopment: what is asked of a login provider holds tokens and secrets.
func TestPlainHTTPIsForDevelopment(t *testing.T) {
	plain := config.LoginProviders{Endpoints: []config.ProviderURL{{Provider: "www.amazon.com", URL: "http://127.0.0.1:1/"}}}
	for _, c := range []struct {
		places   config.LoginProviders
		loopback bool
		refused  bool
	}{{plain, false, true}, {plain, true, false}, {config.LoginProviders{}, false, false}} {
		err := checkLoginProviders(&Options{Config: &config.Config{LoginProviders: c.places}, LoopbackHTTP: c.loopback})
		if (err != nil) != c.refused {
			t.Errorf("loopback %v: got %v, want an error: %v", c.loopback, err, c.refused)
		}
	}
}

// TestEveryKindHasAVerifier: no row of the table leads to nowhere.
func TestEveryKindHasAVerifier(t *testing.T) {
	s := &Server{}
	verifiers := s.verifiers(&config.Config{}, nil)
	for _, r := range login.Rows {
		if verifiers[r.Kind] == nil {
			t.Errorf("%s: no verifier for %s", r.Key, r.Kind)
		}
	}
}
