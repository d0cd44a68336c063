package snapshot

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"idpool/internal/fault"
	"idpool/internal/store"
)

// MaxAge is how old the last look at the store may be before a node mints and accepts nothing more (security 49).
const MaxAge = 5 * time.Second

// Source holds the newest snapshot. A node refreshes it after each write of its own, before it answers, and looks for
// those of others every second.
type Source struct {
	Documents store.Documents
	Compiler  *Compiler
	Now       func() time.Time
	// Report receives what went wrong while nobody was asking; nil reports nothing.
	Report func(error)

	// Clock, if set, is the database's clock.
	Clock func(context.Context) (time.Time, error)

	compared time.Time                     // when the clocks were compared; it belongs to the refresh that is under way
	skew     atomic.Int64                  // in nanoseconds
	turn     atomic.Pointer[chan struct{}] // held by the one refresh that is under way
	current  atomic.Pointer[held]
}

// lookTime bounds one look at the store by Run: a store that does not answer must not keep the next look from it.
const lookTime = 2 * time.Second

// enter waits for the turn to refresh, as long as ctx allows; leave gives it back.
func (s *Source) enter(ctx context.Context) (leave func(), err error) {
	fresh := make(chan struct{}, 1)
	s.turn.CompareAndSwap(nil, &fresh)
	turn := *s.turn.Load()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to read the configuration: %w", ctx.Err())
	}
}

// held is a snapshot and when the store last said that it is the newest.
type held struct {
	snapshot  *Snapshot
	confirmed time.Time
}

// Current returns the snapshot for one request. It is an Internal fault when the store has not answered for MaxAge, or the
// clocks are too far apart: to go on would be to guess.
func (s *Source) Current() (*Snapshot, error) {
	h := s.current.Load()
	if h == nil {
		return nil, fault.From(fmt.Errorf("the configuration was never read"))
	}
	if age := s.Now().Sub(h.confirmed); age > MaxAge {
		return nil, fault.From(fmt.Errorf("the store has not answered for %v", age.Round(time.Second)))
	}
	if err := s.onTime(); err != nil {
		return nil, err
	}
	return h.snapshot, nil
}

// Refresh reads what has changed in the store.
func (s *Source) Refresh(ctx context.Context) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.compare(ctx); err != nil {
		return err
	}
	at := s.Now() // before the reading: what is confirmed is the state of this moment or later
	var prev *Snapshot
	if h := s.current.Load(); h != nil {
		prev = h.snapshot
		revision, err := s.Documents.Revision(ctx)
		if err != nil {
			return fmt.Errorf("reading the revision: %w", err)
		}
		if revision == prev.Revision {
			s.current.Store(&held{prev, at})
			return nil
		}
	}
	next, err := s.read(ctx, prev)
	if err != nil {
		return err
	}
	s.current.Store(&held{next, at})
	return nil
}

func (s *Source) read(ctx context.Context, prev *Snapshot) (*Snapshot, error) {
	var since int64
	if prev != nil {
		since = prev.Revision
	}
	docs, revision, err := s.Documents.Changed(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	next, err := s.Compiler.Compile(prev, docs, revision)
	if err == nil {
		s.reportBroken(prev, next)
	}
	return next, err
}

// reportBroken tells of documents that could be compiled before, or are new.
func (s *Source) reportBroken(prev, next *Snapshot) {
	for name, err := range next.Broken {
		if known := prev != nil && prev.Broken[name] != nil; !known && s.Report != nil {
			s.Report(fmt.Errorf("%s cannot be used: %w", name, err))
		}
	}
}

// Write makes the changes and refreshes, so that the answer to this request, and every later request at this node, sees
// them. It returns store.ErrConflict when a document has moved on.
func (s *Source) Write(ctx context.Context, changes ...store.Write) error {
	if _, err := s.Documents.Write(ctx, changes...); err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Run refreshes at every tick until ctx ends.
func (s *Source) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			if err := s.look(ctx); err != nil && ctx.Err() == nil && s.Report != nil {
				s.Report(err)
			}
		}
	}
}

func (s *Source) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return s.Refresh(ctx)
}
