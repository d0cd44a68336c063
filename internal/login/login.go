// Package login is what the rest of idpool knows of a login: who vouches for whom, with which claims; the interface of
// the packages that verify one; and the reasons to refuse one.
//
// A Login exists only because a Verifier returned it, so holding one means that every check of its provider passed. How
// a token of some protocol is checked is the business of login/oidc and its neighbours; which identity it leads to is
// that of identity.
package login

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kind is the protocol, and with it the verifier, of a provider.
type Kind string

// The kinds (spec cognito-identity §8.1). Which of them a server verifies is a matter of the verifiers that it has.
const (
	OIDC     Kind = "oidc"      // an IAM OpenID Connect provider
	UserPool Kind = "user-pool" // a Cognito user pool
	SAML     Kind = "saml"      // an IAM SAML provider
	Social   Kind = "social"    // a provider of SupportedLoginProviders that gives ID tokens
	Facebook Kind = "facebook"
	Amazon   Kind = "amazon"
	Twitter  Kind = "twitter"
	// Discontinued providers can be configured and have no logins any more.
	Discontinued Kind = "discontinued"
)

// OwnIssuer is the name of our own issuer in trust policies and condition keys, and the Logins key of our own tokens,
// wherever the issuer's URL really is: policies written for AWS keep working (spec cognito-identity §14.1).
const OwnIssuer = "cognito-identity.amazonaws.com"

// Provider is one provider as one pool sees it: everything that a verifier needs, compiled from documents once.
type Provider struct {
	Kind Kind
	// Key is the provider's key in a Logins map, compared byte for byte: for OIDC the issuer without its scheme.
	Key string
	// ARN is the provider's ARN, where it has one.
	ARN string
	// Issuer is the exact `iss`, with its scheme.
	Issuer string
	// MoreIssuers are further spellings of `iss`, compared like Issuer.
	MoreIssuers []string
	// KeysURL is where the issuer's keys are; empty means where its discovery document says.
	KeysURL string
	// Audiences are the client ids of which `aud` must hold one.
	Audiences []string
	// Algorithms are the JOSE algorithms that it may use; empty means all that the verifier knows.
	Algorithms []string
	// AZPOrAudience is Google's rule: one of `aud` and `azp` must be a client id (spec cognito-identity §8.5).
	AZPOrAudience bool
	// TokenUse is what `token_use` must be; empty means that it may be absent.
	TokenUse string
	// Row is the provider's row in the table; nil for IAM's.
	Row *Row
	// Endpoint is where access tokens are checked; for a user pool, where it says whether a token is active.
	Endpoint string
	// Secret is that of the app, or for a user pool the bearer token for its endpoint.
	Secret Secret
	// MustBeActive are the client ids for whose tokens the user pool must be asked whether they are active.
	MustBeActive []string
	// SAML is what the metadata of a SAML provider says; nil for other kinds.
	SAML *Metadata
	// Config tells apart two configurations of one issuer, so that caches are never shared between them (security A15).
	Config string
}

// Login is a verified login.
type Login struct {
	Provider *Provider
	// Subject is the provider's stable id of the user: opaque bytes, 1–255 of them, valid UTF-8 without control codes.
	Subject string
	// Audience is the client id that matched.
	Audience string
	// Claims are the verified claims by name, as decoded JSON: string, json.Number, bool, nil, []any, map[string]any.
	Claims map[string]any
	// Expires is when the token ends.
	Expires time.Time
	// Assertion is what a SAML login says beyond its claims; nil for other kinds.
	Assertion *Assertion
}

// IsSubject reports whether a string can be somebody's id at a provider, as Login.Subject says (security A21).
func IsSubject(s string) bool {
	if s == "" || len(s) > 255 || !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// MappingKey returns the provider's key in a pool's role mappings (spec cognito-identity §7.17): the ARN of an IAM provider,
// a user pool with its client id, else the key in a Logins map.
func (l *Login) MappingKey() string {
	switch l.Provider.Kind {
	case OIDC, SAML:
		return l.Provider.ARN
	case UserPool:
		return l.Provider.Key + ":" + l.Audience
	default:
		return l.Provider.Key
	}
}

// Text returns a claim's value as text: a string as it is, a number or a boolean in its JSON form. Others have none.
func Text(claim any) (string, bool) {
	switch v := claim.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// AMR returns the two entries by which our own token names the login (spec cognito-identity §10.2): the provider's key,
// and the user at the provider in the words of its kind.
func (l *Login) AMR() [2]string {
	p := l.Provider
	switch p.Kind {
	case OIDC:
		return [2]string{p.Key, p.ARN + ":OIDC:" + l.Subject}
	case SAML:
		return [2]string{p.Key, p.ARN + ":SAML:" + l.Subject}
	case UserPool:
		return [2]string{p.Key, p.Key + ":CognitoSignIn:" + l.Subject}
	default:
		return [2]string{p.Key, p.Key + ":" + l.Audience + ":" + l.Subject}
	}
}

// A Verifier believes a token or refuses it.
//
// Verify returns a Login only after every check passed. It refuses with a *Refusal and with nothing else: what it
// cannot decide is Unreachable. Nothing that an unverified token says causes a connection to anywhere. It may wait for
// the provider's keys, as long as ctx allows, and is safe for concurrent use.
type Verifier interface {
	Verify(ctx context.Context, provider *Provider, token string, now time.Time) (*Login, error)
}
