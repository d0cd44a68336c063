package idpooltest

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/config"
	"idpool/internal/setup"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/keys"
)

// isDown is how a provider that cannot be asked is told to clients.
var isDown = refused{"ExternalServiceException", "The identity provider is not responding."}

// odd is an issuer that answers one of its two documents in a way of its own; the other is in order.
type odd struct {
	*forge
	path   string
	answer func(http.ResponseWriter, *http.Request)
}

func (o *odd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == o.path && o.answer != nil {
		o.asked.Add(1)
		o.answer(w, r)
		return
	}
	o.forge.ServeHTTP(w, r)
}

func startOdd(t *testing.T, s *Server, path string, answer func(*odd) func(http.ResponseWriter, *http.Request)) *odd {
	t.Helper()
	o := &odd{forge: startForge(t, "1", s.Clock), path: path}
	web := httptest.NewServer(o)
	t.Cleanup(web.Close)
	o.url, o.key = web.URL, web.Listener.Addr().String()
	o.answer = answer(o)
	return o
}

// getID asks for the identity of an ordinary token of the issuer, in a pool.
func (f *forge) getID(s *Server, poolID string) func() *answer {
	return func() *answer {
		return s.call("GetId", nil, object{"IdentityPoolId": poolID, "Logins": object{f.key: f.token("alice", nil)}})
	}
}

// text answers with a body.
func text(status int, body string) func(*odd) func(http.ResponseWriter, *http.Request) {
	return func(*odd) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // who asked may have gone
		}
	}
}

// oddity is one way in which a provider goes wrong.
type oddity struct {
	name, path string
	answer     func(*odd) func(http.ResponseWriter, *http.Request)
}

// oddities are the ways of security part B. elsewhere is a server that nobody may be led to.
func oddities(elsewhere string) []oddity {
	huge := strings.Repeat(" ", 300<<10)
	all := []oddity{
		{"slow", discoveryPath, func(*odd) func(http.ResponseWriter, *http.Request) {
			return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		}},
		{"slow keys", keysPath, func(*odd) func(http.ResponseWriter, *http.Request) {
			return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		}},
		{"drop by drop", keysPath, func(*odd) func(http.ResponseWriter, *http.Request) { return drip }},
		{"endless", keysPath, func(*odd) func(http.ResponseWriter, *http.Request) { return endless }},
		{"compressed", keysPath, func(*odd) func(http.ResponseWriter, *http.Request) { return compressed }},
		{"endless headers", discoveryPath, func(*odd) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Long", strings.Repeat("x", 20<<10))
				_, _ = io.WriteString(w, "{}")
			}
		}},
		{"huge discovery", discoveryPath, text(200, huge+"{}")},
		{"huge keys", keysPath, text(200, huge+"{}")},
		{"101 keys", keysPath, text(200, `{"keys":[`+strings.Repeat(`{"kty":"oct"},`, 100)+`{"kty":"oct"}]}`)},
		{"no keys", keysPath, text(200, `{"keys":[]}`)},
		{"no key for signatures", keysPath, text(200, `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`)},
		{"no key set", keysPath, text(200, `{}`)},
		{"HTML", discoveryPath, text(200, "<html>Sign in</html>")},
		{"404", discoveryPath, text(404, "{}")},
		{"500", keysPath, text(500, `{"keys":[]}`)},
		{"204", keysPath, text(204, "")},
		{"another issuer", discoveryPath, discovery("https://login.example.com", "")},
		{"an issuer with a slash", discoveryPath, discovery("/", "")},
		{"keys at a private address", discoveryPath, discovery("", "https://10.0.0.1/keys")},
		{"keys at the cloud's metadata", discoveryPath, discovery("", "https://169.254.169.254/latest/meta-data/")},
		{"keys on this machine", discoveryPath, discovery("", "https://"+elsewhere+"/keys")},
		{"keys at a name of this machine", discoveryPath, discovery("", "https://localhost:"+elsewhere[strings.LastIndexByte(elsewhere, ':')+1:]+"/keys")},
		{"keys in a file", discoveryPath, discovery("", "file:///etc/passwd")},
		{"keys with a password", discoveryPath, discovery("", "http://user:password@"+elsewhere+"/keys")},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, to := range map[string]string{"same host": "/moved", "another host": "http://" + elsewhere + "/keys", "no host": "//"} {
			for _, path := range []string{discoveryPath, keysPath} {
				all = append(all, oddity{fmt.Sprintf("%d to %s from %s", status, name, path), path, redirect(status, to)})
			}
		}
	}
	return all
}

func redirect(status int, to string) func(*odd) func(http.ResponseWriter, *http.Request) {
	return func(*odd) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(status)
		}
	}
}

// discovery answers with the discovery document of an issuer and keys elsewhere; empty is the true one, / adds a slash.
func discovery(issuer, keys string) func(*odd) func(http.ResponseWriter, *http.Request) {
	return func(o *odd) func(http.ResponseWriter, *http.Request) {
		said, at := issuer, keys
		switch issuer {
		case "":
			said = o.url
		case "/":
			said = o.url + "/"
		}
		if keys == "" {
			at = o.url + keysPath
		}
		return text(200, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, said, at))(o)
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-r.Context().Done():
			tick.Stop()
			return
		case <-tick.C:
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
			return
		}
	}
}

