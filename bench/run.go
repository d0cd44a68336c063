package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

// runCommand measures.
type runCommand struct {
	Idpool   string        `default:"bin/idpool" help:"The program to measure."`
	Rounds   int           `default:"15" help:"How many rounds count; one more goes before them."`
	Requests int           `default:"1500" help:"How many requests a row sends in a round."`
	Rows     string        `default:"." help:"A regular expression: which rows."`
	Stores   string        `default:"${stores}" help:"Where filled stores are kept between runs."`
	Postgres string        `env:"IDPOOL_TEST_POSTGRES" help:"A postgres:// URL of a server on which databases may be made; without, its rows are left out."`
	Port     int           `default:"28443" help:"The port of the identity provider; kept stores are bound to it."`
	Largest  int           `default:"10000000" help:"Leave out rows with more identities."`
	JSON     string        `help:"Also write the figures here."`
	Flood    time.Duration `default:"4s" help:"How long each turn of a flood lasts; 0 leaves floods out."`
	Profile  string        `help:"Write a CPU profile of the first server here."`
	Smoke    bool          `help:"Only see that every row works: few requests, few identities, no stores kept."`
}

// Run measures the rows and prints the table.
func (c *runCommand) Run(ctx context.Context) (err error) {
	runtime.GOMAXPROCS(runtime.NumCPU() + 2) // who sleeps until a request is due (sleepUntil) must keep nobody from sending
	pattern, err := regexp.Compile(c.Rows)
	if err != nil {
		return err
	}
	if c.Smoke {
		c.Rounds, c.Requests, c.Port, c.Flood = 1, 20, 0, min(c.Flood, 100*time.Millisecond)
		if c.Stores, err = os.MkdirTemp("", "bench"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Stores)) }()
	}
	r := &rig{command: c, started: time.Now(), sites: map[place]*site{}, worlds: map[place]*world{}, keys: map[string]bool{}, results: map[string]*result{}, reads: map[place][]float64{}, growth: map[string]float64{}}
	defer r.close()
	if err := r.start(); err != nil {
		return err
	}
	for i := range rows {
		if row := &rows[i]; row.make == nil || pattern.MatchString(row.name) && r.can(row) { // without echo, nothing tells whether the run is void
			r.rows = append(r.rows, row)
		}
	}
	if err := r.measure(ctx); err != nil {
		return err
	}
	return r.report(os.Stdout)
}

// rig is everything that runs.
type rig struct {
	command  *runCommand
	started  time.Time
	provider *provider
	floor    *process
	sites    map[place]*site
	worlds   map[place]*world // by engine and number of identities
	rows     []*row
	keys     map[string]bool // access key ids that were vended
	twice    int             // how often one of them was vended again
	results  map[string]*result
	floors   map[string][][]byte // requests to the floor program, by path
	output   io.Writer
	fsyncs   []float64           // a second
	reads    map[place][]float64 // µs of a read, by store
	growth   map[string]float64  // bytes of disk for each identity that a row made
	latency  latencies
	floods   []*flood
	passing  []string // databases to remove at the end
}

// can reports whether the row can be measured here.
func (r *rig) can(row *row) bool {
	return (row.at.engine != "postgres" || r.command.Postgres != "") && (row.at.identities <= r.command.Largest || r.command.Smoke)
}

