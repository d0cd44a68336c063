package cache

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const life = 5 * time.Second

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// read looks for a key and, where it is not there, puts the value.
func read(c *Cache[string, int], key string, value int, at time.Time) (int, bool) {
	found, turn, ok := c.Get(key, at)
	if !ok {
		c.Put(key, value, turn)
		return value, false
	}
	return found, true
}

func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		want  bool
	}{
		"at once":             {0, true},
		"just before the end": {life - 1, true},
		"at the end":          {life, false},
		"long after":          {time.Hour, false},
		"a clock gone back":   {-1, false},
	} {
		cache := New[string, int](100, life)
		read(cache, "a", 1, start)
		if _, ok := read(cache, "a", 2, start.Add(c.after)); ok != c.want {
			t.Errorf("%s: remembered %v, want %v", name, ok, c.want)
		}
	}
}

// TestAgeIsFromTheReading: a value that took long to read is as old as the question.
func TestAgeIsFromTheReading(t *testing.T) {
	c := New[string, int](100, life)
	_, turn, _ := c.Get("a", start)
	read(c, "b", 1, start.Add(life-1)) // maps may turn meanwhile
	c.Put("a", 1, turn)
	if _, _, ok := c.Get("a", start.Add(life)); ok {
		t.Error("a value outlives its reading")
	}
}

func TestForget(t *testing.T) {
	for name, forget := range map[string]func(*Cache[string, int]){
		"one": func(c *Cache[string, int]) { c.Forget("a") },
		"all": (*Cache[string, int]).Clear,
	} {
		c := New[string, int](100, life)
		read(c, "a", 1, start)
		forget(c)
		_, turn, ok := c.Get("a", start)
		if ok {
			t.Errorf("%s: a forgotten value is there", name)
		}
		forget(c)
		c.Put("a", 1, turn)
		if _, _, ok := c.Get("a", start); ok {
			t.Errorf("%s: a value that was read before it was taken back is there", name)
		}
		if read(c, "a", 2, start); !remembers(c, "a", 2) {
			t.Errorf("%s: a value read afterwards is not there", name)
		}
	}
}

func remembers(c *Cache[string, int], key string, want int) bool {
	got, _, ok := c.Get(key, start)
	return ok && got == want
}

func TestNone(t *testing.T) {
	for _, c := range []*Cache[string, int]{nil, New[string, int](0, life), New[string, int](-1, life)} {
		if _, ok := read(c, "a", 1, start); ok {
			t.Error("got a value before one was put")
		}
		if _, ok := read(c, "a", 1, start); ok {
			t.Error("a cache of nothing remembers")
		}
		c.Forget("a")
		c.Clear()
	}
}

// TestBound: however many keys come, few are kept, and those used last are among them.
func TestBound(t *testing.T) {
	const n = 1000
	c := New[int, int](n, life)
	for key := range 20 * n {
		_, turn, _ := c.Get(key, start)
		c.Put(key, key, turn)
		if _, _, ok := c.Get(key, start); !ok {
			t.Fatalf("key %d is not there right after it was put", key)
		}
	}
	kept := 0
	for i := range c.part {
		kept += len(c.part[i].young) + len(c.part[i].old)
	}
	if kept > n+2*parts || kept < n/4 {
		t.Errorf("got %d values of a cache of %d", kept, n)
	}
}

// TestNeverOld: readers and writers of one source. What a writer has changed before he forgot it is never read from the
// cache afterwards.
func TestNeverOld(t *testing.T) {
	const keys, rounds = 4, 2000
	c := New[int, int64](100, life)
	var source [keys]atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range rounds {
				key := rand.IntN(keys)
				if _, turn, ok := c.Get(key, start); !ok {
					c.Put(key, source[key].Load(), turn)
				}
			}
		})
	}
	for key := range keys { // one writer of each key, so that he knows what is newest
		wg.Go(func() {
			for n := range int64(rounds) {
				source[key].Store(n)
				c.Forget(key)
				if got, _, ok := c.Get(key, start); ok && got != n {
					t.Errorf("got %d from the cache after %d was written", got, n)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := New[int, int](1000, time.Hour)
	for key := range 100 {
		_, turn, _ := c.Get(key, start)
		c.Put(key, key, turn)
	}
	b.ReportAllocs()
	for key := 0; b.Loop(); key = (key + 1) % 100 {
		if _, _, ok := c.Get(key, start); !ok {
			b.Fatal("nothing")
		}
	}
}
