package identity

import (
	"cmp"
	"slices"
	"time"

	"idpool/internal/fault"
)

// The sentences of spec cognito-identity §4. [inferred] ones stand here alone.
const (
	LoginsDontMatch = "Logins don't match. Please include at least one valid login for this identity or identity pool."
	loginTaken      = "Login is already linked to another identity." // [inferred]
	tooManyLogins   = "Too many logins for this identity."           // [inferred]
	registered      = "The developer user identifier is already registered with another identity."
)

// Forbidden is the refusal of an identity that may not be used in this way.
func Forbidden(id string) *fault.Error {
	return fault.New(fault.NotAuthorized, "Access to Identity '%s' is forbidden.", id)
}

// NotFound is the refusal of an identity id that no pool knows. Unknown, deleted and foreign ids are told apart by nothing.
func NotFound(id string) *fault.Error {
	return fault.New(fault.ResourceNotFound, "Identity '%s' not found.", id)
}

// NewGuest returns a guest that does not exist yet.
func NewGuest(poolID, id string, now time.Time) Identity {
	now = Millis(now)
	return Identity{ID: id, PoolID: poolID, Created: now, Modified: now}
}

// Millis is the time as it is stored: UTC, whole milliseconds.
func Millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// Input is what a request presents and what the store knows about it.
type Input struct {
	PoolID string
	// Target is the identity that the request names; nil where it names none (GetId).
	Target *Identity
	// Logins are the verified logins, at least one, each provider once.
	Logins []LoginKey
	// Owners are the identities that hold any of the Logins, in any order, without Target.
	Owners []*Identity
	// NewID is the id of the identity to create if there is none.
	NewID string
	Now   time.Time
	// Developer is the provider of which an identity may hold several users: the pool's developer provider, whose users
	// are merged. Of every other provider it holds one.
	Developer string
}

// Resolve decides which identity verified logins lead to, and what must change for it: spec cognito-identity §9.2–9.3.
//
// A target that holds a login is usable only with one of its own (D1); a guest takes the logins, or, where they already
// belong to another identity, gives way to it and is disabled. Without a target the logins' owner is the answer, several
// owners merge into the oldest, and without any a new identity is made. A developer's user is not moved to a target: that
// is MergeDeveloperIdentities' business. The returned identity is as it will be once the change is applied.
func Resolve(in Input) (Identity, Change, error) {
	if in.Target != nil {
		if err := in.developerElsewhere(); err != nil {
			return Identity{}, Change{}, err
		}
		if err := usable(in.Target, in.Logins); err != nil {
			return Identity{}, Change{}, err
		}
	}
	if len(in.Logins) == 0 || in.Target != nil && in.Target.PoolID != in.PoolID {
		return Identity{}, Change{}, fault.New(fault.NotAuthorized, LoginsDontMatch)
	}
	change := Change{PoolID: in.PoolID}
	all := parties(in)
	if len(all) == 0 {
		fresh := NewGuest(in.PoolID, in.NewID, in.Now)
		fresh.Authenticated = true
		fresh.Logins = sorted(in.Logins)
		if err := consistent(fresh.Logins, in.Developer); err != nil {
			return Identity{}, Change{}, err
		}
		change.Create = []Identity{fresh}
		fresh.Version = 1
		return fresh, change, nil
	}
	survivor := survivorOf(all)
	out := *survivor
	out.Logins = slices.Clone(survivor.Logins)
	for _, other := range all {
		if other != survivor {
			out.Logins = append(out.Logins, other.Logins...)
			change.absorb(other, out.ID, in.Now)
		}
	}
	for _, k := range in.Logins {
		if !slices.Contains(out.Logins, k) {
			out.Logins = append(out.Logins, k)
			change.Link = append(change.Link, Link{k, out.ID})
		}
	}
	out.Logins = sorted(out.Logins)
	if err := consistent(out.Logins, in.Developer); err != nil {
		return Identity{}, Change{}, err
	}
	if !change.Empty() {
		out.Authenticated, out.Modified = true, Millis(in.Now)
		change.Update = append(change.Update, out)
		out.Version++
	}
	return out, change, nil
}

// developerElsewhere refuses a developer's user who belongs to another identity than the one that is named: he stays there
// (spec §7.10).
func (in *Input) developerElsewhere() error {
	for _, k := range in.Logins {
		if k.Provider == in.Developer && slices.ContainsFunc(in.Owners, func(o *Identity) bool { return o.ID != in.Target.ID && o.Holds(k) }) {
			return fault.New(fault.DeveloperUserAlreadyRegistered, registered)
		}
	}
	return nil
}

// usable refuses a target that the logins may not reach.
func usable(target *Identity, logins []LoginKey) error {
	if target.Disabled {
		return Forbidden(target.ID)
	}
	if target.Authenticated && !slices.ContainsFunc(logins, target.Holds) {
		return fault.New(fault.NotAuthorized, LoginsDontMatch)
	}
	return nil
}

// parties are the identities that the request touches, target first.
func parties(in Input) []*Identity {
	var all []*Identity
	if in.Target != nil {
		all = append(all, in.Target)
	}
	for _, o := range in.Owners {
		if in.Target == nil || o.ID != in.Target.ID {
			all = append(all, o)
		}
	}
	return all
}

// survivorOf picks the identity that keeps its id: an authenticated one before a guest (spec §9.3, observed), of several
// the older, of equally old ones the smaller id, so that every node decides alike.
func survivorOf(all []*Identity) *Identity {
	return slices.MinFunc(all, func(a, b *Identity) int {
		if a.Authenticated != b.Authenticated {
			if a.Authenticated {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}

// absorb moves the logins of loser to the identity and disables it.
func (c *Change) absorb(loser *Identity, into string, now time.Time) {
	for _, k := range loser.Logins {
		c.Move = append(c.Move, Move{k, loser.ID, into})
	}
	gone := *loser
	gone.Disabled, gone.MergedInto, gone.Modified, gone.Logins = true, into, Millis(now), nil
	c.Update = append(c.Update, gone)
}

// consistent refuses two users of one public provider, and more logins than an identity may hold.
func consistent(sortedLogins []LoginKey, developer string) error {
	for i := 1; i < len(sortedLogins); i++ {
		if p := sortedLogins[i].Provider; p == sortedLogins[i-1].Provider && (p != developer || developer == "") {
			return fault.New(fault.ResourceConflict, loginTaken)
		}
	}
	if len(sortedLogins) > MaxLogins {
		return fault.New(fault.ResourceConflict, tooManyLogins)
	}
	return nil
}

func sorted(logins []LoginKey) []LoginKey {
	out := slices.Clone(logins)
	slices.SortFunc(out, func(a, b LoginKey) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Subject, b.Subject))
	})
	return out
}
