package main

import (
	"math/rand/v2"
	"slices"

	"idpool/internal/setup"
)

// place is where a row is measured: a server on a store.
type place struct {
	engine     string // sqlite or postgres
	identities int
	uncached   bool // the cache of identities is switched off
	nodes      int  // how many servers there are on the store; 0 means 1
	// own names a store that the place has to itself: its rows add identities, which would burden those on another.
	own string
	// sealed says that the pool is one of `sealed_guests`.
	sealed bool
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
	check checker
	// vends says that the row is about credentials of identities that may be remembered.
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

// rows are all measurements. Those that judge.go names, it names by these names.
var rows = slices.Concat([]row{
	{name: "echo", floor: "RS256", conns: 64},
}, []row{
	vending("credentials", sqlite),
	vendingES256("credentials, ES256", sqlite),
	vending("credentials, repeated tokens", sqlite).with(func(r *row) { r.make = repeated }),
	vending("credentials, guests", sqlite).with(asGuests),
	vending("credentials, sealed guests", sealed(sqlite)).with(asGuests),
	vending("credentials, not cached", uncached(sqlite)),
	vendingES256("credentials, ES256, not cached", uncached(sqlite)),
	vending("credentials, 1 connection", sqlite).with(func(r *row) { r.conns, r.shots = 1, 50 }),
	// Nine requests on each connection: with three, hardly a collection found a thousand connections at work.
	vending("credentials, 1,024 connections", sqlite).with(func(r *row) { r.conns, r.shots = 1024, 600 }),
	vending("credentials, of 100 thousand", sized(sqlite, mid)),
	vending("credentials, of 100 thousand, not cached", uncached(sized(sqlite, mid))),
	vending("credentials, of 10 million", sized(sqlite, large)),
	vending("credentials, of 10 million, not cached", uncached(sized(sqlite, large))),
	vending("credentials, PostgreSQL", postgres),
	vending("credentials, PostgreSQL, not cached", uncached(postgres)),
	vending("credentials, PostgreSQL, two nodes", place{engine: "postgres", identities: small, nodes: 2}),
	vending("credentials, PostgreSQL, of 100 thousand", sized(postgres, mid)),
	vending("credentials, PostgreSQL, of 10 million", sized(postgres, large)),
}, []row{
	{name: "GetId, known", floor: "RS256", at: sqlite, conns: 64, make: knownID, check: known},
	{name: "GetId, new", floor: "RS256", at: owning("new", sqlite), conns: 64, make: newID, check: newcomers},
	{name: "GetId, guest", floor: "RS256", at: owning("guests", sqlite), conns: 64, make: guestID, check: newcomers},
	{name: "GetId, sealed guest", floor: "RS256", at: sealed(sqlite), conns: 64, make: guestID, check: newcomers},
	{name: "GetId, known, PostgreSQL", floor: "RS256", at: postgres, conns: 64, make: knownID, check: known},
	{name: "GetId, new, PostgreSQL", floor: "RS256", at: owning("new", postgres), conns: 64, make: newID, check: newcomers},
	{name: "GetOpenIdToken", floor: "RS256", at: sqlite, conns: 16, shots: 25, make: openIDToken, check: minted},
	{name: "AssumeRoleWithWebIdentity", floor: "RS256", at: sqlite, conns: 64, make: assume, check: vended(webRole)},
	{name: "GetCallerIdentity", floor: "RS256", at: sqlite, conns: 64, make: callerIdentity, check: callers},
})

// vending is GetCredentialsForIdentity with RS256 tokens that were never seen, on 64 connections.
func vending(name string, at place) row {
	return row{name: name, floor: "RS256", at: at, conns: 64, make: credentials("RS256"), check: vended(setup.DevAuthenticatedRole), vends: true}
}

func vendingES256(name string, at place) row {
	return vending(name, at).with(func(r *row) { r.floor, r.make = "ES256", credentials("ES256") })
}

func (r row) with(change func(*row)) row {
	change(&r)
	return r
}

func asGuests(r *row) { r.make, r.check = guests, vended(setup.DevGuestRole) }

func sized(p place, identities int) place {
	p.identities = identities
	return p
}

func owning(name string, p place) place {
	p.own = name
	return p
}

func sealed(p place) place {
	p.own, p.sealed = "sealed", true
	return p
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
