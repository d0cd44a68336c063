package identity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"idpool/internal/fault"
)

// The machine: random calls over several pools against a store in memory that keeps the contract of package store, whose
// errors it cannot import. Some calls decide now and apply later, when others have been there in between.

// call is a request with logins: GetId where target is empty, else GetCredentialsForIdentity.
type call struct {
	pool, target string
	logins       []LoginKey
}

// decision is what a call decided on what it read.
type decision struct {
	call
	in       Input
	identity Identity
	change   Change
	err      error
	writes   int // of the store, when it was read
}

type machine struct {
	store   *memory
	now     time.Time
	ids     int
	pending []decision
	// known is the last state of every identity that ever was, deleted ones included.
	known   map[string]Identity
	deleted map[string]bool
}

var pools = []string{"pool-1", "pool-2", "pool-3"}

// developerOf is the developer provider of a pool: only one has any.
func developerOf(poolID string) string {
	if poolID == "pool-3" {
		return "c"
	}
	return ""
}

func anyLogins() *rapid.Generator[[]LoginKey] {
	return rapid.Custom(func(t *rapid.T) []LoginKey {
		providers := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID).Draw(t, "providers")
		var out []LoginKey
		for _, p := range providers {
			out = append(out, LoginKey{p, rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "subject")})
		}
		return out
	})
}

func (m *machine) newID() string {
	m.ids++
	return fmt.Sprintf("id-%04d", m.ids*7919%10007) // in no order
}

// anyID draws an identity of any state, deleted ones included; it skips the step while there is none.
func (m *machine) anyID(t *rapid.T) string {
	ids := slices.Sorted(maps.Keys(m.known))
	if len(ids) == 0 {
		t.Skip("no identity yet")
	}
	return rapid.SampledFrom(ids).Draw(t, "id")
}

func (m *machine) tick(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "ms")) * time.Millisecond)
}

func (m *machine) anyCall(t *rapid.T) call {
	c := call{logins: anyLogins().Draw(t, "logins")}
	if rapid.Bool().Draw(t, "targeted") {
		c.target = m.anyID(t)
		c.pool = m.known[c.target].PoolID
	} else {
		c.pool = rapid.SampledFrom(pools).Draw(t, "pool")
	}
	return c
}

// decide reads and resolves, and compares refusals with what the rules say. Nothing is decided for an identity that is
// not there.
func (m *machine) decide(t *rapid.T, c call) (decision, bool) {
	d := decision{call: c, writes: m.store.writes}
	d.in = Input{PoolID: c.pool, Logins: c.logins, Now: m.now, Developer: developerOf(c.pool)}
	if c.target == "" {
		d.in.NewID = m.newID()
	} else if d.in.Target = m.store.get(c.target); d.in.Target == nil {
		return d, false
	}
	for _, o := range m.store.find(c.pool, c.logins) {
		if o.ID != c.target {
			d.in.Owners = append(d.in.Owners, o)
		}
	}
	d.identity, d.change, d.err = Resolve(d.in)
	if got, want := fault.From(d.err), expected(d.in); want == "" && got != nil || want != "" && (got == nil || got.Message != want) {
		t.Fatalf("%+v: got %v, want %q", d.in, d.err, want)
	}
	if d.err != nil && !d.change.Empty() {
		t.Fatalf("a refusal came with the change %+v", d.change)
	}
	return d, true
}

// expected is the sentence of the refusal that the rules of spec cognito-identity §9.2–9.3 ask for; empty for none.
func expected(in Input) string {
	if in.Target != nil {
		for _, k := range in.Logins {
			if k.Provider == in.Developer && slices.ContainsFunc(in.Owners, func(o *Identity) bool { return o.Holds(k) }) {
				return registered
			}
		}
		if in.Target.Disabled {
			return Forbidden(in.Target.ID).Message
		}
		if in.Target.Authenticated && !slices.ContainsFunc(in.Logins, in.Target.Holds) {
			return LoginsDontMatch
		}
	}
	subjects := map[string]string{}
	for _, logins := range append(partiesLogins(in), in.Logins) {
		for _, k := range logins {
			if s, ok := subjects[k.Provider]; ok && s != k.Subject && k.Provider != in.Developer {
				return loginTaken
			}
			subjects[k.Provider] = k.Subject
		}
	}
	return ""
}

