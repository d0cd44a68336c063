package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"idpool/internal/setup"
)

// scene is what attackers do while honest clients ask for credentials.
type scene struct {
	name  string
	token func(p *provider, n int) string // nil: nobody attacks
	// share of what idpool reached is their rate; 0 means as fast as the answers come, on 64 connections.
	share float64
	// patience is how long attackers wait for an answer before they come on a new connection; 0 means for ever.
	patience time.Duration
}

// scenes are measured in turn. The first is what the others are compared with.
var scenes = []scene{
	{name: "no attack"},
	{name: "forged tokens, half of the rate", token: forged, share: .5},
	{name: "forged tokens, without pause", token: forged},
	{name: "forged tokens, half of the rate, without patience", token: forged, share: .5, patience: 20 * time.Millisecond},
	{name: "malformed tokens, without pause", token: malformed},
}

func forged(p *provider, n int) string    { return p.forged(subject(n)) }
func malformed(p *provider, n int) string { return p.malformed(subject(n), n) }

// floodTurns is how often each scene is played, and multiple how many requests of attackers there are at least for each of
// an honest client (security F3).
const (
	floodTurns = 5
	multiple   = 100
)

// flood is what was measured of a program in one scene.
type flood struct {
	Scene, Program     string
	P50, P90, P99, Max float64 // µs of the honest clients' requests, of all turns together
	Turns              []percentiles
	Honest             int     // their number: all of them were answered as they should be
	Again              int     // how often one of them was told to come again
	Rate               float64 // of honest requests, a second
	Attack             tally
	Cores              float64 // how many cores the program took

	took []time.Duration
	cpu  time.Duration
	span time.Duration
}

// measureFloods lets honest requests with good tokens arrive at a fixed rate, from a hundredth of half of the rate that
// idpool reached, while attackers send what must be refused. The floor program goes through the same.
func (r *rig) measureFloods(ctx context.Context) (err error) {
	at := r.results["credentials"]
	if at == nil || r.command.Flood == 0 {
		return nil
	}
	turns := floodTurns
	if r.command.Smoke {
		turns = 1
	}
	half := at.perSec() / 2
	dir, err := os.MkdirTemp(r.command.Stores, "attacks")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plays, err := r.plays(dir, half/(1.1*multiple))
	if err != nil {
		return err
	}
	for turn := range turns {
		for i := range plays {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.play(plays[(i+turn)%len(plays)], half); err != nil {
				return fmt.Errorf("%s: %w", plays[(i+turn)%len(plays)].flood.Scene, err)
			}
		}
	}
	for _, p := range plays {
		p.flood.sum()
		r.floods = append(r.floods, p.flood)
	}
	return nil
}

// play is a scene before a program.
type play struct {
	scene   scene
	process *process
	make    func(n int) ([][]byte, error) // honest requests
	check   func(requests, answers [][]byte) error
	file    string // of the attackers' requests
	flood   *flood
}

// plays are all scenes before both programs.
func (r *rig) plays(dir string, rate float64) (out []*play, err error) {
	s := r.sites[sqlite]
	for _, sc := range scenes {
		own := &play{
			scene: sc, process: s.nodes[0], flood: &flood{Scene: sc.name, Program: "idpool", Rate: rate},
			make: func(n int) ([][]byte, error) { return credentials("RS256")(s, n) },
			check: func(requests, answers [][]byte) error {
				return vended(setup.DevAuthenticatedRole)(s, requests, answers)
			},
		}
		floor := &play{
			scene: sc, process: r.floor, flood: &flood{Scene: sc.name, Program: "floor", Rate: rate},
			make:  func(n int) ([][]byte, error) { return r.floorRequests("RS256", n), nil },
			check: func(_, _ [][]byte) error { return nil },
		}
		if sc.token != nil {
			own.file, err = r.attackFile(dir, s.credentials, sc, "idpool")
			if err != nil {
				return nil, err
			}
			floor.file, err = r.attackFile(dir, r.floorRequest, sc, "floor")
			if err != nil {
				return nil, err
			}
		}
		out = append(out, own, floor)
	}
	return out, nil
}

// attackFile writes the attackers' requests to a file.
func (r *rig) attackFile(dir string, request func(*ticket) []byte, sc scene, program string) (string, error) {
	var all [][]byte
	for n := range 2000 {
		who := n % working
		all = append(all, request(&ticket{identity: who, token: sc.token(r.provider, who)}))
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, fmt.Sprintf("%s, %s.json", program, sc.name))
	return file, os.WriteFile(file, text, 0o600)
}

// settling is how long an attack has lasted when the first honest request comes.
const settling = 300 * time.Millisecond

// play measures one turn.
func (r *rig) play(p *play, half float64) (err error) {
	requests, err := p.make(max(int(p.flood.Rate*r.command.Flood.Seconds()), 4))
	if err != nil {
		return err
	}
	c, err := dial(p.process.addr, honest, 16)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.warm(requests[:1]); err != nil {
		return err
	}
	var under *attack
	if p.file != "" {
		p.flood.Attack.Rate = 2 * half * p.scene.share
		if under, err = startAttack(p.process.addr, p.file, p.flood.Attack.Rate, p.scene.patience, r.output); err != nil {
			return err
		}
		time.Sleep(min(settling, r.command.Flood))
	}
	before, began := p.process.cpu(), time.Now()
	took, answers, err := c.arrive(requests, p.flood.Rate)
	p.flood.cpu, p.flood.span = p.flood.cpu+p.process.cpu()-before, p.flood.span+time.Since(began)
	if under != nil {
		got, failed := under.stop()
		err = errors.Join(err, failed)
		if failed == nil {
			err = errors.Join(err, p.flood.Attack.merge(got))
		}
	}
	if err != nil {
		return err
	}
	p.flood.add(took, c.again())
	return p.check(requests, answers)
}

// merge adds what became of another attack. None of them may have succeeded.
func (t *tally) merge(other *tally) error {
	if t.Answers == nil {
		t.Answers = map[string]int{}
	}
	t.add(other.Answers)
	t.Seconds, t.Missed = t.Seconds+other.Seconds, t.Missed+other.Missed
	if n := other.Answers["200"]; n > 0 {
		return fmt.Errorf("%d attackers got what they asked for", n)
	}
	return nil
}

// add adds the sorted times of a turn.
func (f *flood) add(took []time.Duration, again int) {
	f.Turns = append(f.Turns, percentilesOf(took, f.Rate))
	f.took, f.Again = append(f.took, took...), f.Again+again
}

// sum reckons the figures of all turns together.
func (f *flood) sum() {
	slices.Sort(f.took)
	all := percentilesOf(f.took, f.Rate)
	f.Honest, f.P50, f.P90, f.P99, f.Max = len(f.took), all.P50, all.P90, all.P99, all.Max
	f.Cores = f.cpu.Seconds() / cmp.Or(f.span.Seconds(), 1)
}

// perHonest is how many requests attackers had to send for each honest one in the same time. Those that they could not
// send, because the answer before had not come, count: to keep attackers waiting is a defence.
func (f *flood) perHonest() float64 {
	return float64(f.Attack.Sent+f.Attack.Missed) / cmp.Or(f.Attack.Seconds, 1) / f.Rate
}

// limited is the share of the attackers' requests that were refused for their number, before anything was verified.
func (f *flood) limited() float64 {
	return float64(f.Attack.Answers["TooManyRequestsException"]) / float64(max(f.Attack.Sent, 1))
}
