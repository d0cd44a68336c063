package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestGet(t *testing.T) {
	var got http.Header
	s, c := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.Header().Set("Cache-Control", "public, max-age=600")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"a":1}`)
	})
	doc, err := c.Get(t.Context(), s.URL+"/x")
	if err != nil {
		t.Fatal(err)
	}
	if string(doc.Body) != `{"a":1}` || doc.MaxAge != 10*time.Minute || doc.ContentType != "application/json" {
		t.Errorf("got %q, %v, %q", doc.Body, doc.MaxAge, doc.ContentType)
	}
	for name, want := range map[string]string{"User-Agent": "idpool", "Accept-Encoding": "identity", "Authorization": "", "Cookie": ""} {
		if got.Get(name) != want {
			t.Errorf("header %s: got %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestMaxAge(t *testing.T) {
	for _, test := range []struct {
		cacheControl []string
		age          string
		want         time.Duration
	}{
		{nil, "", 0},
		{[]string{"max-age=60"}, "", time.Minute},
		{[]string{"public, MAX-AGE=60 , must-revalidate"}, "", time.Minute},
		{[]string{"public", "max-age=60"}, "", time.Minute},
		{[]string{"max-age=60"}, "20", 40 * time.Second},
		{[]string{"max-age=60"}, "100", 0},
		{[]string{"max-age=60, no-store"}, "", 0},
		{[]string{"no-cache, max-age=60"}, "", 0},
		{[]string{"s-maxage=60"}, "", 0},
		{[]string{"max-age=-1"}, "", 0},
		{[]string{"max-age=x"}, "", 0},
		{[]string{"max-age"}, "", 0},
		{[]string{"max-age=99999999999999999999999999"}, "", maxMaxAge},
		{[]string{"max-age=9223372036854775807"}, "", maxMaxAge},
	} {
		h := http.Header{"Cache-Control": test.cacheControl}
		if test.age != "" {
			h.Set("Age", test.age)
		}
		if got := maxAge(h); got != test.want {
			t.Errorf("%q, Age %q: got %v, want %v", test.cacheControl, test.age, got, test.want)
		}
	}
}

// TestURL: what is not a plain https URL is refused before anything is looked up or dialled.
func TestURL(t *testing.T) {
	plainHTTP := New(Config{LoopbackHTTP: true})
	for _, test := range []struct {
		client *Client
		url    string
		want   string
	}{
		{New(Config{}), "http://127.0.0.1/", "not https"},
		{New(Config{}), "HTTP://127.0.0.1/", "not https"},
		{New(Config{}), "file:///etc/passwd", "no host"},
		{New(Config{}), "file://host/etc/passwd", "not https"},
		{New(Config{}), "gopher://127.0.0.1/", "not https"},
		{New(Config{}), "", "no host"},
		{New(Config{}), "https:", "no host"},
		{New(Config{}), "https://", "no host"},
		{New(Config{}), "https://:443/", "no host"},
		{New(Config{}), "//127.0.0.1/", "not https"},
		{New(Config{}), "https://user@127.0.0.1/", "user information"},
		{New(Config{}), "https://good.example:x@127.0.0.1/", "user information"},
		{New(Config{}), "https://127.0.0.1:99999999/", "get "},
		{New(Config{}), "https://127.0.0.1\r\nX: y/", "cannot be read"},
		{New(Config{}), "https://a/" + strings.Repeat("x", maxURL), "longer than"},
		{plainHTTP, "http://192.0.2.1/", "loopback addresses only"},
		{plainHTTP, "https://127.0.0.1/", "loopback"},
	} {
		_, err := test.client.Get(t.Context(), test.url)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: got %v, want %q", test.url, err, test.want)
		}
	}
}

// TestRedirects: security B2.
func TestRedirects(t *testing.T) {
	var reached atomic.Int32
	other, _ := mustServe(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		for _, target := range []string{"/elsewhere", other.URL} {
			s, c := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					reached.Add(1)
				}
				w.Header().Set("Location", target)
				w.WriteHeader(status)
			})
			_, err := c.Get(t.Context(), s.URL)
			wantError(t, err, fmt.Sprintf("it answered %d: redirects", status))
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d requests at the redirects' targets, want 0", n)
	}
}

func TestStatus(t *testing.T) {
	for _, status := range []int{201, 202, 204, 206, 400, 401, 404, 429, 500, 503} {
		s, c := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			if status != 204 {
				io.WriteString(w, "canary")
			}
		})
		_, err := c.Get(t.Context(), s.URL)
		wantError(t, err, fmt.Sprintf("it answered %d", status))
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("got error %q, which quotes the answer", err)
		}
	}
}

// TestBodyLimits: security B4.
func TestBodyLimits(t *testing.T) {
	exact := strings.Repeat("x", MaxBody)
	for _, test := range []struct {
		name  string
		serve http.HandlerFunc
		want  string // "" means that it is accepted
	}{
		{"exactly the limit", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, exact) }, ""},
		{"one more, chunked", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, exact+"x") }, "larger than"},
		{"announced", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "10000000000") }, "larger than"},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, exact); err != nil {
					return
				}
			}
		}, "larger than"},
		{"gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte{0x1f, 0x8b, 8, 0})
		}, "Content-Encoding"},
		{"two encodings", func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Encoding"] = []string{"identity", "br"}
		}, "Content-Encoding"},
		{"identity", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "identity") }, ""},
		{"cut short", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "canary")
		}, "ends early"},
		{"large header", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", MaxHeader)) }, "limit of its headers"},
		{"many headers", func(w http.ResponseWriter, r *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprint("X-", i), "xxxxxxxxxxxxxxxxxxxx")
			}
		}, "limit of its headers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, c := mustServe(t, test.serve)
			_, err := c.Get(t.Context(), s.URL)
			if test.want != "" {
				wantError(t, err, test.want)
			} else if err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

// TestSlow: a server that drips is left after the timeout, wherever it drips.
func TestSlow(t *testing.T) {
	drip := func(ctx context.Context, c net.Conn) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}
	for _, test := range []struct {
		name, head string
	}{
		{"body", "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"},
		{"headers", "HTTP/1.1 200 OK\r\nX: "},
		{"nothing at all", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := mustServeRaw(t, func(ctx context.Context, c net.Conn) {
				if test.head == "" {
					<-ctx.Done()
					return
				}
				io.WriteString(c, test.head)
				drip(ctx, c)
			})
			c := New(Config{LoopbackHTTP: true, Timeout: 150 * time.Millisecond})
			_, err := c.Get(t.Context(), url)
			wantError(t, err, "in time")
		})
	}
}

// TestEndlessHeaders: header bytes without end are cut at the limit, not at the timeout.
func TestEndlessHeaders(t *testing.T) {
	url := mustServeRaw(t, func(ctx context.Context, c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for ctx.Err() == nil {
			if _, err := io.WriteString(c, "X-A: "+strings.Repeat("y", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	_, err := New(Config{LoopbackHTTP: true}).Get(t.Context(), url)
	if err == nil || errors.Is(err, errTimeout) {
		t.Errorf("got %v, want a refusal before the timeout", err)
	}
}

// TestNoEcho: what another kind of service says is not repeated in the error.
func TestNoEcho(t *testing.T) {
	for _, banner := range []string{"SSH-2.0-canary\r\n", "HTTP/1.1 canary OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncanary\r\n\r\n", "-ERR canary\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: canary\r\n\r\n"} {
		url := mustServeRaw(t, func(_ context.Context, c net.Conn) { io.WriteString(c, banner) })
		_, err := New(Config{LoopbackHTTP: true}).Get(t.Context(), url)
		wantError(t, err, "breaks HTTP")
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("got error %q, which quotes the answer", err)
		}
	}
}

func TestCanceled(t *testing.T) {
	s, c := mustServe(t, func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, s.URL)
	wantError(t, err, "called off")
}

// TestNoProxy: a proxy of the environment is not used, it would dial for us. The test runs itself again with one, for
// net/http reads the environment once per process.
func TestNoProxy(t *testing.T) {
	if os.Getenv("IDPOOL_TEST_PROXIED") != "" {
		_, err := New(Config{Resolver: mustResolve(t, []string{"127.0.0.1"})}).Get(t.Context(), "https://example.com/")
		wantError(t, err, "loopback")
		_, err = New(Config{LoopbackHTTP: true, Resolver: mustResolve(t, []string{"10.0.0.1"})}).Get(t.Context(), "http://example.com/")
		wantError(t, err, "10.0.0.1")
		return
	}
	var reached atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer proxy.Close()
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoProxy$", "-test.v")
	again.Env = append(os.Environ(), "IDPOOL_TEST_PROXIED=1", "HTTP_PROXY="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "ALL_PROXY="+proxy.URL)
	if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: TestNoProxy") {
		t.Errorf("got %v, want it to pass:\n%s", err, out)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d requests at the proxy, want 0", n)
	}
}

// TestKeepAlive: the two documents of an issuer come over one connection; Close ends it.
func TestKeepAlive(t *testing.T) {
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := New(Config{LoopbackHTTP: true})
	for _, want := range []int32{1, 1, 2} {
		if want == 2 {
			c.Close()
		}
		if _, err := c.Get(t.Context(), srv.URL); err != nil {
			t.Fatal(err)
		}
		if got := opened.Load(); got != want {
			t.Errorf("got %d connections, want %d", got, want)
		}
	}
}

// TestTLS: security B8. One certificate is good; every other one is refused.
func TestTLS(t *testing.T) {
	ca, stranger := mustAuthority(t), mustAuthority(t)
	for _, test := range []struct {
		name   string
		issuer *authority
		edit   func(*x509.Certificate)
		config *tls.Config
		want   string // "" means that it is accepted
	}{
		{name: "good", issuer: ca},
		{name: "TLS 1.2", issuer: ca, config: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}},
		{name: "wrong host", issuer: ca, edit: func(c *x509.Certificate) { c.IPAddresses = nil }, want: "x509"},
		{name: "expired", issuer: ca, edit: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, want: "expired"},
		{name: "not yet valid", issuer: ca, edit: func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, want: "x509"},
		{name: "unknown authority", issuer: stranger, want: "unknown authority"},
		{name: "for clients only", issuer: ca, edit: func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, want: "x509"},
		{name: "TLS 1.1", issuer: ca, config: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, want: "protocol version"},
		{name: "TLS 1.0", issuer: ca, config: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, want: "protocol version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.edit == nil {
				test.edit = func(*x509.Certificate) {}
			}
			if test.config == nil {
				test.config = new(tls.Config)
			}
			test.config.Certificates = []tls.Certificate{test.issuer.mustIssue(t, test.edit)}
			url := mustServeTLS(t, "127.0.0.1:0", test.config)
			_, err := New(Config{Allow: loopback, RootCAs: ca.pool}).Get(t.Context(), url)
			if test.want != "" {
				wantError(t, err, test.want)
			} else if err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

// TestTLSOnly: https to a server that speaks HTTP fails, and says nothing of what it said.
func TestTLSOnly(t *testing.T) {
	s, _ := mustServe(t, func(w http.ResponseWriter, r *http.Request) {})
	_, err := New(Config{Allow: loopback}).Get(t.Context(), strings.Replace(s.URL, "http:", "https:", 1))
	wantError(t, err, "breaks HTTP")
}
