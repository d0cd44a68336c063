package storetest

import (
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store"
)

var applyChecks = []check{
	{"Empty", applyEmpty},
	{"Update", applyUpdate},
	{"Logins", applyLogins},
	{"Merge", applyMerge},
	{"Delete", applyDelete},
	{"MoveAndDelete", applyMoveAndDelete},
	{"Conflicts", applyConflicts},
	{"TwoPools", applyTwoPools},
	{"Random", applyRandom},
}

func applyEmpty(t *testing.T, s *store.Store) {
	mustApply(t, s, identity.Change{PoolID: poolA})
	if got := mustList(t, s, poolA); len(got) != 0 {
		t.Errorf("List: got %v, want none", ids(got))
	}
}

func applyUpdate(t *testing.T, s *store.Store) {
	i := mustCreate(t, s, fresh(poolA, 1, login("a")))[0]
	want := i
	want.Created, want.Modified = start.Add(time.Second), start.Add(time.Hour)
	want.Authenticated, want.Disabled, want.MergedInto = false, true, id(2)
	given := want
	given.Logins = nil // not looked at
	mustApply(t, s, identity.Change{PoolID: poolA, Update: []identity.Identity{given}})
	want.Version = 2
	if d := gocmp.Diff(mustGet(t, s, i.ID), want); d != "" {
		t.Errorf("Get (-got +want):\n%s", d)
	}
	err := s.Identities.Apply(t.Context(), identity.Change{PoolID: poolA, Update: []identity.Identity{given}})
	wantError(t, "Update of an older version", err, store.ErrConflict)
}

// applyLogins links, moves and unlinks without an Update, which leaves versions alone.
func applyLogins(t *testing.T, s *store.Store) {
	both := mustCreate(t, s, fresh(poolA, 1, login("a")), fresh(poolA, 2))
	mustApply(t, s, identity.Change{PoolID: poolA, Link: []identity.Link{{LoginKey: login("b"), IdentityID: id(1)}}})
	mustApply(t, s, identity.Change{PoolID: poolA, Move: []identity.Move{{LoginKey: login("a"), From: id(1), To: id(2)}}})
	mustApply(t, s, identity.Change{
		PoolID: poolA,
		Link:   []identity.Link{{LoginKey: login("c"), IdentityID: id(2)}},
		Unlink: []identity.Link{{LoginKey: login("b"), IdentityID: id(1)}},
	})
	both[0].Logins, both[1].Logins = nil, []identity.LoginKey{login("a"), login("c")}
	if d := gocmp.Diff(mustList(t, s, poolA), both); d != "" {
		t.Errorf("List (-got +want):\n%s", d)
	}
	if got := mustFind(t, s, poolA, login("b")); len(got) != 0 {
		t.Errorf("Find of an unlinked login: got %v, want none", ids(got))
	}
}

// applyMerge applies what the rules of linking make of two identities and a new login.
func applyMerge(t *testing.T, s *store.Store) {
	older, younger := fresh(poolA, 1, login("a")), fresh(poolA, 2, identity.LoginKey{Provider: providerB, Subject: "b"})
	younger.Created = start.Add(time.Minute)
	stored := mustCreate(t, s, older, younger)
	third := identity.LoginKey{Provider: "third.example.net", Subject: "c"}
	want, change, err := identity.Resolve(identity.Input{
		PoolID: poolA, Logins: []identity.LoginKey{login("a"), {Provider: providerB, Subject: "b"}, third},
		Owners: []*identity.Identity{&stored[0], &stored[1]}, Now: start.Add(time.Hour),
	})
	if err != nil {
		t.Fatalf("Resolve: %v", err)
	}
	mustApply(t, s, change)
	if d := gocmp.Diff(mustGet(t, s, id(1)), want); d != "" || len(want.Logins) != 3 {
		t.Errorf("survivor (-got +want):\n%s", d)
	}
	gone := mustGet(t, s, id(2))
	if !gone.Disabled || gone.MergedInto != id(1) || len(gone.Logins) != 0 || gone.Version != 2 {
		t.Errorf("merged: got %+v, want it disabled, without logins", gone)
	}
	wantError(t, "the same once more", s.Identities.Apply(t.Context(), change), store.ErrConflict)
}

