package cognito

import (
	"context"
	"errors"
	"fmt"

	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// purgeBatch is how many identities one transaction deletes.
const purgeBatch = 500

// PurgeDeleted deletes the identities of deleted pools, batch by batch, until none are left or ctx ends. What a stopped
// server left over, the next one finds: the note that says so goes last.
func (s *Service) PurgeDeleted(ctx context.Context) error {
	current, err := s.Config.Current()
	if err != nil {
		return err
	}
	for id, version := range current.Purges() {
		for {
			n, err := s.Identities.Purge(ctx, id, purgeBatch)
			if err != nil {
				return fmt.Errorf("purging pool %s: %w", id, err)
			}
			if n == 0 {
				break
			}
		}
		// Another node may have finished first.
		if err := s.Config.Write(ctx, snapshot.PurgeDone(id, version)); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return nil
}
