package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store"
)

var identityChecks = []check{
	{"RoundTrip", identitiesRoundTrip},
	{"Times", identitiesTimes},
	{"Subjects", identitiesSubjects},
	{"Find", identitiesFind},
	{"FindMany", identitiesFindMany},
	{"ListOrder", identitiesListOrder},
	{"ListPages", identitiesListPages},
	{"ListStable", identitiesListStable},
	{"Purge", identitiesPurge},
	{"BadKeys", identitiesBadKeys},
	{"Canceled", identitiesCanceled},
}

func identitiesRoundTrip(t *testing.T, s *store.Store) {
	guest := fresh(poolA, 1)
	linked := fresh(poolA, 2, identity.LoginKey{Provider: providerB, Subject: "b"}, login("z"), login("a"))
	merged := fresh(poolA, 3)
	merged.Disabled, merged.MergedInto, merged.Authenticated, merged.Modified = true, id(2), true, start.Add(time.Hour)
	for _, want := range []identity.Identity{guest, linked, merged} {
		got := mustCreate(t, s, want)[0]
		want.Version = 1
		slices.SortFunc(want.Logins, func(a, b identity.LoginKey) int {
			return strings.Compare(a.Provider+a.Subject, b.Provider+b.Subject)
		})
		if d := gocmp.Diff(got, want); d != "" {
			t.Errorf("Get (-got +want):\n%s", d)
		}
	}
	for _, missing := range []string{id(4), "", poolA, strings.ToUpper(id(1))} {
		_, err := s.Identities.Get(t.Context(), missing)
		wantError(t, "Get", err, store.ErrNotFound)
	}
}

func identitiesTimes(t *testing.T, s *store.Store) {
	i := fresh(poolA, 1)
	i.Created = time.Date(2026, 7, 1, 1, 2, 3, 4_999_999, time.FixedZone("", 7200))
	i.Modified = time.Time{}
	got := mustCreate(t, s, i)[0]
	if want := time.Date(2026, 6, 30, 23, 2, 3, 4e6, time.UTC); got.Created != want {
		t.Errorf("Created: got %v, want %v", got.Created, want)
	}
	if !got.Modified.IsZero() {
		t.Errorf("Modified: got %v, want the zero time", got.Modified)
	}
}

// identitiesSubjects: a subject is bytes. Whoever could be taken for a neighbour would get the neighbour's credentials.
func identitiesSubjects(t *testing.T, s *store.Store) {
	subjects := []string{
		"", "a", "A", "a ", " a", "á", "a\u0301", "a\x00", "\x00", "\x00\x00", "\xff", "\xff\xfe", "\xc3\x28", "\ufffd", "a%", "a_",
		"'; --", "$1", "null", "NULL", "0", "00", strings.Repeat("x", 255), strings.Repeat("x", 254), strings.Repeat("\x00", 255),
	}
	var all []identity.Identity
	for n, subject := range subjects {
		all = append(all, fresh(poolA, n, login(subject)))
	}
	mustCreate(t, s, all...)
	for n, subject := range subjects {
		got := mustFind(t, s, poolA, login(subject))
		if len(got) != 1 || got[0].ID != id(n) || len(got[0].Logins) != 1 || got[0].Logins[0] != login(subject) {
			t.Errorf("Find(%q): got %+v, want %s alone", subject, got, id(n))
		}
	}
	for _, subject := range []string{"b", "a\x00\x00", "\xfe", "a\u0301 ", strings.Repeat("x", 256)} {
		if got := mustFind(t, s, poolA, login(subject)); len(got) != 0 {
			t.Errorf("Find(%q): got %v, want none", subject, ids(got))
		}
	}
	for _, provider := range []string{"Accounts.example.com", providerA + "/", " " + providerA, ""} {
		if got := mustFind(t, s, poolA, identity.LoginKey{Provider: provider, Subject: "a"}); len(got) != 0 {
			t.Errorf("Find at provider %q: got %v, want none", provider, ids(got))
		}
	}
}