func applyDelete(t *testing.T, s *store.Store) {
	both := mustCreate(t, s, fresh(poolA, 1, login("a"), login("b")), fresh(poolA, 2, login("c")))
	mustApply(t, s, identity.Change{PoolID: poolA, Delete: both[:1]})
	_, err := s.Identities.Get(t.Context(), id(1))
	wantError(t, "Get", err, store.ErrNotFound)
	if d := gocmp.Diff(mustList(t, s, poolA), both[1:]); d != "" {
		t.Errorf("List (-got +want):\n%s", d)
	}
	if got := mustFind(t, s, poolA, login("a"), login("b")); len(got) != 0 {
		t.Errorf("Find: got %v, want none", ids(got))
	}
	mustCreate(t, s, fresh(poolA, 3, login("a"), login("b"))) // the logins are free again
	err = s.Identities.Apply(t.Context(), identity.Change{PoolID: poolA, Delete: both[:1]})
	wantError(t, "second Delete", err, store.ErrConflict)
}

// applyMoveAndDelete keeps the logins that leave a deleted identity in the same change.
func applyMoveAndDelete(t *testing.T, s *store.Store) {
	both := mustCreate(t, s, fresh(poolA, 2, login("a"), login("b")), fresh(poolA, 1))
	mustApply(t, s, identity.Change{
		PoolID: poolA,
		Create: []identity.Identity{fresh(poolA, 3)},
		Update: both[1:],
		Move:   []identity.Move{{LoginKey: login("b"), From: id(2), To: id(3)}},
		Delete: both[:1],
	})
	got := mustList(t, s, poolA)
	if d := gocmp.Diff(ids(got), []string{id(1), id(3)}); d != "" {
		t.Fatalf("List (-got +want):\n%s", d)
	}
	if !slices.Equal(got[1].Logins, []identity.LoginKey{login("b")}) || got[0].Version != 2 {
		t.Errorf("got %+v, want the login at the new identity", got)
	}
	if got := mustFind(t, s, poolA, login("a")); len(got) != 0 {
		t.Errorf("Find: got %v, want none", ids(got))
	}
}

// applyConflicts refuses each change alone and amid others that could be made, and looks for what those left behind.
func applyConflicts(t *testing.T, s *store.Store) {
	stored := mustCreate(t, s, fresh(poolA, 10, login("a")), fresh(poolA, 11, login("b")), fresh(poolA, 12))
	mustApply(t, s, identity.Change{PoolID: poolA, Update: stored[2:]}) // stored[2] is of an older version now
	mustCreate(t, s, fresh(poolB, 20, login("a")), fresh(poolB, 21, login("x")))
	before := stateOf(t, s)
	for _, c := range conflicts(stored) {
		for name, change := range map[string]identity.Change{"alone": c.change, "amid others": amid(c.change, stored)} {
			err := s.Identities.Apply(t.Context(), change)
			wantError(t, c.name+", "+name, err, store.ErrConflict)
			if d := gocmp.Diff(stateOf(t, s), before); d != "" {
				t.Fatalf("%s, %s: left a trace (-got +want):\n%s", c.name, name, d)
			}
		}
	}
}

type conflict struct {
	name   string
	change identity.Change
}

