package login

import (
	"slices"
	"strings"
)

// Row is what there is to know of a kind of provider besides those that the account's own documents describe, which are
// IAM's OpenID Connect and SAML providers (spec cognito-identity §8.1, §8.4–8.9, §11.3). Another provider of ID tokens is
// one more row of Rows and nothing else.
//
// In Issuers and Keys, {key} stands for the provider's key and {issuer} for its issuer.
type Row struct {
	// Kind decides which verifier believes its logins.
	Kind Kind
	// Key is the key in a Logins map and in SupportedLoginProviders; empty where the pool names it, as a user pool.
	Key string

	// Issuers are the accepted `iss` of its ID tokens, the first being the one that is named to operators. Where access
	// tokens are checked at the provider, the first is what the answer must name, if it names one.
	Issuers []string
	// Keys is where the keys of its ID tokens are.
	Keys string
	// Algorithms are those of its ID tokens.
	Algorithms []string
	// TokenUse and AZPOrAudience are as in Provider.
	TokenUse      string
	AZPOrAudience bool

	// Endpoint is where its access tokens are checked; empty where logins are ID tokens alone.
	Endpoint string
	// Subject and App are the members of the endpoint's answer that hold the user's id and the app's. An empty App means
	// that the endpoint answers for the app alone that asks.
	Subject, App string

	// Attributes are what role mappings and principal tags can read: iss, aud, and any other name for the user's id.
	// Nil means every claim of the ID token.
	Attributes []string
}

var rs256 = []string{"RS256"}

// Rows is the table of providers.
var Rows = []Row{
	{
		Kind: UserPool, Issuers: []string{"https://{key}"}, Keys: "{issuer}/.well-known/jwks.json", Algorithms: rs256, TokenUse: "id",
	},
	{
		Kind: Social, Key: "accounts.google.com", Issuers: []string{"https://accounts.google.com", "accounts.google.com"},
		Keys: "https://www.googleapis.com/oauth2/v3/certs", Algorithms: rs256, AZPOrAudience: true,
	},
	{
		Kind: Social, Key: "appleid.apple.com", Issuers: []string{"https://appleid.apple.com"},
		Keys: "https://appleid.apple.com/auth/keys", Algorithms: rs256,
	},
	{
		// Access tokens, and the ID tokens of Limited Login, which name the same users.
		Kind: Facebook, Key: "graph.facebook.com", Issuers: []string{"https://www.facebook.com"},
		Keys: "https://www.facebook.com/.well-known/oauth/openid/jwks/", Algorithms: rs256,
		Endpoint: "https://graph.facebook.com/debug_token", Subject: "user_id", App: "app_id",
		Attributes: []string{"iss", "aud", "sub"},
	},
	{
		Kind: Amazon, Key: "www.amazon.com", Issuers: []string{"https://www.amazon.com"},
		Endpoint: "https://api.amazon.com/auth/o2/tokeninfo", Subject: "user_id", App: "aud",
		Attributes: []string{"iss", "aud", "sub", "user_id"},
	},
	{
		Kind: Twitter, Key: "api.twitter.com",
		Endpoint: "https://api.twitter.com/1.1/account/verify_credentials.json", Subject: "id_str",
		Attributes: []string{"iss", "aud", "sub"},
	},
	{Kind: Discontinued, Key: "www.digits.com"},
}

// RowOf returns the row of a key of SupportedLoginProviders, or nil.
func RowOf(key string) *Row {
	i := slices.IndexFunc(Rows, func(r Row) bool { return r.Key != "" && r.Key == key })
	if i < 0 {
		return nil
	}
	return &Rows[i]
}

// userPoolRow is the row of all user pools.
func userPoolRow() *Row {
	return &Rows[slices.IndexFunc(Rows, func(r Row) bool { return r.Kind == UserPool })]
}

// IsUserPool reports whether name is the ProviderName of a Cognito user pool, cognito-idp.REGION.amazonaws.com/POOL
// (spec cognito-identity §7.1).
func IsUserPool(name string) bool {
	region, ok := strings.CutPrefix(name, "cognito-idp.")
	if !ok || len(name) > 128 {
		return false
	}
	region, pool, ok := strings.Cut(region, "/")
	region = strings.TrimSuffix(region, ".cn")
	region, amazon := strings.CutSuffix(region, ".amazonaws.com")
	before, after, joined := strings.Cut(pool, "_")
	return ok && amazon && joined && isWord(region, "-") && isWord(before, "-") && isWord(after, "")
}

// isWord reports whether s is one or more letters, digits and characters of more.
func isWord(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return s != ""
}

// attributes returns what role mappings and principal tags can read of a login that is known to be the subject's at the
// app (spec cognito-identity §11.3).
func (r *Row) attributes(key, app, subject string) map[string]any {
	out := map[string]any{}
	for _, name := range r.Attributes {
		switch name {
		case "iss":
			out[name] = key
		case "aud":
			out[name] = app
		default:
			out[name] = subject
		}
	}
	return out
}
