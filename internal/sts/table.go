package sts

import (
	"context"

	"idpool/internal/operation"
	"idpool/internal/session"
	"idpool/internal/shape"
)

// Namespace is STS's XML namespace.
const Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Table returns STS's operations. Who may call what with which session is spec sts-iam §1.4.
func (s *Service) Table() operation.Service {
	webIdentity := operation.Public(shapes, "AssumeRoleWithWebIdentity", s.AssumeRoleWithWebIdentity)
	webIdentity.BodyOnly = true
	saml := operation.Public(shapes, "AssumeRoleWithSAML", s.AssumeRoleWithSAML)
	saml.BodyOnly = true
	whoAmI := operation.WithSignature(shapes, "GetCallerIdentity", s.GetCallerIdentity)
	whoAmI.OpenTo = []session.Kind{session.OfUser, session.FederatedUser}
	assumeRole := operation.Reading(shapes, "AssumeRole", assumeRoleTarget, s.AssumeRole)
	assumeRole.OpenTo = []session.Kind{session.OfUser}
	sessionToken := operation.WithSignature(shapes, "GetSessionToken", s.GetSessionToken)
	sessionToken.OwnKey = true
	federationToken := operation.Reading(shapes, "GetFederationToken", federationTarget, s.GetFederationToken)
	federationToken.OwnKey = true
	return operation.Service{
		Name: "sts", Protocol: operation.Query, Version: "2011-06-15", Namespace: Namespace, Closed: true,
		Rows: []operation.Row{
			assumeRole,
			saml,
			webIdentity,
			operation.Reading(shapes, "DecodeAuthorizationMessage", nothingInParticular, s.DecodeAuthorizationMessage),
			operation.Reading(shapes, "GetAccessKeyInfo", nothingInParticular, s.GetAccessKeyInfo),
			whoAmI,
			federationToken,
			sessionToken,
			operation.Reading(shapes, "GetWebIdentityToken", outboundTarget, s.GetWebIdentityToken),
			operation.WithSignature(shapes, "AssumeRoot", s.AssumeRoot),
			operation.WithSignature(shapes, "GetDelegatedAccessToken", s.GetDelegatedAccessToken),
		},
	}
}

// nothingInParticular is the target of operations that concern no resource.
func nothingInParticular[In any](context.Context, *operation.Call, *In) (operation.Target, error) {
	return operation.Target{{Resource: "*"}}, nil
}

// shapes are the constraints of STS's members (spec sts-iam §1.3). A session policy of AssumeRole has no limit in the
// model; the packed size has.
var shapes = shape.Table{
	"ProvidedContextsListType":              shape.List{Max: 5},
	"RootDurationSecondsType":               shape.Integer{Max: 900},
	"SAMLAssertionType":                     shape.Text{Min: 4, Max: 100000, Sensitive: true},
	"TargetPrincipalType":                   shape.Text{Min: 12, Max: 2048},
	"accessKeyIdType":                       shape.Text{Min: 16, Max: 128, Pattern: `[\w]*`},
	"arnType":                               shape.Text{Min: 20, Max: 2048},
	"clientTokenType":                       shape.Text{Min: 4, Max: 20000, Sensitive: true},
	"contextAssertionType":                  shape.Text{Min: 4, Max: 2048},
	"durationSecondsType":                   shape.Integer{Min: 900, Max: 129600},
	"encodedMessageType":                    shape.Text{Min: 1, Max: 10240},
	"externalIdType":                        shape.Text{Min: 2, Max: 1224, Pattern: `[\w+=,.@:\/-]*`},
	"jwtAlgorithmType":                      shape.Text{Enum: []string{"RS256", "ES384"}},
	"policyDescriptorListType":              shape.List{Max: 10},
	"roleDurationSecondsType":               shape.Integer{Min: 900, Max: 43200},
	"roleSessionNameType":                   shape.Text{Min: 2, Max: 64, Pattern: `[\w+=,.@-]*`},
	"serialNumberType":                      shape.Text{Min: 9, Max: 256, Pattern: `[\w+=/:,.@-]*`},
	"sessionPolicyDocumentType":             shape.Text{Min: 1, Max: 2048, Pattern: documentText},
	"sourceIdentityType":                    shape.Text{Min: 2, Max: 64, Pattern: `[\w+=,.@-]*`},
	"tagKeyListType":                        shape.List{Max: 50, Of: "tagKeyType"},
	"tagKeyType":                            shape.Text{Min: 1, Max: 128, Pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
	"tagListType":                           shape.List{Max: 50},
	"tagValueType":                          shape.Text{Max: 256, Pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`},
	"tokenCodeType":                         shape.Text{Min: 6, Max: 6, Pattern: `[\d]*`},
	"tradeInTokenType":                      shape.Text{Sensitive: true},
	"unrestrictedSessionPolicyDocumentType": shape.Text{Min: 1, Pattern: documentText},
	"webIdentityTokenAudienceListType":      shape.List{Min: 1, Max: 10, Of: "webIdentityTokenAudienceStringType"},
	"webIdentityTokenAudienceStringType":    shape.Text{Min: 1, Max: 1000},
	"webIdentityTokenDurationSecondsType":   shape.Integer{Min: 60, Max: 3600},
	"urlType":                               shape.Text{Min: 4, Max: 2048},
	"userNameType":                          shape.Text{Min: 2, Max: 32, Pattern: `[\w+=,.@-]*`},
}

// documentText are the characters of policies.
const documentText = `[\u0009\u000A\u000D\u0020-\u00FF]+`
