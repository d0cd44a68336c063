// Package oidc verifies the ID tokens of OpenID Connect providers.
//
// A token passes a strict parser of our own first (token.go, claims.go, and strictjson): what is ambiguous to any reader is
// refused, so that no two readers can disagree on it. Its signature is checked with the standard library (algorithm.go; RSA
// keys are made ready once, rsa.go), by a key of the one provider that the caller named (keyset.go). The keys of a provider
// are a source (source.go): an immutable set behind a pointer, loaded through the one outgoing client (discovery.go), and
// filtered key by key (jwk.go). What an unverified token says never decides where a connection goes, and hardly whether there
// is one: at most two loads a minute.
//
// Which login key belongs to which provider, and what a login leads to, is decided elsewhere.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"idpool/internal/cache"
	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// DefaultMaxSources is how many providers' keys are kept where Options do not say.
const DefaultMaxSources = 4096

// Fetcher gets a document from a URL, by rules of its own on what may be reached. *fetch.Client is one.
type Fetcher interface {
	Get(ctx context.Context, url string) (*fetch.Document, error)
}

// Options are the settings of a Verifier. The zero value is the default.
type Options struct {
	// Issuers are the settings of single issuers, by `iss`. Others have the zero value.
	Issuers map[string]Settings
	// MaxSources is how many providers' keys are kept; the one unused for longest makes room. 0 means
	// DefaultMaxSources.
	MaxSources int
	// Verified is how many verified tokens are remembered for up to a minute; 0 remembers none.
	Verified int
	// Admit, where set, runs the check of a signature in its turn, or returns an error without running it: so that a flood
	// of tokens cannot make all other requests slow (security F3). *admission.Pool's Do is one.
	Admit func(ctx context.Context, work func()) error
	// OnLoad, where set, is told of every attempt to load keys. It is called on the loading goroutine.
	OnLoad func(Load)
	// Jitter returns a number from 0 to below 1, by which nodes differ in when they refresh a set; nil means a random one.
	Jitter func() float64
}

// Load is one attempt to load the keys of a provider.
type Load struct {
	Issuer  string
	Keys    int      // usable keys
	Dropped []string // for each key that was left out: why
	Err     error    // nil when the set was replaced
}

// Verifier is the login.Verifier for providers whose logins are ID tokens. It is safe for concurrent use.
type Verifier struct {
	opts    Options
	fetcher Fetcher
	work    *work
	issuers map[string]*Settings
	// verified is what was verified a moment ago; see verified.
	verified *cache.Cache[verifiedID, *verified]

	mu      sync.RWMutex
	sources map[sourceID]*source
}

var _ login.Verifier = (*Verifier)(nil)

// New returns a verifier that gets keys through the fetcher. It fails when an option is out of its bounds, or a key set
// that is not fetched cannot be used. Close it when it is no longer needed.
func New(fetcher Fetcher, opts Options) (*Verifier, error) {
	if opts.MaxSources < 0 {
		return nil, errors.New("the number of key sources must not be negative")
	}
	if opts.MaxSources == 0 {
		opts.MaxSources = DefaultMaxSources
	}
	if opts.Jitter == nil {
		opts.Jitter = rand.Float64
	}
	for issuer, settings := range opts.Issuers {
		if err := settings.check(); err != nil {
			return nil, fmt.Errorf("the issuer %s: %w", issuer, err)
		}
	}
	v := &Verifier{
		opts: opts, fetcher: fetcher, work: newWork(), sources: map[sourceID]*source{}, issuers: map[string]*Settings{},
		verified: cache.New[verifiedID, *verified](opts.Verified, maxVerified),
	}
	for issuer, settings := range opts.Issuers {
		v.issuers[issuer] = &settings
	}
	return v, nil
}

var usualSettings Settings

// settings are those of an issuer. They are not to be changed.
func (v *Verifier) settings(issuer string) *Settings {
	if s := v.issuers[issuer]; s != nil {
		return s
	}
	return &usualSettings
}

// Close ends the loads under way and waits for them, as long as ctx allows. A closed verifier verifies with the keys
// that it has and loads no more.
func (v *Verifier) Close(ctx context.Context) error { return v.work.close(ctx) }

