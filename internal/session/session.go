// Package session is what temporary credentials stand for, and how they are minted and opened.
//
// Nothing is stored: a session token is the session itself, sealed. The secret key comes with the seal and is in neither
// the token nor a database. Policies are not in it: they are those that the role has when the credentials are used, as
// on AWS; the guests' scope-down is a flag. How sealing works, and with which keys, is the business of a Sealer.
package session

import (
	"crypto/subtle"
	"encoding/base64"
	"time"

	"idpool/internal/arn"
	"idpool/internal/fault"
)

// Purpose is what session tokens are sealed for: no other sealed text opens as one.
const Purpose = "session"

// MaxToken is the longest session token in bytes: it travels in a header of every request.
const MaxToken = 4096

// MaxLife is the longest that a session lives: those that a user makes with GetSessionToken or GetFederationToken (spec
// sts-iam §1.3); sessions of roles live for 12 hours at most.
const MaxLife = 36 * time.Hour

// SecretBytes is the size of the secret that comes with a seal; base64 makes the 40 characters of a secret access key.
const SecretBytes = 30

// Tag is a session tag. Keys are compared without case.
type Tag struct{ Key, Value string }

// Kind is who a session is of.
type Kind uint8

// The kinds of sessions.
const (
	OfRole        Kind = iota // AssumeRole and its relatives
	OfUser                    // GetSessionToken: the user himself
	FederatedUser             // GetFederationToken: a name that a user gave, with at most what the user may do
)

// String is the operation that makes the kind.
func (k Kind) String() string {
	switch k {
	case OfUser:
		return "GetSessionToken"
	case FederatedUser:
		return "GetFederationToken"
	default:
		return "AssumeRole"
	}
}

// User is the user that a session of GetSessionToken or GetFederationToken stands on, with the access key that made it.
type User struct{ Name, ID, KeyID string }

// Session is what credentials stand for.
type Session struct {
	Kind        Kind
	AccessKeyID string // ASIA…, with the account inside
	Account     string // 12 digits
	RoleName    string
	RolePath    string
	RoleID      string // AROA…: a role made again under the same name does not inherit sessions
	Name        string // the session name
	Issued      time.Time
	Expires     time.Time
	// Guest marks a session of the enhanced flow without a login, to which the guests' scope-down applies always.
	Guest bool
	// User is empty for sessions of roles; the fields of roles are empty for the others.
	User User
	// Policies are inline session policies, and PolicyARNs managed ones, which count as they are when the session is used.
	// HasPolicies tells none from an empty set, which allows nothing.
	Policies    []string
	PolicyARNs  []string
	HasPolicies bool
	Tags        []Tag
	Transitive  []string
	// SourceIdentity is set once for a chain of sessions.
	SourceIdentity string
	// Federated is aws:FederatedProvider.
	Federated string
	// PoolID, IdentityID and AMR are the aud, sub and amr of our own token, for sessions that came from one.
	PoolID     string
	IdentityID string
	AMR        []string
	// Origin is when the first of what led here was issued, in whole seconds: a token of ours, or the first session of a
	// chain. It is Issued where a login or a user's own key led straight here. Lineage are the names by which the sessions
	// and keys that led here could be revoked (package revocation).
	Origin  time.Time
	Lineage []string
	// SAML is what a SAML assertion leaves in a session that came from one.
	SAML SAML
}

// SAML holds the values of saml:sub, saml:sub_type and saml:namequalifier; all empty where no assertion was.
type SAML struct{ Subject, SubjectType, NameQualifier string }

// ARN returns the ARN of a role's session, or of a federated user. The session of a user has the user's.
func (s *Session) ARN() string {
	if s.Kind == FederatedUser {
		return arn.FederatedUser(s.Account, s.Name)
	}
	return arn.AssumedRole(s.Account, s.RoleName, s.Name)
}

// RoleARN returns the ARN of the role, with its path: aws:PrincipalArn.
func (s *Session) RoleARN() string { return arn.Role(s.Account, s.RolePath, s.RoleName) }

// UserID returns aws:userid.
func (s *Session) UserID() string {
	switch s.Kind {
	case OfUser:
		return s.User.ID
	case FederatedUser:
		return s.Account + ":" + s.Name
	default:
		return s.RoleID + ":" + s.Name
	}
}

// Credentials are what a client gets. They are secret: nothing logs them.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// A Sealer seals bytes into a text that only the same purpose and the same system open.
//
// Seal returns the token, which is safe in a header and in a query string, and a secret of its own for each token, which
// the token does not reveal. Open returns both again, or an error that says nothing more than that the token is not
// ours: any changed bit, length, key, purpose or version gives the same one.
type Sealer interface {
	Seal(purpose string, payload []byte) (token string, secret [SecretBytes]byte, err error)
	Open(purpose, token string) (payload []byte, secret [SecretBytes]byte, err error)
}

// Mint seals the session and returns its credentials. PackedPolicyTooLarge when the token would be too long.
func Mint(sealer Sealer, s *Session) (Credentials, error) {
	payload, err := encode(s)
	if err != nil {
		return Credentials{}, err
	}
	token, secret, err := sealer.Seal(Purpose, payload)
	if err != nil {
		return Credentials{}, err
	}
	if len(token) > MaxToken {
		return Credentials{}, tooLarge(s, percent(len(token), MaxToken))
	}
	return Credentials{
		AccessKeyID:     s.AccessKeyID,
		SecretAccessKey: base64.StdEncoding.EncodeToString(secret[:]),
		SessionToken:    token,
		Expiration:      s.Expires,
	}, nil
}

// Open opens a session token that came with an access key id and returns its session and secret access key.
//
// UnrecognizedClient when the token is not ours, was changed, or belongs to another key; ExpiredToken once now has
// reached its end, without grace.
func Open(sealer Sealer, token, accessKeyID string, now time.Time) (*Session, string, error) {
	if len(token) > MaxToken {
		return nil, "", Invalid(nil)
	}
	payload, secret, err := sealer.Open(Purpose, token)
	if err != nil {
		return nil, "", Invalid(err)
	}
	s, err := decode(payload)
	if err != nil {
		return nil, "", Invalid(err)
	}
	if subtle.ConstantTimeCompare([]byte(s.AccessKeyID), []byte(accessKeyID)) != 1 {
		return nil, "", Invalid(nil)
	}
	if !now.Before(s.Expires) {
		return nil, "", fault.New(fault.ExpiredToken, "The security token included in the request is expired")
	}
	return s, base64.StdEncoding.EncodeToString(secret[:]), nil
}

// Invalid is the one refusal of an access key or session token that is not ours.
func Invalid(cause error) *fault.Error {
	return fault.Wrap(fault.UnrecognizedClient, "The security token included in the request is invalid.", cause)
}