func partiesLogins(in Input) [][]LoginKey {
	var out [][]LoginKey
	if in.Target != nil {
		out = append(out, in.Target.Logins)
	}
	for _, o := range in.Owners {
		out = append(out, o.Logins)
	}
	return out
}

// finish applies a decision and, on a conflict, reads and decides again, which nobody disturbs.
func (m *machine) finish(t *rapid.T, d decision) {
	for attempt := 0; ; attempt++ {
		if d.err != nil {
			return
		}
		raced := d.writes != m.store.writes
		err := m.store.apply(d.change)
		if err == nil {
			if !raced {
				m.checkResult(t, d)
			}
			return
		}
		if !raced {
			t.Fatalf("%+v: got %v, though nothing raced", d.change, err)
		}
		if attempt > 0 {
			t.Fatal("a second conflict, though nothing raced")
		}
		var there bool
		if d, there = m.decide(t, d.call); !there {
			return
		}
	}
}

// checkResult holds the answer of an undisturbed call to what the store has now, and asks again, which must change nothing.
func (m *machine) checkResult(t *rapid.T, d decision) {
	stored := m.store.get(d.identity.ID)
	if stored == nil {
		t.Fatalf("got %s, which is not there", d.identity.ID)
	}
	if diff := gocmp.Diff(d.identity, *stored, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("answer and store (-got +want):\n%s", diff)
	}
	if stored.Disabled || !stored.Authenticated || stored.PoolID != d.pool {
		t.Fatalf("got %+v, want a usable identity of %s", stored, d.pool)
	}
	for _, k := range d.logins {
		if !stored.Holds(k) {
			t.Fatalf("got %+v, want it to hold %v", stored, k)
		}
	}
	again, there := m.decide(t, call{d.pool, stored.ID, d.logins})
	if !there || again.err != nil || !again.change.Empty() || again.identity.ID != stored.ID {
		t.Fatalf("asked again: got %+v, want no change", again)
	}
}

func (m *machine) guest(t *rapid.T) {
	m.tick(t)
	c := Change{PoolID: rapid.SampledFrom(pools).Draw(t, "pool")}
	c.Create = []Identity{NewGuest(c.PoolID, m.newID(), m.now)}
	if err := m.store.apply(c); err != nil {
		t.Fatalf("new guest: %v", err)
	}
}

func (m *machine) request(t *rapid.T) {
	m.tick(t)
	if d, there := m.decide(t, m.anyCall(t)); there {
		m.finish(t, d)
	}
}

func (m *machine) begin(t *rapid.T) {
	m.tick(t)
	if d, there := m.decide(t, m.anyCall(t)); there && len(m.pending) < 4 {
		m.pending = append(m.pending, d)
	}
}

func (m *machine) end(t *rapid.T) {
	if len(m.pending) == 0 {
		t.Skip("nothing pending")
	}
	n := rapid.IntRange(0, len(m.pending)-1).Draw(t, "pending")
	d := m.pending[n]
	m.pending = slices.Delete(m.pending, n, n+1)
	m.finish(t, d)
}

func (m *machine) remove(t *rapid.T) {
	id := m.anyID(t)
	i := m.store.get(id)
	if i == nil {
		t.Skip("deleted already")
	}
	if err := m.store.apply(Delete(i)); err != nil {
		t.Fatalf("delete: %v", err)
	}
	m.deleted[id] = true
}

// unlink takes one login away: the identity stays authenticated, also without any.
func (m *machine) unlink(t *rapid.T) {
	m.tick(t)
	i := m.store.get(m.anyID(t))
	if i == nil || len(i.Logins) == 0 {
		t.Skip("no login to unlink")
	}
	gone := rapid.SampledFrom(i.Logins).Draw(t, "login")
	c, err := Unlink(i, []LoginKey{gone}, m.now)
	if err == nil {
		err = m.store.apply(c)
	}
	if err != nil || m.store.owner(i.PoolID, gone) != "" {
		t.Fatalf("unlink of %v: %v", gone, err)
	}
}

