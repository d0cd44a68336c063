package httpd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("got %d", rec.Code)
	}
	return rec.Body.String()
}

func TestObserve(t *testing.T) {
	m := NewMetrics()
	m.Observe("cognito-identity", "GetId", "ok", 3*time.Millisecond)
	m.Observe("cognito-identity", "GetId", "NotAuthorized", 3*time.Millisecond)
	m.Observe("sts", "", "ok", time.Second)
	got := scrape(t, m)
	for _, want := range []string{
		`idpool_requests_total{operation="GetId",outcome="ok",service="cognito-identity"} 1`,
		`idpool_requests_total{operation="GetId",outcome="NotAuthorized",service="cognito-identity"} 1`,
		`idpool_requests_total{operation="other",outcome="ok",service="sts"} 1`,
		`idpool_request_seconds_count{operation="GetId",service="cognito-identity"} 2`,
		`idpool_request_seconds_bucket{operation="GetId",service="cognito-identity",le="0.0025"} 0`,
		`idpool_request_seconds_bucket{operation="GetId",service="cognito-identity",le="0.005"} 2`,
		"go_goroutines ", "process_start_time_seconds ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestIssuers(t *testing.T) {
	m := NewMetrics()
	m.Issuers(9, 9, 9, 9)
	m.Issuers(3, 0, 2, 1)
	got := scrape(t, m)
	for _, want := range []string{`{keys="fresh"} 3`, `{keys="stale"} 0`, `{keys="missing"} 2`, `{keys="loading"} 1`} {
		if !strings.Contains(got, "idpool_oidc_issuers"+want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// No id, address or token fits into a label (security I9).
func TestLabels(t *testing.T) {
	for in, want := range map[string]string{
		"GetCredentialsForIdentity": "GetCredentialsForIdentity",
		"Idpool.Revoke":             "Idpool.Revoke",
		"cognito-identity":          "cognito-identity",
		"":                          "other",
		"us-east-1:11a86fa8-fc2c-46da-a38b-e46762e447ed": "other",
		"11a86fa8":              "other",
		"127.0.0.1":             "other",
		"a b":                   "other",
		"a\n":                   "other",
		`"`:                     "other",
		"ë":                     "other",
		strings.Repeat("a", 65): "other",
	} {
		if got := label(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Metrics are on their own port, and nowhere else.
func TestMetricsHaveTheirOwnPort(t *testing.T) {
	s := mustServe(t, Config{MetricsListen: "127.0.0.1:0"}, Parts{})
	mustDo(t, s, "POST", "/", "{}", "Content-Encoding: gzip")
	for _, tt := range []struct {
		path, method string
		want         int
	}{{"/metrics", "GET", 200}, {"/", "GET", 404}, {"/livez", "GET", 404}, {"/debug/pprof/", "GET", 404}, {"/metrics", "POST", 405}} {
		status, body := mustDoMetrics(t, s, tt.method, tt.path)
		if status != tt.want {
			t.Errorf("%s %s: got %d, want %d", tt.method, tt.path, status, tt.want)
		}
		if tt.want == 200 && !strings.Contains(body, `idpool_http_refusals_total{status="415"} 1`) {
			t.Errorf("got %s", body)
		}
	}
	if _, body := mustDo(t, s, "GET", "/metrics", ""); !strings.HasPrefix(body, "GET /metrics ") {
		t.Errorf("main port: got %q, want the door's answer", body)
	}
}

func mustDoMetrics(t *testing.T, s *running, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.MetricsAddr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := newClient(t, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestMetricsAreOffByDefault(t *testing.T) {
	if got := mustServe(t, Config{}, Parts{}).MetricsAddr(); got != nil {
		t.Errorf("metrics are served on %s", got)
	}
}
