package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"text/tabwriter"
)

// result is what was measured of one row, round by round.
type result struct {
	CPU    []float64 // µs a request
	PerSec []float64 // requests a second
	Ratio  []float64 // CPU ÷ that of the floor in the same round
	Floor  []float64 // CPU of the floor, µs a request
	Again  []float64 // the share of requests that the server did not take at once
	floors []float64 // requests a second of the floor
	// Transactions are those that PostgreSQL counted, a request.
	Transactions float64
}

func (r *rig) result(name string) *result {
	if r.results[name] == nil {
		r.results[name] = &result{}
	}
	return r.results[name]
}

func (r *result) add(one, base sample) {
	r.CPU, r.PerSec = append(r.CPU, one.cpu), append(r.PerSec, one.perSec)
	r.Floor, r.floors = append(r.Floor, base.cpu), append(r.floors, base.perSec)
	r.Ratio, r.Again = append(r.Ratio, one.cpu/base.cpu), append(r.Again, one.again)
}

func (r *result) perSec() float64      { return median(r.PerSec) }
func (r *result) floorPerSec() float64 { return median(r.floors) }

func median(v []float64) float64 { return quantile(v, .5) }

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// quantile interpolates; of nothing it is not a number.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	at := q * float64(len(s)-1)
	low := int(at)
	return s[low] + (at-float64(low))*(s[min(low+1, len(s)-1)]-s[low])
}

// figures are what is printed and written as JSON.
type figures struct {
	Rounds  int
	Rows    []line
	Claims  []claim
	Latency latencies
	Floods  []*flood `json:",omitempty"`
	Fsyncs  float64  // a second, one after the other
	Reads   map[string]float64
	Startup float64 // ms from the start of the process to its first answer
	Binary  int64   // bytes
	Memory  map[string]memory
	PerRow  map[string]float64 // bytes of disk for each identity that a store was filled with
	Growth  map[string]float64 // and for each that a row made
	Void    string             `json:",omitempty"`
}

// memory is the resident memory of a server in bytes: at the end, at its highest under load, and until its first answer.
type memory struct{ Now, Most, Start int64 }

// line is a row of the table.
type line struct {
	Name               string
	CPU, Floor, PerSec float64
	Ratio, Low, High   float64 // median and quartiles of CPU ÷ floor
	Whole              float64 // the CPU of all rounds ÷ that of the floor: with what comes in few of them, as collections of garbage do
	Again              float64 // the mean share of requests that were told to come again
}

// claim is a condition with what was found.
type claim struct {
	What         string
	Found, Limit float64
	OffBy        float64 // see offBy; 0 where Found is no median
	Least        bool    `json:",omitempty"` // Found must reach Limit, not stay below it
	Holds        bool
}

// spread is how OffBy is printed.
func (c claim) spread() string {
	if c.OffBy == 0 {
		return ""
	}
	return fmt.Sprintf("± %.2f", c.OffBy)
}

func (r *rig) report(w io.Writer) error {
	f := r.figures()
	f.print(w)
	if r.command.JSON == "" {
		return nil
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.command.JSON, append(text, '\n'), 0o644)
}

func (r *rig) figures() *figures {
	f := &figures{
		Rounds: r.command.Rounds, Latency: r.latency, Floods: r.floods, Fsyncs: median(r.fsyncs), Reads: map[string]float64{},
		Binary: sizeOf(r.command.Idpool), Memory: map[string]memory{}, PerRow: map[string]float64{}, Growth: r.growth,
	}
	for _, row := range r.rows {
		v := r.results[row.name]
		f.Rows = append(f.Rows, line{
			Name: row.name, CPU: median(v.CPU), Floor: median(v.Floor), PerSec: v.perSec(),
			Ratio: median(v.Ratio), Low: quantile(v.Ratio, .25), High: quantile(v.Ratio, .75),
			Whole: mean(v.CPU) / mean(v.Floor), Again: mean(v.Again),
		})
	}
	for id, costs := range r.reads {
		f.Reads[id.String()] = median(costs)
	}
	for id, w := range r.worlds {
		if id.own != "" {
			continue
		}
		f.PerRow[id.String()] = float64(w.seeded.Bytes) / float64(w.seeded.Identities)
	}
	var startups []float64
	for at, s := range r.sites {
		now, most := s.nodes[0].memory()
		f.Memory[at.String()] = memory{Now: now, Most: most, Start: s.nodes[0].peak}
		startups = append(startups, s.nodes[0].startup.Seconds()*1000)
	}
	f.Startup = median(startups)
	if !r.command.Smoke { // a few requests say nothing of what they cost
		r.judge(f)
	}
	return f
}

