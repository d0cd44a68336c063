package oidc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"idpool/internal/login"
)

// How often keys are loaded (security B5).
const (
	loadsPerWindow = 2 // the first load of all is counted
	loadWindow     = time.Minute
	absentFor      = time.Minute
	stumbleFor     = 2 * time.Minute  // after a failed load, nobody waits for the next
	loadTimeout    = 12 * time.Second // for both documents; the fetcher's own timeouts come first
)

// source is the keys of one configuration of one issuer: the newest set, and what decides when there is a newer one.
//
// Reading the set takes no lock. Loading is one goroutine per source at most; requests wait for it if they must, as
// long as their own contexts allow, and never end it.
type source struct {
	id      sourceID
	fetcher Fetcher
	work    *work
	admit   func(context.Context, func()) error // nil runs the work at once
	onLoad  func(Load)
	jitter  func() float64
	file    func() ([]byte, error) // where set, the key set comes from it and nothing is fetched

	used    atomic.Int64 // epoch seconds, for eviction
	current atomic.Pointer[keySet]

	mu      sync.Mutex
	loading *round
	started [loadsPerWindow]time.Time // when the last rounds began, the oldest first
	failure error                     // of the last round that ended; nil when it replaced the set
	failed  time.Time                 // when that round began, where it failed
	absent  map[string]time.Time      // key ids that a load of their own did not bring, until when to believe it
}

// round is one load of keys.
type round struct {
	done chan struct{} // closed at the end
}

var (
	errNoKeys = errors.New("the keys could not be loaded")
	errClosed = errors.New("the verifier is closed")
)

// verify checks the token's signature with the issuer's keys, and loads those when they are missing, old, or without
// the key that the token names. A bad signature by a known key loads nothing.
func (s *source) verify(ctx context.Context, t *token, alg algorithm, now time.Time) *login.Refusal {
	set, own, err := s.keys(ctx, now)
	if err != nil {
		return s.unreachable(err)
	}
	for {
		refusal, unknown := s.check(ctx, set, t, alg)
		if refusal == nil || !unknown {
			return refusal
		}
		if own { // loaded for this very token, so there is nothing newer
			return s.absentNow(t.kid, now, refusal)
		}
		newer, mine, err := s.newer(ctx, t.kid, set, now)
		if err != nil {
			return s.unreachable(err)
		}
		if newer == nil {
			return refusal
		}
		set, own = newer, mine
	}
}

// check verifies a signature in its turn.
func (s *source) check(ctx context.Context, set *keySet, t *token, alg algorithm) (refusal *login.Refusal, unknown bool) {
	if s.admit == nil {
		return set.verify(t, alg)
	}
	if err := s.admit(ctx, func() { refusal, unknown = set.verify(t, alg) }); err != nil {
		return &login.Refusal{Reason: login.Busy, Expected: "a turn to be verified", Found: "too many others waiting", Cause: err}, false
	}
	return refusal, unknown
}

// absentNow ends a search after a load of its own: the key is absent, unless that load failed and nobody can tell.
func (s *source) absentNow(kid string, now time.Time, refusal *login.Refusal) *login.Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return s.unreachable(s.failure)
	}
	s.setAbsentLocked(kid, now)
	return refusal
}

func (s *source) unreachable(err error) *login.Refusal {
	return &login.Refusal{Reason: login.IssuerUnreachable, Expected: "the keys of " + s.id.issuer, Found: "none that are recent enough", Cause: err}
}

// keys returns the set to use now. own says that a round which this call began has ended.
func (s *source) keys(ctx context.Context, now time.Time) (set *keySet, own bool, err error) {
	set = s.current.Load()
	if set != nil && now.Before(set.refresh) {
		return set, false, nil
	}
	b := s.begin(now)
	// An expired set is used without waiting only where a load has just failed: else nobody can tell whether the issuer
	// has taken a key back.
	if set != nil && (now.Before(set.expires) || b.stumbling && now.Before(set.dead)) {
		return set, false, nil
	}
	if err = s.wait(ctx, b.round); err != nil {
		return nil, false, err
	}
	if set = s.current.Load(); set == nil || !now.Before(set.dead) {
		return nil, false, errors.Join(errNoKeys, s.lastFailure())
	}
	return set, b.own, nil
}

// newer returns a set that is newer than seen, or nil when there will be none: the budget is spent, or the key id is
// known to be absent. It fails when the last load failed.
func (s *source) newer(ctx context.Context, kid string, seen *keySet, now time.Time) (set *keySet, own bool, err error) {
	if set := s.current.Load(); set != seen {
		return set, false, nil
	}
	if s.knownAbsent(kid, now) {
		return nil, false, nil
	}
	b := s.begin(now)
	if err = s.wait(ctx, b.round); err != nil {
		return nil, false, err
	}
	if set := s.current.Load(); set != seen {
		return set, b.own, nil
	}
	return nil, false, s.lastFailure()
}

// begun is what begin did.
type begun struct {
	round     *round // under way; nil when the budget is spent or the verifier is closed
	own       bool   // this call started it
	stumbling bool   // the round before it failed, not long ago
}

// begin starts a round, or joins the one under way.
func (s *source) begin(now time.Time) begun {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := begun{round: s.loading, stumbling: s.failure != nil && now.Sub(s.failed).Abs() < stumbleFor}
	if b.round != nil || !s.takeLocked(now) {
		return b
	}
	r := &round{done: make(chan struct{})}
	if !s.work.start(func(ctx context.Context) { s.load(ctx, r, now) }) {
		s.failure, s.failed = errClosed, now
		return b
	}
	s.loading = r
	b.round, b.own = r, true
	return b
}

// takeLocked takes one load from the budget, unless it is spent: a window that slides, so that no minute has more.
func (s *source) takeLocked(now time.Time) bool {
	oldest := s.started[0]
	if !oldest.IsZero() && now.Sub(oldest).Abs() < loadWindow {
		return false
	}
	copy(s.started[:], s.started[1:])
	s.started[loadsPerWindow-1] = now
	return true
}

// wait waits for the end of a round, if there is one, or of ctx.
func (s *source) wait(ctx context.Context, r *round) error {
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the issuer's keys: %w", context.Cause(ctx))
	}
}

func (s *source) lastFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// load is the work of a round. now is when it began: a set ages from when it was asked for.
func (s *source) load(ctx context.Context, r *round, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	set, report := s.fetchSet(ctx, now)
	if s.onLoad != nil {
		s.onLoad(report)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if set != nil {
		s.current.Store(set)
	}
	s.failure, s.failed = report.Err, now
	s.loading = nil
	close(r.done)
}

// setAbsentLocked notes that a load for the key id did not bring it. The budget lets at most two a minute come here, so
// the map stays that small.
func (s *source) setAbsentLocked(kid string, now time.Time) {
	for id, until := range s.absent {
		if !now.Before(until) {
			delete(s.absent, id)
		}
	}
	if s.absent == nil {
		s.absent = map[string]time.Time{}
	}
	s.absent[kid] = now.Add(absentFor)
}

func (s *source) knownAbsent(kid string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.absent[kid]
	return ok && now.Before(until)
}
