// Package deadline is context.WithDeadline for contexts that are seldom waited on: the timer, and the bond to the parent,
// are made only when somebody asks for Done. Most requests end before anybody does.
package deadline

import (
	"context"
	"sync"
	"time"
)

// With returns a context that ends at a time, or with its parent, whichever is first, or when cancel is called. It behaves
// as that of context.WithDeadline, but that of several ends which came before anybody asked any may be told.
func With(parent context.Context, at time.Time) (context.Context, context.CancelFunc) {
	if d, ok := parent.Deadline(); ok && d.Before(at) {
		at = d
	}
	c := &lazy{Context: parent, at: at}
	return c, c.cancel
}

// In is With for a time from now.
func In(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return With(parent, time.Now().Add(d))
}

// lazy is the parent with an earlier end, until real is made.
type lazy struct {
	context.Context // the parent
	at              time.Time

	mu    sync.Mutex
	real  context.Context // nil until somebody asked for Done
	end   context.CancelFunc
	ended bool // cancel was called
}

func (c *lazy) Deadline() (time.Time, bool) { return c.at, true }

func (c *lazy) Done() <-chan struct{} { return c.make().Done() }

// make returns the real context.
func (c *lazy) make() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real == nil {
		c.real, c.end = context.WithDeadline(c.Context, c.at)
		if c.ended {
			c.end()
		}
	}
	return c.real
}

func (c *lazy) Err() error {
	c.mu.Lock()
	real, ended := c.real, c.ended
	c.mu.Unlock()
	if real == nil && !ended && c.Context.Err() == nil && time.Now().Before(c.at) {
		return nil
	}
	return c.make().Err() // once it has ended, why it did must stay the same
}

// Value asks the real context where there is one: it is how package context finds a cause, and how children are bound.
func (c *lazy) Value(key any) any {
	c.mu.Lock()
	real := c.real
	c.mu.Unlock()
	if real != nil {
		return real.Value(key)
	}
	return c.Context.Value(key)
}

func (c *lazy) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.end != nil {
		c.end()
	}
}
