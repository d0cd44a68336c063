package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idpool/internal/fault"
)

var (
	// born is when the identities of the tests were made, in whole milliseconds; now is when they are resolved.
	born   = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	now    = time.Date(2026, 2, 3, 4, 5, 6, 789_123_456, time.FixedZone("west", -3600))
	nowUTC = time.Date(2026, 2, 3, 5, 5, 6, 789_000_000, time.UTC)
)

const testPool = "eu-west-1:pool"

// authenticated is a stored identity with logins, born some minutes after the others.
func authenticated(id string, minutes int, logins ...LoginKey) Identity {
	at := born.Add(time.Duration(minutes) * time.Minute)
	return Identity{ID: id, PoolID: testPool, Created: at, Modified: at, Authenticated: true, Logins: logins, Version: 3}
}

func guest(id string, minutes int) Identity {
	at := born.Add(time.Duration(minutes) * time.Minute)
	return Identity{ID: id, PoolID: testPool, Created: at, Modified: at, Version: 1}
}

// after is an identity once a change has touched it.
func after(i Identity, logins ...LoginKey) Identity {
	i.Authenticated, i.Modified, i.Logins, i.Version = true, nowUTC, logins, i.Version+1
	return i
}

// row is what Update holds for an identity that is to become this: the version is still the old one.
func row(i Identity) Identity {
	i.Version--
	return i
}

// absorbed is what Update holds for an identity that gives way to another.
func absorbed(i Identity, into string) Identity {
	i.Disabled, i.MergedInto, i.Modified = true, into, nowUTC
	return i
}

// sameChange compares changes as a store reads them: as sets, and without the Logins of Update.
var sameChange = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b Identity) bool { return a.ID < b.ID }),
	cmpopts.SortSlices(func(a, b Link) bool { return fmt.Sprint(a) < fmt.Sprint(b) }),
	cmpopts.SortSlices(func(a, b Move) bool { return fmt.Sprint(a) < fmt.Sprint(b) }),
	gocmp.FilterPath(func(p gocmp.Path) bool { return p.String() == "Update.Logins" }, gocmp.Ignore()),
}

// situation is a call of Resolve: with logins, of which owners hold some, for a target or none.
type situation struct {
	target    *Identity
	logins    []LoginKey
	owners    []Identity
	developer string
}

func (s situation) resolve() (Identity, Change, error) {
	in := Input{PoolID: testPool, Target: s.target, Logins: s.logins, NewID: "new", Now: now, Developer: s.developer}
	for i := range s.owners {
		in.Owners = append(in.Owners, &s.owners[i])
	}
	return Resolve(in)
}

// outcome is a refusal, or an identity and a change.
type outcome struct {
	refusal  *fault.Error
	identity Identity
	change   Change
}

func (want outcome) check(t *testing.T, got Identity, change Change, err error) {
	t.Helper()
	if want.refusal != nil {
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != want.refusal.Code || f.Message != want.refusal.Message {
			t.Errorf("got %v, want %v", err, want.refusal)
		}
		if d := gocmp.Diff(got, Identity{}) + gocmp.Diff(change, Change{}); d != "" {
			t.Errorf("a refusal came with (-got +want):\n%s", d)
		}
		return
	}
	if err != nil {
		t.Fatalf("got %v, want none", err)
	}
	if d := gocmp.Diff(got, want.identity, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("identity (-got +want):\n%s", d)
	}
	want.change.PoolID = testPool
	if d := gocmp.Diff(change, want.change, sameChange); d != "" {
		t.Errorf("change (-got +want):\n%s", d)
	}
}

var (
	dontMatch = fault.New(fault.NotAuthorized,
		"Logins don't match. Please include at least one valid login for this identity or identity pool.")
	taken   = fault.New(fault.ResourceConflict, "Login is already linked to another identity.")
	tooMany = fault.New(fault.ResourceConflict, "Too many logins for this identity.")
)

