// Package testidp is the identity provider of `idpool dev` and of tests: a real OpenID Connect issuer that gives a token
// to whoever asks, for any subject and any claims.
//
// It serves a discovery document, its keys, and POST {issuer}/token, which takes a TokenRequest and returns
// {"id_token": "…"}. Its keys, one for RS256 and one for ES256, live in memory or in one file of a directory, so that
// tokens stay valid over a restart. There is no login page and no authorization endpoint.
//
// Whoever can reach it can be anybody: keep it to loopback. That is left to the caller.
package testidp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config says who the provider is.
type Config struct {
	// Issuer is the iss of its tokens and the address at which it is mounted, such as "http://127.0.0.1:8080/testidp",
	// without a slash at the end.
	Issuer string
	// Dir is where keys are kept; it is made if need be. "" keeps them in memory.
	Dir string
	// Now is the clock of iat and exp; nil means time.Now.
	Now func() time.Time
}

// Provider is an issuer with its keys. It is safe for concurrent use.
type Provider struct {
	issuer string
	prefix string // the path of the issuer
	dir    string
	now    func() time.Time

	mu   sync.RWMutex
	keys keys
	// rsa makes the RSA key where there is none yet. It takes a good part of a second, so that start-up does not wait.
	rsa func() error
}

// New returns a provider with the keys of its directory, or with new ones. The RSA key may still be on its way; whatever
// needs it waits. Call Close in the end.
func New(cfg Config) (*Provider, error) {
	issuer, err := url.Parse(cfg.Issuer)
	if err != nil || issuer.Scheme != "http" && issuer.Scheme != "https" || issuer.Host == "" ||
		issuer.RawQuery != "" || issuer.Fragment != "" || strings.HasSuffix(cfg.Issuer, "/") {
		return nil, fmt.Errorf("the test identity provider's issuer %q is not like http://127.0.0.1:8080/testidp", cfg.Issuer)
	}
	p := &Provider{issuer: cfg.Issuer, prefix: issuer.Path, dir: cfg.Dir, now: cfg.Now}
	if p.now == nil {
		p.now = time.Now
	}
	if p.keys, err = readKeys(p.dir); err != nil {
		return nil, err
	}
	if p.keys.current(jose.ES256) == nil {
		if err := p.add(jose.ES256); err != nil {
			return nil, err
		}
	}
	p.rsa = sync.OnceValue(p.addRSA)
	go p.rsa()
	return p, nil
}

// Issuer is the iss of its tokens.
func (p *Provider) Issuer() string { return p.issuer }

// Close waits until the keys are made and written, and returns what went wrong with that.
func (p *Provider) Close() error { return p.rsa() }

// addRSA makes the RSA key unless it was read.
func (p *Provider) addRSA() error {
	p.mu.RLock()
	have := p.keys.current(jose.RS256) != nil
	p.mu.RUnlock()
	if have {
		return nil
	}
	return p.add(jose.RS256)
}

// add makes a key and writes it. The lock is not held while it is made.
func (p *Provider) add(alg jose.SignatureAlgorithm) error {
	key, err := newKey(alg)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replaceLocked(append(keys{key}, p.keys...))
}

// replaceLocked makes the keys the provider's once they are written.
func (p *Provider) replaceLocked(next keys) error {
	if err := next.write(p.dir); err != nil {
		return err
	}
	p.keys = next
	return nil
}

// Old is what becomes of the keys before at Rotate.
type Old int

const (
	// Drop stops publishing them, so that their tokens are no longer valid.
	Drop Old = iota
	// Keep publishes them on, but signs no more with them.
	Keep
)

// Rotate makes new keys for both algorithms and publishes and uses them at once.
func (p *Provider) Rotate(old Old) error {
	if err := p.rsa(); err != nil {
		return err
	}
	es, err := newKey(jose.ES256)
	rs, err2 := newKey(jose.RS256)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := keys{rs, es}
	if old == Keep {
		next = append(next, p.keys...)
	}
	return p.replaceLocked(next)
}
