package admission

import (
	"sync/atomic"
	"time"
)

// Pace spreads something that one client has too much of over time, by holding back who comes too fast. Unlike a refusal,
// which is answered at once and so invites the next try, it slows the sender down and nobody else (security F3). Safe for
// concurrent use; a nil Pace holds nobody.
type Pace struct {
	rates *Rates
	held  atomic.Int64
}

const (
	// longestHold slows the 256 connections that one client may have down to 512 a second, and is not so long that a proxy
	// through which strangers are refused runs out of connections at once.
	longestHold = 500 * time.Millisecond
	// mostHeld bounds memory, about 30 MB: who comes on top is not held.
	mostHeld = 1024
)

// NewPace returns a pace of so many a second for each key, and as many at once; 0 holds nobody.
func NewPace(perSecond int) *Pace {
	return &Pace{rates: NewRates(float64(perSecond), perSecond)}
}

// Due counts one more of a key, and returns how long it is to be held: at most half a second.
func (p *Pace) Due(key string, now time.Time) time.Duration {
	if p == nil || p.held.Load() >= mostHeld {
		return 0
	}
	return p.rates.until(key, now, longestHold)
}

// Hold returns after that time, whatever becomes of who is held: leaving does not make room for the next.
func (p *Pace) Hold(due time.Duration) {
	if p == nil || due <= 0 {
		return
	}
	p.held.Add(1)
	defer p.held.Add(-1)
	time.Sleep(due)
}
