package login

import (
	"idpool/internal/fault"
)

// Reason is why a login was refused: the check that failed.
type Reason string

// The reasons, in the order of the checks (spec cognito-identity §8.2).
const (
	Malformed         Reason = "malformed"          // not a token of the kind, or one with members that we refuse
	IssuerMismatch    Reason = "issuer mismatch"    // `iss` is not the provider's issuer
	MissingClaim      Reason = "missing claim"      // a required claim is absent or empty
	InvalidClaim      Reason = "invalid claim"      // a claim of the wrong type or outside its range
	WrongTokenType    Reason = "wrong token type"   // an access, logout or other token
	AlgorithmRefused  Reason = "algorithm refused"  // not allowed, for the provider or at all
	KeyNotFound       Reason = "key not found"      // no key of the issuer fits
	BadSignature      Reason = "bad signature"      // no key verifies it
	Expired           Reason = "expired"            // `exp` has come
	NotYetValid       Reason = "not yet valid"      // `nbf` or `iat` lies ahead
	TooLong           Reason = "too long"           // it lives longer than we allow
	AudienceMismatch  Reason = "audience mismatch"  // no configured client id
	IssuerUnreachable Reason = "issuer unreachable" // keys are needed and cannot be had
	RecipientMismatch Reason = "recipient mismatch" // it was issued to be sent to somebody else
	Unsuccessful      Reason = "unsuccessful"       // it says that nobody was authenticated
	Encrypted         Reason = "encrypted"          // it has encrypted parts
	MetadataExpired   Reason = "metadata expired"   // the provider's metadata has ended
	Busy              Reason = "busy"               // too many signatures are being checked: nothing is known of this one
	Rejected          Reason = "rejected"           // its provider was asked and does not know it
	Inactive          Reason = "inactive"           // its user pool says that it is over: the user signed out, or is gone
	Ended             Reason = "ended"              // the provider exists no more
)

// AnotherIssuer is what is Found where `iss` is no configured issuer and does not resemble one.
const AnotherIssuer = "another issuer"

// Refusal says which check failed. Expected and Found are for the event: they hold configured values and descriptions,
// never a claim's value (times aside), never the token.
type Refusal struct {
	Reason   Reason
	Kind     Kind   // SAML where a response was refused; empty for tokens
	Claim    string // the claim concerned, where there is one
	Now, Exp int64  // epoch seconds, for Expired
	Expected string
	Found    string
	Cause    error
}

// Error describes the refusal for an operator.
func (r *Refusal) Error() string {
	s := "login refused: " + string(r.Reason)
	if r.Claim != "" {
		s += " (" + r.Claim + ")"
	}
	return s + ": expected " + r.Expected + ", found " + r.Found
}

// Unwrap returns the private cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Fault gives the refusal the sentence that AWS gives it (spec cognito-identity §4.1). Only here do reasons become
// sentences: those marked [inferred] there can be corrected in this one place.
func (r *Refusal) Fault() *fault.Error {
	const prefix = "Invalid login token. "
	f := fault.Wrap(fault.NotAuthorized, prefix+"Couldn't verify signed token.", r)
	invalid := prefix + "Not a valid OpenId Connect identity token."
	if r.Kind == SAML {
		invalid = prefix + "Not a valid SAML response." // [inferred]
	}
	switch r.Reason {
	case IssuerMismatch:
		f.Message = prefix + "Issuer doesn't match providerName"
	case MissingClaim:
		f.Message = prefix + "Missing a required claim: " + r.Claim
	case Malformed, InvalidClaim, WrongTokenType, NotYetValid, TooLong, Unsuccessful, Encrypted:
		f.Message = invalid
	case Inactive:
		f.Message = "Token is inactive"
	case Ended:
		f.Message = "The login provider has been discontinued."
	case Expired:
		f.Message = fault.New(fault.NotAuthorized, prefix+"Token expired: %d >= %d", r.Now, r.Exp).Message
	case AudienceMismatch, RecipientMismatch:
		f.Message = "Token is not from a supported provider of this identity pool."
	case IssuerUnreachable:
		f.Code, f.Message = fault.ExternalService, "The identity provider is not responding."
	case Busy:
		f.Code, f.Message = fault.TooManyRequests, "Rate exceeded"
	}
	return f
}
