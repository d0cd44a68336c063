package oidc

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
)

// rsaJWK returns a JWK with a modulus of some bits, which nobody has a key for.
func rsaJWK(bits int, e int64) map[string]any {
	n := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1))))
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	return map[string]any{"kty": "RSA", "n": b64.EncodeToString(n.Bytes()), "e": b64.EncodeToString(big.NewInt(e).Bytes())}
}

// TestKeyFilter: security A9 and A10. One key per row; want is "" when it is used, else a part of why it is not.
func TestKeyFilter(t *testing.T) {
	r, e, o := signer{"RS256", "r", rsaKey()}.jwk(), signer{"ES256", "e", p256Key()}.jwk(), signer{"EdDSA", "o", edKey()}.jwk()
	p384, p521 := signer{"ES384", "e", p384Key()}.jwk(), signer{"ES512", "e", p521Key()}.jwk()
	type m = map[string]any
	evenN := must(b64.DecodeString(r["n"].(string)))
	evenN[len(evenN)-1] &^= 1
	offCurve := must(b64.DecodeString(e["y"].(string)))
	offCurve[31] ^= 1
	for _, test := range []struct {
		name string
		jwk  map[string]any
		want string
	}{
		{"RSA", r, ""},
		{"RSA 2048", rsaJWK(2048, 65537), ""},
		{"RSA 2049", rsaJWK(2049, 65537), ""},
		{"RSA 8192", rsaJWK(8192, 65537), ""},
		{"RSA e 3", rsaJWK(2048, 3), ""},
		{"RSA e 2^31-1", rsaJWK(2048, 1<<31-1), ""},
		{"RSA leading zero", with(r, m{"n": b64.EncodeToString(append([]byte{0}, must(b64.DecodeString(r["n"].(string)))...))}), ""},
		{"RSA 512", rsaJWK(512, 65537), "modulus"},
		{"RSA 1024", rsaJWK(1024, 65537), "modulus"},
		{"RSA 2047", rsaJWK(2047, 65537), "modulus"},
		{"RSA 8193", rsaJWK(8193, 65537), "modulus"},
		{"RSA 16384", rsaJWK(16384, 65537), "modulus"},
		{"RSA even", with(r, m{"n": b64.EncodeToString(evenN)}), "modulus"},
		{"RSA e 1", rsaJWK(2048, 1), "exponent"},
		{"RSA e 2", rsaJWK(2048, 2), "exponent"},
		{"RSA e 5", rsaJWK(2048, 5), "exponent"},
		{"RSA e 65535", rsaJWK(2048, 65535), "exponent"},
		{"RSA e 65538", rsaJWK(2048, 65538), "exponent"},
		{"RSA e 2^31+1", rsaJWK(2048, 1<<31+1), "exponent"},
		{"RSA e 2^62+1", rsaJWK(2048, 1<<62+1), "exponent"},
		{"RSA e zero", with(r, m{"e": "AA"}), "exponent"},
		{"RSA no n", with(r, m{"n": nil}), "n is missing"},
		{"RSA no e", with(r, m{"e": nil}), "e is missing"},
		{"RSA n number", with(r, m{"n": 5}), "n is missing"},
		{"RSA n padded", with(r, m{"n": r["n"].(string) + "="}), "base64url"},
		{"RSA n with LF", with(r, m{"n": r["n"].(string)[:9] + "\n" + r["n"].(string)[9:]}), "base64url"},
		{"RSA e standard base64", with(r, m{"e": "++//"}), "base64url"},
		{"RSA private", with(r, m{"d": "AA"}), "private"},
		{"RSA private prime", with(r, m{"p": nil, "qi": "AA"}), "private"},
		{"EC P-256", e, ""},
		{"EC P-384", p384, ""},
		{"EC P-521", p521, ""},
		{"EC off the curve", with(e, m{"y": b64.EncodeToString(offCurve)}), "not on the curve"},
		{"EC zero", with(e, m{"x": b64.EncodeToString(make([]byte, 32)), "y": b64.EncodeToString(make([]byte, 32))}), "not on the curve"},
		{"EC another curve", with(e, m{"crv": "P-384"}), "as long as"},
		{"EC P-521 as P-256", with(p521, m{"crv": "P-256"}), "as long as"},
		{"EC short", with(e, m{"x": e["x"].(string)[:40]}), "as long as"},
		{"EC no y", with(e, m{"y": nil}), "y is missing"},
		{"EC P-224", with(e, m{"crv": "P-224"}), "curve is not"},
		{"EC secp256k1", with(e, m{"crv": "secp256k1"}), "curve is not"},
		{"EC no curve", with(e, m{"crv": nil}), "curve is not"},
		{"EC private", with(e, m{"d": "AA"}), "private"},
		{"OKP", o, ""},
		{"OKP Ed448", with(o, m{"crv": "Ed448"}), "Ed25519"},
		{"OKP X25519", with(o, m{"crv": "X25519"}), "Ed25519"},
		{"OKP short", with(o, m{"x": "AAAA"}), "32 bytes"},
		{"OKP private", with(o, m{"d": "AA"}), "private"},
		{"oct", m{"kty": "oct", "k": "AAAA"}, "symmetric"},
		{"oct without k", m{"kty": "oct"}, "type is not"},
		{"no type", with(r, m{"kty": nil}), "type is not"},
		{"type in lower case", with(r, m{"kty": "rsa"}), "type is not"},
		{"EC key as RSA", with(e, m{"kty": "RSA"}), "n is missing"},
		{"no use", with(r, m{"use": nil}), ""},
		{"use enc", with(r, m{"use": "enc"}), "use"},
		{"use SIG", with(r, m{"use": "SIG"}), "use"},
		{"use array", with(r, m{"use": []any{"sig"}}), "use"},
		{"key_ops verify", with(r, m{"key_ops": []any{"sign", "verify"}}), ""},
		{"key_ops sign", with(r, m{"key_ops": []any{"sign"}}), "key_ops"},
		{"key_ops encrypt", with(r, m{"key_ops": []any{"encrypt"}}), "key_ops"},
		{"key_ops empty", with(r, m{"key_ops": []any{}}), "key_ops"},
		{"key_ops string", with(r, m{"key_ops": "verify"}), "key_ops"},
		{"alg", with(r, m{"alg": "PS512"}), ""},
		{"alg of another family", with(r, m{"alg": "ES256"}), "alg"},
		{"alg of another curve", with(e, m{"alg": "ES384"}), "alg"},
		{"alg HS256", with(r, m{"alg": "HS256"}), "alg"},
		{"alg none", with(r, m{"alg": "none"}), "alg"},
		{"alg for encryption", with(r, m{"alg": "RSA-OAEP"}), "alg"},
		{"alg number", with(r, m{"alg": 1}), "alg"},
		{"alg empty", with(r, m{"alg": ""}), "alg"},
		{"no kid", with(r, m{"kid": nil}), ""},
		{"kid empty", with(r, m{"kid": ""}), "kid"},
		{"kid number", with(r, m{"kid": 1}), "kid"},
		{"kid long", with(r, m{"kid": strings.Repeat("k", 257)}), "kid"},
		{"kid not ASCII", with(r, m{"kid": "é"}), "kid"},
		{"x5c is ignored", with(r, m{"x5c": []any{"x"}, "x5t": "y", "x5u": "https://evil.example"}), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			keys, dropped, err := parseKeys([]byte(keySetJSON(test.jwk)))
			if test.want == "" {
				if err != nil || len(keys) != 1 || len(dropped) != 0 {
					t.Errorf("got %d keys, dropped %q, %v", len(keys), dropped, err)
				}
				return
			}
			if err == nil || len(dropped) != 1 || !strings.Contains(dropped[0], test.want) {
				t.Errorf("got dropped %q, %v, want %q", dropped, err, test.want)
			}
		})
	}
}

