package cognito_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"idpool/internal/config"
	"idpool/internal/identity"
	"idpool/internal/store/storetest"
)

// The property test: random calls of the whole API over several pools and nodes, one after another beside a model in
// memory that says what each must answer, or several at once, after which the model reads the store. Whatever happens, a
// login belongs to one identity, an identity to one pool, and no id comes back.

// person is an identity as the model has it.
type person struct {
	pool           string
	born           time.Time
	auth, disabled bool
	logins         []identity.LoginKey
}

func (p *person) holds(k identity.LoginKey) bool { return slices.Contains(p.logins, k) }

// past is what was once so and must stay so.
type past struct {
	pool                    string
	auth, disabled, deleted bool
}

// graph is the machine.
type graph struct {
	nodes  []*world
	pools  []string
	people map[string]*person
	past   map[string]past
}

// step is one call with what the model knows about it.
type step struct {
	node *world
	op   string
	in   object
	// expect returns the beginning of the refusal, or changes the model for an answer with this identity id.
	expect func(id string) (refusal string)
}

var subjectsOfTests = []string{"1", "2", "3"}

func (g *graph) owner(poolID string, k identity.LoginKey) string {
	for id, p := range g.people {
		if p.pool == poolID && p.holds(k) {
			return id
		}
	}
	return ""
}

// resolve is what a call with logins must do (spec cognito-identity §9.2–9.3): the refusal, or the change of the model
// once the answer shows which id a new identity has.
func (g *graph) resolve(poolID, target string, keys []identity.LoginKey, answered string) string {
	parties := map[string]*person{}
	if target != "" {
		p := g.people[target]
		if p == nil || p.pool != poolID {
			return missing + ": " + noIdentity(target)
		}
		for _, k := range keys {
			if o := g.owner(poolID, k); k.Provider == developer && o != "" && o != target {
				return taken + ": " + registered
			}
		}
		if p.disabled {
			return refused + ": " + forbidden(target)
		}
		if p.auth && !slices.ContainsFunc(keys, p.holds) {
			return refused + ": " + loginsDontMatch
		}
		parties[target] = p
	}
	var all []identity.LoginKey
	for _, k := range keys {
		if o := g.owner(poolID, k); o != "" {
			parties[o] = g.people[o]
		}
		all = append(all, k)
	}
	for _, p := range parties {
		all = append(all, p.logins...)
	}
	slices.SortFunc(all, compareKeys)
	all = slices.Compact(all)
	for n := 1; n < len(all); n++ {
		if all[n].Provider == all[n-1].Provider && all[n].Provider != developer {
			return conflict + ": " + linkedElsewhere
		}
	}
	if len(parties) == 0 {
		g.people[answered] = &person{pool: poolID, born: g.nodes[0].clock.Now(), auth: true, logins: all}
		return ""
	}
	left := g.survivor(parties)
	if left != answered && answered != "" {
		return "an answer with " + left
	}
	for id, p := range parties {
		if id == left {
			p.auth, p.logins = true, all
		} else {
			p.disabled, p.logins = true, nil
		}
	}
	return ""
}

// survivor is the authenticated one, of several the oldest, of these the one with the smallest id.
func (g *graph) survivor(parties map[string]*person) string {
	return slices.MinFunc(slices.Collect(maps.Keys(parties)), func(a, b string) int {
		p, q := parties[a], parties[b]
		if p.auth != q.auth {
			return map[bool]int{true: -1, false: 1}[p.auth]
		}
		return cmp.Or(p.born.Compare(q.born), cmp.Compare(a, b))
	})
}

func compareKeys(a, b identity.LoginKey) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Subject, b.Subject))
}

// anyLogins draws logins of public providers, as tokens and as keys.
func (g *graph) anyLogins(t *rapid.T, node *world, least int) (map[string]string, []identity.LoginKey) {
	tokens, keys := map[string]string{}, []identity.LoginKey(nil)
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, poolIssuers-1), least, poolIssuers, rapid.ID).Draw(t, "issuers") {
		sub := rapid.SampledFrom(subjectsOfTests).Draw(t, "subject")
		tokens[node.idp.key(n)] = node.idp.token(n, sub, nil)
		keys = append(keys, identity.LoginKey{Provider: node.idp.key(n), Subject: sub})
	}
	return tokens, keys
}

