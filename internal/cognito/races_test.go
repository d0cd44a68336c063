package cognito_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/identity"
	"idpool/internal/store/storetest"
)

// The races of this file are played, not waited for: a hook of the store lets one request in between what another has
// read and what it writes. The storms at the end leave it to chance, on two nodes.

// identityOf returns an identity from the store.
func (w *world) identityOf(id string) identity.Identity {
	w.t.Helper()
	i, err := w.Store.Identities.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func subjects(i identity.Identity) []string {
	out := []string{}
	for _, k := range i.Logins {
		out = append(out, k.Subject)
	}
	slices.Sort(out)
	return out
}

// TestMergeRacesLink: a login that is linked to either side while they merge ends up with the one that is left.
func TestMergeRacesLink(t *testing.T) {
	for _, side := range []string{"source", "destination"} {
		w := newWorld(t, options{})
		ids := map[string]string{}
		for n, name := range []string{"source", "destination"} {
			ids[name] = w.developerToken(object{"Logins": both(user(name), w.idp.login(n, name))}).IdentityId
		}
		w.hooks.once(storetest.IdentitiesApply, func() {
			w.vend(ids[side], both(w.idp.login(map[string]int{"source": 0, "destination": 1}[side], side), w.idp.login(2, "late")))
		})
		if got := w.ok("MergeDeveloperIdentities", w.merge("source", "destination")).IdentityId; got != ids["destination"] {
			t.Errorf("%s: got %s, want the destination", side, got)
		}
		if got := subjects(w.identityOf(ids["destination"])); !slices.Equal(got, []string{"destination", "destination", "late", "source", "source"}) {
			t.Errorf("%s: the destination holds %v", side, got)
		}
		if got := w.identityOf(ids["source"]); !got.Disabled || len(got.Logins) != 0 {
			t.Errorf("%s: the source is %+v", side, got)
		}
	}
}

// TestLinkRacesMerge: a link to an identity that is merged away in between is refused, and the login stays free.
func TestLinkRacesMerge(t *testing.T) {
	w := newWorld(t, options{})
	source := w.developerToken(object{"Logins": both(user("source"), w.idp.login(0, "source"))}).IdentityId
	w.developerToken(object{"Logins": user("destination")})
	w.hooks.once(storetest.IdentitiesApply, func() { w.ok("MergeDeveloperIdentities", w.merge("source", "destination")) })
	_, err := w.as(nil, "GetCredentialsForIdentity", object{"IdentityId": source, "Logins": w.idp.logins(map[int]string{0: "source", 2: "late"})})
	if err == nil || !strings.HasPrefix(err.Error(), refused+": "+forbidden(source)) {
		t.Errorf("got %v, want that the identity is gone", err)
	}
	if fresh := w.getID(w.idp.login(2, "late")); fresh == source || len(w.identityOf(fresh).Logins) != 1 {
		t.Errorf("got %s, want a new identity for a login that nobody got", fresh)
	}
}

// TestMergeRacesMerge: two merges of one user into two others: one is first, the other goes on with what it left.
func TestMergeRacesMerge(t *testing.T) {
	w := newWorld(t, options{})
	ids := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		ids[name] = w.developerToken(object{"Logins": user(name)}).IdentityId
	}
	w.hooks.once(storetest.IdentitiesApply, func() { w.ok("MergeDeveloperIdentities", w.merge("a", "b")) })
	if got := w.ok("MergeDeveloperIdentities", w.merge("a", "c")).IdentityId; got != ids["c"] {
		t.Errorf("got %s, want c", got)
	}
	if got := subjects(w.identityOf(ids["c"])); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("c holds %v, want all three", got)
	}
}