func TestKeySetDocuments(t *testing.T) {
	k := signer{"ES256", "e", p256Key()}.jwk()
	hundred := make([]map[string]any, maxKeys)
	for i := range hundred {
		hundred[i] = k
	}
	for _, test := range []struct {
		document string
		want     string // "" means that it is a set
	}{
		{keySetJSON(k), ""},
		{keySetJSON(k, map[string]any{"kty": "oct", "k": "AA"}, map[string]any{}), ""},
		{keySetJSON(hundred...), ""},
		{keySetJSON(append(hundred, k)...), "more than 100"},
		{`{"keys":[` + strings.Repeat("{},", 1000) + `{}]}`, "more than 100"},
		{`{"keys":[` + strings.Repeat("{},", 80_000) + `{}]}`, "too many values"},
		{``, "no JSON object"},
		{`<html>`, "no JSON object"},
		{`[]`, "no JSON object"},
		{`{}`, "no array"},
		{`{"keys":{}}`, "no array"},
		{`{"keys":null}`, "no array"},
		{`{"keys":"x"}`, "no array"},
		{`{"Keys":[]}`, "no array"},
		{`{"keys":[]}`, "no key that can be used"},
		{`{"keys":[1,"x",null,[]]}`, "no key that can be used"},
		{keySetJSON(k) + "x", "bytes after"},
		{keySetJSON(k)[:50], "not JSON"},
		{`{"keys":[],` + keySetJSON(k)[1:], "twice"},
		{strings.Replace(keySetJSON(k), `"kid"`, `"kty":"EC","kid"`, 1), "twice"},
		{`{"keys":[{"a":` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `}]}`, "too deep"},
	} {
		_, _, err := parseKeys([]byte(test.document))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%.60s: got %v, want %q", test.document, err, test.want)
		}
	}
}

