package snapshot

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"idpool/internal/account"
	"idpool/internal/policy"
)

// Roles returns the roles in the order of their names, without regard to case.
func (s *Snapshot) Roles() []*Role { return s.roles.sorted() }

// Users returns the users in the order of their names, without regard to case.
func (s *Snapshot) Users() []*User { return s.users.sorted() }

// Policies returns the account's own managed policies in the order of their names, without regard to case.
func (s *Snapshot) Policies() []*Policy { return s.policies.sorted() }

// OIDCProviders returns the providers in the order of their ARNs.
func (s *Snapshot) OIDCProviders() []*OIDCProvider { return s.providers.sorted() }

// SAMLProviders returns the SAML providers in the order of their names, without regard to case.
func (s *Snapshot) SAMLProviders() []*SAMLProvider { return s.saml.sorted() }

// User returns the user with the ARN, or nil.
func (s *Snapshot) User(userARN string) *User {
	if u := s.UserNamed(userARN[strings.LastIndexByte(userARN, '/')+1:]); u != nil && u.ARN == userARN {
		return u
	}
	return nil
}

// ManagedPolicy returns the managed policy with the ARN, of the account's own or AWS's, or nil.
func (s *Snapshot) ManagedPolicy(policyARN string) *Policy {
	if name, ok := strings.CutPrefix(policyARN, account.AWSManagedPrefix); ok {
		return awsManaged[name]
	}
	name := policyARN[strings.LastIndexByte(policyARN, '/')+1:]
	if p := s.PolicyNamed(name); p != nil && p.ARN == policyARN {
		return p
	}
	return nil
}

// PolicyNamed returns the account's own managed policy with the name, without regard to case, or nil.
func (s *Snapshot) PolicyNamed(name string) *Policy { return s.policies.get(documentID(name)) }

// AWSPolicies returns the policies of account.AWSManaged in the order of their names.
func AWSPolicies() []*Policy {
	out := make([]*Policy, 0, len(awsManaged))
	for _, name := range slices.Sorted(maps.Keys(awsManaged)) {
		out = append(out, awsManaged[name])
	}
	return out
}

// awsManaged are the policies of account.AWSManaged by name.
var awsManaged = compileAWSManaged()

func compileAWSManaged() map[string]*Policy {
	out := map[string]*Policy{}
	for _, m := range account.AWSManaged() {
		document, err := policy.Parse(policy.KindIdentity, []byte(m.Versions[m.Default]))
		if err != nil {
			panic(fmt.Sprintf("the policy %s: %v", m.Name, err)) // its text is a constant of ours
		}
		out[m.Name] = &Policy{ManagedPolicy: m, ARN: account.AWSManagedPrefix + m.Name, Document: document}
	}
	return out
}
