package httpd

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
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

// A shutdown lets requests under way finish, takes no more, and says so first (requirement 53).
func TestShutdownDrains(t *testing.T) {
	const n = 20
	inside, release := make(chan bool, n), make(chan bool)
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(w http.ResponseWriter, _ *http.Request, body []byte, _ door.Origin) {
		inside <- true
		<-release
		_, _ = w.Write(body)
	})})
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			if res, body, err := do(t, s, "POST", "/", "{}"); err != nil || res.StatusCode != 200 || body != "{}" {
				t.Errorf("a request under way: got %q, %v", body, err)
			}
		})
	}
	for range n {
		<-inside
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	wait(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-stopped:
		t.Fatalf("Serve returned %v with requests under way", err)
	default:
	}
	close(release)
	clients.Wait()
	if err := <-stopped; err != nil {
		t.Errorf("Serve: got %v", err)
	}
}

// Balancers hear of a shutdown before connections are refused.
func TestShutdownDelay(t *testing.T) {
	s := mustServe(t, Config{ShutdownDelay: 300 * time.Millisecond}, Parts{})
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	wait(t, "readiness to turn false", func() bool {
		res, body := mustDo(t, s, "GET", "/readyz", "")
		return res.StatusCode == 503 && body == "Shutting down.\n"
	})
	// Connections are not kept any more, so that none is idle when the listener closes.
	if res, _ := mustDo(t, s, "POST", "/", "{}"); res.StatusCode != 200 || !res.Close {
		t.Errorf("a request in the delay: got %d, connection closed %t", res.StatusCode, res.Close)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve: got %v", err)
	}
}

// What does not finish in the grace is cut off, and Serve says so.
func TestShutdownGraceEnds(t *testing.T) {
	inside, ended := make(chan bool), make(chan error, 1)
	s := mustServe(t, Config{ShutdownGrace: 20 * time.Millisecond}, Parts{
		Door: doorFunc(func(_ http.ResponseWriter, r *http.Request, _ []byte, _ door.Origin) {
			close(inside)
			<-r.Context().Done()
			ended <- r.Context().Err()
		}),
	})
	c := mustDial(t, s)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	<-inside
	err := s.stop()
	s.stop = func() error { return nil } // the error is wanted
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve: got %v, want a deadline", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the request's context: got %v", err)
	}
}

