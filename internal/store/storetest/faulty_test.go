package storetest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"idpool/internal/identity"
	"idpool/internal/store"
	"idpool/internal/store/sqlstore"
	"idpool/internal/store/storetest"
)

func mustOpen(t *testing.T) *store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "idpool.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// TestFaultyIsAStore: without failures a faulty store is as good as the one inside.
func TestFaultyIsAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return storetest.NewFaulty(mustOpen(t)).Store })
}

var errFailure = errors.New("on request")

func TestFaultyWrites(t *testing.T) {
	f := storetest.NewFaulty(mustOpen(t))
	apply := func(id string) error {
		return f.Store.Identities.Apply(t.Context(), identity.Change{PoolID: "p", Create: []identity.Identity{{ID: id, PoolID: "p"}}})
	}
	f.FailNext(storetest.IdentitiesApply, storetest.Before, errFailure)
	f.FailNext(storetest.IdentitiesApply, storetest.After, store.ErrConflict)
	if err := apply("a"); !errors.Is(err, errFailure) {
		t.Errorf("first: got %v, want %v", err, errFailure)
	}
	if _, err := f.Store.Identities.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get after a failure before: got %v, want %v", err, store.ErrNotFound)
	}
	if err := apply("a"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("second: got %v, want %v", err, store.ErrConflict)
	}
	if _, err := f.Store.Identities.Get(t.Context(), "a"); err != nil {
		t.Errorf("Get after a failure after: %v", err)
	}
	if err := apply("b"); err != nil {
		t.Errorf("third: %v", err)
	}
	if got := f.Calls(storetest.IdentitiesApply); got != 3 {
		t.Errorf("Calls: got %d, want 3", got)
	}
	f.FailNext(storetest.IdentitiesApply, storetest.After, errFailure)
	if err := apply("b"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("failing by itself: got %v, want %v", err, store.ErrConflict)
	}
}

// TestFaultyEach: every operation can fail, returns nothing then, and works again afterwards.
func TestFaultyEach(t *testing.T) {
	f := storetest.NewFaulty(mustOpen(t))
	ctx, s := t.Context(), f.Store
	if _, err := s.Documents.Write(ctx, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}); err != nil {
		t.Fatal(err)
	}
	key := identity.LoginKey{Provider: "p", Subject: "s"}
	row := identity.Identity{ID: "a", PoolID: "p", Logins: []identity.LoginKey{key}}
	if err := s.Identities.Apply(ctx, identity.Change{PoolID: "p", Create: []identity.Identity{row}}); err != nil {
		t.Fatal(err)
	}
	version := int64(1)
	for op, call := range map[storetest.Op]func() (something bool, err error){
		storetest.DocumentsGet: func() (bool, error) {
			d, err := s.Documents.Get(ctx, "pool", "a")
			return d.Version != 0, err
		},
		storetest.DocumentsChanged: func() (bool, error) {
			docs, revision, err := s.Documents.Changed(ctx, 0)
			return docs != nil || revision != 0, err
		},
		storetest.DocumentsRevision: func() (bool, error) {
			n, err := s.Documents.Revision(ctx)
			return n != 0, err
		},
		storetest.DocumentsWrite: func() (bool, error) {
			d, err := s.Documents.Get(ctx, "pool", "w")
			if err == nil {
				version = d.Version
			} else {
				version = 0
			}
			n, err := s.Documents.Write(ctx, store.Write{Kind: "pool", ID: "w", Expect: version, Body: []byte(`1`)})
			return n != 0, err
		},
		storetest.IdentitiesGet: func() (bool, error) {
			i, err := s.Identities.Get(ctx, "a")
			return i.ID != "", err
		},
		storetest.IdentitiesFind: func() (bool, error) {
			found, err := s.Identities.Find(ctx, "p", []identity.LoginKey{key})
			return len(found) != 0, err
		},
		storetest.IdentitiesList: func() (bool, error) {
			found, err := s.Identities.List(ctx, "p", "", 10, false)
			return len(found) != 0, err
		},
		storetest.IdentitiesPurge: func() (bool, error) {
			if err := s.Identities.Apply(ctx, identity.Change{PoolID: "q", Create: []identity.Identity{{ID: "q", PoolID: "q"}}}); err != nil && !errors.Is(err, store.ErrConflict) {
				return false, err
			}
			n, err := s.Identities.Purge(ctx, "q", 10)
			return n != 0, err
		},
		storetest.Ping: func() (bool, error) { err := s.Ping(ctx); return err == nil, err },
	} {
		for _, when := range []storetest.When{storetest.Before, storetest.After} {
			f.FailNext(op, when, errFailure)
			if something, err := call(); something || !errors.Is(err, errFailure) {
				t.Errorf("%s: got %v, %v, want nothing and %v", op, something, err, errFailure)
			}
			if something, err := call(); !something || err != nil {
				t.Errorf("%s afterwards: got %v, %v, want it to work", op, something, err)
			}
		}
	}
}
