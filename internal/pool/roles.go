package pool

import (
	"maps"
	"slices"
	"strings"

	"idpool/internal/arn"
	"idpool/internal/fault"
)

// RoleARNs returns every role that the pool can give, each once, sorted: what iam:PassRole is asked for.
func (p *Pool) RoleARNs() []string {
	var all []string
	for _, a := range p.Roles {
		all = append(all, a)
	}
	for _, m := range p.RoleMappings {
		for _, r := range m.Rules {
			all = append(all, r.RoleARN)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// profileClaims are what people usually write about themselves: the standard claims of OpenID Connect Core §5.1, without
// sub and without what says that something else was verified.
var profileClaims = []string{
	"address", "birthdate", "email", "family_name", "gender", "given_name", "locale", "middle_name", "name", "nickname",
	"phone_number", "picture", "preferred_username", "profile", "website", "zoneinfo",
}

// UserWritable reports whether the users of a provider can often set the claim themselves: their profile, and the custom
// attributes of user pools. A rule on one may let them choose their role (security E1).
func UserWritable(claim string) bool {
	return strings.HasPrefix(claim, "custom:") || slices.Contains(profileClaims, claim)
}

// RoleForbidden is the refusal of a role that may not be given (spec §4.1).
func RoleForbidden(roleARN string) *fault.Error {
	return fault.New(fault.NotAuthorized, "Access to Role '%s' is forbidden.", roleARN)
}

// ValidateRoles refuses roles and mappings that are malformed or name a provider that the pool lacks.
func (p *Pool) ValidateRoles() error {
	for _, text := range p.RoleARNs() {
		if !arn.IsRole(text) {
			return RoleForbidden(text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.RoleMappings)) {
		m := p.RoleMappings[key]
		if !p.hasMappingKey(key) {
			return fault.New(fault.InvalidParameter, "%s is not a valid RoleMapping ProviderName or is not a configured provider.", key)
		}
		if err := m.validate(key, p.tokenMapping(key)); err != nil {
			return err
		}
	}
	return nil
}

func (m *RoleMapping) validate(key string, tokenAllowed bool) error {
	switch {
	case m.Ambiguous == "":
		return fault.New(fault.InvalidParameter, "AmbiguousRoleResolution is required for the role mapping of %s.", key)
	case m.Type == TypeRules && len(m.Rules) == 0:
		return fault.New(fault.InvalidParameter, "RulesConfiguration is required for the role mapping of %s.", key)
	case m.Type == TypeToken && len(m.Rules) > 0:
		return fault.New(fault.InvalidParameter, "RulesConfiguration is not allowed with Type Token for the role mapping of %s.", key)
	case m.Type == TypeToken && !tokenAllowed:
		return fault.New(fault.InvalidParameter, "Type Token is not supported for the role mapping of %s.", key)
	case len(m.Rules) > maxRules:
		return fault.New(fault.InvalidParameter, "A role mapping can have at most %d rules.", maxRules)
	}
	return nil
}

// hasMappingKey reports whether key names a provider of the pool in the form of spec §7.17: a user pool with its client
// id, a social provider's key, or an ARN.
func (p *Pool) hasMappingKey(key string) bool {
	if _, ok := p.LoginProviders[key]; ok {
		return true
	}
	return slices.Contains(p.OIDCProviders, key) || slices.Contains(p.SAMLProviders, key) || p.isUserPool(key)
}

// HasProvider reports whether name is a provider of the pool in the form of spec §7.11: as a mapping's key, but a user pool
// without its client id.
func (p *Pool) HasProvider(name string) bool {
	if slices.ContainsFunc(p.CognitoProviders, func(c CognitoProvider) bool { return c.ProviderName == name }) {
		return true
	}
	return p.hasMappingKey(name) && !p.isUserPool(name)
}

func (p *Pool) isUserPool(key string) bool {
	return slices.ContainsFunc(p.CognitoProviders, func(c CognitoProvider) bool { return c.ProviderName+":"+c.ClientID == key })
}

// tokenMapping reports whether roles may be read from the provider's own tokens: only those of a user pool or a SAML
// provider, whose claims their users cannot write (security E1).
func (p *Pool) tokenMapping(key string) bool {
	return p.isUserPool(key) || slices.Contains(p.SAMLProviders, key)
}