// TestUnlinkRacesCredentials: credentials are for who is linked when they are asked for. A login that is taken away while
// a request is under way gives no right to link another one, and none afterwards.
func TestUnlinkRacesCredentials(t *testing.T) {
	unlinking := func(w *world, id string) {
		w.ok("UnlinkIdentity", object{"IdentityId": id, "Logins": w.idp.login(0, "alice"), "LoginsToRemove": []string{w.idp.key(0)}})
	}
	w := newWorld(t, options{})
	alice := w.getID(w.idp.login(0, "alice"))
	w.hooks.once(storetest.IdentitiesApply, func() { unlinking(w, alice) })
	_, err := w.as(nil, "GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": w.idp.logins(map[int]string{0: "alice", 1: "second"})})
	if err == nil || !strings.HasPrefix(err.Error(), refused+": "+loginsDontMatch) {
		t.Errorf("got %v, want that the login is no longer this identity's", err)
	}
	if got := w.identityOf(alice); len(got.Logins) != 0 {
		t.Errorf("got %+v, want no logins", got)
	}
	w.refuse(t, "afterwards", refused, loginsDontMatch, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}})

	// The other way about: a login that was linked in between stays, and so does the right to take the first one away.
	bob := w.getID(w.idp.login(0, "bob"))
	w.hooks.once(storetest.IdentitiesApply, func() { w.vend(bob, w.idp.logins(map[int]string{0: "bob", 1: "second"})) })
	w.ok("UnlinkIdentity", object{"IdentityId": bob, "Logins": w.idp.login(0, "bob"), "LoginsToRemove": []string{w.idp.key(0)}})
	if got := subjects(w.identityOf(bob)); !slices.Equal(got, []string{"second"}) {
		t.Errorf("bob holds %v, want the login of in between", got)
	}

	// Twice at once: the second finds nothing.
	carol := w.getID(w.idp.login(0, "carol"))
	unlinkCarol := object{"IdentityId": carol, "Logins": w.idp.login(0, "carol"), "LoginsToRemove": []string{w.idp.key(0)}}
	w.hooks.once(storetest.IdentitiesApply, func() { w.ok("UnlinkIdentity", unlinkCarol) })
	if _, err := w.as(nil, "UnlinkIdentity", unlinkCarol); err == nil || !strings.HasPrefix(err.Error(), refused+": "+loginsDontMatch) {
		t.Errorf("twice: got %v", err)
	}

	// Deleted in between.
	dave := w.getID(w.idp.login(0, "dave"))
	w.hooks.once(storetest.IdentitiesApply, func() { w.ok("DeleteIdentities", object{"IdentityIdsToDelete": []string{dave}}) })
	if _, err := w.as(nil, "GetCredentialsForIdentity", object{"IdentityId": dave, "Logins": w.idp.logins(map[int]string{0: "dave", 1: "other"})}); err == nil || !strings.HasPrefix(err.Error(), missing) {
		t.Errorf("deleted in between: got %v", err)
	}
}

// TestGetIDRacesItself: a login that two present for the first time is one identity, also where one presents more.
func TestGetIDRacesItself(t *testing.T) {
	w := newWorld(t, options{})
	var first string
	w.hooks.once(storetest.IdentitiesApply, func() { first = w.getID(w.idp.login(0, "alice")) })
	second := w.getID(w.idp.logins(map[int]string{0: "alice", 1: "alice"}))
	if all := w.MustIdentities(w.pool); first != second || len(all) != 1 || len(all[0].Logins) != 2 {
		t.Errorf("got %s and %s, and %+v", first, second, all)
	}
}

// TestUpdateRacesUpdate: of two changes of a pool the second to arrive is refused, with the code that its operation
// declares, and what the first wrote stands. The next try sees it and goes through.
func TestUpdateRacesUpdate(t *testing.T) {
	w := newWorld(t, options{})
	id := w.newPool(object{"OpenIdConnectProviderARNs": w.idp.arns(1)})
	concurrently := "Identity pool " + id + " is being modified concurrently."
	changes := map[string]struct {
		in             object
		code, sentence string
	}{
		"UpdateIdentityPool":          {object{"IdentityPoolId": id, "IdentityPoolName": "second", "AllowUnauthenticatedIdentities": true, "OpenIdConnectProviderARNs": w.idp.arns(1)}, outrun, concurrently},
		"SetIdentityPoolRoles":        {object{"IdentityPoolId": id, "Roles": object{"authenticated": w.Dev.AuthenticatedRoleARN}}, outrun, concurrently},
		"SetPrincipalTagAttributeMap": {object{"IdentityPoolId": id, "IdentityProviderName": w.idp.arn(0), "UseDefaults": true}, tooMany, rateExceeded},
		"TagResource":                 {object{"ResourceArn": poolARN(id), "Tags": object{"second": "v"}}, tooMany, rateExceeded},
		"UntagResource":               {object{"ResourceArn": poolARN(id), "TagKeys": []string{"second"}}, tooMany, rateExceeded},
		"DeleteIdentityPool":          {object{"IdentityPoolId": id}, tooMany, rateExceeded},
	}
	n := 0
	for _, op := range slices.Backward(slices.Sorted(maps.Keys(changes))) { // the one that deletes comes last
		c := changes[op]
		n++
		tag := object{"ResourceArn": poolARN(id), "Tags": object{fmt.Sprint("first-", n): "v"}}
		w.hooks.once(storetest.DocumentsWrite, func() { w.ok("TagResource", tag) })
		_, err := w.as(nil, op, c.in)
		if err == nil || !strings.HasPrefix(err.Error(), c.code+": "+c.sentence+" (HTTP 400") {
			t.Errorf("%s: got %v, want %s: %s", op, err, c.code, c.sentence)
		}
		if got := w.ok("ListTagsForResource", object{"ResourceArn": poolARN(id)}).Tags[fmt.Sprint("first-", n)]; got != "v" {
			t.Errorf("%s: what came first is lost", op)
		}
		if _, err := w.as(nil, op, c.in); err != nil {
			t.Errorf("%s: got %v at the next try", op, err)
		}
	}
	w.refuse(t, "deleted", missing, noPool(id), ask{op: "DescribeIdentityPool", in: object{"IdentityPoolId": id}})
}

