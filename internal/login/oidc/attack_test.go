package oidc

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// attack is a token that must be refused, and why.
type attack struct {
	name   string
	token  string
	reason login.Reason
	claim  string
	fetch  bool // whether it gets as far as needing keys
}

// runAttacks gives every token to a verifier of its own, for which s is the issuer's key.
func runAttacks(t *testing.T, s signer, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			w := new(web)
			w.serve(issuer, s)
			l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), a.token, t0)
			wantRefusal(t, l, err, a.reason, a.claim)
			if all, _ := w.count(); (all > 0) != a.fetch {
				t.Errorf("got %d fetches, want some: %v", all, a.fetch)
			}
		})
	}
}

// TestA1 None: no algorithm, no signature, no segment.
func TestA1None(t *testing.T) {
	s := es256("1")
	payload := b64.EncodeToString([]byte(goodClaims(nil)))
	var attacks []attack
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "none ", "", "null"} {
		header := b64.EncodeToString([]byte(`{"alg":"` + alg + `","kid":"1"}`))
		reason := login.AlgorithmRefused
		if alg == "" {
			reason = login.Malformed
		}
		attacks = append(attacks,
			attack{alg + ", a signature", header + "." + payload + ".AAAA", reason, "", false},
			attack{alg + ", an empty one", header + "." + payload + ".", login.Malformed, "", false},
			attack{alg + ", none", header + "." + payload, login.Malformed, "", false})
	}
	good := strings.Split(s.sign(goodClaims(nil)), ".")
	attacks = append(attacks,
		attack{"ES256, an empty signature", good[0] + "." + good[1] + ".", login.Malformed, "", false},
		attack{"ES256, no signature", good[0] + "." + good[1], login.Malformed, "", false},
		attack{"no alg", s.signRaw(`{"kid":"1"}`, goodClaims(nil)), login.Malformed, "", false},
		attack{"alg null", s.signRaw(`{"alg":null,"kid":"1"}`, goodClaims(nil)), login.Malformed, "", false},
		attack{"alg in an array", s.signRaw(`{"alg":["ES256"],"kid":"1"}`, goodClaims(nil)), login.Malformed, "", false})
	runAttacks(t, s, attacks)
}

// TestA2Confusion: the public key, or a client's secret, as the key of a MAC; and a key used by another algorithm.
func TestA2Confusion(t *testing.T) {
	s := signer{"RS256", "1", rsaKey()}
	der := must(x509.MarshalPKIXPublicKey(s.key.Public()))
	secrets := map[string][]byte{
		"modulus":       rsaKey().N.Bytes(),
		"DER":           der,
		"PKCS1":         x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey),
		"PEM":           pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"client id":     []byte("client-1"),
		"client secret": []byte("s3cret"),
		"empty":         nil,
	}
	var attacks []attack
	for name, secret := range secrets {
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			signed := b64.EncodeToString([]byte(`{"alg":"`+alg+`","kid":"1"}`)) + "." + b64.EncodeToString([]byte(goodClaims(nil)))
			var mac []byte
			fips140.WithoutEnforcement(func() { // which has no keys as short as an attacker's
				h := hmac.New(sha256.New, secret)
				h.Write([]byte(signed))
				mac = h.Sum(nil)
			})
			attacks = append(attacks, attack{alg + " " + name, signed + "." + b64.EncodeToString(mac), login.AlgorithmRefused, "", false})
		}
	}
	for _, alg := range []string{"ES256", "EdDSA"} {
		attacks = append(attacks, attack{alg + " with an RSA key", s.signRaw(`{"alg":"`+alg+`","kid":"1"}`, goodClaims(nil)), login.KeyNotFound, "", true})
	}
	for _, alg := range []string{"PS256", "RS384", "RS512"} {
		attacks = append(attacks, attack{alg + " said, RS256 done", s.signRaw(`{"alg":"`+alg+`","kid":"1"}`, goodClaims(nil)), login.BadSignature, "", true})
	}
	for _, alg := range []string{"RS1", "RS", "rs256", "RS256 ", "ES256K", "Ed25519", "ES521", "RSA-OAEP", "dir", "A128KW"} {
		attacks = append(attacks, attack{alg, s.signRaw(`{"alg":"`+alg+`","kid":"1"}`, goodClaims(nil)), login.AlgorithmRefused, "", false})
	}
	runAttacks(t, s, attacks)
}