// TestMatrix is security D1, as far as it is decided here: calls without logins, unknown identities and those of other
// pools are refused by the operation. The caller's own identity is a, c is another's, and nobody has the login new.
// Where D1 asks for a refusal of another's valid login, spec cognito-identity §9.2 merges: who has tokens of both may.
func TestMatrix(t *testing.T) {
	own, others, fresh := LoginKey{"a.example", "me"}, LoginKey{"c.example", "she"}, LoginKey{"n.example", "new"}
	a, c, g := authenticated("a", 1, own), authenticated("c", 2, others), guest("g", 0)
	victim := authenticated("b", 0, LoginKey{"a.example", "victim"}, LoginKey{"v.example", "victim"})
	unlinked := authenticated("u", 0)
	disabled, disabledGuest := authenticated("d", 0), guest("e", 0)
	disabled.Disabled, disabled.MergedInto = true, "a"
	disabledGuest.Disabled, disabledGuest.MergedInto = true, "a"

	var (
		toA      = []Link{{fresh, "a"}}
		both     = after(a, own, others) // a is older than c
		gToA     = absorbed(g, "a")
		gToC     = absorbed(g, "c")
		cToA     = absorbed(c, "a")
		moveC    = []Move{{others, "c", "a"}}
		plusNew  = after(a, own, fresh)
		created  = Identity{ID: "new", PoolID: testPool, Created: nowUTC, Modified: nowUTC, Authenticated: true, Logins: []LoginKey{fresh}}
		existing = created
		upgraded = after(g, fresh)
	)
	existing.Version = 1
	refused := func(f *fault.Error) [5]outcome {
		o := outcome{refusal: f}
		return [5]outcome{o, o, o, o, o}
	}
	columns := [5]struct {
		name   string
		logins []LoginKey
	}{
		{"own", []LoginKey{own}},
		{"other's", []LoginKey{others}},
		{"new", []LoginKey{fresh}},
		{"own+new", []LoginKey{own, fresh}},
		{"own+other's", []LoginKey{own, others}},
	}
	for _, r := range []struct {
		name   string
		target *Identity
		want   [5]outcome
	}{
		{"none", nil, [5]outcome{
			{identity: a},
			{identity: c},
			{identity: existing, change: Change{Create: []Identity{created}}},
			{identity: plusNew, change: Change{Update: []Identity{row(plusNew)}, Link: toA}},
			{identity: both, change: Change{Update: []Identity{row(both), cToA}, Move: moveC}},
		}},
		{"unauth", &g, [5]outcome{
			{identity: after(a, own), change: Change{Update: []Identity{row(after(a, own)), gToA}}},
			{identity: after(c, others), change: Change{Update: []Identity{row(after(c, others)), gToC}}},
			{identity: upgraded, change: Change{Update: []Identity{row(upgraded)}, Link: []Link{{fresh, "g"}}}},
			{identity: plusNew, change: Change{Update: []Identity{row(plusNew), gToA}, Link: toA}},
			{identity: both, change: Change{Update: []Identity{row(both), gToA, cToA}, Move: moveC}},
		}},
		{"auth-own", &a, [5]outcome{
			{identity: a},
			{refusal: dontMatch},
			{refusal: dontMatch},
			{identity: plusNew, change: Change{Update: []Identity{row(plusNew)}, Link: toA}},
			{identity: both, change: Change{Update: []Identity{row(both), cToA}, Move: moveC}},
		}},
		{"auth-other", &victim, refused(dontMatch)},
		{"auth without logins", &unlinked, refused(dontMatch)},
		{"disabled", &disabled, refused(fault.New(fault.NotAuthorized, "Access to Identity 'd' is forbidden."))},
		{"disabled guest", &disabledGuest, refused(fault.New(fault.NotAuthorized, "Access to Identity 'e' is forbidden."))},
	} {
		for i, column := range columns {
			t.Run(r.name+"/"+column.name, func(t *testing.T) {
				s := situation{target: r.target, logins: column.logins}
				for _, o := range []Identity{a, c} {
					if slices.ContainsFunc(column.logins, o.Holds) && (r.target == nil || r.target.ID != o.ID) {
						s.owners = append(s.owners, o)
					}
				}
				got, change, err := s.resolve()
				r.want[i].check(t, got, change, err)
			})
		}
	}
}

// TestDisabledWithLogins: no row like this exists, but if one did it would not be usable either.
func TestDisabledWithLogins(t *testing.T) {
	own := LoginKey{"a.example", "me"}
	d := authenticated("d", 0, own)
	d.Disabled = true
	got, change, err := situation{target: &d, logins: []LoginKey{own}}.resolve()
	outcome{refusal: Forbidden("d")}.check(t, got, change, err)
}

// TestTwoUsersOfOneProvider: an identity holds one user of a provider, wherever the second would come from (spec §9.2).
func TestTwoUsersOfOneProvider(t *testing.T) {
	me, you, third := LoginKey{"a.example", "me"}, LoginKey{"a.example", "you"}, LoginKey{"b.example", "me"}
	mine, yours := authenticated("mine", 0, me, third), authenticated("yours", 1, you)
	both := authenticated("both", 1, you, LoginKey{"c.example", "x"})
	for name, s := range map[string]situation{
		"new to an identity with another":     {target: &mine, logins: []LoginKey{third, you}},
		"new, found by another provider":      {logins: []LoginKey{third, you}, owners: []Identity{mine}},
		"two in one call, nobody's":           {logins: []LoginKey{me, you}},
		"one login twice":                     {logins: []LoginKey{me, me}},
		"a guest's two in one call":           {target: new(guest("g", 0)), logins: []LoginKey{me, you}},
		"merge without a target":              {logins: []LoginKey{third, you}, owners: []Identity{mine, yours}},
		"merge of the target":                 {target: &mine, logins: []LoginKey{third, you}, owners: []Identity{yours}},
		"merge that a third login hides":      {logins: []LoginKey{third, {"c.example", "x"}}, owners: []Identity{mine, both}},
		"merge that a guest's login would do": {target: new(guest("g", 0)), logins: []LoginKey{third, {"c.example", "x"}}, owners: []Identity{both, mine}},
	} {
		t.Run(name, func(t *testing.T) {
			got, change, err := s.resolve()
			outcome{refusal: taken}.check(t, got, change, err)
		})
	}
}

