// Package pool is what an identity pool is, and what makes one valid (spec cognito-identity §5, §7.1, §7.17, §7.23).
//
// A Pool is a document: its JSON form is what the store keeps. Whether the things that it names exist is not known here;
// the operations ask the snapshot.
package pool

import (
	"maps"
	"slices"
	"strings"
	"time"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/policy"
	"idpool/internal/session"
)

// The two keys of Roles.
const (
	Authenticated   = "authenticated"
	Unauthenticated = "unauthenticated"
)

// Pool is an identity pool with its roles.
type Pool struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// AllowUnauthenticated lets guests in. Read on every call, so that switching it off takes effect at once (security D5).
	AllowUnauthenticated bool `json:"allow_unauthenticated"`
	// AllowClassic has three states; nil, never set, follows the server's classic_flow_when_unset (spec §11.1).
	AllowClassic *bool `json:"allow_classic,omitempty"`
	// LoginProviders maps the key of a social provider to its app id. AppSecrets are the apps' secrets, sealed, of those
	// providers whose apps have one here.
	LoginProviders    map[string]string `json:"login_providers,omitempty"`
	AppSecrets        map[string][]byte `json:"app_secrets,omitempty"`
	DeveloperProvider string            `json:"developer_provider,omitempty"`
	OIDCProviders     []string          `json:"oidc_providers,omitempty"` // ARNs
	CognitoProviders  []CognitoProvider `json:"cognito_providers,omitempty"`
	SAMLProviders     []string          `json:"saml_providers,omitempty"` // ARNs
	Tags              map[string]string `json:"tags,omitempty"`
	// Roles maps authenticated and unauthenticated to role ARNs.
	Roles map[string]string `json:"roles,omitempty"`
	// RoleMappings maps a provider, in the form of spec §7.17, to how it chooses a role.
	RoleMappings map[string]RoleMapping `json:"role_mappings,omitempty"`
	// PrincipalTags maps a provider, in the form of spec §7.11, to the tags that its logins make.
	PrincipalTags map[string]TagMap `json:"principal_tags,omitempty"`
}

// TagMap says which claims of a provider's logins become principal tags (spec §12.1).
type TagMap struct {
	// Defaults stands for the two default tags; Tags is empty then.
	Defaults bool `json:"defaults,omitempty"`
	// Tags maps a tag's key to the name of a claim.
	Tags map[string]string `json:"tags,omitempty"`
}

// Effective returns the tags' keys with their claims.
func (m TagMap) Effective() map[string]string {
	if m.Defaults {
		return map[string]string{"client": "aud", "username": "sub"}
	}
	return m.Tags
}

// CognitoProvider is one app client of a Cognito user pool.
type CognitoProvider struct {
	ProviderName    string `json:"provider_name"`
	ClientID        string `json:"client_id"`
	ServerSideCheck *bool  `json:"server_side_check,omitempty"`
}

// RoleMapping is how the logins of one provider choose a role (spec §11.2).
type RoleMapping struct {
	Type      string `json:"type"`      // Token or Rules
	Ambiguous string `json:"ambiguous"` // AuthenticatedRole or Deny
	Rules     []Rule `json:"rules,omitempty"`
}

// Rule gives RoleARN when the claim matches (spec §11.3).
type Rule struct {
	Claim     string `json:"claim"`
	MatchType string `json:"match_type"` // Equals, Contains, StartsWith or NotEqual
	Value     string `json:"value"`
	RoleARN   string `json:"role_arn"`
}

// The values of RoleMapping's Type and Ambiguous, and of Rule's MatchType.
const (
	TypeToken         = "Token"
	TypeRules         = "Rules"
	AuthenticatedRole = "AuthenticatedRole"
	Deny              = "Deny"
	Equals            = "Equals"
	Contains          = "Contains"
	StartsWith        = "StartsWith"
	NotEqual          = "NotEqual"
)

// SplitApp takes the value of a provider of SupportedLoginProviders apart: Twitter's is consumerKey;consumerSecret, that of
// the others is an app id (spec §8.1).
func SplitApp(key, value string) (app, secret string) {
	if row := login.RowOf(key); row == nil || row.Kind != login.Twitter {
		return value, ""
	}
	app, secret, _ = strings.Cut(value, ";")
	return app, secret
}

