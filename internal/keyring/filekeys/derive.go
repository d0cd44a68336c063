package filekeys

import (
	"crypto/sha256"

	"idpool/internal/session"
)

// derived is what belongs to one sealed text: the key that seals it, and the secret that comes with it.
type derived struct {
	key    [aesBytes]byte
	secret [session.SecretBytes]byte
}

// derive is HKDF-SHA256 (RFC 5869) of a master key with the text's random bytes as salt. crypto/hkdf gives the same (a test
// holds them against each other), but makes a hash and copies its state for each step: four times the cost, for every
// session that is made or shown.
func derive(master []byte, salt [saltBytes]byte, info []byte) (d derived) {
	var room [sha256.Size + 64]byte
	prk := hmacSHA256(salt, master)
	first := hmacSHA256(prk, append(append(room[:0], info...), 1))
	second := hmacSHA256(prk, append(append(append(room[:0], first[:]...), info...), 2))
	d.key = first
	copy(d.secret[:], second[:])
	return d
}

// hmacSHA256 is HMAC (RFC 2104) under a key of 32 bytes. What it hashes is put together on the stack.
func hmacSHA256(key [sha256.Size]byte, message []byte) [sha256.Size]byte {
	var inner, outer [sha256.BlockSize + 128]byte
	copy(inner[:], key[:])
	for i := range sha256.BlockSize {
		outer[i] = inner[i] ^ 0x5c
		inner[i] ^= 0x36
	}
	sum := sha256.Sum256(append(inner[:sha256.BlockSize], message...))
	return sha256.Sum256(append(outer[:sha256.BlockSize], sum[:]...))
}
