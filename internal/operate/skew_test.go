package operate_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/client"
	"idpool/internal/idpooltest"
	"idpool/internal/store"
)

// A node whose clock is more than thirty seconds from the database's is not ready, mints nothing and accepts nothing, until
// it is right again (security 51).
func TestANodeWithAWrongClock(t *testing.T) {
	c := newClock()
	var skew atomic.Int64
	s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now, WrapStore: func(inner *store.Store) *store.Store {
		out := *inner
		out.Clock = func(context.Context) (time.Time, error) { return c.Now().Add(time.Duration(skew.Load())), nil }
		return &out
	}})
	alice := s.MustVend("alice")
	for _, step := range []struct {
		skew time.Duration
		ok   bool
	}{{29 * time.Second, true}, {31 * time.Second, false}, {0, true}, {-10 * time.Minute, false}, {0, true}} {
		skew.Store(int64(step.skew))
		c.advance(t, 10*time.Second, s)
		_, who := s.WhoAmI(alice.Signer())
		for name, err := range map[string]error{
			"a session": who, "an operator": s.Call("ListIdentityPools", s.Admin(), object{"MaxResults": 1}, nil),
			"a new session": s.Call("GetCredentialsForIdentity", nil, object{"IdentityId": alice.IdentityId, "Logins": s.Logins(s.MustToken("alice"))}, nil),
		} {
			if f, failed := errors.AsType[*client.Fault](err); step.ok != (err == nil) || failed && f.Status != 500 {
				t.Errorf("skew %v, %s: got %v", step.skew, name, err)
			}
		}
		if step.skew != 31*time.Second { // the page's answer is good for a second
			continue
		}
		resp, err := http.Get(s.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("it is ready")
		}
	}
}
