package cognito

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// purgeBatch is how many identities one transaction deletes.
const purgeBatch = 500

// purgeMargin is how much longer the note about a deleted pool stays, after this process first saw it, than another node
// may believe in the pool (snapshot.MaxAge) and a request of its may take: so that what such a request still makes is found
// too.
const purgeMargin = 25 * time.Second

func (s *Service) purgeLinger() time.Duration {
	return snapshot.MaxAge + s.RequestTimeout + purgeMargin
}

// PurgeDeleted deletes the identities of deleted pools, batch by batch, until none are left or ctx ends. It is called
// again and again, by one caller at a time: the note of a pool goes last, after purgeLinger has passed. What a stopped server left
// over, the next one finds.
func (s *Service) PurgeDeleted(ctx context.Context) error {
	current, err := s.Config.Current()
	if err != nil {
		return err
	}
	seen := map[string]time.Time{}
	for id := range current.Purges() {
		seen[id] = s.Config.Now()
		if at, ok := s.purging[id]; ok {
			seen[id] = at
		}
	}
	s.purging = seen
	for id, version := range current.Purges() {
		if err := s.purgePool(ctx, id, version, seen[id]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) purgePool(ctx context.Context, id string, version int64, since time.Time) error {
	for n := purgeBatch; n > 0; {
		var err error
		if n, err = s.Identities.Purge(ctx, id, purgeBatch); err != nil {
			return fmt.Errorf("purging pool %s: %w", id, err)
		}
	}
	if s.Config.Now().Sub(since) < s.purgeLinger() {
		return nil
	}
	// Another node may have finished first.
	if err := s.Config.Write(ctx, snapshot.PurgeDone(id, version)); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}
