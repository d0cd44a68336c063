package cognito_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/identity"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
	"idpool/internal/store/storetest"

	"idpool/internal/cognito"
)

// The tests of this file and the next are the rows of security D, by their names there: who may reach which identity, and
// what a refusal leaves.

// cast are the identities of one cell of TestD1's matrix: target is the one that the call names. me is the caller's own
// login, theirs another's, new nobody's; each by the name of its identity.
type cast struct {
	target string
	ids    map[string]string // identity by role
	me     map[string]string
	theirs map[string]string
	new    map[string]string
	sub    string
}

// stage makes the identities of a cell. Every cell has users of its own: n tells them apart.
func (w *world) stage(t *testing.T, kind string, n int, elsewhere string) *cast {
	t.Helper()
	if _, err := w.Store.Identities.Purge(t.Context(), w.pool, 100); err != nil { // of the cell before
		t.Fatal(err)
	}
	sub := fmt.Sprintf("%03d", n)
	c := &cast{
		sub: sub, me: w.idp.login(0, "me"+sub), theirs: w.idp.login(1, "theirs"+sub), new: w.idp.login(1, "new"+sub), ids: map[string]string{},
	}
	w.clock.millis.Add(1)
	c.ids["M"] = w.getID(c.me)
	w.clock.millis.Add(1)
	c.ids["J"] = w.getID(c.theirs)
	w.clock.millis.Add(1)
	switch kind {
	case "unauth":
		c.ids["T"] = w.getID(nil)
	case "auth-own":
		c.ids["T"] = c.ids["M"]
	case "auth-other":
		c.ids["T"] = w.getID(w.idp.login(0, "victim"+sub))
	case "disabled":
		c.ids["T"] = w.getID(nil)
		w.vend(c.ids["T"], c.theirs)
	case "unknown":
		c.ids["T"] = unknownID
	case "other pool":
		c.ids["T"] = w.ok("GetId", object{"IdentityPoolId": elsewhere, "Logins": w.idp.login(5, "victim"+sub)}).IdentityId
	}
	c.target = c.ids["T"]
	return c
}

// links are who holds the three logins of a cell, and which of its identities are disabled.
func (w *world) links(c *cast, poolID string) string {
	w.t.Helper()
	names := map[string]string{}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(c.ids))) { // M before T, where they are one
		names[c.ids[name]] = name
	}
	owner := map[identity.LoginKey]string{}
	var disabled []string
	for _, i := range w.MustIdentities(poolID) {
		name := names[i.ID]
		if i.Disabled && name != "" {
			disabled = append(disabled, name)
		}
		for _, k := range i.Logins {
			owner[k] = name
		}
	}
	slices.Sort(disabled)
	of := func(n int, sub string) string {
		if name := owner[identity.LoginKey{Provider: w.idp.key(n), Subject: sub + c.sub}]; name != "" {
			return name
		}
		return "-"
	}
	return fmt.Sprintf("me %s, theirs %s, new %s, disabled %s", of(0, "me"), of(1, "theirs"), of(1, "new"), strings.Join(disabled, ""))
}

