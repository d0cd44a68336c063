package httpd

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/door"
	"idpool/internal/fault"
)

func TestHealth(t *testing.T) {
	var err atomic.Pointer[error]
	at := &clock{at: time.Unix(1_800_000_000, 0)}
	s := mustServeAt(t, Config{}, Parts{
		Door: doorFunc(func(http.ResponseWriter, *http.Request, []byte, door.Origin) { t.Error("the door was reached") }),
		Ready: func(ctx context.Context) error {
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > readyTimeout {
				t.Errorf("deadline: got %v", end)
			}
			if e := err.Load(); e != nil {
				return *e
			}
			return nil
		},
	}, at.now)
	storeDown := error(fault.Wrap(fault.Internal, "The store cannot be reached.", errors.New("user=secret host=db")))
	private := errors.New("dial user=secret host=db")
	forged := error(fault.New(fault.Internal, "line\nline"))
	for _, tt := range []struct {
		name, method, path string
		ready              *error
		status             int
		body               string
	}{
		{"alive", "GET", "/livez", nil, 200, "ok\n"},
		{"alive, with a query", "GET", "/livez?verbose", nil, 200, "ok\n"},
		{"alive, HEAD", "HEAD", "/livez", nil, 200, ""},
		{"alive though not ready", "GET", "/livez", &private, 200, "ok\n"},
		{"alive, POST", "POST", "/livez", nil, 405, "Only GET and HEAD.\n"},
		{"alive, OPTIONS", "OPTIONS", "/livez", nil, 405, "Only GET and HEAD.\n"},
		{"ready", "GET", "/readyz", nil, 200, "ok\n"},
		{"ready, HEAD", "HEAD", "/readyz", nil, 200, ""},
		{"ready, DELETE", "DELETE", "/readyz", nil, 405, "Only GET and HEAD.\n"},
		{"not ready", "GET", "/readyz", &storeDown, 503, "The store cannot be reached.\n"},
		{"not ready, HEAD", "HEAD", "/readyz", &storeDown, 503, ""},
		{"not ready for private reasons", "GET", "/readyz", &private, 503, "Not ready; the log says why.\n"},
		{"not ready in two lines", "GET", "/readyz", &forged, 503, "Not ready; the log says why.\n"},
		{"ready again", "GET", "/readyz", nil, 200, "ok\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at.pass(2 * readyAge)
			err.Store(tt.ready)
			res, body := mustDo(t, s, tt.method, tt.path, "", "User-Agent: kube-probe/1.30")
			if res.StatusCode != tt.status || body != tt.body || strings.Contains(body, "secret") {
				t.Errorf("got %d %q, want %d %q", res.StatusCode, body, tt.status, tt.body)
			}
			if tt.status == 405 && res.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: got %q", res.Header.Get("Allow"))
			}
		})
	}
	if !strings.Contains(s.log.String(), "host=db") {
		t.Error("the log does not say why")
	}
}

// Who asks for readiness must not be able to wear down what it asks.
func TestReadinessIsAskedOnceASecond(t *testing.T) {
	var asked atomic.Int32
	at := &clock{at: time.Unix(1_800_000_000, 0)}
	s := mustServeAt(t, Config{}, Parts{Ready: func(context.Context) error { asked.Add(1); return nil }}, at.now)
	for range 20 {
		mustDo(t, s, "GET", "/readyz", "")
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
	at.pass(readyAge)
	mustDo(t, s, "GET", "/readyz", "")
	if got := asked.Load(); got != 2 {
		t.Errorf("a second later: asked %d times, want twice", got)
	}
}

// No header makes a request a health check, and no health check anything else (security I11).
func TestHealthCheckersGetNoBypass(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	for _, field := range []string{"User-Agent: GoogleHC/1.0", "User-Agent: kube-probe/1.30", "User-Agent: ELB-HealthChecker/2.0", "X-Original-Url: /livez", "X-Rewrite-Url: /livez", "X-Forwarded-Uri: /livez"} {
		if _, body := mustDo(t, s, "GET", "/", "", field); !strings.HasPrefix(body, "GET / ") {
			t.Errorf("%s: got %q, want the door's answer", field, body)
		}
	}
}

func TestReadinessPanicIsContained(t *testing.T) {
	s := mustServe(t, Config{}, Parts{Ready: func(context.Context) error { panic("x") }})
	for range 2 { // the second would hang if the lock were still held
		if res, _ := mustDo(t, s, "GET", "/readyz", ""); res.StatusCode != 500 {
			t.Errorf("got %d", res.StatusCode)
		}
	}
}

// What is degraded is told beside "ok", and never instead of what is wrong.
func TestDegraded(t *testing.T) {
	at := &clock{at: time.Unix(1_800_000_000, 0)}
	var down, line atomic.Pointer[string]
	s := mustServeAt(t, Config{}, Parts{
		Ready: func(context.Context) error {
			if text := down.Load(); text != nil {
				return fault.New(fault.Internal, "%s", *text)
			}
			return nil
		},
		Degraded: func() string { return *line.Load() },
	}, at.now)
	broken, none, one, forged := "The store does not answer.", "", "Degraded: one thing.", "a\nb"
	for _, tt := range []struct {
		name, path string
		down, line *string
		status     int
		body       string
	}{
		{"nothing", "/readyz", nil, &none, 200, "ok\n"},
		{"degraded", "/readyz", nil, &one, 200, "ok\nDegraded: one thing.\n"},
		{"more than a line", "/readyz", nil, &forged, 200, "ok\n"},
		{"down", "/readyz", &broken, &one, 503, "The store does not answer.\n"},
		{"alive", "/livez", nil, &one, 200, "ok\n"},
	} {
		at.pass(2 * readyAge)
		down.Store(tt.down)
		line.Store(tt.line)
		if res, body := mustDo(t, s, "GET", tt.path, ""); res.StatusCode != tt.status || body != tt.body {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, res.StatusCode, body, tt.status, tt.body)
		}
	}
}