// anyID draws an identity of any state, deleted ones included.
func (g *graph) anyID(t *rapid.T) string {
	if len(g.past) == 0 {
		return unknownID
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(g.past))).Draw(t, "identity")
}

// poolOf is the pool of an identity, also of a deleted one.
func (g *graph) poolOf(id string) string {
	if p, ok := g.past[id]; ok {
		return p.pool
	}
	return g.pools[0]
}

// anyStep draws a call.
func (g *graph) anyStep(t *rapid.T) step {
	node := rapid.SampledFrom(g.nodes).Draw(t, "node")
	s := []func(*rapid.T, *world) step{g.guest, g.getID, g.enter, g.enter, g.developers, g.unlink, g.unlinkDeveloper, g.mergeUsers, g.remove}
	out := rapid.SampledFrom(s).Draw(t, "call")(t, node)
	out.node = node
	return out
}

func (g *graph) anyPool(t *rapid.T) string { return rapid.SampledFrom(g.pools).Draw(t, "pool") }

func (g *graph) guest(t *rapid.T, _ *world) step {
	id := g.anyPool(t)
	return step{op: "GetId", in: object{"IdentityPoolId": id}, expect: func(answered string) string {
		g.people[answered] = &person{pool: id, born: g.nodes[0].clock.Now()}
		return ""
	}}
}

func (g *graph) getID(t *rapid.T, node *world) step {
	id := g.anyPool(t)
	tokens, keys := g.anyLogins(t, node, 1)
	return step{op: "GetId", in: object{"IdentityPoolId": id, "Logins": tokens}, expect: func(answered string) string { return g.resolve(id, "", keys, answered) }}
}

func (g *graph) enter(t *rapid.T, node *world) step {
	id := g.anyID(t)
	tokens, keys := g.anyLogins(t, node, 0)
	return step{op: "GetCredentialsForIdentity", in: object{"IdentityId": id, "Logins": tokens}, expect: func(answered string) string {
		p := g.people[id]
		switch {
		case p == nil:
			return missing + ": " + noIdentity(id)
		case len(keys) > 0:
			return g.resolve(p.pool, id, keys, answered)
		case p.auth || p.disabled:
			return refused + ": " + forbidden(id)
		}
		return ""
	}}
}

func (g *graph) developers(t *rapid.T, node *world) step {
	target, id := "", g.anyPool(t)
	if rapid.Bool().Draw(t, "targeted") {
		target = g.anyID(t)
		if rapid.IntRange(0, 3).Draw(t, "own pool") > 0 {
			id = g.poolOf(target)
		}
	}
	tokens, keys := g.anyLogins(t, node, 0)
	sub := rapid.SampledFrom(subjectsOfTests).Draw(t, "user")
	tokens[developer] = sub
	in := object{"IdentityPoolId": id, "Logins": tokens}
	if target != "" {
		in["IdentityId"] = target
	}
	return step{op: "GetOpenIdTokenForDeveloperIdentity", in: in, expect: func(answered string) string {
		return g.resolve(id, target, append(keys, identity.LoginKey{Provider: developer, Subject: sub}), answered)
	}}
}

func (g *graph) unlink(t *rapid.T, node *world) step {
	id := g.anyID(t)
	tokens, keys := g.anyLogins(t, node, 1)
	return step{op: "UnlinkIdentity", in: object{"IdentityId": id, "Logins": tokens, "LoginsToRemove": []string{keys[0].Provider}}, expect: func(string) string {
		p := g.people[id]
		switch {
		case p == nil:
			return missing + ": " + noIdentity(id)
		case p.disabled:
			return refused + ": " + forbidden(id)
		case slices.ContainsFunc(keys, func(k identity.LoginKey) bool { return !p.holds(k) }):
			return refused + ": " + loginsDontMatch
		}
		p.logins = slices.DeleteFunc(p.logins, func(k identity.LoginKey) bool { return k == keys[0] })
		return ""
	}}
}

