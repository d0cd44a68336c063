package cognito_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/identity"
	"idpool/internal/sigv4"
)

// walker goes through the pages of a list and holds each to what a page may be.
type walker struct {
	w    *world
	op   string
	in   object
	ids  func(reply) []string
	size int
	seen []string
}

func (w *world) identityWalker(size int) *walker {
	return &walker{w: w, op: "ListIdentities", in: object{"IdentityPoolId": w.pool, "MaxResults": size}, size: size, ids: func(r reply) []string {
		var out []string
		for _, i := range r.Identities {
			out = append(out, i.IdentityId)
		}
		return out
	}}
}

func (w *world) poolWalker(size int) *walker {
	return &walker{w: w, op: "ListIdentityPools", in: object{"MaxResults": size}, size: size, ids: func(r reply) []string {
		var out []string
		for _, p := range r.IdentityPools {
			out = append(out, p.IdentityPoolId)
		}
		return out
	}}
}

// next reads a page and reports whether there is another.
func (k *walker) next(t *testing.T) bool {
	t.Helper()
	page := k.w.ok(k.op, k.in)
	ids := k.ids(page)
	if len(ids) > k.size || page.NextToken != "" && len(ids) != k.size {
		t.Errorf("%s: got a page of %d, next %v, want %d", k.op, len(ids), page.NextToken != "", k.size)
	}
	k.seen = append(k.seen, ids...)
	k.in["NextToken"] = page.NextToken
	return page.NextToken != ""
}

// check holds all pages together: in order, none twice, and all that were there the whole time.
func (k *walker) check(t *testing.T, name string, always []string) {
	t.Helper()
	if !slices.IsSorted(k.seen) || len(slices.Compact(slices.Clone(k.seen))) != len(k.seen) {
		t.Errorf("%s: %s: got %d ids, not each once in order", name, k.op, len(k.seen))
	}
	for _, id := range always {
		if !slices.Contains(k.seen, id) {
			t.Errorf("%s: %s: %s, which was there all the time, is on no page", name, k.op, id)
		}
	}
}

// TestListIdentitiesPages: pages stay whole while identities come and go, whatever goes: also the very one with which a
// page ended.
func TestListIdentitiesPages(t *testing.T) {
	w := newWorld(t, options{})
	var stay, leave []string
	for n := range 40 {
		id := w.getID(nil)
		if n%2 == 0 {
			stay = append(stay, id)
		} else {
			leave = append(leave, id)
		}
	}
	for name, disturb := range map[string]func(k *walker){
		"undisturbed": func(*walker) {},
		"some come":   func(*walker) { w.getID(nil); w.getID(nil) },
		"some go": func(*walker) {
			w.ok("DeleteIdentities", object{"IdentityIdsToDelete": leave[:2]})
			leave = leave[2:]
		},
		"the last of a page goes": func(k *walker) {
			if last := k.seen[len(k.seen)-1]; slices.Contains(leave, last) {
				w.ok("DeleteIdentities", object{"IdentityIdsToDelete": []string{last}})
			}
		},
		"some are linked": func(*walker) { w.vend(stay[0], w.idp.login(0, "alice")) },
	} {
		k := w.identityWalker(7)
		pages := 1
		for ; k.next(t); pages++ {
			disturb(k)
		}
		k.check(t, name, stay)
		if pages < 3 {
			t.Errorf("%s: got %d pages", name, pages)
		}
	}
	// A merged identity is hidden or shown, on whatever page.
	merged := stay[3]
	w.vend(merged, w.idp.login(0, "alice"))
	for _, hide := range []bool{false, true} {
		k := w.identityWalker(1)
		k.in["HideDisabled"] = hide
		for k.next(t) {
		}
		if slices.Contains(k.seen, merged) == hide {
			t.Errorf("HideDisabled %v: shown %v", hide, !hide)
		}
	}
	if got := w.ok("ListIdentities", object{"IdentityPoolId": w.newPool(nil), "MaxResults": 60}); got.Identities == nil || len(got.Identities) != 0 || got.NextToken != "" {
		t.Errorf("an empty pool: got %+v", got)
	}
	for _, n := range []string{"0", "61", "-1", "null"} {
		w.refuse(t, "MaxResults "+n, badValue, "", ask{op: "ListIdentities", in: rawJSON(fmt.Sprintf(`{"IdentityPoolId":%q,"MaxResults":%s}`, w.pool, n))})
	}
}

