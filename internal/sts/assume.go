package sts

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// AssumeRoleInput asks for a session of a role with credentials of the account.
type AssumeRoleInput struct {
	RoleArn           *string                `shape:"arnType,required"`
	RoleSessionName   *string                `shape:"roleSessionNameType,required"`
	PolicyArns        []PolicyDescriptorType `shape:"policyDescriptorListType"`
	Policy            *string                `shape:"unrestrictedSessionPolicyDocumentType"`
	DurationSeconds   *int64                 `shape:"roleDurationSecondsType"`
	Tags              []Tag                  `shape:"tagListType"`
	TransitiveTagKeys []string               `shape:"tagKeyListType"`
	ExternalId        *string                `shape:"externalIdType"`
	SerialNumber      *string                `shape:"serialNumberType"`
	TokenCode         *string                `shape:"tokenCodeType"`
	SourceIdentity    *string                `shape:"sourceIdentityType"`
	ProvidedContexts  []ProvidedContext      `shape:"ProvidedContextsListType"`
}

// Tag is a session tag on the wire.
type Tag struct {
	Key   *string `shape:"tagKeyType,required"`
	Value *string `shape:"tagValueType,required"`
}

// ProvidedContext is an assertion of a trusted context provider.
type ProvidedContext struct {
	ProviderArn      *string `shape:"arnType"`
	ContextAssertion *string `shape:"contextAssertionType"`
}

// AssumeRoleOutput carries the session.
type AssumeRoleOutput struct {
	Credentials      *Credentials
	AssumedRoleUser  *AssumedRoleUser
	PackedPolicySize *int64
	SourceIdentity   *string
}

// chainedMost is the longest session of a role that was assumed with a session (spec sts-iam §1.6).
const chainedMost = time.Hour

// AssumeRole makes a session of a role for a user or for another session. The door has asked the role's trust policy and
// the caller's own (assumeRoleTarget).
func (s *Service) AssumeRole(_ context.Context, call *operation.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	role := call.Snapshot.Role(*in.RoleArn)
	if role == nil {
		return nil, fault.New(fault.AccessDenied, "The role cannot be assumed.") // the door has refused it
	}
	carried, err := carry(call.Caller, in)
	if err != nil {
		return nil, err
	}
	a := Assume{
		RoleARN: role.ARN, Name: *in.RoleSessionName, Duration: seconds(in.DurationSeconds, defaultDuration),
		Passed: Passed{in.Policy, in.PolicyArns},
		Tags:   carried.tags(), Transitive: carried.transitive(), SourceIdentity: carried.sourceIdentity,
	}
	if call.Caller.Session != nil && a.Duration > chainedMost {
		return nil, fault.New(fault.Validation, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	minted, err := s.assume(call, role, &a)
	if err != nil {
		return nil, err
	}
	out := &AssumeRoleOutput{Credentials: minted.wire(), AssumedRoleUser: assumedRoleUser(minted.Session), PackedPolicySize: minted.packed()}
	if a.SourceIdentity != "" {
		out.SourceIdentity = &a.SourceIdentity
	}
	return out, nil
}

func assumedRoleUser(made *session.Session) *AssumedRoleUser {
	id, name := made.UserID(), made.ARN()
	return &AssumedRoleUser{AssumedRoleId: &id, Arn: &name}
}

// assumeRoleTarget is what the door asks for AssumeRole: the role itself, and what the session brings along, each of the
// trust policy and of the caller's own (spec sts-iam §1.8 and §1.9). A role that does not exist is asked for all the same.
func assumeRoleTarget(_ context.Context, call *operation.Call, in *AssumeRoleInput) (operation.Target, error) {
	if err := refuseForeign(in.SerialNumber, in.TokenCode, in.ProvidedContexts); err != nil {
		return nil, err
	}
	a, err := arn.Parse(*in.RoleArn)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return nil, fault.New(fault.Validation, "%s is invalid", cut(*in.RoleArn))
	}
	carried, err := carry(call.Caller, in)
	if err != nil {
		return nil, err
	}
	actions := []string{"sts:AssumeRole"}
	if len(carried.passed)+len(carried.inherited) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if carried.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	var out operation.Target
	for _, action := range actions {
		out = append(out, assumption(action, call.Snapshot.Role(*in.RoleArn), carried, in))
	}
	return out, nil
}

// refuseForeign refuses what stands for things that are not here.
func refuseForeign(serial, code *string, contexts []ProvidedContext) error {
	switch {
	case serial != nil || code != nil:
		return fault.New(fault.Validation, "SerialNumber and TokenCode are for MFA devices, which are not supported.")
	case len(contexts) > 0:
		return fault.New(fault.Validation, "ProvidedContexts are for context providers of IAM Identity Center, which are not supported.")
	}
	return nil
}

// assumption is one question about a role, with the condition keys of spec §1.9; role is nil where there is none.
func assumption(action string, role *snapshot.Role, carried *carried, in *AssumeRoleInput) operation.Check {
	c := operation.Check{Action: action, Resource: *in.RoleArn, Assumes: true}
	c.Set("sts:RoleSessionName", *in.RoleSessionName)
	if in.ExternalId != nil {
		c.Set("sts:ExternalId", *in.ExternalId)
	}
	if carried.sourceIdentity != "" {
		c.Set("sts:SourceIdentity", carried.sourceIdentity)
	}
	requestTags(&c, carried.passed)
	for _, key := range carried.passedTransitive {
		c.List("sts:TransitiveTagKeys", key)
	}
	if role == nil {
		return c
	}
	c.Trust = role.Trust
	for k, v := range carried.seenOn(role.Tags) {
		c.Set("aws:ResourceTag/"+k, v)
		c.Set("iam:ResourceTag/"+k, v)
	}
	return c
}

// requestTags adds the condition keys of tags that are passed.
func requestTags(c *operation.Check, tags map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		c.Set("aws:RequestTag/"+k, tags[k])
		c.List("aws:TagKeys", k)
	}
}
