package awsjson

import (
	"slices"

	"idpool/internal/fault"
)

// wire is what a fault is called in this protocol.
type wire struct {
	code   fault.Code
	name   string
	status int
}

// The statuses in use. Everything that the caller can mend is 400: SDKs go by the name (cognito-identity spec §1.5).
const (
	badRequest       = 400
	tooLarge         = 413
	unsupportedMedia = 415
	internal         = 500
)

// wires is the one table from codes to names and statuses, in the order of fault's constants. The last groups are
// STS's and IAM's, whose operations speak the query protocol; the names are for operations of ours that report on them.
var wires = []wire{
	{fault.InvalidParameter, "InvalidParameterException", badRequest},
	{fault.NotAuthorized, "NotAuthorizedException", badRequest},
	{fault.ResourceNotFound, "ResourceNotFoundException", badRequest},
	{fault.ResourceConflict, "ResourceConflictException", badRequest},
	{fault.TooManyRequests, "TooManyRequestsException", badRequest},
	{fault.LimitExceeded, "LimitExceededException", badRequest},
	{fault.ConcurrentModification, "ConcurrentModificationException", badRequest},
	{fault.DeveloperUserAlreadyRegistered, "DeveloperUserAlreadyRegisteredException", badRequest},
	{fault.InvalidIdentityPoolConfiguration, "InvalidIdentityPoolConfigurationException", badRequest},
	{fault.ExternalService, "ExternalServiceException", badRequest},
	{fault.Internal, "InternalErrorException", internal},

	{fault.Validation, "ValidationException", badRequest},
	{fault.Serialization, "SerializationException", badRequest},
	{fault.UnsupportedMediaType, "SerializationException", unsupportedMedia},
	{fault.RequestTooLarge, "SerializationException", tooLarge},
	{fault.UnknownOperation, "UnknownOperationException", badRequest},
	{fault.MissingAction, "UnknownOperationException", badRequest},
	{fault.MissingAuthentication, "MissingAuthenticationTokenException", badRequest},
	{fault.IncompleteSignature, "IncompleteSignatureException", badRequest},
	{fault.InvalidSignature, "InvalidSignatureException", badRequest},
	{fault.UnrecognizedClient, "UnrecognizedClientException", badRequest},
	{fault.ExpiredToken, "ExpiredTokenException", badRequest},
	{fault.AccessDenied, "AccessDeniedException", badRequest},

	{fault.MalformedPolicyDocument, "MalformedPolicyDocumentException", badRequest},
	{fault.PackedPolicyTooLarge, "PackedPolicyTooLargeException", badRequest},
	{fault.InvalidIdentityToken, "InvalidIdentityTokenException", badRequest},
	// Not ExpiredTokenException: an SDK would take its own session for ended and fetch new credentials.
	{fault.ExpiredIdentityToken, "ExpiredIdentityTokenException", badRequest},
	{fault.IDPRejectedClaim, "IDPRejectedClaimException", badRequest},
	{fault.IDPCommunication, "IDPCommunicationErrorException", badRequest},

	{fault.InvalidAuthorizationMessage, "InvalidAuthorizationMessageException", badRequest},
	{fault.SessionDurationEscalation, "SessionDurationEscalationException", badRequest},
	{fault.OutboundDisabled, "OutboundWebIdentityFederationDisabledException", badRequest},
	{fault.JWTPayloadSizeExceeded, "JWTPayloadSizeExceededException", badRequest},

	{fault.FeatureEnabled, "FeatureEnabledException", badRequest},
	{fault.FeatureDisabled, "FeatureDisabledException", badRequest},

	{fault.DeleteConflict, "DeleteConflictException", badRequest},
	{fault.PolicyNotAttachable, "PolicyNotAttachableException", badRequest},
}

// Header is a header of an answer.
type Header struct{ Name, Value string }

// EncodeFault writes an error answer: its status, its headers beside the ordinary ones, and its body. The body has two
// members in this order, compact; the second is "message", but "Message" for AccessDeniedException, as AWS has it
// (cognito-identity spec §1.4, §1.5). An Internal fault, nil, and a code without a row say nothing but "Internal error.".
func EncodeFault(f *fault.Error) (status int, headers []Header, body []byte) {
	w, message := describe(f)
	member := "message"
	if w.code == fault.AccessDenied {
		member = "Message"
	}
	body = appendString([]byte(`{"__type":`), w.name)
	body = append(body, `,"`+member+`":`...)
	body = append(appendString(body, message), '}')
	headers = []Header{{"x-amzn-ErrorType", w.name + ":"}, {"x-amzn-ErrorMessage", headerText(message)}}
	return w.status, headers, body
}

func describe(f *fault.Error) (wire, string) {
	if f != nil && f.Code != fault.Internal {
		if i := row(f.Code); i >= 0 {
			return wires[i], f.Message
		}
	}
	return wires[row(fault.Internal)], "Internal error."
}

func row(code fault.Code) int {
	return slices.IndexFunc(wires, func(w wire) bool { return w.code == code })
}

// maxHeader bounds the sentence in the header, in bytes; the body has all of it.
const maxHeader = 512

// headerText drops everything but printable ASCII, so that no sentence can end a header or move a terminal's cursor
// (security I8).
func headerText(message string) string {
	text := make([]byte, 0, min(len(message), maxHeader))
	for i := 0; i < len(message) && len(text) < maxHeader; i++ {
		if c := message[i]; ' ' <= c && c <= '~' {
			text = append(text, c)
		}
	}
	return string(text)
}