// A context that ends before Serve is called is a shutdown like any other.
func TestServeWithEndedContext(t *testing.T) {
	parts := Parts{Door: echo, Ready: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler)}
	s, err := New(Config{Listen: "127.0.0.1:0"}, parts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Errorf("got %v", err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestListenFails(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	parts := Parts{Door: echo, Ready: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler)}
	taken := s.Addr().String()
	for _, cfg := range []Config{{Listen: taken}, {Listen: "127.0.0.1:0", MetricsListen: taken}} {
		again, err := New(cfg, parts)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Listen(); err == nil || !strings.Contains(err.Error(), taken) {
			t.Errorf("got %v, want an error that names %s", err, taken)
		}
		if err := again.Serve(t.Context()); err == nil || again.URL() != "" || again.Addr() != nil {
			t.Errorf("Serve without Listen: got %v, %q", err, again.URL())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	whole := Parts{Door: echo, Ready: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler)}
	cfg := Config{Listen: "127.0.0.1:0"}
	if _, err := New(cfg, whole); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config, *Parts){
		"no door":        func(_ *Config, p *Parts) { p.Door = nil },
		"no readiness":   func(_ *Config, p *Parts) { p.Ready = nil },
		"no log":         func(_ *Config, p *Parts) { p.Log = nil },
		"listen":         func(c *Config, _ *Parts) { c.Listen = "0.0.0.0:0" },
		"page":           func(_ *Config, p *Parts) { p.Pages = map[string]http.Handler{"/": http.NotFoundHandler()} },
		"no certificate": func(c *Config, _ *Parts) { c.TLS = &TLS{"/nowhere/cert.pem", "/nowhere/key.pem"} },
	} {
		c, p := cfg, whole
		change(&c, &p)
		if _, err := New(c, p); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// Without TLS, credentials stay on the machine or go to a proxy that speaks it (security K3).
func TestCheckListen(t *testing.T) {
	files := &TLS{"cert.pem", "key.pem"}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string // in the error; "" for none
	}{
		{"IPv4 loopback", Config{Listen: "127.0.0.1:8080"}, ""},
		{"all of 127", Config{Listen: "127.9.9.9:8080"}, ""},
		{"IPv6 loopback", Config{Listen: "[::1]:8080"}, ""},
		{"4in6 loopback", Config{Listen: "[::ffff:127.0.0.1]:8080"}, ""},
		{"localhost", Config{Listen: "localhost:8080"}, ""},
		{"everywhere", Config{Listen: ":8080"}, "unencrypted"},
		{"0.0.0.0", Config{Listen: "0.0.0.0:8080"}, "unencrypted"},
		{"[::]", Config{Listen: "[::]:8080"}, "unencrypted"},
		{"private", Config{Listen: "10.0.0.1:8080"}, "unencrypted"},
		{"a name", Config{Listen: "idpool.example:8080"}, "unencrypted"},
		{"a name that looks local", Config{Listen: "127.0.0.1.nip.io:8080"}, "unencrypted"},
		{"localhost of others", Config{Listen: "localhost.example:8080"}, "unencrypted"},
		{"a number", Config{Listen: "2130706433:8080"}, "unencrypted"},
		{"everywhere, with TLS", Config{Listen: ":8443", TLS: files}, ""},
		{"TLS without a key", Config{Listen: ":8443", TLS: &TLS{Certificate: "cert.pem"}}, "certificate and key"},
		{"TLS without files", Config{Listen: "127.0.0.1:8443", TLS: &TLS{}}, "certificate and key"},
		{"behind proxies", Config{Listen: ":8080", TrustedProxies: prefixes("10.0.0.0/8")}, ""},
		{"behind everybody", Config{Listen: ":8080", TrustedProxies: prefixes("0.0.0.0/0")}, "every client"},
		{"behind everybody, IPv6", Config{Listen: ":8080", TrustedProxies: prefixes("10.0.0.0/8", "::/0")}, "every client"},
		{"behind everybody, 4in6", Config{Listen: ":8080", TrustedProxies: prefixes("::ffff:0.0.0.0/96")}, "every client"},
		{"everybody on loopback", Config{Listen: "127.0.0.1:80", TrustedProxies: prefixes("0.0.0.0/0")}, "every client"},
		{"a zero prefix", Config{Listen: ":8080", TrustedProxies: prefixesZero()}, "every client"},
		{"no port", Config{Listen: "127.0.0.1"}, "host:port"},
		{"nothing", Config{}, "host:port"},
		{"metrics without a port", Config{Listen: "127.0.0.1:80", MetricsListen: "localhost"}, "host:port"},
		{"metrics anywhere", Config{Listen: "127.0.0.1:80", MetricsListen: ":9090"}, ""},
	} {
		err := CheckListen(tt.cfg)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if host, _, _ := net.SplitHostPort(tt.cfg.Listen); tt.cfg.TLS == nil && len(tt.cfg.TrustedProxies) == 0 && host != "" {
			if got := Loopback(tt.cfg.Listen); got != (err == nil || tt.cfg.MetricsListen != "") {
				t.Errorf("%s: Loopback: got %t", tt.name, got)
			}
		}
	}
}

func prefixesZero() []netip.Prefix { return []netip.Prefix{{}} }

func TestDefaults(t *testing.T) {
	got := Config{Limits: Limits{IdleTimeout: -1}}.withDefaults()
	want := Limits{
		BodyBytes: 512 << 10, BodyMemory: 256 << 20, HeaderBytes: 16 << 10, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		RequestTimeout: 15 * time.Second, WriteTimeout: 35 * time.Second, IdleTimeout: 90 * time.Second, MaxConnections: 10_000, ConnectionsPerClient: 500,
		Streams: 100,
	}
	if got.Limits != want || got.ShutdownGrace != 30*time.Second || got.ShutdownDelay != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestTLS(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS}, Parts{Door: doorFunc(func(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin) {
		if !from.Secure || r.TLS == nil || r.TLS.Version < tls.VersionTLS12 {
			t.Errorf("got secure %t, TLS %v", from.Secure, r.TLS)
		}
		_, _ = w.Write([]byte(r.Proto + " " + string(body)))
	})})
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL: got %s", s.URL())
	}
	for proto, protocols := range map[string][]string{"HTTP/2.0": nil, "HTTP/1.1": {"http/1.1"}} {
		client := newClient(t, &tls.Config{RootCAs: p.roots, NextProtos: protocols})
		res, err := client.Post(s.URL()+"/", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(body) != proto+" {}" {
			t.Errorf("%s: got %q, %v", proto, body, err)
		}
		if got := res.Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains" {
			t.Errorf("%s: Strict-Transport-Security: got %q", proto, got)
		}
	}
}

