package filekeys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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

// sealingID names a sealing key in what it sealed. Its base64url is the key's id.
type sealingID [sealingIDBytes]byte

// parseSealingID reads the id of a sealing key.
func parseSealingID(text string) (id sealingID, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != sealingIDBytes {
		return id, fmt.Errorf("the id of a sealing key is not the base64url of %d bytes", sealingIDBytes)
	}
	return sealingID(b), nil
}

// keys implements keyring.Keys.
type keys struct {
	holder        *Holder
	sealing       map[sealingID][]byte
	activeSealing sealingID
	own           signing
	issuers       map[string]*signing // by use
	guests        cipher.Block        // nil where no ring is for it
}

// Seal implements session.Sealer.
func (k *keys) Seal(purpose string, payload []byte) (string, [session.SecretBytes]byte, error) {
	out := make([]byte, headBytes, headBytes+len(payload)+tagBytes)
	out[0] = sealVersion
	copy(out[1:], k.activeSealing[:])
	rand.Read(out[1+sealingIDBytes:])
	aead, secret, err := open(k.sealing[k.activeSealing], purpose, out)
	if err != nil {
		return "", secret, err
	}
	var room [additionalRoom]byte
	out = aead.Seal(out, zeroNonce[:], payload, k.sealAdditional(room[:0], purpose, out))
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
	head, sealed := b[:headBytes], b[headBytes:]
	master, ok := k.sealing[sealingID(head[1:])]
	if !ok {
		return nil, none, errSealed
	}
	aead, secret, err := open(master, purpose, head)
	if err != nil {
		return nil, none, errSealed
	}
	var room [additionalRoom]byte
	payload, err := aead.Open(sealed[:0], zeroNonce[:], sealed, k.sealAdditional(room[:0], purpose, head))
	if err != nil {
		return nil, none, errSealed
	}
	return payload, secret, nil
}

// open makes the cipher of one sealed text, and the secret that comes with it, from the master key, the text's random bytes,
// and purpose‖version‖key id.
func open(master []byte, purpose string, head []byte) (cipher.AEAD, [session.SecretBytes]byte, error) {
	var room [additionalRoom]byte
	info := append(appendAdditional(room[:0], purpose), head[:1+sealingIDBytes]...)
	d := derive(master, [saltBytes]byte(head[1+sealingIDBytes:]), info)
	block, err := aes.NewCipher(d.key[:])
	if err != nil {
		return nil, d.secret, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, d.secret, err
}

// additionalRoom is enough for most of what is authenticated beside a payload.
const additionalRoom = 128

func (k *keys) sealAdditional(b []byte, purpose string, head []byte) []byte {
	return appendAdditional(b, purpose, k.holder.issuer, string(head[:1+sealingIDBytes]))
}
