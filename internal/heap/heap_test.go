package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
)

// TestKeep: the heap may grow by the ballast, of which no page is the system's to find.
func TestKeep(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	before := resident(t)
	Keep()
	t.Cleanup(drop)
	runtime.GC()
	if got := goal(); got < 2*Ballast {
		t.Errorf("the heap's goal: got %d MB, want %d MB at least", got>>20, 2*Ballast>>20)
	}
	if grew := resident(t) - before; grew > Ballast/2 {
		t.Errorf("resident memory grew by %d MB, want the ballast of %d MB untouched", grew>>20, Ballast>>20)
	}
}

// TestLiveHeap: what is alive may double as ever, on top of the ballast.
func TestLiveHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	Keep()
	t.Cleanup(drop)
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

// resident is the memory in bytes that the system backs.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("only Linux says how much memory is resident:", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
