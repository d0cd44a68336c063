package idpooltest

import (
	"fmt"
	"sync"
	"testing"

	"idpool/internal/config"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/store/recent"
	"idpool/internal/store/storetest"
)

// vend asks for credentials with a token and returns the code of the refusal, or none.
func (s *Server) vend(id, token string) string {
	s.t.Helper()
	in := object{"IdentityId": id}
	if token != "" {
		in["Logins"] = s.Logins(token)
	}
	return s.call("GetCredentialsForIdentity", nil, in).refusal().code
}

// TestRememberedIsRefusedAtOnce: an identity and a token that were just used give nothing any more on the node that
// changed something, from the next request on.
func TestRememberedIsRefusedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *Server, id, token string)
		want   string
	}{
		"deleted": {func(s *Server, id, _ string) {
			s.MustCall("DeleteIdentities", s.Admin(), object{"IdentityIdsToDelete": []string{id}}, nil)
		}, "ResourceNotFoundException"},
		"unlinked": {func(s *Server, id, token string) {
			s.MustCall("UnlinkIdentity", nil, object{"IdentityId": id, "Logins": s.Logins(token), "LoginsToRemove": []string{s.IdP.Key}}, nil)
		}, "NotAuthorizedException"},
		"provider taken from the pool": {func(s *Server, _, _ string) {
			s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.OIDCProviders = nil })
		}, "NotAuthorizedException"},
		"client taken from the provider": {func(s *Server, _, _ string) {
			arn := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
			current := s.mustSnapshot().OIDCProvider(arn)
			changed := current.OIDCProvider
			changed.ClientIDs = []string{"another"}
			s.mustWrite(snapshot.PutOIDCProvider(&changed, Account, current.Version))
		}, "NotAuthorizedException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Options{Clock: newClock().Now})
			id, token := s.MustGetID("alice"), s.MustToken("alice")
			for range 2 {
				if got := s.vend(id, token); got != "" {
					t.Fatalf("before: got %s", got)
				}
			}
			c.change(s, id, token)
			if got := s.vend(id, token); got != c.want {
				t.Errorf("got %q, want %s", got, c.want)
			}
		})
	}
}

// TestRememberedElsewhere: what another node changed is seen here at once where nothing was remembered, and after
// recent.MaxAge at the latest.
func TestRememberedElsewhere(t *testing.T) {
	url := storetest.PostgresURL(t)
	c, dir := newClock(), t.TempDir()
	idp := StartIdP(t, c.Now)
	here := Start(t, Options{Clock: c.Now, Store: url, Dir: dir, IdP: idp})
	there := Start(t, Options{Clock: c.Now, Store: url, Dir: dir, IdP: idp})
	alice, bob := here.MustGetID("alice"), here.MustGetID("bob")
	token, other := here.MustToken("alice"), here.MustToken("bob")
	if got := here.vend(alice, token); got != "" {
		t.Fatalf("before: got %s", got)
	}
	there.MustCall("DeleteIdentities", there.Admin(), object{"IdentityIdsToDelete": []string{alice, bob}}, nil)
	if got := there.vend(alice, token); got != "ResourceNotFoundException" {
		t.Errorf("where it was deleted: got %q", got)
	}
	if got := here.vend(bob, other); got != "ResourceNotFoundException" {
		t.Errorf("elsewhere, not remembered: got %q", got)
	}
	here.mustAdvance(c, recent.MaxAge)
	if got := here.vend(alice, token); got != "ResourceNotFoundException" {
		t.Errorf("elsewhere, after %v: got %q", recent.MaxAge, got)
	}
}

// TestRememberedUsers: many users at once on a node that remembers few of them: each gets credentials of his own identity.
func TestRememberedUsers(t *testing.T) {
	const users, rounds = 12, 6
	s := Start(t, Options{Configure: func(c *config.Config) { c.Cache = config.Cache{Identities: users / 2, Tokens: users / 2} }})
	ids, tokens := make([]string, users), make([]string, users)
	for n := range users {
		ids[n], tokens[n] = s.MustGetID(fmt.Sprint("user ", n)), s.MustToken(fmt.Sprint("user ", n))
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range rounds * users {
				n := (i*5 + g) % users
				var own, others Vended
				if err := s.Call("GetCredentialsForIdentity", nil, object{"IdentityId": ids[n], "Logins": s.Logins(tokens[n])}, &own); err != nil || own.IdentityId != ids[n] {
					t.Errorf("user %d: got %s, %v", n, own.IdentityId, err)
				}
				if err := s.Call("GetCredentialsForIdentity", nil, object{"IdentityId": ids[(n+1)%users], "Logins": s.Logins(tokens[n])}, &others); err == nil {
					t.Errorf("user %d got credentials of another", n)
				}
			}
		})
	}
	wg.Wait()
}

