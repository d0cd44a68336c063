package authority

import (
	"sync"
	"time"
)

// The circuit breaker: after so many failures in a row nobody calls for a while, then one call tries.
const (
	breakAfter = 5
	breakFor   = 10 * time.Second
)

// breaker is the state of one authority on this node.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time // no calls before
	trying   bool      // the one call that tries is under way
}

// open reports whether no call may be made for the time being. It takes nothing: allow decides.
func (b *breaker) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures >= breakAfter && (now.Before(b.until) || b.trying)
}

// allow reports whether a call may be made. Each call that was allowed is followed by one of done.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if now.Before(b.until) || b.trying {
		return false
	}
	b.trying = true
	return true
}

// done notes how a call ended. One that the client called off says nothing.
func (b *breaker) done(now time.Time, err error, calledOff bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	switch {
	case calledOff:
	case err == nil || !broken(err):
		b.failures = 0
	default:
		if b.failures++; b.failures >= breakAfter {
			b.until = now.Add(breakFor)
		}
	}
}