func (g *graph) unlinkDeveloper(t *rapid.T, _ *world) step {
	id := g.anyID(t)
	key := identity.LoginKey{Provider: developer, Subject: rapid.SampledFrom(subjectsOfTests).Draw(t, "user")}
	in := object{"IdentityPoolId": g.poolOf(id), "IdentityId": id, "DeveloperProviderName": developer, "DeveloperUserIdentifier": key.Subject}
	return step{op: "UnlinkDeveloperIdentity", in: in, expect: func(string) string {
		p := g.people[id]
		if p == nil {
			return missing + ": " + noIdentity(id)
		}
		if !p.holds(key) {
			return missing + ": " + notLinked
		}
		p.logins = slices.DeleteFunc(p.logins, func(k identity.LoginKey) bool { return k == key })
		return ""
	}}
}

func (g *graph) mergeUsers(t *rapid.T, _ *world) step {
	id := g.anyPool(t)
	from, to := rapid.SampledFrom(subjectsOfTests).Draw(t, "from"), rapid.SampledFrom(subjectsOfTests).Draw(t, "to")
	in := object{"IdentityPoolId": id, "DeveloperProviderName": developer, "SourceUserIdentifier": from, "DestinationUserIdentifier": to}
	return step{op: "MergeDeveloperIdentities", in: in, expect: func(answered string) string {
		source, destination := g.owner(id, identity.LoginKey{Provider: developer, Subject: from}), g.owner(id, identity.LoginKey{Provider: developer, Subject: to})
		if source == "" || destination == "" {
			return missing + ": " + unknownUser
		}
		if source == destination {
			return ""
		}
		a, b := g.people[source], g.people[destination]
		all := slices.Concat(a.logins, b.logins)
		slices.SortFunc(all, compareKeys)
		for n := 1; n < len(all); n++ {
			if all[n].Provider == all[n-1].Provider && all[n].Provider != developer {
				return conflict + ": " + linkedElsewhere
			}
		}
		if answered != "" && answered != destination {
			return "an answer with " + destination
		}
		b.logins, a.logins, a.disabled = all, nil, true
		return ""
	}}
}

func (g *graph) remove(t *rapid.T, _ *world) step {
	ids := []string{g.anyID(t), g.anyID(t)}
	return step{op: "DeleteIdentities", in: object{"IdentityIdsToDelete": ids}, expect: func(string) string {
		for _, id := range ids {
			delete(g.people, id)
		}
		return ""
	}}
}

// one makes a call and holds the answer to the model's.
func (g *graph) one(t *rapid.T) {
	g.nodes[0].clock.millis.Add(1)
	s := g.anyStep(t)
	out, err := s.node.as(nil, s.op, s.in)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if want := s.expect(out.IdentityId); got != "" && want == "" || !strings.HasPrefix(got, want) {
		t.Fatalf("%s %v:\ngot %s %q, want %q", s.op, s.in, out.IdentityId, got, want)
	}
	g.check(t, true)
}

