// Package admission bounds what strangers can cost. A Pool bounds how much expensive work runs at once: a place or, after a
// short wait, a refusal that SDKs answer by backing off. Rates bound how often something happens, and a Pace holds back who
// is refused too often. So a flood of tokens to verify cannot make every other request slow (security F3).
package admission

import (
	"context"
	"time"

	"idpool/internal/fault"
)

// Pool has a fixed number of places. The zero value admits nothing; use New.
type Pool struct {
	places chan struct{}
	wait   time.Duration
}

// New returns a pool with n places, at least one, for which a caller waits at most wait.
func New(n int, wait time.Duration) *Pool {
	return &Pool{places: make(chan struct{}, max(n, 1)), wait: wait}
}

// Do runs work in a place. It returns TooManyRequests if none was free in time, without running work.
func (p *Pool) Do(ctx context.Context, work func()) error {
	select {
	case p.places <- struct{}{}:
	default:
		if err := p.queue(ctx); err != nil {
			return err
		}
	}
	defer func() { <-p.places }()
	work()
	return nil
}

func (p *Pool) queue(ctx context.Context) error {
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.places <- struct{}{}:
		return nil
	case <-timer.C:
		return fault.New(fault.TooManyRequests, "Rate exceeded")
	case <-ctx.Done():
		return fault.Wrap(fault.TooManyRequests, "Rate exceeded", ctx.Err())
	}
}
