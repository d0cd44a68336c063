package snapshot

import (
	"fmt"
	"iter"
	"time"

	"idpool/internal/revocation"
	"idpool/internal/store"
)

// Revocation is a revocation with the version of its document.
type Revocation struct {
	revocation.Revocation
	Version int64
}

// forever is later than anything is issued.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// revoked compiles a revocation. One that cannot be read revokes everything of its name, without an end: other documents
// that are broken give nobody anything, and this one must not either.
func revoked(s *Snapshot, d store.Document) (*Revocation, error) {
	r, err := read[revocation.Revocation](d)
	if err == nil && r.ID() != d.ID {
		err = fmt.Errorf("%s: it is one of %s", broken(d), r.ID())
	}
	if err != nil {
		s.Broken[broken(d)] = err
		r = &revocation.Revocation{Before: forever, Until: forever}
	}
	return &Revocation{Revocation: *r, Version: d.Version}, nil
}

// Revocation returns the revocation with the name, or nil.
func (s *Snapshot) Revocation(name string) *Revocation { return s.revoked.get(name) }

// Revocations goes over the revocations by their names, in no order.
func (s *Snapshot) Revocations() iter.Seq2[string, *Revocation] { return s.revoked.all() }

// Revoked says why what was issued at the time and has these names counts no more; nil if it does. It costs a look-up for
// each name, however many revocations there are.
func (s *Snapshot) Revoked(issued time.Time, names iter.Seq[string]) error {
	if s.revoked.parts == nil {
		return nil
	}
	for name := range names {
		if r := s.revoked.get(name); r != nil && r.Concerns(issued) {
			return fmt.Errorf("revoked by %s until %s", name, r.Before.Format(time.RFC3339))
		}
	}
	return nil
}