// TestA2Provider: an algorithm that exists, but not for this provider; and HS256 cannot be configured.
func TestA2Provider(t *testing.T) {
	s, w := signer{"RS256", "1", rsaKey()}, new(web)
	w.serve(issuer, s)
	for allowed, want := range map[string]login.Reason{"ES256": login.AlgorithmRefused, "RS512": login.AlgorithmRefused, "RS256": ""} {
		v := mustVerifier(t, w, Options{Issuers: map[string]Settings{issuer: {Algorithms: []string{allowed, "EdDSA"}}}})
		l, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		if want != "" {
			wantRefusal(t, l, err, want, "")
		} else if err != nil {
			t.Errorf("%s allowed: got %v, want no error", allowed, err)
		}
	}
	v, p := mustVerifier(t, w, Options{}), provider()
	p.Algorithms = []string{"HS256", "none"}
	for _, alg := range p.Algorithms {
		l, err := v.Verify(t.Context(), p, s.signRaw(`{"alg":"`+alg+`","kid":"1"}`, goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.AlgorithmRefused, "")
	}
}

// TestA3KeyID: a key id is compared with those of the set and does nothing else: one load, of the issuer's own URLs.
func TestA3KeyID(t *testing.T) {
	s := es256("1")
	for _, test := range []struct {
		kid    string // as JSON
		reason login.Reason
	}{
		{`"../../../dev/null"`, login.KeyNotFound},
		{`"/dev/null"`, login.KeyNotFound},
		{`"https://evil.example/keys"`, login.KeyNotFound},
		{`"1' UNION SELECT 'x'--"`, login.KeyNotFound},
		{`"1; sleep 10"`, login.KeyNotFound},
		{`"$(curl evil.example)"`, login.KeyNotFound},
		{`"01"`, login.KeyNotFound},
		{`"1 "`, login.KeyNotFound},
		{`"` + strings.Repeat("k", 256) + `"`, login.KeyNotFound},
		{`"` + strings.Repeat("k", 257) + `"`, login.Malformed},
		{`"` + strings.Repeat("k", 10_000) + `"`, login.Malformed},
		{`""`, login.Malformed},
		{`"1\u0000"`, login.Malformed},
		{`"1\n"`, login.Malformed},
		{`"1\u007f"`, login.Malformed},
		{`"１"`, login.Malformed},
		{`1`, login.Malformed},
		{`null`, login.Malformed},
		{`["1"]`, login.Malformed},
		{`{"1":"1"}`, login.Malformed},
	} {
		w := new(web)
		w.serve(issuer, s)
		v := mustVerifier(t, w, Options{})
		token := s.signRaw(`{"alg":"ES256","kid":`+test.kid+`}`, goodClaims(nil))
		for range 3 {
			l, err := v.Verify(t.Context(), provider(), token, t0)
			wantRefusal(t, l, err, test.reason, "")
		}
		want := []string{issuer + "/.well-known/openid-configuration", issuer + "/keys"}
		if test.reason == login.Malformed {
			want = nil
		}
		if got := w.urls(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("kid %.40s: got fetches %q, want %q", test.kid, got, want)
		}
	}
}

// TestA4EmbeddedKeys: keys and addresses in the header, over real connections: the attacker's server is never reached.
func TestA4EmbeddedKeys(t *testing.T) {
	s, evil := es256("1"), es256("evil")
	iss, client := mustServeIssuer(t, s)
	attacker, reached := mustServeAttacker(t, client, evil)
	p := provider()
	p.Issuer = iss
	v := mustVerifier(t, client, Options{})
	claims := goodClaims(map[string]any{"iss": iss})
	jwk := string(must(json.Marshal(evil.jwk())))
	for _, test := range []struct {
		members string
		reason  login.Reason
	}{
		{`"jku":"` + attacker.URL + `"`, login.Malformed},
		{`"x5u":"` + attacker.URL + `"`, login.Malformed},
		{`"jwk":` + jwk, login.Malformed},
		{`"jku":null`, login.Malformed},
		{`"jwk":{}`, login.Malformed},
		{`"x5u":[]`, login.Malformed},
		{`"iss":"` + attacker.URL + `"`, login.BadSignature},
		{`"x5c":["` + attacker.URL + `"],"x5t":"x"`, login.BadSignature},
		{`"JWK":` + jwk, login.BadSignature},
	} {
		l, err := v.Verify(t.Context(), p, evil.signRaw(`{"alg":"ES256","kid":"1",`+test.members+`}`, claims), t0)
		wantRefusal(t, l, err, test.reason, "")
	}
	if _, err := v.Verify(t.Context(), p, s.signRaw(`{"alg":"ES256","kid":"1","x5c":["x"],"x5t":"y"}`, claims), t0); err != nil {
		t.Errorf("x5c and x5t are ignored: got %v, want no error", err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d connections to the attacker's server, want 0", n)
	}
}

// mustServeAttacker starts a server that the client can reach, and returns it with the number of connections to it.
func mustServeAttacker(t *testing.T, client *fetch.Client, evil signer) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	reached := new(atomic.Int32)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, keySetJSON(evil.jwk()))
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	if _, err := client.Get(t.Context(), srv.URL); err != nil || reached.Load() != 1 {
		t.Fatalf("the attacker's server cannot be reached at all: %v", err)
	}
	client.Close()
	reached.Store(0)
	return srv, reached
}