// TestD1: a login leads to no identity that it does not belong to, and is attached to none. Every kind of target with
// every kind of logins, for both operations that name an identity: the code, and who holds which login afterwards. M is
// the caller's identity, J the other's, T the target. Where security D1 and cognito-identity §9 differ, §9 stands.
func TestD1(t *testing.T) {
	w := newWorld(t, options{})
	elsewhere := w.newPool(object{"OpenIdConnectProviderARNs": []string{w.idp.arn(5)}})
	const (
		before   = "me M, theirs J, new -, disabled "
		nothing  = refused + ": " + loginsDontMatch
		noAccess = refused + ": Access to Identity 'T' is forbidden."
		notThere = missing + ": Identity 'T' not found."
	)
	type cell struct{ logins, want, links string }
	n := 0
	for kind, cells := range map[string][]cell{
		"unauth": {
			{"none", "T", before},
			{"own", "M", before + "T"}, // the known identity survives, the guest is disabled (§9.3)
			{"other's", "J", before + "T"},
			{"new", "T", "me M, theirs J, new T, disabled "},
			{"own+new", "M", "me M, theirs J, new M, disabled T"},
			{"own+other's", "M", "me M, theirs M, new -, disabled JT"},
		},
		"auth-own": {
			{"none", noAccess, before},
			{"own", "M", before},
			{"other's", nothing, before},
			{"new", nothing, before},
			{"own+new", "M", "me M, theirs J, new M, disabled "},
			{"own+other's", "M", "me M, theirs M, new -, disabled J"}, // the older one survives
		},
		"auth-other": {
			{"none", noAccess, before}, {"own", nothing, before}, {"other's", nothing, before},
			{"new", nothing, before}, {"own+new", nothing, before}, {"own+other's", nothing, before},
		},
		"disabled": {
			{"none", noAccess, before + "T"}, {"own", noAccess, before + "T"}, {"other's", noAccess, before + "T"},
			{"new", noAccess, before + "T"}, {"own+new", noAccess, before + "T"}, {"own+other's", noAccess, before + "T"},
		},
		"unknown": {
			{"none", notThere, before}, {"own", notThere, before}, {"other's", notThere, before},
			{"new", notThere, before}, {"own+new", notThere, before}, {"own+other's", notThere, before},
		},
		"other pool": {
			{"none", noAccess, before}, {"own", nothing, before}, {"other's", nothing, before},
			{"new", nothing, before}, {"own+new", nothing, before}, {"own+other's", nothing, before},
		},
	} {
		for _, cell := range cells {
			for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
				n++
				c := w.stage(t, kind, n, elsewhere)
				logins := map[string]map[string]string{
					"none": nil, "own": c.me, "other's": c.theirs, "new": c.new, "own+new": both(c.me, c.new), "own+other's": both(c.me, c.theirs),
				}[cell.logins]
				name := kind + " with " + cell.logins
				in := object{"IdentityId": c.target, "Logins": logins}
				if code, sentence, bad := strings.Cut(cell.want, ": "); bad {
					w.refuse(t, name, code, strings.Replace(sentence, "'T'", "'"+c.target+"'", 1), ask{op: op, in: in})
				} else if got := w.ok(op, in).IdentityId; got != c.ids[cell.want] {
					t.Errorf("%s: %s: got %s, want %s of %v", name, op, got, cell.want, c.ids)
				}
				if got := w.links(c, w.pool); got != cell.links {
					t.Errorf("%s: %s: got %s, want %s", name, op, got, cell.links)
				}
			}
		}
	}
	if n != 72 {
		t.Errorf("%d cells, want 36 for each operation", n)
	}
	for _, i := range w.MustIdentities(elsewhere) {
		if len(i.Logins) != 1 || i.Disabled {
			t.Errorf("got %+v in the other pool, want its own login alone", i)
		}
	}
}

// TestD2: without logins nobody is who has or had one.
func TestD2(t *testing.T) {
	w := newWorld(t, options{})
	alice, former, merged := w.getID(w.idp.login(0, "alice")), w.getID(w.idp.login(0, "former")), w.getID(nil)
	w.ok("UnlinkIdentity", object{"IdentityId": former, "Logins": w.idp.login(0, "former"), "LoginsToRemove": []string{w.idp.key(0)}})
	w.vend(merged, w.idp.login(0, "alice"))
	dev := w.developerToken(object{"Logins": user("dev")}).IdentityId
	for name, id := range map[string]string{"authenticated": alice, "without its last login": former, "merged": merged, "a developer's": dev} {
		for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
			for _, logins := range []any{nil, object{}} {
				w.refuse(t, name, refused, forbidden(id), ask{op: op, in: object{"IdentityId": id, "Logins": logins}})
			}
		}
	}
}

