package policy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestContextIsAMap: however many keys are set and changed, here or underneath, a context holds what a map would.
func TestContextIsAMap(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		c, want := new(Context), map[string][]string{}
		for step := range 200 {
			if step%70 == 69 && seed%3 > 0 {
				c = Over(c)
			}
			name := random.IntN(1 + int(seed)%60)
			key := fmt.Sprintf("KEY:%d", name)
			if random.IntN(2) == 0 {
				key = fmt.Sprintf("key:%d", name)
			}
			values := []string{fmt.Sprint(step), "x"}[:random.IntN(3)]
			c.Set(key, values...)
			want[fmt.Sprintf("key:%d", name)] = slices.Clone(values)
		}
		for name := range 60 {
			folded := fmt.Sprintf("key:%d", name)
			got, ok := c.lookup(folded)
			values, there := want[folded]
			if ok != there || !slices.Equal(got.values, values) || c.Has(folded) != there {
				t.Fatalf("seed %d, %s: got %q, %v, want %q, %v", seed, folded, got.values, ok, values, there)
			}
		}
		all := map[string][]string{}
		for key, values := range c.All() {
			if _, twice := all[key]; twice {
				t.Fatalf("seed %d: All has %s twice", seed, key)
			}
			all[key] = values
		}
		if !maps.EqualFunc(all, want, slices.Equal) {
			t.Fatalf("seed %d: All has %v, want %v", seed, all, want)
		}
	}
}

// TestContextUnderneath: what stands on a context does not change it, and an empty value hides one underneath.
func TestContextUnderneath(t *testing.T) {
	shared := new(Context)
	shared.Set("aws:SecureTransport", "true")
	shared.Set("aws:RequestedRegion", "us-east-1")
	one, other := Over(shared), Over(shared)
	one.Set("AWS:securetransport", "false")
	one.Set("aws:requestedregion")
	if one.SetNew("aws:SECURETRANSPORT", "x") || !one.SetNew("a:b", "c") {
		t.Error("a name underneath is there already, another is not")
	}
	for _, row := range []struct {
		of   *Context
		key  string
		want string
		ok   bool
	}{
		{shared, "aws:securetransport", "true", true}, {one, "aws:securetransport", "false", true}, {other, "aws:securetransport", "true", true},
		{shared, "aws:requestedregion", "us-east-1", true}, {one, "aws:requestedregion", "", false}, {other, "a:b", "", false}, {shared, "a:b", "", false},
	} {
		if got, ok := row.of.substitute(row.key); got != row.want || ok != row.ok {
			t.Errorf("%s: got %q, %v, want %q, %v", row.key, got, ok, row.want, row.ok)
		}
	}
}

// TestSpelledNames: the names that are folded beforehand are folded as all others.
func TestSpelledNames(t *testing.T) {
	for name, folded := range spelled {
		if want := strings.Map(foldRune, name); folded != want {
			t.Errorf("%s is folded to %s, want %s", name, folded, want)
		}
	}
}

// TestContextKeepsItsValues: who changes the list that he gave changes nothing here.
func TestContextKeepsItsValues(t *testing.T) {
	c, values := new(Context), []string{"a", "b"}
	c.SetList("k", values...)
	values[0] = "changed"
	c.Set("other", "c")
	if got, _ := c.lookup("k"); !slices.Equal(got.values, []string{"a", "b"}) {
		t.Errorf("got %q", got.values)
	}
}