func compressed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, strings.Repeat(" ", 10<<20))
	_ = z.Close()
}

// TestProvidersThatGoWrong: whatever a provider answers, its logins are refused in the one way, nothing comes of them, and
// no connection goes where it points; once it answers well, its next token passes.
func TestProvidersThatGoWrong(t *testing.T) {
	at := newClock()
	s := Start(t, Options{Clock: at.Now, Configure: func(c *config.Config) { c.Fetch.Timeout = 300 * time.Millisecond }})
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	var all []*odd
	cases := oddities(elsewhere.Listener.Addr().String())
	for _, c := range cases {
		o := startOdd(t, s, c.path, c.answer)
		s.mustProvider(s.Dev.PoolID, o.url, setup.DevAudience)
		step := s.refuses(t, c.name, http.StatusBadRequest, isDown, o.getID(s, s.Dev.PoolID)).Steps
		if last := step[len(step)-1]; last.OK || !strings.HasPrefix(last.Found, "issuer unreachable") {
			t.Errorf("%s: got the step %+v, want that the issuer is unreachable", c.name, last)
		}
		if n := o.asked.Load(); n == 0 || n > 4 {
			t.Errorf("%s: got %d requests to the provider, want up to two loads of two documents", c.name, n)
		}
		all = append(all, o)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d requests where a provider pointed, want none", n)
	}
	s.mustAdvance(at, time.Minute)
	for i, o := range all {
		o.answer = nil
		if got := o.getID(s, s.Dev.PoolID)(); got.status != http.StatusOK {
			t.Errorf("%s, mended: got %d %s, want an identity", cases[i].name, got.status, got.body)
		}
	}
}

// TestProviderDownAtTheStart: the server is up, and says what is degraded; the other provider's logins work; once the
// provider is there, its first token passes.
func TestProviderDownAtTheStart(t *testing.T) {
	at := newClock()
	dir := t.TempDir()
	first := Start(t, Options{Dir: dir, Clock: at.Now})
	f := startForge(t, "1", at.Now)
	o := &odd{forge: f, path: discoveryPath}
	o.answer = text(503, "down")(o)
	web := httptest.NewServer(o)
	defer web.Close()
	o.url, o.key = web.URL, web.Listener.Addr().String()
	first.mustProvider(first.Dev.PoolID, o.url, setup.DevAudience)
	first.Stop()

	s := Start(t, Options{Dir: dir, Clock: at.Now, IdP: first.IdP})
	const degraded = "ok\nDegraded: of 2 OpenID Connect issuers, the keys of 1 cannot be had, and those of 0 cannot be renewed.\n"
	s.refuses(t, "down", http.StatusBadRequest, isDown, o.getID(s, s.Dev.PoolID))
	s.MustGetID("alice")
	s.Upkeep()
	if got := s.send(http.MethodGet, "/readyz", nil, ""); got.status != http.StatusOK || got.body != degraded {
		t.Errorf("got %d %q, want %q", got.status, got.body, degraded)
	}
	if !strings.Contains(s.Output(), "the keys of an identity provider could not be loaded") {
		t.Error("the log does not say so")
	}
	o.answer = nil
	s.mustAdvance(at, time.Minute)
	if got := o.getID(s, s.Dev.PoolID)(); got.status != http.StatusOK {
		t.Errorf("the first token once it is there: got %d %s", got.status, got.body)
	}
	s.Upkeep()
	s.mustAdvance(at, 2*time.Second)
	if got := s.send(http.MethodGet, "/readyz", nil, ""); got.body != "ok\n" {
		t.Errorf("got %q, want ok alone", got.body)
	}
}

