package operate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"idpool/internal/idpooltest"
	"idpool/internal/keyring"
	"idpool/internal/operate"
	"idpool/internal/store/storetest"
)

// load are clients that do the main job, and the classic flow, at one node and use what they get at another, all the time.
type load struct {
	nodes []*idpooltest.Server
	// still is held while nothing may be under way: time does not jump in the middle of a request.
	still sync.RWMutex
	done  chan error
}

// once does one job: every third time the classic flow.
func (l *load) once(n int) error {
	l.still.RLock()
	defer l.still.RUnlock()
	here, there := l.nodes[n%len(l.nodes)], l.nodes[(n+1)%len(l.nodes)]
	in := object{"IdentityPoolId": here.Dev.PoolID, "Logins": here.Logins(here.MustToken(fmt.Sprint("user-", n%4)))}
	var who struct{ IdentityId string }
	if err := here.Call("GetId", nil, in, &who); err != nil {
		return err
	}
	in = object{"IdentityId": who.IdentityId, "Logins": in["Logins"]}
	if n%3 == 0 {
		var token struct{ Token string }
		if err := here.Call("GetOpenIdToken", nil, in, &token); err != nil {
			return err
		}
		signer, err := assume(there, token.Token)
		if err != nil {
			return err
		}
		_, err = here.WhoAmI(signer)
		return err
	}
	var out idpooltest.Vended
	if err := here.Call("GetCredentialsForIdentity", nil, in, &out); err != nil {
		return err
	}
	_, err := there.WhoAmI(out.Signer())
	return err
}

func (l *load) run(ctx context.Context, first int) {
	for n := first; ctx.Err() == nil; n++ {
		select {
		case l.done <- l.once(n):
		case <-ctx.Done():
		}
	}
}

// jobs waits until so many jobs have gone through.
func (l *load) jobs(t *testing.T, n int) {
	t.Helper()
	for range n {
		if err := <-l.done; err != nil {
			t.Fatal(err)
		}
	}
}

// jump lets time pass between requests; all nodes look at the store, as they would have.
func (l *load) jump(t *testing.T, c *clock, d time.Duration) {
	t.Helper()
	l.still.Lock()
	defer l.still.Unlock()
	c.advance(t, d, l.nodes...)
}

// rotateUnderLoad rotates both rings several times, each time at another node, and has all nodes advance the keys at once.
func rotateUnderLoad(t *testing.T, c *clock, nodes ...*idpooltest.Server) {
	const clients, rotations, between = 4, 3, 12
	l := &load{nodes: nodes, done: make(chan error)}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() { l.run(ctx, n*1000) })
	}
	defer all.Wait()
	defer cancel()
	for n := range rotations {
		l.jobs(t, between)
		for _, use := range []string{keyring.Sealing, keyring.Signing} {
			rotate(t, nodes[n%len(nodes)], object{"Use": use})
		}
		for _, d := range []time.Duration{keyring.Lead(keyring.Sealing), keyring.Lead(keyring.Signing), keyring.Keep(keyring.Sealing)} {
			l.jobs(t, between)
			l.jump(t, c, d)
			var advancing sync.WaitGroup
			for _, s := range nodes {
				advancing.Go(func() {
					if _, err := (&operate.Service{Config: s.Source}).AdvanceKeys(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			advancing.Wait()
		}
	}
	l.jobs(t, between)
	l.jump(t, c, 0)
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		ring := current(t, nodes[0]).Ring(use)
		if len(ring.Keys) != rotations+1 || ring.Keys[rotations].State != keyring.Active {
			t.Errorf("%s: got %s, want %d rotations", use, states(ring.Ring), rotations)
		}
	}
}

// TestRotationLosesNoRequest: while keys rotate again and again, every request is served and every answer opens.
func TestRotationLosesNoRequest(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		c := newClock()
		rotateUnderLoad(t, c, idpooltest.Start(t, idpooltest.Options{Clock: c.Now}))
	})
	t.Run("two nodes on PostgreSQL", func(t *testing.T) {
		c := newClock()
		url := storetest.PostgresURL(t)
		one := idpooltest.Start(t, idpooltest.Options{Clock: c.Now, Store: url})
		two := idpooltest.Start(t, idpooltest.Options{Clock: c.Now, Store: url, Dir: one.Dir, IdP: one.IdP})
		c.advance(t, 0, one, two)
		rotateUnderLoad(t, c, one, two)
	})
}
