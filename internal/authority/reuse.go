package authority

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"

	"idpool/internal/session"
)

// maxKept bounds how many credentials are kept for all authorities.
const maxKept = 10_000

// kept holds credentials that may be handed out again. It belongs to one revision of the configuration: any change of it,
// a revocation among them, empties it.
type kept struct {
	mu       sync.Mutex
	revision int64
	all      map[[sha256.Size]byte]lease
}

type lease struct {
	credentials session.Credentials
	begun       time.Time
}

// key is everything that the credentials depend on: who, as what, where, and by which logins (security J11).
func (r *Request) key(a *Authority, policy string) [sha256.Size]byte {
	h := sha256.New()
	write := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	list := func(all ...string) {
		write(string(rune('0' + len(all)%10)))
		for _, s := range all {
			write(s)
		}
	}
	list(a.Name, r.RoleARN, r.Claims.IdentityID, r.Claims.PoolID, policy)
	if r.Guest {
		write("guest")
	}
	list(r.Claims.AMR...)
	for _, k := range slices.Sorted(maps.Keys(r.Claims.Tags)) {
		list(k, r.Claims.Tags[k])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// get returns credentials that still have percent of their life.
func (k *kept) get(revision int64, key [sha256.Size]byte, percent int, now time.Time) (session.Credentials, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.all[key]
	if !ok || revision != k.revision || percent <= 0 {
		return session.Credentials{}, false
	}
	life, left := l.credentials.Expiration.Sub(l.begun), l.credentials.Expiration.Sub(now)
	return l.credentials, left > 0 && 100*left >= life*time.Duration(percent)
}

// put keeps credentials that were minted under a revision. Those of an older one are not kept: they may have been revoked.
func (k *kept) put(revision int64, key [sha256.Size]byte, l lease, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if revision < k.revision {
		return
	}
	if revision > k.revision || k.all == nil {
		k.revision, k.all = revision, map[[sha256.Size]byte]lease{}
	}
	if len(k.all) >= maxKept {
		k.makeRoom(now)
	}
	k.all[key] = l
}

// makeRoom drops what has ended, and one more if nothing has.
func (k *kept) makeRoom(now time.Time) {
	maps.DeleteFunc(k.all, func(_ [sha256.Size]byte, l lease) bool { return !l.credentials.Expiration.After(now) })
	for key := range k.all {
		if len(k.all) < maxKept {
			return
		}
		delete(k.all, key)
	}
}
