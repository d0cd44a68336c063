package httpd

import (
	"net/http"
	"strings"
	"testing"

	"idpool/internal/door"
)

// Every answer can be read by any page that asks, none with credentials (security I6, spec cognito-identity §1.6).
func TestCORSOnEveryAnswer(t *testing.T) {
	s := mustServe(t, Config{}, Parts{
		Pages: map[string]http.Handler{"/page": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Credentials", "true") // a mistake that must not get out
		})},
		Door: doorFunc(func(w http.ResponseWriter, r *http.Request, _ []byte, _ door.Origin) {
			switch r.URL.Path {
			case "/400":
				w.WriteHeader(400)
			case "/500":
				panic("x")
			}
		}),
	})
	for _, tt := range []struct {
		method, path string
		status       int
		fields       []string
	}{
		{"POST", "/", 200, nil},
		{"GET", "/", 200, nil},
		{"POST", "/400", 400, nil},
		{"POST", "/500", 500, nil},
		{"POST", "/", 415, []string{"Content-Encoding: gzip"}},
		{"GET", "/page", 200, nil},
		{"GET", "/livez", 200, nil},
		{"OPTIONS", "/", 200, nil},
	} {
		for _, origin := range []string{"https://app.example", "null", "https://evil.example"} {
			res, _ := mustDo(t, s, tt.method, tt.path, "", append([]string{"Origin: " + origin}, tt.fields...)...)
			if res.StatusCode != tt.status {
				t.Errorf("%s %s: got %d, want %d", tt.method, tt.path, res.StatusCode, tt.status)
			}
			checkCORS(t, tt.method+" "+tt.path, res.Header)
		}
		if tt.path == "/page" {
			continue // sets its own
		}
		res, _ := mustDo(t, s, tt.method, tt.path, "", tt.fields...)
		for name := range res.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s without an Origin: got %s", tt.method, tt.path, name)
			}
		}
	}
}

func checkCORS(t *testing.T, what string, h http.Header) {
	t.Helper()
	if got := h["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != "*" {
		t.Errorf("%s: allow-origin: got %q, want *", what, got)
	}
	if got := h.Get("Access-Control-Expose-Headers"); got != exposedHeaders {
		t.Errorf("%s: expose-headers: got %q", what, got)
	}
	if got, present := h["Access-Control-Allow-Credentials"]; present {
		t.Errorf("%s: allow-credentials: got %q", what, got)
	}
	if got, present := h["Access-Control-Allow-Private-Network"]; present {
		t.Errorf("%s: allow-private-network: got %q", what, got)
	}
}

func TestPreflight(t *testing.T) {
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(http.ResponseWriter, *http.Request, []byte, door.Origin) {
		t.Error("a preflight reached the door")
	})})
	for _, tt := range []struct {
		name, asked, want string
	}{
		{"of an SDK", "content-type,x-amz-target,x-amz-user-agent,amz-sdk-request", "content-type, x-amz-target, x-amz-user-agent, amz-sdk-request"},
		{"signed", "authorization, x-amz-date, x-amz-security-token", "authorization, x-amz-date, x-amz-security-token"},
		{"capitals", "X-Amz-Target", "x-amz-target"},
		{"one name", "x", "x"},
		{"none", "", allowedHeaders},
		{"empty entry", "a,,b", allowedHeaders},
		{"space inside", "a b", allowedHeaders},
		{"markup", "<script>", allowedHeaders},
		{"quotes", `"a"`, allowedHeaders},
		{"colon", "a: b", allowedHeaders},
		{"other letters", "zoë", allowedHeaders},
		{"too many", strings.Repeat("a,", maxAskedHeaders) + "a", allowedHeaders},
		{"too long", strings.Repeat("a", maxAskedBytes+1), allowedHeaders},
		{"as many as allowed", strings.TrimSuffix(strings.Repeat("a,", maxAskedHeaders), ","), strings.TrimSuffix(strings.Repeat("a, ", maxAskedHeaders), ", ")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := []string{"Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Private-Network: true"}
			if tt.asked != "" {
				fields = append(fields, "Access-Control-Request-Headers: "+tt.asked)
			}
			res, body := mustDo(t, s, "OPTIONS", "/", "", fields...)
			if res.StatusCode != 200 || body != "" || res.Header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
			checkCORS(t, tt.name, res.Header)
			for name, want := range map[string]string{
				"Access-Control-Allow-Methods": "GET, POST, OPTIONS",
				"Access-Control-Allow-Headers": tt.want,
				"Access-Control-Max-Age":       "172800",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// What SDKs send without being asked must be in the list that a preflight without names gets.
func TestAllowedHeaders(t *testing.T) {
	for _, name := range []string{"content-type", "x-amz-target", "x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request",
		"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "cache-control", "x-amz-api-version"} {
		if !strings.Contains(", "+allowedHeaders+", ", ", "+name+", ") {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestOptionsWithoutOrigin(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	res, _ := mustDo(t, s, "OPTIONS", "/", "")
	if res.StatusCode != 200 || res.Header.Get("Allow") != allowedMethods || res.Header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("got %d %v", res.StatusCode, res.Header)
	}
}