// TestROCA: a modulus made as the faulty library made its primes is found, honest ones are not.
func TestROCA(t *testing.T) {
	m := big.NewInt(1)
	for _, p := range []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
		127, 131, 137, 139, 149, 151, 157, 163, 167} {
		m.Mul(m, big.NewInt(p))
	}
	prime := func() *big.Int { // of the form k·M + 65537^a mod M; whether it is prime does not matter here
		k := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 800)))
		a := must(rand.Int(rand.Reader, big.NewInt(1<<40)))
		return new(big.Int).Add(new(big.Int).Mul(k, m), new(big.Int).Exp(big.NewInt(65537), a, m))
	}
	for range 20 {
		if !isROCA(new(big.Int).Mul(prime(), prime())) {
			t.Error("a product of such primes was not found")
		}
		if honest := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 2048))); isROCA(honest.SetBit(honest, 0, 1)) {
			t.Error("a random number was taken for one")
		}
	}
}

// TestA10Duplicates: keys that share an id are all tried, up to four; the first does not win.
func TestA10Duplicates(t *testing.T) {
	var all []signer
	for range 6 {
		all = append(all, es256("1"))
	}
	w := new(web)
	w.serve(issuer, append([]signer{{"RS256", "1", rsaKey()}}, all...)...)
	v := mustVerifier(t, w, Options{})
	for i, s := range all {
		l, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		if i >= maxTriesByID {
			wantRefusal(t, l, err, login.BadSignature, "")
		} else if err != nil {
			t.Errorf("key %d of one id: got %v, want no error", i, err)
		}
	}
	if _, keys := w.count(); keys != 1 {
		t.Errorf("got %d fetches of keys, want 1", keys)
	}
}

// TestA10KeyAlgorithm: a key that says its algorithm serves no other.
func TestA10KeyAlgorithm(t *testing.T) {
	s := signer{"RS256", "1", rsaKey()}
	for alg, want := range map[string]login.Reason{"RS256": "", "RS512": login.KeyNotFound, "PS256": login.KeyNotFound} {
		w := new(web)
		w.serveKeys(issuer, keySetJSON(with(s.jwk(), map[string]any{"alg": alg})), 0)
		l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		if want != "" {
			wantRefusal(t, l, err, want, "")
		} else if err != nil {
			t.Errorf("%s: got %v, want no error", alg, err)
		}
	}
}

