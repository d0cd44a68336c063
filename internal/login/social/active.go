package social

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// userPool verifies an ID token of a user pool and, where the pool says so for the client (ServerSideTokenCheck), asks the
// user pool whether it is active still (spec cognito-identity §8.4). The signature comes first: nobody can have us ask about
// tokens that nobody issued.
func (v *Verifier) userPool(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, error) {
	l, err := v.opts.IDTokens.Verify(ctx, p, token, now)
	if err != nil || !slices.Contains(p.MustBeActive, l.Audience) {
		return l, err
	}
	if refusal := v.active(ctx, p, token, now); refusal != nil {
		return nil, refusal
	}
	return l, nil
}

// active asks by token introspection (RFC 7662).
func (v *Verifier) active(ctx context.Context, p *login.Provider, token string, now time.Time) *login.Refusal {
	if p.Endpoint == "" {
		return &login.Refusal{
			Reason: login.IssuerUnreachable, Expected: "an introspection endpoint of the user pool in login_providers.endpoints", Found: "none, and ServerSideTokenCheck is on",
		}
	}
	request := fetch.Request{URL: p.Endpoint, Form: url.Values{"token": {token}, "token_type_hint": {"id_token"}}}
	if !p.Secret.Empty() {
		request.Authorization = "Bearer " + p.Secret.Reveal()
	}
	answer, refusal := v.send(ctx, p, request, now)
	if refusal != nil {
		return refusal
	}
	if answer.Status != 200 { // of the token itself, even a wrong one, it answers 200 (§2.2)
		return unreachable(p, fmt.Sprintf("status %d", answer.Status), nil)
	}
	all, refusal := object(p, answer)
	if refusal != nil {
		return refusal
	}
	switch all["active"] {
	case true:
		return nil
	case false:
		return &login.Refusal{Reason: login.Inactive, Expected: "a token that is active", Found: "one that is not"}
	}
	return unreachable(p, "an answer that does not say whether the token is active", nil)
}