// startSealed starts a server whose pool has sealed guests.
func startSealed(t *testing.T, o Options) *Server {
	t.Helper()
	o.Dir, o.IdP = t.TempDir(), StartIdP(t, o.Clock)
	first := Start(t, o)
	first.Stop()
	o.Configure = func(c *config.Config) { c.SealedGuests = []string{first.Dev.PoolID} }
	return Start(t, o)
}

// TestSealedGuests: a guest without a row is like any other, until he logs in, is merged or deleted; then a row says so.
func TestSealedGuests(t *testing.T) {
	s := startSealed(t, Options{Clock: newClock().Now})
	guest := s.MustVend("")
	if got := s.MustIdentities(s.Dev.PoolID); len(got) != 0 {
		t.Fatalf("got %d rows, want none", len(got))
	}
	who, err := s.WhoAmI(guest.Signer())
	if want := "arn:aws:sts::" + Account + ":assumed-role/" + setup.DevGuestRole + "/CognitoIdentityCredentials"; err != nil || who != want {
		t.Errorf("got %s, %v, want %s", who, err, want)
	}
	var described struct{ IdentityId string }
	s.MustCall("DescribeIdentity", s.Admin(), object{"IdentityId": guest.IdentityId}, &described)
	if described.IdentityId != guest.IdentityId {
		t.Errorf("described: got %q", described.IdentityId)
	}

	// Linked: the same id is alice's from now on.
	if got := s.vend(guest.IdentityId, s.MustToken("alice")); got != "" {
		t.Fatalf("linking: got %s", got)
	}
	rows := s.MustIdentities(s.Dev.PoolID)
	if len(rows) != 1 || rows[0].ID != guest.IdentityId || !rows[0].Authenticated || s.MustGetID("alice") != guest.IdentityId {
		t.Errorf("after linking: got the rows %+v", rows)
	}
	if got := s.vend(guest.IdentityId, ""); got != "NotAuthorizedException" {
		t.Errorf("as a guest again: got %q", got)
	}

	// Merged: another guest meets alice's login and is disabled for ever.
	second := s.MustGetID("")
	var merged Vended
	s.MustCall("GetCredentialsForIdentity", nil, object{"IdentityId": second, "Logins": s.Logins(s.MustToken("alice"))}, &merged)
	if got := s.vend(second, ""); merged.IdentityId != guest.IdentityId || got != "NotAuthorizedException" {
		t.Errorf("merged: got %s, then %q", merged.IdentityId, got)
	}

	// Deleted: never there again, whether or not there was a row.
	third := s.MustGetID("")
	s.MustCall("DeleteIdentities", s.Admin(), object{"IdentityIdsToDelete": []string{third, guest.IdentityId}}, nil)
	for _, id := range []string{third, guest.IdentityId} {
		for _, token := range []string{"", s.MustToken("alice")} {
			if got := s.vend(id, token); got != "ResourceNotFoundException" {
				t.Errorf("deleted: got %q", got)
			}
		}
	}
	var listed struct{ Identities []struct{ IdentityId string } }
	s.MustCall("ListIdentities", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 60}, &listed)
	if len(listed.Identities) != 1 || listed.Identities[0].IdentityId != second {
		t.Errorf("got the list %+v, want the merged one alone", listed)
	}
	if fresh := s.MustGetID("alice"); fresh == guest.IdentityId {
		t.Error("the login of a deleted identity leads to it")
	}
}

// TestSealedGuestsRefused: what a pool refuses to guests it refuses to sealed ones, and other pools know none.
func TestSealedGuestsRefused(t *testing.T) {
	s := startSealed(t, Options{Clock: newClock().Now})
	guest := s.MustGetID("")
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.AllowUnauthenticated = false })
	if got := s.vend(guest, ""); got != "NotAuthorizedException" {
		t.Errorf("guests are not allowed: got %q", got)
	}
	other := Start(t, Options{Clock: newClock().Now})
	if got := other.vend(guest, ""); got != "ResourceNotFoundException" {
		t.Errorf("another system: got %q", got)
	}
	if rows := s.MustIdentities(s.Dev.PoolID); len(rows) != 0 {
		t.Errorf("got the rows %+v, want none", rows)
	}
}
