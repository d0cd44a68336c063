package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

const issuer = "https://login.example.com"

// t0 is the present in tests.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var b64 = base64.RawURLEncoding

// signer is a private key with the algorithm and the key id that it signs with.
type signer struct {
	alg string
	kid string
	key crypto.Signer
}

// Keys are made once per run: they are slow, and no test changes them.
var (
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256Key = sync.OnceValue(newP256)
	p384Key = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521Key = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey   = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	})
)

func newP256() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// es256 returns a signer with a new key.
func es256(kid string) signer { return signer{"ES256", kid, newP256()} }

// signRaw returns the token of a header and a payload given as text.
func (s signer) signRaw(header, payload string) string {
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return signed + "." + b64.EncodeToString(s.signature(signed))
}

func (s signer) header() string {
	if s.kid == "" {
		return fmt.Sprintf(`{"alg":%q}`, s.alg)
	}
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, s.alg, s.kid)
}

// sign returns the token of claims given as text.
func (s signer) sign(payload string) string { return s.signRaw(s.header(), payload) }

func (s signer) signature(signed string) []byte {
	alg, ok := algorithmByName(s.alg)
	if !ok {
		panic("no algorithm " + s.alg)
	}
	digest := alg.digest([]byte(signed))
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		if alg.family == pkcs1 {
			return must(rsa.SignPKCS1v15(nil, key, alg.hash, digest))
		}
		return must(rsa.SignPSS(rand.Reader, key, alg.hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	case *ecdsa.PrivateKey:
		r, ss, err := ecdsa.Sign(rand.Reader, key, digest)
		must(0, err)
		size := (key.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), ss.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(key, digest)
	}
	panic("no such key")
}

// jwk returns the public key as a JWK.
func (s signer) jwk() map[string]any {
	k := map[string]any{"use": "sig"}
	if s.kid != "" {
		k["kid"] = s.kid
	}
	switch pub := s.key.Public().(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64.EncodeToString(pub.N.Bytes()), b64.EncodeToString(big.NewInt(int64(pub.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(pub.Bytes())[1:]
		k["kty"], k["crv"] = "EC", pub.Params().Name
		k["x"], k["y"] = b64.EncodeToString(point[:len(point)/2]), b64.EncodeToString(point[len(point)/2:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64.EncodeToString(pub)
	}
	return k
}

// with returns a copy of a JWK with members set, or taken away where the value is nil.
func with(jwk map[string]any, members map[string]any) map[string]any {
	jwk = maps.Clone(jwk)
	for name, v := range members {
		if jwk[name] = v; v == nil {
			delete(jwk, name)
		}
	}
	return jwk
}

func keySetJSON(jwks ...map[string]any) string {
	return string(must(json.Marshal(map[string]any{"keys": append([]map[string]any{}, jwks...)})))
}

// goodClaims returns the claims of a token that passes, with changes: nil takes a claim away.
func goodClaims(changes map[string]any) string {
	return string(must(json.Marshal(with(map[string]any{
		"iss": issuer, "sub": "user-1", "aud": "client-1", "iat": t0.Unix() - 10, "exp": t0.Unix() + 3600, "email": "a@b.example",
	}, changes))))
}

func provider() *login.Provider {
	return &login.Provider{Kind: login.OIDC, Key: "login.example.com", Issuer: issuer, Audiences: []string{"client-1", "client-2"}, Config: "c1"}
}

// web is a Fetcher that answers from memory, counts, and can fail or hold its answers back.
type web struct {
	mu    sync.Mutex
	docs  map[string]*fetch.Document
	fails error
	gets  []string
	hold  chan struct{} // where set, answers wait until it is closed
}

func (w *web) Get(ctx context.Context, url string) (*fetch.Document, error) {
	w.mu.Lock()
	w.gets = append(w.gets, url)
	hold := w.hold
	w.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails != nil {
		return nil, w.fails
	}
	doc := w.docs[url]
	if doc == nil {
		return nil, errors.New("it answered 404")
	}
	return doc, nil
}

// serve puts an issuer with these keys on the web.
func (w *web) serve(issuer string, signers ...signer) {
	var jwks []map[string]any
	for _, s := range signers {
		jwks = append(jwks, s.jwk())
	}
	w.serveKeys(issuer, keySetJSON(jwks...), 0)
}

func (w *web) serveKeys(issuer, keys string, maxAge time.Duration) {
	base := strings.TrimSuffix(issuer, "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.docs == nil {
		w.docs = map[string]*fetch.Document{}
	}
	w.docs[base+"/.well-known/openid-configuration"] = &fetch.Document{Body: []byte(fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, base+"/keys"))}
	w.docs[base+"/keys"] = &fetch.Document{Body: []byte(keys), MaxAge: maxAge}
}

func (w *web) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = err
}

func (w *web) holdBack() (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	hold := make(chan struct{})
	w.hold = hold
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hold = nil
		close(hold)
	}
}

// count returns how many fetches there were, of all and of key sets.
func (w *web) count() (all, keys int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, url := range w.gets {
		if strings.HasSuffix(url, "/keys") {
			keys++
		}
	}
	return len(w.gets), keys
}

func (w *web) urls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.gets)
}

// mustVerifier returns a verifier on the web, and waits for its work at the end.
func mustVerifier(t testing.TB, w Fetcher, opts Options) *Verifier {
	t.Helper()
	if opts.Jitter == nil {
		opts.Jitter = func() float64 { return 0.5 }
	}
	v, err := New(w, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return v
}

// refusalOf returns the refusal in err.
func refusalOf(t testing.TB, err error) *login.Refusal {
	t.Helper()
	r, ok := err.(*login.Refusal)
	if err != nil && !ok {
		t.Fatalf("got error %T, want *login.Refusal", err)
	}
	return r
}

// wantRefusal checks the reason, and the claim where one is wanted.
func wantRefusal(t testing.TB, l *login.Login, err error, reason login.Reason, claim string) {
	t.Helper()
	r := refusalOf(t, err)
	switch {
	case r == nil:
		t.Errorf("got a login, want a refusal: %s", reason)
	case l != nil:
		t.Errorf("got a login beside the refusal %v", r)
	case r.Reason != reason || r.Claim != claim:
		t.Errorf("got %v, want %s (%s)", r, reason, claim)
	case r.Expected == "" || r.Found == "":
		t.Errorf("got %+v, want it to say what was expected and found", r)
	}
}