// TestIssuerSettings: what the configuration says of one issuer holds for it and for no other.
func TestIssuerSettings(t *testing.T) {
	at := newClock()
	strict, plain := startForge(t, "1", at.Now), startForge(t, "1", at.Now)
	s := Start(t, Options{Clock: at.Now, Configure: func(c *config.Config) {
		c.Issuers = []config.Issuer{{
			URL: strict.url, Algorithms: []string{"ES256"}, AZPReplacesAudience: true, ExpiryGrace: time.Minute, MaxTokenLife: 2 * time.Hour,
		}}
	}})
	for _, f := range []*forge{strict, plain} {
		s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	}
	now := at.Now().Unix()
	notOurs := refused{"NotAuthorizedException", "Token is not from a supported provider of this identity pool."}
	for _, c := range []struct {
		name          string
		changes       object
		strict, plain refused
	}{
		{"ordinary", nil, refused{}, refused{}},
		{"azp configured, aud not", object{"aud": "other", "azp": setup.DevAudience}, refused{}, notOurs},
		{"aud configured, azp not", object{"azp": "other"}, notOurs, notOurs},
		{"30 s late", object{"exp": now - 30}, refused{}, refused{"NotAuthorizedException", fmt.Sprintf("Invalid login token. Token expired: %d >= %d", now, now-30)}},
		{"61 s late", object{"exp": now - 61}, refused{"NotAuthorizedException", fmt.Sprintf("Invalid login token. Token expired: %d >= %d", now, now-61)},
			refused{"NotAuthorizedException", fmt.Sprintf("Invalid login token. Token expired: %d >= %d", now, now-61)}},
		{"a day", object{"exp": now + 86400}, refused{"NotAuthorizedException", "Invalid login token. Not a valid OpenId Connect identity token."}, refused{}},
	} {
		for f, want := range map[*forge]refused{strict: c.strict, plain: c.plain} {
			ask := func() *answer {
				return s.call("GetId", nil, object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token("alice", c.changes)}})
			}
			if (want != refused{}) {
				s.refuses(t, c.name, http.StatusBadRequest, want, ask)
			} else if got := ask(); got.status != http.StatusOK {
				t.Errorf("%s, configured %v: got %d %s", c.name, f == strict, got.status, got.body)
			}
		}
	}
}

// TestIssuerAlgorithms: an algorithm that exists is refused where the issuer may not use it.
func TestIssuerAlgorithms(t *testing.T) {
	f := startForge(t, "1", time.Now)
	s := Start(t, Options{Configure: func(c *config.Config) {
		c.Issuers = []config.Issuer{{URL: f.url, Algorithms: []string{"RS256", "ES384"}}}
	}})
	s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	want := refused{"NotAuthorizedException", "Invalid login token. Couldn't verify signed token."}
	record := s.refuses(t, "ES256", http.StatusBadRequest, want, f.getID(s, s.Dev.PoolID))
	if last := record.Steps[len(record.Steps)-1]; last.Found != "algorithm refused: ES256" {
		t.Errorf("got the step %+v", last)
	}
}

// TestIssuerKeyFile: the keys of an issuer that nobody can reach come from a file, and nothing is fetched, ever.
func TestIssuerKeyFile(t *testing.T) {
	at := newClock()
	f := startForge(t, "1", at.Now)
	file := filepath.Join(t.TempDir(), "keys.json")
	mustKeyFile(t, file, f)
	s := Start(t, Options{Clock: at.Now, Configure: func(c *config.Config) { c.Issuers = []config.Issuer{{URL: f.url, JWKSFile: file}} }})
	s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	asked := f.asked.Load()
	if got := f.getID(s, s.Dev.PoolID)(); got.status != http.StatusOK {
		t.Errorf("got %d %s, want an identity", got.status, got.body)
	}
	other := startForge(t, "2", at.Now) // a new key, in a file that replaces the first
	mustKeyFile(t, file, other)
	other.url, other.key = f.url, f.key
	if got := other.getID(s, s.Dev.PoolID)(); got.status != http.StatusOK {
		t.Errorf("a new key: got %d %s, want an identity", got.status, got.body)
	}
	s.refuses(t, "the key that is gone", http.StatusBadRequest,
		refused{"NotAuthorizedException", "Invalid login token. Couldn't verify signed token."}, f.getID(s, s.Dev.PoolID))
	if n := f.asked.Load(); n != asked {
		t.Errorf("got %d requests to the issuer, want none", n-asked)
	}
}

// mustKeyFile writes the issuer's key set into a file.
func mustKeyFile(t *testing.T, file string, f *forge) {
	t.Helper()
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, keysPath, nil))
	if err := os.WriteFile(file, rec.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestIssuerAuthority: an authority of one issuer's own is trusted for that issuer, and for no other.
func TestIssuerAuthority(t *testing.T) {
	at := newClock()
	trusted, other := startSecure(t, at.Now), startSecure(t, at.Now)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, trusted.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{Clock: at.Now, Configure: func(c *config.Config) {
		c.Fetch.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Issuers = []config.Issuer{{URL: trusted.url, CAFiles: []string{file}}}
	}})
	for _, f := range []*forge{trusted.forge, other.forge} {
		s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	}
	if got := trusted.getID(s, s.Dev.PoolID)(); got.status != http.StatusOK {
		t.Errorf("got %d %s, want an identity", got.status, got.body)
	}
	s.refuses(t, "the same certificate, another issuer", http.StatusBadRequest, isDown, other.getID(s, s.Dev.PoolID))
	if n := other.asked.Load(); n != 0 {
		t.Errorf("got %d requests to an issuer whose certificate nobody trusts, want none", n)
	}
}

// secure is an issuer that speaks TLS, with a certificate that no system trusts.
type secure struct {
	*forge
	pem []byte
}

func startSecure(t *testing.T, now func() time.Time) *secure {
	t.Helper()
	f := startForge(t, "1", now)
	web := httptest.NewTLSServer(f)
	t.Cleanup(web.Close)
	f.url, f.key = web.URL, web.Listener.Addr().String()
	return &secure{f, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})}
}
