package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// keyFetches fails the test unless there were so many fetches of key sets.
func keyFetches(t *testing.T, w *web, want int) {
	t.Helper()
	if _, got := w.count(); got != want {
		t.Errorf("got %d fetches of keys, want %d", got, want)
	}
}

// settle waits until no load is under way. It must run in a synctest bubble.
func settle() { synctest.Wait() }

// TestSingleflight: 64 first tokens at once load once; so do 64 with a key that nobody has seen, after a rotation.
func TestSingleflight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, rotated, w := es256("1"), es256("2"), new(web)
		w.serve(issuer, old)
		v := mustVerifier(t, w, Options{})
		for i, s := range []signer{old, rotated} {
			if i == 1 {
				w.serve(issuer, old, rotated)
			}
			release := w.holdBack()
			token := s.sign(goodClaims(nil))
			var wg sync.WaitGroup
			errs := make([]error, 64)
			for i := range errs {
				wg.Go(func() { _, errs[i] = v.Verify(t.Context(), provider(), token, t0) })
			}
			settle() // all of them wait for the one load
			release()
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Errorf("got %v, want no error", err)
			}
			keyFetches(t, w, i+1)
		}
	})
}

// TestRotation: a new key works on its first token, even right after the first load; a key taken back works no longer.
func TestRotation(t *testing.T) {
	old, rotated, w := es256("1"), es256("2"), new(web)
	w.serve(issuer, old)
	v := mustVerifier(t, w, Options{})
	if _, err := v.Verify(t.Context(), provider(), old.sign(goodClaims(nil)), t0); err != nil {
		t.Fatal(err)
	}
	w.serve(issuer, rotated)
	if _, err := v.Verify(t.Context(), provider(), rotated.sign(goodClaims(nil)), t0); err != nil {
		t.Errorf("the first token of a new key: got %v, want no error", err)
	}
	l, err := v.Verify(t.Context(), provider(), old.sign(goodClaims(nil)), t0)
	wantRefusal(t, l, err, login.KeyNotFound, "")
	keyFetches(t, w, 2)
}

// TestRotationWithoutKeyIDs: the same where the issuer names no keys, so that a new key shows as a bad signature.
func TestRotationWithoutKeyIDs(t *testing.T) {
	old, rotated, w := es256(""), es256(""), new(web)
	w.serve(issuer, old)
	v := mustVerifier(t, w, Options{})
	for _, s := range []signer{old, rotated} {
		w.serve(issuer, s)
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	l, err := v.Verify(t.Context(), provider(), old.sign(goodClaims(nil)), t0)
	wantRefusal(t, l, err, login.BadSignature, "")
	keyFetches(t, w, 2)
}

// TestRemovedKey: security B6. Nobody says that a key was taken back, so it must end with its set's life: at the first
// token after it, however long the issuer was not heard of.
func TestRemovedKey(t *testing.T) {
	for _, idle := range []time.Duration{time.Hour, time.Hour + time.Second, 5 * time.Hour, 23 * time.Hour, 1000 * time.Hour} {
		old, w := es256("1"), new(web)
		w.serveKeys(issuer, keySetJSON(old.jwk()), time.Hour)
		v := mustVerifier(t, w, Options{})
		token := func(s signer, now time.Time) string {
			return s.sign(goodClaims(map[string]any{"iat": now.Unix(), "exp": now.Unix() + 60}))
		}
		if _, err := v.Verify(t.Context(), provider(), token(old, t0), t0); err != nil {
			t.Fatal(err)
		}
		w.serveKeys(issuer, keySetJSON(es256("2").jwk()), time.Hour)
		if _, err := v.Verify(t.Context(), provider(), token(old, t0.Add(47*time.Minute)), t0.Add(47*time.Minute)); err != nil {
			t.Errorf("within the set's life: got %v, want no error", err)
		}
		now := t0.Add(idle)
		l, err := v.Verify(t.Context(), provider(), token(old, now), now)
		wantRefusal(t, l, err, login.KeyNotFound, "")
		keyFetches(t, w, 2)
	}
}

// TestRefresh: in the last fifth of a set's life a newer one is loaded while the old one is used.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serveKeys(issuer, keySetJSON(s.jwk()), time.Hour)
		v := mustVerifier(t, w, Options{})
		token := s.sign(goodClaims(map[string]any{"exp": t0.Unix() + 9*3600}))
		verify := func(after time.Duration, wantFetches int) {
			t.Helper()
			if _, err := v.Verify(t.Context(), provider(), token, t0.Add(after)); err != nil {
				t.Errorf("after %v: got %v, want no error", after, err)
			}
			settle()
			keyFetches(t, w, wantFetches)
		}
		verify(0, 1)
		verify(47*time.Minute, 1)
		release := w.holdBack()
		verify(49*time.Minute, 1) // the load is under way, held back: nobody waits
		verify(50*time.Minute, 1)
		release()
		settle()
		keyFetches(t, w, 2)
		verify(90*time.Minute, 2) // the new set was asked for at 49 minutes
		verify(98*time.Minute, 3)
	})
}