// mustServeIssuer starts an issuer over TLS with these keys, and returns it with a client that may reach it.
func mustServeIssuer(t *testing.T, signers ...signer) (iss string, client *fetch.Client) {
	t.Helper()
	w := new(web)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		doc, err := w.Get(r.Context(), iss+r.URL.Path)
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		rw.Write(doc.Body)
	}))
	t.Cleanup(srv.Close)
	iss = srv.URL
	w.serve(iss, signers...)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	client = fetch.New(fetch.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, RootCAs: roots})
	t.Cleanup(client.Close)
	return iss, client
}

// TestA5Encrypted: encrypted, nested, compressed and JSON-serialised tokens.
func TestA5Encrypted(t *testing.T) {
	s := es256("1")
	good := s.sign(goodClaims(nil))
	parts := strings.Split(good, ".")
	attacks := []attack{
		{"five segments", good + ".AAAA.AAAA", login.Malformed, "", false},
		{"four segments", good + ".AAAA", login.Malformed, "", false},
		{"JSON", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]), login.Malformed, "", false},
		{"nested", s.signRaw(`{"alg":"ES256","kid":"1","cty":"JWT"}`, good), login.Malformed, "", false},
		{"a token in a token", s.sign(good), login.Malformed, "", false},
		{"a token as a JSON string", s.sign(`"` + good + `"`), login.Malformed, "", false},
	}
	for _, member := range []string{`"zip":"DEF"`, `"zip":null`, `"cty":"JWT"`, `"cty":""`, `"enc":"A128GCM"`} {
		attacks = append(attacks, attack{member, s.signRaw(`{"alg":"ES256","kid":"1",`+member+`}`, goodClaims(nil)), login.Malformed, "", false})
	}
	attacks = append(attacks, attack{"PBES2", b64.EncodeToString([]byte(`{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"AA","enc":"A128GCM"}`)) + ".AA.AA.AA.AA", login.Malformed, "", false})
	runAttacks(t, s, attacks)
}

