package oidc

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// The limits of claims (security A16, A18, A21).
const (
	maxAudiences = 100
	maxSkew      = 300     // seconds that `nbf` and `iat` may lie ahead
	maxTime      = 1 << 53 // the first integer that other JSON readers may round
)

// claims are those of a token with the types that they must have. Nothing of them is believed before the signature.
type claims struct {
	all           map[string]any
	sub           string
	aud           []string
	azp           string // "" when absent
	exp, iat, nbf int64  // epoch seconds; nbf is 0 when absent
}

// parseClaims reads the payload and makes the checks that need no key: steps 3 to 5 of spec cognito-identity §8.2, and
// the claims' types. `aud` is missed first, as AWS does: that is what an access token lacks.
func parseClaims(payload []byte, p *login.Provider) (*claims, *login.Refusal) {
	all, err := strictjson.Object(payload)
	if err != nil {
		return nil, malformed("claims as a JSON object", err)
	}
	if refusal := checkIssuer(all, p); refusal != nil {
		return nil, refusal
	}
	for _, name := range [...]string{"aud", "sub", "exp", "iat"} {
		if isAbsent(all, name) {
			return nil, &login.Refusal{Reason: login.MissingClaim, Claim: name, Expected: "the claim", Found: "none, or an empty one"}
		}
	}
	c := &claims{all: all}
	if refusal := c.readTypes(); refusal != nil {
		return nil, refusal
	}
	return c, c.checkTokenType(p.TokenUse)
}

