package oidc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// FuzzParseToken: what we take for a token, go-jose takes for the same one: the same payload, signature, algorithm and
// key id; and what we take for claims, encoding/json reads as the same ones.
func FuzzParseToken(f *testing.F) {
	s := es256("1")
	for _, seed := range []string{
		s.sign(goodClaims(nil)), signer{"EdDSA", "", edKey()}.sign(`{"a":[1,{"b":null}],"c":1e400}`), signer{"RS256", "k", rsaKey()}.sign(`{}`),
		s.signRaw(`{"alg":"ES256","alg":"none"}`, "{}"), s.signRaw(`{"alg":"ES256","crit":[]}`, "x"), s.signRaw(` {"alg" : "ES256" } `, `{"a":"\u0000\ud83d\ude00"}`),
		s.signRaw(`{"alg":"ES256","x5c":["AA=="],"nonce":1,"kid":" "}`, "[]"), "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", s.sign("{}") + "\n", strings.Repeat(".", 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(checkToken)
}

func checkToken(t *testing.T, raw string) {
	tok, refusal := parseToken(raw)
	if refusal != nil {
		if tok != nil || refusal.Found == "" {
			t.Fatalf("got token %v with refusal %+v", tok, refusal)
		}
		return
	}
	signature := "." + b64.EncodeToString(tok.signature)
	if string(tok.signed)+signature != raw || !strings.HasSuffix(raw, "."+b64.EncodeToString(tok.payload)+signature) {
		t.Fatalf("%q is not the only spelling of what it holds", raw)
	}
	compareClaims(t, tok.payload)
	compareToken(t, raw, tok)
}

func compareToken(t *testing.T, raw string, tok *token) {
	t.Helper()
	if _, known := algorithmByName(tok.alg); !known {
		return
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tok.alg)})
	if err != nil {
		var header map[string]any
		if json.Unmarshal(must(b64.DecodeString(raw[:strings.IndexByte(raw, '.')])), &header) != nil || !onlyOurs(header) {
			return // members that we never read: go-jose parses certificates, nonces and numbers
		}
		t.Fatalf("%q: we accept what go-jose refuses: %v", raw, err)
	}
	sig := jws.Signatures[0]
	if !bytes.Equal(jws.UnsafePayloadWithoutVerification(), tok.payload) || !bytes.Equal(sig.Signature, tok.signature) ||
		sig.Header.Algorithm != tok.alg || sig.Header.KeyID != tok.kid {
		t.Fatalf("%q: got %+v, go-jose has %+v", raw, tok, jws)
	}
}

func onlyOurs(header map[string]any) bool {
	for name := range header {
		if name != "alg" && name != "kid" && name != "typ" {
			return false
		}
	}
	return true
}

// compareClaims holds strictjson against encoding/json, which reads more, but what both read must be the same.
func compareClaims(t *testing.T, payload []byte) {
	t.Helper()
	got, err := strictjson.Object(payload)
	if err != nil {
		return
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var want map[string]any
	if err := d.Decode(&want); err != nil {
		t.Fatalf("%q: we accept what encoding/json refuses: %v", payload, err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Fatalf("%q differs (-got +want):\n%s", payload, diff)
	}
}

// FuzzKeySet: whatever the document, each key that is used keeps the limits, and is one that go-jose reads in it too.
func FuzzKeySet(f *testing.F) {
	for _, s := range signers() {
		f.Add([]byte(keySetJSON(s.jwk())))
		f.Add([]byte(keySetJSON(s.jwk(), with(s.jwk(), map[string]any{"use": "enc"}), map[string]any{"kty": "oct", "k": "AA"})))
	}
	f.Add([]byte(keySetJSON(rsaJWK(16384, 3), rsaJWK(2048, 1), rsaJWK(2049, 65537))))
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, dropped, err := parseKeys(document)
		if err != nil {
			if keys != nil {
				t.Fatalf("got keys beside the error %v", err)
			}
			return
		}
		if len(keys) == 0 || len(keys)+len(dropped) > maxKeys {
			t.Fatalf("got %d keys and %d dropped", len(keys), len(dropped))
		}
		known := josePublicKeys(document)
		for _, k := range keys {
			checkKey(t, k)
			if known != nil && !containsKey(known, k.public) {
				t.Fatalf("%q: go-jose does not find the key %+v", document, k)
			}
		}
	})
}

