package oidc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
)

// TestB5Cost: security B5. A flood of tokens of unknown keys, and one of bad signatures under the known key, cost the good
// tokens between and after them nothing: the best time of a good token stays what it was, within a generous factor.
func TestB5Cost(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	good := s.sign(goodClaims(nil))
	best := func(at time.Time) time.Duration {
		t.Helper()
		least := time.Hour
		for range 100 {
			start := time.Now()
			if _, err := v.Verify(t.Context(), provider(), good, at); err != nil {
				t.Fatalf("got %v, want no error", err)
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	best(t0) // loads the keys
	before := best(t0)
	_, rest, _ := strings.Cut(es256("1").sign(goodClaims(nil)), ".")
	during := time.Hour
	for i := range 20_000 {
		now := t0.Add(time.Duration(i) * 59 * time.Second / 20_000)
		kid, want := "1", login.BadSignature
		if i%2 == 0 {
			kid, want = fmt.Sprintf("k%d", i), login.KeyNotFound
		}
		l, err := v.Verify(t.Context(), provider(), b64.EncodeToString(fmt.Appendf(nil, `{"alg":"ES256","kid":%q}`, kid))+"."+rest, now)
		wantRefusal(t, l, err, want, "")
		if i%1000 == 999 {
			during = min(during, best(now))
		}
	}
	after := best(t0.Add(59 * time.Second))
	for name, got := range map[string]time.Duration{"during": during, "after": after} {
		if got > 10*before {
			t.Errorf("%s the flood: a good token takes %v, want no more than 10 times the %v before", name, got, before)
		}
	}
	keyFetches(t, w, 2)
	if n := len(v.source(provider(), t0).absent); n > 2 {
		t.Errorf("got %d key ids remembered as absent, want at most 2", n)
	}
}

// TestB5Minutes: however long a flood lasts, no minute has more than two loads.
func TestB5Minutes(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	_, rest, _ := strings.Cut(s.sign(goodClaims(map[string]any{"exp": t0.Unix() + 7200})), ".")
	var loads []time.Time
	for i := range 10_000 { // over an hour
		now := t0.Add(time.Duration(i) * time.Hour / 10_000)
		_, was := w.count()
		v.Verify(t.Context(), provider(), b64.EncodeToString(fmt.Appendf(nil, `{"alg":"ES256","kid":"k%d"}`, i))+"."+rest, now)
		if _, is := w.count(); is != was {
			loads = append(loads, now)
		}
	}
	if len(loads) < 100 || len(loads) > 120 {
		t.Errorf("got %d loads in an hour, want nearly two a minute", len(loads))
	}
	for i := 2; i < len(loads); i++ {
		if d := loads[i].Sub(loads[i-2]); d < time.Minute {
			t.Errorf("got three loads within %v", d)
		}
	}
}
