package sts

import (
	"context"
	"time"

	"idpool/internal/arn"
	"idpool/internal/operation"
	"idpool/internal/session"
)

// GetSessionTokenInput asks for temporary credentials of the caller himself.
type GetSessionTokenInput struct {
	DurationSeconds *int64  `shape:"durationSecondsType"`
	SerialNumber    *string `shape:"serialNumberType"`
	TokenCode       *string `shape:"tokenCodeType"`
}

// GetSessionTokenOutput carries them.
type GetSessionTokenOutput struct {
	Credentials *Credentials
}

// GetFederationTokenInput asks for credentials for somebody whom the caller vouches for.
type GetFederationTokenInput struct {
	Name            *string                `shape:"userNameType,required"`
	Policy          *string                `shape:"sessionPolicyDocumentType"`
	PolicyArns      []PolicyDescriptorType `shape:"policyDescriptorListType"`
	DurationSeconds *int64                 `shape:"durationSecondsType"`
	Tags            []Tag                  `shape:"tagListType"`
}

// GetFederationTokenOutput carries them.
type GetFederationTokenOutput struct {
	Credentials      *Credentials
	FederatedUser    *FederatedUser
	PackedPolicySize *int64
}

// FederatedUser names the session.
type FederatedUser struct {
	FederatedUserId *string
	Arn             *string
}

// userDuration is that of a user's session for which none was asked (spec §1.3).
const userDuration = 12 * time.Hour

// GetSessionToken makes a session of a user, who needs no permission for it (spec §1.4). What it may not call is in the
// table; it ends with the user and with the key that made it.
func (s *Service) GetSessionToken(_ context.Context, call *operation.Call, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	if err := refuseForeign(in.SerialNumber, in.TokenCode, nil); err != nil {
		return nil, err
	}
	made := &session.Session{Kind: session.OfUser, User: behind(call.Caller)}
	minted, err := s.seal(call, made, call.Caller.ARN, seconds(in.DurationSeconds, userDuration))
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: minted.wire()}, nil
}

// behind is the user that a session of his stands on.
func behind(c *operation.Caller) session.User {
	return session.User{Name: c.User.Name, ID: c.User.ID, KeyID: c.AccessKeyID}
}

// GetFederationToken makes a session that may do what both the user and the session policies allow: without any, nothing
// (spec §1.4).
func (s *Service) GetFederationToken(_ context.Context, call *operation.Call, in *GetFederationTokenInput) (*GetFederationTokenOutput, error) {
	tags, err := passedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	made := &session.Session{Kind: session.FederatedUser, User: behind(call.Caller), Name: *in.Name, Tags: sessionTags(tags)}
	if err := (Passed{in.Policy, in.PolicyArns}).hold(call.Snapshot, made); err != nil {
		return nil, err
	}
	minted, err := s.seal(call, made, call.Caller.ARN, seconds(in.DurationSeconds, userDuration))
	if err != nil {
		return nil, err
	}
	id, name := made.UserID(), made.ARN()
	return &GetFederationTokenOutput{
		Credentials: minted.wire(), FederatedUser: &FederatedUser{FederatedUserId: &id, Arn: &name}, PackedPolicySize: minted.packed(),
	}, nil
}

// federationTarget is the federated user, and for tags the right to pass them.
func federationTarget(_ context.Context, call *operation.Call, in *GetFederationTokenInput) (operation.Target, error) {
	tags, err := passedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var out operation.Target
	for _, action := range []string{"sts:GetFederationToken", "sts:TagSession"} {
		c := operation.Check{Action: action, Resource: arn.FederatedUser(call.Snapshot.Account, *in.Name)}
		requestTags(&c, tags)
		out = append(out, c)
	}
	if len(tags) == 0 {
		out = out[:1]
	}
	return out, nil
}