// String names a place in the report.
func (p place) String() string {
	name := fmt.Sprintf("%s, %d identities", p.engine, p.identities)
	if p.uncached {
		name += ", not cached"
	}
	if p.own != "" {
		name += ", " + p.own
	}
	if p.nodes > 1 {
		name += fmt.Sprintf(", %d nodes", p.nodes)
	}
	return name
}

func (f *figures) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p("row\tCPU µs\tfloor µs\tratio\tquartiles\tof sums\treq/s\t")
	for _, l := range f.Rows {
		p("%s\t%.1f\t%.1f\t%.2f\t%.2f–%.2f\t%.2f\t%.0f\t", l.Name, l.CPU, l.Floor, l.Ratio, l.Low, l.High, l.Whole, l.PerSec)
	}
	p("")
	for _, c := range f.Claims {
		word, sign := "holds", "at most"
		if !c.Holds {
			word = "FAILS"
		}
		if c.Least {
			sign = "at least"
		}
		p("%s\t%.2f\t%s\t%s\t%.2f\t%s\t", c.What, c.Found, c.spread(), sign, c.Limit, word)
	}
	p("")
	p("fsyncs a second\t%.0f\t", f.Fsyncs)
	for _, name := range sortedKeys(f.Reads) {
		p("a read, %s\t%.1f µs\t", name, f.Reads[name])
	}
	for _, name := range sortedKeys(f.PerRow) {
		p("disk per identity, %s\t%.0f bytes\t", name, f.PerRow[name])
	}
	for _, name := range sortedKeys(f.Growth) {
		p("disk for each identity made, %s\t%.0f bytes\t", name, f.Growth[name])
	}
	for _, l := range f.Rows {
		if l.Again > 0 {
			p("told to come again, %s\t%.2f %%\t", l.Name, l.Again*100)
		}
	}
	for _, name := range sortedKeys(f.Memory) {
		m := f.Memory[name]
		p("memory now, at most, and at most while it started, %s\t%d\t%d\t%d MB\t", name, m.Now/1e6, m.Most/1e6, m.Start/1e6)
	}
	for i := range f.Latency.Idpool {
		a, b := f.Latency.Floor[i], f.Latency.Idpool[i]
		p("latency µs p50, p90, p99, floor at %.0f/s, idpool at %.0f/s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t", a.Rate, b.Rate, a.P50, a.P90, a.P99, b.P50, b.P90, b.P99)
	}
	for _, f := range f.Floods {
		p("%s, %s: µs p50, p90, p99, most; attackers for each; %% of them limited; cores; told to come again\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t%d\t",
			f.Scene, f.Program, f.P50, f.P90, f.P99, f.Max, f.perHonest(), 100*f.limited(), f.Cores, f.Again)
	}
	for _, f := range compared(f.Floods) {
		p("%s\t%.2f\t%.2f\t%.2f\t", f.what, f.p50, f.p90, f.p99)
	}
	p("start-up\t%.0f ms\t", f.Startup)
	p("binary\t%.1f MB\t", float64(f.Binary)/1e6)
	_ = w.Flush()
	if f.Void != "" {
		_, _ = fmt.Fprintln(out, "THIS RUN IS VOID:", f.Void)
	}
}

// comparison is a scene compared with that without attackers, before the same program: medians of the turns.
type comparison struct {
	what          string
	p50, p90, p99 float64
}

func compared(floods []*flood) (out []comparison) {
	calm := map[string]*flood{}
	for _, f := range floods {
		with := calm[f.Program]
		if with == nil {
			calm[f.Program] = f
			continue
		}
		out = append(out, comparison{
			"÷ without, p50, p90, p99: " + f.Scene + ", " + f.Program,
			median(f.slower(with, p50)), median(f.slower(with, p90)), median(f.slower(with, p99)),
		})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