// JoinApp is the inverse of SplitApp.
func JoinApp(app, secret string) string {
	if secret == "" {
		return app
	}
	return app + ";" + secret
}

// HasProviders reports whether any provider is configured.
func (p *Pool) HasProviders() bool {
	return len(p.LoginProviders)+len(p.OIDCProviders)+len(p.CognitoProviders)+len(p.SAMLProviders) > 0 || p.DeveloperProvider != ""
}

const (
	maxProviders = 50 // of a kind (spec §16)
	maxTags      = 50
	maxRules     = 25
)

// Validate refuses what no pool may be, with InvalidParameter. Lengths and patterns of members were checked by the door.
func (p *Pool) Validate(account string) error {
	for _, check := range []func() error{
		func() error { return p.checkProviders(account) },
		p.checkDeveloper,
		p.checkTags,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pool) checkProviders(account string) error {
	if n := max(len(p.CognitoProviders), len(p.OIDCProviders), len(p.SAMLProviders)); n > maxProviders {
		return fault.New(fault.InvalidParameter, "A pool can have at most %d providers of a kind.", maxProviders)
	}
	for _, key := range slices.Sorted(maps.Keys(p.LoginProviders)) {
		if login.RowOf(key) == nil || !p.usableApp(key) || p.isOIDC(key) {
			return fault.New(fault.InvalidParameter, "Invalid login provider: %s", key)
		}
	}
	for _, c := range p.CognitoProviders {
		if !login.IsUserPool(c.ProviderName) || c.ClientID == "" || p.isOIDC(c.ProviderName) {
			return fault.New(fault.InvalidParameter, "Invalid Cognito Identity Provider")
		}
	}
	if err := checkARNs(p.OIDCProviders, account, "oidc-provider/"); err != nil {
		return err
	}
	return checkARNs(p.SAMLProviders, account, "saml-provider/")
}

// usableApp reports whether the app of a login provider has what is needed: a secret, where it is kept in the pool.
func (p *Pool) usableApp(key string) bool {
	value := p.LoginProviders[key]
	if login.RowOf(key).Kind != login.Twitter || p.AppSecrets[key] != nil {
		return value != ""
	}
	app, secret := SplitApp(key, value)
	return app != "" && secret != "" && !strings.Contains(secret, ";")
}

// isOIDC reports whether one of the pool's OpenID Connect providers has the key: two providers of one key would leave open
// whose tokens count.
func (p *Pool) isOIDC(key string) bool {
	return slices.ContainsFunc(p.OIDCProviders, func(a string) bool { return strings.HasSuffix(a, ":oidc-provider/"+key) })
}

func checkARNs(list []string, account, prefix string) error {
	for i, text := range list {
		a, err := arn.Parse(text)
		if err != nil || a.Service != "iam" || a.Account != account || !strings.HasPrefix(a.Resource, prefix) || slices.Contains(list[:i], text) {
			return fault.New(fault.InvalidParameter, "Invalid identity provider ARN: %s", text)
		}
	}
	return nil
}

// checkDeveloper refuses a developer provider that poses as another provider (security D10).
func (p *Pool) checkDeveloper() error {
	d := p.DeveloperProvider
	taken := d == login.OwnIssuer || login.RowOf(d) != nil || p.isOIDC(d) ||
		slices.ContainsFunc(p.CognitoProviders, func(c CognitoProvider) bool { return c.ProviderName == d })
	if d != "" && taken {
		return fault.New(fault.InvalidParameter, "Invalid developer provider name: %s", d)
	}
	return nil
}

func (p *Pool) checkTags() error {
	if len(p.Tags) > maxTags {
		return fault.New(fault.InvalidParameter, "A pool can have at most %d tags.", maxTags)
	}
	seen := map[string]bool{} // policies compare keys without case: of two they could not tell which is meant
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		folded := policy.FoldKey(k)
		if seen[folded] || strings.HasPrefix(folded, "aws:") || !session.TagText(k) || !session.TagText(p.Tags[k]) {
			return fault.New(fault.InvalidParameter, "Invalid tag: %s", k)
		}
		seen[folded] = true
	}
	return nil
}
