// Package server is where a server is wired, and the only place: a configuration becomes stores, keys, services, the
// door and the frame around it. It decides nothing itself. The subcommands serve and dev, and the tests, start the same
// server; what differs is in Options.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"idpool/internal/admission"
	"idpool/internal/authority"
	"idpool/internal/cognito"
	"idpool/internal/config"
	"idpool/internal/door"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/fetch"
	"idpool/internal/httpd"
	"idpool/internal/iam"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/login/oidc"
	"idpool/internal/login/saml"
	"idpool/internal/operate"
	"idpool/internal/operation"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/store/recent"
	"idpool/internal/store/sealed"
	"idpool/internal/store/sqlstore"
	"idpool/internal/sts"
)

// pollEvery is how often a node looks for changes that other nodes made; purgeEvery for deleted pools to clean up.
const (
	pollEvery  = time.Second
	purgeEvery = time.Minute
)

// admissionWait is how long a token waits for its turn to be verified (security F3).
const admissionWait = 100 * time.Millisecond

// Options are what a server needs.
type Options struct {
	Config *config.Config
	Log    *slog.Logger
	Now    func() time.Time
	// Events is where records go; nil means where the configuration says.
	Events event.Sink
	// LoopbackHTTP takes http:// issuers on loopback addresses: for development.
	LoopbackHTTP bool
	// MakeKeys makes the rings of keys when the store has none; without, such a store is refused.
	MakeKeys bool
	// Pages are further pages of the frame, by path.
	Pages map[string]http.Handler
	// Store, if set, wraps the store that was opened: for tests that make it fail.
	Store func(*store.Store) *store.Store
}

// Server is a wired server.
type Server struct {
	Store  *store.Store
	Source *snapshot.Source
	Setup  *setup.Setup

	frame    *httpd.Server
	fetch    *fetch.Client
	verifier *oidc.Verifier
	cognito  *cognito.Service
	// authorities are the other authorities.
	authorities *authority.Service
	own         *operate.Service
	recent      *recent.Identities                                                                 // through which everything goes that changes identities
	sealGuest   func(poolID, region string, now time.Time, random io.Reader) (string, bool, error) // nil: none are sealed
	purge       chan struct{}
	log         *slog.Logger
	closers     []func() error
	now         func() time.Time
	metrics     *httpd.Metrics
	signatures  *admission.Pool               // bounds how many tokens are signed at once, for whomever
	standing    atomic.Pointer[oidc.Standing] // of the keys of the providers; nil before the first look
}

