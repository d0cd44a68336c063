package sealed

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
	"idpool/internal/store/sqlstore"
	"idpool/internal/store/storetest"
)

const (
	poolID = "us-east-1:11111111-1111-4111-8111-111111111111"
	plain  = "us-east-1:22222222-2222-4222-8222-222222222222"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

func mustBlock(t testing.TB, key byte) cipher.Block {
	t.Helper()
	b, err := aes.NewCipher(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return b
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

func mustSeal(t testing.TB, of store.Identities, key byte, pools ...string) *Identities {
	t.Helper()
	s, err := New(of, mustBlock(t, key), pools)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustGuest(t testing.TB, s *Identities) string {
	t.Helper()
	id, ok, err := s.NewGuest(poolID, "us-east-1", now, rand.Reader)
	if err != nil || !ok {
		t.Fatalf("got %v, %v", ok, err)
	}
	return id
}

// TestStore: for everybody else the store is as it was.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store {
		s := *mustOpen(t)
		s.Identities = mustSeal(t, s.Identities, 1, poolID)
		return &s
	})
}

func TestGuest(t *testing.T) {
	inner := mustOpen(t).Identities
	s := mustSeal(t, inner, 1, poolID)
	id := mustGuest(t, s)
	if other := mustGuest(t, s); other == id {
		t.Error("got one id twice")
	}
	got, err := s.Get(t.Context(), id)
	want := identity.NewGuest(poolID, id, now.Truncate(time.Second))
	if err != nil || got.ID != want.ID || got.PoolID != want.PoolID || !got.Created.Equal(want.Created) || got.Authenticated || got.Disabled || got.Version != 0 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := inner.Get(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want no row", err)
	}
	if listed, err := s.List(t.Context(), poolID, "", 10, false); err != nil || len(listed) != 0 {
		t.Errorf("got %v, %v, want an empty list", listed, err)
	}
}

func TestOtherPools(t *testing.T) {
	s := mustSeal(t, mustOpen(t).Identities, 1, poolID)
	if id, ok, err := s.NewGuest(plain, "us-east-1", now, rand.Reader); ok || err != nil || id != "" {
		t.Errorf("got %q, %v, %v, want none", id, ok, err)
	}
	if _, ok, err := s.NewGuest(poolID, "us-east-1", now, strings.NewReader("")); err == nil || ok {
		t.Error("a guest without randomness")
	}
}

// TestRefuses: what was not made here, for this pool, under this key, is not there.
func TestRefuses(t *testing.T) {
	inner := mustOpen(t).Identities
	s := mustSeal(t, inner, 1, poolID)
	id := mustGuest(t, s)
	last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(id, "0")]
	for name, c := range map[string]struct {
		by *Identities
		id string
	}{
		"another key":     {mustSeal(t, inner, 2, poolID), id},
		"another pool":    {mustSeal(t, inner, 1, plain), id},
		"no pool":         {mustSeal(t, inner, 1), id},
		"another digit":   {s, id[:len(id)-1] + last},
		"upper case":      {s, "us-east-1:" + strings.ToUpper(strings.TrimPrefix(id, "us-east-1:"))},
		"another region":  {s, "eu-west-1:" + strings.TrimPrefix(id, "us-east-1:")},
		"no region":       {s, strings.TrimPrefix(id, "us-east-1:")},
		"shorter":         {s, id[:len(id)-1]},
		"longer":          {s, id + "0"},
		"hyphens astray":  {s, strings.Replace(id, "-", "", 3) + "---"},
		"no digits":       {s, id[:len(id)-1] + "g"},
		"an ordinary one": {s, "us-east-1:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"},
		"nothing":         {s, ""},
	} {
		if got, err := c.by.Get(t.Context(), c.id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %+v, %v, want nothing", name, got, err)
		}
	}
}