func TestPlainHTTPHasNoHSTS(t *testing.T) {
	res, _ := mustDo(t, mustServe(t, Config{}, Parts{}), "POST", "/", "{}")
	if got := res.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("got %q", got)
	}
}

// The frame's limits hold on HTTP/2 too.
func TestHTTP2Refusals(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS, Limits: Limits{BodyBytes: 1000}}, Parts{})
	client := newClient(t, &tls.Config{RootCAs: p.roots})
	for _, tt := range []struct {
		name, encoding string
		body           io.Reader
		want           int
	}{
		{"with a length", "", strings.NewReader("{}"), 200},
		{"without a length", "", struct{ io.Reader }{strings.NewReader("{}")}, 200}, // HTTP/2 frames bodies itself
		{"too large", "", strings.NewReader(strings.Repeat("a", 1001)), 413},
		{"too large without a length", "", struct{ io.Reader }{strings.NewReader(strings.Repeat("a", 1001))}, 413},
		{"gzip", "gzip", strings.NewReader("{}"), 415},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/", tt.body)
		if err != nil {
			t.Fatal(err)
		}
		if tt.encoding != "" {
			req.Header.Set("Content-Encoding", tt.encoding)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.want || res.ProtoMajor != 2 || !uuid4.MatchString(res.Header.Get("X-Amzn-Requestid")) {
			t.Errorf("%s: got %s %d %v, want %d", tt.name, res.Proto, res.StatusCode, res.Header, tt.want)
		}
	}
}

// The settings that the server announces on HTTP/2 (security I5).
func TestHTTP2Settings(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS}, Parts{})
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: p.roots, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9) // RFC 9113 §4.1
	if _, err := io.ReadFull(c, head); err != nil || head[3] != 4 {
		t.Fatalf("got frame %v, %v, want SETTINGS", head, err)
	}
	settings := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c, settings); err != nil {
		t.Fatal(err)
	}
	got := map[uint16]uint32{}
	for ; len(settings) >= 6; settings = settings[6:] {
		got[binary.BigEndian.Uint16(settings)] = binary.BigEndian.Uint32(settings[2:])
	}
	if streams, list := got[3], got[6]; streams != 100 || list < 16<<10 || list > 17<<10 {
		t.Errorf("got %d streams, header lists of %d bytes", streams, list)
	}
}

func TestRefusesOldTLS(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS}, Parts{})
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: p.roots, MinVersion: version, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: got %v, want it spoken: %t", tls.VersionName(version), err, want)
		}
		if err == nil {
			c.Close()
		}
	}
}

// Framing is as strict under TLS.
func TestTLSFraming(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS}, Parts{})
	for _, raw := range []string{"GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n"} {
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: p.roots})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		res, body := mustParse(t, mustSend(t, c, raw))
		checkRefusal(t, res, body, 400, "SerializationException")
		if res.Header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
		c.Close()
	}
}

func TestPlainHTTPToTLSPort(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS, Limits: Limits{ReadHeaderTimeout: 50 * time.Millisecond}}, Parts{})
	for _, request := range []string{"POST / HTTP/1.1\r\n" + host + "\r\n", "GET / HTTP/1.1\r\n" + host + "\r\n"} {
		res, body := mustParse(t, mustSend(t, mustDial(t, s), request))
		checkRefusal(t, res, body, 400, "SerializationException")
		if !strings.Contains(body, "https") {
			t.Errorf("got %s", body)
		}
	}
	// Neither HTTP nor TLS, and nothing at all: ended without a word.
	for _, request := range []string{"\x00\x00\x00\x00\x00\x00", ""} {
		if got := mustSend(t, mustDial(t, s), request); strings.Contains(got, "HTTP") {
			t.Errorf("%q: got %q", request, got)
		}
	}
}

