package oidc

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/login"
)

// remembering is a verifier that remembers, and counts the signatures that it checked.
type remembering struct {
	*Verifier
	web    *web
	checks atomic.Int64
}

func mustRemember(t *testing.T, n int, signers ...signer) *remembering {
	t.Helper()
	r := &remembering{web: new(web)}
	r.web.serve(issuer, signers...)
	r.Verifier = mustVerifier(t, r.web, Options{Verified: n, Admit: func(_ context.Context, work func()) error {
		r.checks.Add(1)
		work()
		return nil
	}})
	return r
}

// want verifies and wants the subject user-1 after so many more checks of signatures.
func (r *remembering) want(t *testing.T, what string, p *login.Provider, token string, at time.Time, checks int64) {
	t.Helper()
	before := r.checks.Load()
	l, err := r.Verify(t.Context(), p, token, at)
	if err != nil || l.Subject != "user-1" || l.Provider != p {
		t.Errorf("%s: got %+v, %v, want user-1", what, l, err)
	}
	if got := r.checks.Load() - before; got != checks {
		t.Errorf("%s: got %d checks of a signature, want %d", what, got, checks)
	}
}

func TestVerifiedOnce(t *testing.T) {
	s := es256("1")
	r, p, token := mustRemember(t, 100, s), provider(), s.sign(goodClaims(nil))
	r.want(t, "the first time", p, token, t0, 1)
	r.want(t, "again", p, token, t0.Add(time.Second), 0)
	r.want(t, "for an equal provider", provider(), token, t0.Add(time.Second), 0)
	r.want(t, "just before the end", p, token, t0.Add(maxVerified-1), 0)
	r.want(t, "after a minute", p, token, t0.Add(maxVerified), 1)
	r.want(t, "another token of the same claims", p, s.sign(goodClaims(nil)), t0, 1)
}

func TestVerifiedOff(t *testing.T) {
	s := es256("1")
	r, p, token := mustRemember(t, 0, s), provider(), s.sign(goodClaims(nil))
	r.want(t, "the first time", p, token, t0, 1)
	r.want(t, "again", p, token, t0, 1)
}

// TestVerifiedSize: a large token is verified each time, so that an issuer that fills its tokens does not fill our memory.
func TestVerifiedSize(t *testing.T) {
	s := es256("1")
	r, p := mustRemember(t, 100, s), provider()
	for size, checks := range map[int]int64{2000: 0, 4000: 1, 20_000: 1} { // three bytes are four letters of the token
		token := s.sign(goodClaims(map[string]any{"more": strings.Repeat("x", size)}))
		r.want(t, fmt.Sprint(size, " bytes, the first time"), p, token, t0, 1)
		r.want(t, fmt.Sprint(size, " bytes, again"), p, token, t0, checks)
	}
}

// TestVerifiedSignature: a token that is remembered lends nothing to the same claims under another signature.
func TestVerifiedSignature(t *testing.T) {
	s, other := es256("1"), es256("1")
	r, p, token := mustRemember(t, 100, s), provider(), s.sign(goodClaims(nil))
	r.want(t, "the first time", p, token, t0, 1)
	signed := token[:strings.LastIndexByte(token, '.')]
	for name, forged := range map[string]string{
		"zeros":           signed + "." + b64.EncodeToString(make([]byte, 64)),
		"one byte":        signed + ".AA",
		"another key":     other.sign(goodClaims(nil)),
		"other's over it": signed + "." + b64.EncodeToString(other.signature(signed)),
	} {
		for range 2 { // what was refused is not remembered either
			l, err := r.Verify(t.Context(), p, forged, t0)
			if err == nil || l != nil {
				t.Errorf("%s: got %+v, want a refusal", name, l)
			}
		}
	}
	// ECDSA has a second signature for every one: that one is good by itself, and is verified by itself.
	raw, _ := b64.DecodeString(token[len(signed)+1:])
	n := p256Key().Curve.Params().N
	flipped := new(big.Int).Sub(n, new(big.Int).SetBytes(raw[32:])).FillBytes(make([]byte, 32))
	r.want(t, "n-s", p, signed+"."+b64.EncodeToString(append(raw[:32:32], flipped...)), t0, 1)
	// Segments that begin elsewhere in the same bytes are other bytes.
	if l, err := r.Verify(t.Context(), p, strings.Replace(token, ".", "", 1)+".AAAA", t0); err == nil {
		t.Errorf("a dot elsewhere: got %+v", l)
	}
}

