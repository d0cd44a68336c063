package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store"
)

// applyRandom applies changes drawn at random, of which most touch rows that exist and many cannot be made, and
// compares what the store says and holds with a model of the contract.
func applyRandom(t *testing.T, s *store.Store) {
	const changes = 400
	draw := &drawing{rand.New(rand.NewPCG(1, 2)), model{}}
	applied := 0
	for n := range changes {
		change := draw.change()
		want := draw.model.apply(change)
		err := s.Identities.Apply(t.Context(), change)
		if (err == nil) != want || err != nil && !errors.Is(err, store.ErrConflict) {
			t.Fatalf("change %d, %+v: got error %v, want it applied: %v", n, change, err, want)
		}
		if want {
			applied++
		}
		for _, pool := range []string{poolA, poolB} {
			if d := gocmp.Diff(mustList(t, s, pool), draw.model.list(pool)); d != "" {
				t.Fatalf("after change %d, %+v: (-got +want):\n%s", n, change, d)
			}
		}
	}
	if applied < changes/5 || applied > changes*4/5 {
		t.Errorf("%d of %d changes were applied: the draw tests little", applied, changes)
	}
}

// model is the identities by id.
type model map[string]identity.Identity

func (m model) list(pool string) []identity.Identity {
	var out []identity.Identity
	for _, i := range m {
		if i.PoolID == pool {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b identity.Identity) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// holder returns who holds the login in the pool.
func (m model) holder(pool string, k identity.LoginKey) string {
	for _, i := range m {
		if i.PoolID == pool && i.Holds(k) {
			return i.ID
		}
	}
	return ""
}

// apply makes the change and reports true, or leaves all as it was. No row occurs twice in the change.
func (m model) apply(c identity.Change) bool {
	if !m.possible(c) {
		return false
	}
	for _, i := range c.Create {
		i.Version = 1
		m[i.ID] = i
	}
	for _, i := range c.Update {
		i.Logins, i.Version = m[i.ID].Logins, i.Version+1
		m[i.ID] = i
	}
	for _, l := range c.Link {
		m.hold(l.IdentityID, l.LoginKey, true)
	}
	for _, v := range c.Move {
		m.hold(v.From, v.LoginKey, false)
		m.hold(v.To, v.LoginKey, true)
	}
	for _, l := range c.Unlink {
		m.hold(l.IdentityID, l.LoginKey, false)
	}
	for _, i := range c.Delete {
		delete(m, i.ID)
	}
	return true
}

func (m model) hold(id string, k identity.LoginKey, on bool) {
	i := m[id]
	i.Logins = slices.DeleteFunc(slices.Clone(i.Logins), func(h identity.LoginKey) bool { return h == k })
	if on {
		i.Logins = append(i.Logins, k)
		slices.SortFunc(i.Logins, func(a, b identity.LoginKey) int { return strings.Compare(a.Subject, b.Subject) })
	}
	if len(i.Logins) == 0 {
		i.Logins = nil
	}
	m[id] = i
}

func (m model) possible(c identity.Change) bool {
	created := map[string]bool{}
	ok := true
	for _, i := range c.Create {
		_, exists := m[i.ID]
		ok = ok && !exists && i.PoolID == c.PoolID
		created[i.ID] = true
		for _, k := range i.Logins {
			ok = ok && m.holder(c.PoolID, k) == ""
		}
	}
	for _, i := range slices.Concat(c.Update, c.Delete) {
		ok = ok && i.PoolID == c.PoolID && m[i.ID].PoolID == c.PoolID && m[i.ID].Version == i.Version
	}
	there := func(id string) bool { return created[id] || m[id].PoolID == c.PoolID }
	for _, l := range c.Link {
		ok = ok && there(l.IdentityID) && m.holder(c.PoolID, l.LoginKey) == ""
	}
	for _, v := range c.Move {
		ok = ok && m.holder(c.PoolID, v.LoginKey) == v.From && v.From != "" && there(v.To)
	}
	for _, l := range c.Unlink {
		ok = ok && m.holder(c.PoolID, l.LoginKey) == l.IdentityID && l.IdentityID != ""
	}
	return ok
}

// drawing draws changes that use each id and each login at most once.
type drawing struct {
	*rand.Rand
	model model
}

func (d *drawing) change() identity.Change {
	c := identity.Change{PoolID: []string{poolA, poolB}[d.IntN(2)]}
	rows, gone := d.Perm(6), map[string]bool{}
	for _, n := range rows[:d.IntN(3)] {
		i, exists := d.model[id(n)]
		switch {
		case !exists || d.IntN(12) == 0:
			c.Create = append(c.Create, fresh(c.PoolID, n))
		case d.IntN(4) == 0:
			c.Delete = append(c.Delete, d.moved(i))
			gone[i.ID] = true
		default:
			i.Modified, i.Authenticated, i.Disabled = i.Modified.Add(time.Second), d.IntN(2) == 0, d.IntN(2) == 0
			c.Update = append(c.Update, d.moved(i))
		}
	}
	for _, n := range d.Perm(5)[:d.IntN(3)] {
		d.login(&c, login(string(rune('a'+n))), gone)
	}
	return c
}

// moved lets one row in ten have moved on.
func (d *drawing) moved(i identity.Identity) identity.Identity {
	if d.IntN(10) == 0 {
		i.Version += int64(d.IntN(3) - 1)
	}
	return i
}

// login adds a change of the login that fits its state, or at times one that does not.
func (d *drawing) login(c *identity.Change, k identity.LoginKey, gone map[string]bool) {
	holder, other := d.model.holder(c.PoolID, k), id(d.IntN(6))
	if d.IntN(10) == 0 {
		holder = id(d.IntN(6))
	}
	if gone[holder] || gone[other] {
		return
	}
	switch {
	case holder == "" && len(c.Create) > 0 && d.IntN(2) == 0:
		c.Create[0].Logins = append(c.Create[0].Logins, k)
		slices.SortFunc(c.Create[0].Logins, func(a, b identity.LoginKey) int { return strings.Compare(a.Subject, b.Subject) })
	case holder == "" || d.IntN(10) == 0:
		c.Link = append(c.Link, identity.Link{LoginKey: k, IdentityID: other})
	case d.IntN(2) == 0:
		c.Move = append(c.Move, identity.Move{LoginKey: k, From: holder, To: other})
	default:
		c.Unlink = append(c.Unlink, identity.Link{LoginKey: k, IdentityID: holder})
	}
}
