package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

func login(provider, subject string) identity.LoginKey {
	return identity.LoginKey{Provider: provider, Subject: subject}
}

// TestInline: logins stand in the row where they are short and printable, and read as they were, in order.
func TestInline(t *testing.T) {
	long := strings.Repeat("x", maxInline/2)
	for _, c := range []struct {
		logins []identity.LoginKey
		want   bool
	}{
		{nil, true},
		{[]identity.LoginKey{login("", "")}, true},
		{[]identity.LoginKey{login("b", "2"), login("a", "1")}, true},
		{[]identity.LoginKey{login("a", ""), login("", "b"), login("a", "~ ")}, true},
		{[]identity.LoginKey{login("a", long)}, true},
		{[]identity.LoginKey{login("a", long), login("b", long)}, false},
		{[]identity.LoginKey{login("a", "1\n2")}, false},
		{[]identity.LoginKey{login("a\n", "1")}, false},
		{[]identity.LoginKey{login("a", "1\x00")}, false},
		{[]identity.LoginKey{login("a", "1\x7f")}, false},
		{[]identity.LoginKey{login("a", "\xff")}, false},
		{[]identity.LoginKey{login("ä", "1")}, false},
	} {
		text, ok := inline(c.logins)
		if ok != c.want {
			t.Errorf("inline(%q): got %v, want %v", c.logins, ok, c.want)
		}
		if !ok {
			continue
		}
		want := slices.SortedFunc(slices.Values(c.logins), compareLogins)
		if got, err := outOfLine(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("outOfLine(%q): got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"a", "a\n1\nb", "a\n1\n"} {
		if got, err := outOfLine(text); err != errInline {
			t.Errorf("outOfLine(%q): got %q, %v, want %v", text, got, err, errInline)
		}
	}
}

// both runs a test on SQLite, and on PostgreSQL where there is one.
func both(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("SQLite", func(t *testing.T) { test(t, mustOpen(t, sqliteURL(t), Options{})) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, mustOpen(t, storetest.PostgresURL(t), Options{})) })
}

func mustApply(t *testing.T, s *store.Store, c identity.Change) {
	t.Helper()
	c.PoolID = benchPool
	if err := s.Identities.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// mustRun runs statements that no identity.Change is: those of another version, and damage.
func mustRun(t *testing.T, s *store.Store, text string, args ...any) {
	t.Helper()
	err := s.Identities.(*identities).engine.change(t.Context(), func(s session) error {
		_, err := s.exec(text, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantRead fails unless Get, Find and List return the identity.
func wantRead(t *testing.T, s *store.Store, want identity.Identity) {
	t.Helper()
	got, err := s.Identities.Get(t.Context(), want.ID)
	if d := gocmp.Diff(got, want); d != "" || err != nil {
		t.Errorf("Get: %v (-got +want):\n%s", err, d)
	}
	found, err := s.Identities.Find(t.Context(), benchPool, want.Logins)
	if d := gocmp.Diff(found, []identity.Identity{want}); len(want.Logins) > 0 && (d != "" || err != nil) {
		t.Errorf("Find: %v (-got +want):\n%s", err, d)
	}
	listed, err := s.Identities.List(t.Context(), benchPool, "", 10, false)
	if d := gocmp.Diff(listed, []identity.Identity{want}); d != "" || err != nil {
		t.Errorf("List: %v (-got +want):\n%s", err, d)
	}
}

// inRow returns what the row of an identity states, or "none".
func inRow(t *testing.T, s *store.Store, id string) (text string) {
	t.Helper()
	const inRowSQL = `SELECT coalesce(CASE WHEN logins_version = version THEN logins END, 'none') FROM identities WHERE id = $1`
	err := s.Identities.(*identities).engine.read(t.Context(), func(s session) error {
		return queryRow(s, inRowSQL, []any{id}, &text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestInlineKept: the row states the logins after each change of them.
func TestInlineKept(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		i := benchIdentity(0)
		i.Logins = []identity.LoginKey{login("a", "1")}
		mustApply(t, s, identity.Change{Create: []identity.Identity{i}})
		i.Version = 1
		step := func(c identity.Change, want string, logins ...identity.LoginKey) {
			t.Helper()
			mustApply(t, s, c)
			i.Logins, i.Version = logins, i.Version+int64(len(c.Update))
			wantRead(t, s, i)
			if got := inRow(t, s, i.ID); got != want {
				t.Errorf("got %q in the row, want %q", got, want)
			}
		}
		b, odd := identity.Link{LoginKey: login("b", "2"), IdentityID: i.ID}, identity.Link{LoginKey: login("c", "\xff\n"), IdentityID: i.ID}
		step(identity.Change{}, "a\n1", login("a", "1"))
		step(identity.Change{Update: []identity.Identity{i}}, "a\n1", login("a", "1"))
		step(identity.Change{Link: []identity.Link{b}}, "a\n1\nb\n2", login("a", "1"), b.LoginKey)
		step(identity.Change{Link: []identity.Link{odd}, Update: []identity.Identity{i}}, "none", login("a", "1"), b.LoginKey, odd.LoginKey)
		step(identity.Change{Unlink: []identity.Link{odd}, Update: []identity.Identity{i}}, "a\n1\nb\n2", login("a", "1"), b.LoginKey)
		step(identity.Change{Unlink: []identity.Link{b, {LoginKey: login("a", "1"), IdentityID: i.ID}}}, "")
	})
}

// TestInlineOfOthers: what a version that knows nothing of it has written is read from the table of the logins, also
// where it changed a row that had stated them, and the next change of the logins states them again.
func TestInlineOfOthers(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		i := benchIdentity(0)
		mustApply(t, s, identity.Change{Create: []identity.Identity{i}})
		mustRun(t, s, "UPDATE identities SET version = version + 1 WHERE id = $1", i.ID)
		mustRun(t, s, "UPDATE logins SET subject = $2 WHERE identity_id = $1", i.ID, []byte(i.Logins[0].Subject+"!"))
		i.Version = 2
		old := i.Logins[0]
		i.Logins = []identity.LoginKey{login(old.Provider, old.Subject+"!")}
		if got, err := s.Identities.Get(t.Context(), i.ID); err != nil || gocmp.Diff(got, i) != "" {
			t.Errorf("got %+v, %v, want %+v", got, err, i)
		}
		mustRun(t, s, "UPDATE logins SET subject = $2 WHERE identity_id = $1", i.ID, []byte(old.Subject))
		mustRun(t, s, "UPDATE identities SET logins = NULL, logins_version = NULL WHERE id = $1", i.ID)
		i.Logins = []identity.LoginKey{old}
		wantRead(t, s, i)
		mustApply(t, s, identity.Change{Update: []identity.Identity{i}})
		i.Version = 3
		wantRead(t, s, i)
		link := identity.Link{LoginKey: login("b", "2"), IdentityID: i.ID}
		mustApply(t, s, identity.Change{Link: []identity.Link{link}})
		i.Logins = append(i.Logins, link.LoginKey)
		wantRead(t, s, i)
		if got, want := inRow(t, s, i.ID), fmt.Sprintf("%s\n%s\nb\n2", old.Provider, old.Subject); got != want {
			t.Errorf("got %q in the row, want %q", got, want)
		}
	})
}

// TestInlineDamaged: a row that was written by nobody here is an error, not an identity with fewer logins.
func TestInlineDamaged(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		i := benchIdentity(0)
		mustApply(t, s, identity.Change{Create: []identity.Identity{i}})
		mustRun(t, s, "UPDATE identities SET logins = 'a' WHERE id = $1", i.ID)
		if got, err := s.Identities.Get(t.Context(), i.ID); !errors.Is(err, errInline) {
			t.Errorf("got %+v, %v, want %v", got, err, errInline)
		}
	})
}