// TestVerifiedIsJudgedAgain: what depends on the time or on the provider is asked each time.
func TestVerifiedIsJudgedAgain(t *testing.T) {
	s := es256("1")
	claims := goodClaims(map[string]any{"exp": t0.Unix() + 30, "token_use": "id"})
	change := func(f func(*login.Provider)) *login.Provider {
		p := provider()
		f(p)
		return p
	}
	for name, c := range map[string]struct {
		provider *login.Provider
		at       time.Time
		reason   login.Reason
		claim    string
	}{
		"expired":          {provider(), t0.Add(30 * time.Second), login.Expired, "exp"},
		"the clock back":   {provider(), t0.Add(-6 * time.Minute), login.NotYetValid, "iat"},
		"other clients":    {change(func(p *login.Provider) { p.Audiences = []string{"client-2"} }), t0, login.AudienceMismatch, "aud"},
		"other algorithms": {change(func(p *login.Provider) { p.Algorithms = []string{"RS256"} }), t0, login.AlgorithmRefused, ""},
		"another use":      {change(func(p *login.Provider) { p.TokenUse = "access" }), t0, login.WrongTokenType, "token_use"},
		"another issuer":   {change(func(p *login.Provider) { p.Issuer = "https://other.example.com" }), t0, login.IssuerMismatch, "iss"},
		"SAML":             {change(func(p *login.Provider) { p.Kind = login.SAML }), t0, login.IssuerUnreachable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, token := mustRemember(t, 100, s), s.sign(claims)
			r.want(t, "the first time", provider(), token, t0, 1)
			l, err := r.Verify(t.Context(), c.provider, token, c.at)
			wantRefusal(t, l, err, c.reason, c.claim)
		})
	}
}

// TestVerifiedConfigurations: what was verified for one configuration of a provider says nothing to another.
func TestVerifiedConfigurations(t *testing.T) {
	s := es256("1")
	r, token := mustRemember(t, 100, s), s.sign(goodClaims(nil))
	r.want(t, "the first time", provider(), token, t0, 1)
	changed := provider()
	changed.Config = "c2"
	r.want(t, "another configuration", changed, token, t0, 1)
	r.want(t, "the first again", provider(), token, t0, 0)
}

// TestVerifiedKeyTakenBack: a remembered verification ends with its key, as soon as this node has the newer set.
func TestVerifiedKeyTakenBack(t *testing.T) {
	old, next := es256("1"), es256("2")
	r, token := mustRemember(t, 100, old), old.sign(goodClaims(nil))
	r.want(t, "the first time", provider(), token, t0, 1)
	r.web.serve(issuer, next)
	r.want(t, "as long as nobody knows", provider(), token, t0, 0)
	// The first token of the next key has the set loaded: one check by the newer set.
	r.want(t, "the next key", provider(), next.sign(goodClaims(nil)), t0, 2)
	l, err := r.Verify(t.Context(), provider(), token, t0)
	wantRefusal(t, l, err, login.KeyNotFound, "")
}

// TestVerifiedKeyReplaced: another key, or another one under the same id, in the set that takes the place of an old one.
func TestVerifiedKeyReplaced(t *testing.T) {
	for kid, reason := range map[string]login.Reason{"2": login.KeyNotFound, "1": login.BadSignature} {
		old, next := es256("1"), es256(kid)
		r, token := mustRemember(t, 100, old), old.sign(goodClaims(nil))
		r.want(t, "the first time", provider(), token, t0, 1)
		release := r.web.holdBack()
		r.want(t, "while a newer set is on its way", provider(), token, t0.Add(minAge-20*time.Second), 1)
		r.web.serve(issuer, next)
		release()
		l, err := r.Verify(t.Context(), provider(), token, t0.Add(minAge+20*time.Second))
		wantRefusal(t, l, err, reason, "")
	}
}

// TestVerifiedWithoutKeys: where nobody can tell any more whether the key was taken back, nothing is remembered.
func TestVerifiedWithoutKeys(t *testing.T) {
	s := es256("1")
	r, token := mustRemember(t, 100, s), s.sign(goodClaims(map[string]any{"exp": t0.Unix() + 48*3600 + 3600}))
	r.want(t, "the first time", provider(), token, t0, 1)
	r.web.fail(errors.New("gone"))
	at := t0.Add(minAge + maxStale - 10*time.Second)
	r.want(t, "while the old set lives", provider(), token, at, 1)
	r.want(t, "again", provider(), token, at.Add(time.Second), 0)
	l, err := r.Verify(t.Context(), provider(), token, at.Add(20*time.Second))
	wantRefusal(t, l, err, login.IssuerUnreachable, "")
}

// TestVerifiedUsers: many users at once, each again and again: nobody is taken for another.
func TestVerifiedUsers(t *testing.T) {
	const users, rounds = 20, 40
	s := es256("1")
	r, p := mustRemember(t, users/2, s), provider() // too few places, so that some give way
	tokens := make([]string, users)
	for n := range tokens {
		tokens[n] = s.sign(goodClaims(map[string]any{"sub": fmt.Sprint("user ", n)}))
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range rounds * users {
				n := (i*7 + g) % users
				l, err := r.Verify(t.Context(), p, tokens[n], t0.Add(time.Duration(i)*time.Millisecond))
				if want := fmt.Sprint("user ", n); err != nil || l.Subject != want || l.Claims["sub"] != want {
					t.Errorf("got %+v, %v, want %s", l, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkVerifyAgain(b *testing.B) {
	s := signer{"RS256", "1", rsaKey()}
	w := new(web)
	w.serve(issuer, s)
	v, p, token := mustVerifier(b, w, Options{Verified: 100}), provider(), s.sign(benchClaims())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), p, token, t0); err != nil {
			b.Fatal(err)
		}
	}
}