// TestUpdateOnAnotherNode: a change of another node is not overwritten, and the next try sees it, before this node would
// have looked by itself.
func TestUpdateOnAnotherNode(t *testing.T) {
	one, two := twoNodes(t)
	one.refresh()
	id := one.newPool(nil)
	two.refresh()
	update := object{"IdentityPoolId": id, "IdentityPoolName": "one", "AllowUnauthenticatedIdentities": false}
	one.hooks.once(storetest.DocumentsWrite, func() { two.ok("TagResource", object{"ResourceArn": poolARN(id), "Tags": object{"two": "v"}}) })
	if _, err := one.as(nil, "UpdateIdentityPool", update); err == nil || !strings.HasPrefix(err.Error(), outrun) {
		t.Errorf("got %v, want %s", err, outrun)
	}
	got := one.ok("UpdateIdentityPool", update)
	if d := cmp.Diff(got.IdentityPoolTags, map[string]string{"two": "v"}); d != "" || got.IdentityPoolName != "one" {
		t.Errorf("tags (-got +want):\n%s", d)
	}
}

// TestTagStorm: many callers at two nodes add a tag each; those who are told to come back do; none is lost.
func TestTagStorm(t *testing.T) {
	one, two := twoNodes(t)
	one.refresh()
	id := one.newPool(nil)
	two.refresh()
	const callers = 12
	var all sync.WaitGroup
	for n := range callers {
		node := []*world{one, two}[n%2]
		all.Go(func() {
			if err := node.until(func() error {
				_, err := node.as(nil, "TagResource", object{"ResourceArn": poolARN(id), "Tags": object{fmt.Sprint("k", n): "v"}})
				return err
			}); err != nil {
				t.Errorf("caller %d: %v", n, err)
			}
		})
	}
	all.Wait()
	one.refresh()
	if got := one.ok("ListTagsForResource", object{"ResourceArn": poolARN(id)}).Tags; len(got) != callers {
		t.Errorf("got the tags %v, want %d", got, callers)
	}
}

// TestLinkStorm: merges, links, unlinks and credentials of the same few people at two nodes. Whatever comes of it, a login
// has one owner, an identity one pool, and each person his own logins.
func TestLinkStorm(t *testing.T) {
	one, two := twoNodes(t)
	const callers, rounds, people = 8, 12, 3
	var all sync.WaitGroup
	for n := range callers {
		node := []*world{one, two}[n%2]
		all.Go(func() {
			for round := range rounds {
				node.stormy(t, fmt.Sprint("p", (n+round)%people), n*rounds+round)
			}
		})
	}
	all.Wait()
	owner := map[identity.LoginKey]string{}
	for _, i := range one.MustIdentities(one.pool) {
		for _, k := range i.Logins {
			if other, ok := owner[k]; ok || i.Disabled || !i.Authenticated {
				t.Errorf("%v belongs to %s and to %+v", k, other, i)
			}
			owner[k] = i.ID
		}
		if got := slices.Compact(subjects(i)); len(got) > 1 {
			t.Errorf("one identity has the logins of %v", got)
		}
	}
}

// stormy does one of several things for a person, all of which may be refused for what others did, but not otherwise.
func (w *world) stormy(t *testing.T, person string, n int) {
	logins := w.idp.logins(map[int]string{n % poolIssuers: person, (n + 1) % poolIssuers: person})
	call := func(op string, in object) string {
		out, err := w.as(nil, op, in)
		code, _, _ := strings.Cut(fmt.Sprint(err), ":")
		if err != nil && !slices.Contains([]string{refused, missing, conflict, tooMany, taken}, code) {
			t.Errorf("%s: %v", op, err)
		}
		return out.IdentityId
	}
	switch n % 5 {
	case 0, 1:
		if id := call("GetId", object{"IdentityPoolId": w.pool, "Logins": logins}); id != "" {
			call("GetCredentialsForIdentity", object{"IdentityId": id, "Logins": logins})
		}
	case 2:
		if id := call("GetId", object{"IdentityPoolId": w.pool, "Logins": logins}); id != "" {
			call("UnlinkIdentity", object{"IdentityId": id, "Logins": logins, "LoginsToRemove": slices.Collect(maps.Keys(logins))[:1]})
		}
	case 3:
		guest := call("GetId", object{"IdentityPoolId": w.pool})
		call("GetOpenIdTokenForDeveloperIdentity", object{"IdentityPoolId": w.pool, "IdentityId": guest, "Logins": both(logins, user(person))})
	case 4:
		if id := call("GetId", object{"IdentityPoolId": w.pool, "Logins": logins}); id != "" {
			call("DeleteIdentities", object{"IdentityIdsToDelete": []string{id}})
		}
	}
}
