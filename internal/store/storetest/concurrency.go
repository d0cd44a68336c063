package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store"
)

// goroutines is how many callers there are at once.
const goroutines = 64

var sharedChecks = []struct {
	name string
	run  func(t *testing.T, stores []*store.Store)
}{
	{"OneLogin", sharedOneLogin},
	{"ManyLogins", sharedManyLogins},
	{"OppositeOrders", sharedOppositeOrders},
	{"LinkOrDelete", sharedLinkOrDelete},
	{"PurgeTogether", sharedPurgeTogether},
	{"OneWriterWins", sharedOneWriterWins},
	{"NothingLost", sharedNothingLost},
	{"ChangedMissesNothing", sharedChangedMissesNothing},
}

// each runs fn in n goroutines at once, dealt out over the stores, and reports their errors.
func each(t *testing.T, n int, stores []*store.Store, fn func(n int, s *store.Store) error) {
	t.Helper()
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			if err := fn(i, stores[i%len(stores)]); err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		})
	}
	close(begin)
	wg.Wait()
}

// again runs fn until it returns anything but a conflict.
func again(fn func() error) error {
	for range 1000 {
		if err := fn(); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return errors.New("still a conflict after 1000 times")
}

// resolve is what a request does with verified logins: find, decide, apply, and all of it again after a conflict.
func resolve(ctx context.Context, s *store.Store, newID string, logins []identity.LoginKey) (identity.Identity, error) {
	var out identity.Identity
	err := again(func() error {
		owners, err := s.Identities.Find(ctx, poolA, logins)
		if err != nil {
			return err
		}
		in := identity.Input{PoolID: poolA, Logins: logins, NewID: newID, Now: start}
		for i := range owners {
			in.Owners = append(in.Owners, &owners[i])
		}
		var change identity.Change
		if out, change, err = identity.Resolve(in); err != nil {
			return err
		}
		return s.Identities.Apply(ctx, change)
	})
	return out, err
}

// sharedOneLogin: callers with one login at the same time lead to one identity, and all of them to that one.
func sharedOneLogin(t *testing.T, stores []*store.Store) {
	const logins = 10
	var got [logins][goroutines]string
	each(t, goroutines, stores, func(n int, s *store.Store) error {
		for l := range logins {
			i, err := resolve(t.Context(), s, id(1000*(l+1)+n), []identity.LoginKey{login(strconv.Itoa(l))})
			if err != nil {
				return err
			}
			got[l][n] = i.ID
		}
		return nil
	})
	if all := mustList(t, stores[0], poolA); len(all) != logins {
		t.Errorf("got identities %v, want %d", ids(all), logins)
	}
	for l := range got {
		owner := mustFind(t, stores[len(stores)-1], poolA, login(strconv.Itoa(l)))
		if len(owner) != 1 {
			t.Fatalf("login %d: got owners %v, want one", l, ids(owner))
		}
		for n, id := range got[l] {
			if id != owner[0].ID {
				t.Errorf("login %d, goroutine %d: got %s, want %s", l, n, id, owner[0].ID)
			}
		}
	}
}

// sharedManyLogins: callers whose logins overlap, in any order, merge identities under each other's hands. In the end
// each login has one owner, and each answer leads to an owner by way of merges.
func sharedManyLogins(t *testing.T, stores []*store.Store) {
	const providers = 6
	logins := func(n int) []identity.LoginKey {
		key := func(p int) identity.LoginKey {
			return identity.LoginKey{Provider: fmt.Sprintf("p%d.example.com", p%providers), Subject: "s"}
		}
		if n%4 < 2 {
			return []identity.LoginKey{key(n + 1), key(n)}
		}
		return []identity.LoginKey{key(n), key(n + 1)}
	}
	var got [goroutines]string
	each(t, goroutines, stores, func(n int, s *store.Store) error {
		i, err := resolve(t.Context(), s, id(n), logins(n))
		got[n] = i.ID
		return err
	})
	var live identity.Identity
	for _, i := range mustList(t, stores[0], poolA) {
		if !i.Disabled {
			if live.ID != "" {
				t.Fatalf("got two identities in use, %s and %s, want all merged into one", live.ID, i.ID)
			}
			live = i
		} else if len(i.Logins) != 0 {
			t.Errorf("merged identity %s still has %d logins", i.ID, len(i.Logins))
		}
	}
	if len(live.Logins) != providers {
		t.Errorf("got logins %v, want one of each of %d providers", live.Logins, providers)
	}
	for n, id := range got {
		for hops := 0; id != live.ID; hops++ {
			if hops == goroutines || id == "" {
				t.Fatalf("goroutine %d: got %s, which leads nowhere", n, got[n])
			}
			id = mustGet(t, stores[0], id).MergedInto
		}
	}
}

// sharedOppositeOrders: changes of the same rows, named in opposite orders, may conflict and nothing worse.
func sharedOppositeOrders(t *testing.T, stores []*store.Store) {
	const rows, callers, times = 4, 16, 4
	var all []identity.Identity
	for n := range rows {
		all = append(all, fresh(poolA, n, login(fmt.Sprint("a", n)), login(fmt.Sprint("b", n))))
	}
	mustCreate(t, stores[0], all...)
	var applied atomic.Int64
	each(t, callers, stores, func(n int, s *store.Store) error {
		for range times {
			err := again(func() error { return swap(t.Context(), s, rows, n%2 == 0) })
			if err != nil {
				return err
			}
			applied.Add(1)
		}
		return nil
	})
	if got := applied.Load(); got != callers*times {
		t.Errorf("got %d changes, want %d", got, callers*times)
	}
	logins := 0
	for _, i := range mustList(t, stores[0], poolA) {
		logins += len(i.Logins)
		if i.Version != 1+callers*times {
			t.Errorf("%s: got version %d, want %d", i.ID, i.Version, 1+callers*times)
		}
	}
	if logins != 2*rows {
		t.Errorf("got %d logins, want %d", logins, 2*rows)
	}
}

// swap hands the logins of each identity to the next or to the one before.
func swap(ctx context.Context, s *store.Store, rows int, forward bool) error {
	change := identity.Change{PoolID: poolA}
	for n := range rows {
		from, to := n, (n+1)%rows
		if !forward {
			from, to = rows-1-n, (rows-1-n+rows-1)%rows
		}
		i, err := s.Identities.Get(ctx, id(from))
		if err != nil {
			return err
		}
		change.Update = append(change.Update, i)
		for _, k := range i.Logins {
			change.Move = append(change.Move, identity.Move{LoginKey: k, From: id(from), To: id(to)})
		}
	}
	return s.Identities.Apply(ctx, change)
}

// sharedLinkOrDelete: no login stays behind without its identity, even where the link states no version.
func sharedLinkOrDelete(t *testing.T, stores []*store.Store) {
	const rounds = 8
	for round := range rounds {
		i := mustCreate(t, stores[0], fresh(poolA, round))[0]
		each(t, 8, stores, func(n int, s *store.Store) error {
			change := identity.Change{PoolID: poolA, Delete: []identity.Identity{i}}
			if n > 0 {
				change = identity.Change{PoolID: poolA, Link: []identity.Link{{LoginKey: login(fmt.Sprint(round, n)), IdentityID: i.ID}}}
			}
			if err := s.Identities.Apply(t.Context(), change); err != nil && (n == 0 || !errors.Is(err, store.ErrConflict)) {
				return err
			}
			return nil
		})
		for n := 1; n < 8; n++ {
			mustCreate(t, stores[0], fresh(poolA, 1000+10*round+n, login(fmt.Sprint(round, n)))) // free again, or never taken
		}
	}
}

// sharedPurgeTogether: purging at the same time deletes everything, and counts each identity once.
func sharedPurgeTogether(t *testing.T, stores []*store.Store) {
	const all = 100
	var create []identity.Identity
	for n := range all {
		create = append(create, fresh(poolA, n, login(strconv.Itoa(n))))
	}
	mustApply(t, stores[0], identity.Change{PoolID: poolA, Create: create})
	var deleted atomic.Int64
	each(t, 4, stores, func(_ int, s *store.Store) error {
		for {
			n, err := s.Identities.Purge(t.Context(), poolA, 10)
			deleted.Add(int64(n))
			if err != nil || n == 0 {
				return err
			}
		}
	})
	if got := deleted.Load(); got != all {
		t.Errorf("got %d deleted, want %d", got, all)
	}
	if got := mustList(t, stores[0], poolA); len(got) != 0 {
		t.Errorf("got %v left, want none", ids(got))
	}
}

// sharedOneWriterWins: of writers that expect one version, one wins.
func sharedOneWriterWins(t *testing.T, stores []*store.Store) {
	for expect := range int64(5) {
		var won atomic.Int64
		each(t, goroutines, stores, func(n int, s *store.Store) error {
			body := []byte(strconv.Itoa(n))
			_, err := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: "a", Expect: expect, Body: body})
			if errors.Is(err, store.ErrConflict) {
				return nil
			}
			if err == nil && !won.CompareAndSwap(0, int64(n)+1) {
				return fmt.Errorf("won beside goroutine %d", won.Load()-1)
			}
			return err
		})
		got, err := stores[0].Documents.Get(t.Context(), "pool", "a")
		if err != nil || got.Version != expect+1 || got.Revision != expect+1 || string(got.Body) != strconv.FormatInt(won.Load()-1, 10) {
			t.Errorf("expecting %d: got %+v, %v, want the body of goroutine %d", expect, got, err, won.Load()-1)
		}
	}
}