func TestCertificateReload(t *testing.T) {
	dir := t.TempDir()
	first := mustPair(t, dir, 1)
	at := &clock{at: time.Now()}
	s := mustServeAt(t, Config{TLS: &first.TLS}, Parts{}, at.now)
	if got := mustShow(t, s); got != 1 {
		t.Fatalf("got certificate %d, want 1", got)
	}
	mustPair(t, dir, 2)
	if got := mustShow(t, s); got != 1 {
		t.Errorf("within a minute: got certificate %d, want 1", got)
	}
	at.pass(certificateAge)
	if got := mustShow(t, s); got != 2 {
		t.Errorf("after a minute: got certificate %d, want 2", got)
	}
	mustPair(t, dir, 3)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := mustShow(t, s); got != 3 {
		t.Errorf("after Reload: got certificate %d, want 3", got)
	}
}

// A pair that cannot be used is reported once; the one before is served on until the files are mended.
func TestBrokenCertificateIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	first := mustPair(t, dir, 1)
	at := &clock{at: time.Now()}
	s := mustServeAt(t, Config{TLS: &first.TLS}, Parts{}, at.now)
	key, err := os.ReadFile(first.Key)
	if err != nil {
		t.Fatal(err)
	}
	mustPair(t, dir, 2)
	mustWrite(t, first.Key, key) // the new certificate with the old key, as in the middle of a change
	for range 3 {
		at.pass(certificateAge)
		if got := mustShow(t, s); got != 1 {
			t.Errorf("got certificate %d, want 1", got)
		}
	}
	if got := strings.Count(s.log.String(), "was not reloaded"); got != 1 {
		t.Errorf("reported %d times, want once: %s", got, s.log)
	}
	if err := s.Reload(); err == nil {
		t.Error("Reload: got no error")
	}
	if err := os.Remove(first.Key); err != nil {
		t.Fatal(err)
	}
	at.pass(certificateAge)
	if got := mustShow(t, s); got != 1 {
		t.Errorf("with a file missing: got certificate %d, want 1", got)
	}
	mustPair(t, dir, 4)
	at.pass(certificateAge)
	if got := mustShow(t, s); got != 4 {
		t.Errorf("mended: got certificate %d, want 4", got)
	}
}

// mustShow returns the serial number of the certificate that the server shows.
func mustShow(t *testing.T, s *running) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is the certificate that is looked at
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestBadCertificatesFailAtStart(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	p, q := mustPair(t, dir, 1), mustPair(t, other, 2)
	garbage := filepath.Join(dir, "garbage.pem")
	mustWrite(t, garbage, []byte("garbage"))
	for name, files := range map[string]TLS{
		"key of another":         {p.Certificate, q.Key},
		"no certificate":         {filepath.Join(dir, "none"), p.Key},
		"no key":                 {p.Certificate, filepath.Join(dir, "none")},
		"garbage":                {garbage, p.Key},
		"key as the certificate": {p.Key, p.Key},
	} {
		if _, err := newCertificates(files, time.Now, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestReloadWithoutTLS(t *testing.T) {
	if err := mustServe(t, Config{}, Parts{}).Reload(); err != nil {
		t.Errorf("got %v", err)
	}
}

// Connections that only began their handshake do not keep a shutdown waiting.
func TestShutdownEndsHandshakes(t *testing.T) {
	p := mustPair(t, t.TempDir(), 1)
	s := mustServe(t, Config{TLS: &p.TLS, Limits: Limits{ReadHeaderTimeout: time.Hour}}, Parts{})
	c := mustDial(t, s)
	wait(t, "the connection to be taken", func() bool { return strings.Contains(scrape(t, s.frame.metrics), "idpool_http_connections 1\n") })
	if err := s.stop(); err != nil {
		t.Errorf("Serve: got %v", err)
	}
	if _, err := bufio.NewReader(c).ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}