// Verify returns the login that the token proves, or a *login.Refusal.
//
// The order of the checks is that of spec cognito-identity §8.2. Everything that costs little comes before the
// signature; but what a token says of time and audience is judged only once its signature holds, so that nobody can ask
// us about tokens that nobody issued.
func (v *Verifier) Verify(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, error) {
	l, refusal := v.verify(ctx, p, token, now)
	if refusal != nil {
		return nil, refusal
	}
	return l, nil
}

func (v *Verifier) verify(ctx context.Context, p *login.Provider, raw string, now time.Time) (*login.Login, *login.Refusal) {
	if p.Kind == login.SAML || p.Issuer == "" || len(p.Audiences) == 0 {
		return nil, &login.Refusal{Reason: login.IssuerUnreachable, Expected: "an OpenID Connect provider with an issuer and client ids", Found: "another provider"}
	}
	t, refusal := takeApart(raw)
	if refusal != nil {
		return nil, refusal
	}
	was, known := v.recall(t, p, now)
	c, refusal := t.read(p, was)
	if refusal != nil {
		return nil, refusal
	}
	settings := v.settings(p.Issuer)
	alg, refusal := chooseAlgorithm(t.alg, p.Algorithms, settings.Algorithms)
	if refusal != nil {
		return nil, refusal
	}
	keys := v.source(p, now)
	known = known && keys.still(ctx, was, alg, now)
	if !known {
		if refusal := keys.verify(ctx, t, alg, now); refusal != nil {
			return nil, refusal
		}
	}
	if refusal := c.checkTimes(now, settings); refusal != nil {
		return nil, refusal
	}
	audience, refusal := c.checkAudience(p, settings.AZPReplacesAudience)
	if refusal != nil {
		return nil, refusal
	}
	if !known && len(raw) <= maxRemembered {
		v.remember(t, c)
	}
	return &login.Login{Provider: p, Subject: c.sub, Audience: audience, Claims: c.all, Expires: time.Unix(c.exp, 0).UTC()}, nil
}

// source returns the keys of the provider's configuration.
func (v *Verifier) source(p *login.Provider, now time.Time) *source {
	id := sourceOf(p)
	v.mu.RLock()
	s := v.sources[id]
	v.mu.RUnlock()
	if s == nil {
		s = v.addSource(id)
	}
	s.touch(now)
	return s
}

// addSource adds a source, and where there are too many takes away the one that was unused for longest.
func (v *Verifier) addSource(id sourceID) *source {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.sources[id]; s != nil {
		return s
	}
	if len(v.sources) >= v.opts.MaxSources {
		v.evictLocked()
	}
	s := &source{
		id: id, fetcher: v.fetcher, work: v.work, admit: v.opts.Admit, onLoad: v.opts.OnLoad, jitter: v.opts.Jitter,
		file: v.settings(id.issuer).KeySet,
	}
	if own := v.settings(id.issuer).Fetcher; own != nil {
		s.fetcher = own
	}
	v.sources[id] = s
	return s
}

func (v *Verifier) evictLocked() {
	var oldest *source
	for _, s := range v.sources {
		if oldest == nil || s.used.Load() < oldest.used.Load() {
			oldest = s
		}
	}
	if oldest != nil {
		delete(v.sources, oldest.id)
	}
}

// sourceID names the keys of one configuration of one issuer: never a key id, which is the issuer's to choose
// (security A15).
type sourceID struct {
	issuer, keysURL, config string
}

func sourceOf(p *login.Provider) sourceID { return sourceID{p.Issuer, p.KeysURL, p.Config} }

// touch notes that the source was used. Seconds are enough, and spare the other cores a write on every request.
func (s *source) touch(now time.Time) {
	if sec := now.Unix(); s.used.Load() != sec {
		s.used.Store(sec)
	}
}

// Issuer returns the `iss` of a token that nobody has verified yet, so that the provider that it names can be looked up
// among those that are configured. It is good for nothing else. The error is a *login.Refusal.
func Issuer(raw string) (string, error) {
	t, refusal := takeApart(raw)
	if refusal != nil {
		return "", refusal
	}
	all, err := strictjson.Object(t.payload)
	if err != nil {
		return "", malformed("claims as a JSON object", err)
	}
	issuer, ok := all["iss"].(string)
	if !ok || issuer == "" {
		return "", &login.Refusal{Reason: login.MissingClaim, Claim: "iss", Expected: "the claim", Found: "none, or an empty one"}
	}
	return issuer, nil
}
