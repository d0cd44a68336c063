// Package idpooltest starts a whole idpool server for tests: the same wiring as the program, on real HTTP and a real
// database in a temporary directory, with a real identity provider beside it and the documents of `idpool dev`.
//
// Methods that begin with Must fail the test. Only tests import this package.
package idpooltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/server"
	"idpool/internal/setup"
	"idpool/internal/store"
	"idpool/internal/testidp"
)

// Account and Region are those of every test server.
const (
	Account = "111122223333"
	Region  = "us-east-1"
)

// Options change what a test server is. The zero value is a server on SQLite with a clock that runs.
type Options struct {
	// Dir holds the key file and a SQLite store; default a temporary one. Give one to start a server again.
	Dir string
	// Store is the URL of the store; default SQLite in Dir.
	Store string
	// Clock is the server's and the identity provider's; default time.Now. With another one the database's is not looked at.
	Clock func() time.Time
	// Configure changes the configuration before the start.
	Configure func(*config.Config)
	// WrapStore stands between the server and its store.
	WrapStore func(*store.Store) *store.Store
	// Events replaces the sink of records; default one that Records reads.
	Events event.Sink
	// WrapEvents stands between the server and its sink.
	WrapEvents func(event.Sink) event.Sink
	// IdP is an identity provider that runs already; default a new one.
	IdP *IdP
}

// Server is a running server.
type Server struct {
	*server.Server
	URL string
	Dir string
	// Dev is what was seeded: a pool, its roles, an administrator.
	Dev *setup.Dev
	IdP *IdP
	// Clock is the server's.
	Clock func() time.Time

	t      testing.TB
	events *buffer
	log    *buffer
	stop   func()
}

// buffer is a writer that several goroutines share.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// IdP is an identity provider on an address of its own.
type IdP struct {
	*testidp.Provider
	// Key is its key in a Logins map.
	Key string
}

// StartIdP starts an identity provider; it ends with the test.
func StartIdP(t testing.TB, clock func() time.Time) *IdP {
	t.Helper()
	var handler http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	keys := t.TempDir()
	if err := idpKeys(keys); err != nil {
		t.Fatal(err)
	}
	p, err := testidp.New(testidp.Config{Issuer: web.URL, Now: clock, Dir: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	handler = p.Handler()
	return &IdP{Provider: p, Key: web.Listener.Addr().String()}
}

// madeKeys are the files of an identity provider's keys, by name. They are made once for each process: an RSA key costs
// more than all that most tests do. Providers that share keys have issuers of their own.
var madeKeys = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "testidp")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := testidp.New(testidp.Config{Issuer: "http://localhost", Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	files = map[string][]byte{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files[e.Name()] = text
	}
	return files, err
})

// idpKeys writes an identity provider's keys into a directory.
func idpKeys(dir string) error {
	files, err := madeKeys()
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return err
}

// Start starts a server, which stops with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Clock != nil {
		o.WrapStore = withoutClock(o.WrapStore)
	} else {
		o.Clock = time.Now
	}
	if o.IdP == nil {
		o.IdP = StartIdP(t, o.Clock)
	}
	s := &Server{Dir: o.Dir, IdP: o.IdP, Clock: o.Clock, t: t, events: &buffer{}, log: &buffer{}}
	if o.Events == nil {
		o.Events = event.NewLines(s.events)
	}
	if o.WrapEvents != nil {
		o.Events = o.WrapEvents(o.Events)
	}
	s.open(&o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// withoutClock takes the database's clock away before wrap sees the store.
func withoutClock(wrap func(*store.Store) *store.Store) func(*store.Store) *store.Store {
	return func(inner *store.Store) *store.Store {
		out := *inner
		out.Clock = nil
		if wrap == nil {
			return &out
		}
		return wrap(&out)
	}
}

// Stop stops the server before the test ends.
func (s *Server) Stop() { s.stop() }

// open wires and seeds the server and takes its port.
func (s *Server) open(o *Options) {
	s.t.Helper()
	cfg := s.configuration(o)
	if o.Configure != nil {
		o.Configure(cfg)
	}
	var err error
	s.Server, err = server.Open(s.t.Context(), server.Options{
		Config: cfg, Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: o.Clock,
		Events: o.Events, LoopbackHTTP: true, MakeKeys: true, Store: o.WrapStore,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.Dev, err = s.Setup.Dev(s.t.Context(), s.Source, o.IdP.Issuer()); err != nil {
		s.t.Fatal(err)
	}
	if s.URL, err = s.Listen(); err != nil {
		s.t.Fatal(err)
	}
}

// configuration is that of every test server. The issuer does not depend on the port, so that a server started again
// opens the sessions of the one before.
func (s *Server) configuration(o *Options) *config.Config {
	s.t.Helper()
	key := filepath.Join(o.Dir, "key")
	_ = filekeys.Create(key) // it is there when a server is started again
	if o.Store == "" {
		o.Store = "sqlite:" + filepath.Join(o.Dir, "idpool.db")
	}
	text := config.Initial(config.Init{
		Listen: "127.0.0.1:0", PublicURL: "https://idpool.test", Region: Region, AccountID: Account,
		DataDir: o.Dir, Store: o.Store, KeyFile: key, ClassicFlow: "allow",
	})
	cfg, err := config.Parse("idpool.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		s.t.Fatal(err)
	}
	cfg.Limits.RefusalsPerClient = 0 // most clocks stand, and tests try much that is refused
	return cfg
}

// Records returns the events so far.
func (s *Server) Records() []*event.Record { return s.since(0) }

// mark is where the next event begins, for since.
func (s *Server) mark() int { return len(s.events.String()) }

// since returns the events from a mark on.
func (s *Server) since(mark int) []*event.Record {
	s.t.Helper()
	var out []*event.Record
	for d := json.NewDecoder(strings.NewReader(s.events.String()[mark:])); d.More(); {
		r := &event.Record{}
		if err := d.Decode(r); err != nil {
			s.t.Fatalf("event: %v", err)
		}
		out = append(out, r)
	}
	return out
}

// Output returns everything that the server has written: events and log, as text.
func (s *Server) Output() string { return s.events.String() + s.log.String() }
