package identity

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/fault"
)

// checkChange holds a change, or a refusal that comes without one, to what it should be.
func checkChange(t *testing.T, got Change, err error, want Change, refusal *fault.Error) {
	t.Helper()
	if refusal != nil {
		outcome{refusal: refusal}.check(t, Identity{}, got, err)
		return
	}
	if err != nil {
		t.Fatalf("got %v, want none", err)
	}
	want.PoolID = testPool
	if d := gocmp.Diff(got, want, sameChange); d != "" {
		t.Errorf("change (-got +want):\n%s", d)
	}
}

// TestUnlink: an identity that loses logins, be it the last one, stays what it was, and never a guest (security D12).
func TestUnlink(t *testing.T) {
	a := authenticated("a", 0, loginA, loginB)
	updated := a
	updated.Modified = nowUTC
	disabled := authenticated("d", 0)
	disabled.Disabled, disabled.MergedInto = true, "a"
	notLinked := fault.New(fault.ResourceNotFound, "The login is not linked to this identity.")
	for name, c := range map[string]struct {
		from    Identity
		logins  []LoginKey
		change  Change
		refusal *fault.Error
	}{
		"one":                {a, []LoginKey{loginB}, Change{Update: []Identity{updated}, Unlink: []Link{{loginB, "a"}}}, nil},
		"the last":           {a, []LoginKey{loginB, loginA}, Change{Update: []Identity{updated}, Unlink: []Link{{loginB, "a"}, {loginA, "a"}}}, nil},
		"another's":          {a, []LoginKey{loginC}, Change{}, notLinked},
		"own and another's":  {a, []LoginKey{loginA, loginC}, Change{}, notLinked},
		"another user":       {a, []LoginKey{{loginA.Provider, "2"}}, Change{}, notLinked},
		"from a guest":       {guest("g", 0), []LoginKey{loginA}, Change{}, notLinked},
		"from a disabled":    {disabled, []LoginKey{loginA}, Change{}, notLinked},
		"of what is no more": {authenticated("u", 0), []LoginKey{loginA}, Change{}, notLinked},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Unlink(&c.from, c.logins, now)
			checkChange(t, got, err, c.change, c.refusal)
		})
	}
}

// TestMerge: the destination stays, whichever is the older (spec §7.16, security D8).
func TestMerge(t *testing.T) {
	const developer = "login.mycompany"
	one, two := LoginKey{developer, "one"}, LoginKey{developer, "two"}
	older, younger := authenticated("older", 0, loginA, one), authenticated("younger", 1, loginB, two)
	otherA := authenticated("other", 1, LoginKey{loginA.Provider, "2"}, two)
	disabled := authenticated("d", 0)
	disabled.Disabled, disabled.MergedInto = true, "x"
	touched := func(i Identity) Identity {
		i.Modified = nowUTC
		return i
	}
	many := func(id string, from, to int) Identity { return authenticated(id, 0, numbered(from, to)...) }
	ten := Change{Update: []Identity{touched(many("d10", 11, 20)), absorbed(many("s10", 1, 10), "d10")}}
	for _, k := range numbered(1, 10) {
		ten.Move = append(ten.Move, Move{k, "s10", "d10"})
	}
	for name, c := range map[string]struct {
		source, destination Identity
		developer           string
		change              Change
		refusal             *fault.Error
	}{
		"into the younger": {older, younger, developer, Change{
			Update: []Identity{touched(younger), absorbed(older, "younger")}, Move: []Move{{loginA, "older", "younger"}, {one, "older", "younger"}},
		}, nil},
		"into the older": {younger, older, developer, Change{
			Update: []Identity{touched(older), absorbed(younger, "older")}, Move: []Move{{loginB, "younger", "older"}, {two, "younger", "older"}},
		}, nil},
		"already one":                   {older, older, developer, Change{}, nil},
		"two users of another provider": {older, otherA, developer, Change{}, taken},
		"users of no developer":         {older, younger, "", Change{}, taken},
		"users of another developer":    {older, younger, loginA.Provider, Change{}, taken},
		"disabled source":               {disabled, older, developer, Change{}, Forbidden("d")},
		"disabled destination":          {older, disabled, developer, Change{}, Forbidden("d")},
		"10 and 10 logins":              {many("s10", 1, 10), many("d10", 11, 20), developer, ten, nil},
		"10 and 11 logins":              {many("s10", 1, 10), many("d11", 11, 21), developer, Change{}, tooMany},
	} {
		t.Run(name, func(t *testing.T) {
			source, destination := c.source, c.destination
			got, err := Merge(&source, &destination, c.developer, now)
			checkChange(t, got, err, c.change, c.refusal)
			if d := gocmp.Diff([]Identity{source, destination}, []Identity{c.source, c.destination}); d != "" {
				t.Errorf("Merge changed its input (-got +want):\n%s", d)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	a := authenticated("a", 0, loginA)
	if d := gocmp.Diff(Delete(&a), Change{PoolID: testPool, Delete: []Identity{a}}); d != "" {
		t.Errorf("change (-got +want):\n%s", d)
	}
}

// TestSpareCapacity: what follows the logins of an identity in memory belongs to somebody else.
func TestSpareCapacity(t *testing.T) {
	whole := []LoginKey{loginA, {"spare", "spare"}, {"spare", "spare"}}
	older, younger := authenticated("a", 0, whole[:1]...), authenticated("b", 1, loginB)
	if _, _, err := (situation{target: &older, logins: []LoginKey{loginA, loginB, loginC}, owners: []Identity{younger}}).resolve(); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(&older, &younger, "", now); err != nil {
		t.Fatal(err)
	}
	if want := "[{a.example 1} {spare spare} {spare spare}]"; fmt.Sprint(whole) != want {
		t.Errorf("got %v, want %s", whole, want)
	}
}
