package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"idpool/internal/store"
)

// passing is a failure that a later attempt may not meet.
var passing = &pgconn.PgError{Code: serializationFailure, Message: "hunter2"}

func TestRetry(t *testing.T) {
	for _, c := range []struct {
		name  string
		fail  []error // what the attempts return, and nil after them
		want  error
		calls int
	}{
		{"at once", nil, nil, 1},
		{"fourth time", []error{passing, passing, passing}, nil, 4},
		{"conflict", []error{store.ErrConflict}, store.ErrConflict, 1},
		{"conflict later", []error{passing, store.ErrConflict}, store.ErrConflict, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			err := retry(t.Context(), func() error {
				calls++
				if calls > len(c.fail) {
					return nil
				}
				return c.fail[calls-1]
			})
			if err != c.want || calls != c.calls {
				t.Errorf("%s: got %v after %d calls, want %v after %d", c.name, err, calls, c.want, c.calls)
			}
		})
	}
}

// TestRetryEnds: what never passes is given up within seconds, and not as a conflict.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, calls := time.Now(), 0
		err := retry(t.Context(), func() error { calls++; return passing })
		if err == nil || errors.Is(err, store.ErrConflict) || strings.Contains(err.Error(), "hunter2") || calls != maxAttempts {
			t.Errorf("got %v after %d calls, want an error after %d", err, calls, maxAttempts)
		}
		if took := time.Since(begin); took > maxAttempts*longPause {
			t.Errorf("took %v", took)
		}
	})
}

// TestRetryCanceled: nobody is kept waiting beyond his context, neither by an attempt nor by a pause.
func TestRetryCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		err := retry(ctx, func() error {
			if calls++; calls == 2 {
				cancel()
			}
			return passing
		})
		if !errors.Is(err, context.Canceled) || calls != 2 {
			t.Errorf("canceled: got %v after %d calls, want the reason after 2", err, calls)
		}
		ctx, cancel = context.WithTimeout(t.Context(), longPause)
		defer cancel()
		begin := time.Now()
		err = retry(ctx, func() error { return passing })
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took > longPause {
			t.Errorf("deadline: got %v after %v, want it after %v", err, took, longPause)
		}
	})
}
