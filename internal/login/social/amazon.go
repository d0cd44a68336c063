package social

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// amazonPrefix is how all access tokens of Login with Amazon begin.
const amazonPrefix = "Atza|"

// amazonQuestion asks tokeninfo about a token.
func amazonQuestion(_ *Verifier, p *login.Provider, token string, _ time.Time) (fetch.Request, *login.Refusal) {
	rest, ok := strings.CutPrefix(token, amazonPrefix)
	if !ok || len(token) > maxAccessToken || !isToken(rest, "-_+/=.~|", maxAccessToken) {
		return fetch.Request{}, rejected("an access token, which begins with "+amazonPrefix, "something else")
	}
	return fetch.Request{URL: p.Endpoint, Query: url.Values{"access_token": {token}}}, nil
}

// amazonErrors are the errors that tell of the token in question (RFC 6750 §3.1).
var amazonErrors = []string{"invalid_token", "invalid_request", "insufficient_scope"}

// amazonJudge reads {"iss", "aud", "user_id", "app_id", "exp", "iat"}, where exp is how many seconds are left.
func amazonJudge(p *login.Provider, answer *fetch.Answer, now time.Time) (map[string]any, time.Time, *login.Refusal) {
	all, refusal := object(p, answer)
	if refusal != nil {
		return nil, now, refusal
	}
	if answer.Status != 200 {
		name, _ := all["error"].(string)
		if slices.Contains(amazonErrors, name) && (answer.Status == 400 || answer.Status == 401) {
			return nil, now, rejected("a valid access token", "one that the provider refuses: "+name)
		}
		return nil, now, unreachable(p, fmt.Sprintf("status %d", answer.Status), nil)
	}
	if iss, present := all["iss"]; present && iss != p.Issuer {
		return nil, now, &login.Refusal{Reason: login.IssuerMismatch, Claim: "iss", Expected: p.Issuer, Found: "another issuer"}
	}
	left, ok := seconds(all["exp"])
	if !ok {
		return nil, now, unreachable(p, "an answer without exp", nil)
	}
	if left == 0 {
		return nil, now, expired(now.Unix(), now.Unix())
	}
	return all, now.Add(min(time.Duration(left), 24*60*60) * time.Second).UTC(), nil
}
