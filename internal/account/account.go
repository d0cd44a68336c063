// Package account is what an account holds besides its pools: roles, users with their access keys, managed policies,
// OpenID Connect and SAML providers. Each is a document; its JSON form is what the store keeps. Validate says what makes one
// valid by itself. Whether the things that it names exist is asked of the snapshot by the operations.
package account

import (
	"regexp"
	"time"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/policy"
)

// Role is an IAM role.
type Role struct {
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	ID      string    `json:"id"` // AROA…; sessions name it, so that a role made again under the same name is another
	Created time.Time `json:"created"`
	// Trust is the trust policy, as it was submitted.
	Trust string `json:"trust"`
	// Principals are the users and roles that the trust policy names: ARN to unique id; see TrustPolicy.
	Principals  map[string]string `json:"principals,omitempty"`
	Description string            `json:"description,omitempty"`
	// MaxSession is the longest session in seconds, 3600–43200.
	MaxSession int64             `json:"max_session"`
	Inline     map[string]string `json:"inline,omitempty"`   // policy name to text
	Attached   []string          `json:"attached,omitempty"` // ARNs of managed policies
	Boundary   string            `json:"boundary,omitempty"` // ARN of a managed policy
	Tags       map[string]string `json:"tags,omitempty"`
}

// User is an IAM user, who has access keys of his own.
type User struct {
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	ID       string            `json:"id"` // AIDA…
	Created  time.Time         `json:"created"`
	Inline   map[string]string `json:"inline,omitempty"`
	Attached []string          `json:"attached,omitempty"`
	Boundary string            `json:"boundary,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Keys     []AccessKey       `json:"keys,omitempty"`
}

// AccessKey is a long-term key of a user. Its secret is sealed under the key-encryption key with the key's id as
// additional data: a copy of the store reveals none, and a sealed secret moved to another key does not open.
type AccessKey struct {
	ID           string    `json:"id"` // AKIA…
	Active       bool      `json:"active"`
	Created      time.Time `json:"created"`
	SealedSecret []byte    `json:"sealed_secret"`
}

// ManagedPolicy is a policy of its own, attached by ARN.
type ManagedPolicy struct {
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	ID       string            `json:"id"` // ANPA…
	Created  time.Time         `json:"created"`
	Default  string            `json:"default"` // a key of Versions
	Versions map[string]string `json:"versions"`
	Tags     map[string]string `json:"tags,omitempty"`

	Description string `json:"description,omitempty"`
	// Updated is when the newest version was made; zero for a policy that never had a second one.
	Updated time.Time `json:"updated,omitzero"`
	// Dates are when versions were made; a version without a date is as old as the policy.
	Dates map[string]time.Time `json:"dates,omitempty"`
	// Latest is the number of the newest version that there ever was: numbers are not used again. 0 counts as 1.
	Latest int64 `json:"latest,omitempty"`
}

// Settings are what an account has switched on.
type Settings struct {
	// Outbound lets callers have tokens of sts:GetWebIdentityToken.
	Outbound bool `json:"outbound,omitempty"`
}

// OIDCProvider is an OpenID Connect provider: whose tokens are believed, and for which clients.
type OIDCProvider struct {
	// Issuer is the exact `iss`, with its scheme.
	Issuer      string            `json:"issuer"`
	ClientIDs   []string          `json:"client_ids"`
	Thumbprints []string          `json:"thumbprints,omitempty"`
	Created     time.Time         `json:"created"`
	Tags        map[string]string `json:"tags,omitempty"`
}

var (
	namePattern   = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	policyPattern = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	pathPattern   = regexp.MustCompile(`^(/|/[!-~]+/)$`)
)

// Validate refuses what no role may be: MalformedPolicyDocument for its policies, Validation for the rest.
func (r *Role) Validate() error {
	if err := checkName(r.Name, r.Path); err != nil {
		return err
	}
	if r.MaxSession < 3600 || r.MaxSession > 43200 {
		return fault.New(fault.Validation, "The MaxSessionDuration must be from 3600 to 43200 seconds.")
	}
	if _, err := policy.Parse(policy.KindTrust, []byte(r.Trust)); err != nil {
		return err
	}
	if _, err := r.TrustPolicy(); err != nil {
		return err
	}
	return checkInline(r.Inline)
}

// PinsPools refuses a trust policy that believes our own issuer without limiting `aud` to pools: the identities of every pool
// could assume the role (security E5, requirement 30). An account may be set to take such roles, as AWS has older ones.
func (r *Role) PinsPools() error {
	trust, err := policy.Parse(policy.KindTrust, []byte(r.Trust))
	if err != nil {
		return err
	}
	if trust.FederatedWithout(login.OwnIssuer, login.OwnIssuer+":aud") {
		return fault.New(fault.MalformedPolicyDocument,
			"A role that trusts %s must limit %s:aud to the ids of identity pools.", login.OwnIssuer, login.OwnIssuer)
	}
	return nil
}

// Validate refuses what no user may be.
func (u *User) Validate() error {
	if err := checkName(u.Name, u.Path); err != nil {
		return err
	}
	return checkInline(u.Inline)
}

// Validate refuses what no managed policy may be.
func (m *ManagedPolicy) Validate() error {
	if !policyPattern.MatchString(m.Name) || !validPath(m.Path) {
		return fault.New(fault.Validation, "The policy name or its path is invalid.")
	}
	for _, text := range m.Versions {
		if _, err := policy.Parse(policy.KindIdentity, []byte(text)); err != nil {
			return err
		}
	}
	if _, ok := m.Versions[m.Default]; !ok {
		return fault.New(fault.Validation, "The default version does not exist.")
	}
	return nil
}

// Validate refuses what no provider may be. loopbackHTTP allows http:// issuers on loopback addresses, for development.
func (p *OIDCProvider) Validate(loopbackHTTP bool) error {
	if err := login.CheckIssuer(p.Issuer, loopbackHTTP); err != nil {
		return fault.Wrap(fault.Validation, "Invalid Open ID Connect Provider URL", err)
	}
	if len(p.Issuer) > 255 || len(p.ClientIDs) > 100 {
		return fault.New(fault.Validation, "Invalid Open ID Connect Provider: at most 255 characters and 100 client ids.")
	}
	for _, id := range p.ClientIDs {
		if id == "" || len(id) > 255 {
			return fault.New(fault.Validation, "Invalid client id: it must have 1 to 255 characters.")
		}
	}
	return nil
}

func checkName(name, path string) error {
	if !namePattern.MatchString(name) || !validPath(path) {
		return fault.New(fault.Validation, "The name or its path is invalid.")
	}
	return nil
}

func validPath(path string) bool { return len(path) <= 512 && pathPattern.MatchString(path) }

func checkInline(inline map[string]string) error {
	for name, text := range inline {
		if !policyPattern.MatchString(name) {
			return fault.New(fault.Validation, "The policy name is invalid.")
		}
		if _, err := policy.Parse(policy.KindIdentity, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// ARN returns the role's ARN in the account.
func (r *Role) ARN(account string) string { return arn.Role(account, r.Path, r.Name) }

// ARN returns the user's ARN in the account.
func (u *User) ARN(account string) string { return arn.User(account, u.Path, u.Name) }

// ARN returns the policy's ARN in the account.
func (m *ManagedPolicy) ARN(account string) string { return arn.ManagedPolicy(account, m.Path, m.Name) }

// ARN returns the provider's ARN in the account.
func (p *OIDCProvider) ARN(account string) string { return arn.OIDCProvider(account, p.Issuer) }
