package admission

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// takes counts how many of n are had from the key's bucket at one time.
func takes(t *testing.T, r *Rates, key string, n int, at time.Time) (had int) {
	t.Helper()
	for range n {
		if err := r.Take(key, at); err == nil {
			had++
		} else {
			wantRefusal(t, err, nil)
		}
	}
	return had
}

func TestRates(t *testing.T) {
	r := NewRates(2, 3)
	for _, step := range []struct {
		key   string
		after time.Duration
		n     int
		want  int
	}{
		{"a", 0, 5, 3},                       // the bucket is full at first
		{"b", 0, 5, 3},                       // each key has its own
		{"", 0, 5, 3},                        // the empty one too
		{"a", 499 * time.Millisecond, 5, 0},  // not quite half a second
		{"a", 500 * time.Millisecond, 5, 1},  // two a second
		{"a", 1500 * time.Millisecond, 5, 2}, //
		{"a", time.Hour, 5, 3},               // never more than the bucket holds
		{"a", 0, 5, 0},                       // a clock that goes back gives nothing
		{"b", time.Hour, 5, 3},               //
		{"c", -time.Hour, 4, 3},              // a new key at any time
	} {
		if got := takes(t, r, step.key, step.n, start.Add(step.after)); got != step.want {
			t.Errorf("%q after %v: got %d of %d, want %d", step.key, step.after, got, step.n, step.want)
		}
	}
}

func TestRatesWithoutLimit(t *testing.T) {
	for name, r := range map[string]*Rates{"nil": nil, "0 a second": NewRates(0, 0)} {
		if got := takes(t, r, "a", 1000, start); got != 1000 {
			t.Errorf("%s: got %d, want all", name, got)
		}
	}
}

// TestRatesWithoutABucket: a limit with no room at all lets nothing through.
func TestRatesWithoutABucket(t *testing.T) {
	if got := takes(t, NewRates(5, 0), "a", 10, start.Add(time.Hour)); got != 0 {
		t.Errorf("got %d, want none", got)
	}
}

// TestRatesFromSeveralGoroutines: of many that take at once, a bucket's worth gets through, also when the key is new.
func TestRatesFromSeveralGoroutines(t *testing.T) {
	const goroutines, keys, bucket = 16, 50, 5
	r := NewRates(1, bucket)
	var had [keys]atomic.Int32
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for k := range keys {
				if r.Take(fmt.Sprint(k), start) == nil {
					had[k].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for k := range had {
		if got := had[k].Load(); got != bucket {
			t.Errorf("key %d: got %d, want %d", k, got, bucket)
		}
	}
}

// TestRatesAreBounded: a flood of keys does not fill the memory.
func TestRatesAreBounded(t *testing.T) {
	r := NewRates(1, 1)
	for k := range maxBuckets + maxBuckets/2 {
		if err := r.Take(fmt.Sprint(k), start); err != nil {
			t.Fatalf("key %d, which is new: %v", k, err)
		}
	}
	r.buckets.CleanUp()
	if got := r.buckets.EstimatedSize(); got > maxBuckets || got < maxBuckets/2 {
		t.Errorf("got %d buckets, want at most %d, and not few", got, maxBuckets)
	}
}

func TestNeighbourhood(t *testing.T) {
	for client, want := range map[string]string{
		"192.0.2.7":                 "192.0.2.7",
		"::ffff:192.0.2.7":          "192.0.2.7", // the same client on a socket for both
		"2001:db8:1:2:3:4:5:6":      "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1":      "2001:db8:1:2::/64",
		"2001:db8:1:3::1":           "2001:db8:1:3::/64",
		"fe80::1%eth0":              "fe80::/64",
		"fe80::2%eth1":              "fe80::/64",
		"::1":                       "::/64",
		"::ffff:192.0.2.7%anything": "192.0.2.7",
	} {
		if got := Neighbourhood(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s: got %s, want %s", client, got, want)
		}
	}
	if got := Neighbourhood(netip.Addr{}); got == "" {
		t.Error("no address: got an empty key, want one for all that have none")
	}
}
