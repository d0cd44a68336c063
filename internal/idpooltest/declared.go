package idpooltest

// Declared returns the operations of Cognito Identity with the errors that AWS's model gives each, without Exception (spec
// cognito-identity §6 and §7).
func Declared() map[string]string {
	return map[string]string{
		"CreateIdentityPool":                 "InvalidParameter NotAuthorized ResourceConflict TooManyRequests InternalError LimitExceeded",
		"DeleteIdentities":                   "InvalidParameter TooManyRequests InternalError",
		"DeleteIdentityPool":                 "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"DescribeIdentity":                   "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"DescribeIdentityPool":               "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"GetCredentialsForIdentity":          "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InvalidIdentityPoolConfiguration InternalError ExternalService",
		"GetId":                              "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError LimitExceeded ExternalService",
		"GetIdentityPoolRoles":               "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError",
		"GetOpenIdToken":                     "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError ExternalService",
		"GetOpenIdTokenForDeveloperIdentity": "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError DeveloperUserAlreadyRegistered",
		"GetPrincipalTagAttributeMap":        "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"ListIdentities":                     "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"ListIdentityPools":                  "InvalidParameter NotAuthorized TooManyRequests ResourceNotFound InternalError",
		"ListTagsForResource":                "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"LookupDeveloperIdentity":            "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError",
		"MergeDeveloperIdentities":           "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError",
		"SetIdentityPoolRoles":               "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError ConcurrentModification",
		"SetPrincipalTagAttributeMap":        "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"TagResource":                        "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"UnlinkDeveloperIdentity":            "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError",
		"UnlinkIdentity":                     "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError ExternalService",
		"UntagResource":                      "InvalidParameter ResourceNotFound NotAuthorized TooManyRequests InternalError",
		"UpdateIdentityPool":                 "InvalidParameter ResourceNotFound NotAuthorized ResourceConflict TooManyRequests InternalError ConcurrentModification LimitExceeded",
	}
}
