// Package heap keeps the garbage collector from running for nothing: a server's own data are a few megabytes, and Go would
// collect a hundred times a second for them. Nothing is collected before the heap has grown to a floor; above it, the
// heap may double as ever.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Floor is the size in bytes that the heap may always have.
const Floor = 96 << 20

const (
	usual = 100  // percent that the heap may grow by, Go's own default
	most  = 3200 // where next to nothing is alive
)

// Keep sets the collector's target after every collection, for as long as the process lives. Where GOGC or GOMEMLIMIT say
// what is wanted, it does nothing.
func Keep() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	k := &keeper{percent: usual}
	k.adjust()
	k.watch()
}

type keeper struct{ percent int }

// watch has adjust run after the next collection: that of an object which nobody holds.
func (k *keeper) watch() {
	runtime.AddCleanup(new(*keeper), func(k *keeper) {
		k.adjust()
		k.watch()
	}, k)
}

func (k *keeper) adjust() {
	found := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(found)
	percent := percentFor(found[0].Value.Uint64(), found[1].Value.Uint64()+found[2].Value.Uint64())
	// Setting it stops the world for a moment, so small changes are left.
	if percent*10 < k.percent*9 || percent*9 > k.percent*10 {
		k.percent = percent
		debug.SetGCPercent(percent)
	}
}

// percentFor is how much a heap with so many bytes alive may grow until it is collected. The collector takes its percentage
// also of what stacks and globals hold, its roots: a thousand connections have more of them than the heap has.
func percentFor(live, roots uint64) int {
	if live+roots == 0 {
		return most
	}
	if live >= Floor {
		return usual
	}
	return int(min(max((Floor-live)*100/(live+roots), usual), most))
}