// TestStale: with the issuer down, the last good set is used for a day after its life, and then no more.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serveKeys(issuer, keySetJSON(s.jwk()), time.Hour)
		v := mustVerifier(t, w, Options{})
		verify := func(after time.Duration) (*login.Login, error) {
			now := t0.Add(after)
			defer settle()
			return v.Verify(t.Context(), provider(), s.sign(goodClaims(map[string]any{"iat": now.Unix(), "exp": now.Unix() + 60})), now)
		}
		if _, err := verify(0); err != nil {
			t.Fatal(err)
		}
		w.fail(errors.New("down"))
		for _, after := range []time.Duration{50 * time.Minute, time.Hour, 2 * time.Hour, 12 * time.Hour, 25*time.Hour - time.Second} {
			if _, err := verify(after); err != nil {
				t.Errorf("after %v: got %v, want no error", after, err)
			}
		}
		for _, after := range []time.Duration{25 * time.Hour, 26 * time.Hour, 1000 * time.Hour} {
			l, err := verify(after)
			wantRefusal(t, l, err, login.IssuerUnreachable, "")
		}
		w.fail(nil)
		if _, err := verify(1001 * time.Hour); err != nil {
			t.Errorf("the issuer is back: got %v, want no error", err)
		}
	})
}

// TestStaleWithoutWaiting: once a load has failed, requests do not wait for the next one; after a while they do again.
func TestStaleWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serve(issuer, s)
		v := mustVerifier(t, w, Options{})
		token := s.sign(goodClaims(map[string]any{"exp": t0.Unix() + 9*3600}))
		verify := func(ctx context.Context, after time.Duration) error {
			_, err := v.Verify(ctx, provider(), token, t0.Add(after))
			return err
		}
		if err := verify(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		w.fail(errors.New("down"))
		if err := verify(t.Context(), time.Hour); err != nil { // waits, and sees it fail
			t.Errorf("got %v, want no error", err)
		}
		release := w.holdBack()
		for _, more := range []time.Duration{time.Second, time.Minute, 119 * time.Second} {
			if err := verify(t.Context(), time.Hour+more); err != nil {
				t.Errorf("%v after the failure: got %v, want no error and no wait", more, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := refusalOf(t, verify(ctx, 2*time.Hour))
		if r == nil || r.Reason != login.IssuerUnreachable || !errors.Is(r, context.DeadlineExceeded) {
			t.Errorf("an hour after the failure: got %v, want a wait until the request's own end", r)
		}
		release()
		settle()
	})
}

// TestUnreachable: no keys at all. The load is tried twice a minute, however many ask.
func TestUnreachable(t *testing.T) {
	s, w := es256("1"), new(web)
	w.fail(errors.New("down"))
	v := mustVerifier(t, w, Options{})
	for range 100 {
		l, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
		if r := refusalOf(t, err); r.Cause == nil || !strings.Contains(r.Cause.Error(), "down") {
			t.Errorf("got cause %v, want the failure", r.Cause)
		}
	}
	if all, _ := w.count(); all != 2 {
		t.Errorf("got %d fetches, want 2", all)
	}
	w.fail(nil)
	w.serve(issuer, s)
	if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0.Add(time.Minute)); err != nil {
		t.Errorf("a minute later: got %v, want no error", err)
	}
}

