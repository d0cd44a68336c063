package filekeys

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"idpool/internal/session"
)

// derive is the standard library's HKDF, whatever the lengths, and hmacSHA256 its HMAC.
func TestDerive(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	some := func(n int) []byte {
		b := make([]byte, n)
		random.Read(b)
		return b
	}
	for n := range 300 {
		master, salt, info := some(1+n), [saltBytes]byte(some(saltBytes)), some(n)
		want, err := hkdf.Key(sha256.New, master, salt[:], string(info), aesBytes+session.SecretBytes)
		if err != nil {
			t.Fatal(err)
		}
		got := derive(master, salt, info)
		if !bytes.Equal(append(got.key[:], got.secret[:]...), want) {
			t.Fatalf("with %d bytes: %x, want %x", n, got, want)
		}
		h := hmac.New(sha256.New, salt[:])
		h.Write(info)
		if sum := hmacSHA256(salt, info); !hmac.Equal(sum[:], h.Sum(nil)) {
			t.Fatalf("HMAC of %d bytes: %x, want %x", n, sum, h.Sum(nil))
		}
	}
}
