package sqlstore

import (
	"slices"
	"testing"

	"idpool/internal/identity"
)

// TestPlanOrder: whatever the order of a change, its statements reach identities by id, then logins by key, and each
// owner of a login is among the identities.
func TestPlanOrder(t *testing.T) {
	key := func(s string) identity.LoginKey { return identity.LoginKey{Provider: "p", Subject: s} }
	row := func(id string, logins ...identity.LoginKey) identity.Identity {
		return identity.Identity{ID: id, PoolID: "pool", Version: 1, Logins: logins}
	}
	p, err := planOf(&identity.Change{
		PoolID: "pool",
		Create: []identity.Identity{row("z", key("9"), key("1")), row("b")},
		Update: []identity.Identity{row("y"), row("a")},
		Link:   []identity.Link{{LoginKey: key("8"), IdentityID: "x"}, {LoginKey: key("2"), IdentityID: "c"}},
		Move:   []identity.Move{{LoginKey: key("7"), From: "w", To: "d"}, {LoginKey: key("3"), From: "c", To: "z"}},
		Unlink: []identity.Link{{LoginKey: key("6"), IdentityID: "v"}, {LoginKey: key("4"), IdentityID: "e"}},
		Delete: []identity.Identity{row("u"), row("f")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var owners, logins []string
	for _, s := range p.identities {
		owners = append(owners, s.id)
	}
	for _, s := range p.logins {
		logins = append(logins, s.login.Subject)
	}
	if want := []string{"a", "b", "c", "d", "e", "f", "u", "v", "w", "x", "y", "z"}; !slices.Equal(owners, want) {
		t.Errorf("identities: got %v, want %v", owners, want)
	}
	if want := []string{"1", "2", "3", "4", "6", "7", "8", "9"}; !slices.Equal(logins, want) {
		t.Errorf("logins: got %v, want %v", logins, want)
	}
	if len(p.last) != 2 {
		t.Errorf("last: got %d statements, want those of the deleted", len(p.last))
	}
}
