// Package operation is what an operation of any service looks like to the door: one row of a table, and the call that it
// is given. What is not a row cannot be routed (security 32).
//
// The door does what all operations share — the snapshot, who calls, whether he may, constraints, the event — so that no
// operation can forget it. A row only says what is its own.
package operation

import (
	"net/netip"
	"strconv"
	"time"

	"idpool/internal/event"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// Call is one request as its operation sees it. Everything was checked by the door.
type Call struct {
	Snapshot  *snapshot.Snapshot
	Now       time.Time
	RequestID string
	// Caller is who signed; nil for anonymous operations.
	Caller *Caller
	Event  *event.Record
	Client netip.Addr
	// Secure is whether the request came over TLS, to us or to a trusted proxy.
	Secure    bool
	UserAgent string
	// Shared are the condition keys that the requests of a second have in common (Common); nil where nobody shares.
	Shared *policy.Context
	// Fresh refuses, with an Internal fault, once the request has taken so long that its snapshot may be too old to hand out
	// anything on (security 49). What mints asks it last.
	Fresh func() error
}

// Caller is who signed a request: a user with an access key of his own, a session of a role, or a session that stands on
// a user.
type Caller struct {
	ARN         string // of the user or of the session
	Account     string
	UserID      string
	AccessKeyID string
	// User is the user, or the one that Session stands on; Role is the role of a role's session. Session is nil for a user
	// with a key of his own.
	User    *snapshot.User
	Session *session.Session
	Role    *snapshot.Role
	// Policies are all that bear on him.
	Policies policy.Policies
}

// Context returns the condition keys that every request has (spec sts-iam §2.5), without a caller's.
func (c *Call) Context() *policy.Context {
	shared := c.Shared
	if shared == nil {
		shared = Common(c.Snapshot, c.Now)
	}
	k := policy.Over(shared)
	k.Set("aws:SecureTransport", strconv.FormatBool(c.Secure))
	if c.Client.IsValid() {
		k.Set("aws:SourceIp", c.Client.String())
	}
	if c.UserAgent != "" {
		k.Set("aws:UserAgent", c.UserAgent)
	}
	return k
}

// Common returns the condition keys that are the same for all requests within a second.
func Common(s *snapshot.Snapshot, now time.Time) *policy.Context {
	now = now.UTC()
	k := new(policy.Context)
	k.Set("aws:CurrentTime", now.Format("2006-01-02T15:04:05Z"))
	k.Set("aws:EpochTime", strconv.FormatInt(now.Unix(), 10))
	k.Set("aws:RequestedRegion", s.Region)
	k.Set("aws:ViaAWSService", "false")
	k.Set("aws:PrincipalIsAWSService", "false")
	k.Set("aws:ResourceAccount", s.Account)
	return k
}

// Describe adds the caller's condition keys (spec sts-iam §2.4 and §2.5).
func (c *Caller) Describe(k *policy.Context) {
	k.Set("aws:PrincipalAccount", c.Account)
	k.Set("aws:userid", c.UserID)
	k.Set("aws:PrincipalArn", c.PrincipalARN())
	k.Set("aws:PrincipalType", c.principalType())
	if c.User != nil && !c.federated() {
		k.Set("aws:username", c.User.Name)
	}
	for key, value := range c.Tags() {
		k.Set("aws:PrincipalTag/"+key, value)
	}
	if c.Session != nil {
		describeSession(k, c.Session)
	}
}

// PrincipalARN is aws:PrincipalArn: of a role's session it is the role's ARN, with its path.
func (c *Caller) PrincipalARN() string {
	if c.Role != nil {
		return c.Role.ARN
	}
	return c.ARN
}

func (c *Caller) federated() bool { return c.Session != nil && c.Session.Kind == session.FederatedUser }

func (c *Caller) principalType() string {
	switch {
	case c.Role != nil:
		return "AssumedRole"
	case c.federated():
		return "FederatedUser"
	default:
		return "User"
	}
}

// Tags are the caller's principal tags: those of the role or user, replaced by session tags with the same key. Keys are
// compared without case and keep the case of who decides.
func (c *Caller) Tags() map[string]string {
	own := map[string]string{}
	switch {
	case c.Role != nil:
		own = c.Role.Tags
	case c.User != nil:
		own = c.User.Tags
	}
	if c.Session == nil || len(c.Session.Tags) == 0 {
		return own
	}
	return session.Override(own, c.Session.Tags)
}

// describeSession adds what only sessions have. The claims of our own token survive into the session, a guest's too, and
// so does the subject of an assertion (spec sts-iam §1.9).
func describeSession(k *policy.Context, s *session.Session) {
	k.Set("aws:TokenIssueTime", s.Issued.UTC().Format("2006-01-02T15:04:05Z"))
	k.Set("aws:MultiFactorAuthPresent", "false")
	if s.SourceIdentity != "" {
		k.Set("aws:SourceIdentity", s.SourceIdentity)
	}
	if s.Federated != "" {
		k.Set("aws:FederatedProvider", s.Federated)
	}
	OwnClaims(k, s.PoolID, s.IdentityID, s.AMR)
	SAMLSubject(k, s.SAML)
}
