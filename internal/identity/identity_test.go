package identity

import (
	"slices"
	"testing"
	"time"

	"idpool/internal/fault"
)

func TestHoldsComparesBytes(t *testing.T) {
	i := Identity{Logins: []LoginKey{{"a.example", "Sub"}, {"b.example", "Sub"}}}
	for _, c := range []struct {
		key  LoginKey
		want bool
	}{
		{LoginKey{"a.example", "Sub"}, true},
		{LoginKey{"b.example", "Sub"}, true},
		{LoginKey{"a.example", "sub"}, false},
		{LoginKey{"A.example", "Sub"}, false},
		{LoginKey{"a.example", "Sub "}, false},
		{LoginKey{"c.example", "Sub"}, false},
		{LoginKey{"a.exampleS", "ub"}, false},
		{LoginKey{}, false},
	} {
		if got := i.Holds(c.key); got != c.want {
			t.Errorf("Holds(%q): got %v, want %v", c.key, got, c.want)
		}
	}
}

func TestProviders(t *testing.T) {
	for name, c := range map[string]struct {
		logins []LoginKey
		want   []string
	}{
		"none":                  {nil, nil},
		"one":                   {[]LoginKey{{"a", "1"}}, []string{"a"}},
		"two users of one":      {[]LoginKey{{"a", "1"}, {"a", "2"}, {"b", "1"}}, []string{"a", "b"}},
		"the empty one as well": {[]LoginKey{{"", "1"}, {"a", "1"}}, []string{"", "a"}},
	} {
		i := Identity{Logins: c.logins}
		if got := i.Providers(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestChangeEmpty(t *testing.T) {
	some := []Identity{{ID: "i"}}
	for name, c := range map[string]struct {
		change Change
		want   bool
	}{
		"zero":   {Change{}, true},
		"pool":   {Change{PoolID: "p"}, true},
		"create": {Change{Create: some}, false},
		"update": {Change{Update: some}, false},
		"link":   {Change{Link: []Link{{}}}, false},
		"move":   {Change{Move: []Move{{}}}, false},
		"unlink": {Change{Unlink: []Link{{}}}, false},
		"delete": {Change{Delete: some}, false},
	} {
		if got := c.change.Empty(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestMillis(t *testing.T) {
	zone := time.FixedZone("east", 3600)
	got := Millis(time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, zone))
	want := time.Date(2026, 1, 2, 2, 4, 5, 678_000_000, time.UTC)
	if got != want { // with ==: the zone and the monotonic reading count as well
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNewGuest(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, time.UTC)
	got := NewGuest("pool", "id", now)
	if got.ID != "id" || got.PoolID != "pool" || got.Authenticated || got.Disabled || len(got.Logins) != 0 || got.Version != 0 {
		t.Errorf("got %+v, want a guest that does not exist yet", got)
	}
	if want := now.Truncate(time.Millisecond); got.Created != want || got.Modified != want {
		t.Errorf("got created %v, modified %v, want %v", got.Created, got.Modified, want)
	}
}

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		got  *fault.Error
		want fault.Error
	}{
		{Forbidden("eu-west-1:%d"), fault.Error{Code: fault.NotAuthorized, Message: "Access to Identity 'eu-west-1:%d' is forbidden."}},
		{NotFound("eu-west-1:%d"), fault.Error{Code: fault.ResourceNotFound, Message: "Identity 'eu-west-1:%d' not found."}},
	} {
		if *c.got != c.want {
			t.Errorf("got %+v, want %+v", *c.got, c.want)
		}
	}
}