func identitiesFind(t *testing.T, s *store.Store) {
	a, b := login("shared"), identity.LoginKey{Provider: providerB, Subject: "shared"}
	mustCreate(t, s, fresh(poolA, 5, a, login("second")), fresh(poolA, 2, b), fresh(poolA, 3), fresh(poolA, 4, login("other")))
	mustCreate(t, s, fresh(poolB, 1, a))
	for _, c := range []struct {
		name   string
		pool   string
		logins []identity.LoginKey
		want   []string
	}{
		{"one", poolA, []identity.LoginKey{a}, []string{id(5)}},
		{"its other login", poolA, []identity.LoginKey{login("second")}, []string{id(5)}},
		{"other pool", poolB, []identity.LoginKey{a}, []string{id(1)}},
		{"same subject elsewhere", poolB, []identity.LoginKey{b}, nil},
		{"each once, by id", poolA, []identity.LoginKey{a, login("second"), b, a}, []string{id(2), id(5)}},
		{"some unknown", poolA, []identity.LoginKey{login("x"), b, login("y")}, []string{id(2)}},
		{"all unknown", poolA, []identity.LoginKey{login("x")}, nil},
		{"no login", poolA, nil, nil},
		{"no pool", "", []identity.LoginKey{a}, nil},
	} {
		got := mustFind(t, s, c.pool, c.logins...)
		if d := gocmp.Diff(ids(got), c.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", c.name, d)
		}
		for _, i := range got {
			if d := gocmp.Diff(i, mustGet(t, s, i.ID)); d != "" {
				t.Errorf("%s: Find and Get differ:\n%s", c.name, d)
			}
		}
	}
}

func identitiesFindMany(t *testing.T, s *store.Store) {
	const n = 100
	var all []identity.Identity
	var logins []identity.LoginKey
	for i := range n {
		logins = append(logins, login(fmt.Sprint(i)))
		all = append(all, fresh(poolA, i, logins[i]))
	}
	mustCreate(t, s, all...)
	for _, k := range []int{1, 2, 20, 21, 70, n} {
		if got := mustFind(t, s, poolA, logins[:k]...); len(got) != k {
			t.Errorf("Find of %d logins: got %d identities", k, len(got))
		}
	}
	if _, err := s.Identities.Find(t.Context(), poolA, slices.Repeat(logins, 1000)); err == nil {
		t.Error("Find of 100,000 logins: got no error, want a refusal")
	}
}

// identitiesListOrder: the order is that of bytes, whatever language the database speaks.
func identitiesListOrder(t *testing.T, s *store.Store) {
	want := []string{"", "-", "A:1", "A:2", "B:1", "a", "a-b", "a1", "aa", "a:", "b", "ß", "ä"}
	slices.Sort(want)
	want = want[1:] // the empty id is before all others, where a listing begins
	var all []identity.Identity
	for _, id := range want {
		all = append(all, identity.Identity{ID: id, PoolID: poolA})
	}
	slices.Reverse(all)
	mustCreate(t, s, all...)
	if d := gocmp.Diff(ids(mustList(t, s, poolA)), want); d != "" {
		t.Errorf("List (-got +want):\n%s", d)
	}
	for i, after := range want {
		got, err := s.Identities.List(t.Context(), poolA, after, 100, false)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if d := gocmp.Diff(append([]string{}, ids(got)...), append([]string{}, want[i+1:]...)); d != "" {
			t.Errorf("List after %q (-got +want):\n%s", after, d)
		}
	}
}

func identitiesListPages(t *testing.T, s *store.Store) {
	mustCreate(t, s, fresh(poolB, 0), fresh(poolB, 4))
	var all []identity.Identity
	for n := range 9 {
		i := fresh(poolA, 10+n, login(fmt.Sprint("a", n)), login(fmt.Sprint("b", n)))
		i.Disabled = n%3 == 0
		all = append(all, i)
	}
	stored := mustCreate(t, s, all...)
	for _, hide := range []bool{false, true} {
		want := slices.DeleteFunc(slices.Clone(stored), func(i identity.Identity) bool { return hide && i.Disabled })
		for _, size := range []int{1, 2, 4, 100} {
			got := pages(t, s, poolA, size, hide)
			if d := gocmp.Diff(got, want); d != "" {
				t.Errorf("hide %v, pages of %d (-got +want):\n%s", hide, size, d)
			}
		}
	}
	for _, n := range []int{0, -1} {
		if got, err := s.Identities.List(t.Context(), poolA, "", n, false); len(got) != 0 || err != nil {
			t.Errorf("List of %d: got %d, %v, want none", n, len(got), err)
		}
	}
}