// TestD3: a guest's id is a secret of 122 bits, which no record shows and no unsigned caller can list; the first login
// takes the guest, and of two at once one.
func TestD3(t *testing.T) {
	t.Run("secret", func(t *testing.T) {
		w := newWorld(t, options{})
		seen, prefixes := map[string]bool{}, map[string]bool{}
		for range 200 {
			id := w.getID(nil)
			seen[id], prefixes[id[len(region)+1:][:13]] = true, true
		}
		if len(seen) != 200 || len(prefixes) != 200 {
			t.Errorf("got %d ids with %d prefixes, want 200 of each", len(seen), len(prefixes))
		}
		for id := range seen {
			w.refuse(t, "wrong logins", refused, "", ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": id, "Logins": object{"x": "y"}}})
			w.vend(id, nil)
			if out := w.journal.String() + w.Output(); strings.Contains(out, id[len(region)+1:]) {
				t.Fatalf("the whole id of a guest is on record")
			}
			break
		}
		if err := w.Call("ListIdentities", nil, object{"IdentityPoolId": w.pool, "MaxResults": 1}, nil); err == nil {
			t.Error("who did not sign lists identities")
		}
	})
	t.Run("every random bit counts", func(t *testing.T) {
		var zero [16]byte
		fixed := 0
		for bit := range 128 {
			random := zero
			random[bit/8] ^= 1 << (bit % 8)
			if arn.ID(region, random) == arn.ID(region, zero) {
				fixed++
			}
		}
		if fixed != 6 {
			t.Errorf("%d bits of randomness are thrown away, want the 6 that a UUID fixes", fixed)
		}
	})
	for name, second := range map[string]func(*world) map[string]string{
		"another user":     func(w *world) map[string]string { return w.idp.login(0, "mallory") },
		"another provider": func(w *world) map[string]string { return w.idp.login(1, "mallory") },
	} {
		t.Run("of two at once: "+name, func(t *testing.T) {
			w := newWorld(t, options{})
			guest := w.getID(nil)
			// Alice's request has read the guest and decided when Mallory's comes and goes.
			w.hooks.once(storetest.IdentitiesApply, func() { w.vend(guest, second(w)) })
			_, err := w.as(nil, "GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": w.idp.login(0, "alice")})
			if err == nil || !strings.Contains(err.Error(), loginsDontMatch) {
				t.Errorf("got %v, want that the guest is somebody's now", err)
			}
			all := w.MustIdentities(w.pool)
			if len(all) != 1 || len(all[0].Logins) != 1 || all[0].Logins[0].Subject != "mallory" {
				t.Errorf("got %+v, want one identity with the first login", all)
			}
		})
	}
}

// TestD4: unknown and deleted ids, those of deleted pools, and in signed operations those of other pools, are told apart
// by nothing: one code, one sentence, and the same questions to the store.
func TestD4(t *testing.T) {
	w := newWorld(t, options{})
	deleted, gone := w.getID(w.idp.login(0, "alice")), w.fullPool()
	lost := w.ok("GetId", object{"IdentityPoolId": gone, "Logins": w.idp.login(0, "alice")}).IdentityId
	w.ok("DeleteIdentities", object{"IdentityIdsToDelete": []string{deleted}})
	w.ok("DeleteIdentityPool", object{"IdentityPoolId": gone})
	foreign := w.ok("GetId", object{"IdentityPoolId": w.fullPool(), "Logins": w.idp.login(0, "alice")}).IdentityId
	queries := []storetest.Op{storetest.IdentitiesGet, storetest.IdentitiesFind, storetest.IdentitiesApply, storetest.IdentitiesList}
	asked := func(a ask, id string) string {
		t.Helper()
		before := map[storetest.Op]int{}
		for _, q := range queries {
			before[q] = -w.faulty.Calls(q)
		}
		w.refuseQuietly(t, missing, noIdentity(id), a)
		for _, q := range queries {
			before[q] += w.faulty.Calls(q)
		}
		return fmt.Sprint(before)
	}
	check := func(op string, ids []string, in func(id string) object) {
		t.Helper()
		first := asked(ask{op: op, in: in(ids[0])}, ids[0])
		for _, id := range ids[1:] {
			if got := asked(ask{op: op, in: in(id)}, id); got != first {
				t.Errorf("%s: got the questions %s for one id, %s for another", op, got, first)
			}
		}
	}
	unsigned := []string{unknownID, deleted, lost}
	for _, logins := range []any{nil, w.idp.login(0, "alice")} {
		for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
			check(op, unsigned, func(id string) object { return object{"IdentityId": id, "Logins": logins} })
		}
	}
	check("UnlinkIdentity", unsigned, func(id string) object {
		return object{"IdentityId": id, "Logins": w.idp.login(0, "alice"), "LoginsToRemove": []string{w.idp.key(0)}}
	})
	signed := append(unsigned, foreign)
	check("GetOpenIdTokenForDeveloperIdentity", signed, func(id string) object {
		return object{"IdentityPoolId": w.pool, "IdentityId": id, "Logins": user("u")}
	})
	check("LookupDeveloperIdentity", signed, func(id string) object { return object{"IdentityPoolId": w.pool, "IdentityId": id} })
	check("UnlinkDeveloperIdentity", signed, func(id string) object {
		return object{"IdentityPoolId": w.pool, "DeveloperProviderName": developer, "IdentityId": id, "DeveloperUserIdentifier": "u"}
	})
}

