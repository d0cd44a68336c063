// Package social verifies logins that only their provider can judge: access tokens of Facebook, Login with Amazon and
// Twitter, and ID tokens of user pools that must still be active.
//
// Each login asks the provider one question through the one outgoing client. What anybody sends us must not become a flood
// at the provider's, on our account there: what cannot be a token of the provider is refused without asking, only so many
// questions are under way at once, and only so many are asked in a second. How many of them one client may cause is the
// caller's to bound. No answer is remembered: a token that was taken back is refused the next time.
//
// ID tokens, also those of Facebook's Limited Login, are verified by login/oidc, which this package is given.
package social

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"idpool/internal/admission"
	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// Asker asks a provider, by rules of its own on what may be reached. *fetch.Client is one.
type Asker interface {
	Ask(ctx context.Context, r fetch.Request) (*fetch.Answer, error)
}

// Options are what a Verifier needs.
type Options struct {
	Asker Asker
	// IDTokens verifies ID tokens.
	IDTokens login.Verifier
	// Random is the source of the nonces of OAuth 1.0a.
	Random io.Reader
	// AtOnce is how many questions to one provider are under way at once, at least one; one more waits for Wait.
	AtOnce int
	Wait   time.Duration
	// PerSecond is how many questions one provider is asked in a second; 0 limits nothing.
	PerSecond int
}

// Verifier is the login.Verifier of providers that must be asked. It is safe for concurrent use.
type Verifier struct {
	opts  Options
	rates *admission.Rates

	mu     sync.Mutex
	places map[string]*admission.Pool // by endpoint
}

var _ login.Verifier = (*Verifier)(nil)

// New returns a verifier.
func New(opts Options) *Verifier {
	return &Verifier{
		opts: opts, places: map[string]*admission.Pool{},
		rates: admission.NewRates(float64(opts.PerSecond), opts.PerSecond),
	}
}

// service is how one kind of access token is checked.
type service struct {
	// question returns what to ask, or refuses what cannot be a token.
	question func(v *Verifier, p *login.Provider, token string, now time.Time) (fetch.Request, *login.Refusal)
	// judge returns the members of an answer that vouches for the token, and when the token ends.
	judge func(p *login.Provider, answer *fetch.Answer, now time.Time) (map[string]any, time.Time, *login.Refusal)
}

// services are all kinds of access tokens.
func services(kind login.Kind) (service, bool) {
	switch kind {
	case login.Facebook:
		return service{facebookQuestion, facebookJudge}, true
	case login.Amazon:
		return service{amazonQuestion, amazonJudge}, true
	case login.Twitter:
		return service{twitterQuestion, twitterJudge}, true
	}
	return service{}, false
}

// Verify returns the login that the token proves, or a *login.Refusal.
func (v *Verifier) Verify(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, error) {
	switch {
	case p.Kind == login.UserPool:
		return v.userPool(ctx, p, token, now)
	case p.Kind == login.Facebook && strings.Contains(token, "."): // access tokens have no dots
		return v.limited(ctx, p, token, now)
	case p.Kind == login.Discontinued:
		return nil, &login.Refusal{Reason: login.Ended, Expected: "a provider that exists", Found: "one that was discontinued"}
	}
	l, refusal := v.ask(ctx, p, token, now)
	if refusal != nil {
		return nil, refusal
	}
	return l, nil
}

// ask asks about an access token.
func (v *Verifier) ask(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, *login.Refusal) {
	kind, ok := services(p.Kind)
	if !ok || p.Row == nil || p.Endpoint == "" || len(p.Audiences) != 1 {
		return nil, unreachable(p, "another kind of provider", nil)
	}
	request, refusal := kind.question(v, p, token, now)
	if refusal != nil {
		return nil, refusal
	}
	answer, refusal := v.send(ctx, p, request, now)
	if refusal != nil {
		return nil, refusal
	}
	members, expires, refusal := kind.judge(p, answer, now)
	if refusal != nil {
		return nil, refusal
	}
	return vouched(p, members, expires)
}

// send asks in its turn.
func (v *Verifier) send(ctx context.Context, p *login.Provider, request fetch.Request, now time.Time) (*fetch.Answer, *login.Refusal) {
	if err := v.rates.Take(p.Endpoint, now); err != nil {
		return nil, busy(err)
	}
	var answer *fetch.Answer
	var failed error
	if err := v.placesOf(p.Endpoint).Do(ctx, func() { answer, failed = v.opts.Asker.Ask(ctx, request) }); err != nil {
		return nil, busy(err)
	}
	if failed != nil {
		return nil, unreachable(p, "none", failed)
	}
	return answer, nil
}

// placesOf returns the places of a provider. Endpoints are configured, so there are few.
func (v *Verifier) placesOf(endpoint string) *admission.Pool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.places[endpoint] == nil {
		v.places[endpoint] = admission.New(v.opts.AtOnce, v.opts.Wait)
	}
	return v.places[endpoint]
}

// vouched makes a login of the members of an answer (security A22): the app must be the pool's.
func vouched(p *login.Provider, members map[string]any, expires time.Time) (*login.Login, *login.Refusal) {
	if name := p.Row.App; name != "" {
		app := id(members[name])
		if app == "" {
			return nil, unreachable(p, "an answer that names no app", nil)
		}
		if app != p.Audiences[0] {
			return nil, otherApp()
		}
	}
	subject := id(members[p.Row.Subject])
	if !login.IsSubject(subject) {
		return nil, unreachable(p, "an answer that names no user", nil)
	}
	return p.Vouched(subject, expires), nil
}

// id reads an id: text, or a whole number as it is written. Anything else is "".
func id(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		if isToken(v.String(), "", 64) && !strings.ContainsAny(v.String(), "eE") {
			return v.String()
		}
	}
	return ""
}

// limited verifies an ID token of Facebook's Limited Login, which names the users that access tokens name.
func (v *Verifier) limited(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, error) {
	l, err := v.opts.IDTokens.Verify(ctx, p, token, now)
	if err != nil {
		return nil, err
	}
	return p.Vouched(l.Subject, l.Expires), nil
}

// object reads an answer. Everything that is not JSON is no answer of the provider's.
func object(p *login.Provider, answer *fetch.Answer) (map[string]any, *login.Refusal) {
	all, err := strictjson.Object(answer.Body)
	if err != nil {
		return nil, unreachable(p, "something else: "+err.Error(), nil)
	}
	return all, nil
}

// isToken reports whether s is 1 to most letters, digits and characters of more.
func isToken(s, more string, most int) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// rejected refuses a token that its provider, or a look at it, does not know as one.
func rejected(expected, found string) *login.Refusal {
	return &login.Refusal{Reason: login.Rejected, Expected: expected, Found: found}
}

func otherApp() *login.Refusal {
	return &login.Refusal{Reason: login.AudienceMismatch, Expected: "a token for the app that the pool names", Found: "one for another app"}
}

func expired(now, exp int64) *login.Refusal {
	return &login.Refusal{Reason: login.Expired, Now: now, Exp: exp, Expected: "a time after now", Found: "one that has come"}
}

// unreachable refuses what the provider did not decide.
func unreachable(p *login.Provider, found string, cause error) *login.Refusal {
	return &login.Refusal{Reason: login.IssuerUnreachable, Expected: "an answer of " + p.Key, Found: found, Cause: cause}
}

func busy(cause error) *login.Refusal {
	return &login.Refusal{Reason: login.Busy, Expected: "a turn to be checked", Found: "too many others at this provider", Cause: cause}
}