// sharedNothingLost: counters that are read, raised and written count every time, and two in one write agree.
func sharedNothingLost(t *testing.T, stores []*store.Store) {
	const times = 3
	mustWrite(t, stores[0], store.Write{Kind: "pool", ID: "a", Body: []byte(`0`)}, store.Write{Kind: "pool", ID: "b", Body: []byte(`0`)})
	each(t, 16, stores, func(_ int, s *store.Store) error {
		for range times {
			if err := again(func() error { return raise(t.Context(), s, "a", "b") }); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range []string{"a", "b"} {
		got, err := stores[0].Documents.Get(t.Context(), "pool", id)
		if err != nil || string(got.Body) != strconv.Itoa(16*times) || got.Version != 1+16*times || got.Revision != 1+16*times {
			t.Errorf("%s: got %+v, %v, want a count of %d", id, got, err, 16*times)
		}
	}
}

// raise adds one to the counters, in one write.
func raise(ctx context.Context, s *store.Store, ids ...string) error {
	var changes []store.Write
	for _, id := range ids {
		d, err := s.Documents.Get(ctx, "pool", id)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(d.Body))
		if err != nil {
			return err
		}
		changes = append(changes, store.Write{Kind: "pool", ID: id, Expect: d.Version, Body: []byte(strconv.Itoa(n + 1))})
	}
	_, err := s.Documents.Write(ctx, changes...)
	return err
}

// sharedChangedMissesNothing: who polls with the revision of the last poll ends with what is there, as nodes do.
func sharedChangedMissesNothing(t *testing.T, stores []*store.Store) {
	const writers, times = 8, 25
	var done atomic.Bool
	var pollers sync.WaitGroup
	views := make([]map[string]store.Document, len(stores))
	for n, s := range stores {
		pollers.Go(func() {
			var err error
			if views[n], err = poll(t.Context(), s, &done); err != nil {
				t.Errorf("poller %d: %v", n, err)
			}
		})
	}
	each(t, writers, stores, func(n int, s *store.Store) error { return churn(t.Context(), s, n, times) })
	done.Store(true)
	pollers.Wait()
	if got := mustRevision(t, stores[0]); got != writers*times {
		t.Errorf("got revision %d, want %d", got, writers*times)
	}
	docs, _ := mustChanged(t, stores[0], 0)
	want := map[string]store.Document{}
	for _, d := range docs {
		want[d.ID] = d
		got, err := stores[0].Documents.Get(t.Context(), d.Kind, d.ID)
		if diff := gocmp.Diff(got, d); err != nil || diff != "" {
			t.Errorf("Get and Changed differ: %v\n%s", err, diff)
		}
	}
	for n, view := range views {
		if d := gocmp.Diff(view, want); d != "" {
			t.Errorf("poller %d (-got +want):\n%s", n, d)
		}
	}
}

// churn creates, replaces and deletes one document, and touches a second with it that is its own as well.
func churn(ctx context.Context, s *store.Store, n, times int) error {
	version := int64(0)
	for i := range times {
		own, twin := strconv.Itoa(n), strconv.Itoa(n)+"'"
		body := []byte(strconv.Itoa(i))
		if i%5 == 4 {
			body = nil
		}
		expect := version
		if i%5 == 0 {
			expect = 0 // a tombstone, or not there yet
		}
		_, err := s.Documents.Write(ctx,
			store.Write{Kind: "pool", ID: own, Expect: expect, Body: body}, store.Write{Kind: "pool", ID: twin, Expect: expect, Body: body})
		if err != nil {
			return err
		}
		version++
	}
	return nil
}

// poll accumulates changes until one poll that began after done. Writes must be seen whole, and each once.
func poll(ctx context.Context, s *store.Store, done *atomic.Bool) (map[string]store.Document, error) {
	view, since := map[string]store.Document{}, int64(0)
	for {
		last := done.Load()
		docs, revision, err := s.Documents.Changed(ctx, since)
		if err != nil {
			return nil, err
		}
		if revision < since {
			return nil, fmt.Errorf("revision went back from %d to %d", since, revision)
		}
		for _, d := range docs {
			if d.Revision <= since || d.Revision > revision {
				return nil, fmt.Errorf("document of revision %d between %d and %d", d.Revision, since, revision)
			}
			if d.Deleted {
				delete(view, d.ID)
			} else {
				view[d.ID] = d
			}
		}
		if err := whole(view); err != nil {
			return nil, err
		}
		since = revision
		if last {
			return view, nil
		}
		pause(ctx)
	}
}

// whole fails where a document and its twin, always written together, differ.
func whole(view map[string]store.Document) error {
	for id, d := range view {
		twin := id + "'"
		if id[len(id)-1] == '\'' {
			twin = id[:len(id)-1]
		}
		if other, ok := view[twin]; !ok || other.Version != d.Version || other.Revision != d.Revision {
			return fmt.Errorf("half a write is seen: %s at %d without %s", id, d.Revision, twin)
		}
	}
	return nil
}

// pause leaves the processor to the writers for a moment; nothing depends on how long.
func pause(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Microsecond)
	defer cancel()
	<-ctx.Done()
}
