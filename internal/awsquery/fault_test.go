package awsquery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"idpool/internal/awsquery"
	"idpool/internal/fault"
	"idpool/internal/shape/shapetest"
)

// The whole of an error answer (sts spec §1.1).
func TestEncodeFault(t *testing.T) {
	status, body := awsquery.EncodeFault(fault.Wrap(fault.AccessDenied, `no "<role>"`, errors.New("canary")), stsNamespace, "id")
	const want = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>` +
		`<Message>no &#34;&lt;role&gt;&#34;</Message></Error><RequestId>id</RequestId></ErrorResponse>`
	if status != 403 || string(body) != want {
		t.Errorf("got %d %s, want 403 %s", status, body, want)
	}
}

// Golden: every code, in the order of the table.
func TestEveryCodeHasItsName(t *testing.T) {
	var got strings.Builder
	for _, code := range shapetest.FaultCodes(t, "../fault") {
		status, body := awsquery.EncodeFault(fault.New(code, "m"), "ns", "id")
		text := string(body)
		fmt.Fprintln(&got, code, status, between(text, "<Type>", "</Type>"), between(text, "<Code>", "</Code>"), between(text, "<Message>", "</Message>"))
	}
	const want = `InvalidParameter 400 Sender InvalidInput m
NotAuthorized 403 Sender AccessDenied m
ResourceNotFound 404 Sender NoSuchEntity m
ResourceConflict 409 Sender EntityAlreadyExists m
TooManyRequests 400 Sender Throttling m
LimitExceeded 409 Sender LimitExceeded m
ConcurrentModification 409 Sender ConcurrentModification m
DeveloperUserAlreadyRegistered 409 Sender EntityAlreadyExists m
InvalidIdentityPoolConfiguration 400 Sender InvalidInput m
ExternalService 503 Receiver ServiceUnavailable m
Internal 500 Receiver InternalFailure Internal error.
Validation 400 Sender ValidationError m
Serialization 400 Sender MalformedQueryString m
UnsupportedMediaType 415 Sender MalformedQueryString m
RequestTooLarge 413 Sender MalformedQueryString m
UnknownOperation 400 Sender InvalidAction m
MissingAction 400 Sender MissingAction m
MissingAuthentication 403 Sender MissingAuthenticationToken m
IncompleteSignature 400 Sender IncompleteSignature m
InvalidSignature 403 Sender SignatureDoesNotMatch m
UnrecognizedClient 403 Sender InvalidClientTokenId m
ExpiredToken 403 Sender ExpiredToken m
AccessDenied 403 Sender AccessDenied m
MalformedPolicyDocument 400 Sender MalformedPolicyDocument m
PackedPolicyTooLarge 400 Sender PackedPolicyTooLarge m
InvalidIdentityToken 400 Sender InvalidIdentityToken m
ExpiredIdentityToken 400 Sender ExpiredTokenException m
IDPRejectedClaim 403 Sender IDPRejectedClaim m
IDPCommunication 400 Sender IDPCommunicationError m
InvalidAuthorizationMessage 400 Sender InvalidAuthorizationMessageException m
SessionDurationEscalation 403 Sender SessionDurationEscalationException m
OutboundDisabled 403 Sender OutboundWebIdentityFederationDisabledException m
JWTPayloadSizeExceeded 400 Sender JWTPayloadSizeExceededException m
FeatureEnabled 409 Sender FeatureEnabled m
FeatureDisabled 404 Sender FeatureDisabled m
DeleteConflict 409 Sender DeleteConflict m
PolicyNotAttachable 400 Sender PolicyNotAttachable m
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// Whatever an internal fault carries stays inside, and so does a code that nobody gave a name.
func TestInternalFaultsSayNothing(t *testing.T) {
	for _, f := range []*fault.Error{
		nil, fault.New(fault.Internal, "canary"), fault.From(errors.New("canary")), fault.New("Unheard", "canary"), {},
	} {
		status, body := awsquery.EncodeFault(f, "ns", "id")
		text := string(body)
		if status != 500 || between(text, "<Code>", "</Code>") != "InternalFailure" || strings.Contains(text, "canary") || !strings.Contains(text, "<Type>Receiver<") {
			t.Errorf("%v: got %d %s", f, status, text)
		}
	}
}
