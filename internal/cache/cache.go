// Package cache is the one cache of idpool: bounded, of entries that end by themselves, and never of what was taken back
// while it was being read. What may be remembered, and why that is safe, is the business of who uses it.
package cache

import (
	"hash/maphash"
	"sync"
	"time"
)

// parts divide a cache, so that requests on different keys do not wait for each other.
const parts = 32

// Cache remembers values for less than a fixed time. Make it with New; it is safe for concurrent use. A nil one remembers
// nothing.
type Cache[K comparable, V any] struct {
	seed maphash.Seed
	part [parts]part[K, V]
}

// New returns a cache of about n values at most, which are remembered for less than life. It is nil where n is 0.
func New[K comparable, V any](n int, life time.Duration) *Cache[K, V] {
	if n <= 0 {
		return nil
	}
	c := &Cache[K, V]{seed: maphash.MakeSeed()}
	for i := range c.part {
		c.part[i].most, c.part[i].life = (n+parts-1)/parts, life
	}
	return c
}

// Turn is when a value was looked for in vain. What was forgotten since then is not put back with it.
type Turn struct {
	n  uint64
	at time.Time
}

// Get returns what is remembered. Where there is nothing, turn is what Put wants with what is then read.
func (c *Cache[K, V]) Get(key K, now time.Time) (value V, turn Turn, ok bool) {
	if c == nil {
		return value, Turn{}, false
	}
	return c.of(key).get(key, now)
}

// Put remembers a value that was read after the turn, from the moment of the turn on; unless something of its part was
// forgotten meanwhile, since that may have been it.
func (c *Cache[K, V]) Put(key K, value V, turn Turn) {
	if c != nil {
		c.of(key).put(key, value, turn)
	}
}

// Forget takes back what is remembered, and what is being read.
func (c *Cache[K, V]) Forget(key K) {
	if c != nil {
		c.of(key).forget(func(young, old map[K]entry[V]) { delete(young, key); delete(old, key) })
	}
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	if c == nil {
		return
	}
	for i := range c.part {
		c.part[i].forget(func(young, old map[K]entry[V]) { clear(young); clear(old) })
	}
}

func (c *Cache[K, V]) of(key K) *part[K, V] {
	return &c.part[maphash.Comparable(c.seed, key)%parts]
}

// part is one part of a cache: two maps, of which the younger is filled. When it is full, or as old as a value may be, it
// becomes the older one, which is gone with the next: so nothing has to be swept, and memory is bounded.
type part[K comparable, V any] struct {
	most int // of both maps together
	life time.Duration

	mu         sync.Mutex
	forgotten  uint64 // how often something was
	young, old map[K]entry[V]
	since      time.Time // when young was begun
}

type entry[V any] struct {
	value V
	at    time.Time
}

func (p *part[K, V]) get(key K, now time.Time) (value V, turn Turn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.young[key]
	if !ok {
		found, ok = p.old[key]
	}
	if ok && p.alive(found.at, now) {
		return found.value, Turn{}, true
	}
	return value, Turn{p.forgotten, now}, false
}

// alive also ends what a clock that went back would make older than the future.
func (p *part[K, V]) alive(at, now time.Time) bool {
	age := now.Sub(at)
	return age >= 0 && age < p.life
}

func (p *part[K, V]) put(key K, value V, turn Turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forgotten != turn.n {
		return
	}
	if p.young == nil || 2*len(p.young) >= p.most || !p.alive(p.since, turn.at) {
		p.young, p.old, p.since = map[K]entry[V]{}, p.young, turn.at
	}
	p.young[key] = entry[V]{value, turn.at}
}

func (p *part[K, V]) forget(what func(young, old map[K]entry[V])) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgotten++
	what(p.young, p.old)
}
