// Package sts is the security token service: it decides whether a role may be assumed, mints its session, and answers
// STS's own operations. Version 2011-06-15 of the API, spec sts-iam §1.
//
// cognito calls WithWebIdentity for the role that it chose, as AssumeRoleWithWebIdentity does for the role that was asked
// for; there is no other way to a session.
package sts

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// SessionName is the name of every session of the enhanced flow (spec cognito-identity §13).
const SessionName = "CognitoIdentityCredentials"

// Service answers STS. All fields are needed.
type Service struct {
	// Random is the source of access key ids.
	Random io.Reader
	// Issuer is the `iss` of our own tokens.
	Issuer string
	// Verifier believes the tokens of OpenID Connect providers; IssuerOf reads the `iss` of one that is not verified yet.
	Verifier login.Verifier
	IssuerOf func(token string) (string, error)
	// SAML believes the responses of SAML providers, for as long after their issue as STS takes them.
	SAML login.Verifier
}

// Assume is one assumption of a role with the claims of a token: of ours, which need not have been signed, or of a
// provider's token or assertion, which was verified.
type Assume struct {
	RoleARN string
	// Claims are those of our own token, or nil; then Login is the verified login.
	Claims *issuer.Claims
	Login  *login.Login
	// Tags are the session tags that the token brings; Transitive and SourceIdentity likewise.
	Tags           map[string]string
	Transitive     []string
	SourceIdentity string
	// Passed are the session policies of the call.
	Passed Passed
	// Guest holds the session to the guests' scope-down: the enhanced flow without a login.
	Guest    bool
	Duration time.Duration
	// Most is the longest that the token allows the session to be, whatever was asked for; 0 for no limit.
	Most time.Duration
	Name string // of the session
}

// action is what trust policies must allow.
func (a *Assume) action() string {
	if a.Login != nil && a.Login.Provider.Kind == login.SAML {
		return withSAML
	}
	return "sts:AssumeRoleWithWebIdentity"
}

func (a *Assume) notAuthorized() *fault.Error {
	return fault.New(fault.AccessDenied, "Not authorized to perform %s", a.action())
}

// federated is who vouches, as trust policies name it.
func (a *Assume) federated() string {
	switch {
	case a.Claims != nil:
		return login.OwnIssuer
	case a.Login != nil:
		return a.Login.Provider.ARN
	default:
		return "" // nobody: the caller has credentials of the account
	}
}

// WithWebIdentity has AssumeRoleWithWebIdentity's semantics: the role's trust policy is decided on the claims. AccessDenied
// with STS's sentence when the role does not exist, or does not trust; the two cannot be told apart.
func (s *Service) WithWebIdentity(_ context.Context, call *operation.Call, in Assume) (*Minted, error) {
	role, err := s.trusted(call, &in)
	if err != nil {
		return nil, err
	}
	return s.assume(call, role, &in)
}

// trusted returns the role, if it trusts the token.
func (s *Service) trusted(call *operation.Call, in *Assume) (*snapshot.Role, error) {
	role := call.Snapshot.Role(in.RoleARN)
	if role == nil {
		call.Event.Add(event.Step{Name: "trust", Subject: event.CutIDs(in.RoleARN), Expected: "a role of this account", Found: "no such role"})
		return nil, in.notAuthorized()
	}
	return role, trusts(call, role, in)
}

// assume makes a session of a role that may be assumed, within the role's own limit.
func (s *Service) assume(call *operation.Call, role *snapshot.Role, in *Assume) (*Minted, error) {
	if limit := time.Duration(role.MaxSession) * time.Second; in.Duration > limit {
		return nil, fault.New(fault.Validation, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return s.mint(call, role, in)
}

// trusts decides the role's trust policy on the claims of the token (spec sts-iam §1.9): for the assumption itself, and
// for what it brings along.
func trusts(call *operation.Call, role *snapshot.Role, in *Assume) error {
	keys := trustKeys(call, role, in)
	actions := []string{in.action()}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		d := policy.Trust(role.Trust, &policy.Request{
			Action: action, Resource: role.ARN, Principal: policy.Principal{Federated: in.federated()}, Context: keys,
		})
		call.Event.Add(event.Step{
			Name: "trust", OK: d.Allowed, Subject: role.ARN,
			Expected: "a trust policy that allows " + action + " for " + in.federated() + " with the token's claims",
			Found:    found(d),
		})
		if !d.Allowed {
			return in.notAuthorized()
		}
	}
	return nil
}

// trustKeys are the condition keys of the decision.
func trustKeys(call *operation.Call, role *snapshot.Role, in *Assume) *policy.Context {
	keys := call.Context()
	switch {
	case in.Claims != nil:
		operation.OwnClaims(keys, in.Claims.PoolID, in.Claims.IdentityID, in.Claims.AMR)
	case in.Login.Assertion != nil:
		samlKeys(keys, call.Snapshot.Account, in.Login)
	default:
		loginKeys(keys, in.Login)
	}
	keys.Set("aws:FederatedProvider", in.federated())
	keys.Set("sts:RoleSessionName", in.Name)
	if in.SourceIdentity != "" {
		keys.Set("sts:SourceIdentity", in.SourceIdentity)
	}
	for k, v := range role.Tags {
		keys.Set("aws:ResourceTag/"+k, v)
		keys.Set("iam:ResourceTag/"+k, v)
	}
	if len(in.Tags) > 0 {
		names := slices.Sorted(maps.Keys(in.Tags))
		for _, k := range names {
			keys.Set("aws:RequestTag/"+k, in.Tags[k])
		}
		keys.SetList("aws:TagKeys", names...)
		keys.SetList("sts:TransitiveTagKeys", in.Transitive...)
	}
	return keys
}

func found(d policy.Decision) string {
	switch {
	case d.Allowed, d.Explicit:
		return "statement " + strconv.Itoa(d.Statement) + " " + strconv.Quote(d.Sid) + " decides"
	default:
		return "no statement allows it"
	}
}

func sessionTags(in map[string]string) []session.Tag {
	if len(in) == 0 {
		return nil
	}
	out := make([]session.Tag, 0, len(in))
	for _, k := range slices.Sorted(maps.Keys(in)) {
		out = append(out, session.Tag{Key: k, Value: in[k]})
	}
	return out
}

// mint makes a session of the role. Whether it may be was decided.
func (s *Service) mint(call *operation.Call, role *snapshot.Role, in *Assume) (*Minted, error) {
	made := &session.Session{
		RoleName: role.Name, RolePath: role.Path, RoleID: role.ID, Name: in.Name, Guest: in.Guest,
		Tags: sessionTags(in.Tags), Transitive: in.Transitive, SourceIdentity: in.SourceIdentity, Federated: in.federated(),
	}
	if in.Claims != nil {
		made.PoolID, made.IdentityID, made.AMR = in.Claims.PoolID, in.Claims.IdentityID, in.Claims.AMR
		made.Origin = in.Claims.Issued.UTC().Truncate(time.Second)
	}
	if in.Login != nil && in.Login.Assertion != nil {
		made.SAML = samlSubject(call.Snapshot.Account, in.Login)
	}
	if err := in.Passed.hold(call.Snapshot, made); err != nil {
		return nil, err
	}
	d := in.Duration
	if in.Most > 0 {
		d = min(d, in.Most)
	}
	return s.seal(call, made, role.ARN, d)
}
