// Package filekeys holds the key-encryption key in a file; everything else lies sealed under it in the store.
//
// The file has one line, the base64 of 32 random bytes, and may be read by its owner alone. Whoever has the file and the
// database has every key; whoever has one of them has none.
package filekeys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const kekBytes = 32

// Holder implements keyring.Holder with a key-encryption key from a file.
type Holder struct {
	kek    cipher.AEAD
	issuer string
}

// Create makes a new key file. It refuses to replace one.
func Create(path string) error {
	key := make([]byte, kekBytes)
	rand.Read(key)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("creating the key file: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the key file: %w", err)
	}
	return nil
}

// Open reads the key file. It refuses one that others can read (security H8). The issuer is bound into everything that
// the keys seal, so that the tokens of two systems that share a key file are no use to each other.
func Open(path, issuer string) (*Holder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s has mode %04o: only its owner may read it (chmod 0600): %w", path, info.Mode().Perm(), fs.ErrPermission)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(key) != kekBytes {
		return nil, fmt.Errorf("key file %s does not hold the base64 of %d bytes", path, kekBytes)
	}
	return newHolder(key, issuer)
}

func newHolder(key []byte, issuer string) (*Holder, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	// A random nonce of 96 bits is safe for 2³² seals under one key; only keys and user secrets are sealed with it.
	kek, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Holder{kek: kek, issuer: issuer}, nil
}

func (h *Holder) wrap(what, id string, plaintext []byte) []byte {
	return h.kek.Seal(nil, nil, plaintext, additional(what, id))
}

func (h *Holder) unwrap(what, id string, sealed []byte) ([]byte, error) {
	out, err := h.kek.Open(nil, nil, sealed, additional(what, id))
	if err != nil {
		return nil, fmt.Errorf("%s %s does not open with this key file", what, id)
	}
	return out, nil
}

// additional binds what is sealed to its use and id; lengths are in front, so that no two pairs look alike.
func additional(parts ...string) []byte { return appendAdditional(nil, parts...) }

func appendAdditional(b []byte, parts ...string) []byte {
	for _, p := range parts {
		b = append(b, byte(len(p)>>8), byte(len(p)))
		b = append(b, p...)
	}
	return b
}
