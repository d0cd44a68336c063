package keyring

import (
	"fmt"
	"slices"
	"time"

	"idpool/internal/session"
)

// The times of a key's life (security H4). Each has more than what it is for, since the clocks of two nodes may be apart.
const (
	// spread is how long a key of a ring is known before it seals: a node that has not looked at the store for seconds
	// accepts nothing, so after this every node that runs opens what the key will seal.
	spread = time.Minute
	// publication is how long a public key is published before it signs: relying parties keep our key set for an hour.
	publication = time.Hour + time.Minute
	// margin is how much longer a key verifies than what it made can live.
	margin = time.Hour
	// signedLife is the longest life of a token that a ring signs: of developer identities.
	signedLife = 24 * time.Hour
	// maxLive bounds the keys of a ring that are not retired, maxRetired those that are kept for the record.
	maxLive    = 16
	maxRetired = 32
)

// Lead is how long a key of the use is next before it may be active without anybody's missing it.
func Lead(use string) time.Duration {
	if use == Sealing {
		return spread
	}
	return publication
}

// Keep is how long a key of the use is verify-only before nothing that it made can still be alive.
func Keep(use string) time.Duration {
	if use == Sealing {
		return session.MaxLife + margin
	}
	return signedLife + margin
}

// Due is when a key of the use may go into its next state without harm; the zero time for an active key, which waits for
// another, and for a retired one.
func (k *Key) Due(use string) time.Time {
	switch k.State {
	case Next:
		return k.Entered().Add(Lead(use))
	case VerifyOnly:
		return k.Entered().Add(Keep(use))
	default:
		return time.Time{}
	}
}

// Entered is when the key entered its state. Rings of before it was noted hold keys in the state in which they were made.
func (k *Key) Entered() time.Time {
	if k.Since.IsZero() {
		return k.Created
	}
	return k.Since
}

// become returns the key in another state. The secret of a retired key is gone with it.
func (k Key) become(s State, now time.Time) Key {
	k.State, k.Since = s, now.UTC()
	if s == Retired {
		k.Sealed = nil
	}
	return k
}

// Find returns the key with the id, or nil.
func (r *Ring) Find(id string) *Key {
	if i := slices.IndexFunc(r.Keys, func(k Key) bool { return k.ID == id }); i >= 0 {
		return &r.Keys[i]
	}
	return nil
}

// In returns the first key in a state, or nil.
func (r *Ring) In(s State) *Key {
	if i := slices.IndexFunc(r.Keys, func(k Key) bool { return k.State == s }); i >= 0 {
		return &r.Keys[i]
	}
	return nil
}

// with returns a copy of the ring in which one key has another state.
func (r Ring) with(id string, s State, now time.Time) Ring {
	r.Keys = slices.Clone(r.Keys)
	*r.Find(id) = r.Find(id).become(s, now)
	return r
}

// Add returns the ring with a new key that is next. It fails when too many are alive.
func (r Ring) Add(fresh Key, now time.Time) (Ring, error) {
	live := 0
	for i := range r.Keys {
		if r.Keys[i].State != Retired {
			live++
		}
	}
	if live >= maxLive {
		return r, fmt.Errorf("the ring %s has %d keys that are not retired", r.Use, live)
	}
	r.Keys = append(slices.Clone(r.Keys), fresh.become(Next, now))
	return r, nil
}

// Activate returns the ring with a key active that was next, and the one before it verify-only.
func (r Ring) Activate(id string, now time.Time) Ring {
	if old := r.In(Active); old != nil {
		r = r.with(old.ID, VerifyOnly, now)
	}
	return r.with(id, Active, now)
}

// Retire returns the ring with a key retired.
func (r Ring) Retire(id string, now time.Time) Ring {
	r = r.with(id, Retired, now)
	retired := 0
	for i := len(r.Keys) - 1; i >= 0; i-- {
		if r.Keys[i].State == Retired {
			if retired++; retired > maxRetired {
				r.Keys = slices.Delete(r.Keys, i, i+1)
			}
		}
	}
	return r
}

// Advance returns the ring with every key in the state that it is due for, and whether that changed anything.
func (r Ring) Advance(now time.Time) (Ring, bool) {
	changed := false
	for _, k := range r.Keys {
		if due := k.Due(r.Use); due.IsZero() || now.Before(due) {
			continue
		}
		changed = true
		if k.State == Next {
			r = r.Activate(k.ID, now)
		} else {
			r = r.Retire(k.ID, now)
		}
	}
	return r, changed
}
