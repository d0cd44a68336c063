package snapshot

import (
	"context"
	"fmt"
	"time"

	"idpool/internal/fault"
)

// MaxSkew is how far this node's clock may be from the database's, either way, before it mints and accepts nothing
// (security 51): who judges when things end must know the time.
const MaxSkew = 30 * time.Second

// compareEvery is how often the clocks are compared.
const compareEvery = 10 * time.Second

// compare compares the clocks, where the database has one of its own and it is time to. Only the refresh that is under way
// calls it.
func (s *Source) compare(ctx context.Context) error {
	asked := s.Now()
	if since := asked.Sub(s.compared); s.Clock == nil || !s.compared.IsZero() && since >= 0 && since < compareEvery {
		return nil
	}
	theirs, err := s.Clock(ctx)
	if err != nil {
		return fmt.Errorf("reading the database's clock: %w", err)
	}
	// The answer is of some moment while we waited, most likely of the middle.
	ours := asked.Add(s.Now().Sub(asked) / 2)
	s.skew.Store(int64(ours.Round(0).Sub(theirs)))
	s.compared = asked
	return nil
}

// onTime refuses while the clocks are too far apart.
func (s *Source) onTime() error {
	skew := time.Duration(s.skew.Load())
	if skew.Abs() <= MaxSkew {
		return nil
	}
	return fault.From(fmt.Errorf("this clock is %v ahead of the database's", skew.Round(time.Second)))
}
