package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"math/big"
	"slices"

	"idpool/internal/login"
)

// family is the kind of key that an algorithm takes, and what it does with it.
type family int

const (
	pkcs1 family = iota + 1 // RSASSA-PKCS1-v1_5
	pss                     // RSASSA-PSS, MGF1 and salt as long as the hash
	ec                      // ECDSA, r and s as fixed-length integers one after the other
	ed                      // Ed25519
)

// algorithm is a JOSE signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
type algorithm struct {
	name   string
	family family
	hash   crypto.Hash    // 0 for ed
	curve  elliptic.Curve // for ec
}

// Algorithms returns the names of all algorithms that a token may be signed with.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// algorithmByName finds an algorithm. There are no others: symmetric ones and "none" do not exist here (requirement 3).
func algorithmByName(name string) (algorithm, bool) {
	switch name {
	case "RS256":
		return algorithm{name, pkcs1, crypto.SHA256, nil}, true
	case "RS384":
		return algorithm{name, pkcs1, crypto.SHA384, nil}, true
	case "RS512":
		return algorithm{name, pkcs1, crypto.SHA512, nil}, true
	case "PS256":
		return algorithm{name, pss, crypto.SHA256, nil}, true
	case "PS384":
		return algorithm{name, pss, crypto.SHA384, nil}, true
	case "PS512":
		return algorithm{name, pss, crypto.SHA512, nil}, true
	case "ES256":
		return algorithm{name, ec, crypto.SHA256, elliptic.P256()}, true
	case "ES384":
		return algorithm{name, ec, crypto.SHA384, elliptic.P384()}, true
	case "ES512":
		return algorithm{name, ec, crypto.SHA512, elliptic.P521()}, true
	case "EdDSA":
		return algorithm{name, ed, 0, nil}, true
	}
	return algorithm{}, false
}

// chooseAlgorithm returns the algorithm that the header names, if it exists and all lists allow it; an empty one allows all.
func chooseAlgorithm(name string, lists ...[]string) (algorithm, *login.Refusal) {
	alg, ok := algorithmByName(name)
	if !ok {
		return alg, &login.Refusal{Reason: login.AlgorithmRefused, Expected: "an asymmetric signature algorithm", Found: "none that is known"}
	}
	for _, allowed := range lists {
		if len(allowed) > 0 && !slices.Contains(allowed, name) {
			return alg, &login.Refusal{Reason: login.AlgorithmRefused, Expected: "an algorithm that the provider may use", Found: name}
		}
	}
	return alg, nil
}

// fits reports whether the key is one for the algorithm: of its family and curve, and meant for it if it says so.
func (a algorithm) fits(k *key) bool {
	if k.alg != "" && k.alg != a.name {
		return false
	}
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		return a.family == pkcs1 || a.family == pss
	case *ecdsa.PublicKey:
		return a.family == ec && pub.Curve == a.curve
	case ed25519.PublicKey:
		return a.family == ed
	}
	return false
}

// digest returns what verify wants of the signed bytes: their hash, or for ed themselves.
func (a algorithm) digest(signed []byte) []byte {
	if a.family == ed {
		return signed
	}
	h := a.hash.New()
	h.Write(signed)
	return h.Sum(nil)
}

// verify reports whether the signature over the digest is the key's. The key must fit.
func (a algorithm) verify(k *key, digest, signature []byte) bool {
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		if len(signature) != pub.Size() {
			return false
		}
		switch {
		case a.family == pkcs1 && k.rsa != nil:
			return k.rsa.verify(a.hash, digest, signature)
		case a.family == pkcs1:
			return rsa.VerifyPKCS1v15(pub, a.hash, digest, signature) == nil
		}
		return rsa.VerifyPSS(pub, a.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case *ecdsa.PublicKey:
		return verifyEC(pub, digest, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(pub, digest, signature)
	}
	return false
}

// verifyEC takes r and s, each as long as the curve's order (RFC 7518 §3.4), never DER. The library refuses those that
// are zero or not below the order. It accepts n−s for s: two signatures of one token can both be good.
func verifyEC(pub *ecdsa.PublicKey, digest, signature []byte) bool {
	size := (pub.Curve.Params().N.BitLen() + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(pub, digest, r, s)
}
