package recent

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
	"idpool/internal/store/sqlstore"
	"idpool/internal/store/storetest"
)

const (
	poolID = "us-east-1:11111111-1111-4111-8111-111111111111"
	one    = "us-east-1:00000000-0000-4000-8000-000000000001"
	two    = "us-east-1:00000000-0000-4000-8000-000000000002"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func mustOpen(t *testing.T) *store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "idpool.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func user(subject string) identity.LoginKey {
	return identity.LoginKey{Provider: "login.example.com", Subject: subject}
}

// mustMake returns two nodes on one store, which holds the identity one, with a login, and the guest two.
func mustMake(t *testing.T, n int) (here, there *Identities, c *clock, calls *storetest.Faulty) {
	t.Helper()
	c = &clock{now: start}
	calls = storetest.NewFaulty(mustOpen(t))
	here, there = New(calls.Store.Identities, n, c.get), New(calls.Store.Identities, n, c.get)
	first := identity.NewGuest(poolID, one, start)
	first.Authenticated, first.Logins = true, []identity.LoginKey{user("a")}
	mustApply(t, here, identity.Change{PoolID: poolID, Create: []identity.Identity{first, identity.NewGuest(poolID, two, start)}})
	return here, there, c, calls
}

func mustApply(t *testing.T, r *Identities, c identity.Change) {
	t.Helper()
	if err := r.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func mustRecent(t *testing.T, r *Identities, id string) identity.Identity {
	t.Helper()
	i, err := r.Recent(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestStore: what is not Recent behaves as the store does.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store {
		s := *mustOpen(t)
		s.Identities = New(s.Identities, 100, time.Now)
		return &s
	})
}

// TestRecentAfterEveryStep is the store's suite with Recent in place of Get: on one node nobody can tell them apart.
func TestRecentAfterEveryStep(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store {
		s := *mustOpen(t)
		s.Identities = recently{New(s.Identities, 100, time.Now)}
		return &s
	})
}

type recently struct{ *Identities }

func (r recently) Get(ctx context.Context, id string) (identity.Identity, error) {
	return r.Recent(ctx, id)
}

// TestReads: an identity is read once in MaxAge.
func TestReads(t *testing.T) {
	here, _, c, calls := mustMake(t, 100)
	for _, step := range []struct {
		after time.Duration
		want  int // reads so far
	}{{0, 1}, {MaxAge - 1, 1}, {1, 2}, {MaxAge, 3}, {0, 3}} {
		c.add(step.after)
		if got := mustRecent(t, here, one); got.ID != one || len(got.Logins) != 1 {
			t.Errorf("got %+v", got)
		}
		if got := calls.Calls(storetest.IdentitiesGet); got != step.want {
			t.Errorf("after %v: got %d reads, want %d", step.after, got, step.want)
		}
	}
}

func TestOff(t *testing.T) {
	here, _, _, calls := mustMake(t, 0)
	mustRecent(t, here, one)
	mustRecent(t, here, one)
	if got := calls.Calls(storetest.IdentitiesGet); got != 2 {
		t.Errorf("got %d reads, want 2", got)
	}
}

// changes are all ways in which identities change.
func changes(first, second identity.Identity) map[string]identity.Change {
	disabled := first
	disabled.Disabled, disabled.MergedInto = true, two
	return map[string]identity.Change{
		"disable": {Update: []identity.Identity{disabled}},
		"delete":  {Delete: []identity.Identity{first}},
		"link":    {Link: []identity.Link{{LoginKey: identity.LoginKey{Provider: "other.example.com", Subject: "b"}, IdentityID: one}}},
		"unlink":  {Unlink: []identity.Link{{LoginKey: user("a"), IdentityID: one}}},
		"move":    {Move: []identity.Move{{LoginKey: user("a"), From: one, To: two}}},
		"move to": {Update: []identity.Identity{second}, Move: []identity.Move{{LoginKey: user("a"), From: one, To: two}}},
	}
}

// TestCoherent: what a node changed it sees at once, and another after MaxAge.
func TestCoherent(t *testing.T) {
	for name := range changes(identity.Identity{}, identity.Identity{}) {
		t.Run(name, func(t *testing.T) {
			here, there, c, _ := mustMake(t, 100)
			first, second := mustRecent(t, here, one), mustRecent(t, here, two)
			mustRecent(t, there, one)
			mustRecent(t, there, two)
			change := changes(first, second)[name]
			change.PoolID = poolID
			mustApply(t, here, change)
			for _, id := range []string{one, two} {
				wantSame(t, "on the node that changed it", here, id)
			}
			c.add(MaxAge)
			for _, id := range []string{one, two} {
				wantSame(t, "on the other, after MaxAge", there, id)
			}
		})
	}
}

// wantSame wants Recent to say what the store says.
func wantSame(t *testing.T, where string, r *Identities, id string) {
	t.Helper()
	got, gotErr := r.Recent(t.Context(), id)
	want, wantErr := r.Identities.Get(t.Context(), id)
	if !errors.Is(gotErr, wantErr) || got.Version != want.Version || got.Disabled != want.Disabled || len(got.Logins) != len(want.Logins) {
		t.Errorf("%s: %s: got %+v, %v, want %+v, %v", where, id, got, gotErr, want, wantErr)
	}
}

// TestFailures: a change that failed, whether or not it came to be, is no reason to believe what was known before.
func TestFailures(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		here, _, _, calls := mustMake(t, 100)
		first := mustRecent(t, here, one)
		calls.FailNext(storetest.IdentitiesApply, when, errors.New("lost"))
		if err := here.Apply(t.Context(), identity.Change{PoolID: poolID, Delete: []identity.Identity{first}}); err == nil {
			t.Fatal("got no error")
		}
		wantSame(t, "after a failure", here, one)
	}
}

// TestConflict: who learns that he decided on something old reads what is new.
func TestConflict(t *testing.T) {
	here, there, _, _ := mustMake(t, 100)
	old := mustRecent(t, here, one)
	mustApply(t, there, identity.Change{PoolID: poolID, Update: []identity.Identity{old}})
	err := here.Apply(t.Context(), identity.Change{PoolID: poolID, Update: []identity.Identity{old}})
	if !errors.Is(err, store.ErrConflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	wantSame(t, "after a conflict", here, one)
}

func TestPurge(t *testing.T) {
	here, _, _, _ := mustMake(t, 100)
	mustRecent(t, here, one)
	if n, err := here.Purge(t.Context(), poolID, 10); err != nil || n != 2 {
		t.Fatalf("got %d, %v", n, err)
	}
	wantSame(t, "after a purge", here, one)
}

// TestNotFound is never remembered: an identity that is made is there.
func TestNotFound(t *testing.T) {
	here, there, _, _ := mustMake(t, 100)
	const three = "us-east-1:00000000-0000-4000-8000-000000000003"
	if _, err := here.Recent(t.Context(), three); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	mustApply(t, there, identity.Change{PoolID: poolID, Create: []identity.Identity{identity.NewGuest(poolID, three, start)}})
	wantSame(t, "made elsewhere", here, three)
}