func pages(t *testing.T, s *store.Store, pool string, size int, hide bool) []identity.Identity {
	t.Helper()
	var all []identity.Identity
	after := ""
	for {
		page, err := s.Identities.List(t.Context(), pool, after, size, hide)
		if err != nil || len(page) > size {
			t.Fatalf("List: got %d of %d, %v", len(page), size, err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].ID
	}
}

// identitiesListStable: what exists all the time is listed once, whatever comes and goes around it between two pages.
func identitiesListStable(t *testing.T, s *store.Store) {
	var stay []identity.Identity
	for n := range 10 {
		stay = append(stay, fresh(poolA, 10+10*n))
	}
	stay = mustCreate(t, s, stay...)
	last := mustCreate(t, s, fresh(poolA, 5))[0]
	var got []string
	after := ""
	for n := 0; ; n++ {
		page, err := s.Identities.List(t.Context(), poolA, after, 3, false)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, ids(page)...)
		after = page[len(page)-1].ID
		mustApply(t, s, identity.Change{PoolID: poolA, Delete: []identity.Identity{last}}) // perhaps the one named by after
		last = mustCreate(t, s, fresh(poolA, 11+n))[0]
	}
	got = slices.DeleteFunc(got, func(g string) bool { return !slices.Contains(ids(stay), g) })
	if d := gocmp.Diff(got, ids(stay)); d != "" {
		t.Errorf("List in pages (-got +want):\n%s", d)
	}
}

func identitiesPurge(t *testing.T, s *store.Store) {
	var all []identity.Identity
	for n := range 7 {
		i := fresh(poolA, n, login(fmt.Sprint("a", n)), login(fmt.Sprint("b", n)))
		i.Disabled = n%2 == 0
		all = append(all, i)
	}
	mustCreate(t, s, all...)
	other := mustCreate(t, s, fresh(poolB, 100, login("a0")))
	for _, c := range []struct{ n, want int }{{0, 0}, {-1, 0}, {3, 3}, {3, 3}, {3, 1}, {3, 0}} {
		got, err := s.Identities.Purge(t.Context(), poolA, c.n)
		if err != nil || got != c.want {
			t.Errorf("Purge of %d: got %d, %v, want %d", c.n, got, err, c.want)
		}
	}
	if got := stateOf(t, s).Identities; gocmp.Diff(got, other) != "" {
		t.Errorf("after Purge: got %v, want %v", ids(got), ids(other))
	}
	mustCreate(t, s, fresh(poolA, 0, login("a0"), login("b0"))) // the logins are free again
}

func identitiesBadKeys(t *testing.T, s *store.Store) {
	mustCreate(t, s, fresh(poolA, 1, login("a")))
	before := stateOf(t, s)
	for _, bad := range []string{"a\x00", "\xff", strings.Repeat("a", 513)} {
		_, err := s.Identities.Get(t.Context(), bad)
		wantError(t, "Get", err, store.ErrNotFound)
		if got := mustFind(t, s, bad, login("a")); len(got) != 0 {
			t.Errorf("Find in pool %q: got %v, want none", bad, ids(got))
		}
		if got := mustFind(t, s, poolA, identity.LoginKey{Provider: bad, Subject: "a"}, login("a")); len(got) != 1 {
			t.Errorf("Find beside provider %q: got %v, want one", bad, ids(got))
		}
		for name, change := range map[string]identity.Change{
			"id":          {PoolID: poolA, Create: []identity.Identity{{ID: bad, PoolID: poolA}}},
			"pool":        {PoolID: bad, Create: []identity.Identity{{ID: id(2), PoolID: bad}}},
			"provider":    {PoolID: poolA, Link: []identity.Link{{LoginKey: identity.LoginKey{Provider: bad}, IdentityID: id(1)}}},
			"merged into": {PoolID: poolA, Create: []identity.Identity{{ID: id(2), PoolID: poolA, MergedInto: bad}}},
			"owner":       {PoolID: poolA, Move: []identity.Move{{LoginKey: login("a"), From: id(1), To: bad}}},
		} {
			wantRefusal(t, name, s.Identities.Apply(t.Context(), change))
		}
		_, err = s.Identities.List(t.Context(), poolA, bad, 1, false)
		wantRefusal(t, "List", err)
	}
	if d := gocmp.Diff(stateOf(t, s), before); d != "" {
		t.Errorf("a refusal left a trace (-got +want):\n%s", d)
	}
}

func identitiesCanceled(t *testing.T, s *store.Store) {
	ctx := canceled(t)
	err := s.Identities.Apply(ctx, identity.Change{PoolID: poolA, Create: []identity.Identity{fresh(poolA, 1)}})
	wantError(t, "Apply", err, ctx.Err())
	_, err = s.Identities.Purge(ctx, poolA, 1)
	wantError(t, "Purge", err, ctx.Err())
	if got := mustList(t, s, poolA); len(got) != 0 {
		t.Errorf("List: got %v, want none", ids(got))
	}
}
