package sqlstore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkGetKept reads any identity of a store that bench/ has filled and kept, of which
// IDPOOL_BENCH_STORE is the URL and IDPOOL_BENCH_IDENTITIES the number. Its CPU-µs/op is of both modes and all threads.
func BenchmarkGetKept(b *testing.B) {
	url, n := os.Getenv("IDPOOL_BENCH_STORE"), 0
	if url == "" {
		b.Skip("IDPOOL_BENCH_STORE is not set")
	}
	n, err := strconv.Atoi(os.Getenv("IDPOOL_BENCH_IDENTITIES"))
	if err != nil {
		b.Fatal(err)
	}
	s := mustOpen(b, url, Options{})
	get := func() {
		if i, err := s.Identities.Get(b.Context(), keptID(rand.IntN(n))); err != nil || len(i.Logins) != 1 {
			b.Error(i, err)
		}
	}
	for range 3000 {
		get()
	}
	for _, parallel := range []bool{false, true} {
		b.Run(fmt.Sprintf("parallel=%v", parallel), func(b *testing.B) {
			b.ReportAllocs()
			before := usedCPU(b)
			if parallel {
				b.SetParallelism(32)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						get()
					}
				})
			} else {
				for b.Loop() {
					get()
				}
			}
			b.ReportMetric(float64((usedCPU(b)-before).Nanoseconds())/1000/float64(b.N), "CPU-µs/op")
		})
	}
}

// keptID is the id of the nth identity, as bench/ makes it.
func keptID(n int) string {
	return fmt.Sprintf("us-east-1:%08x-1111-4222-8333-%012x", n, uint64(n)*0x9e3779b97f4a&0xffffffffffff)
}

func usedCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
