package sqlstore

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	maxAttempts = 24
	firstPause  = 2 * time.Millisecond
	longPause   = 250 * time.Millisecond
)

// retry runs fn until it succeeds, fails for good, or has failed maxAttempts times for reasons that pass (see transient):
// a transaction that could not be ordered among others, say. It returns redacted errors.
func retry(ctx context.Context, fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		if err == nil {
			return nil
		}
		if cause := ctx.Err(); cause != nil {
			return cause // whatever the driver makes of it
		}
		if attempt == maxAttempts || !transient(err, attempt) {
			return redact(err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// pause waits longer the more attempts there were, for a random part of that time, so that contenders come apart.
func pause(ctx context.Context, attempt int) error {
	t := time.NewTimer(rand.N(min(firstPause<<min(attempt, 16), longPause)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
