package sts

import (
	"context"
	"errors"
	"time"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/revocation"
	"idpool/internal/snapshot"
)

// AssumeRoleWithWebIdentityInput asks for a session of a role with an ID token.
type AssumeRoleWithWebIdentityInput struct {
	RoleArn          *string                `shape:"arnType,required"`
	RoleSessionName  *string                `shape:"roleSessionNameType,required"`
	WebIdentityToken *string                `shape:"clientTokenType,required"`
	ProviderId       *string                `shape:"urlType"`
	PolicyArns       []PolicyDescriptorType `shape:"policyDescriptorListType"`
	Policy           *string                `shape:"sessionPolicyDocumentType"`
	DurationSeconds  *int64                 `shape:"roleDurationSecondsType"`
}

// AssumeRoleWithWebIdentityOutput carries the session.
type AssumeRoleWithWebIdentityOutput struct {
	Credentials                 *Credentials
	SubjectFromWebIdentityToken *string
	AssumedRoleUser             *AssumedRoleUser
	PackedPolicySize            *int64
	Provider                    *string
	Audience                    *string
	SourceIdentity              *string
}

// Credentials are temporary credentials.
type Credentials struct {
	AccessKeyId     *string
	SecretAccessKey *string
	SessionToken    *string
	Expiration      *time.Time
}

// AssumedRoleUser names the session.
type AssumedRoleUser struct {
	AssumedRoleId *string
	Arn           *string
}

// defaultDuration is that of a session for which none was asked (spec §1.3).
const defaultDuration = time.Hour

// AssumeRoleWithWebIdentity believes an ID token, of ours or of an OpenID Connect provider of the account, and assumes a
// role with it: the classic flow's last step, and the web-identity provider of the SDKs. The order of checks is that of
// spec §1.9.
func (s *Service) AssumeRoleWithWebIdentity(ctx context.Context, call *operation.Call, in *AssumeRoleWithWebIdentityInput) (*AssumeRoleWithWebIdentityOutput, error) {
	if in.ProviderId != nil {
		return nil, fault.New(fault.Validation, "ProviderId is for OAuth 2.0 access tokens, which are not accepted.")
	}
	a := Assume{
		RoleARN: *in.RoleArn, Name: *in.RoleSessionName, Duration: seconds(in.DurationSeconds, defaultDuration),
		Passed: Passed{in.Policy, in.PolicyArns},
	}
	if err := s.believe(ctx, call, *in.WebIdentityToken, &a); err != nil {
		return nil, err
	}
	minted, err := s.WithWebIdentity(ctx, call, a)
	if err != nil {
		return nil, err
	}
	out := described(call, &a)
	out.Credentials, out.PackedPolicySize = minted.wire(), minted.packed()
	return out, nil
}

// seconds reads DurationSeconds.
func seconds(n *int64, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	return time.Duration(*n) * time.Second
}

// believe verifies the token and takes over what it says. A token that claims to be ours is verified as ours alone.
func (s *Service) believe(ctx context.Context, call *operation.Call, token string, a *Assume) error {
	iss, err := s.IssuerOf(token)
	if err != nil {
		return refusal(call, "", err)
	}
	if iss == s.Issuer {
		return s.believeOwn(call, token, a)
	}
	provider := providerOf(call.Snapshot, iss)
	if iss == s.Issuer+issuer.OutboundPath {
		provider = nil // what says who a caller of ours is, is no way in here
	}
	if provider == nil {
		call.Event.Add(event.Step{Name: "verify", Expected: "the issuer of an OpenID Connect provider of this account", Found: "another issuer"})
		return fault.New(fault.InvalidIdentityToken, "No OpenIDConnect provider found in your account for %s", cut(iss))
	}
	if a.Login, err = s.Verifier.Verify(ctx, provider, token, call.Now); err != nil {
		return refusal(call, provider.Key, err)
	}
	call.Event.Add(event.Step{Name: "verify", OK: true, Subject: provider.Key, Found: "all checks passed"})
	return takeOver(a)
}

