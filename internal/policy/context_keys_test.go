package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestContextIsAMap: however many keys are set, changed and taken away, a context holds what a map would.
func TestContextIsAMap(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		c, want := new(Context), map[string][]string{}
		for step := range 200 {
			name := random.IntN(1 + int(seed)%60)
			key := fmt.Sprintf("KEY:%d", name)
			if random.IntN(2) == 0 {
				key = fmt.Sprintf("key:%d", name)
			}
			folded := fmt.Sprintf("key:%d", name)
			if random.IntN(4) == 0 {
				c.Unset(key)
				delete(want, folded)
			} else {
				values := []string{fmt.Sprint(step), "x"}[:random.IntN(3)]
				c.Set(key, values...)
				want[folded] = slices.Clone(values)
			}
		}
		for name := range 60 {
			folded := fmt.Sprintf("key:%d", name)
			got, ok := c.lookup(folded)
			values, there := want[folded]
			if ok != there || !slices.Equal(got.values, values) || c.Has(folded) != there {
				t.Fatalf("seed %d, %s: got %q, %v, want %q, %v", seed, folded, got.values, ok, values, there)
			}
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
