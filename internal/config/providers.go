package config

import (
	"net/url"
	"strings"

	"idpool/internal/login"
)

// LoginProviders are what the server is told of login providers beyond its pools: user pools, and the providers of
// SupportedLoginProviders.
type LoginProviders struct {
	// Issuers replace the `iss` of providers' ID tokens. Default: none.
	Issuers []ProviderURL
	// Keys replace where the keys of ID tokens are. Default: none, the places that the providers document.
	Keys []ProviderURL
	// Endpoints replace where access tokens are checked; for a user pool, they are where it says whether a token is active
	// (RFC 7662). Default: none.
	Endpoints []ProviderURL
	// Secrets are those of Facebook apps by app id, and bearer tokens for the endpoints of user pools. Default: none.
	Secrets []ProviderSecret
	// ChecksAtOnce is how many access tokens are being checked at one provider at once. Default: 16; 1 to 1024.
	ChecksAtOnce int
	// ChecksPerSecond is how many one provider is asked about in a second, by all clients together; 0 limits nothing.
	// Default: 50; up to 1000000.
	ChecksPerSecond int
	// ChecksPerClient is how many of them one client address may cause in a second, and ten times that at once; 0 limits
	// nothing. Default: 5; up to 1000000.
	ChecksPerClient int
}

// ProviderURL is a URL for a provider, by its key in a Logins map.
type ProviderURL struct {
	Provider, URL string
}

// ProviderSecret is a secret by the name of what has it.
type ProviderSecret struct {
	Name   string
	Secret login.Secret
}

// Settings are the same as the login domain has them.
func (l *LoginProviders) Settings() login.Settings {
	out := login.Settings{Issuers: byProvider(l.Issuers), Keys: byProvider(l.Keys), Endpoints: byProvider(l.Endpoints), Secrets: map[string]login.Secret{}}
	for _, s := range l.Secrets {
		out.Secrets[s.Name] = s.Secret
	}
	return out
}

// PlainHTTP reports whether one of the places is http://, which is for development.
func (l *LoginProviders) PlainHTTP() bool {
	for _, list := range [][]ProviderURL{l.Issuers, l.Keys, l.Endpoints} {
		for _, p := range list {
			if strings.HasPrefix(p.URL, "http:") {
				return true
			}
		}
	}
	return false
}

func byProvider(list []ProviderURL) map[string]string {
	out := map[string]string{}
	for _, p := range list {
		out[p.Provider] = p.URL
	}
	return out
}

var providerRows = []row{
	{
		key: "login_providers",
		doc: `Login providers that are no IAM providers: user pools, Google, Apple, Facebook, Login with Amazon, Twitter. The places
that they document are built in; another one is written as KEY=URL, with the key of the provider in a Logins map. http:// is
for loopback hosts, in development only.`,
	},
	{
		key: "login_providers.issuers", value: "[]",
		example: `["cognito-idp.us-east-1.amazonaws.com/us-east-1_Example=https://users.example.com/us-east-1_Example"]`,
		doc:     `The iss of a provider's ID tokens, where it is another one. The keys of a user pool are below its issuer.`,
		read: many(func(c *Config) *[]ProviderURL { return &c.LoginProviders.Issuers },
			providerURL(func(r *login.Row) bool { return len(r.Issuers) > 0 }, judgeIssuer)),
	},
	{
		key: "login_providers.keys", value: "[]", example: `["accounts.google.com=https://keys.example.com/certs"]`,
		doc: `Where the keys of a provider's ID tokens are.`,
		read: many(func(c *Config) *[]ProviderURL { return &c.LoginProviders.Keys },
			providerURL(func(r *login.Row) bool { return r.Keys != "" }, judgePlace)),
	},
	{
		key: "login_providers.endpoints", value: "[]", example: `["www.amazon.com=https://api.amazon.co.uk/auth/o2/tokeninfo"]`,
		doc: `Where a provider checks access tokens. For a user pool with ServerSideTokenCheck: its token introspection endpoint
(RFC 7662), without which such logins are refused.`,
		read: many(func(c *Config) *[]ProviderURL { return &c.LoginProviders.Endpoints },
			providerURL(func(r *login.Row) bool { return r.Endpoint != "" }, judgePlace)),
	},
	{
		key: "login_providers.secrets", value: "[]", example: `["355456545678903=the-secret-of-the-app"]`,
		doc: `The secrets of Facebook apps, as APP_ID=SECRET, without which their access tokens are refused; and bearer tokens for the
endpoints of user pools, as KEY=TOKEN. Best written as APP_ID=${file:/run/secrets/NAME}.`,
		read: many(func(c *Config) *[]ProviderSecret { return &c.LoginProviders.Secrets }, parseProviderSecret),
	},
	{
		key: "login_providers.checks_at_once", value: "16",
		doc:  `How many access tokens are being checked at one provider at once, 1 to 1024.`,
		read: whole(func(c *Config) *int { return &c.LoginProviders.ChecksAtOnce }, 1, 1024),
	},
	{
		key: "login_providers.checks_per_second", value: "50",
		doc:  `How many one provider is asked about in a second, by all clients together, up to 1000000; 0 limits nothing.`,
		read: whole(func(c *Config) *int { return &c.LoginProviders.ChecksPerSecond }, 0, 1_000_000),
	},
	{
		key: "login_providers.checks_per_client", value: "5",
		doc: `How many of them one client address may cause in a second, and ten times that at once, up to 1000000; 0 limits
nothing.`,
		read: whole(func(c *Config) *int { return &c.LoginProviders.ChecksPerClient }, 0, 1_000_000),
	},
}