// TestA6Size: large input is refused for what it costs to look at it.
func TestA6Size(t *testing.T) {
	s := es256("1")
	seg := func(n int) string { return strings.Repeat("A", n) }
	runAttacks(t, s, []attack{
		{"empty", "", login.Malformed, "", false},
		{"dots", strings.Repeat(".", 10_000_000), login.Malformed, "", false},
		{"dots within the limit", strings.Repeat(".", maxToken), login.Malformed, "", false},
		{"long", seg(4) + "." + seg(maxToken) + "." + seg(4), login.Malformed, "", false},
		{"a large header", s.signRaw(`{"alg":"ES256","kid":"1","x":"`+seg(maxHeader)+`"}`, goodClaims(nil)), login.Malformed, "", false},
		{"a deep header", s.signRaw(`{"alg":"ES256","kid":"1","x":`+strings.Repeat("[", 8)+strings.Repeat("]", 8)+`}`, goodClaims(nil)), login.Malformed, "", false},
		{"deep claims", s.sign(`{"iss":"` + issuer + `","x":` + strings.Repeat(`{"a":`, 8) + "1" + strings.Repeat("}", 8) + "}"), login.Malformed, "", false},
		{"many numbers", s.sign(claimsWith(nil, `"x":[`+strings.Repeat("1,", strictjson.MaxValues)+`1]`)), login.Malformed, "", false},
		{"deeper claims", s.sign(`{"x":` + strings.Repeat("[", 30_000)), login.Malformed, "", false},
	})
	w := new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	fill := maxToken - len(s.sign(goodClaims(map[string]any{"x": ""})))
	if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(map[string]any{"x": seg(fill * 3 / 4)})), t0); err != nil {
		t.Errorf("a token just below the limit: got %v, want no error", err)
	}
	if _, err := v.Verify(t.Context(), provider(), s.sign(`{"x":`+strings.Repeat(`{"a":`, 7)+"1"+strings.Repeat("}", 7)+","+goodClaims(nil)[1:]), t0); err != nil {
		t.Errorf("claims of depth 8: got %v, want no error", err)
	}
}

// TestA6Cost: refusing costs little time, and little more memory than the refusal.
func TestA6Cost(t *testing.T) {
	dots, header := strings.Repeat(".", maxToken), strings.Repeat("A", 49_990)+".AAAA.AAA"
	for name, token := range map[string]string{"dots": dots, "large header": header, "too long": header + header} {
		const runs = 50
		var before, after runtime.MemStats
		best := time.Hour // of many runs: the machine may be busy
		runtime.ReadMemStats(&before)
		for range runs {
			start := time.Now()
			parseToken(token)
			best = min(best, time.Since(start))
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 2*uint64(len(token)) {
			t.Errorf("%s: got %d bytes allocated, want at most twice the input", name, got)
		}
		if best > time.Millisecond {
			t.Errorf("%s: took %v, want at most 1 ms", name, best)
		}
	}
}

// TestA7Psychic: signatures that are good for any message with a careless library, and good ones in another form.
func TestA7Psychic(t *testing.T) {
	s := es256("1")
	n := elliptic.P256().Params().N
	good := s.sign(goodClaims(nil))
	signed := good[:strings.LastIndexByte(good, '.')]
	sig := must(b64.DecodeString(good[len(signed)+1:]))
	num := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
	zero, one := num(new(big.Int)), num(big.NewInt(1))
	der := must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])}))
	var attacks []attack
	for name, sig := range map[string][]byte{
		"0,0": append(zero, zero...), "0,1": append(zero, one...), "1,0": append(one, zero...), "1,1": append(one, one...),
		"n,n": append(num(n), num(n)...), "n,s": append(num(n), sig[32:]...), "r,n": append(bytes.Clone(sig[:32]), num(n)...),
		"r,0": append(bytes.Clone(sig[:32]), zero...), "0,s": append(bytes.Clone(zero), sig[32:]...),
		"s,r": append(bytes.Clone(sig[32:]), sig[:32]...),
		"DER": der, "short": sig[:63], "long": append(bytes.Clone(sig), 0), "a byte": {0}, "padded": append([]byte{0}, sig...),
		"32 bytes": sig[:32], "a zero before s": slices.Concat(sig[:32], []byte{0}, sig[32:]),
		"two signatures": append(bytes.Clone(sig), sig...),
	} {
		attacks = append(attacks, attack{name, signed + "." + b64.EncodeToString(sig), login.BadSignature, "", true})
	}
	runAttacks(t, s, attacks)
}

