package policy

import (
	"fmt"
	"slices"
	"testing"
)

// TestAll: every key is among them, once, in order, however many there are.
func TestAll(t *testing.T) {
	for _, n := range []int{0, 1, fewKeys, fewKeys + 1, 3 * fewKeys} {
		c := new(Context)
		var want []string
		for i := range n {
			c.Set(fmt.Sprintf("AWS:Key%03d", i), "v", fmt.Sprint(i))
			want = append(want, fmt.Sprintf("aws:key%03d v %d", i, i))
		}
		var got []string
		for key, values := range c.All() {
			got = append(got, fmt.Sprint(key, " ", values[0], " ", values[1]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d keys: got %v, want %v", n, got, want)
		}
		for range c.All() {
			break // a reader may stop
		}
	}
	for range (*Context)(nil).All() {
		t.Error("no context has a key")
	}
}
