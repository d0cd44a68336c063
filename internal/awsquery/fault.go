package awsquery

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

// The statuses in use.
const (
	badRequest       = 400
	forbidden        = 403
	notFound         = 404
	conflict         = 409
	tooLarge         = 413
	unsupportedMedia = 415
	internal         = 500
	unavailable      = 503
)

// wires is the one table from codes to names and statuses, in the order of fault's constants (sts spec §1.2, §3.3,
// §4.4). The first group bears IAM's names; its Cognito codes have none there, and get the nearest.
var wires = []wire{
	{fault.InvalidParameter, "InvalidInput", badRequest},
	{fault.NotAuthorized, "AccessDenied", forbidden},
	{fault.ResourceNotFound, "NoSuchEntity", notFound},
	{fault.ResourceConflict, "EntityAlreadyExists", conflict},
	{fault.TooManyRequests, "Throttling", badRequest},
	{fault.LimitExceeded, "LimitExceeded", conflict},
	{fault.ConcurrentModification, "ConcurrentModification", conflict},
	{fault.DeveloperUserAlreadyRegistered, "EntityAlreadyExists", conflict},
	{fault.InvalidIdentityPoolConfiguration, "InvalidInput", badRequest},
	{fault.ExternalService, "ServiceUnavailable", unavailable},
	{fault.Internal, "InternalFailure", internal},

	{fault.Validation, "ValidationError", badRequest},
	{fault.Serialization, "MalformedQueryString", badRequest},
	{fault.UnsupportedMediaType, "MalformedQueryString", unsupportedMedia},
	{fault.RequestTooLarge, "MalformedQueryString", tooLarge},
	{fault.UnknownOperation, "InvalidAction", badRequest},
	{fault.MissingAction, "MissingAction", badRequest},
	{fault.MissingAuthentication, "MissingAuthenticationToken", forbidden},
	{fault.IncompleteSignature, "IncompleteSignature", badRequest},
	{fault.InvalidSignature, "SignatureDoesNotMatch", forbidden},
	{fault.UnrecognizedClient, "InvalidClientTokenId", forbidden},
	{fault.ExpiredToken, "ExpiredToken", forbidden},
	{fault.AccessDenied, "AccessDenied", forbidden},

	{fault.MalformedPolicyDocument, "MalformedPolicyDocument", badRequest},
	{fault.PackedPolicyTooLarge, "PackedPolicyTooLarge", badRequest},
	{fault.InvalidIdentityToken, "InvalidIdentityToken", badRequest},
	{fault.ExpiredIdentityToken, "ExpiredTokenException", badRequest},
	{fault.IDPRejectedClaim, "IDPRejectedClaim", forbidden},
	{fault.IDPCommunication, "IDPCommunicationError", badRequest},

	{fault.InvalidAuthorizationMessage, "InvalidAuthorizationMessageException", badRequest},
	{fault.SessionDurationEscalation, "SessionDurationEscalationException", forbidden},
	{fault.OutboundDisabled, "OutboundWebIdentityFederationDisabledException", forbidden},
	{fault.JWTPayloadSizeExceeded, "JWTPayloadSizeExceededException", badRequest},

	{fault.FeatureEnabled, "FeatureEnabled", conflict},
	{fault.FeatureDisabled, "FeatureDisabled", notFound},

	{fault.DeleteConflict, "DeleteConflict", conflict},
	{fault.PolicyNotAttachable, "PolicyNotAttachable", badRequest},
}

// EncodeFault writes an error answer: its status and its body (sts spec §1.1). An Internal fault, nil, and a code
// without a row say nothing but "Internal error.".
func EncodeFault(f *fault.Error, namespace, requestID string) (status int, body []byte) {
	w, message := describe(f)
	kind := "Sender"
	if w.status >= internal {
		kind = "Receiver"
	}
	body = append(appendText([]byte(`<ErrorResponse xmlns="`), namespace), '"', '>')
	body = appendStart(body, "Error")
	body = appendElement(body, "Type", kind)
	body = appendElement(body, "Code", w.name)
	body = appendElement(body, "Message", message)
	body = appendEnd(body, "Error")
	body = appendElement(body, "RequestId", requestID)
	return w.status, appendEnd(body, "ErrorResponse")
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
