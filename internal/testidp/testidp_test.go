package testidp

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	algs = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
)

// mustServe starts a provider on a real socket, below a path.
func mustServe(t *testing.T, dir string) *Provider {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String() + "/idp/dev"
	p, err := New(Config{Issuer: issuer, Dir: dir, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func mustDo(t *testing.T, method, url, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, data}
}

func mustGetJSON(t *testing.T, url string, v any) {
	t.Helper()
	got := mustDo(t, http.MethodGet, url, "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("GET %s: got %d %v", url, got.status, got.header)
	}
	if err := json.Unmarshal(got.body, v); err != nil {
		t.Fatal(err)
	}
}

// mustKeys finds the keys as a relying party does: from the issuer alone.
func mustKeys(t *testing.T, p *Provider) jose.JSONWebKeySet {
	t.Helper()
	var found struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	mustGetJSON(t, p.Issuer()+"/.well-known/openid-configuration", &found)
	if found.Issuer != p.Issuer() {
		t.Fatalf("issuer: got %q, want %q", found.Issuer, p.Issuer())
	}
	var set jose.JSONWebKeySet
	mustGetJSON(t, found.JWKSURI, &set)
	return set
}

func mustToken(t *testing.T, p *Provider, body string) string {
	t.Helper()
	got := mustDo(t, http.MethodPost, p.Issuer()+"/token", body)
	var out map[string]string
	if err := json.Unmarshal(got.body, &out); err != nil || got.status != http.StatusOK || out["id_token"] == "" {
		t.Fatalf("POST token: got %d %s", got.status, got.body)
	}
	return out["id_token"]
}

// verify checks a token with the key that its kid names, and returns its claims.
func verify(set jose.JSONWebKeySet, token string) (map[string]any, error) {
	parsed, err := jwt.ParseSigned(token, algs)
	if err != nil {
		return nil, err
	}
	found := set.Key(parsed.Headers[0].KeyID)
	if len(found) != 1 {
		return nil, errors.New("no key of this kid")
	}
	if found[0].Algorithm != parsed.Headers[0].Algorithm {
		return nil, errors.New("the key is of another algorithm")
	}
	claims := map[string]any{}
	return claims, parsed.Claims(found[0].Key, &claims)
}

func mustVerify(t *testing.T, p *Provider, token string) map[string]any {
	t.Helper()
	claims, err := verify(mustKeys(t, p), token)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTokenVerifiesThroughServedKeys(t *testing.T) {
	p := mustServe(t, "")
	for _, alg := range []string{"", "RS256", "ES256"} {
		t.Run("alg "+alg, func(t *testing.T) {
			body := `{"sub":"alice","aud":"my-app"}`
			if alg != "" {
				body = `{"sub":"alice","aud":"my-app","alg":"` + alg + `"}`
			}
			token := mustToken(t, p, body)
			claims := mustVerify(t, p, token)
			jti, _ := claims["jti"].(string)
			if claims["iss"] != p.Issuer() || claims["sub"] != "alice" || claims["aud"] != "my-app" || len(jti) < 20 {
				t.Errorf("claims: got %v", claims)
			}
			if claims["iat"] != float64(noon.Unix()) || claims["exp"] != float64(noon.Unix()+3600) {
				t.Errorf("times: got %v to %v, want %d and an hour", claims["iat"], claims["exp"], noon.Unix())
			}
			parsed, err := jwt.ParseSigned(token, algs)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := parsed.Headers[0].Algorithm, alg; want != "" && got != want || want == "" && got != "RS256" {
				t.Errorf("alg: got %s, want %s", got, want)
			}
		})
	}
}

func TestJTIIsFresh(t *testing.T) {
	p := mustServe(t, "")
	a := mustVerify(t, p, mustToken(t, p, `{"sub":"a","aud":"b","alg":"ES256"}`))
	b := mustVerify(t, p, mustToken(t, p, `{"sub":"a","aud":"b","alg":"ES256"}`))
	if a["jti"] == b["jti"] {
		t.Errorf("two tokens share the jti %v", a["jti"])
	}
}

func TestClaims(t *testing.T) {
	p := mustServe(t, "")
	tests := []struct {
		name, body string
		want       map[string]any // nil: the claim must be absent
	}{
		{"extra", `{"sub":"a","aud":"b","claims":{"email":"a@b.c","groups":["x","y"]}}`,
			map[string]any{"email": "a@b.c", "groups": []any{"x", "y"}}},
		{"replace", `{"sub":"a","aud":"b","claims":{"iss":"https://other","aud":["b","c"],"exp":1}}`,
			map[string]any{"iss": "https://other", "aud": []any{"b", "c"}, "exp": float64(1), "sub": "a"}},
		{"remove", `{"sub":"a","aud":"b","claims":{"sub":null,"jti":null,"never":null}}`,
			map[string]any{"sub": nil, "jti": nil, "never": nil, "aud": "b"}},
		{"expired", `{"sub":"a","aud":"b","ttl_seconds":-60}`, map[string]any{"exp": float64(noon.Unix() - 60)}},
		{"ends now", `{"sub":"a","aud":"b","ttl_seconds":0}`, map[string]any{"exp": float64(noon.Unix())}},
		{"null is absent", `{"sub":"a","aud":"b","ttl_seconds":null,"claims":null}`, map[string]any{"exp": float64(noon.Unix() + 3600)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims := mustVerify(t, p, mustToken(t, p, tt.body))
			for name, want := range tt.want {
				got, present := claims[name]
				gotText, _ := json.Marshal(got)
				wantText, _ := json.Marshal(want)
				if present != (want != nil) || string(gotText) != string(wantText) {
					t.Errorf("%s: got %s (present %t), want %s", name, gotText, present, wantText)
				}
			}
		})
	}
}

// A large number must come out digit by digit: subjects of some providers are 64-bit integers.
func TestClaimsKeepNumbers(t *testing.T) {
	p := mustServe(t, "")
	token := mustToken(t, p, `{"sub":"a","aud":"b","alg":"ES256","claims":{"n":12345678901234567890}}`)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(payload), `"n":12345678901234567890`) {
		t.Errorf("payload: got %s", payload)
	}
}

func TestMint(t *testing.T) {
	p := mustServe(t, "")
	token, err := p.Mint(TokenRequest{Sub: "a", Aud: "b", TTLSeconds: new(int64(10)), Claims: map[string]any{"x": []int{1}, "iat": nil}})
	if err != nil {
		t.Fatal(err)
	}
	claims := mustVerify(t, p, token)
	if _, present := claims["iat"]; present || claims["exp"] != float64(noon.Unix()+10) || claims["x"] == nil {
		t.Errorf("claims: got %v", claims)
	}
	if _, err := p.Mint(TokenRequest{Sub: "a", Aud: "b", Claims: map[string]any{"x": func() {}}}); err == nil {
		t.Error("a claim that is no JSON: got no error")
	}
}

func TestKeys(t *testing.T) {
	set := mustKeys(t, mustServe(t, ""))
	if len(set.Keys) != 2 {
		t.Fatalf("got %d keys, want 2", len(set.Keys))
	}
	for _, k := range set.Keys {
		print, err := k.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodeToString(print); k.KeyID != want || k.Use != "sig" || !k.IsPublic() || !k.Valid() {
			t.Errorf("%s key: got kid %s use %s public %t", k.Algorithm, k.KeyID, k.Use, k.IsPublic())
		}
	}
}

// No private member may be published.
func TestKeysArePublic(t *testing.T) {
	got := mustDo(t, http.MethodGet, mustServe(t, "").Issuer()+"/jwks", "")
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(got.body, &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("got %s", got.body)
	}
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, present := k[private]; present {
				t.Errorf("%s key: the private member %s is published", k["alg"], private)
			}
		}
	}
}

