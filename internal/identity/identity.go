// Package identity is what an identity is, and the rules of linking: from the rows that a request read to the Change
// that one transaction applies.
//
// An identity lives in one pool for ever and owns logins; a login, which is (provider, subject), belongs to at most one
// identity of a pool. The rules are those of spec cognito-identity §9 and, where that is silent, of security D. Nothing
// here reads a clock, a store or randomness: they are arguments, and a Change states the row versions it was computed
// from, so that a store can refuse it when they have moved on.
package identity

import (
	"slices"
	"time"
)

// MaxLogins is how many logins one identity may hold (spec cognito-identity §16).
const MaxLogins = 20

// LoginKey names a login inside a pool: the provider's key in a Logins map and the provider's id of the user, as bytes.
type LoginKey struct {
	Provider string
	Subject  string
}

// Identity is an identity with its logins.
type Identity struct {
	ID       string
	PoolID   string
	Created  time.Time // UTC, whole milliseconds
	Modified time.Time // UTC, whole milliseconds: the last link, unlink or merge
	// Authenticated is whether it ever held a login. An identity that did is never a guest again, even without logins.
	Authenticated bool
	// Disabled is whether it was merged into another, MergedInto. It is never usable again.
	Disabled   bool
	MergedInto string
	// Logins is ordered by provider, then subject.
	Logins []LoginKey
	// Version grows with every change of the row or of its logins. A stored identity's is at least 1.
	Version int64
}

// Holds reports whether the login is linked to the identity.
func (i *Identity) Holds(k LoginKey) bool { return slices.Contains(i.Logins, k) }

// Providers returns the providers of the logins, each once, in order.
func (i *Identity) Providers() []string {
	var out []string
	for _, k := range i.Logins {
		if len(out) == 0 || out[len(out)-1] != k.Provider {
			out = append(out, k.Provider)
		}
	}
	return out
}

// A Change is what one transaction does to the identities of one pool, all or nothing.
type Change struct {
	PoolID string
	// Create are new identities, whose ids must not exist, with their logins.
	Create []Identity
	// Update are identities whose row must still have Version; it is stored with Version+1. Their Logins are not looked at.
	Update []Identity
	// Link adds logins that no identity of the pool may hold.
	Link []Link
	// Move takes logins from one identity, which must still hold them, to another.
	Move []Move
	// Unlink removes logins that the identity must still hold.
	Unlink []Link
	// Delete removes identities whose row must still have Version, with all their logins.
	Delete []Identity
}

// Link is a login of an identity.
type Link struct {
	LoginKey
	IdentityID string
}

// Move is a login that changes its owner.
type Move struct {
	LoginKey
	From, To string
}

// Empty reports whether the change does nothing.
func (c *Change) Empty() bool {
	return len(c.Create)+len(c.Update)+len(c.Link)+len(c.Move)+len(c.Unlink)+len(c.Delete) == 0
}