// TestChanges: the first change of a guest writes its row, which wins from then on.
func TestChanges(t *testing.T) {
	login := identity.LoginKey{Provider: "login.example.com", Subject: "alice"}
	for name, c := range map[string]struct {
		change func(i identity.Identity) identity.Change
		gone   bool
		want   identity.Identity
	}{
		"link": {func(i identity.Identity) identity.Change {
			i.Authenticated = true
			return identity.Change{Update: []identity.Identity{i}, Link: []identity.Link{{LoginKey: login, IdentityID: i.ID}}}
		}, false, identity.Identity{Authenticated: true, Logins: []identity.LoginKey{login}}},
		"merge": {func(i identity.Identity) identity.Change {
			i.Disabled, i.MergedInto = true, plain
			return identity.Change{Update: []identity.Identity{i}}
		}, false, identity.Identity{Disabled: true, MergedInto: plain}},
		"delete": {func(i identity.Identity) identity.Change {
			return identity.Change{Delete: []identity.Identity{i}}
		}, true, identity.Identity{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustSeal(t, mustOpen(t).Identities, 1, poolID)
			id := mustGuest(t, s)
			i, err := s.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			change := c.change(i)
			change.PoolID = poolID
			mustApply(t, s, change)
			if err := s.Apply(t.Context(), change); !errors.Is(err, store.ErrConflict) {
				t.Errorf("the same change by somebody who was slower: got %v, want a conflict", err)
			}
			got, err := s.Get(t.Context(), id)
			if c.gone {
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("got %+v, %v, want nothing", got, err)
				}
				return
			}
			if err != nil || got.Authenticated != c.want.Authenticated || got.Disabled != c.want.Disabled || got.MergedInto != c.want.MergedInto || len(got.Logins) != len(c.want.Logins) || got.Version != 1 {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func mustApply(t *testing.T, s *Identities, c identity.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// TestDeletedStays: a guest who logged in and was deleted is nobody's, its logins are free, and it is no guest again,
// whatever became of the setting meanwhile.
func TestDeletedStays(t *testing.T) {
	inner := mustOpen(t).Identities
	s := mustSeal(t, inner, 1, poolID)
	id := mustGuest(t, s)
	login := identity.LoginKey{Provider: "login.example.com", Subject: "alice"}
	i, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	i.Authenticated = true
	mustApply(t, s, identity.Change{PoolID: poolID, Update: []identity.Identity{i}, Link: []identity.Link{{LoginKey: login, IdentityID: id}}})
	if i, err = s.Get(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	unsealed := mustSeal(t, inner, 1) // no pool is sealed while it is deleted
	mustApply(t, unsealed, identity.Delete(&i))
	for name, by := range map[string]*Identities{"sealed": s, "not sealed": unsealed} {
		if got, err := by.Get(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %+v, %v, want nothing", name, got, err)
		}
		if owners, err := by.Find(t.Context(), poolID, []identity.LoginKey{login}); err != nil || len(owners) != 0 {
			t.Errorf("%s: got the owners %v, %v, want none", name, owners, err)
		}
		if listed, err := by.List(t.Context(), poolID, "", 10, false); err != nil || len(listed) != 0 {
			t.Errorf("%s: got %v, %v, want an empty list", name, listed, err)
		}
	}
	mustApply(t, s, identity.Change{PoolID: poolID, Create: []identity.Identity{{ID: plain, PoolID: poolID, Authenticated: true, Logins: []identity.LoginKey{login}}}})
	if n, err := s.Purge(t.Context(), poolID, 10); err != nil || n != 2 {
		t.Errorf("got %d, %v, want the mark and the other to go with the pool", n, err)
	}
}

// TestList: pages are full, whatever marks lie between.
func TestList(t *testing.T) {
	s := mustSeal(t, mustOpen(t).Identities, 1, poolID)
	want := 0
	for n := range 40 {
		i, err := s.Get(t.Context(), mustGuest(t, s))
		if err != nil {
			t.Fatal(err)
		}
		change := identity.Change{PoolID: poolID, Delete: []identity.Identity{i}}
		if n%3 == 0 {
			change = identity.Change{PoolID: poolID, Update: []identity.Identity{i}}
			want++
		}
		mustApply(t, s, change)
	}
	for _, size := range []int{1, 3, 100} {
		seen, after := 0, ""
		for {
			page, err := s.List(t.Context(), poolID, after, size, false)
			if err != nil {
				t.Fatal(err)
			}
			seen += len(page)
			if len(page) < size {
				break
			}
			after = page[len(page)-1].ID
		}
		if seen != want {
			t.Errorf("pages of %d: got %d identities, want %d", size, seen, want)
		}
	}
	if got, err := s.List(t.Context(), poolID, "", 0, false); err != nil || len(got) != 0 {
		t.Errorf("a page of none: got %v, %v", got, err)
	}
}

func TestNewRefuses(t *testing.T) {
	small, err := des.NewCipher(make([]byte, 8))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(nil, small, nil); err == nil {
		t.Error("a block of 8 bytes: got no error")
	}
	if _, err := New(nil, mustBlock(t, 1), []string{poolID, plain, poolID}); err != nil {
		t.Errorf("two pools, one of them twice: %v", err)
	}
	a, b := colliding()
	if _, err := New(nil, mustBlock(t, 1), []string{a, b}); err == nil {
		t.Error("two pools with one number: got no error")
	}
}

// colliding finds two ids with one number: of some thousand there are two.
func colliding() (a, b string) {
	seen := map[[poolBytes]byte]string{}
	for n := 0; ; n++ {
		id := "us-east-1:" + strings.Repeat("x", n%50) + string(rune('a'+n%26)) + time.Unix(int64(n), 0).UTC().String()
		if other, ok := seen[number(id)]; ok {
			return other, id
		}
		seen[number(id)] = id
	}
}

// FuzzOpen: no id is a guest but one that was made here.
func FuzzOpen(f *testing.F) {
	s := mustSeal(f, nothing{}, 1, poolID)
	f.Add(mustGuest(f, s))
	f.Add("us-east-1:00000000-0000-0000-0000-000000000000")
	f.Fuzz(func(t *testing.T, id string) {
		i, ok := s.guest(id)
		if !ok {
			return
		}
		b, _ := s.open(id)
		if i.PoolID != poolID || i.ID != id || len(id) != len("us-east-1:")+36 || [poolBytes]byte(b[:poolBytes]) != number(poolID) {
			t.Errorf("%q: got %+v", id, i)
		}
	})
}

// nothing is a store that holds nothing.
type nothing struct{ store.Identities }

func (nothing) Get(context.Context, string) (identity.Identity, error) {
	return identity.Identity{}, store.ErrNotFound
}

func BenchmarkGuest(b *testing.B) {
	s := mustSeal(b, nothing{}, 1, poolID)
	id := mustGuest(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.guest(id); !ok {
			b.Fatal("not a guest")
		}
	}
}