// josePublicKeys returns the keys of a set as go-jose reads them, or nil where it refuses the document.
func josePublicKeys(document []byte) []any {
	var set jose.JSONWebKeySet
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	var all []any
	for _, k := range set.Keys {
		all = append(all, k.Public().Key)
	}
	return all
}

func containsKey(all []any, public any) bool {
	for _, k := range all {
		switch public := public.(type) {
		case *rsa.PublicKey:
			if other, ok := k.(*rsa.PublicKey); ok && public.Equal(other) {
				return true
			}
		case *ecdsa.PublicKey:
			if other, ok := k.(*ecdsa.PublicKey); ok && public.Equal(other) {
				return true
			}
		case ed25519.PublicKey:
			if other, ok := k.(ed25519.PublicKey); ok && public.Equal(other) {
				return true
			}
		}
	}
	return false
}

func checkKey(t *testing.T, k key) {
	t.Helper()
	if k.id != "" && !isKeyID(k.id) {
		t.Errorf("got key id %q", k.id)
	}
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		if n := pub.N.BitLen(); n < minRSABits || n > maxRSABits || pub.E%2 == 0 || pub.E != 3 && pub.E < 65537 {
			t.Errorf("got an RSA key of %d bits with exponent %d", n, pub.E)
		}
	case *ecdsa.PublicKey:
		if _, err := pub.ECDH(); err != nil { // which checks the point
			t.Errorf("got an EC key: %v", err)
		}
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			t.Errorf("got an Ed25519 key of %d bytes", len(pub))
		}
	default:
		t.Errorf("got a key of type %T", pub)
	}
}

// FuzzVerify: no token makes the verifier panic, or return anything but a login or a refusal; and what it accepts, go-jose
// verifies by the same key, with the claims that encoding/json reads.
func FuzzVerify(f *testing.F) {
	all := signers()
	for i, s := range all {
		f.Add(uint8(i), s.header(), goodClaims(nil))
	}
	f.Add(uint8(6), `{"alg":"ES256"}`, goodClaims(map[string]any{"aud": []string{"client-1", "x"}, "azp": "client-2", "nbf": 0}))
	f.Add(uint8(6), `{"alg":"RS256","kid":"x"}`, `{"iss":1}`)
	f.Add(uint8(9), `{"alg":"EdDSA","typ":"jwt"}`, goodClaims(map[string]any{"a": []any{1, nil, map[string]any{"b": "\u00e9"}}, "n": 1.5}))
	w := new(web)
	w.serve(issuer, signer{"", "rsa", rsaKey()}, signer{"", "p256", p256Key()}, signer{"", "p384", p384Key()}, signer{"", "p521", p521Key()}, signer{"", "ed", edKey()})
	v := mustVerifier(f, w, Options{})
	f.Fuzz(func(t *testing.T, by uint8, header, payload string) {
		s := all[int(by)%len(all)]
		token := s.signRaw(header, payload)
		checkToken(t, token)
		l, err := v.Verify(t.Context(), provider(), token, t0)
		if r := refusalOf(t, err); (r == nil) == (l == nil) {
			t.Fatalf("got login %v and refusal %v", l, r)
		}
		if l == nil {
			return
		}
		if !login.IsSubject(l.Subject) || l.Claims["iss"] != issuer || l.Claims["sub"] != l.Subject || !l.Expires.After(t0) ||
			l.Audience != "client-1" && l.Audience != "client-2" {
			t.Fatalf("got login %+v", l)
		}
		compareLogin(t, s, token, l)
	})
}

// compareLogin has go-jose verify what we accepted.
func compareLogin(t *testing.T, s signer, token string, l *login.Login) {
	t.Helper()
	var header map[string]any
	if json.Unmarshal(must(b64.DecodeString(token[:strings.IndexByte(token, '.')])), &header) != nil || !onlyOurs(header) {
		return // members that we never read
	}
	if header["alg"] != s.alg {
		t.Fatalf("%q: accepted a signature of %s under another algorithm", token, s.alg)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(s.alg)})
	if err != nil {
		t.Fatalf("%q: we accept what go-jose refuses: %v", token, err)
	}
	payload, err := jws.Verify(s.key.Public())
	if err != nil {
		t.Fatalf("%q: we accept a signature that go-jose refuses: %v", token, err)
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var want map[string]any
	if err := d.Decode(&want); err != nil {
		t.Fatalf("%q: we accept claims that encoding/json refuses: %v", token, err)
	}
	if diff := cmp.Diff(l.Claims, want); diff != "" {
		t.Fatalf("%q: the claims differ (-got +want):\n%s", token, diff)
	}
}
