package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
)

// minSecret is the least length of a secret in bytes. Real ones have 40; the floor keeps an empty one, from a look-up gone
// wrong, from becoming a key that anybody can derive.
const minSecret = 16

type signingKey [sha256.Size]byte

// deriveKey returns the key of one day, region and service (spec §4.1).
func deriveKey(secret, date, region, service string) signingKey {
	var space [64]byte
	key := mac(append(append(space[:0], "AWS4"...), secret...), date)
	for _, part := range [...]string{region, service, terminator} {
		key = mac(key[:], part)
	}
	return key
}

func mac(key []byte, message string) (sum signingKey) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	h.Sum(sum[:0])
	return sum
}

// keyID names a signing key: a SHA-256 over all that it is derived from, and the access key id.
type keyID [sha256.Size]byte

func (s *Signature) keyID(secret string) keyID {
	var space [256]byte
	b := space[:0]
	for _, part := range [...]string{s.AccessKeyID, s.Date, s.Region, s.Service} {
		b = append(append(b, part...), '\n') // none of them holds a line feed
	}
	return sha256.Sum256(append(b, secret...))
}

// generation is half of the greatest number of keys in a keyCache.
const generation = 5000

// keyCache holds signing keys. It is two generations: a full young one becomes the old one, and keys in use move from the
// old one to the young one, so that what goes is what was not used for at least a generation. A new secret has a new id;
// the keys of the one before are never found again.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyID]signingKey
}

func (c *keyCache) get(id keyID) (signingKey, bool) {
	c.mu.RLock()
	key, young := c.young[id]
	old := false
	if !young {
		key, old = c.old[id]
	}
	c.mu.RUnlock()
	if old {
		c.put(id, key)
	}
	return key, young || old
}

func (c *keyCache) put(id keyID, key signingKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= generation {
		c.young, c.old = make(map[keyID]signingKey), c.young
	}
	c.young[id] = key
}