// TestListIdentityPoolsPages is the same for pools.
func TestListIdentityPoolsPages(t *testing.T) {
	w := newWorld(t, options{})
	var stay, leave []string
	for n := range 16 {
		id := w.newPool(nil)
		if n%2 == 0 {
			stay = append(stay, id)
		} else {
			leave = append(leave, id)
		}
	}
	stay = append(stay, w.pool)
	for name, disturb := range map[string]func(k *walker){
		"undisturbed": func(*walker) {},
		"some come":   func(*walker) { w.newPool(nil) },
		"some go": func(*walker) {
			w.ok("DeleteIdentityPool", object{"IdentityPoolId": leave[0]})
			leave = leave[1:]
		},
		"the last of a page goes": func(k *walker) {
			if last := k.seen[len(k.seen)-1]; slices.Contains(leave, last) {
				w.ok("DeleteIdentityPool", object{"IdentityPoolId": last})
				leave = slices.DeleteFunc(leave, func(id string) bool { return id == last })
			}
		},
	} {
		k := w.poolWalker(5)
		for k.next(t) {
			disturb(k)
		}
		k.check(t, name, stay)
	}
	for _, p := range w.ok("ListIdentityPools", object{"MaxResults": 60}).IdentityPools {
		if p.IdentityPoolName == "" {
			t.Errorf("%s has no name", p.IdentityPoolId)
		}
	}
}

// TestPageTokens: a page token goes on in its own list, pool or identity, for its own caller, for an hour, as it is.
func TestPageTokens(t *testing.T) {
	w := newWorld(t, options{})
	other := w.newPool(nil)
	for range 3 {
		w.getID(nil)
	}
	for n := range 3 {
		w.developerToken(object{"Logins": user(numbered("u", n))})
		w.ok("MergeDeveloperIdentities", w.merge(numbered("u", n), "u00"))
	}
	dev := w.lookup(object{"DeveloperUserIdentifier": "u00"}).IdentityId
	otherDev := w.developerToken(object{"Logins": user("v")}).IdentityId
	identities := object{"IdentityPoolId": w.pool, "MaxResults": 1}
	pools := object{"MaxResults": 1}
	users := object{"IdentityPoolId": w.pool, "IdentityId": dev, "MaxResults": 1}
	with := func(in object, token string) object {
		out := object{"NextToken": token}
		for k, v := range in {
			out[k] = v
		}
		return out
	}
	tokens := map[string]string{}
	inputs := map[string]object{"ListIdentities": identities, "ListIdentityPools": pools, "LookupDeveloperIdentity": users}
	for op, in := range inputs {
		tokens[op] = w.ok(op, in).NextToken
		if tokens[op] == "" {
			t.Fatalf("%s: no next page", op)
		}
		w.ok(op, with(in, tokens[op]))
		w.ok(op, with(in, tokens[op])) // it may be used again
	}
	refusePage := func(name, op string, signer *sigv4.Credentials, in any) {
		t.Helper()
		w.refuse(t, name, invalid, badPage, ask{signer, op, in})
	}
	for from, token := range tokens {
		for to, in := range inputs {
			if from != to {
				refusePage("that of "+from, to, nil, with(in, token))
			}
		}
	}
	refusePage("another pool's", "ListIdentities", nil, with(object{"IdentityPoolId": other, "MaxResults": 1}, tokens["ListIdentities"]))
	refusePage("another identity's", "LookupDeveloperIdentity", nil, with(object{"IdentityPoolId": w.pool, "IdentityId": otherDev, "MaxResults": 1}, tokens["LookupDeveloperIdentity"]))
	refusePage("with a user", "LookupDeveloperIdentity", nil, with(object{"IdentityPoolId": w.pool, "DeveloperUserIdentifier": "u00"}, tokens["LookupDeveloperIdentity"]))

	// Another caller: another user, and another identity with the same role, whose session has the same ARN.
	second := w.user("second", allow("*", "*", ""))
	w.role("dev-authenticated", trust(w.pool, "authenticated"), allow("cognito-identity:*", "*", ""))
	alice, bob := w.vend(w.getID(w.idp.login(0, "alice")), w.idp.login(0, "alice")), w.vend(w.getID(w.idp.login(0, "bob")), w.idp.login(0, "bob"))
	for op, in := range inputs {
		refusePage("another user's", op, second, with(in, tokens[op]))
		page, err := w.as(alice.signer(), op, in)
		if err != nil {
			t.Fatal(err)
		}
		refusePage("another identity's session", op, bob.signer(), with(in, page.NextToken))
		again := w.vend(alice.IdentityId, w.idp.login(0, "alice"))
		if _, err := w.as(again.signer(), op, with(in, page.NextToken)); err != nil {
			t.Errorf("%s: got %v for new credentials of the same identity", op, err)
		}
	}

	// Any other text.
	token := tokens["ListIdentities"]
	for at := range token {
		forged := []byte(token)
		if forged[at] ^= 1; forged[at] == ' ' {
			continue
		}
		w.refuseQuietly(t, invalid, badPage, ask{op: "ListIdentities", in: with(identities, string(forged))})
	}
	for name, forged := range map[string]string{
		"cut": token[:len(token)-1], "longer": token + "A", "doubled": token + token, "padded": token + "=", "an id": dev, "one letter": "x",
		"a session's": alice.Credentials.SessionToken, "an OpenID token": w.developerToken(object{"Logins": user("v")}).Token, "huge": strings.Repeat("A", 65535),
	} {
		refusePage(name, "ListIdentities", nil, with(identities, forged))
	}
	w.refuse(t, "with a space", badValue, "", ask{op: "ListIdentities", in: with(identities, token+" x")})

	w.advance(time.Hour - time.Second)
	for op, in := range inputs {
		w.ok(op, with(in, tokens[op]))
	}
	w.advance(time.Second)
	for op, in := range inputs {
		refusePage("an hour later", op, nil, with(in, tokens[op]))
	}
}

