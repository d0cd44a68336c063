package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"idpool/internal/store/sqlstore"
)

// beside measures what is compared with other rows: what the disk can do, and what a read of a store costs.
func (r *rig) beside(ctx context.Context, round int) error {
	if round == 0 {
		return nil
	}
	perSec, err := fsyncs(r.command.Stores, r.command.Smoke)
	if err != nil {
		return err
	}
	r.fsyncs = append(r.fsyncs, perSec)
	for id, w := range r.worlds {
		if id.own != "" {
			continue // it is like the others of its size, at first
		}
		cost, err := readCost(ctx, w, id.identities, r.command)
		if err != nil {
			return err
		}
		r.reads[id] = append(r.reads[id], cost)
	}
	return nil
}

// fsyncs returns how often a second a file of the folder can be written and made durable, 4 KiB each time: one after the
// other, as a log is.
func fsyncs(dir string, quick bool) (perSec float64, err error) {
	f, err := os.CreateTemp(dir, "fsync")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	page := make([]byte, 4096)
	began, n := time.Now(), 0
	for limit := 500 * time.Millisecond; time.Since(began) < limit && !(quick && n > 3); n++ {
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// inMemory reports whether a folder lies in memory, where nothing is ever made durable, and what it costs says nothing.
func inMemory(dir string) bool {
	const tmpfs = 0x01021994 // statfs(2)
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && s.Type == tmpfs
}

// readCost returns the CPU time in µs that this process spends on one read of an identity with its login.
func readCost(ctx context.Context, w *world, identities int, c *runCommand) (cost float64, err error) {
	s, err := sqlstore.Open(ctx, w.storeURL, sqlstore.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.Smoke {
		identities = min(identities, small)
	}
	n := c.Requests
	var before time.Duration
	for i := range 2 * n {
		if i == n { // the first half warms up
			before = ownCPU()
		}
		if _, err := s.Identities.Get(ctx, identityID(rand.IntN(identities))); err != nil {
			return 0, err
		}
	}
	return float64((ownCPU() - before).Nanoseconds()) / 1000 / float64(n), nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// latencies are those of the floor program and of idpool, each at half of what it can do.
type latencies struct {
	Floor, Idpool []percentiles
}

// percentiles are of one run at a fixed rate of arrival.
type percentiles struct {
	Rate               float64 // requests a second
	P50, P90, P99, Max float64 // µs
}

// measureLatency lets requests arrive at half of the rate that each program reached, in turns so short that both of a pair
// meet the machine in one state.
func (r *rig) measureLatency(ctx context.Context) error {
	at := r.results["credentials"]
	if at == nil {
		return nil
	}
	turns, span := 15, time.Second
	if r.command.Smoke {
		turns, span = 1, 50*time.Millisecond
	}
	s := r.sites[sqlite]
	one := func(p *process, rate float64, make func(n int) ([][]byte, error), into *[]percentiles) error {
		requests, err := make(max(int(rate*span.Seconds()), 4))
		if err != nil {
			return err
		}
		found, err := latencyOf(p, requests, rate)
		*into = append(*into, found)
		return err
	}
	parts := []func() error{
		func() error {
			return one(r.floor, at.floorPerSec()/2, func(n int) ([][]byte, error) { return r.floorRequests("RS256", n), nil }, &r.latency.Floor)
		},
		func() error {
			return one(s.nodes[0], at.perSec()/2, func(n int) ([][]byte, error) { return credentials("RS256")(s, n) }, &r.latency.Idpool)
		},
	}
	for turn := range turns {
		for i := range parts {
			if err := errors.Join(ctx.Err(), parts[(i+turn)%2]()); err != nil {
				return err
			}
		}
	}
	return nil
}

func latencyOf(p *process, requests [][]byte, rate float64) (out percentiles, err error) {
	c, err := dial(p.addr, honest, 64)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.warm(requests[:1]); err != nil {
		return out, err
	}
	took, _, err := c.arrive(requests, rate)
	if err != nil || len(took) == 0 {
		return out, err
	}
	return percentilesOf(took, rate), nil
}

// percentilesOf are those of sorted times, of which there is at least one.
func percentilesOf(took []time.Duration, rate float64) percentiles {
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Nanoseconds()) / 1000 }
	return percentiles{Rate: rate, P50: at(.5), P90: at(.9), P99: at(.99), Max: at(1)}
}

// sizeOf is the size of a file and of those that lie beside it with a longer name, in bytes.
func sizeOf(path string) (sum int64) {
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return 0
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
