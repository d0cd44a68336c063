package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"idpool/internal/authority"
	"idpool/internal/authority/stsclient"
	"idpool/internal/config"
	"idpool/internal/fetch"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
)

// openAuthorities makes the other authorities ready, and the rings of their keys where the store lacks them.
func (s *Server) openAuthorities(ctx context.Context, o *Options) error {
	set, err := Authorities(o.Config)
	if err != nil {
		return err
	}
	clients := stsclient.Client{}
	for i, a := range set.All() {
		if clients[a.Name], err = authorityClient(&o.Config.Authorities[i], o.LoopbackHTTP); err != nil {
			return fmt.Errorf("authorities.%s: %w", a.Name, err)
		}
		if err := s.Setup.Ring(ctx, a.KeyUse); err != nil {
			return fmt.Errorf("authorities.%s: %w", a.Name, err)
		}
	}
	s.authorities = authority.New(authority.Parts{
		Authorities: set, Client: clients, Random: rand.Reader, Now: o.Now, Wait: wait, Current: s.Source.Current,
		Admit: s.signatures.Do,
	})
	if len(set.All()) == 0 {
		return nil
	}
	return s.Source.Refresh(ctx) // the rings may be new
}

// Authorities are the authorities of a configuration, with their session policies read.
func Authorities(c *config.Config) (*authority.Set, error) {
	var all []*authority.Authority
	for i := range c.Authorities {
		a, err := authorityOf(c, &c.Authorities[i])
		if err != nil {
			return nil, fmt.Errorf("authorities.%s: %w", c.Authorities[i].Name, err)
		}
		all = append(all, a)
	}
	return authority.NewSet(all...), nil
}

func authorityOf(c *config.Config, a *config.Authority) (*authority.Authority, error) {
	out := &authority.Authority{
		Name: a.Name, Dialect: authority.DialectOf(a.Kind), Endpoint: a.Endpoint, Region: a.Region, Roles: a.Roles,
		Issuer: c.PublicURL + authority.IssuerPath + a.Name, KeyUse: keyring.AuthorityUse(a.Name, a.Algorithm), Audience: a.Audience,
		Tags: a.Tags, Duration: a.Duration, Reuse: a.Reuse, Retries: a.Retries,
	}
	if out.Tags == "" {
		out.Tags = out.Dialect.Tags
	}
	var err error
	if out.Policy, err = sessionPolicy(out.Dialect, a.SessionPolicy, false); err != nil {
		return nil, err
	}
	guest := a.GuestSessionPolicy
	if guest == "" {
		guest = a.SessionPolicy
	}
	out.Guest, err = sessionPolicy(out.Dialect, guest, true)
	return out, err
}

// sessionPolicy reads the template in a file; nil where there is none.
func sessionPolicy(d *authority.Dialect, file string, guest bool) (*authority.Template, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := authority.ParseTemplate(text, d, guest)
	if err != nil {
		return nil, fmt.Errorf("the session policy in %s: %w", file, err)
	}
	return t, nil
}

// authorityClient is a client that reaches one authority alone, by its settings.
func authorityClient(a *config.Authority, loopback bool) (*fetch.Client, error) {
	roots, err := rootCAs(a.CAFiles)
	if err != nil {
		return nil, err
	}
	return fetch.New(fetch.Config{
		Allow: a.Allow, LoopbackHTTP: loopback || strings.HasPrefix(a.Endpoint, "http:"), RootCAs: roots, Timeout: a.Timeout,
	}), nil
}

// authorityPages are the documents of the issuers that authorities see.
func (s *Server) authorityPages(out map[string]http.Handler) {
	for _, a := range s.authorities.All() {
		algorithm, _ := keyring.AuthorityAlgorithm(a.KeyUse)
		discovery := issuer.Discovery(a.Issuer, algorithm)
		base := pathOf(a.Issuer)
		out[base+issuer.DiscoveryPath] = document(func() ([]byte, error) { return discovery, nil })
		out[base+issuer.KeysPath] = document(func() ([]byte, error) {
			current, err := s.Source.Current()
			if err != nil {
				return nil, err
			}
			keys := current.Keys.Issuer(a.KeyUse)
			if keys == nil {
				return nil, fmt.Errorf("there are no keys for the authority %s", a.Name)
			}
			return keys.JWKS(), nil
		})
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Authorities are the other authorities, ready for use.
func (s *Server) Authorities() *authority.Service { return s.authorities }