// refuseQuietly checks the answer of a call that must be refused and asks the store nothing itself.
func (w *world) refuseQuietly(t *testing.T, code, sentence string, a ask) {
	t.Helper()
	out, err := w.as(a.signer, a.op, a.in)
	if err == nil || !strings.HasPrefix(err.Error(), code+": "+sentence+" (HTTP 400") {
		t.Errorf("%s: got %+v, %v, want %s: %s", a.op, out, err, code, sentence)
	}
}

// TestD5: guests that were switched off are off for those of before too, on every node.
func TestD5(t *testing.T) {
	one, two := twoNodes(t)
	guest := one.getID(nil)
	asks := []ask{
		{op: "GetId", in: object{"IdentityPoolId": one.pool}},
		{op: "GetId", in: object{"IdentityPoolId": one.pool, "Logins": object{}}},
		{op: "GetCredentialsForIdentity", in: object{"IdentityId": guest}},
		{op: "GetOpenIdToken", in: object{"IdentityId": guest}},
	}
	for _, allowed := range []bool{true, false, true} {
		one.changePool(one.pool, func(p *pool.Pool) { p.AllowUnauthenticated = allowed })
		two.refresh() // its look at the store, of each second
		for _, node := range []*world{one, two} {
			for _, a := range asks {
				if allowed {
					node.ok(a.op, a.in)
				} else {
					node.refuse(t, "guests are off", refused, noGuests, a)
				}
			}
		}
	}
	one.changePool(one.pool, func(p *pool.Pool) { p.AllowUnauthenticated = false })
	if got := two.ok("GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": two.idp.login(0, "alice")}).IdentityId; got != guest {
		t.Errorf("got %s, want the guest, who has a login now", got)
	}
}

