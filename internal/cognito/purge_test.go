package cognito_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"idpool/internal/arn"
	"idpool/internal/cognito"
	"idpool/internal/identity"
	"idpool/internal/store/storetest"
)

// crowded makes a pool with n identities, each with a login of issuer 0, through the store.
func (w *world) crowded(n int) string {
	w.t.Helper()
	const batch = 500
	id := w.fullPool()
	for first := 0; first < n; first += batch {
		change := identity.Change{PoolID: id}
		for k := first; k < min(first+batch, n); k++ {
			i := identity.NewGuest(id, arn.ID(region, [16]byte{byte(k >> 16), byte(k >> 8), byte(k)}), noon)
			i.Authenticated, i.Logins = true, []identity.LoginKey{{Provider: w.idp.key(0), Subject: fmt.Sprint("user-", k)}}
			change.Create = append(change.Create, i)
		}
		if err := w.Store.Identities.Apply(context.Background(), change); err != nil {
			w.t.Fatal(err)
		}
	}
	return id
}

// soon fails the test if something that was promised does not come.
func soon(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s does not happen", what)
	}
}

// refuseGone asks for a pool that is gone, and for an identity of it, in every way.
func (w *world) refuseGone(t *testing.T, poolID, id, sub string) {
	t.Helper()
	logins := w.idp.login(0, sub)
	inPool := func(more object) object {
		out := object{"IdentityPoolId": poolID}
		maps.Copy(out, more)
		return out
	}
	for _, row := range []struct {
		op       string
		in       object
		sentence string
	}{
		{"GetId", inPool(nil), noPool(poolID)},
		{"GetId", inPool(object{"Logins": logins}), noPool(poolID)},
		{"GetCredentialsForIdentity", object{"IdentityId": id, "Logins": logins}, noIdentity(id)},
		{"GetOpenIdToken", object{"IdentityId": id, "Logins": logins}, noIdentity(id)},
		{"UnlinkIdentity", object{"IdentityId": id, "Logins": logins, "LoginsToRemove": []string{w.idp.key(0)}}, noIdentity(id)},
		{"DescribeIdentity", object{"IdentityId": id}, noIdentity(id)},
		{"DescribeIdentityPool", inPool(nil), noPool(poolID)},
		{"ListIdentities", inPool(object{"MaxResults": 1}), noPool(poolID)},
		{"DeleteIdentityPool", inPool(nil), noPool(poolID)},
		{"GetIdentityPoolRoles", inPool(nil), noPool(poolID)},
		{"GetOpenIdTokenForDeveloperIdentity", inPool(object{"Logins": user("u")}), noPool(poolID)},
		{"LookupDeveloperIdentity", inPool(object{"DeveloperUserIdentifier": "u"}), noPool(poolID)},
		{"ListTagsForResource", object{"ResourceArn": poolARN(poolID)}, "Resource " + poolARN(poolID) + " not found."},
	} {
		w.refuseQuietly(t, missing, row.sentence, ask{op: row.op, in: row.in})
	}
}

// empty reports whether a pool has no rows.
func (w *world) empty(poolID string) func() bool {
	return func() bool {
		left, err := w.Store.Identities.List(context.Background(), poolID, "", 1, false)
		if err != nil {
			w.t.Fatal(err)
		}
		return len(left) == 0
	}
}

// eventually asks again and again, for two minutes at most, and never sleeps.
func (w *world) eventually(done func() bool) bool {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if done() {
			return true
		}
	}
	return false
}

