package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// TestKeep: the heap may grow by the ballast.
func TestKeep(t *testing.T) {
	mustKeep(t)
	runtime.GC()
	if got := goal(); got < 2*Ballast {
		t.Errorf("the heap's goal: got %d MB, want %d MB at least", got>>20, 2*Ballast>>20)
	}
}

// TestLiveHeap: what is alive may double as ever, on top of the ballast.
func TestLiveHeap(t *testing.T) {
	mustKeep(t)
	held := make([]byte, 2*Ballast)
	runtime.GC()
	got, least, most := goal(), uint64(6*Ballast), uint64(7*Ballast)
	runtime.KeepAlive(held)
	if got < least || got > most {
		t.Errorf("with %d MB alive the heap's goal is %d MB, want from %d to %d", len(held)>>20, got>>20, least>>20, most>>20)
	}
}

func TestKeepLeavesWhatIsSet(t *testing.T) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			t.Setenv(name, "100")
			Keep()
			t.Cleanup(drop)
			if ballast != nil {
				t.Errorf("got a ballast of %d bytes, want none", len(ballast))
			}
		})
	}
}

// mustKeep keeps the ballast until the test ends, whatever the environment of the tests says.
func mustKeep(t *testing.T) {
	t.Helper()
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	was := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(was) })
	Keep()
	t.Cleanup(drop)
	if len(ballast) != Ballast {
		t.Fatalf("got a ballast of %d bytes, want %d", len(ballast), Ballast)
	}
}

func drop() {
	ballast = nil
	runtime.GC()
}

// goal is the size of the heap in bytes at which the next collection ends.
func goal() uint64 {
	found := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(found)
	return found[0].Value.Uint64()
}
