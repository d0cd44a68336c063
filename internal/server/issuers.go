package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"idpool/internal/admission"
	"idpool/internal/config"
	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/login/oidc"
)

// upkeepEvery is how often the keys of the providers are looked after.
const upkeepEvery = 15 * time.Second

// openVerifier makes the verifier of ID tokens, with what the configuration says of single issuers. Tokens are verified in
// their turns.
func (s *Server) openVerifier(o *Options, turns *admission.Pool) error {
	c := o.Config
	roots, err := rootCAs(c.Fetch.CAFiles)
	if err != nil {
		return fmt.Errorf("fetch.ca_files: %w", err)
	}
	reach := fetch.Config{Allow: c.Fetch.Allow, LoopbackHTTP: o.LoopbackHTTP, RootCAs: roots, Timeout: c.Fetch.Timeout}
	settings := map[string]oidc.Settings{}
	for _, one := range c.Issuers {
		if settings[one.URL], err = issuerSettings(one, reach); err != nil {
			return err
		}
	}
	s.fetch = fetch.New(reach)
	s.verifier, err = oidc.New(s.fetch, oidc.Options{Issuers: settings, Verified: c.Cache.Tokens, Admit: turns.Do, OnLoad: s.logLoad})
	return err
}

// issuerSettings are those of one issuer. reach is what holds for all.
func issuerSettings(one config.Issuer, reach fetch.Config) (oidc.Settings, error) {
	out := oidc.Settings{
		Algorithms: one.Algorithms, AZPReplacesAudience: one.AZPReplacesAudience,
		ExpiryGrace: one.ExpiryGrace, MaxLifetime: one.MaxTokenLife,
	}
	if one.JWKSFile != "" {
		out.KeySet = func() ([]byte, error) { return readKeySet(one.JWKSFile) }
	}
	if len(one.CAFiles) == 0 {
		return out, nil
	}
	only, err := onlyCAs(one.CAFiles)
	if err != nil {
		return out, fmt.Errorf("issuers: %s: ca_files: %w", one.URL, err)
	}
	reach.RootCAs = only
	out.Fetcher = fetch.New(reach)
	return out, nil
}

// readKeySet reads a key set from a file, as much as would be fetched.
func readKeySet(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if text, err = io.ReadAll(io.LimitReader(f, fetch.MaxBody+1)); err == nil && len(text) > fetch.MaxBody {
		err = fmt.Errorf("%s is larger than %d bytes", path, fetch.MaxBody)
	}
	return text, err
}

func (s *Server) logLoad(l oidc.Load) {
	if l.Err != nil {
		s.log.Warn("the keys of an identity provider could not be loaded", "issuer", l.Issuer, "error", l.Err)
		return
	}
	s.log.Info("loaded the keys of an identity provider", "issuer", l.Issuer, "keys", l.Keys, "dropped", l.Dropped)
}

// upkeepLoop looks after the keys of the providers until ctx ends, at the start first. A provider that is down degrades
// nothing but its own logins.
func (s *Server) upkeepLoop(ctx context.Context) {
	ticker := time.NewTicker(upkeepEvery)
	defer ticker.Stop()
	for {
		s.Upkeep()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Upkeep has missing and old keys of the providers loaded, and notes how they stand. It does not wait for them.
func (s *Server) Upkeep() {
	current, err := s.Source.Current()
	if err != nil {
		return // the node is not ready, and says so
	}
	var providers []*login.Provider
	for _, p := range current.OIDCProviders() {
		providers = append(providers, p.Login())
	}
	standing := s.verifier.Refresh(providers, s.now())
	s.standing.Store(&standing)
	s.metrics.Issuers(standing.Fresh, standing.Stale, standing.Missing, standing.Loading)
}

// degraded says what is impaired while requests are served. It names no issuer: who asks needs no rights.
func (s *Server) degraded() string {
	k := s.standing.Load()
	if k == nil || k.Stale+k.Missing == 0 {
		return ""
	}
	return fmt.Sprintf("Degraded: of %d OpenID Connect issuers, the keys of %d cannot be had, and those of %d cannot be renewed.",
		k.Fresh+k.Stale+k.Missing+k.Loading, k.Missing, k.Stale)
}
