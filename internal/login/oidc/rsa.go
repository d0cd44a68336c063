package oidc

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rsa"

	"filippo.io/bigmod"
)

// preparedRSA is an RSA public key, made ready once for all its tokens: crypto/rsa prepares the modulus anew for each
// signature, which is a quarter of the work. The arithmetic is the standard library's own, as its author publishes it
// (docs/decisions/0002-prepared-rsa.md).
type preparedRSA struct {
	n    *bigmod.Modulus
	e    uint
	size int // of the modulus, and so of a signature, in bytes
}

// prepareRSA returns nil where crypto/rsa is to verify: where approved cryptography is asked for, or for a key that it alone
// can judge.
func prepareRSA(public *rsa.PublicKey) *preparedRSA {
	if fips140.Enabled() || public.E <= 0 || public.N.Bit(0) == 0 {
		return nil
	}
	n, err := bigmod.NewModulus(public.N.Bytes())
	if err != nil {
		return nil
	}
	return &preparedRSA{n: n, e: uint(public.E), size: n.Size()}
}

// verify is RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2): it makes the one encoded message that there may be for the digest, and
// compares the whole of it. Nothing of what the signature holds is parsed.
func (k *preparedRSA) verify(hash crypto.Hash, digest, signature []byte) bool {
	want := encodePKCS1(k.size, hash, digest)
	if want == nil || len(signature) != k.size {
		return false
	}
	// Not NewNat, which would take half a kilobyte of the stack: with a thousand connections each has one.
	s, err := new(bigmod.Nat).SetBytes(signature, k.n)
	if err != nil {
		return false // not below the modulus
	}
	return bytes.Equal(new(bigmod.Nat).ExpShortVarTime(s, k.e, k.n).Bytes(k.n), want)
}

// encodePKCS1 is EMSA-PKCS1-v1_5 (RFC 8017 §9.2): 00 01 FF … FF 00, then the DigestInfo. It returns nil where the hash has
// none here, or there is no room for eight bytes of padding.
func encodePKCS1(size int, hash crypto.Hash, digest []byte) []byte {
	info := digestInfo(hash)
	padding := size - 3 - len(info) - len(digest)
	if info == "" || len(digest) != hash.Size() || padding < 8 {
		return nil
	}
	em := make([]byte, 0, size)
	em = append(em, 0, 1)
	for range padding {
		em = append(em, 0xff)
	}
	return append(append(append(em, 0), info...), digest...)
}

// digestInfo is the DER in front of a digest (RFC 8017 §9.2, note 1).
func digestInfo(hash crypto.Hash) string {
	switch hash {
	case crypto.SHA256:
		return "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
	case crypto.SHA384:
		return "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
	case crypto.SHA512:
		return "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
	}
	return ""
}
