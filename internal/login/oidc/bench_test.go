package oidc

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// benchClaims are 14 claims of the size of a large provider's.
func benchClaims() string {
	return goodClaims(map[string]any{
		"azp": "client-1", "email": "somebody.with.a.name@gmail.example", "email_verified": true, "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "name": "Somebody With A Name",
		"picture": "https://lh3.example.com/a-/AOh14GjlTnZKHAeb94A-FmEbwZv7uJD986VOF1mJGb2YYQ=s96-c", "given_name": "Somebody", "family_name": "Name",
		"locale": "en", "jti": "c8a3d2f1e0b94f6fa1e85b6e1d0b7c3a5f2e9d84", "nonce": "n-0S6_WzA2Mj", "hd": "example.com", "sub": "110169484474386276334",
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, s := range signers() {
		if s.alg != "RS256" && s.alg != "ES256" && s.alg != "PS256" && s.alg != "EdDSA" {
			continue
		}
		b.Run(s.alg, func(b *testing.B) {
			w := new(web)
			w.serve(issuer, s)
			v, p, token := mustVerifier(b, w, Options{}), provider(), s.sign(benchClaims())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), p, token, t0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRaw is the signature alone: what no verifier can go below.
func BenchmarkRaw(b *testing.B) {
	for _, name := range []string{"RS256", "ES256"} {
		s := signer{"RS256", "1", rsaKey()}
		if name == "ES256" {
			s = signer{"ES256", "1", p256Key()}
		}
		tok, _ := parseToken(s.sign(benchClaims()))
		alg, _ := algorithmByName(name)
		k := &key{public: s.key.Public()}
		if public, ok := k.public.(*rsa.PublicKey); ok {
			k.rsa = prepareRSA(public)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !alg.verify(k, alg.digest(tok.signed), tok.signature) {
					b.Fatal("refused")
				}
			}
		})
	}
	b.Run("RS256 of crypto/rsa", func(b *testing.B) {
		digest := sha256.Sum256([]byte("x"))
		sig := must(rsa.SignPKCS1v15(nil, rsaKey(), crypto.SHA256, digest[:]))
		b.ReportAllocs()
		for b.Loop() {
			if rsa.VerifyPKCS1v15(&rsaKey().PublicKey, crypto.SHA256, digest[:], sig) != nil {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkParse is everything before the signature.
func BenchmarkParse(b *testing.B) {
	token := signer{"RS256", "1", rsaKey()}.sign(benchClaims())
	b.SetBytes(int64(len(token)))
	b.ReportAllocs()
	for b.Loop() {
		tok, refusal := parseToken(token)
		if refusal != nil {
			b.Fatal(refusal)
		}
		if _, refusal := parseClaims(tok.payload, provider()); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// BenchmarkRefuse is what an attacker's token of full size costs, by what is wrong with it.
func BenchmarkRefuse(b *testing.B) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v, p := mustVerifier(b, w, Options{}), provider()
	if _, err := v.Verify(b.Context(), p, s.sign(goodClaims(nil)), t0); err != nil {
		b.Fatal(err)
	}
	numbers := claimsWith(nil, `"x":[`+strings.Repeat("1,", 2000)+`1]`)
	names := claimsWith(nil, strings.TrimSuffix(manyNames(2000), ","))
	for name, token := range map[string]string{
		"issuer": s.sign(`{"iss":"x"}`), "unknown key": es256("2").sign(goodClaims(nil)),
		"unknown key, many numbers": es256("2").sign(numbers), "unknown key, many names": es256("2").sign(names),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), p, token, t0); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func manyNames(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `"%d":1,`, i)
	}
	return text.String()
}
