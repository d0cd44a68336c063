package admission

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// due counts one more of a key and requires how long it is held.
func due(t *testing.T, p *Pace, key string, want time.Duration) {
	t.Helper()
	if got := p.Due(key, time.Now()); got != want {
		t.Errorf("%q: held for %v, want %v", key, got, want)
	}
}

// TestPace: as many as may come in a second come at once, the others one after the other, and each key for itself.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(10)
		for range 10 {
			due(t, p, "a", 0)
		}
		for n := range 5 {
			due(t, p, "a", time.Duration(n+1)*100*time.Millisecond)
		}
		due(t, p, "b", 0)
		for range 1000 { // what is due later than that makes those after it no later
			due(t, p, "a", longestHold)
		}
		time.Sleep(longestHold + 100*time.Millisecond)
		due(t, p, "a", 0)
		due(t, p, "a", 100*time.Millisecond)
		time.Sleep(time.Hour)
		for range 10 {
			due(t, p, "a", 0)
		}
		due(t, p, "a", 100*time.Millisecond)
	})
}

func TestPaceOfNone(t *testing.T) {
	for name, p := range map[string]*Pace{"nil": nil, "0 a second": NewPace(0)} {
		for range 1000 {
			if got := p.Due("a", start); got != 0 {
				t.Fatalf("%s: held for %v, want not at all", name, got)
			}
		}
	}
}

// TestPaceOfSenders: clients that send the next when the answer has come are answered as often as the pace says, however
// many they are.
func TestPaceOfSenders(t *testing.T) {
	const perSecond, senders, span = 50, 20, 10
	synctest.Test(t, func(t *testing.T) {
		p, ends := NewPace(perSecond), time.Now().Add(span*time.Second)
		var answered atomic.Int64
		for range senders {
			go func() {
				for time.Now().Before(ends) {
					p.Hold(p.Due("a", time.Now()))
					answered.Add(1)
				}
			}()
		}
		time.Sleep((span + 2) * time.Second)
		if got := answered.Load(); got < perSecond*span || got > perSecond*(span+1)+senders {
			t.Errorf("answered %d, want %d and a few more", got, perSecond*span)
		}
	})
}

// TestHeldAreBounded: a flood of clients does not fill the memory with those who are held.
func TestHeldAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(1)
		for n := range mostHeld {
			key := fmt.Sprint(n)
			due(t, p, key, 0)
			due(t, p, key, longestHold)
			go p.Hold(longestHold)
		}
		synctest.Wait()
		due(t, p, "1", 0)
		time.Sleep(longestHold)
		synctest.Wait()
		due(t, p, "1", longestHold)
	})
}