// merge merges two owners of logins in the developer's pool.
func (m *machine) merge(t *rapid.T) {
	m.tick(t)
	var owners []*Identity
	for _, id := range slices.Sorted(maps.Keys(m.store.rows)) {
		if i := m.store.get(id); developerOf(i.PoolID) != "" && len(i.Logins) > 0 {
			owners = append(owners, i)
		}
	}
	if len(owners) == 0 {
		t.Skip("nobody to merge")
	}
	source, destination := rapid.SampledFrom(owners).Draw(t, "source"), rapid.SampledFrom(owners).Draw(t, "destination")
	c, err := Merge(source, destination, developerOf(source.PoolID), m.now)
	if fault.Is(err, fault.ResourceConflict) {
		return
	}
	if err == nil {
		err = m.store.apply(c)
	}
	if err != nil {
		t.Fatalf("merge of %+v into %+v: %v", source, destination, err)
	}
	for _, k := range source.Logins {
		if got := m.store.owner(source.PoolID, k); got != destination.ID {
			t.Fatalf("%v belongs to %q, want %s", k, got, destination.ID)
		}
	}
}

func (m *machine) check(t *rapid.T) {
	owners := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(m.store.rows)) {
		i := m.store.rows[id]
		m.checkRow(t, &i)
		for _, k := range i.Logins {
			login := fmt.Sprintf("%s %q", i.PoolID, k)
			if other, ok := owners[login]; ok {
				t.Fatalf("%s belongs to %s and to %s", login, other, id)
			}
			owners[login] = id
		}
		m.known[id] = i
	}
}

// checkRow holds an identity to its past and to what an identity may be.
func (m *machine) checkRow(t *rapid.T, i *Identity) {
	if before, ok := m.known[i.ID]; ok {
		switch {
		case m.deleted[i.ID]:
			t.Fatalf("%s came back", i.ID)
		case before.PoolID != i.PoolID:
			t.Fatalf("%s moved from %s to %s", i.ID, before.PoolID, i.PoolID)
		case before.Disabled && (!i.Disabled || i.MergedInto != before.MergedInto):
			t.Fatalf("%s was disabled, into %s, now %+v", i.ID, before.MergedInto, i)
		case before.Authenticated && !i.Authenticated:
			t.Fatalf("%s turned guest", i.ID)
		case !before.Created.Equal(i.Created) || i.Modified.Before(before.Modified) || i.Version < before.Version:
			t.Fatalf("time or version of %s went wrong: %+v, then %+v", i.ID, before, i)
		}
	}
	public := slices.DeleteFunc(slices.Clone(i.Logins), func(k LoginKey) bool { return k.Provider == developerOf(i.PoolID) })
	switch {
	case len((&Identity{Logins: public}).Providers()) != len(public):
		t.Fatalf("%s holds two users of one provider: %v", i.ID, i.Logins)
	case len(i.Logins) > MaxLogins:
		t.Fatalf("%s holds %d logins", i.ID, len(i.Logins))
	case len(i.Logins) > 0 && (i.Disabled || !i.Authenticated):
		t.Fatalf("%+v holds logins", i)
	case i.Disabled != (i.MergedInto != "") || i.MergedInto == i.ID:
		t.Fatalf("%+v is merged into the wrong one", i)
	case i.Disabled && m.known[i.MergedInto].PoolID != i.PoolID:
		t.Fatalf("%+v is merged into another pool or into nothing", i)
	}
}

func TestLinkingKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{store: &memory{rows: map[string]Identity{}}, now: born, known: map[string]Identity{}, deleted: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"guest":   m.guest,
			"request": m.request,
			"begin":   m.begin,
			"end":     m.end,
			"remove":  m.remove,
			"unlink":  m.unlink,
			"merge":   m.merge,
		})
		for _, d := range m.pending {
			m.finish(t, d)
			m.check(t)
		}
	})
}

// TestOrderOfOwners: random identities in any order lead to one decision.
func TestOrderOfOwners(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "owners")
		s := situation{logins: numbered(1, n)}
		for i, k := range s.logins {
			s.owners = append(s.owners, authenticated(fmt.Sprintf("id-%d", i), rapid.IntRange(0, 2).Draw(t, "minute"), k))
		}
		oldest := slices.MinFunc(s.owners, func(a, b Identity) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
		first, firstChange, err := s.resolve()
		if err != nil || first.ID != oldest.ID {
			t.Fatalf("got %s, %v, want %s", first.ID, err, oldest.ID)
		}
		s.owners, s.logins = rapid.Permutation(s.owners).Draw(t, "order"), rapid.Permutation(s.logins).Draw(t, "logins")
		got, change, err := s.resolve()
		if d := gocmp.Diff(got, first) + gocmp.Diff(change, firstChange, sameChange); err != nil || d != "" {
			t.Fatalf("another order: %v (-got +want):\n%s", err, d)
		}
	})
}