const providerHint = "write KEY=URL, such as www.amazon.com=https://api.amazon.co.uk/auth/o2/tokeninfo"

// providerURL returns a reader of KEY=URL for the providers that have such a place, and for user pools.
func providerURL(has func(*login.Row) bool, judge func(string) *complaint) func(string) (ProviderURL, *complaint) {
	return func(s string) (ProviderURL, *complaint) {
		key, address, found := strings.Cut(s, "=")
		row := login.RowOf(key)
		switch {
		case !found:
			return ProviderURL{}, &complaint{"not KEY=URL", providerHint}
		case row == nil && !login.IsUserPool(key):
			return ProviderURL{}, &complaint{"not the key of a login provider", providerHint}
		case row != nil && !has(row):
			return ProviderURL{}, &complaint{"the provider has no such place", "remove it"}
		}
		return ProviderURL{key, address}, judge(address)
	}
}

// judgeIssuer wants an issuer in its only form.
func judgeIssuer(s string) *complaint {
	if err := login.CheckIssuer(s, true); err != nil {
		return &complaint{err.Error(), providerHint}
	}
	return nil
}

// judgePlace wants a URL that we can ask: it is never compared, so only what is dangerous is refused.
func judgePlace(s string) *complaint {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return &complaint{"not an absolute URL", providerHint}
	case u.User != nil:
		return &complaint{"holds user information", "write it without what stands before the @"}
	case strings.ContainsAny(s, "?#"):
		return &complaint{"has a query or a fragment", "write it without ? and # and what follows"}
	case len(s) > maxURL:
		return &complaint{"longer than 255 characters", providerHint}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return &complaint{"http is for loopback hosts only", "write https://"}
	}
	return judgeHost(u)
}

// parseProviderSecret reads APP_ID=SECRET or KEY=TOKEN.
func parseProviderSecret(s string) (ProviderSecret, *complaint) {
	const hint = "write APP_ID=SECRET with the id of a Facebook app, or KEY=TOKEN with the key of a user pool"
	name, secret, found := strings.Cut(s, "=")
	if !found || secret == "" {
		return ProviderSecret{}, &complaint{"not NAME=SECRET", hint}
	}
	if !login.IsUserPool(name) && (name == "" || strings.Trim(name, "0123456789") != "") {
		return ProviderSecret{}, &complaint{"neither the id of an app nor the key of a user pool", hint}
	}
	if strings.ContainsAny(secret, " |") {
		return ProviderSecret{}, &complaint{"a secret with a space or a |", hint}
	}
	return ProviderSecret{name, login.NewSecret(secret)}, nil
}

// compareProviders notes what is said twice.
func (p *parser) compareProviders() {
	l := &p.config.LoginProviders
	for _, list := range []struct {
		key  string
		urls []ProviderURL
	}{{"issuers", l.Issuers}, {"keys", l.Keys}, {"endpoints", l.Endpoints}} {
		seen := map[string]bool{}
		for _, u := range list.urls {
			p.once("login_providers."+list.key, seen, u.Provider)
		}
	}
	seen := map[string]bool{}
	for _, s := range l.Secrets {
		p.once("login_providers.secrets", seen, s.Name)
	}
}

func (p *parser) once(key string, seen map[string]bool, name string) {
	if seen[name] {
		p.clash(key, "names one provider twice", "keep one of them")
	}
	seen[name] = true
}