// TestA8Variants: other spellings of a good token. Only the malleated signature passes, as ECDSA has it; so whoever
// wants to know a token again must not do it by its text.
func TestA8Variants(t *testing.T) {
	s := es256("1")
	good := s.sign(goodClaims(nil))
	i := strings.LastIndexByte(good, '.')
	var slack string // the last character of the signature holds 4 bits of it and 2 that must be zero
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	slack = good[:len(good)-1] + string(alphabet[strings.IndexByte(alphabet, good[len(good)-1])|1])
	parts := strings.Split(good, ".")
	var attacks []attack
	for name, token := range map[string]string{
		"trailing bits":            slack,
		"padding":                  good + "=",
		"padding of two":           good + "==",
		"padded header":            parts[0] + "=." + parts[1] + "." + parts[2],
		"LF at the end":            good + "\n",
		"CR LF at the end":         good + "\r\n",
		"LF in the signature":      good[:i+9] + "\n" + good[i+9:],
		"CR in the signature":      good[:i+9] + "\r" + good[i+9:],
		"LF in the payload":        good[:i-9] + "\n" + good[i-9:],
		"LF in the header":         good[:9] + "\n" + good[9:],
		"leading space":            " " + good,
		"trailing space":           good + " ",
		"tab":                      good + "\t",
		"NUL":                      good + "\x00",
		"BOM":                      "\ufeff" + good,
		"Bearer":                   "Bearer " + good,
		"quoted":                   `"` + good + `"`,
		"standard alphabet, plus":  good[:i+9] + "+" + good[i+10:],
		"standard alphabet, slash": good[:i+9] + "/" + good[i+10:],
		"a length of 1 mod 4":      good + "AAA",
		"dot at the end":           good + ".",
		"dot at the start":         "." + good,
		"fullwidth dot":            parts[0] + "．" + parts[1] + "." + parts[2],
		"percent":                  parts[0] + "%2e" + parts[1] + "." + parts[2],
	} {
		attacks = append(attacks, attack{name, token, login.Malformed, "", false})
	}
	runAttacks(t, s, attacks)

	w := new(web)
	w.serve(issuer, s)
	sig := must(b64.DecodeString(parts[2]))
	n := elliptic.P256().Params().N
	other := new(big.Int).Sub(n, new(big.Int).SetBytes(sig[32:]))
	other.FillBytes(sig[32:])
	if _, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), good[:i+1]+b64.EncodeToString(sig), t0); err != nil {
		t.Errorf("a malleated signature: got %v, want no error", err)
	}
}

// TestA12Critical: extensions that must be understood are not.
func TestA12Critical(t *testing.T) {
	s := es256("1")
	var attacks []attack
	for _, member := range []string{`"crit":["exp"],"exp":1`, `"crit":[]`, `"crit":["b64"],"b64":true`, `"crit":["x","x"]`, `"crit":null`, `"crit":"x"`,
		`"b64":false`, `"b64":true`, `"b64":false,"crit":["b64"]`} {
		attacks = append(attacks, attack{member, s.signRaw(`{"alg":"ES256","kid":"1",`+member+`}`, goodClaims(nil)), login.Malformed, "", false})
	}
	runAttacks(t, s, attacks)
}

// TestA20Nonce: a nonce is a claim like others. The application that asked for it has compared it.
func TestA20Nonce(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for _, nonce := range []any{nil, "n-0S6_WzA2Mj", ""} {
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(map[string]any{"nonce": nonce})), t0); err != nil {
			t.Errorf("nonce %v: got %v, want no error", nonce, err)
		}
	}
}

// TestB1Issuer: what an unverified token says leads to no connection.
func TestB1Issuer(t *testing.T) {
	s := es256("1")
	iss, client := mustServeIssuer(t, s)
	attacker, reached := mustServeAttacker(t, client, s)
	w := &counted{Fetcher: client}
	p := provider()
	p.Issuer = iss
	v := mustVerifier(t, w, Options{})
	for _, bad := range []string{attacker.URL, strings.Replace(attacker.URL, "https", "http", 1), iss + "@" + attacker.URL[8:], "http://169.254.169.254",
		"file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "https://evil.example"} {
		claims := goodClaims(map[string]any{"iss": bad, "jku": attacker.URL, "jwks_uri": attacker.URL})
		l, err := v.Verify(t.Context(), p, s.sign(claims), t0)
		wantRefusal(t, l, err, login.IssuerMismatch, "iss")
	}
	if n := w.n.Load(); n != 0 {
		t.Errorf("got %d fetches, want 0", n)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d connections to the attacker's server, want 0", n)
	}
}

// counted is a Fetcher that counts.
type counted struct {
	Fetcher
	n atomic.Int32
}

func (c *counted) Get(ctx context.Context, url string) (*fetch.Document, error) {
	c.n.Add(1)
	return c.Fetcher.Get(ctx, url)
}
