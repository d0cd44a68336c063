package snapshot_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"idpool/internal/fault"
	"idpool/internal/snapshot"
)

// A node whose clock is more than thirty seconds from the database's gives no snapshot, and gives one again once it is
// right (security 51).
func TestSkew(t *testing.T) {
	w := newWorld(t)
	theirs := w.now
	var failing error
	w.source.Clock = func(context.Context) (time.Time, error) { return theirs, failing }
	for _, step := range []struct {
		skew time.Duration
		ok   bool
	}{
		{0, true}, {snapshot.MaxSkew, true}, {snapshot.MaxSkew + time.Second, false}, {-snapshot.MaxSkew, true},
		{-snapshot.MaxSkew - time.Second, false}, {10 * time.Minute, false}, {-24 * 365 * time.Hour, false}, {0, true},
	} {
		w.now = w.now.Add(10 * time.Second)
		theirs = w.now.Add(step.skew)
		w.mustRefresh()
		if s, err := w.source.Current(); step.ok != (err == nil) || !step.ok && !fault.Is(err, fault.Internal) {
			t.Errorf("skew %v: got %v, %v", step.skew, s != nil, err)
		}
	}
	// A jump of this node's clock is noticed with the next look.
	for _, jump := range []time.Duration{time.Hour, -2 * time.Hour} {
		w.now = w.now.Add(jump)
		w.mustRefresh()
		if _, err := w.source.Current(); err == nil {
			t.Errorf("after a jump of %v it goes on", jump)
		}
	}
	// A clock that cannot be read is a store that does not answer.
	failing = errors.New("down")
	w.now = theirs.Add(20 * time.Second)
	if err := w.source.Refresh(t.Context()); !errors.Is(err, failing) {
		t.Errorf("got %v", err)
	}
}
