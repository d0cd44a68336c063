package social

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

const maxOAuth = 128 // characters of a token or a secret of OAuth 1.0a

// twitterQuestion asks who the user is, signed with the app's key and the user's token: a token of another app is worth
// nothing there.
func twitterQuestion(v *Verifier, p *login.Provider, token string, now time.Time) (fetch.Request, *login.Refusal) {
	access, secret, ok := strings.Cut(token, ";")
	if !ok || !isToken(access, "-_", maxOAuth) || !isToken(secret, "-_", maxOAuth) {
		return fetch.Request{}, rejected("an access token and its secret, with a semicolon between them", "something else")
	}
	if p.Secret.Empty() {
		return fetch.Request{}, &login.Refusal{Reason: login.AudienceMismatch, Expected: "the app's secret in the pool", Found: "none"}
	}
	var nonce [16]byte
	if _, err := io.ReadFull(v.opts.Random, nonce[:]); err != nil {
		return fetch.Request{}, unreachable(p, "no randomness", err)
	}
	// Less of an answer: of a user's last status there can be a lot.
	query := url.Values{"include_entities": {"false"}, "skip_status": {"true"}}
	header, err := oauth{
		consumer: p.Audiences[0], consumerSecret: p.Secret.Reveal(), token: access, tokenSecret: secret,
		nonce: base64.RawURLEncoding.EncodeToString(nonce[:]), timestamp: now.Unix(),
	}.header("GET", p.Endpoint, query)
	if err != nil {
		return fetch.Request{}, unreachable(p, "no signature", errors.Join(errors.New("signing with OAuth 1.0a"), err))
	}
	return fetch.Request{URL: p.Endpoint, Query: query, Authorization: header}, nil
}

// twitterErrors are the codes that tell of the token or its user: it cannot be authenticated, is suspended, invalid or
// expired, or locked. A wrong secret of the app looks like the first.
var twitterErrors = []string{"32", "64", "89", "326"}

// twitterJudge reads a user: {"id_str", …}.
func twitterJudge(p *login.Provider, answer *fetch.Answer, now time.Time) (map[string]any, time.Time, *login.Refusal) {
	all, refusal := object(p, answer)
	if refusal != nil {
		return nil, now, refusal
	}
	if answer.Status == 200 {
		return all, now.Add(noExpiry).UTC(), nil
	}
	if code := twitterCode(all); slices.Contains(twitterErrors, code) && (answer.Status == 401 || answer.Status == 403) {
		return nil, now, rejected("a token that the provider authenticates", "one that it refuses with the code "+code)
	}
	return nil, now, unreachable(p, fmt.Sprintf("status %d", answer.Status), nil)
}

// twitterCode is the code of the first error of an answer.
func twitterCode(all map[string]any) string {
	list, _ := all["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(map[string]any)
	code, _ := login.Text(first["code"])
	return code
}
