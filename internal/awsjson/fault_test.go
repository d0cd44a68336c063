package awsjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"idpool/internal/awsjson"
	"idpool/internal/fault"
	"idpool/internal/shape/shapetest"
)

// The whole of an error answer, as captured from AWS (cognito-identity spec §1.4).
func TestEncodeFault(t *testing.T) {
	const sentence = "Logins don't match. Please include at least one valid login for this identity or identity pool."
	status, headers, body := awsjson.EncodeFault(fault.Wrap(fault.NotAuthorized, sentence, errors.New("canary")))
	if status != 400 {
		t.Errorf("got status %d, want 400", status)
	}
	if want := `{"__type":"NotAuthorizedException","message":"` + sentence + `"}`; string(body) != want || len(body) != 143 {
		t.Errorf("got %s of %d bytes, want %s of 143", body, len(body), want)
	}
	want := []awsjson.Header{{Name: "x-amzn-ErrorType", Value: "NotAuthorizedException:"}, {Name: "x-amzn-ErrorMessage", Value: sentence}}
	if !slices.Equal(headers, want) {
		t.Errorf("got %v, want %v", headers, want)
	}
}

// Golden: every code, in the order of the table.
func TestEveryCodeHasItsName(t *testing.T) {
	var got strings.Builder
	for _, code := range shapetest.FaultCodes(t, "../fault") {
		status, headers, body := awsjson.EncodeFault(fault.New(code, "m"))
		fmt.Fprintln(&got, code, status, strings.TrimSuffix(headers[0].Value, ":"), strings.Contains(string(body), `"message":"m"`))
	}
	const want = `InvalidParameter 400 InvalidParameterException true
NotAuthorized 400 NotAuthorizedException true
ResourceNotFound 400 ResourceNotFoundException true
ResourceConflict 400 ResourceConflictException true
TooManyRequests 400 TooManyRequestsException true
LimitExceeded 400 LimitExceededException true
ConcurrentModification 400 ConcurrentModificationException true
DeveloperUserAlreadyRegistered 400 DeveloperUserAlreadyRegisteredException true
InvalidIdentityPoolConfiguration 400 InvalidIdentityPoolConfigurationException true
ExternalService 400 ExternalServiceException true
Internal 500 InternalErrorException false
Validation 400 ValidationException true
Serialization 400 SerializationException true
UnsupportedMediaType 415 SerializationException true
RequestTooLarge 413 SerializationException true
UnknownOperation 400 UnknownOperationException true
MissingAction 400 UnknownOperationException true
MissingAuthentication 400 MissingAuthenticationTokenException true
IncompleteSignature 400 IncompleteSignatureException true
InvalidSignature 400 InvalidSignatureException true
UnrecognizedClient 400 UnrecognizedClientException true
ExpiredToken 400 ExpiredTokenException true
AccessDenied 400 AccessDeniedException false
MalformedPolicyDocument 400 MalformedPolicyDocumentException true
PackedPolicyTooLarge 400 PackedPolicyTooLargeException true
InvalidIdentityToken 400 InvalidIdentityTokenException true
ExpiredIdentityToken 400 ExpiredIdentityTokenException true
IDPRejectedClaim 400 IDPRejectedClaimException true
IDPCommunication 400 IDPCommunicationErrorException true
InvalidAuthorizationMessage 400 InvalidAuthorizationMessageException true
SessionDurationEscalation 400 SessionDurationEscalationException true
OutboundDisabled 400 OutboundWebIdentityFederationDisabledException true
JWTPayloadSizeExceeded 400 JWTPayloadSizeExceededException true
FeatureEnabled 400 FeatureEnabledException true
FeatureDisabled 400 FeatureDisabledException true
DeleteConflict 400 DeleteConflictException true
PolicyNotAttachable 400 PolicyNotAttachableException true
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestAccessDeniedHasACapitalMessage(t *testing.T) {
	_, _, body := awsjson.EncodeFault(fault.New(fault.AccessDenied, "User: anonymous is not authorized"))
	if want := `{"__type":"AccessDeniedException","Message":"User: anonymous is not authorized"}`; string(body) != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

// Whatever an internal fault carries stays inside, and so does a code that nobody gave a name.
func TestInternalFaultsSayNothing(t *testing.T) {
	for _, f := range []*fault.Error{
		nil, fault.New(fault.Internal, "canary"), fault.From(errors.New("canary")), fault.New("Unheard", "canary"), {},
	} {
		status, headers, body := awsjson.EncodeFault(f)
		if want := `{"__type":"InternalErrorException","message":"Internal error."}`; status != 500 || string(body) != want {
			t.Errorf("%v: got %d %s, want 500 %s", f, status, body, want)
		}
		if headers[1].Value != "Internal error." {
			t.Errorf("%v: got header %q", f, headers[1].Value)
		}
	}
}

// Security I8: nothing in a sentence ends the header, hides, or moves a cursor; in the body it is all there.
func TestErrorMessageHeader(t *testing.T) {
	for message, want := range map[string]string{
		"a\r\nSet-Cookie: x":       "aSet-Cookie: x",
		"\x1b[31mred\x1b[0m":       "[31mred[0m",
		"a\u202eb\u200b":           "ab",
		"\x00\x7f\t":               "",
		"Zoë":                      "Zo",
		"\xff\xfe":                 "",
		strings.Repeat("a", 600):   strings.Repeat("a", 512),
		strings.Repeat("é", 3000):  "",
		strings.Repeat("éa", 1000): strings.Repeat("a", 512),
	} {
		_, headers, body := awsjson.EncodeFault(fault.New(fault.Validation, "%s", message))
		if got := headers[1].Value; got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
		var read struct{ Message string }
		if err := json.Unmarshal(body, &read); err != nil || read.Message != string([]rune(message)) {
			t.Errorf("%q: got body %s, %v", message, body, err)
		}
	}
}