func isAbsent(all map[string]any, name string) bool {
	switch v := all[name].(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	_, ok := all[name]
	return !ok
}

// checkIssuer compares `iss` with the configured issuer byte for byte (security A14).
func checkIssuer(all map[string]any, p *login.Provider) *login.Refusal {
	if isAbsent(all, "iss") {
		return &login.Refusal{Reason: login.MissingClaim, Claim: "iss", Expected: "the claim", Found: "none, or an empty one"}
	}
	iss, ok := all["iss"].(string)
	if !ok {
		return invalid("iss", "a string", all["iss"])
	}
	if iss != p.Issuer && !slices.Contains(p.MoreIssuers, iss) {
		return &login.Refusal{Reason: login.IssuerMismatch, Claim: "iss", Expected: p.Issuer, Found: describeIssuer(iss, p.Issuer)}
	}
	return nil
}

// describeIssuer tells an operator how the issuer differs, where it is one of the usual mistakes.
func describeIssuer(got, want string) string {
	_, bare, _ := strings.Cut(want, "://")
	switch {
	case got+"/" == want, got == want+"/":
		return "another issuer, which differs by a trailing slash"
	case got == bare:
		return "the issuer without its scheme"
	case got == "http://"+bare:
		return "the issuer with http://"
	case strings.EqualFold(got, want):
		return "another issuer, which differs in upper and lower case"
	case strings.HasPrefix(got, want):
		return "another issuer, which begins with the configured one"
	}
	return login.AnotherIssuer
}

// readTypes reads the claims that are checked, and refuses those of another type or range.
func (c *claims) readTypes() *login.Refusal {
	var ok bool
	if c.sub, ok = c.all["sub"].(string); !ok || !login.IsSubject(c.sub) {
		return invalid("sub", "a string of 1 to 255 bytes without control characters", c.all["sub"])
	}
	if c.aud, ok = readAudience(c.all["aud"]); !ok {
		return invalid("aud", "a string, or an array of at most 100 non-empty strings", c.all["aud"])
	}
	if azp, present := c.all["azp"]; present {
		if c.azp, ok = azp.(string); !ok || c.azp == "" {
			return invalid("azp", "a non-empty string", azp)
		}
	}
	for _, t := range [...]struct {
		name string
		to   *int64
	}{{"exp", &c.exp}, {"iat", &c.iat}, {"nbf", &c.nbf}} {
		v, present := c.all[t.name]
		if !present {
			continue // only nbf: the others are required
		}
		if *t.to, ok = readTime(v); !ok {
			return invalid(t.name, "an integer of seconds, from 0 to below 2^53", v)
		}
	}
	return nil
}

func readAudience(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, ok := v.([]any)
	if !ok || len(list) > maxAudiences {
		return nil, false
	}
	aud := make([]string, len(list))
	for i, v := range list {
		if aud[i], ok = v.(string); !ok || aud[i] == "" {
			return nil, false
		}
	}
	return aud, true
}

// readTime reads a time as an integer written as one: no sign, fraction or exponent.
func readTime(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	t, err := strconv.ParseUint(string(n), 10, 63)
	return int64(t), err == nil && t < maxTime
}

// invalid refuses a claim, and describes it by its type only.
func invalid(name, expected string, found any) *login.Refusal {
	kind := "null"
	switch found.(type) {
	case string:
		kind = "a string that is not"
	case json.Number:
		kind = "a number that is not"
	case bool:
		kind = "a boolean"
	case []any:
		kind = "an array that is not"
	case map[string]any:
		kind = "an object"
	}
	return &login.Refusal{Reason: login.InvalidClaim, Claim: name, Expected: expected, Found: kind}
}

// checkTokenType refuses tokens that were issued for something else than to say who somebody is (security A17). required is
// what `token_use` must be where it must be there.
func (c *claims) checkTokenType(required string) *login.Refusal {
	if _, ok := c.all["events"]; ok {
		// OpenID Connect Back-Channel Logout §2.4, RFC 8417 §2.2
		return &login.Refusal{Reason: login.WrongTokenType, Claim: "events", Expected: "an ID token", Found: "a logout token or a security event"}
	}
	use, ok := c.all["token_use"]
	if !ok && required != "" {
		return &login.Refusal{Reason: login.MissingClaim, Claim: "token_use", Expected: required, Found: "none"}
	}
	if ok && use != cmp.Or(required, "id") {
		return &login.Refusal{Reason: login.WrongTokenType, Claim: "token_use", Expected: "id", Found: "another use"}
	}
	return nil
}

// checkTimes judges a token that is verified. A token is expired from the second of `exp` on.
func (c *claims) checkTimes(now time.Time, settings *Settings) *login.Refusal {
	sec := now.Unix()
	if sec >= c.exp+int64(settings.ExpiryGrace/time.Second) {
		return &login.Refusal{Reason: login.Expired, Claim: "exp", Now: sec, Exp: c.exp, Expected: "a time after now", Found: seconds(sec-c.exp) + " ago"}
	}
	if c.nbf > sec+maxSkew {
		return &login.Refusal{Reason: login.NotYetValid, Claim: "nbf", Expected: "at most 300 s ahead", Found: seconds(c.nbf-sec) + " ahead"}
	}
	if c.iat > sec+maxSkew {
		return &login.Refusal{Reason: login.NotYetValid, Claim: "iat", Expected: "at most 300 s ahead", Found: seconds(c.iat-sec) + " ahead"}
	}
	if longest := int64(settings.maxLifetime() / time.Second); c.exp-c.iat > longest {
		return &login.Refusal{Reason: login.TooLong, Claim: "exp", Expected: "at most " + seconds(longest) + " after iat", Found: seconds(c.exp-c.iat) + " after iat"}
	}
	return nil
}

func seconds(n int64) string { return strconv.FormatInt(n, 10) + " s" }

// checkAudience returns the client id for which the token was issued (OpenID Connect Core §3.1.3.7, requirement 6); by AWS's
// rule, `azp` is looked at instead of `aud` (spec cognito-identity §8.3).
func (c *claims) checkAudience(p *login.Provider, azpReplaces bool) (string, *login.Refusal) {
	if p.AZPOrAudience {
		return c.eitherAudience(p)
	}
	if azpReplaces && c.azp != "" {
		if !slices.Contains(p.Audiences, c.azp) {
			return "", audienceMismatch(p, "azp", "another client id")
		}
		return c.azp, nil
	}
	i := slices.IndexFunc(c.aud, func(aud string) bool { return slices.Contains(p.Audiences, aud) })
	if i < 0 {
		return "", audienceMismatch(p, "aud", fmt.Sprintf("%d audiences, none of them configured", len(c.aud)))
	}
	switch {
	case azpReplaces:
	case c.azp == "" && len(c.aud) > 1:
		return "", audienceMismatch(p, "azp", fmt.Sprintf("no azp with %d audiences", len(c.aud)))
	case c.azp != "" && !slices.Contains(p.Audiences, c.azp):
		return "", audienceMismatch(p, "azp", "another client id")
	}
	return c.aud[i], nil
}

// eitherAudience returns the client id that `aud`, or else `azp`, holds.
func (c *claims) eitherAudience(p *login.Provider) (string, *login.Refusal) {
	for _, client := range append(slices.Clone(c.aud), c.azp) {
		if client != "" && slices.Contains(p.Audiences, client) {
			return client, nil
		}
	}
	return "", audienceMismatch(p, "aud", "neither aud nor azp is configured")
}

func audienceMismatch(p *login.Provider, claim, found string) *login.Refusal {
	return &login.Refusal{Reason: login.AudienceMismatch, Claim: claim, Expected: "one of the " + strconv.Itoa(len(p.Audiences)) + " configured client ids", Found: found}
}
