package sts

import (
	"context"
	"errors"
	"slices"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

// AssumeRoleWithSAMLInput asks for a session of a role with a SAML response.
type AssumeRoleWithSAMLInput struct {
	RoleArn         *string                `shape:"arnType,required"`
	PrincipalArn    *string                `shape:"arnType,required"`
	SAMLAssertion   *string                `shape:"SAMLAssertionType,required"`
	PolicyArns      []PolicyDescriptorType `shape:"policyDescriptorListType"`
	Policy          *string                `shape:"sessionPolicyDocumentType"`
	DurationSeconds *int64                 `shape:"roleDurationSecondsType"`
}

// AssumeRoleWithSAMLOutput carries the session. Audience is the Recipient of the assertion.
type AssumeRoleWithSAMLOutput struct {
	Credentials      *Credentials
	AssumedRoleUser  *AssumedRoleUser
	PackedPolicySize *int64
	Subject          *string
	SubjectType      *string
	Issuer           *string
	Audience         *string
	NameQualifier    *string
	SourceIdentity   *string
}

const withSAML = "sts:AssumeRoleWithSAML"

// AssumeRoleWithSAML believes a SAML response of a provider of the account and assumes a role with it, one that the
// response names for this provider. Session name, tags and source identity are the response's. The order of checks is
// that of AssumeRoleWithWebIdentity (spec §1.9).
func (s *Service) AssumeRoleWithSAML(ctx context.Context, call *operation.Call, in *AssumeRoleWithSAMLInput) (*AssumeRoleWithSAMLOutput, error) {
	provider := call.Snapshot.SAMLProvider(*in.PrincipalArn)
	if provider == nil {
		call.Event.Add(event.Step{Name: "verify", Subject: event.CutIDs(*in.PrincipalArn), Expected: "a SAML provider of this account", Found: "no such provider"})
		return nil, fault.New(fault.InvalidIdentityToken, "Specified provider doesn't exist.")
	}
	l, err := s.SAML.Verify(ctx, provider.Login(), *in.SAMLAssertion, call.Now)
	if err != nil {
		return nil, samlRefusal(call, provider.ARN, err)
	}
	call.Event.Add(event.Step{Name: "verify", OK: true, Subject: provider.ARN, Found: "all checks passed"})
	a := Assume{RoleARN: *in.RoleArn, Login: l, Duration: seconds(in.DurationSeconds, defaultDuration), Passed: Passed{in.Policy, in.PolicyArns}}
	if err := takeOverAssertion(call, &a); err != nil {
		return nil, err
	}
	if err := offered(call, &a); err != nil {
		return nil, err
	}
	role, err := s.trusted(call, &a)
	if err != nil {
		return nil, err
	}
	minted, err := s.assume(call, role, &a)
	if err != nil {
		return nil, err
	}
	return assertedOutput(call, &a, role, minted), nil
}

// offered wants the role among those that the assertion gives for its provider (security C14): a trust policy says whom
// it believes, and the provider whom it means.
func offered(call *operation.Call, a *Assume) error {
	roles, err := a.Login.Assertion.Roles(a.Login.Provider.ARN)
	if err == nil && slices.Contains(roles, a.RoleARN) {
		return nil
	}
	found := "the role attribute has it not"
	if err != nil {
		found = "a role attribute that cannot be used"
	}
	call.Event.Add(event.Step{Name: "trust", Subject: event.CutIDs(a.RoleARN), Expected: "a role that the assertion names with its provider", Found: found})
	return fault.Wrap(fault.AccessDenied, a.notAuthorized().Message, err)
}

func assertedOutput(call *operation.Call, a *Assume, role *snapshot.Role, minted *Minted) *AssumeRoleWithSAMLOutput {
	assertion, subject := a.Login.Assertion, samlSubject(call.Snapshot.Account, a.Login)
	id, sessionARN := role.ID+":"+a.Name, arn.AssumedRole(call.Snapshot.Account, role.Name, a.Name)
	out := &AssumeRoleWithSAMLOutput{
		Credentials: minted.wire(), PackedPolicySize: minted.packed(), AssumedRoleUser: &AssumedRoleUser{AssumedRoleId: &id, Arn: &sessionARN},
		Subject: &subject.Subject, SubjectType: &subject.SubjectType, NameQualifier: &subject.NameQualifier,
		Issuer: &assertion.Issuer, Audience: &assertion.Recipient,
	}
	if a.SourceIdentity != "" {
		out.SourceIdentity = &a.SourceIdentity
	}
	return out
}

// samlRefusal gives a verifier's refusal STS's code and sentence (spec §1.2; those that it does not have are inferred).
func samlRefusal(call *operation.Call, subject string, err error) error {
	r, ok := errors.AsType[*login.Refusal](err)
	if !ok {
		return err
	}
	call.Event.Add(event.Step{Name: "verify", Subject: subject, Expected: r.Expected, Found: string(r.Reason) + ": " + r.Found})
	switch r.Reason {
	case login.Expired:
		if r.Claim == "IssueInstant" {
			return fault.Wrap(fault.ExpiredIdentityToken, "Token must be redeemed within 5 minutes of issuance", r)
		}
		return expired(r.Now, r.Exp)
	case login.Busy:
		return r.Fault()
	case login.Unsuccessful:
		return fault.Wrap(fault.IDPRejectedClaim, "The identity provider did not authenticate the user.", r)
	default:
		return fault.Wrap(fault.InvalidIdentityToken, samlSentence(r.Reason), r)
	}
}

func samlSentence(reason login.Reason) string {
	switch reason {
	case login.BadSignature, login.KeyNotFound, login.AlgorithmRefused:
		return "Response signature invalid"
	case login.AudienceMismatch, login.RecipientMismatch:
		return "Response does not contain the required audience."
	case login.IssuerMismatch:
		return "Issuer not present in specified provider"
	case login.MetadataExpired:
		return "The metadata of the specified provider has expired."
	case login.Encrypted:
		return "Encrypted assertions are not supported."
	default:
		return "Not a valid SAML response."
	}
}