// TestB5UnknownKeys: ten thousand tokens with random key ids, and as many with a known one and a bad signature, over
// nearly a minute: two loads. Good tokens pass all the time, and no good key is lost.
func TestB5UnknownKeys(t *testing.T) {
	s, evil, w := es256("1"), es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	good := s.sign(goodClaims(nil))
	bad := evil.sign(goodClaims(nil))
	_, payload, _ := strings.Cut(bad, ".")
	at := func(i int) time.Time { return t0.Add(time.Duration(i) * 59 * time.Second / 10_000) }
	for i := range 10_000 {
		unknown := b64.EncodeToString([]byte(fmt.Sprintf(`{"alg":"ES256","kid":"k%d"}`, i))) + "." + payload
		l, err := v.Verify(t.Context(), provider(), unknown, at(i))
		wantRefusal(t, l, err, login.KeyNotFound, "")
		if i%100 == 0 {
			if _, err := v.Verify(t.Context(), provider(), good, at(i)); err != nil {
				t.Fatalf("token %d: got %v, want no error", i, err)
			}
		}
	}
	keyFetches(t, w, 2)
	if n := len(v.source(provider(), t0).absent); n > 2 {
		t.Errorf("got %d key ids remembered as absent, want at most 2", n)
	}
}

func TestB5BadSignatures(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	bad := es256("1").sign(goodClaims(nil))
	for range 10_000 {
		l, err := v.Verify(t.Context(), provider(), bad, t0)
		wantRefusal(t, l, err, login.BadSignature, "")
	}
	keyFetches(t, w, 1)
}

// TestBudget: no minute has more than two loads, wherever it begins.
func TestBudget(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 1}, {time.Second, 2}, {2 * time.Second, 2}, {59 * time.Second, 2},
		{60 * time.Second, 3}, {60*time.Second + 1, 3}, {61 * time.Second, 4}, {62 * time.Second, 4}, {119 * time.Second, 4},
		{10 * time.Minute, 5}, // the set has expired by then
	} {
		token := s.signRaw(fmt.Sprintf(`{"alg":"ES256","kid":"at %v"}`, step.after), goodClaims(nil))
		l, err := v.Verify(t.Context(), provider(), token, t0.Add(step.after))
		wantRefusal(t, l, err, login.KeyNotFound, "")
		keyFetches(t, w, step.want)
	}
}

// TestClockJump: a clock that jumps far back does not stop the loading until it has caught up.
func TestClockJump(t *testing.T) {
	old, rotated, w := es256("1"), es256("2"), new(web)
	w.serve(issuer, old)
	v := mustVerifier(t, w, Options{})
	future := t0.Add(1000 * time.Hour)
	for i := range 5 {
		token := old.signRaw(fmt.Sprintf(`{"alg":"ES256","kid":"x%d"}`, i), goodClaims(nil))
		v.Verify(t.Context(), provider(), token, future)
	}
	keyFetches(t, w, 2)
	w.serve(issuer, rotated)
	if _, err := v.Verify(t.Context(), provider(), rotated.sign(goodClaims(nil)), t0); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	keyFetches(t, w, 3)
}

// TestAbsentKey: a key id that a load has not brought is not looked for again within a minute.
func TestAbsentKey(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0.Add(-2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	missing := es256("2").sign(goodClaims(nil))
	for i := range 60 {
		l, err := v.Verify(t.Context(), provider(), missing, t0.Add(time.Duration(i)*time.Second))
		wantRefusal(t, l, err, login.KeyNotFound, "")
	}
	keyFetches(t, w, 2) // the budget would have had one more
	v.Verify(t.Context(), provider(), missing, t0.Add(time.Minute))
	keyFetches(t, w, 3)
}

// TestUnknownKeyUnreachable: a key that may be new cannot be judged while the issuer is down: that is not the token's
// fault, and a client should come again.
func TestUnknownKeyUnreachable(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
		t.Fatal(err)
	}
	w.fail(errors.New("down"))
	for range 3 {
		l, err := v.Verify(t.Context(), provider(), es256("2").sign(goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
	}
	if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
		t.Errorf("a known key: got %v, want no error", err)
	}
}

// TestB6BadDocuments: an answer that is no set of usable keys changes nothing.
func TestB6BadDocuments(t *testing.T) {
	for _, doc := range []string{``, `{}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AA"}]}`, `<html>`, `{"keys":[{"kty":"RSA"}]}`, strings.Repeat("[", 10_000)} {
		s, w := es256("1"), new(web)
		w.serve(issuer, s)
		var loads []Load
		v := mustVerifier(t, w, Options{OnLoad: func(l Load) { loads = append(loads, l) }})
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Fatal(err)
		}
		w.serveKeys(issuer, doc, 0)
		now := t0.Add(time.Hour)
		token := s.sign(goodClaims(map[string]any{"exp": now.Unix() + 60}))
		if _, err := v.Verify(t.Context(), provider(), token, now); err != nil {
			t.Errorf("%.30q: got %v, want the old keys to stay", doc, err)
		}
		if len(loads) != 2 || loads[0].Err != nil || loads[0].Keys != 1 || loads[1].Err == nil || loads[1].Issuer != issuer {
			t.Errorf("%.30q: got loads %+v, want a good one and a bad one", doc, loads)
		}
	}
}

