package main

import (
	"runtime"
	"sync"
	"time"
)

// rest is how long a token lies before it is used again: longer than any cache of verified tokens keeps it.
const rest = 61 * time.Second

// supply hands out tokens of which no server has seen any for as long as it could remember. Signing one costs more than a
// request, so they are used again after a rest.
type supply struct {
	provider *provider
	alg      string
	subjects func(n int) int // the identity of the nth token
	made     []*ticket       // the one that rested longest first
	count    int
}

// ticket is a token with the number of its identity.
type ticket struct {
	token    string
	identity int
	used     time.Time
}

// take returns n tokens.
func (s *supply) take(n int) ([]*ticket, error) {
	rested := 0
	for rested < len(s.made) && rested < n && time.Since(s.made[rested].used) > rest {
		rested++
	}
	taken := s.made[:rested:rested]
	s.made = s.made[rested:]
	fresh, err := s.sign(n - rested)
	if err != nil {
		return nil, err
	}
	taken = append(taken, fresh...)
	for _, t := range taken {
		t.used = time.Now()
	}
	s.made = append(s.made, taken...)
	return taken, nil
}

func (s *supply) sign(n int) ([]*ticket, error) {
	out := make([]*ticket, n)
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				number := s.subjects(s.count + i)
				token, err := s.provider.token(s.alg, subject(number))
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
				out[i] = &ticket{token: token, identity: number}
			}
		})
	}
	wg.Wait()
	s.count += n
	return out, failed
}
