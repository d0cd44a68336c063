package httpd

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/door"
)

// patience bounds what a test waits for; nothing should come near it.
const patience = 10 * time.Second

type doorFunc func(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin)

func (f doorFunc) Serve(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin) {
	f(w, r, body, from)
}

// echo answers with what came in.
var echo = doorFunc(func(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(r.Method + " " + r.RequestURI + " " + from.Client.String() + " body=" + string(body)))
})

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running is a server under test.
type running struct {
	*Server
	log  *syncBuffer
	stop func() error // ends it, once, and returns what Serve returned
}

// mustServe starts a server on a free port of loopback.
func mustServe(t testing.TB, cfg Config, parts Parts) *running {
	t.Helper()
	return mustServeAt(t, cfg, parts, time.Now)
}

func mustServeAt(t testing.TB, cfg Config, parts Parts, now func() time.Time) *running {
	t.Helper()
	run := &running{log: &syncBuffer{}}
	cfg.Listen = "127.0.0.1:0"
	if parts.Door == nil {
		parts.Door = echo
	}
	if parts.Ready == nil {
		parts.Ready = func(context.Context) error { return nil }
	}
	if parts.Metrics == nil {
		parts.Metrics = NewMetrics()
	}
	parts.Log = slog.New(slog.NewTextHandler(run.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if run.Server, err = newServer(cfg.withDefaults(), parts, now); err != nil {
		t.Fatal(err)
	}
	if err := run.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- run.Serve(ctx) }()
	run.stop = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() {
		if err := run.stop(); err != nil {
			t.Errorf("Serve: got %v", err)
		}
	})
	return run
}

// mustDial opens a socket to the server.
func mustDial(t testing.TB, s *running) net.Conn {
	t.Helper()
	c, err := dial(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dial opens a connection. One that is turned away may be gone before it is open: that is the error.
func dial(t testing.TB, s *running) (net.Conn, error) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c, nil
}

// mustSend writes bytes as they are, and returns all that comes back until the server hangs up.
func mustSend(t *testing.T, c net.Conn, raw string) string {
	t.Helper()
	if raw != "" {
		if _, err := io.WriteString(c, raw); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %q: %v", got, err)
	}
	return string(got)
}

// mustRead reads one answer from a socket.
func mustRead(t *testing.T, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func mustParse(t *testing.T, raw string) (*http.Response, string) {
	t.Helper()
	return mustRead(t, bufio.NewReader(strings.NewReader(raw)))
}

// mustDo makes a request with a client of its own, whose connections end with the test. Fields are "Name: value".
func mustDo(t *testing.T, s *running, method, path, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	res, got, err := do(t, s, method, path, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	return res, got
}

// do is mustDo for other goroutines.
func do(t *testing.T, s *running, method, path, body string, fields ...string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := newClient(t, nil).Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return res, string(got), err
}

func newClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: config != nil && config.NextProtos == nil}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// pair is a self-signed certificate for 127.0.0.1, in files.
type pair struct {
	TLS
	roots *x509.CertPool
}

// mustPair writes a new pair into a directory, over the one before.
func mustPair(t *testing.T, dir string, serial int64) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	p := pair{TLS{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}, x509.NewCertPool()}
	p.roots.AddCert(cert)
	mustWrite(t, p.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	mustWrite(t, p.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return p
}

func mustWrite(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// wait returns when ok does, or fails the test; between tries it lets others run.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