// TestA11NoKeyID: without a key id, keys of the algorithm's kind are tried, up to eight. The names are those of the
// OpenID Foundation's conformance tests.
func TestA11NoKeyID(t *testing.T) {
	bare := func(s signer) signer { s.kid = ""; return s }
	t.Run("KidAbsentSingleJwks", func(t *testing.T) {
		for _, s := range []signer{es256("1"), es256("")} {
			w := new(web)
			w.serve(issuer, s)
			if _, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), bare(s).sign(goodClaims(nil)), t0); err != nil {
				t.Errorf("got %v, want no error", err)
			}
		}
	})
	t.Run("KidAbsentMultipleMatchingKeys", func(t *testing.T) {
		all := []signer{{"RS256", "r", rsaKey()}}
		for i := range 10 {
			all = append(all, es256(fmt.Sprint(i)))
		}
		w := new(web)
		w.serve(issuer, all...)
		v := mustVerifier(t, w, Options{})
		for i, s := range all {
			l, err := v.Verify(t.Context(), provider(), bare(s).sign(goodClaims(nil)), t0)
			if i > maxTriesBare {
				wantRefusal(t, l, err, login.BadSignature, "")
			} else if err != nil {
				t.Errorf("key %d: got %v, want no error", i, err)
			}
		}
	})
	t.Run("a token with a key id, a key without", func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serve(issuer, bare(s))
		l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.KeyNotFound, "")
	})
}

// TestA9Burn: a set full of giant keys costs next to nothing to verify with, as they are not in it.
func TestA9Burn(t *testing.T) {
	s := es256("1")
	jwks := []map[string]any{s.jwk()}
	for range maxKeys - 1 {
		jwks = append(jwks, rsaJWK(16384, 1<<31-1))
	}
	keys, dropped, err := parseKeys([]byte(keySetJSON(jwks...)))
	if err != nil || len(keys) != 1 || len(dropped) != maxKeys-1 {
		t.Fatalf("got %d keys, %d dropped, %v", len(keys), len(dropped), err)
	}
	tok, refusal := parseToken(signer{"RS256", "", rsaKey()}.sign(goodClaims(nil)))
	if refusal != nil {
		t.Fatal(refusal)
	}
	alg, _ := algorithmByName("RS256")
	if got, _ := newKeySet(keys, dropped, t0, 0, 0.5).verify(tok, alg); got == nil || got.Reason != login.KeyNotFound {
		t.Errorf("got %v, want %s", got, login.KeyNotFound)
	}
}

// TestPSSSalt: the salt is as long as the hash, not whatever the signature says.
func TestPSSSalt(t *testing.T) {
	alg, _ := algorithmByName("PS256")
	digest := alg.digest([]byte("x"))
	k := &key{public: &rsaKey().PublicKey}
	for salt, want := range map[int]bool{32: true, 1: false, 20: false, 31: false, 33: false, 64: false} {
		var sig []byte
		fips140.WithoutEnforcement(func() { // which signs with no long salts
			sig = must(rsa.SignPSS(rand.Reader, rsaKey(), alg.hash, digest, &rsa.PSSOptions{SaltLength: salt}))
		})
		if got := alg.verify(k, digest, sig); got != want {
			t.Errorf("salt of %d bytes: got %v, want %v", salt, got, want)
		}
	}
}

func TestKeySetLife(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{0: minAge, time.Minute: minAge, time.Hour: time.Hour, 365 * 24 * time.Hour: maxAge} {
		s := newKeySet(nil, nil, t0, age, 0.5)
		if got := s.expires.Sub(t0); got != want {
			t.Errorf("max-age %v: got a life of %v, want %v", age, got, want)
		}
		if !s.refresh.Before(s.expires) || s.dead.Sub(s.expires) != maxStale {
			t.Errorf("max-age %v: got refresh %v, expires %v, dead %v", age, s.refresh, s.expires, s.dead)
		}
	}
}