// TestD6: nothing of one pool works in another: no identity, no login, no role, no developer's user. The property test
// of this package looks at the rows.
func TestD6(t *testing.T) {
	w := newWorld(t, options{})
	other := w.fullPool()
	alice := w.getID(w.idp.login(0, "alice"))
	theirs := w.ok("GetId", object{"IdentityPoolId": other, "Logins": w.idp.login(0, "alice")}).IdentityId
	if alice == theirs {
		t.Fatal("one login has one identity in two pools")
	}
	w.developerToken(object{"Logins": user("dev")})
	// The same token is good in both pools, for the identity of each, and leads from none to the other.
	for _, id := range []string{alice, theirs} {
		if got := w.vend(id, w.idp.login(0, "alice")).IdentityId; got != id {
			t.Errorf("got %s, want %s", got, id)
		}
	}
	w.ok("GetCredentialsForIdentity", object{"IdentityId": theirs, "Logins": w.idp.logins(map[int]string{0: "alice", 1: "second"})})
	if got := w.getID(w.idp.login(1, "second")); got == theirs || got == alice {
		t.Errorf("got %s for a login that was linked in another pool, want a new identity", got)
	}
	// A provider that the pool does not have.
	w.refuse(t, "another pool's provider", refused, loginsDontMatch, ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": w.idp.login(5, "alice")}})
	// A role that trusts another pool.
	strange := w.role("strange", trust(other, "authenticated"))
	w.changePool(w.pool, func(p *pool.Pool) { p.Roles = map[string]string{"authenticated": strange} })
	w.refuse(t, "another pool's role", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}})
	// Developers.
	inOther := func(in object) object { in["IdentityPoolId"] = other; return in }
	for name, a := range map[string]ask{
		"token":  {op: "GetOpenIdTokenForDeveloperIdentity", in: inOther(object{"IdentityId": alice, "Logins": both(user("x"), w.idp.login(0, "alice"))})},
		"lookup": {op: "LookupDeveloperIdentity", in: inOther(object{"IdentityId": alice})},
		"unlink": {op: "UnlinkDeveloperIdentity", in: inOther(object{"IdentityId": alice, "DeveloperProviderName": developer, "DeveloperUserIdentifier": "dev"})},
	} {
		w.refuse(t, name, missing, noIdentity(alice), a)
	}
	w.refuse(t, "user", missing, unknownUser, ask{op: "LookupDeveloperIdentity", in: inOther(object{"DeveloperUserIdentifier": "dev"})})
	// Another region.
	far := "eu-west-1" + strings.TrimPrefix(w.pool, region)
	w.refuse(t, "another region's pool", missing, noPool(far), ask{op: "GetId", in: object{"IdentityPoolId": far}})
	far = "eu-west-1" + strings.TrimPrefix(alice, region)
	w.refuse(t, "another region's identity", missing, noIdentity(far), ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": far}})
	// The store itself refuses a row of one pool in a change of another.
	i, err := w.Store.Identities.Get(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Store.Identities.Apply(t.Context(), identity.Change{PoolID: other, Link: []identity.Link{{LoginKey: identity.LoginKey{Provider: "p", Subject: "s"}, IdentityID: i.ID}}})
	if err == nil {
		t.Error("a login of one pool was linked to an identity of another")
	}
}

// TestD7: a deleted id is refused for ever, its login makes a new one, and what was handed out for it reaches nothing of it.
func TestD7(t *testing.T) {
	w := newWorld(t, options{})
	alice, guest := w.getID(w.idp.login(0, "alice")), w.getID(nil)
	vended := w.vend(alice, w.idp.login(0, "alice"))
	w.ok("DescribeIdentity", object{"IdentityId": alice})
	out := w.ok("DeleteIdentities", object{"IdentityIdsToDelete": []string{alice, guest, alice, unknownID}})
	if out.UnprocessedIdentityIds == nil || len(out.UnprocessedIdentityIds) != 0 {
		t.Errorf("got %+v, want an empty list", out.UnprocessedIdentityIds)
	}
	fresh := w.getID(w.idp.login(0, "alice"))
	if fresh == alice {
		t.Fatal("a deleted id came back")
	}
	for _, id := range []string{alice, guest} {
		for _, logins := range []any{nil, w.idp.login(0, "alice")} {
			w.refuse(t, "deleted", missing, noIdentity(id), ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": id, "Logins": logins}})
			w.refuse(t, "deleted", missing, noIdentity(id), ask{op: "GetOpenIdToken", in: object{"IdentityId": id, "Logins": logins}})
		}
		w.refuse(t, "deleted", missing, noIdentity(id), ask{op: "DescribeIdentity", in: object{"IdentityId": id}})
		w.refuse(t, "deleted", missing, noIdentity(id), ask{op: "GetOpenIdTokenForDeveloperIdentity", in: object{"IdentityPoolId": w.pool, "IdentityId": id, "Logins": user("u")}})
	}
	// Credentials live until their end (spec §7.3), as the identity that they were made for and no other.
	if _, err := w.WhoAmI(vended.signer()); err != nil {
		t.Errorf("got %v, want the old credentials until they end", err)
	}
	w.refuse(t, "the new identity with the old one's credentials", denied, "", ask{vended.signer(), "DescribeIdentity", object{"IdentityId": fresh}})
	w.advance(time.Hour)
	if _, err := w.WhoAmI(vended.signer()); err == nil {
		t.Error("credentials of a deleted identity outlive their hour")
	}
}

// TestD10: a developer provider poses as no other provider, and keeps its name.
func TestD10(t *testing.T) {
	w := newWorld(t, options{})
	w.write(snapshot.PutOIDCProvider(oidcProvider("https://idp.example.com"), accountID, 0))
	example := arn.OIDCProvider(accountID, "https://idp.example.com")
	for _, name := range []string{
		"accounts.google.com", "graph.facebook.com", "www.amazon.com", "appleid.apple.com", "api.twitter.com", "www.digits.com", own, "idp.example.com",
	} {
		in := object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false, "DeveloperProviderName": name, "OpenIdConnectProviderARNs": []string{example}}
		w.refuse(t, name, invalid, "Invalid developer provider name: "+name, ask{op: "CreateIdentityPool", in: in})
		// Nor may it be set later, nor a provider of its name be added.
		id := w.newPool(object{"OpenIdConnectProviderARNs": []string{example}})
		in["IdentityPoolId"] = id
		w.refuse(t, name, invalid, "Invalid developer provider name: "+name, ask{op: "UpdateIdentityPool", in: in})
	}
	first := w.newPool(object{"DeveloperProviderName": "idp.example.com"})
	update := object{"IdentityPoolId": first, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
	update["OpenIdConnectProviderARNs"] = []string{example}
	w.refuse(t, "a provider of its name", invalid, "Invalid developer provider name: idp.example.com", ask{op: "UpdateIdentityPool", in: update})
	delete(update, "OpenIdConnectProviderARNs")
	for _, other := range []string{"other", "Idp.example.com"} {
		update["DeveloperProviderName"] = other
		w.refuse(t, "another name", invalid, "The developer provider name cannot be changed.", ask{op: "UpdateIdentityPool", in: update})
	}
	delete(update, "DeveloperProviderName")
	if got := w.ok("UpdateIdentityPool", update).DeveloperProviderName; got != "idp.example.com" {
		t.Errorf("left out: got the name %q, want it kept", got)
	}
}

// TestD12: a login goes only on its own word, and who gave his last one away is nobody's, never a guest.
func TestD12(t *testing.T) {
	w := newWorld(t, options{})
	mine := w.idp.logins(map[int]string{0: "alice", 1: "alice"})
	alice, guest := w.getID(mine), w.getID(nil)
	w.getID(w.idp.login(0, "bob"))
	unlink := func(id string, logins any, remove ...string) ask {
		return ask{op: "UnlinkIdentity", in: object{"IdentityId": id, "Logins": logins, "LoginsToRemove": remove}}
	}
	zero, one := w.idp.key(0), w.idp.key(1)
	for name, row := range map[string]struct {
		a              ask
		code, sentence string
	}{
		"another's login":                    {unlink(alice, w.idp.login(0, "bob"), zero), refused, loginsDontMatch},
		"a login that nobody has":            {unlink(alice, w.idp.login(2, "alice"), w.idp.key(2)), refused, loginsDontMatch},
		"one's own and another's":            {unlink(alice, w.idp.logins(map[int]string{0: "bob", 1: "alice"}), one), refused, loginsDontMatch},
		"no logins":                          {unlink(alice, object{}, zero), refused, forbidden(alice)},
		"a login that is not presented":      {unlink(alice, w.idp.login(0, "alice"), one), refused, loginsDontMatch},
		"presented, and one that is not":     {unlink(alice, w.idp.login(0, "alice"), zero, one), refused, loginsDontMatch},
		"one login twice":                    {unlink(alice, w.idp.login(0, "alice"), zero, zero), refused, loginsDontMatch},
		"a provider that the pool lacks":     {unlink(alice, w.idp.login(0, "alice"), "accounts.google.com"), refused, loginsDontMatch},
		"a guest":                            {unlink(guest, w.idp.login(0, "alice"), zero), refused, loginsDontMatch},
		"the developer's user, by his name":  {unlink(alice, user("alice"), developer), invalid, publicProvider},
		"an invalid token beside a good one": {unlink(alice, both(w.idp.login(0, "alice"), map[string]string{one: "x"}), zero), refused, notOpenID},
	} {
		w.refuse(t, name, row.code, row.sentence, row.a)
	}
	w.ok("UnlinkIdentity", unlink(alice, w.idp.login(0, "alice"), zero).in)
	w.refuse(t, "twice", refused, loginsDontMatch, unlink(alice, w.idp.login(0, "alice"), zero))
	w.refuse(t, "the login that went", refused, loginsDontMatch, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}})
	w.vend(alice, w.idp.login(1, "alice"))
	w.ok("UnlinkIdentity", unlink(alice, w.idp.login(1, "alice"), one).in)
	for name, logins := range map[string]any{"nothing": nil, "the last login": w.idp.login(1, "alice"), "a new login": w.idp.login(2, "new")} {
		want := loginsDontMatch
		if logins == nil {
			want = forbidden(alice)
		}
		for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
			w.refuse(t, "without any login, with "+name, refused, want, ask{op: op, in: object{"IdentityId": alice, "Logins": logins}})
		}
	}
	if fresh := w.getID(w.idp.login(0, "alice")); fresh == alice {
		t.Error("a login that went leads back")
	}
	i, err := w.Store.Identities.Get(t.Context(), alice)
	if err != nil || !i.Authenticated || i.Disabled {
		t.Errorf("got %+v, %v, want it as it was but for its logins", i, err)
	}
}

