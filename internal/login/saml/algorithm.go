package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for suite
	_ "crypto/sha512"
	"crypto/x509"
	"math/big"
)

// suite is the algorithms and keys that a verifier takes (requirement 17, security C9).
type suite struct {
	methods map[string]method      // by the URI of a SignatureMethod
	digests map[string]crypto.Hash // by the URI of a DigestMethod
	minRSA  int                    // bits
}

// method is one way to sign.
type method struct {
	family family
	hash   crypto.Hash
}

// family is the kind of key that a method takes.
type family int

const (
	familyRSA family = iota + 1 // PKCS #1 v1.5
	familyEC
)

const maxRSA = 8192 // bits

// strong is the one suite: SHA-2 with RSA or ECDSA (RFC 6931 §2.3). SHA-1, MD5, HMAC and DSA are in no table.
var strong = suite{
	methods: map[string]method{
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":   {familyRSA, crypto.SHA256},
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":   {familyRSA, crypto.SHA384},
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":   {familyRSA, crypto.SHA512},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": {familyEC, crypto.SHA256},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": {familyEC, crypto.SHA384},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": {familyEC, crypto.SHA512},
	},
	digests: map[string]crypto.Hash{
		"http://www.w3.org/2001/04/xmlenc#sha256":       crypto.SHA256,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
		"http://www.w3.org/2001/04/xmlenc#sha512":       crypto.SHA512,
	},
	minRSA: 2048,
}

// keys returns the keys of the family in the certificates, of those that are strong enough.
func (s *suite) keys(certificates []*x509.Certificate, f family) []crypto.PublicKey {
	var out []crypto.PublicKey
	for _, c := range certificates {
		if s.family(c.PublicKey) == f {
			out = append(out, c.PublicKey)
		}
	}
	return out
}

// family returns the family of a key that is strong enough, and 0 for all others.
func (s *suite) family(key crypto.PublicKey) family {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n >= s.minRSA && n <= maxRSA && k.E >= 3 && k.E%2 == 1 {
			return familyRSA
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return familyEC
		}
	}
	return 0
}

// verifies reports whether one of the keys made the signature.
func (m method) verifies(keys []crypto.PublicKey, signed, signature []byte) bool {
	digest := sum(m.hash, signed)
	for _, key := range keys {
		switch k := key.(type) {
		case *rsa.PublicKey:
			if rsa.VerifyPKCS1v15(k, m.hash, digest, signature) == nil {
				return true
			}
		case *ecdsa.PublicKey:
			if verifiesEC(k, digest, signature) {
				return true
			}
		}
	}
	return false
}

// verifiesEC reads a signature as the two numbers in bytes of the curve's length (RFC 6931 §2.3.6).
func verifiesEC(key *ecdsa.PublicKey, digest, signature []byte) bool {
	size := (key.Params().BitSize + 7) / 8
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	return ecdsa.Verify(key, digest, r, s)
}

func sum(h crypto.Hash, b []byte) []byte {
	f := h.New()
	f.Write(b)
	return f.Sum(nil)
}
