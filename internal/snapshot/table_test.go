package snapshot

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A table is what a map would be, and no change shows in a table from before.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now table[int]
		want := map[string]int{}
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			before, had := now, maps.Clone(want)
			c := now.change()
			for range rapid.IntRange(0, 20).Draw(t, "documents") {
				id := fmt.Sprint("id-", rapid.IntRange(0, 40).Draw(t, "id"))
				if v := rapid.IntRange(0, 3).Draw(t, "value"); v > 0 {
					c.set(id, v)
					want[id] = v
				} else {
					c.delete(id)
					delete(want, id)
				}
			}
			now = c.done()
			if got := maps.Collect(before.all()); !maps.Equal(got, had) {
				t.Fatalf("a table from before is now %v, want %v", got, had)
			}
			if got := maps.Collect(now.all()); !maps.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
		ids := slices.Sorted(maps.Keys(want))
		if got := now.ids(); !slices.Equal(got, ids) {
			t.Fatalf("got %v, want %v", got, ids)
		}
		for i, v := range now.sorted() {
			if v != want[ids[i]] || now.get(ids[i]) != v {
				t.Fatalf("got %d for %s, want %d", v, ids[i], want[ids[i]])
			}
		}
		if got := now.get("nothing"); got != 0 {
			t.Fatalf("got %d for an id that is not there", got)
		}
	})
}