// TestDescribedIdentities: what lists and descriptions say of identities of all kinds.
func TestDescribedIdentities(t *testing.T) {
	w := newWorld(t, options{})
	guest := w.getID(nil)
	several := w.developerToken(object{"Logins": both(user("dev"), w.idp.logins(map[int]string{0: "a", 1: "b"}))}).IdentityId
	born := float64(identity.Millis(noon).UnixMilli()) / 1000
	w.advance(90 * time.Second)
	changed := w.getID(nil)
	w.advance(90 * time.Second)
	w.vend(changed, w.idp.login(2, "c"))
	for id, want := range map[string]struct {
		logins            []string
		created, modified float64
	}{
		guest:   {nil, born, born},
		several: {[]string{w.idp.key(0), w.idp.key(1), developer}, born, born},
		changed: {[]string{w.idp.key(2)}, born + 90, born + 180},
	} {
		// A description has the members of an entry of a list.
		var got struct {
			IdentityId                     string
			Logins                         []string
			CreationDate, LastModifiedDate float64
		}
		w.MustCall("DescribeIdentity", w.admin, object{"IdentityId": id}, &got)
		if got.IdentityId != id || !slices.Equal(got.Logins, want.logins) || got.CreationDate != want.created || got.LastModifiedDate != want.modified {
			t.Errorf("got %+v, want %+v", got, want)
		}
		listed := w.ok("ListIdentities", object{"IdentityPoolId": w.pool, "MaxResults": 60}).Identities
		at := slices.IndexFunc(listed, func(i struct {
			IdentityId                     string
			Logins                         []string
			CreationDate, LastModifiedDate float64
		}) bool {
			return i.IdentityId == id
		})
		if at < 0 || fmt.Sprint(listed[at]) != fmt.Sprint(got) {
			t.Errorf("got %+v in the list, want %+v", listed, got)
		}
	}
}