// Open wires a server. It holds its stores until Close, and listens once Serve is called.
func Open(ctx context.Context, o Options) (*Server, error) {
	s := &Server{log: o.Log, purge: make(chan struct{}, 1), now: o.Now, signatures: admission.New(runtime.GOMAXPROCS(0)/2, admissionWait)}
	if err := s.open(ctx, &o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context, o *Options) error {
	for _, step := range []func(context.Context, *Options) error{s.openStore, s.openKeys, s.openAuthorities, s.openEvents, s.openServices} {
		if err := step(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) openStore(ctx context.Context, o *Options) error {
	opened, err := sqlstore.Open(ctx, o.Config.Store.Reveal(), sqlstore.Options{})
	if err != nil {
		return fmt.Errorf("store %s: %w", o.Config.Store, err)
	}
	s.closers = append(s.closers, opened.Close)
	if o.Store != nil {
		opened = o.Store(opened)
	}
	s.Store = opened
	return nil
}

// openKeys opens the key file and reads the configuration of the store for the first time.
func (s *Server) openKeys(ctx context.Context, o *Options) error {
	holder, err := filekeys.Open(o.Config.KeyFile, o.Config.Issuer)
	if err != nil {
		return err
	}
	s.Setup = &setup.Setup{Documents: s.Store.Documents, Holder: holder, Account: o.Config.AccountID, Random: rand.Reader, Now: o.Now}
	if o.MakeKeys {
		if err := s.Setup.Rings(ctx); err != nil {
			return err
		}
	}
	s.Source = &snapshot.Source{
		Documents: s.Store.Documents, Now: o.Now, Clock: s.Store.Clock,
		Compiler: &snapshot.Compiler{
			Account: o.Config.AccountID, Region: o.Config.Region, Holder: holder, Metadata: saml.ParseMetadata,
			Logins: o.Config.LoginProviders.Settings(), Reserved: o.Config.PublicURL + authority.IssuerPath,
		},
		Report: func(err error) { s.log.Error("the configuration has a fault", "error", err) },
	}
	if err := s.Source.Refresh(ctx); err != nil {
		return fmt.Errorf("store %s: %w", o.Config.Store, err)
	}
	return s.sealGuests(ctx, o)
}

// sealGuests puts sealed guests in front of the store where the configuration names pools for them.
func (s *Server) sealGuests(ctx context.Context, o *Options) error {
	identities := s.Store.Identities
	if pools := o.Config.SealedGuests; len(pools) > 0 {
		if err := s.Setup.Ring(ctx, keyring.Guests); err != nil {
			return err
		}
		if err := s.Source.Refresh(ctx); err != nil {
			return err
		}
		current, err := s.Source.Current()
		if err != nil {
			return err
		}
		guests, err := sealed.New(identities, current.Keys.Guests(), pools)
		if err != nil {
			return fmt.Errorf("sealed_guests: %w", err)
		}
		s.sealGuest, identities = guests.NewGuest, guests
	}
	s.recent = recent.New(identities, o.Config.Cache.Identities, o.Now)
	return nil
}

func (s *Server) openEvents(_ context.Context, o *Options) error {
	if o.Events != nil {
		return nil
	}
	sink, closer, err := openSink(o.Config.Log.Events)
	o.Events = sink
	s.closers = append(s.closers, closer)
	return err
}

func (s *Server) openServices(_ context.Context, o *Options) error {
	c := o.Config
	turns := verifications(c)
	if err := errors.Join(checkLoginProviders(o), s.openVerifier(o, turns)); err != nil {
		return err
	}
	minting := &sts.Service{
		Random: rand.Reader, Issuer: c.Issuer, Verifier: s.verifier, IssuerOf: oidc.Issuer,
		SAML: saml.New(saml.Options{Admit: turns.Do, Recipients: saml.Recipients(c.Region), MaxAge: saml.STSMaxAge}),
	}
	s.cognito = &cognito.Service{
		Config: s.Source, Identities: s.recent, Recent: s.recent.Recent, SealedGuest: s.sealGuest, Verifiers: s.verifiers(c, turns),
		Secrets: s.Setup.Holder, Questions: questions(c), AuthorityCalls: bursting(c.Limits.AuthorityCallsPerClient),
		Guests:     guestRates(c),
		Signatures: s.signatures,
		STS:        minting, Authorities: s.authorities, Issuer: c.Issuer, ClassicWhenUnset: c.ClassicWhenUnset, Random: rand.Reader, RequestTimeout: c.Limits.RequestTimeout, Purge: s.wakePurge,
	}
	administration := &iam.Service{
		Config: s.Source, Secrets: s.Setup.Holder, Rings: s.Setup, Random: rand.Reader, Metadata: saml.ParseMetadata, LoopbackHTTP: o.LoopbackHTTP,
		Issuer: c.Issuer, TrustAnyPool: c.TrustAnyPool, Reserved: c.PublicURL + authority.IssuerPath,
	}
	s.own = &operate.Service{Config: s.Source, Identities: s.recent, Keys: s.Setup.Holder, Verify: s.cognito.VerifyLogin, IssuerOf: oidc.Issuer}
	s.metrics = httpd.NewMetrics()
	services := []operation.Service{s.cognito.Table(), minting.Table(), administration.Table(), s.own.Table()}
	rates, err := operationRates(c, services)
	if err != nil {
		return err
	}
	entrance := door.New(door.Config{
		Source: s.Source, Services: services,
		Sink: o.Events, Now: o.Now, Observe: s.metrics.Observe, Rates: rates, Pace: admission.NewPace(c.Limits.RefusalsPerClient),
		Report: func(err error) { s.log.Error("a request could not be served as it should", "error", err) },
	}, c.Region)
	s.frame, err = httpd.New(frameConfig(c), httpd.Parts{Door: entrance, Pages: s.pages(o), Ready: s.ready, Degraded: s.degraded, Metrics: s.metrics, Log: o.Log})
	return err
}

func verifications(c *config.Config) *admission.Pool {
	n := c.Limits.Verifications
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return admission.New(n, admissionWait)
}

// pages are the documents of our own issuer, and those of Options.
func (s *Server) pages(o *Options) map[string]http.Handler {
	discovery := issuer.Discovery(o.Config.Issuer, issuer.Algorithm)
	base := pathOf(o.Config.Issuer)
	out := map[string]http.Handler{
		base + issuer.DiscoveryPath: document(func() ([]byte, error) { return discovery, nil }),
		base + issuer.KeysPath: document(func() ([]byte, error) {
			current, err := s.Source.Current()
			if err != nil {
				return nil, err
			}
			return current.Keys.JWKS(), nil
		}),
	}
	s.authorityPages(out)
	s.outboundPages(out, o.Config.Issuer)
	for path, handler := range o.Pages {
		out[path] = handler
	}
	return out
}

// ready is the readiness of this node: a database that answers and a configuration that is fresh.
func (s *Server) ready(ctx context.Context) error {
	if err := s.Store.Ping(ctx); err != nil {
		return fault.Wrap(fault.Internal, "The store does not answer.", err)
	}
	if _, err := s.Source.Current(); err != nil {
		return fault.Wrap(fault.Internal, "The configuration is not fresh.", err)
	}
	return nil
}

// Listen takes the port, so that clients can connect, and returns its URL.
func (s *Server) Listen() (string, error) {
	if err := s.frame.Listen(); err != nil {
		return "", err
	}
	return s.frame.URL(), nil
}

// Serve serves until ctx ends and requests under way are answered.
func (s *Server) Serve(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.keepUp(background)
	}()
	err := s.frame.Serve(ctx)
	stop()
	<-done
	return err
}

// Close lets go of everything. What was acknowledged is durable already.
func (s *Server) Close() error {
	var err error
	if s.verifier != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = s.verifier.Close(ctx)
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	return err
}
