package cognito_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"idpool/internal/admission"
	"idpool/internal/cognito"
	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
)

// getIDFrom asks for a guest as a client behind a proxy that we trust.
func (w *world) getIDFrom(client, poolID string) (status int, body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.URL+"/", strings.NewReader(fmt.Sprintf(`{"IdentityPoolId":%q}`, poolID)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSCognitoIdentityService.GetId"}, "X-Forwarded-For": {client},
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, resp.Header.Get("X-Amzn-Errortype") + resp.Header.Get("X-Amzn-Errormessage")
}

// TestF1: one client makes so many guests in one pool and no more, and leaves no rows beyond; other clients, other pools
// and everybody with a login go on; the bucket refills with time.
func TestF1(t *testing.T) {
	w := newWorld(t, options{configure: func(c *config.Config) {
		c.Limits.GuestsPerSecond, c.Limits.GuestsBurst = 2, 5
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}})
	other := w.fullPool()
	take := func(client, poolID string, want int) {
		t.Helper()
		before := len(w.MustIdentities(poolID))
		for n := range want {
			if status, text := w.getIDFrom(client, poolID); status != http.StatusOK {
				t.Errorf("%s: guest %d: got %d %s", client, n+1, status, text)
			}
		}
		for range 20 {
			if status, text := w.getIDFrom(client, poolID); status != http.StatusBadRequest || text != tooMany+":"+rateExceeded {
				t.Errorf("%s: got %d %s above the limit", client, status, text)
			}
		}
		if got := len(w.MustIdentities(poolID)) - before; got != want {
			t.Errorf("%s: got %d rows, want %d", client, got, want)
		}
	}
	take("192.0.2.1", w.pool, 5)
	take("192.0.2.2", w.pool, 5)
	take("192.0.2.1", other, 5)
	take("2001:db8:1:2::1", w.pool, 5)
	take("2001:db8:1:2:ffff::2", w.pool, 0) // the same /64, of which a client can have every address
	take("2001:db8:1:3::1", w.pool, 5)
	take("192.0.2.1, 198.51.100.7", w.pool, 5)                // what the client writes himself does not count
	take("192.0.2.200, 198.51.100.7", w.pool, 0)              // nor does it help
	w.vend(w.getID(w.idp.login(0, "a")), w.idp.login(0, "a")) // 127.0.0.1 itself, with a login
	w.advance(time.Second)
	take("192.0.2.1", w.pool, 2)
	w.advance(time.Hour)
	take("192.0.2.1", w.pool, 5)
}

// TestF1OfManyClients: many clients together make so many guests in one pool, and in all, and no more.
func TestF1OfManyClients(t *testing.T) {
	w := newWorld(t, options{configure: func(c *config.Config) {
		c.Limits.GuestsPerPool, c.Limits.GuestsInAll = 1, 2
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}})
	client := 0
	take := func(poolID string, want int) {
		t.Helper()
		before := len(w.MustIdentities(poolID))
		for n := range want + 5 {
			client++
			status, text := w.getIDFrom(fmt.Sprintf("10.0.%d.%d", client/250, client%250), poolID)
			if n < want && status != http.StatusOK || n >= want && (status != http.StatusBadRequest || text != tooMany+":"+rateExceeded) {
				t.Errorf("guest %d of %d: got %d %s", n+1, want, status, text)
			}
		}
		if got := len(w.MustIdentities(poolID)) - before; got != want {
			t.Errorf("got %d rows, want %d", got, want)
		}
	}
	take(w.pool, 10)
	take(w.fullPool(), 10)
	take(w.fullPool(), 0)
	w.vend(w.getID(w.idp.login(0, "a")), w.idp.login(0, "a"))
	w.advance(time.Second)
	take(w.pool, 1)
	take(w.fullPool(), 1)
}

// TestGuestLimitIsOff: 0 limits nothing.
func TestGuestLimitIsOff(t *testing.T) {
	w := newWorld(t, options{configure: func(c *config.Config) { c.Limits.GuestsPerSecond, c.Limits.GuestsBurst = 0, 1 }})
	for range 20 {
		w.getID(nil)
	}
}

// TestSignaturesQueue: a token waits for its turn to be signed, and not for long: whoever has waited in vain is told to
// come back, and when the queue is gone it goes on.
func TestSignaturesQueue(t *testing.T) {
	w := newWorld(t, options{})
	id := w.getID(nil)
	queue := admission.New(1, 0)
	service := &cognito.Service{Config: w.Source, Identities: w.Store.Identities, Issuer: "https://idpool.test", ClassicWhenUnset: true, Signatures: queue, Random: rand.Reader}
	call := func() *operation.Call {
		return &operation.Call{Snapshot: w.snapshot(), Now: w.clock.Now(), Event: &event.Record{}, Fresh: func() error { return nil }}
	}
	asGuest := func() (*cognito.GetOpenIdTokenOutput, error) {
		return service.GetOpenIdToken(t.Context(), call(), &cognito.GetOpenIdTokenInput{IdentityId: &id})
	}
	asDeveloper := func() (*cognito.GetOpenIdTokenOutput, error) {
		return service.GetOpenIdTokenForDeveloperIdentity(t.Context(), call(), &cognito.GetOpenIdTokenForDeveloperIdentityInput{
			IdentityPoolId: &w.pool, Logins: map[string]string{developer: "dev"},
		})
	}
	for name, sign := range map[string]func() (*cognito.GetOpenIdTokenOutput, error){"guest": asGuest, "developer": asDeveloper} {
		err := queue.Do(t.Context(), func() {
			if out, err := sign(); !fault.Is(err, fault.TooManyRequests) || err.Error() != "TooManyRequests: "+rateExceeded || out != nil {
				t.Errorf("%s: got %v, %v, want to be told to come back", name, out, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := sign(); err != nil || out.Token == nil {
			t.Errorf("%s: got %v, %v, want a token", name, out, err)
		}
	}
}