// TestB7Discovery: the discovery document must be the configured issuer's own.
func TestB7Discovery(t *testing.T) {
	s := es256("1")
	const base = issuer + "/.well-known/openid-configuration"
	for _, test := range []struct {
		document string
		want     string // "" means that it is taken
	}{
		{`{"issuer":"` + issuer + `","jwks_uri":"` + issuer + `/keys"}`, ""},
		{`{"issuer":"` + issuer + `","jwks_uri":"https://keys.example/keys"}`, ""},
		{`{"issuer":"` + issuer + `/","jwks_uri":"` + issuer + `/keys"}`, "another issuer"},
		{`{"issuer":"https://LOGIN.example.com","jwks_uri":"` + issuer + `/keys"}`, "another issuer"},
		{`{"issuer":"https://evil.example","jwks_uri":"` + issuer + `/keys"}`, "another issuer"},
		{`{"issuer":["` + issuer + `"],"jwks_uri":"` + issuer + `/keys"}`, "another issuer"},
		{`{"Issuer":"` + issuer + `","jwks_uri":"` + issuer + `/keys"}`, "another issuer"},
		{`{"issuer":"https://evil.example","issuer":"` + issuer + `","jwks_uri":"` + issuer + `/keys"}`, "twice"},
		{`{"issuer":"` + issuer + `"}`, "no key set"},
		{`{"issuer":"` + issuer + `","jwks_uri":""}`, "no key set"},
		{`{"issuer":"` + issuer + `","jwks_uri":1}`, "no key set"},
		{`{"issuer":"` + issuer + `","jwks_uri":"https://elsewhere.example/keys"}`, "404"},
		{`<html>`, "no JSON object"},
		{``, "no JSON object"},
	} {
		w := new(web)
		w.serve(issuer, s)
		w.docs["https://keys.example/keys"] = w.docs[issuer+"/keys"]
		w.docs[base].Body = []byte(test.document)
		l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: got %v, want no error", test.document, err)
			}
			continue
		}
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
		if r := refusalOf(t, err); r != nil && (r.Cause == nil || !strings.Contains(r.Cause.Error(), test.want)) {
			t.Errorf("%s: got cause %v, want %q", test.document, r.Cause, test.want)
		}
	}
}

// TestB7Guard: a jwks_uri that leads inside is stopped by the client's rules, as is an issuer's redirect.
func TestB7Guard(t *testing.T) {
	s := es256("1")
	iss, client := mustServeIssuer(t, s)
	evil := &edited{Fetcher: client, from: iss + "/keys", to: "https://10.0.0.1/keys"}
	p := provider()
	p.Issuer = iss
	token := s.sign(goodClaims(map[string]any{"iss": iss}))
	l, err := mustVerifier(t, evil, Options{}).Verify(t.Context(), p, token, t0)
	wantRefusal(t, l, err, login.IssuerUnreachable, "")
	if _, ok := errors.AsType[*fetch.RefusedAddress](err); !ok {
		t.Errorf("got %v, want a refused address as the cause", err)
	}
	if _, err := mustVerifier(t, client, Options{}).Verify(t.Context(), p, token, t0); err != nil {
		t.Errorf("over real connections: got %v, want no error", err)
	}
}

// edited is a Fetcher whose answers are changed.
type edited struct {
	Fetcher
	from, to string
}

func (e *edited) Get(ctx context.Context, url string) (*fetch.Document, error) {
	doc, err := e.Fetcher.Get(ctx, url)
	if err == nil {
		doc.Body = []byte(strings.ReplaceAll(string(doc.Body), e.from, e.to))
	}
	return doc, err
}