// several makes calls at once, each of which may find what another did, and believes the store afterwards.
func (g *graph) several(t *rapid.T) {
	g.nodes[0].clock.millis.Add(1)
	var all sync.WaitGroup
	errs := make([]error, rapid.IntRange(2, 4).Draw(t, "calls"))
	for n := range errs {
		s := g.anyStep(t)
		all.Go(func() {
			if _, err := s.node.as(nil, s.op, s.in); err != nil && !declares(s.op, strings.SplitN(err.Error(), ":", 2)[0]) {
				errs[n] = fmt.Errorf("%s: %w", s.op, err)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	g.check(t, false)
}

// rows are all identities, from the store.
func (g *graph) rows(t *rapid.T) map[string]identity.Identity {
	out := map[string]identity.Identity{}
	for _, id := range g.pools {
		all, err := g.nodes[0].Store.Identities.List(context.Background(), id, "", 10_000, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			if other, ok := out[i.ID]; ok || i.PoolID != id {
				t.Fatalf("%+v and %+v are one identity in two pools", i, other)
			}
			out[i.ID] = i
		}
	}
	return out
}

// check holds the rows to their past and, after single calls, to the model.
func (g *graph) check(t *rapid.T, exact bool) {
	rows, people := g.rows(t), map[string]*person{}
	owner := map[string]string{}
	for id, i := range rows {
		people[id] = &person{pool: i.PoolID, born: i.Created, auth: i.Authenticated, disabled: i.Disabled, logins: i.Logins}
		for _, k := range i.Logins {
			login := fmt.Sprintf("%s %q", i.PoolID, k)
			if other, ok := owner[login]; ok {
				t.Fatalf("%s belongs to %s and to %s", login, other, id)
			}
			owner[login] = id
		}
		before := g.past[id]
		if before.pool != "" && before.pool != i.PoolID || before.deleted || before.disabled && !i.Disabled || before.auth && !i.Authenticated || i.Disabled && len(i.Logins) > 0 {
			t.Fatalf("%s was %+v and is %+v", id, before, i)
		}
		g.past[id] = past{pool: i.PoolID, auth: i.Authenticated, disabled: i.Disabled}
	}
	for id, p := range g.past {
		if _, ok := rows[id]; !ok {
			p.deleted = true
			g.past[id] = p
		}
	}
	if exact {
		if d := gocmp.Diff(shown(people), shown(g.people)); d != "" {
			t.Fatalf("identities (-store +model):\n%s", d)
		}
	}
	g.people = people
}

func shown(people map[string]*person) map[string]string {
	out := map[string]string{}
	for id, p := range people {
		slices.SortFunc(p.logins, compareKeys)
		out[id] = fmt.Sprint(p.pool, " ", identity.Millis(p.born).UnixMilli(), " ", p.auth, p.disabled, p.logins)
	}
	return out
}

// TestLinksProperty runs the machine on SQLite, and on PostgreSQL with two nodes, for a few seconds each. What a node
// remembers may be behind the other node for a moment: then answers are not those of the model, but what is true of all
// rows stays true.
func TestLinksProperty(t *testing.T) {
	forgetful := func(c *config.Config) { c.Cache.Identities = 0 }
	for name, row := range map[string]struct {
		open  func(*testing.T) []*world
		exact bool
	}{
		"SQLite":                              {func(t *testing.T) []*world { return []*world{newWorld(t, options{})} }, true},
		"PostgreSQL, two nodes":               {func(t *testing.T) []*world { return twoOf(t, forgetful) }, true},
		"PostgreSQL, two nodes that remember": {func(t *testing.T) []*world { return twoOf(t, nil) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := row.open(t)
			nodes[0].refresh()
			pools := []string{nodes[0].pool, nodes[0].fullPool(), nodes[0].fullPool()}
			for _, node := range nodes {
				node.refresh()
			}
			runLinks(t, nodes, pools, row.exact)
		})
	}
}

func twoOf(t *testing.T, configure func(*config.Config)) []*world {
	one := newWorld(t, options{store: storetest.PostgresURL(t), configure: configure})
	return []*world{one, one.node()}
}

func runLinks(t *testing.T, nodes []*world, pools []string, exact bool) {
	deadline, failed, runs := time.Now().Add(4*time.Second), false, 0
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(deadline) && !failed {
			return // what is left is not worth the wait
		}
		runs++
		defer func() { failed = failed || rt.Failed() }()
		g := &graph{nodes: nodes, pools: pools, people: map[string]*person{}, past: map[string]past{}}
		for _, id := range pools {
			if _, err := nodes[0].Store.Identities.Purge(context.Background(), id, 100_000); err != nil {
				rt.Fatal(err)
			}
		}
		actions := map[string]func(*rapid.T){"several": g.several}
		if exact {
			actions["one"], actions["and another"] = g.one, g.one
		}
		rt.Repeat(actions)
	})
	if runs == 0 {
		t.Error("nothing ran")
	}
}