func TestKeysPersist(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	first := mustServe(t, dir)
	rs := mustToken(t, first, `{"sub":"a","aud":"b"}`)
	es := mustToken(t, first, `{"sub":"a","aud":"b","alg":"ES256"}`)
	again := mustServe(t, dir)
	for _, token := range []string{rs, es} {
		if claims := mustVerify(t, again, token); claims["sub"] != "a" {
			t.Errorf("after a restart: got %v", claims)
		}
	}
	if a, b := kids(mustKeys(t, first)), kids(mustKeys(t, again)); !slices.Equal(a, b) {
		t.Errorf("kids: got %v after a restart, want %v", b, a)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode of the key file: got %o, want 600", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
}

// A start that was cut short left the file with one key: the other is added, the first stays.
func TestKeysAreCompleted(t *testing.T) {
	dir := t.TempDir()
	key, err := newKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if err := (keys{key}).write(dir); err != nil {
		t.Fatal(err)
	}
	got := kids(mustKeys(t, mustServe(t, dir)))
	if len(got) != 2 || !slices.Contains(got, key.KeyID) {
		t.Errorf("kids: got %v, want two with %s", got, key.KeyID)
	}
}

func kids(set jose.JSONWebKeySet) []string {
	var out []string
	for _, k := range set.Keys {
		out = append(out, k.KeyID)
	}
	slices.Sort(out)
	return out
}

func TestRotate(t *testing.T) {
	for _, tt := range []struct {
		old      Old
		keys     int
		survives bool
	}{{Drop, 2, false}, {Keep, 4, true}} {
		dir := t.TempDir()
		p := mustServe(t, dir)
		before := mustToken(t, p, `{"sub":"a","aud":"b"}`)
		if err := p.Rotate(tt.old); err != nil {
			t.Fatal(err)
		}
		after := mustToken(t, p, `{"sub":"new","aud":"b"}`)
		for _, p := range []*Provider{p, mustServe(t, dir)} { // also after a restart
			set := mustKeys(t, p)
			if len(set.Keys) != tt.keys {
				t.Errorf("old %d: got %d keys, want %d", tt.old, len(set.Keys), tt.keys)
			}
			if claims := mustVerify(t, p, after); claims["sub"] != "new" {
				t.Errorf("old %d: got %v", tt.old, claims)
			}
			if _, err := verify(set, before); (err == nil) != tt.survives {
				t.Errorf("old %d: a token from before: got %v, want valid %t", tt.old, err, tt.survives)
			}
		}
		if set := mustKeys(t, p); len(set.Key(kidOf(t, before)))+len(set.Key(kidOf(t, after))) != tt.keys/2 {
			t.Errorf("old %d: the new token is signed with an old key", tt.old)
		}
	}
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, algs)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}