// TestDiscoveryURL: an issuer's trailing slash is not doubled.
func TestDiscoveryURL(t *testing.T) {
	s, w := es256("1"), new(web)
	p := provider()
	p.Issuer = issuer + "/t/"
	w.serve(p.Issuer, s)
	if _, err := mustVerifier(t, w, Options{}).Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"iss": p.Issuer})), t0); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if got, want := w.urls()[0], issuer+"/t/.well-known/openid-configuration"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWaiting: a request waits as long as its own context allows; its end does not end the load.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		w.serve(issuer, s)
		v := mustVerifier(t, w, Options{})
		release := w.holdBack()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l, err := v.Verify(ctx, provider(), s.sign(goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the request as the cause", err)
		}
		release()
		settle()
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Errorf("got %v, want the load to have gone on", err)
		}
		keyFetches(t, w, 1)
	})
}

// TestHangingFetcher: a load that never answers ends by itself.
func TestHangingFetcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(web)
		w.holdBack()
		start := time.Now()
		l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), es256("1").sign(goodClaims(nil)), t0)
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
		if got := time.Since(start); got != loadTimeout {
			t.Errorf("got an end after %v, want %v", got, loadTimeout)
		}
	})
}

// TestClose ends the loads, and with them those who wait; keys that are there go on being used.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := es256("1"), new(web)
		const other = "https://other.example"
		w.serve(issuer, s)
		w.serve(other, s)
		v := mustVerifier(t, w, Options{})
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Fatal(err)
		}
		w.holdBack()
		p := provider()
		p.Issuer = other
		var wg sync.WaitGroup
		var waiting error
		wg.Go(func() {
			_, waiting = v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"iss": other})), t0)
		})
		settle()
		if err := v.Close(t.Context()); err != nil {
			t.Errorf("got %v, want no error", err)
		}
		wg.Wait()
		wantRefusal(t, nil, waiting, login.IssuerUnreachable, "")
		if _, err := v.Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0); err != nil {
			t.Errorf("with the keys at hand: got %v, want no error", err)
		}
		l, err := v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"iss": other})), t0.Add(time.Minute))
		wantRefusal(t, l, err, login.IssuerUnreachable, "")
		if !errors.Is(err, errClosed) {
			t.Errorf("got %v, want that the verifier is closed", err)
		}
	})
}

// TestCloseTimeout: Close returns when its context ends, whatever the fetcher does.
func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		v := mustVerifier(t, fetcherFunc(func(context.Context, string) (*fetch.Document, error) {
			<-stuck
			return nil, errors.New("at last")
		}), Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v.Verify(ctx, provider(), es256("1").sign(goodClaims(nil)), t0)
		if err := v.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
		close(stuck)
	})
}

type fetcherFunc func(context.Context, string) (*fetch.Document, error)

func (f fetcherFunc) Get(ctx context.Context, url string) (*fetch.Document, error) {
	return f(ctx, url)
}

// TestPanickingFetcher: a panic while loading is a failed load, not the end of the process.
func TestPanickingFetcher(t *testing.T) {
	v := mustVerifier(t, fetcherFunc(func(context.Context, string) (*fetch.Document, error) { panic("bug") }), Options{})
	l, err := v.Verify(t.Context(), provider(), es256("1").sign(goodClaims(nil)), t0)
	wantRefusal(t, l, err, login.IssuerUnreachable, "")
}

// TestEviction: the source that was unused for longest makes room.
func TestEviction(t *testing.T) {
	s, w := es256("1"), new(web)
	v := mustVerifier(t, w, Options{MaxSources: 3})
	use := func(i int, after time.Duration) {
		t.Helper()
		p := provider()
		p.Issuer = fmt.Sprintf("https://idp%d.example", i)
		w.serve(p.Issuer, s)
		if _, err := v.Verify(t.Context(), p, s.sign(goodClaims(map[string]any{"iss": p.Issuer})), t0.Add(after)); err != nil {
			t.Errorf("issuer %d: got %v, want no error", i, err)
		}
	}
	for i := range 3 {
		use(i, time.Duration(i)*time.Second)
	}
	use(0, 4*time.Second)
	use(3, 5*time.Second) // in the place of 1
	keyFetches(t, w, 4)
	use(0, 6*time.Second)
	use(2, 6*time.Second)
	keyFetches(t, w, 4)
	use(1, 7*time.Second)
	keyFetches(t, w, 5)
	for i := range 50 {
		use(i, time.Duration(10+i)*time.Second)
	}
	if n := len(v.sources); n != 3 {
		t.Errorf("got %d sources, want 3", n)
	}
}