func conflicts(stored []identity.Identity) []conflict {
	later, none, foreign := stored[0], fresh(poolA, 99), fresh(poolA, 20)
	later.Version++
	none.Version, foreign.Version = 1, 1
	link := func(k identity.LoginKey, n int) []identity.Link {
		return []identity.Link{{LoginKey: k, IdentityID: id(n)}}
	}
	move := func(k identity.LoginKey, from, to int) []identity.Move {
		return []identity.Move{{LoginKey: k, From: id(from), To: id(to)}}
	}
	all := []conflict{
		{"create: id exists", identity.Change{Create: []identity.Identity{fresh(poolA, 10)}}},
		{"create: id exists in another pool", identity.Change{Create: []identity.Identity{fresh(poolA, 20)}}},
		{"create: of another pool", identity.Change{Create: []identity.Identity{fresh(poolB, 99)}}},
		{"create: login taken", identity.Change{Create: []identity.Identity{fresh(poolA, 99, login("new2"), login("a"))}}},
		{"create: twice", identity.Change{Create: []identity.Identity{none, none}}},
		{"update: moved on", identity.Change{Update: stored[2:]}},
		{"update: later version", identity.Change{Update: []identity.Identity{later}}},
		{"update: not there", identity.Change{Update: []identity.Identity{none}}},
		{"update: row of another pool", identity.Change{Update: []identity.Identity{foreign}}},
		{"update: without a version", identity.Change{Update: []identity.Identity{fresh(poolA, 10)}}},
		{"link: taken by itself", identity.Change{Link: link(login("a"), 10)}},
		{"link: taken", identity.Change{Link: link(login("a"), 11)}},
		{"link: to nobody", identity.Change{Link: link(login("new2"), 99)}},
		{"link: to another pool", identity.Change{Link: link(login("new2"), 20)}},
		{"link: twice", identity.Change{Link: slices.Repeat(link(login("new2"), 10), 2)}},
		{"move: owned by another", identity.Change{Move: move(login("b"), 10, 12)}},
		{"move: unknown login", identity.Change{Move: move(login("x"), 10, 12)}},
		{"move: to nobody", identity.Change{Move: move(login("a"), 10, 99)}},
		{"move: to another pool", identity.Change{Move: move(login("a"), 10, 20)}},
		{"move: from another pool", identity.Change{Move: move(login("x"), 21, 10)}},
		{"unlink: owned by another", identity.Change{Unlink: link(login("b"), 10)}},
		{"unlink: unknown login", identity.Change{Unlink: link(login("x"), 10)}},
		{"unlink: from nobody", identity.Change{Unlink: link(login("a"), 99)}},
		{"unlink: from another pool", identity.Change{Unlink: link(login("x"), 21)}},
		{"delete: moved on", identity.Change{Delete: stored[2:]}},
		{"delete: not there", identity.Change{Delete: []identity.Identity{none}}},
		{"delete: row of another pool", identity.Change{Delete: []identity.Identity{foreign}}},
		{"delete: and update", identity.Change{Update: stored[:1], Delete: stored[:1]}},
	}
	for i := range all {
		all[i].change.PoolID = poolA
	}
	return all
}

// amid adds to a change others on both sides of it, in the order of ids and of logins.
func amid(c identity.Change, stored []identity.Identity) identity.Change {
	c.Create = slices.Concat([]identity.Identity{fresh(poolA, 1, login("!"))}, c.Create, []identity.Identity{fresh(poolA, 98, login("~"))})
	if !slices.ContainsFunc(c.Update, func(i identity.Identity) bool { return i.ID == stored[1].ID }) {
		c.Update = append(slices.Clone(c.Update), stored[1])
	}
	c.Link = append(slices.Clone(c.Link), identity.Link{LoginKey: login("new"), IdentityID: id(11)})
	return c
}

// applyTwoPools: a login of one pool is another login than that of the next.
func applyTwoPools(t *testing.T, s *store.Store) {
	mustCreate(t, s, fresh(poolA, 1, login("a")))
	mustCreate(t, s, fresh(poolB, 2, login("a")))
	mustApply(t, s, identity.Change{PoolID: poolB, Unlink: []identity.Link{{LoginKey: login("a"), IdentityID: id(2)}}})
	if got := mustFind(t, s, poolA, login("a")); !slices.Equal(ids(got), []string{id(1)}) {
		t.Errorf("Find: got %v, want the login of the other pool untouched", ids(got))
	}
}
