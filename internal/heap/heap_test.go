package heap

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	for _, c := range []struct {
		live, roots uint64
		want        int
	}{
		{0, 0, most}, {1, 0, most}, {2 << 20, 0, most}, {8 << 20, 0, 1100}, {32 << 20, 0, 200}, {48 << 20, 0, 100}, {80 << 20, 0, 100},
		{Floor, 0, 100}, {10 * Floor, 0, 100}, {1 << 62, 0, 100},
		{8 << 20, 36 << 20, 200}, {0, 32 << 20, 300}, {32 << 20, 32 << 20, 100}, {8 << 20, 1 << 40, 100}, {Floor, 32 << 20, 100},
	} {
		if got := percentFor(c.live, c.roots); got != c.want {
			t.Errorf("%d MB alive and %d MB of roots: got %d%%, want %d%%", c.live>>20, c.roots>>20, got, c.want)
		}
	}
}

// TestKeep: the target follows what is alive, down as well as up.
func TestKeep(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	Keep()
	if got := percent(); got <= usual {
		t.Errorf("with next to nothing alive: got %d%%, want more than %d%%", got, usual)
	}
	held := make([]byte, 2*Floor)
	for i := 0; percent() != usual; i++ { // cleanups run some time after a collection
		if i > 1000 {
			t.Fatalf("with %d MB alive: got %d%%, want %d%%", len(held)>>20, percent(), usual)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	runtime.KeepAlive(held)
}

func TestKeepLeavesWhatIsSet(t *testing.T) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			t.Setenv(name, "100")
			defer debug.SetGCPercent(debug.SetGCPercent(70))
			Keep()
			if got := percent(); got != 70 {
				t.Errorf("got %d%%, want it left at 70%%", got)
			}
		})
	}
}

// percent is the setting now.
func percent() int {
	p := debug.SetGCPercent(usual)
	debug.SetGCPercent(p)
	return p
}
