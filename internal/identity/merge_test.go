package identity

import (
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var (
	loginA = LoginKey{"a.example", "1"}
	loginB = LoginKey{"b.example", "2"}
	loginC = LoginKey{"c.example", "3"}
)

func TestSurvivor(t *testing.T) {
	for name, c := range map[string]struct {
		target *Identity
		owners []Identity
		want   string
	}{
		"the older":                      {nil, []Identity{authenticated("z", 0, loginA), authenticated("a", 1, loginB)}, "z"},
		"the older, though not named":    {new(authenticated("a", 1, loginA)), []Identity{authenticated("z", 0, loginB)}, "z"},
		"the older, being named":         {new(authenticated("z", 0, loginA)), []Identity{authenticated("a", 1, loginB)}, "z"},
		"equally old: the smaller id":    {nil, []Identity{authenticated("b", 0, loginA), authenticated("a", 0, loginB)}, "a"},
		"the known, not the older guest": {new(guest("a", 0)), []Identity{authenticated("z", 9, loginA)}, "z"},
		"the oldest known of two":        {new(guest("a", 0)), []Identity{authenticated("y", 9, loginA), authenticated("z", 8, loginB)}, "z"},
		"the oldest of three": {nil, []Identity{
			authenticated("x", 2, loginA), authenticated("y", 1, loginB), authenticated("z", 3, loginC),
		}, "y"},
	} {
		t.Run(name, func(t *testing.T) {
			s := situation{target: c.target, owners: c.owners, logins: []LoginKey{loginA, loginB, loginC}}
			got, change, err := s.resolve()
			if err != nil || got.ID != c.want || !got.Authenticated || got.Disabled {
				t.Fatalf("got %+v, %v, want %s", got, err, c.want)
			}
			if want := []LoginKey{loginA, loginB, loginC}; !slices.Equal(got.Logins, want) {
				t.Errorf("logins: got %v, want %v", got.Logins, want)
			}
			for _, u := range change.Update {
				if u.Disabled != (u.ID != c.want) || u.Disabled != (u.MergedInto == c.want) {
					t.Errorf("update of %s: got disabled %v, merged into %q", u.ID, u.Disabled, u.MergedInto)
				}
			}
		})
	}
}

// TestMergeIsDeterministic: two nodes that read the same rows in another order decide alike.
func TestMergeIsDeterministic(t *testing.T) {
	owners := []Identity{authenticated("x", 1, loginA), authenticated("y", 0, loginB), authenticated("z", 0, loginC)}
	for name, target := range map[string]*Identity{"no target": nil, "guest": new(guest("g", 0)), "one of them": &owners[0]} {
		var first *Identity
		var firstChange Change
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			s := situation{target: target, logins: []LoginKey{loginC, loginA, loginB}}
			for _, i := range order {
				s.owners = append(s.owners, owners[i]) // the target among them is to be ignored
			}
			got, change, err := s.resolve()
			if err != nil || got.ID != "y" {
				t.Fatalf("%s %v: got %s, %v, want y", name, order, got.ID, err)
			}
			if first == nil {
				first, firstChange = &got, change
			}
			if d := gocmp.Diff(got, *first) + gocmp.Diff(change, firstChange, sameChange); d != "" {
				t.Errorf("%s %v differs from the first order (-got +want):\n%s", name, order, d)
			}
		}
	}
}

// TestMergeChange is the whole change of a merge of three with a new login.
func TestMergeChange(t *testing.T) {
	secondC, fresh := LoginKey{"d.example", "3"}, LoginKey{"n.example", "4"}
	x, y, z, g := authenticated("x", 2, loginA), authenticated("y", 1, loginB), authenticated("z", 3, loginC, secondC), guest("g", 0)
	s := situation{target: &g, logins: []LoginKey{loginA, loginB, loginC, fresh}, owners: []Identity{x, y, z}}
	got, change, err := s.resolve()
	survivor := after(y, loginA, loginB, loginC, secondC, fresh)
	outcome{identity: survivor, change: Change{
		Update: []Identity{row(survivor), absorbed(x, "y"), absorbed(z, "y"), absorbed(g, "y")},
		Link:   []Link{{fresh, "y"}},
		Move:   []Move{{loginA, "x", "y"}, {loginC, "z", "y"}, {secondC, "z", "y"}},
	}}.check(t, got, change, err)
}

// TestNoWayBack: whatever comes out of Resolve was authenticated if any of its parties was, and every update of a row
// keeps what only grows: that it was authenticated, that it is disabled.
func TestNoWayBack(t *testing.T) {
	for name, s := range map[string]situation{
		"guest and known": {target: new(guest("g", 0)), owners: []Identity{authenticated("a", 1, loginA)}},
		"two known":       {target: new(authenticated("b", 0, loginB)), owners: []Identity{authenticated("a", 1, loginA)}},
		"new":             {},
		"upgrade":         {target: new(guest("g", 0))},
	} {
		s.logins = []LoginKey{loginA, loginB}
		got, change, err := s.resolve()
		if err != nil || !got.Authenticated || got.Disabled {
			t.Fatalf("%s: got %+v, %v, want it authenticated", name, got, err)
		}
		for _, u := range slices.Concat(change.Create, change.Update) {
			wasGuest := u.ID == "g" && u.Disabled
			if !u.Authenticated && !wasGuest {
				t.Errorf("%s: row %s turned guest", name, u.ID)
			}
		}
		if len(change.Delete)+len(change.Unlink) != 0 {
			t.Errorf("%s: got %+v, want nothing deleted or unlinked", name, change)
		}
	}
}

// TestResolveLeavesItsInputAlone: the same input gives the same again, and nothing of it changed.
func TestResolveLeavesItsInputAlone(t *testing.T) {
	build := func() situation {
		return situation{
			target: new(guest("g", 0)), logins: []LoginKey{loginC, loginB, loginA},
			owners: []Identity{authenticated("a", 1, loginA), authenticated("b", 0, loginB)},
		}
	}
	s := build()
	first, firstChange, err := s.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(s, build(), gocmp.AllowUnexported(situation{})); d != "" {
		t.Errorf("input (-got +want):\n%s", d)
	}
	again, againChange, err := s.resolve()
	if d := gocmp.Diff(again, first) + gocmp.Diff(againChange, firstChange); err != nil || d != "" {
		t.Errorf("second time: %v (-got +want):\n%s", err, d)
	}
}
