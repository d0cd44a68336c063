package login

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"idpool/internal/arn"
)

// RoleAttribute is the attribute by which an assertion names roles (spec cognito-identity §8.10).
const RoleAttribute = "https://aws.amazon.com/SAML/Attributes/Role"

// errRoles says that the role attribute cannot be used, and nothing of what is in it.
var errRoles = errors.New("the role attribute of the assertion is not a list of pairs of a role and a provider")

// Roles returns the ARNs of the roles that the assertion gives for the SAML provider with the ARN, in their order; none
// when it has no such attribute.
//
// Each value of the attribute is the ARN of a role and that of a provider with a comma between, in either order: identity
// providers write both. Pairs with other providers are for others, and passed over. A value of another form, a role of
// another account than its provider's, and a pair that is there twice refuse all of them: whoever got such a value into
// the attribute may have got in more (security C14).
func (a *Assertion) Roles(providerARN string) ([]string, error) {
	var out []string
	var seen []rolePair
	for _, value := range a.Attributes[RoleAttribute] {
		pair, ok := parsePair(value)
		if !ok || slices.Contains(seen, pair) {
			return nil, errRoles
		}
		seen = append(seen, pair)
		if pair.provider == providerARN {
			out = append(out, pair.role)
		}
	}
	return out, nil
}

type rolePair struct{ role, provider string }

// parsePair takes one value apart. Names of roles may hold commas, so what separates is the comma before an ARN, of which
// there must be one.
func parsePair(value string) (rolePair, bool) {
	const separator = ",arn:"
	first, second, ok := strings.Cut(value, separator)
	if !ok || strings.Contains(second, separator) {
		return rolePair{}, false
	}
	second = "arn:" + second
	if account, ok := accountOf(first, providerResource); ok {
		role, isRole := accountOf(second, roleResource)
		return rolePair{role: second, provider: first}, isRole && role == account
	}
	account, ok := accountOf(second, providerResource)
	role, isRole := accountOf(first, roleResource)
	return rolePair{role: first, provider: second}, ok && isRole && role == account
}

// What the two ARNs of a pair name (spec sts-iam §3.3).
var (
	roleResource     = regexp.MustCompile(`^role(/[!-~]+)?/[\w+=,.@-]{1,64}$`)
	providerResource = regexp.MustCompile(`^saml-provider/[\w.-]{1,128}$`)
)

// accountOf returns the partition and account of an IAM ARN with such a resource.
func accountOf(text string, resource *regexp.Regexp) (string, bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" || a.Region != "" || !arn.ValidAccount(a.Account) || !resource.MatchString(a.Resource) {
		return "", false
	}
	return a.Partition + ":" + a.Account, true
}
