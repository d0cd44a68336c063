package oidc

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// TestRefreshLoads: keys are there before the first token, are renewed before they expire, and how they stand is known.
func TestRefreshLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serveKeys(issuer, keySetJSON(s.jwk()), time.Hour)
		v := mustVerifier(t, w, Options{})
		refresh := func(after time.Duration, want Standing) {
			t.Helper()
			if got := v.Refresh([]*login.Provider{provider()}, t0.Add(after)); got != want {
				t.Errorf("after %v: got %+v, want %+v", after, got, want)
			}
			settle()
		}
		refresh(0, Standing{Loading: 1})
		refresh(time.Second, Standing{Fresh: 1})
		keyFetches(t, w, 1)
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Errorf("got %v, want no error", err)
		}
		refresh(47*time.Minute, Standing{Fresh: 1})
		keyFetches(t, w, 1)
		refresh(48*time.Minute, Standing{Fresh: 1})
		keyFetches(t, w, 2)
		w.fail(errors.New("down"))
		refresh(108*time.Minute, Standing{Stale: 1}) // the second set expires now
		refresh(48*time.Minute+25*time.Hour-1, Standing{Stale: 1})
		refresh(48*time.Minute+25*time.Hour, Standing{Missing: 1})
		w.fail(nil)
		refresh(48*time.Minute+26*time.Hour, Standing{Missing: 1})
		refresh(48*time.Minute+26*time.Hour, Standing{Fresh: 1})
	})
}

// TestRefreshOfADeadIssuer: an issuer that is down at the start is asked once a minute, is counted, and is found by the
// first token once it is back, whatever the upkeep did just before.
func TestRefreshOfADeadIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.fail(errors.New("down"))
		v := mustVerifier(t, w, Options{})
		for i := range 240 { // every 15 seconds for an hour
			got := v.Refresh([]*login.Provider{provider()}, t0.Add(time.Duration(i)*15*time.Second))
			settle()
			if want := (Standing{Missing: 1}); i > 0 && got != want {
				t.Fatalf("%d: got %+v, want %+v", i, got, want)
			}
		}
		if all, _ := w.count(); all != 60 {
			t.Errorf("got %d fetches in an hour, want 60", all)
		}
		now := t0.Add(time.Hour)
		v.Refresh([]*login.Provider{provider()}, now)
		settle()
		w.fail(nil)
		w.serve(issuer, s)
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(map[string]any{"exp": now.Unix() + 60})), now.Add(time.Second)); err != nil {
			t.Errorf("the first token once it is back: got %v, want no error", err)
		}
	})
}

// TestJitter: when a set is refreshed differs, and is always after 70 % of its life and before its end.
func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for _, jitter := range []float64{0, 0.25, 0.5, 0.999} {
		s := newKeySet(nil, nil, t0, time.Hour, jitter)
		after := s.refresh.Sub(t0)
		if after < 42*time.Minute || after >= 54*time.Minute {
			t.Errorf("jitter %v: got a refresh after %v, want one from 42 to 54 minutes", jitter, after)
		}
		seen[after] = true
	}
	if len(seen) != 4 {
		t.Errorf("got %d times of refresh, want 4", len(seen))
	}
}

// TestKeySetAtHand: a key set in a file is used without any fetch, replaced ones come into use within five minutes or with
// the first token of a new key, and one that cannot be read leaves the old for a day.
func TestKeySetAtHand(t *testing.T) {
	old, next, w := es256("1"), es256("2"), new(web)
	document, broken := keySetJSON(old.jwk()), error(nil)
	v := mustVerifier(t, w, Options{Issuers: map[string]Settings{issuer: {KeySet: func() ([]byte, error) { return []byte(document), broken }}}})
	verify := func(s signer, after time.Duration) (*login.Login, error) {
		now := t0.Add(after)
		return v.Verify(t.Context(), provider(), s.sign(goodClaims(map[string]any{"iat": now.Unix(), "exp": now.Unix() + 60})), now)
	}
	if _, err := verify(old, 0); err != nil {
		t.Fatal(err)
	}
	document = keySetJSON(next.jwk())
	if _, err := verify(next, time.Second); err != nil {
		t.Errorf("the first token of a new key: got %v, want no error", err)
	}
	l, err := verify(old, time.Second)
	wantRefusal(t, l, err, login.KeyNotFound, "")
	document = keySetJSON(old.jwk())
	l, err = verify(next, time.Second+minAge)
	wantRefusal(t, l, err, login.KeyNotFound, "")

	broken = errors.New("no such file")
	if _, err := verify(old, time.Hour); err != nil {
		t.Errorf("an hour without the file: got %v, want no error", err)
	}
	l, err = verify(old, 25*time.Hour)
	wantRefusal(t, l, err, login.IssuerUnreachable, "")
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the file's error as the cause", err)
	}
	if all, _ := w.count(); all != 0 {
		t.Errorf("got %d fetches, want 0", all)
	}
}

// TestOwnFetcher: an issuer with a fetcher of its own is asked through that one alone, and others never are.
func TestOwnFetcher(t *testing.T) {
	s, common, own := es256("1"), new(web), new(web)
	const other = "https://other.example"
	own.serve(issuer, s)
	common.serve(other, s)
	v := mustVerifier(t, common, Options{Issuers: map[string]Settings{issuer: {Fetcher: own}}})
	p := provider()
	for _, iss := range []string{issuer, other} {
		p.Issuer = iss
		if _, err := v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"iss": iss})), t0); err != nil {
			t.Errorf("%s: got %v, want no error", iss, err)
		}
	}
	for w, base := range map[*web]string{common: other, own: issuer} {
		if got := w.urls(); len(got) != 2 || got[0] != base+wellKnown || got[1] != base+"/keys" {
			t.Errorf("got fetches of %v, want the two documents of %s", got, base)
		}
	}
}

var _ Fetcher = (*fetch.Client)(nil)
