package server

import (
	"context"
	"sync"
	"time"
)

// keepUp follows other nodes' changes, cleans up after deleted pools and looks after the keys of providers, until ctx ends.
func (s *Server) keepUp(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() {
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		s.Source.Run(ctx, ticker.C)
	})
	all.Go(func() { s.purgeLoop(ctx) })
	all.Go(func() { s.upkeepLoop(ctx) })
	all.Wait()
}

// wakePurge has deleted pools looked for at once.
func (s *Server) wakePurge() {
	select {
	case s.purge <- struct{}{}:
	default: // it is awake already
	}
}

// purgeLoop deletes what is over, the identities of deleted pools and revocations, and advances keys. It also runs at the
// start: a stopped server may have left something.
func (s *Server) purgeLoop(ctx context.Context) {
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		if err := s.cognito.PurgeDeleted(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the identities of a deleted pool could not be deleted; it will be tried again", "error", err)
		}
		s.lookAfterOwn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.purge:
		}
	}
}

// lookAfterOwn deletes revocations that are over and has keys take the steps that they are due for.
func (s *Server) lookAfterOwn(ctx context.Context) {
	if err := s.own.CleanRevocations(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("revocations that are over could not be deleted; it will be tried again", "error", err)
	}
	changed, err := s.own.AdvanceKeys(ctx)
	for _, use := range changed {
		s.log.Info("keys have taken the step that they were due for", "use", use)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("keys could not take the step that they are due for; it will be tried again", "error", err)
	}
}