// start starts the provider and the floor program.
func (r *rig) start() (err error) {
	dir := r.command.Stores
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if r.output, err = os.OpenFile(filepath.Join(dir, "output"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	if r.provider, err = startProvider(dir, r.command.Port); err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if r.floor, err = startProcess(addr, "/livez", r.output, self, "floor", "--listen", addr, "--keys", r.provider.pem); err != nil {
		return err
	}
	return r.makeFloors()
}

// makeFloors makes the requests to the floor program: it remembers nothing, so it may see them again and again.
func (r *rig) makeFloors() error {
	r.floors = map[string][][]byte{}
	for _, alg := range []string{"RS256", "ES256"} {
		s := &supply{provider: r.provider, alg: alg, subjects: func(n int) int { return n }}
		tickets, err := s.take(256)
		if err != nil {
			return err
		}
		for _, t := range tickets {
			r.floors[alg] = append(r.floors[alg], r.floorRequestAt(alg, t))
			r.floors["echo"] = append(r.floors["echo"], r.floorRequestAt("echo", t))
		}
	}
	return nil
}

func (r *rig) floorRequestAt(path string, t *ticket) []byte {
	body := `{"IdentityId":"` + identityID(t.identity) + `","Logins":{"` + r.provider.key + `":"` + t.token + `"}}`
	return post(r.floor.addr, "/"+path, "application/x-amz-json-1.1", "", body)
}

func (r *rig) floorRequest(t *ticket) []byte { return r.floorRequestAt("RS256", t) }

func (r *rig) floorRequests(path string, n int) (out [][]byte) {
	for i := range n {
		out = append(out, r.floors[path][i%len(r.floors[path])])
	}
	return out
}

func (r *rig) close() {
	defer func() {
		for _, name := range r.passing {
			if err := dropDatabase(r.command.Postgres, name); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
			}
		}
	}()
	for _, s := range r.sites {
		for _, node := range s.nodes {
			node.stop()
		}
	}
	if r.floor != nil {
		r.floor.stop()
	}
	if r.provider != nil {
		_ = r.provider.close()
	}
}

// measure runs all rounds, in each of which the rows come in another order.
func (r *rig) measure(ctx context.Context) error {
	for _, row := range r.rows {
		if _, err := r.site(ctx, row.at); err != nil {
			return err
		}
	}
	for round := range r.command.Rounds + 1 {
		for _, i := range rand.Perm(len(r.rows)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.pair(ctx, r.rows[i], round); err != nil {
				return fmt.Errorf("%s: %w", r.rows[i].name, err)
			}
		}
		if err := r.beside(ctx, round); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d after %v\n", round, r.command.Rounds, time.Since(r.started).Round(time.Second))
	}
	if err := r.countReads(ctx); err != nil {
		return err
	}
	if err := r.measureGrowth(ctx); err != nil {
		return err
	}
	if err := r.measureLatency(ctx); err != nil {
		return err
	}
	return r.measureFloods(ctx)
}

// pair measures a row and the floor right before or after it.
func (r *rig) pair(ctx context.Context, row *row, round int) error {
	s, err := r.site(ctx, row.at)
	if err != nil {
		return err
	}
	n := max(r.command.Requests*orHundred(row.shots)/100, 4)
	floorN := max(n, r.command.Requests/2)
	var one, base sample
	parts := []func() error{
		func() (err error) {
			base, err = r.burstFloor(row.floor, floorN, row.conns)
			return
		},
		func() (err error) { one, err = r.shoot(s, row, n); return },
	}
	for i := range parts {
		if err := parts[(i+round)%2](); err != nil {
			return err
		}
	}
	if round > 0 {
		r.result(row.name).add(one, base)
	}
	return nil
}

func orHundred(shots int) int {
	if shots == 0 {
		return 100
	}
	return shots
}

// shoot measures the row itself.
func (r *rig) shoot(s *site, row *row, n int) (sample, error) {
	if row.make == nil {
		return r.burstFloor(row.name, n, row.conns)
	}
	requests, err := row.make(s, n)
	if err != nil {
		return sample{}, err
	}
	if row.vends && !row.at.uncached {
		if err := s.warm(); err != nil {
			return sample{}, err
		}
	}
	warming, err := repeated(s, working)
	if err != nil {
		return sample{}, err
	}
	got, answers, err := burst(s.nodes, warming, requests, row.conns)
	if err != nil {
		return sample{}, err
	}
	return got, row.check(s, requests, answers)
}

func (r *rig) burstFloor(path string, n, conns int) (sample, error) {
	got, _, err := burst([]*process{r.floor}, r.floors[path], r.floorRequests(path, n), conns)
	return got, err
}

// sample is one burst.
type sample struct {
	cpu     float64 // µs a request, of all processes
	perSec  float64 // requests a second
	again   float64 // the share of requests that the server did not take at once
	elapsed time.Duration
}

// burst sends requests to nodes, on conns connections in all. Each connection carries one of the warming requests before
// the clock starts.
func burst(nodes []*process, warming, requests [][]byte, conns int) (got sample, answers [][]byte, err error) {
	all := &clients{}
	defer func() { err = errors.Join(err, all.close()) }()
	for _, node := range nodes {
		c, err := dial(node.addr, honest, max(min(conns, len(requests))/len(nodes), 1))
		if err != nil {
			return got, nil, err
		}
		all.conns = append(all.conns, c.conns...)
	}
	if err := all.warm(warming); err != nil {
		return got, nil, err
	}
	again, before := all.again(), cpuOf(nodes)
	began := time.Now()
	answers, err = all.burst(requests)
	took := time.Since(began)
	spent := cpuOf(nodes) - before
	n := float64(len(requests))
	got = sample{cpu: float64(spent.Nanoseconds()) / 1000 / n, perSec: n / took.Seconds(), again: float64(all.again()-again) / n, elapsed: took}
	return got, answers, err
}

func cpuOf(nodes []*process) (sum time.Duration) {
	for _, node := range nodes {
		sum += node.cpu()
	}
	return sum
}
