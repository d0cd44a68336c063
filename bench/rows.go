package main

import "math/rand/v2"

// place is where a row is measured: a server on a store.
type place struct {
	engine     string // sqlite or postgres
	identities int
	uncached   bool // the cache of identities is switched off
	nodes      int  // how many servers there are on the store; 0 means 1
}

// row is one measurement.
type row struct {
	name  string
	floor string // the path of the floor program that it is compared with
	at    place
	conns int
	// shots is how many requests it sends for each hundred of --requests; 0 means 100.
	shots int
	make  maker
	// vends says that the answers hold credentials, each with a key of its own.
	vends bool
}

// maker makes n requests to a server.
type maker func(s *site, n int) ([][]byte, error)

const (
	small = 1_000
	mid   = 100_000
	large = 10_000_000
)

// working is how many identities the rows with a cache use. They are asked for right before each burst, so that all of
// them are remembered.
const working = 100

var (
	sqlite   = place{engine: "sqlite", identities: small}
	postgres = place{engine: "postgres", identities: small}
)

// rows are all measurements. The first three conditions of docs/performance.md name them by these names.
var rows = []row{
	{name: "echo", floor: "RS256", conns: 64},
	{name: "credentials", floor: "RS256", at: sqlite, conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, ES256", floor: "ES256", at: sqlite, conns: 64, make: credentials("ES256"), vends: true},
	{name: "credentials, repeated tokens", floor: "RS256", at: sqlite, conns: 64, make: repeated, vends: true},
	{name: "credentials, guests", floor: "RS256", at: sqlite, conns: 64, make: guests, vends: true},
	{name: "credentials, not cached", floor: "RS256", at: uncached(sqlite), conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, ES256, not cached", floor: "ES256", at: uncached(sqlite), conns: 64, make: credentials("ES256"), vends: true},
	{name: "credentials, 1 connection", floor: "RS256", at: sqlite, conns: 1, shots: 50, make: credentials("RS256"), vends: true},
	{name: "credentials, 1,024 connections", floor: "RS256", at: sqlite, conns: 1024, shots: 200, make: credentials("RS256"), vends: true},
	{name: "credentials, of 100 thousand", floor: "RS256", at: place{engine: "sqlite", identities: mid}, conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, of 10 million", floor: "RS256", at: place{engine: "sqlite", identities: large}, conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, of 10 million, not cached", floor: "RS256", at: uncached(place{engine: "sqlite", identities: large}), conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, PostgreSQL", floor: "RS256", at: postgres, conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, PostgreSQL, not cached", floor: "RS256", at: uncached(postgres), conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, PostgreSQL, two nodes", floor: "RS256", at: place{engine: "postgres", identities: small, nodes: 2}, conns: 64, make: credentials("RS256"), vends: true},
	{name: "credentials, PostgreSQL, of 10 million", floor: "RS256", at: place{engine: "postgres", identities: large}, conns: 64, make: credentials("RS256"), vends: true},
	{name: "GetId, known", floor: "RS256", at: sqlite, conns: 64, make: knownID},
	{name: "GetId, new", floor: "RS256", at: sqlite, conns: 64, make: newID},
	{name: "GetId, new, PostgreSQL", floor: "RS256", at: postgres, conns: 64, make: newID},
	{name: "GetOpenIdToken", floor: "RS256", at: sqlite, conns: 16, shots: 25, make: openIDToken},
	{name: "AssumeRoleWithWebIdentity", floor: "RS256", at: sqlite, conns: 64, make: assume},
	{name: "GetCallerIdentity", floor: "RS256", at: sqlite, conns: 64, make: callerIdentity},
}

func uncached(p place) place {
	p.uncached = true
	return p
}

// subjectsOf says whose tokens a place gets: those of a working set that lies all over the store, or of anybody.
func subjectsOf(p place) func(n int) int {
	if p.uncached {
		return func(int) int { return rand.IntN(p.identities) }
	}
	set := min(working, p.identities)
	return func(n int) int { return n % set * (p.identities / set) }
}
