package login

import (
	"slices"
	"strings"
	"time"
)

// Settings are what a server is told of providers beyond the table and its pools: other places, and secrets that pools
// do not hold. The zero value is the providers as they are.
type Settings struct {
	// Issuers, Keys and Endpoints replace those of the table, by the key in a Logins map. For a user pool, an endpoint is
	// where it says whether a token is active (RFC 7662).
	Issuers, Keys, Endpoints map[string]string
	// Secrets are the secrets of Facebook apps by app id, and bearer tokens for the endpoints of user pools by their keys.
	Secrets map[string]Secret
}

// Public returns the provider of an entry of SupportedLoginProviders: app is the id of the pool's app there, and secret
// the app's where the pool has it. Nil for a key that is in no row.
func (s *Settings) Public(key, app string, secret Secret) *Provider {
	row := RowOf(key)
	if row == nil {
		return nil
	}
	if secret.Empty() && row.Kind == Facebook && !IsUserPool(app) { // who sets up a pool must not have another's secret sent anywhere
		secret = s.Secrets[app]
	}
	p := s.provider(row, key)
	p.Audiences, p.Secret = []string{app}, secret
	return p
}

// UserPool returns the provider of a user pool's app clients. The tokens of those in checked must be active, too
// (ServerSideTokenCheck).
func (s *Settings) UserPool(name string, clients, checked []string) *Provider {
	p := s.provider(userPoolRow(), name)
	p.Audiences, p.MustBeActive, p.Secret = clients, checked, s.Secrets[name]
	return p
}

// provider fills in what does not depend on the pool.
func (s *Settings) provider(row *Row, key string) *Provider {
	p := &Provider{
		Kind: row.Kind, Key: key, Algorithms: row.Algorithms, TokenUse: row.TokenUse, AZPOrAudience: row.AZPOrAudience,
		Endpoint: row.Endpoint, Row: row, Config: key,
	}
	issuers := slices.Clone(row.Issuers)
	if other := s.Issuers[key]; other != "" {
		issuers = []string{other}
	}
	if len(issuers) > 0 {
		p.Issuer, p.MoreIssuers = strings.ReplaceAll(issuers[0], "{key}", key), issuers[1:]
	}
	p.KeysURL = strings.ReplaceAll(row.Keys, "{issuer}", p.Issuer)
	if other := s.Keys[key]; other != "" {
		p.KeysURL = other
	}
	if other := s.Endpoints[key]; other != "" {
		p.Endpoint = other
	}
	return p
}

// Vouched returns the login of a user whom the provider itself has just named, for an access token that ends then.
func (p *Provider) Vouched(subject string, expires time.Time) *Login {
	app := p.Audiences[0]
	return &Login{Provider: p, Subject: subject, Audience: app, Claims: p.Row.attributes(p.Key, app, subject), Expires: expires}
}

// Asks reports whether logins of the provider, or some of them, are checked by asking the provider about each.
func (p *Provider) Asks() bool {
	return p.Row != nil && p.Row.Endpoint != "" || len(p.MustBeActive) > 0
}

// Name is the provider's name where a pool speaks of it: the ARN, or else the key in a Logins map.
func (p *Provider) Name() string {
	if p.ARN != "" {
		return p.ARN
	}
	return p.Key
}

// Secret is a secret that prints as nothing. The text lies behind a pointer, since fmt does not ask the methods of a value
// in an unexported field.
type Secret struct {
	text *string
}

// NewSecret returns the secret with the text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text; empty for the zero value.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal reports whether two secrets have one text. It is not constant in time: no caller's text is compared.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String does not reveal it.
func (s Secret) String() string { return "[redacted]" }

// GoString does not reveal it.
func (s Secret) GoString() string { return "[redacted]" }

// MarshalText does not reveal it.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
