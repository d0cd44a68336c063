package main

import (
	"fmt"
	"math"
)

// judge adds the conditions that docs/performance.md states, as far as their rows were measured.
func (r *rig) judge(f *figures) {
	if echo := r.results["echo"]; echo != nil {
		if q := 1 / median(echo.Ratio); q < 3.0 || q > 4.2 {
			f.Void = fmt.Sprintf("floor ÷ echo is %.2f, which is not from 3.0 to 4.2", q)
		}
	}
	r.atMost(f, "credentials ÷ floor", 1.35, r.value("credentials").Ratio...)
	r.atMost(f, "credentials, ES256 ÷ floor", 1.35, r.value("credentials, ES256").Ratio...)
	r.atMost(f, "credentials, repeated tokens ÷ floor", .75, r.value("credentials, repeated tokens").Ratio...)
	r.uncachedClaim(f, "credentials, not cached")
	r.uncachedClaim(f, "credentials, ES256, not cached")
	r.between(f, "credentials, of 10 million", "credentials", 1.15)
	r.between(f, "credentials, of 10 million, not cached", "credentials, not cached", 1.15)
	r.between(f, "credentials, of 100 thousand", "credentials", 1.15)
	r.between(f, "credentials, of 100 thousand, not cached", "credentials, not cached", 1.15)
	r.costBetween(f, "credentials, 1,024 connections", "credentials", 1.15)
	r.between(f, "credentials, PostgreSQL, two nodes", "credentials, PostgreSQL", 1.1)
	if v := r.results["GetId, new"]; v != nil && !inMemory(r.command.Stores) {
		var found []float64
		for i := range v.PerSec {
			found = append(found, v.PerSec[i]/r.fsyncs[i])
		}
		r.add(f, claim{What: "GetId, new, a second ÷ fsyncs a second", Found: median(found), OffBy: offBy(found), Limit: 1, Least: true})
	}
	r.atMost(f, "p99 ÷ p50 at half the rate, ÷ the floor's", 1.5, r.latency.tails()...)
	r.judgeFloods(f)
	most := math.NaN()
	for _, m := range f.Memory {
		if most != most || float64(m.Most) > most {
			most = float64(m.Most)
		}
	}
	r.atMost(f, "memory in MB, of the server with the most", 250, most/1e6)
	if bytes, measured := r.growth["GetId, sealed guest"]; measured {
		r.atMost(f, "disk for each sealed guest in bytes", 0, bytes)
	}
	r.readsOfPostgres(f)
}

func (r *rig) add(f *figures, c claim) {
	if c.Found != c.Found { // its rows were not measured
		return
	}
	c.Holds = c.Found <= c.Limit && !c.Least || c.Found >= c.Limit && c.Least
	f.Claims = append(f.Claims, c)
}

// atMost wants no more of the median of what was found in each round, or in all at once.
func (r *rig) atMost(f *figures, what string, limit float64, found ...float64) {
	r.add(f, claim{What: what, Found: median(found), OffBy: offBy(found), Limit: limit})
}

// offBy is about one standard error of the median, by the quartiles, as if the rounds were drawn from a normal distribution:
// 1.2533 σ ÷ √n, and the quartiles are 1.349 σ apart. Of one figure it is 0.
func offBy(found []float64) float64 {
	if len(found) < 2 {
		return 0
	}
	return 1.2533 / 1.349 * (quantile(found, .75) - quantile(found, .25)) / math.Sqrt(float64(len(found)))
}

func (r *rig) value(name string) *result {
	if v := r.results[name]; v != nil {
		return v
	}
	return &result{}
}

// between compares two rows by their ratios to the floor, round by round.
func (r *rig) between(f *figures, name, with string, limit float64) {
	a, b := r.value(name), r.value(with)
	var found []float64
	for i := range min(len(a.Ratio), len(b.Ratio)) {
		found = append(found, a.Ratio[i]/b.Ratio[i])
	}
	r.atMost(f, name+" ÷ "+with, limit, found...)
}

// costBetween compares the CPU time itself, round by round: what the floor program makes of so many connections is another
// matter.
func (r *rig) costBetween(f *figures, name, with string, limit float64) {
	a, b := r.value(name), r.value(with)
	var found []float64
	for i := range min(len(a.CPU), len(b.CPU)) {
		found = append(found, a.CPU[i]/b.CPU[i])
	}
	r.atMost(f, name+" ÷ "+with+", CPU", limit, found...)
}

// uncachedClaim wants a row to cost no more than 1.35 floors and one read of the store.
func (r *rig) uncachedClaim(f *figures, name string) {
	v, reads := r.value(name), r.reads[sqlite]
	var found []float64
	for i := range min(len(v.CPU), len(reads)) {
		found = append(found, v.CPU[i]/(1.35*v.Floor[i]+reads[i]))
	}
	r.atMost(f, name+" ÷ (1.35 floors + a read)", 1, found...)
}

// tails are p99 ÷ p50 of idpool, each ÷ that of the floor in the same turn.
func (l *latencies) tails() (out []float64) {
	for i := range l.Idpool {
		a, b := l.Idpool[i], l.Floor[i]
		out = append(out, a.P99/a.P50/(b.P99/b.P50))
	}
	return out
}

// readsOfPostgres wants at most one read for each request. What goes beyond are looks at the configuration, one a second
// and node.
func (r *rig) readsOfPostgres(f *figures) {
	for _, row := range r.rows {
		if v := r.results[row.name]; v.Transactions > 0 {
			r.atMost(f, "transactions of the database a request, "+row.name, 1.05, v.Transactions)
		}
	}
}

// judgeFloods wants what security F3 does: attackers who send a hundred times as much cannot push the p99 of others beyond
// twice what it is without them.
func (r *rig) judgeFloods(f *figures) {
	var calm *flood
	for _, flood := range r.floods {
		switch {
		case flood.Program != "idpool":
		case calm == nil:
			calm = flood
		default:
			r.atMost(f, "p99 during "+flood.Scene+" ÷ without", 2, flood.slower(calm, p99)...)
			if flood.Attack.Rate > 0 { // else they send what the server lets them
				r.add(f, claim{What: "attackers' requests for each honest one, " + flood.Scene, Found: flood.perHonest(), Limit: multiple, Least: true})
			}
		}
	}
}

// slower is by how much something of the turns was higher than in another scene, turn by turn.
func (f *flood) slower(than *flood, what func(percentiles) float64) (out []float64) {
	for i := range min(len(f.Turns), len(than.Turns)) {
		out = append(out, what(f.Turns[i])/what(than.Turns[i]))
	}
	return out
}

func p50(p percentiles) float64 { return p.P50 }
func p90(p percentiles) float64 { return p.P90 }
func p99(p percentiles) float64 { return p.P99 }