// TestD13: whoever asks first, at whatever node, one login is one identity, and so are several of one call.
func TestD13(t *testing.T) {
	one, two := twoNodes(t)
	const people, callers = 25, 6
	var all sync.WaitGroup
	begin := make(chan struct{})
	for n := range callers {
		node := []*world{one, two}[n%2]
		all.Go(func() {
			<-begin
			for person := range people {
				sub := fmt.Sprint("p", person)
				logins := node.idp.logins(map[int]string{0: sub, 1: sub, 2: sub})
				if n >= callers/2 { // some present all three logins at once, others one after another
					logins = node.idp.login(person%poolIssuers, sub)
				}
				if err := node.until(func() error {
					_, err := node.as(nil, "GetId", object{"IdentityPoolId": node.pool, "Logins": logins})
					return err
				}); err != nil {
					t.Errorf("caller %d, person %d: %v", n, person, err)
				}
			}
		})
	}
	close(begin)
	all.Wait()
	live := 0
	for _, i := range one.MustIdentities(one.pool) {
		if i.Disabled {
			continue
		}
		live++
		if len(i.Logins) != poolIssuers || i.Logins[0].Subject != i.Logins[1].Subject || i.Logins[0].Subject != i.Logins[2].Subject {
			t.Errorf("got %+v, want one person's three logins", i)
		}
	}
	if live != people {
		t.Errorf("got %d identities, want %d", live, people)
	}
}

