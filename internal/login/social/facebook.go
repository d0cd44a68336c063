package social

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// maxAccessToken is the longest access token of Amazon's, in bytes; Facebook's are shorter.
const maxAccessToken = 2048

// noExpiry is for how long a login counts whose token has no end that we know of.
const noExpiry = time.Hour

// facebookQuestion asks Graph's debug_token about a token, as the app itself: it must be the app of the token, so the
// answer is for the pool's app or there is none.
func facebookQuestion(_ *Verifier, p *login.Provider, token string, _ time.Time) (fetch.Request, *login.Refusal) {
	if !isToken(token, "-_", maxAccessToken) {
		return fetch.Request{}, rejected("an access token, or an ID token of Limited Login", "neither by its form")
	}
	if p.Secret.Empty() {
		return fetch.Request{}, &login.Refusal{
			Reason: login.AudienceMismatch, Expected: "the app's secret in login_providers.secrets", Found: "none",
		}
	}
	return fetch.Request{URL: p.Endpoint, Query: url.Values{
		"input_token": {token}, "access_token": {p.Audiences[0] + "|" + p.Secret.Reveal()},
	}}, nil
}

// The codes of Graph's errors that tell of the token in question; all others are about us, or about Graph.
const (
	facebookParameter = "100" // of a token of another app: "(#100) The App_id in the input_token did not match the Viewing App"
)

// facebookJudge reads {"data": {"app_id", "type", "is_valid", "expires_at", "user_id", "error": …}}. Of a token that is not
// valid, the answer is 200 and says so.
func facebookJudge(p *login.Provider, answer *fetch.Answer, now time.Time) (map[string]any, time.Time, *login.Refusal) {
	all, refusal := object(p, answer)
	if refusal != nil {
		return nil, now, refusal
	}
	if failure, ok := all["error"].(map[string]any); ok || answer.Status != 200 {
		return nil, now, facebookError(p, answer.Status, failure)
	}
	data, ok := all["data"].(map[string]any)
	if !ok {
		return nil, now, unreachable(p, "an answer without data", nil)
	}
	exp, dated := seconds(data["expires_at"])
	if dated && exp != 0 && exp <= now.Unix() {
		return nil, now, expired(now.Unix(), exp)
	}
	if data["is_valid"] != true {
		return nil, now, rejected("a valid access token", "one that is not")
	}
	if data["type"] != "USER" {
		return nil, now, rejected("an access token of a user", "one of something else")
	}
	if !dated {
		return nil, now, unreachable(p, "an answer without expires_at", nil)
	}
	if exp == 0 { // no end
		return data, now.Add(noExpiry), nil
	}
	return data, time.Unix(exp, 0).UTC(), nil
}

func facebookError(p *login.Provider, status int, failure map[string]any) *login.Refusal {
	code, _ := login.Text(failure["code"])
	if code == facebookParameter {
		return otherApp()
	}
	if _, err := strconv.Atoi(code); err != nil {
		code = "none"
	}
	return unreachable(p, fmt.Sprintf("status %d with the code %s: is the app's secret right?", status, code), nil)
}

// seconds reads a number of seconds that is not negative.
func seconds(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	sec, err := strconv.ParseInt(string(n), 10, 64)
	return sec, err == nil && 0 <= sec && sec < 1<<53
}