// crowd is how many identities the deleted pool has: 100,000 where IDPOOL_CROWD says so, which takes a minute.
func crowd(t *testing.T) int {
	t.Helper()
	text := os.Getenv("IDPOOL_CROWD")
	if text == "" {
		return 5000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2000 {
		t.Fatalf("IDPOOL_CROWD is %q: want a number of identities, 2000 or more", text)
	}
	return n
}

// TestDeletedPool: a pool of many identities is refused at once everywhere, its rows go in the background, and a server
// that was stopped over that goes on where it was when it is started again.
func TestDeletedPool(t *testing.T) {
	many := crowd(t)
	w := newWorld(t, options{})
	id := w.crowded(many)
	first := w.MustIdentities(id)[0]
	alice := w.getID(w.idp.login(0, "user-0"))
	vended := w.ok("GetCredentialsForIdentity", object{"IdentityId": first.ID, "Logins": w.idp.login(0, first.Logins[0].Subject)})

	// The database holds out for two batches.
	held, batches := make(chan struct{}), 0
	w.hooks.on(storetest.IdentitiesPurge, func() error {
		if batches++; batches == 3 {
			close(held)
		}
		if batches > 2 {
			return errBroken
		}
		return nil
	})
	w.ok("DeleteIdentityPool", object{"IdentityPoolId": id})
	w.refuseGone(t, id, first.ID, first.Logins[0].Subject)
	soon(t, "deleting in the background", held)
	w.refuseGone(t, id, first.ID, first.Logins[0].Subject)
	left := len(w.MustIdentities(id))
	if left == 0 || left >= many {
		t.Fatalf("%d rows are left, want some of %d", left, many)
	}
	// What was handed out lives until its end (spec §7.3), and reaches nothing of the pool.
	if _, err := w.WhoAmI(vended.signer()); err != nil {
		t.Errorf("got %v, want the credentials of before", err)
	}
	w.Stop()

	w.start(t)
	if !w.eventually(w.empty(id)) {
		t.Fatal("rows are left")
	}
	w.refuseGone(t, id, first.ID, first.Logins[0].Subject)
	if got := w.getID(w.idp.login(0, "user-0")); got != alice {
		t.Errorf("got %s, want the identity of another pool as it was", got)
	}
}

// TestDeletedPoolOnAnotherNode: the other node refuses it when it next looks, by itself, at the store.
func TestDeletedPoolOnAnotherNode(t *testing.T) {
	one, two := twoNodes(t)
	one.refresh()
	id := one.crowded(1200)
	two.refresh()
	first := one.MustIdentities(id)[0]
	two.ok("GetCredentialsForIdentity", object{"IdentityId": first.ID, "Logins": two.idp.login(0, first.Logins[0].Subject)})
	one.ok("DeleteIdentityPool", object{"IdentityPoolId": id})
	one.refuseGone(t, id, first.ID, first.Logins[0].Subject)
	gone := func() bool {
		_, err := two.as(nil, "DescribeIdentityPool", object{"IdentityPoolId": id})
		return err != nil
	}
	if !two.eventually(gone) {
		t.Fatal("the other node never looks")
	}
	two.refuseGone(t, id, first.ID, first.Logins[0].Subject)
	if !one.eventually(one.empty(id)) {
		t.Fatal("rows are left")
	}
}

// TestLateRowsOfADeletedPool: what a node that has not noticed yet still makes in a deleted pool goes too, after the rows
// had gone.
func TestLateRowsOfADeletedPool(t *testing.T) {
	one, two := twoNodes(t)
	one.refresh()
	id := one.crowded(10)
	two.refresh()
	two.hooks.on(storetest.DocumentsRevision, func() error { return errBroken }) // it cannot look, for up to five seconds
	one.ok("DeleteIdentityPool", object{"IdentityPoolId": id})
	if !one.eventually(one.empty(id)) {
		t.Fatal("rows are left")
	}
	late := two.ok("GetId", object{"IdentityPoolId": id}).IdentityId
	one.refuse(t, "the late guest", missing, noIdentity(late), ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": late}})
	one.Stop()
	one.start(t) // it looks for what is left, as it does every minute
	if !one.eventually(one.empty(id)) {
		t.Errorf("the late guest stays for ever")
	}
	// The note goes when no node can believe in the pool any more.
	service := &cognito.Service{Config: one.Source, Identities: one.Store.Identities}
	for name, after := range map[string]time.Duration{"at once": 0, "a little later": 10 * time.Second} {
		one.advance(after)
		if err := service.PurgeDeleted(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, noted := one.snapshot().Purges()[id]; !noted {
			t.Errorf("%s: the note has gone", name)
		}
	}
	one.advance(time.Minute)
	if err := service.PurgeDeleted(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, noted := one.snapshot().Purges()[id]; noted {
		t.Error("the note stays for ever")
	}
}
