package identity

import (
	"slices"
	"time"

	"idpool/internal/fault"
)

// The sentences of unlinking and merging; all inferred.
const (
	notLinked = "The login is not linked to this identity."
)

// Unlink decides what taking logins away from an identity changes (spec §7.20, §7.21). Each must be linked to it. An
// identity that loses its last login stays what it was, somebody's: it is never a guest again.
func Unlink(from *Identity, logins []LoginKey, now time.Time) (Change, error) {
	change := Change{PoolID: from.PoolID}
	for _, k := range logins {
		if !from.Holds(k) {
			return Change{}, fault.New(fault.ResourceNotFound, notLinked)
		}
		change.Unlink = append(change.Unlink, Link{k, from.ID})
	}
	out := *from
	out.Modified = Millis(now)
	change.Update = []Identity{out}
	return change, nil
}

// Merge decides what merging source into destination changes (spec §7.16): the source's logins move, and it is disabled.
// ResourceConflict when both hold users of one public provider, or together too many logins.
func Merge(source, destination *Identity, developer string, now time.Time) (Change, error) {
	if source.ID == destination.ID {
		return Change{PoolID: destination.PoolID}, nil
	}
	if source.Disabled {
		return Change{}, Forbidden(source.ID)
	}
	if destination.Disabled {
		return Change{}, Forbidden(destination.ID)
	}
	if err := consistent(sorted(slices.Concat(source.Logins, destination.Logins)), developer); err != nil {
		return Change{}, err
	}
	change := Change{PoolID: destination.PoolID}
	change.absorb(source, destination.ID, now)
	kept := *destination
	kept.Authenticated, kept.Modified = true, Millis(now)
	change.Update = append(change.Update, kept)
	return change, nil
}

// Delete decides what deleting an identity changes: it goes with its logins, which are free again.
func Delete(i *Identity) Change {
	return Change{PoolID: i.PoolID, Delete: []Identity{*i}}
}
