package filekeys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"idpool/internal/session"
)

// A sealed text is the base64url of: one byte of version, the id of the sealing key, 32 random bytes, and AES-256-GCM of
// the payload. Each text has a key of its own, HKDF-SHA256 over the master key, so nobody has to count nonces: the nonce
// is zero, and a key is used once. Purpose, version, key id and issuer are authenticated.
const (
	sealVersion    = 1
	sealingIDBytes = 8
	saltBytes      = 32
	masterBytes    = 32
	aesBytes       = 32
	headBytes      = 1 + sealingIDBytes + saltBytes
	tagBytes       = 16
)

// errSealed is the only answer to a text that does not open.
var errSealed = errors.New("not a sealed text of ours")

var zeroNonce [12]byte

// keys implements keyring.Keys.
type keys struct {
	holder        *Holder
	sealing       map[string][]byte // by key id
	activeSealing string
	own           signing
	issuers       map[string]*signing // by use
	guests        cipher.Block        // nil where no ring is for it
}

// Seal implements session.Sealer.
func (k *keys) Seal(purpose string, payload []byte) (string, [session.SecretBytes]byte, error) {
	out := make([]byte, headBytes, headBytes+len(payload)+tagBytes)
	out[0] = sealVersion
	if _, err := base64.RawURLEncoding.Decode(out[1:], []byte(k.activeSealing)); err != nil {
		return "", [session.SecretBytes]byte{}, fmt.Errorf("id of the sealing key: %w", err)
	}
	rand.Read(out[1+sealingIDBytes : headBytes])
	aead, secret, err := k.derive(k.sealing[k.activeSealing], purpose, out[:headBytes])
	if err != nil {
		return "", secret, err
	}
	out = aead.Seal(out, zeroNonce[:], payload, k.sealAdditional(purpose, out[:headBytes]))
	return base64.RawURLEncoding.EncodeToString(out), secret, nil
}

// Open implements session.Sealer.
func (k *keys) Open(purpose, token string) ([]byte, [session.SecretBytes]byte, error) {
	var none [session.SecretBytes]byte
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	// The decoder skips line ends, so only an encoding that comes back the same is the one that we made (security A8).
	if err != nil || len(b) < headBytes+tagBytes || b[0] != sealVersion || base64.RawURLEncoding.EncodedLen(len(b)) != len(token) {
		return nil, none, errSealed
	}
	master, ok := k.sealing[base64.RawURLEncoding.EncodeToString(b[1:1+sealingIDBytes])]
	if !ok {
		return nil, none, errSealed
	}
	aead, secret, err := k.derive(master, purpose, b[:headBytes])
	if err != nil {
		return nil, none, errSealed
	}
	payload, err := aead.Open(nil, zeroNonce[:], b[headBytes:], k.sealAdditional(purpose, b[:headBytes]))
	if err != nil {
		return nil, none, errSealed
	}
	return payload, secret, nil
}

// derive makes the key of one sealed text and the secret that comes with it from the master key, the text's random
// bytes, and purpose‖version‖key id.
func (k *keys) derive(master []byte, purpose string, head []byte) (cipher.AEAD, [session.SecretBytes]byte, error) {
	var secret [session.SecretBytes]byte
	info := string(additional(purpose)) + string(head[:1+sealingIDBytes])
	okm, err := hkdf.Key(sha256.New, master, head[1+sealingIDBytes:], info, aesBytes+session.SecretBytes)
	if err != nil {
		return nil, secret, err
	}
	copy(secret[:], okm[aesBytes:])
	block, err := aes.NewCipher(okm[:aesBytes])
	if err != nil {
		return nil, secret, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, secret, err
}

func (k *keys) sealAdditional(purpose string, head []byte) []byte {
	return additional(purpose, k.holder.issuer, string(head[:1+sealingIDBytes]))
}