// TestSeveralUsersOfTheDeveloperProvider: those of the pool's own developer provider are merged, and of no other.
func TestSeveralUsersOfTheDeveloperProvider(t *testing.T) {
	me, you, third := LoginKey{"a.example", "me"}, LoginKey{"a.example", "you"}, LoginKey{"b.example", "me"}
	mine, yours := authenticated("mine", 0, me, third), authenticated("yours", 1, you)
	both := after(mine, me, you, third)
	for name, c := range map[string]struct {
		situation
		want outcome
	}{
		"linked": {
			situation{target: &mine, logins: []LoginKey{third, you}, developer: "a.example"},
			outcome{identity: both, change: Change{Update: []Identity{row(both)}, Link: []Link{{you, "mine"}}}},
		},
		"merged": {
			situation{logins: []LoginKey{third, you}, owners: []Identity{yours, mine}, developer: "a.example"},
			outcome{identity: both, change: Change{Update: []Identity{row(both), absorbed(yours, "mine")}, Move: []Move{{you, "yours", "mine"}}}},
		},
		"held already": {
			situation{target: &both, logins: []LoginKey{you}, developer: "a.example"},
			outcome{identity: both},
		},
		"another provider is not the developer's": {
			situation{target: &mine, logins: []LoginKey{third, you}, developer: "b.example"},
			outcome{refusal: taken},
		},
		"no developer provider, and an empty key": {
			situation{logins: []LoginKey{{"", "me"}, {"", "you"}}},
			outcome{refusal: taken},
		},
		"21 users": {
			situation{target: &mine, logins: append(numbered(1, 18), third, you), developer: "a.example"},
			outcome{refusal: tooMany},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, change, err := c.resolve()
			c.want.check(t, got, change, err)
		})
	}
}

// numbered are logins of the providers from–to, in order.
func numbered(from, to int) []LoginKey {
	var out []LoginKey
	for n := from; n <= to; n++ {
		out = append(out, LoginKey{fmt.Sprintf("p%02d.example", n), "me"})
	}
	return out
}

func TestMaxLogins(t *testing.T) {
	for name, c := range map[string]struct {
		situation
		refuse bool
	}{
		"20 new":         {situation{logins: numbered(1, 20)}, false},
		"21 new":         {situation{logins: numbered(1, 21)}, true},
		"the 20th":       {situation{logins: numbered(19, 20), owners: []Identity{authenticated("a", 0, numbered(1, 19)...)}}, false},
		"the 21st":       {situation{logins: numbered(20, 21), owners: []Identity{authenticated("a", 0, numbered(1, 20)...)}}, true},
		"10 and 10":      {situation{logins: numbered(10, 11), owners: []Identity{authenticated("a", 0, numbered(1, 10)...), authenticated("b", 1, numbered(11, 20)...)}}, false},
		"10 and 11":      {situation{logins: numbered(10, 11), owners: []Identity{authenticated("a", 0, numbered(1, 10)...), authenticated("b", 1, numbered(11, 21)...)}}, true},
		"20 for a guest": {situation{target: new(guest("g", 0)), logins: numbered(1, 20)}, false},
		"21 for a guest": {situation{target: new(guest("g", 0)), logins: numbered(1, 21)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, change, err := c.resolve()
			if c.refuse {
				outcome{refusal: tooMany}.check(t, got, change, err)
			} else if err != nil || len(got.Logins) != MaxLogins || change.Empty() {
				t.Errorf("got %d logins, %+v, %v, want %d logins", len(got.Logins), change, err, MaxLogins)
			}
		})
	}
}

// TestLoginsAreOrdered: a change and the identity come out alike whatever the order of a request's logins.
func TestLoginsAreOrdered(t *testing.T) {
	backwards := []LoginKey{{"c.example", "1"}, {"b.example", "2"}, {"a.example", "3"}}
	want := []LoginKey{{"a.example", "3"}, {"b.example", "2"}, {"c.example", "1"}}
	got, change, err := situation{logins: backwards}.resolve()
	if err != nil || !slices.Equal(got.Logins, want) || !slices.Equal(change.Create[0].Logins, want) {
		t.Errorf("new: got %v, %+v, %v, want %v", got.Logins, change, err, want)
	}
	got, _, err = situation{target: new(guest("g", 0)), logins: backwards}.resolve()
	if err != nil || !slices.Equal(got.Logins, want) {
		t.Errorf("guest: got %v, %v, want %v", got.Logins, err, want)
	}
	if slices.IsSortedFunc(backwards, func(a, b LoginKey) int { return cmp.Compare(a.Provider, b.Provider) }) {
		t.Error("the request's logins were sorted in place")
	}
}