func (s *Service) believeOwn(call *operation.Call, token string, a *Assume) error {
	claims, err := issuer.Read(call.Snapshot.Keys, token)
	if err != nil || claims.Issuer != s.Issuer {
		call.Event.Add(event.Step{Name: "verify", Subject: login.OwnIssuer, Expected: "a signature of ours", Found: "another"})
		return fault.Wrap(fault.InvalidIdentityToken, noKey, err)
	}
	if call.Now.Unix() >= claims.Expiry.Unix() {
		call.Event.Add(event.Step{Name: "verify", Subject: login.OwnIssuer, Expected: "a token that has not ended", Found: "one that has"})
		return expired(call.Now.Unix(), claims.Expiry.Unix())
	}
	if call.Snapshot.Pool(claims.PoolID) == nil {
		call.Event.Add(event.Step{Name: "verify", Subject: login.OwnIssuer, Expected: "a token of a pool that exists", Found: "one of a pool that was deleted"})
		return fault.New(fault.InvalidIdentityToken, noKey)
	}
	if err := call.Snapshot.Revoked(claims.Issued, revocation.Token(claims.PoolID, claims.IdentityID, claims.AMR)); err != nil {
		call.Event.Add(event.Step{Name: "verify", Subject: login.OwnIssuer, Expected: "a token that was not revoked", Found: event.CutIDs(err.Error())})
		return fault.Wrap(fault.ExpiredIdentityToken, "The token was revoked.", err)
	}
	call.Event.Add(event.Step{Name: "verify", OK: true, Subject: login.OwnIssuer, Found: "all checks passed"})
	call.Event.SetIdentity(claims.PoolID, claims.IdentityID, len(claims.AMR) == 1)
	a.Claims, a.Tags = claims, claims.Tags
	return nil
}

// providerOf returns the account's provider with the issuer, compared byte for byte.
func providerOf(s *snapshot.Snapshot, iss string) *login.Provider {
	p := s.OIDCProviderOf(iss)
	if p == nil {
		return nil
	}
	return p.Login()
}

const noKey = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"

// refusal gives a verifier's refusal STS's code and sentence (spec §1.2).
func refusal(call *operation.Call, subject string, err error) error {
	r, ok := errors.AsType[*login.Refusal](err)
	if !ok {
		return err
	}
	call.Event.Add(event.Step{Name: "verify", Subject: subject, Expected: r.Expected, Found: string(r.Reason) + ": " + r.Found})
	switch r.Reason {
	case login.Malformed, login.MissingClaim, login.InvalidClaim, login.WrongTokenType, login.NotYetValid, login.TooLong:
		return fault.Wrap(fault.InvalidIdentityToken, "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)", r)
	case login.Expired:
		return expired(r.Now, r.Exp)
	case login.AudienceMismatch:
		return fault.Wrap(fault.InvalidIdentityToken, "Incorrect token audience", r)
	case login.IssuerUnreachable:
		return fault.Wrap(fault.IDPCommunication, "The identity provider could not be reached.", r)
	case login.Busy:
		return r.Fault()
	default:
		return fault.Wrap(fault.InvalidIdentityToken, noKey, r)
	}
}

func expired(now, exp int64) *fault.Error {
	return fault.New(fault.ExpiredIdentityToken, "Token expired: current date/time %d must be before the expiration date/time %d", now, exp)
}

// cut keeps an issuer that nobody verified short in an answer.
func cut(iss string) string {
	const most = 256
	return iss[:min(len(iss), most)]
}

func described(call *operation.Call, a *Assume) *AssumeRoleWithWebIdentityOutput {
	role := call.Snapshot.Role(a.RoleARN)
	id, sessionARN := role.ID+":"+a.Name, arn.AssumedRole(call.Snapshot.Account, role.Name, a.Name)
	out := &AssumeRoleWithWebIdentityOutput{AssumedRoleUser: &AssumedRoleUser{AssumedRoleId: &id, Arn: &sessionARN}}
	provider, audience, subject := login.OwnIssuer, "", ""
	if a.Claims != nil {
		audience, subject = a.Claims.PoolID, a.Claims.IdentityID
	} else {
		provider, audience, subject = a.Login.Provider.Issuer, a.Login.Audience, a.Login.Subject
	}
	out.Provider, out.Audience, out.SubjectFromWebIdentityToken = &provider, &audience, &subject
	if a.SourceIdentity != "" {
		out.SourceIdentity = &a.SourceIdentity
	}
	return out
}
