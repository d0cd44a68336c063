// Package fault is the one error type of idpool: a code that says what kind of refusal or failure it is, a sentence for
// the caller, and a private cause for the operator.
//
// A code is a category, not a wire name: each protocol has one table of its own from codes to names and statuses (see
// awsjson and awsquery). What is not a *Error is a bug or a broken dependency; From makes it an Internal one, so that
// nothing of it reaches a caller.
package fault

import (
	"errors"
	"fmt"
)

// Code is the category of a fault.
type Code string

// The codes, in the order of the specification: the operations' own errors first, then the framework's, then STS's, then
// those that IAM alone has.
const (
	InvalidParameter                 Code = "InvalidParameter"
	NotAuthorized                    Code = "NotAuthorized"
	ResourceNotFound                 Code = "ResourceNotFound"
	ResourceConflict                 Code = "ResourceConflict"
	TooManyRequests                  Code = "TooManyRequests"
	LimitExceeded                    Code = "LimitExceeded"
	ConcurrentModification           Code = "ConcurrentModification"
	DeveloperUserAlreadyRegistered   Code = "DeveloperUserAlreadyRegistered"
	InvalidIdentityPoolConfiguration Code = "InvalidIdentityPoolConfiguration"
	ExternalService                  Code = "ExternalService"
	Internal                         Code = "Internal"

	Validation            Code = "Validation"            // a member breaks a constraint of its shape
	Serialization         Code = "Serialization"         // the body is not what the protocol asks for
	UnsupportedMediaType  Code = "UnsupportedMediaType"  // a Content-Type or Content-Encoding that we do not read
	RequestTooLarge       Code = "RequestTooLarge"       // a body above the limit
	UnknownOperation      Code = "UnknownOperation"      // no row of an operation table
	MissingAction         Code = "MissingAction"         // no operation was named at all
	MissingAuthentication Code = "MissingAuthentication" // a signed operation without a signature
	IncompleteSignature   Code = "IncompleteSignature"   // an Authorization header that cannot be read
	InvalidSignature      Code = "InvalidSignature"      // the signature, its time or its scope is wrong
	UnrecognizedClient    Code = "UnrecognizedClient"    // an unknown access key, or a session token that is not its own
	ExpiredToken          Code = "ExpiredToken"          // the caller's own session has ended
	AccessDenied          Code = "AccessDenied"          // a policy says no

	MalformedPolicyDocument Code = "MalformedPolicyDocument"
	PackedPolicyTooLarge    Code = "PackedPolicyTooLarge"
	InvalidIdentityToken    Code = "InvalidIdentityToken"
	ExpiredIdentityToken    Code = "ExpiredIdentityToken" // the web identity token or assertion has ended
	IDPRejectedClaim        Code = "IDPRejectedClaim"
	IDPCommunication        Code = "IDPCommunication"

	InvalidAuthorizationMessage Code = "InvalidAuthorizationMessage" // what DecodeAuthorizationMessage cannot decode
	SessionDurationEscalation   Code = "SessionDurationEscalation"   // a token that would outlive its caller's session
	OutboundDisabled            Code = "OutboundDisabled"            // GetWebIdentityToken, where it is not enabled
	JWTPayloadSizeExceeded      Code = "JWTPayloadSizeExceeded"      // a token with too much in it

	FeatureEnabled  Code = "FeatureEnabled"
	FeatureDisabled Code = "FeatureDisabled"

	DeleteConflict      Code = "DeleteConflict"      // something else still hangs on what is to be deleted
	PolicyNotAttachable Code = "PolicyNotAttachable" // a policy that only AWS's own services may attach
)

// Error is a fault. Message is public: it is what the caller reads, and must hold no secret, no token and nothing of
// our insides. Cause is private: it goes into the event of the request and nowhere else.
type Error struct {
	Code    Code
	Message string
	Cause   error
}

// Error returns code, sentence and cause, for operators; never send it to a caller.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns a fault with a formatted public sentence.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns a fault with a fixed public sentence and a private cause.
func Wrap(code Code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// From returns err as a fault: itself where it is one or wraps one, else an Internal fault with err as its cause.
// From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Code: Internal, Message: "Internal error.", Cause: err}
}

// Is reports whether err is a fault with the code.
func Is(err error, code Code) bool {
	f, ok := errors.AsType[*Error](err)
	return ok && f.Code == code
}
