// Package recent remembers, for a few seconds, the identities that this node read.
//
// Key: the identity's id. Value: the identity with its logins, as the store had it when the reading began. Life: less
// than MaxAge from that moment. What this node changes is forgotten before the change is answered, and what was being
// read meanwhile is not kept: a node never uses what it knows to be old. What another node changes is seen after MaxAge
// at the latest. Nothing is remembered of an id that is not there.
//
// Only who asks for Recent gets what is remembered; Get asks the store. What a decision to change something needs is to be
// asked of the store, or the change conflicts.
package recent

import (
	"context"
	"time"

	"idpool/internal/cache"
	"idpool/internal/identity"
	"idpool/internal/store"
)

// MaxAge is how long an identity is remembered: as long as a snapshot of the configuration may be old.
const MaxAge = 5 * time.Second

// Identities is a store.Identities that remembers. It is safe for concurrent use.
type Identities struct {
	store.Identities
	now   func() time.Time
	known *cache.Cache[string, identity.Identity]
}

// New returns identities that remember about n of them at most; 0 remembers none.
func New(of store.Identities, n int, now func() time.Time) *Identities {
	return &Identities{Identities: of, now: now, known: cache.New[string, identity.Identity](n, MaxAge)}
}

// Recent is Get, or what Get returned less than MaxAge ago. Its Logins must not be changed.
func (r *Identities) Recent(ctx context.Context, id string) (identity.Identity, error) {
	found, turn, ok := r.known.Get(id, r.now())
	if ok {
		return found, nil
	}
	found, err := r.Get(ctx, id)
	if err == nil {
		r.known.Put(id, found, turn)
	}
	return found, err
}

// Apply implements store.Identities. What the change is about is forgotten also where it failed: a conflict says that it
// is old, and of other failures nobody knows what became of them.
func (r *Identities) Apply(ctx context.Context, change identity.Change) error {
	defer r.forget(&change)
	return r.Identities.Apply(ctx, change)
}

// Purge implements store.Identities.
func (r *Identities) Purge(ctx context.Context, poolID string, n int) (int, error) {
	defer r.known.Clear()
	return r.Identities.Purge(ctx, poolID, n)
}

func (r *Identities) forget(c *identity.Change) {
	for _, list := range [][]identity.Identity{c.Create, c.Update, c.Delete} {
		for i := range list {
			r.known.Forget(list[i].ID)
		}
	}
	for _, list := range [][]identity.Link{c.Link, c.Unlink} {
		for i := range list {
			r.known.Forget(list[i].IdentityID)
		}
	}
	for i := range c.Move {
		r.known.Forget(c.Move[i].From)
		r.known.Forget(c.Move[i].To)
	}
}