// until calls again while a request is told to come back.
func (w *world) until(call func() error) error {
	for range 50 {
		if err := call(); err == nil || !strings.HasPrefix(err.Error(), tooMany) {
			return err
		}
	}
	return fmt.Errorf("told to come back fifty times")
}

// TestD14: at most ten logins, each valid, none twice, all within one budget of five seconds.
func TestD14(t *testing.T) {
	w := newWorld(t, options{})
	id := w.newPool(object{"OpenIdConnectProviderARNs": w.idp.arns(10)})
	ten := map[string]string{}
	for n := range 10 {
		maps.Copy(ten, w.idp.login(n, "alice"))
	}
	getID := func(logins any) ask { return ask{op: "GetId", in: object{"IdentityPoolId": id, "Logins": logins}} }
	for n := range 10 {
		bad := both(ten, map[string]string{w.idp.key(n): w.idp.token(n, "alice", object{"exp": noon.Unix() - 1})})
		w.refuse(t, fmt.Sprint("the bad one is ", n), refused, fmt.Sprintf("Invalid login token. Token expired: %d >= %d", noon.Unix(), noon.Unix()-1), getID(bad))
	}
	w.refuse(t, "eleven", badValue, "", getID(both(ten, map[string]string{"x": "y"})))
	key, token := w.idp.key(0), w.idp.token(0, "alice", nil)
	twice := fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":{%q:%q,%q:%q}}`, id, key, token, key, token)
	w.refuse(t, "one key twice", unread, "", ask{op: "GetId", in: rawJSON(twice)})
	alice := w.ok("GetId", getID(ten).in).IdentityId
	if all := w.MustIdentities(id); len(all) != 1 || all[0].ID != alice || len(all[0].Logins) != 10 {
		t.Errorf("got %+v, want one identity with ten logins", all)
	}

	// One budget for all of them: a verifier that is asked ten times sees one deadline, five seconds away.
	verifier := &watch{now: w.clock.Now()}
	service := &cognito.Service{Config: w.Source, Identities: w.Store.Identities, Verifiers: map[login.Kind]login.Verifier{login.OIDC: verifier}, Random: rand.Reader}
	call := &operation.Call{Snapshot: w.snapshot(), Now: w.clock.Now(), Event: &event.Record{}}
	start := time.Now()
	if _, err := service.GetId(t.Context(), call, &cognito.GetIdInput{IdentityPoolId: &id, Logins: ten}); err != nil {
		t.Fatal(err)
	}
	if len(verifier.deadlines) != 10 || len(slices.Compact(verifier.deadlines)) != 1 {
		t.Fatalf("got the deadlines %v, want ten times one", verifier.deadlines)
	}
	if budget := verifier.deadlines[0].Sub(start); budget < 5*time.Second || budget > 6*time.Second {
		t.Errorf("got a budget of %v, want 5s", budget)
	}
}

// watch is a verifier that believes every token and notes its deadlines.
type watch struct {
	now       time.Time
	deadlines []time.Time
}

func (w *watch) Verify(ctx context.Context, p *login.Provider, _ string, _ time.Time) (*login.Login, error) {
	deadline, _ := ctx.Deadline()
	w.deadlines = append(w.deadlines, deadline)
	return &login.Login{Provider: p, Subject: "alice", Audience: "a", Expires: w.now.Add(time.Hour)}, nil
}
