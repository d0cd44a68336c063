// Package arn parses and prints the names of things: ARNs, pool and identity ids, access key ids and unique ids.
//
// Names are compared byte for byte everywhere; nothing here normalises. Randomness is an argument.
package arn

import (
	"errors"
	"strings"
)

// Partition is the only partition of our own account's ARNs.
const Partition = "aws"

// ARN is an Amazon Resource Name in its six parts; see spec §2.2 of sts-iam-sigv4-s3.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ErrMalformed is returned for a text that is no ARN.
var ErrMalformed = errors.New("malformed ARN")

// Parse splits s into its parts. It refuses what has fewer than six parts, an empty partition, service or resource,
// wildcards, and any byte outside the printable ASCII range, so that a parsed ARN prints as the bytes it came from.
func Parse(s string) (ARN, error) {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '*' || c == '?' {
			return ARN{}, ErrMalformed
		}
	}
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, ErrMalformed
	}
	return ARN{Partition: p[1], Service: p[2], Region: p[3], Account: p[4], Resource: p[5]}, nil
}

// String prints the ARN.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// IsRole reports whether s has the form of a role's ARN: of ours, or of another authority. One of them (SeaweedFS) leaves
// a part out: arn:aws:iam::role/NAME.
func IsRole(s string) bool {
	a, err := Parse(s)
	if err != nil {
		a, err = Parse(strings.Replace(s, ":iam::role/", ":iam:::role/", 1))
	}
	return err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "role/")
}

// Role is the ARN of a role; path begins and ends with a slash.
func Role(account, path, name string) string { return iam(account, "role"+path+name) }

// User is the ARN of a user; path begins and ends with a slash.
func User(account, path, name string) string { return iam(account, "user"+path+name) }

// ManagedPolicy is the ARN of a managed policy of the account.
func ManagedPolicy(account, path, name string) string { return iam(account, "policy"+path+name) }

// OIDCProvider is the ARN of the OpenID Connect provider with the issuer, which is named without its scheme.
func OIDCProvider(account, issuer string) string {
	return iam(account, "oidc-provider/"+WithoutScheme(issuer))
}

// SAMLProvider is the ARN of the SAML provider with the name.
func SAMLProvider(account, name string) string { return iam(account, "saml-provider/"+name) }

func iam(account, resource string) string {
	return ARN{Partition: Partition, Service: "iam", Account: account, Resource: resource}.String()
}

// AssumedRole is the ARN of a session of a role; the role's path is dropped (spec §1.5).
func AssumedRole(account, roleName, sessionName string) string {
	return ARN{Partition: Partition, Service: "sts", Account: account, Resource: "assumed-role/" + roleName + "/" + sessionName}.String()
}

// FederatedUser is the ARN of a session of GetFederationToken.
func FederatedUser(account, name string) string {
	return ARN{Partition: Partition, Service: "sts", Account: account, Resource: "federated-user/" + name}.String()
}

// Pool is the ARN of an identity pool. The id holds a colon of its own.
func Pool(region, account, poolID string) string {
	return ARN{Partition: Partition, Service: "cognito-identity", Region: region, Account: account, Resource: "identitypool/" + poolID}.String()
}

// Own is the ARN of something that is idpool's own: the resources of idpool:* actions.
func Own(region, account, resource string) string {
	return ARN{Partition: Partition, Service: "idpool", Region: region, Account: account, Resource: resource}.String()
}

// WithoutScheme drops https:// or http:// from an issuer: the form in Logins keys, ARNs and condition keys.
func WithoutScheme(issuer string) string {
	if s, ok := strings.CutPrefix(issuer, "https://"); ok {
		return s
	}
	return strings.TrimPrefix(issuer, "http://")
}

// ValidAccount reports whether s is a 12-digit account id.
func ValidAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
