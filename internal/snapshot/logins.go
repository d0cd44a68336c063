package snapshot

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"idpool/internal/login"
	"idpool/internal/pool"
	"idpool/internal/store"
)

func (c *Compiler) pool(s *Snapshot, d store.Document) (*Pool, error) {
	p, err := read[pool.Pool](d)
	if err != nil {
		return nil, err
	}
	return &Pool{Pool: *p, Version: d.Version, Providers: c.providersOf(s, p)}, nil
}

// providersOf compiles the providers of a pool whose logins can be verified, by their keys in a Logins map. One that is
// gone takes its logins with it. No pool has two providers of one key; where a document says so, the account's own provider
// stands.
func (c *Compiler) providersOf(s *Snapshot, p *pool.Pool) map[string]*login.Provider {
	out := map[string]*login.Provider{}
	c.addUserPools(out, p)
	c.addPublic(s, out, p)
	for _, providerARN := range p.OIDCProviders {
		if o := s.providers.get(providerARN); o != nil {
			v := o.Login()
			out[v.Key] = v
		}
	}
	for _, providerARN := range p.SAMLProviders {
		if saml := s.SAMLProvider(providerARN); saml != nil {
			out[providerARN] = saml.Login()
		}
	}
	return out
}

// addUserPools adds one provider for each user pool, with all of its app clients.
func (c *Compiler) addUserPools(out map[string]*login.Provider, p *pool.Pool) {
	clients, checked := map[string][]string{}, map[string][]string{}
	for _, u := range p.CognitoProviders {
		clients[u.ProviderName] = append(clients[u.ProviderName], u.ClientID)
		if u.ServerSideCheck != nil && *u.ServerSideCheck {
			checked[u.ProviderName] = append(checked[u.ProviderName], u.ClientID)
		}
	}
	for name := range clients {
		out[name] = c.Logins.UserPool(name, clients[name], checked[name])
	}
}

// addPublic adds the providers of SupportedLoginProviders. One whose secret does not open has no logins.
func (c *Compiler) addPublic(s *Snapshot, out map[string]*login.Provider, p *pool.Pool) {
	for _, key := range slices.Sorted(maps.Keys(p.LoginProviders)) {
		secret, err := s.appSecret(p, key)
		if err != nil {
			s.Broken[broken(store.Document{Kind: KindPool, ID: p.ID})] = err
			continue
		}
		if provider := c.Logins.Public(key, p.LoginProviders[key], login.NewSecret(secret)); provider != nil {
			out[key] = provider
		}
	}
}

// appSecret opens the secret of a pool's app at a provider; empty where it has none.
func (s *Snapshot) appSecret(p *pool.Pool, key string) (string, error) {
	sealed := p.AppSecrets[key]
	if sealed == nil {
		return "", nil
	}
	if s.Keys == nil {
		return "", errors.New("there are no keys")
	}
	secret, err := s.Keys.AppSecret(p.ID, key, sealed)
	if err != nil {
		return "", fmt.Errorf("the secret of its app at %s: %w", key, err)
	}
	return secret, nil
}

// relinkProviders compiles again the pools that the account's providers are in.
func (c *Compiler) relinkProviders(s *Snapshot) {
	pools := s.pools.change()
	for id, p := range s.pools.all() {
		if len(p.OIDCProviders)+len(p.SAMLProviders) == 0 {
			continue
		}
		again := *p
		again.Providers = c.providersOf(s, &p.Pool)
		pools.set(id, &again)
	}
	s.pools = pools.done()
}