func TestRefusesRequests(t *testing.T) {
	p := mustServe(t, "")
	bodies := map[string]string{
		"nothing":            ``,
		"no object":          `"x"`,
		"array":              `[]`,
		"null":               `null`,
		"no sub":             `{"aud":"b"}`,
		"empty sub":          `{"sub":"","aud":"b"}`,
		"no aud":             `{"sub":"a"}`,
		"aud is a list":      `{"sub":"a","aud":["b"]}`,
		"sub is a number":    `{"sub":1,"aud":"b"}`,
		"unknown member":     `{"sub":"a","aud":"b","exp":1}`,
		"other case":         `{"Sub":"a","aud":"b"}`,
		"duplicate member":   `{"sub":"a","sub":"c","aud":"b"}`,
		"duplicate claim":    `{"sub":"a","aud":"b","claims":{"x":1,"x":2}}`,
		"deep duplicate":     `{"sub":"a","aud":"b","claims":{"x":{"y":1,"y":2}}}`,
		"claims are a list":  `{"sub":"a","aud":"b","claims":[]}`,
		"trailing data":      `{"sub":"a","aud":"b"}x`,
		"two objects":        `{"sub":"a","aud":"b"}{}`,
		"no UTF-8":           "{\"sub\":\"\xff\",\"aud\":\"b\"}",
		"cut off":            `{"sub":"a","aud":"b"`,
		"alg none":           `{"sub":"a","aud":"b","alg":"none"}`,
		"alg HS256":          `{"sub":"a","aud":"b","alg":"HS256"}`,
		"alg RS512":          `{"sub":"a","aud":"b","alg":"RS512"}`,
		"ttl is a text":      `{"sub":"a","aud":"b","ttl_seconds":"5"}`,
		"ttl is a fraction":  `{"sub":"a","aud":"b","ttl_seconds":1.5}`,
		"ttl is huge":        `{"sub":"a","aud":"b","ttl_seconds":9223372036854775807}`,
		"ttl is hugely past": `{"sub":"a","aud":"b","ttl_seconds":-9223372036854775808}`,
		"too large":          `{"sub":"` + strings.Repeat("a", maxRequest) + `","aud":"b"}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			got := mustDo(t, http.MethodPost, p.Issuer()+"/token", body)
			var said map[string]string
			err := json.Unmarshal(got.body, &said)
			if got.status != http.StatusBadRequest || err != nil || said["error"] != "invalid_request" || said["error_description"] == "" || len(said) != 2 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestRefusesPathsAndMethods(t *testing.T) {
	p := mustServe(t, "")
	base := strings.TrimSuffix(p.Issuer(), "/idp/dev")
	for _, tt := range []struct {
		method, url string
		want        int
	}{
		{"GET", base + "/", 404},
		{"GET", base + "/jwks", 404},
		{"GET", p.Issuer(), 404},
		{"GET", p.Issuer() + "/", 404},
		{"GET", p.Issuer() + "/jwks/", 404},
		{"GET", p.Issuer() + "/x/../jwks", 404},
		{"GET", base + "/idp/developer/jwks", 404},
		{"GET", p.Issuer() + "/token", 405},
		{"POST", p.Issuer() + "/jwks", 405},
		{"DELETE", p.Issuer() + "/.well-known/openid-configuration", 405},
	} {
		got := mustDo(t, tt.method, tt.url, "")
		if got.status != tt.want || got.status == 405 && got.header.Get("Allow") == "" {
			t.Errorf("%s %s: got %d %v, want %d", tt.method, tt.url, got.status, got.header, tt.want)
		}
	}
}

func TestBrowsersMayCall(t *testing.T) {
	p := mustServe(t, "")
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/jwks", ""},
		{"GET", "/.well-known/openid-configuration", ""},
		{"POST", "/token", `{"sub":"a","aud":"b"}`},
		{"POST", "/token", `{}`},
		{"GET", "/nothing", ""},
		{"OPTIONS", "/token", ""},
	} {
		h := mustDo(t, tt.method, p.Issuer()+tt.path, tt.body).header
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s: got %v", tt.method, tt.path, h)
		}
	}
	h := mustDo(t, "OPTIONS", p.Issuer()+"/token", "").header
	if h.Get("Access-Control-Allow-Methods") != "POST" || h.Get("Access-Control-Allow-Headers") != "content-type" {
		t.Errorf("preflight: got %v", h)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, issuer := range []string{"", "idp", "/idp", "ftp://h/idp", "http:///idp", "http://h/idp/", "http://h/idp?x=1", "http://h/idp#x", "http://h/%zz"} {
		if p, err := New(Config{Issuer: issuer}); err == nil {
			t.Errorf("issuer %q: got a provider", issuer)
			p.Close()
		}
	}
}

func TestNewRefusesKeyFiles(t *testing.T) {
	public, err := newKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	public = public.Public()
	foreign, err := newKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Algorithm = "HS256"
	for name, content := range map[string]any{
		"public key":  jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}},
		"foreign alg": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{foreign}},
		"no set":      []int{1},
	} {
		dir := t.TempDir()
		data, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, keyFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := New(Config{Issuer: "http://h/idp", Dir: dir}); err == nil || !strings.Contains(err.Error(), "delete") {
			t.Errorf("%s: got %v, want an error that says what to do", name, err)
			if p != nil {
				p.Close()
			}
		}
	}
}

// Keys that cannot be kept are an error at start.
func TestNewRefusesDirectories(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if p, err := New(Config{Issuer: "http://h/idp", Dir: dir}); err == nil {
			t.Errorf("%s: got a provider", dir)
			p.Close()
		}
	}
}

// New must not wait for the RSA key, and a caller that needs it must.
func TestStartIsQuick(t *testing.T) {
	start := time.Now()
	p, err := New(Config{Issuer: "http://h/idp"})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if took > time.Second {
		t.Errorf("New took %s", took)
	}
	if _, err := p.Mint(TokenRequest{Sub: "a", Aud: "b"}); err != nil {
		t.Error(err)
	}
}

// Tokens, keys and rotation at the same time; the race detector reads along.
func TestConcurrentUse(t *testing.T) {
	p := mustServe(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 3)
	for range cap(done) {
		go func() {
			for ctx.Err() == nil {
				if _, err := p.Mint(TokenRequest{Sub: "a", Aud: "b", Alg: "ES256"}); err != nil {
					done <- err
					return
				}
				rec := httptest.NewRecorder()
				p.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "GET", p.Issuer()+"/jwks", nil))
				if rec.Code != http.StatusOK {
					done <- errors.New(rec.Body.String())
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := p.Rotate(Keep); err != nil {
			t.Error(err)
		}
	}
	cancel()
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
