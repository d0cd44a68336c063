// Package rolemap chooses the role of a request: a pure function of the pool, the verified logins and the role that was
// asked for. Spec cognito-identity §11.2–11.3, where that is silent security E1–E6.
//
// A missing claim never matches, whatever the rule; there are no patterns. The guests' role is never given to a call with
// a login, nor the other way about. Whether the role exists, and whether its trust policy agrees, is asked elsewhere.
package rolemap

import (
	"slices"
	"strings"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/pool"
)

// NoRole is the refusal of an identity for which the pool has no usable role. It is also what a trust policy that says
// no looks like from outside (spec §4.4).
func NoRole(cause error) *fault.Error {
	return fault.Wrap(fault.InvalidIdentityPoolConfiguration,
		"Invalid identity pool configuration. Check assigned IAM roles for this pool.", cause)
}

// Choice is a role and how it was found, in words for the event.
type Choice struct {
	RoleARN string
	Why     string
}

// Choose returns the role for logins, none for a guest. custom is CustomRoleArn; empty when none was asked for.
//
// Of several logins the first, by provider key, that has a mapping decides, or whose assertion names roles.
func Choose(p *pool.Pool, logins []*login.Login, custom string) (Choice, error) {
	if len(logins) == 0 {
		return ByDefault(p, pool.Unauthenticated, custom)
	}
	for _, l := range sorted(logins) {
		key := l.MappingKey()
		if m, ok := p.RoleMappings[key]; ok {
			return mapped(p, key, &m, l, custom)
		}
		if offersRoles(l) {
			return byAssertion(p, key, &pool.RoleMapping{Ambiguous: pool.Deny}, l, custom)
		}
	}
	return ByDefault(p, pool.Authenticated, custom)
}

func sorted(logins []*login.Login) []*login.Login {
	out := slices.Clone(logins)
	slices.SortFunc(out, func(a, b *login.Login) int { return strings.Compare(a.Provider.Key, b.Provider.Key) })
	return out
}

// ByDefault gives the pool's role of a kind. CustomRoleArn may only repeat it (spec §20, 17: inferred).
func ByDefault(p *pool.Pool, kind, custom string) (Choice, error) {
	role := p.Roles[kind]
	if role == "" {
		return Choice{}, NoRole(nil)
	}
	if custom != "" && custom != role {
		return Choice{}, pool.RoleForbidden(custom)
	}
	return Choice{role, "the pool's role for " + kind + " identities"}, nil
}

func mapped(p *pool.Pool, key string, m *pool.RoleMapping, l *login.Login, custom string) (Choice, error) {
	switch m.Type {
	case pool.TypeToken:
		if l.Provider.Kind == login.SAML {
			return byAssertion(p, key, m, l, custom)
		}
		return byToken(p, key, m, l, custom)
	case pool.TypeRules:
		return byRules(p, key, m, l, custom)
	default:
		return refused(key)
	}
}

// offersRoles reports whether the login is an assertion that names roles, whether of its provider or of others.
func offersRoles(l *login.Login) bool {
	return l.Assertion != nil && len(l.Assertion.Attributes[login.RoleAttribute]) > 0
}

// byAssertion reads roles from a SAML assertion (spec cognito-identity §8.10): the only one, or that of several which
// CustomRoleArn names. An attribute that cannot be read gives none.
func byAssertion(p *pool.Pool, key string, m *pool.RoleMapping, l *login.Login, custom string) (Choice, error) {
	if l.Assertion == nil {
		return refused(key)
	}
	roles, err := l.Assertion.Roles(l.Provider.ARN)
	switch {
	case err != nil:
		_, refusal := refused(key)
		return Choice{}, fault.Wrap(fault.NotAuthorized, fault.From(refusal).Message, err)
	case custom != "" && !slices.Contains(roles, custom):
		return Choice{}, pool.RoleForbidden(custom)
	case custom != "":
		return Choice{custom, "CustomRoleArn, which the assertion's roles hold"}, nil
	case len(roles) == 1:
		return Choice{roles[0], "the assertion's only role"}, nil
	default:
		return ambiguous(p, key, m)
	}
}

// byToken reads roles from the token. Only user pools and SAML providers write them, and not their users (security E1): a
// document that says otherwise is not believed.
func byToken(p *pool.Pool, key string, m *pool.RoleMapping, l *login.Login, custom string) (Choice, error) {
	if l.Provider.Kind != login.UserPool {
		return refused(key)
	}
	roles := list(l.Claims["cognito:roles"])
	if custom != "" {
		if !slices.Contains(roles, custom) {
			return Choice{}, pool.RoleForbidden(custom)
		}
		return Choice{custom, "CustomRoleArn, which the token's roles hold"}, nil
	}
	if preferred, ok := l.Claims["cognito:preferred_role"].(string); ok && preferred != "" {
		return Choice{preferred, "the token's preferred role"}, nil
	}
	return ambiguous(p, key, m)
}

func byRules(p *pool.Pool, key string, m *pool.RoleMapping, l *login.Login, custom string) (Choice, error) {
	for _, r := range m.Rules {
		if !Matches(&r, l.Claims) {
			continue
		}
		if custom == "" || custom == r.RoleARN {
			return Choice{r.RoleARN, "the rule on the claim " + r.Claim}, nil
		}
	}
	if custom != "" {
		return Choice{}, pool.RoleForbidden(custom)
	}
	return ambiguous(p, key, m)
}

func ambiguous(p *pool.Pool, key string, m *pool.RoleMapping) (Choice, error) {
	if m.Ambiguous == pool.AuthenticatedRole {
		return ByDefault(p, pool.Authenticated, "")
	}
	return refused(key)
}

func refused(key string) (Choice, error) {
	return Choice{}, fault.New(fault.NotAuthorized, "The ambiguous role mapping rules for: %s denied this request.", key)
}

// Matches reports whether a rule holds for the claims. An array matches Contains by any of its elements; for the other
// match types it counts only when it has exactly one.
func Matches(r *pool.Rule, claims map[string]any) bool {
	claim := claims[r.Claim]
	if elements, ok := claim.([]any); ok && r.MatchType != pool.Contains && len(elements) != 1 {
		return false
	}
	values, _ := texts(claim)
	return slices.ContainsFunc(values, func(v string) bool {
		switch r.MatchType {
		case pool.Equals:
			return v == r.Value
		case pool.NotEqual:
			return v != r.Value
		case pool.StartsWith:
			return strings.HasPrefix(v, r.Value)
		case pool.Contains:
			return strings.Contains(v, r.Value)
		default:
			return false
		}
	})
}

// texts returns a claim's values in their JSON form: strings, numbers and booleans. Others are no values.
func texts(claim any) (values []string, isList bool) {
	elements, isList := claim.([]any)
	if !isList {
		elements = []any{claim}
	}
	for _, e := range elements {
		if text, ok := login.Text(e); ok {
			values = append(values, text)
		}
	}
	return values, isList
}

// list reads cognito:roles, which tokens carry as an array and documentation describes as text with commas.
func list(claim any) []string {
	values, isList := texts(claim)
	if !isList && len(values) == 1 {
		values = strings.Split(values[0], ",")
	}
	return values
}
