package shape_test

import "idpool/internal/shape"

const (
	idPattern = `[\w-]+:[0-9a-f-]+`
	hundreds  = 128
)

// identityTable is the table of the Cognito Identity model (cognito-identity spec §5).
var identityTable = shape.Table{
	"ARNString":                       shape.Text{Min: 20, Max: 2048},
	"AccessKeyString":                 shape.Text{},
	"AccountId":                       shape.Text{Min: 1, Max: 15, Pattern: `\d+`},
	"AmbiguousRoleResolutionType":     shape.Text{Enum: []string{"AuthenticatedRole", "Deny"}},
	"ClaimName":                       shape.Text{Min: 1, Max: 64, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
	"ClaimValue":                      shape.Text{Min: 1, Max: hundreds},
	"CognitoIdentityProviderClientId": shape.Text{Min: 1, Max: hundreds, Pattern: `[\w_]+`},
	"CognitoIdentityProviderList":     shape.List{Of: "CognitoIdentityProvider"},
	"CognitoIdentityProviderName":     shape.Text{Min: 1, Max: hundreds, Pattern: `[\w._:/-]+`},
	"DeveloperProviderName":           shape.Text{Min: 1, Max: hundreds, Pattern: `[\w._-]+`},
	"DeveloperUserIdentifier":         shape.Text{Min: 1, Max: 1024},
	"DeveloperUserIdentifierList":     shape.List{Of: "DeveloperUserIdentifier"},
	"ErrorCode":                       shape.Text{Enum: []string{"AccessDenied", "InternalServerError"}},
	"IdentitiesList":                  shape.List{Of: "IdentityDescription"},
	"IdentityId":                      shape.Text{Min: 1, Max: 55, Pattern: idPattern},
	"IdentityIdList":                  shape.List{Min: 1, Max: 60, Of: "IdentityId"},
	"IdentityPoolId":                  shape.Text{Min: 1, Max: 55, Pattern: idPattern},
	"IdentityPoolName":                shape.Text{Min: 1, Max: hundreds, Pattern: `[\w\s+=,.@-]+`},
	"IdentityPoolTagsListType":        shape.List{Of: "TagKeysType"},
	"IdentityPoolTagsType":            shape.Map{Key: "TagKeysType", Value: "TagValueType"},
	"IdentityPoolsList":               shape.List{Of: "IdentityPoolShortDescription"},
	"IdentityProviderId":              shape.Text{Min: 1, Max: hundreds, Pattern: `[\w.;_/-]+`},
	"IdentityProviderName":            shape.Text{Min: 1, Max: hundreds},
	"IdentityProviderToken":           shape.Text{Min: 1, Max: 50000, Sensitive: true},
	"IdentityProviders":               shape.Map{Max: 10, Key: "IdentityProviderName", Value: "IdentityProviderId"},
	"LoginsList":                      shape.List{Of: "IdentityProviderName"},
	"LoginsMap":                       shape.Map{Max: 10, Key: "IdentityProviderName", Value: "IdentityProviderToken"},
	"MappingRuleMatchType":            shape.Text{Enum: []string{"Equals", "Contains", "StartsWith", "NotEqual"}},
	"MappingRulesList":                shape.List{Min: 1, Max: 400, Of: "MappingRule"},
	"OIDCProviderList":                shape.List{Of: "ARNString"},
	"OIDCToken":                       shape.Text{Sensitive: true},
	"PaginationKey":                   shape.Text{Min: 1, Max: 65535, Pattern: `[\S]+`},
	"PrincipalTagID":                  shape.Text{Min: 1, Max: hundreds},
	"PrincipalTagValue":               shape.Text{Min: 1, Max: 256},
	"PrincipalTags":                   shape.Map{Max: 50, Key: "PrincipalTagID", Value: "PrincipalTagValue"},
	"QueryLimit":                      shape.Integer{Min: 1, Max: 60},
	"RoleMappingMap":                  shape.Map{Max: 10, Key: "IdentityProviderName", Value: "RoleMapping"},
	"RoleMappingType":                 shape.Text{Enum: []string{"Token", "Rules"}},
	"RoleType":                        shape.Text{Min: 1, Max: hundreds, Pattern: `(un)?authenticated`},
	"RolesMap":                        shape.Map{Max: 2, Key: "RoleType", Value: "ARNString"},
	"SAMLProviderList":                shape.List{Of: "ARNString"},
	"SecretKeyString":                 shape.Text{Sensitive: true},
	"SessionTokenString":              shape.Text{},
	"TagKeysType":                     shape.Text{Min: 1, Max: hundreds},
	"TagValueType":                    shape.Text{Max: 256},
	"TokenDuration":                   shape.Integer{Min: 1, Max: 86400},
	"UnprocessedIdentityIdList":       shape.List{Max: 60, Of: "UnprocessedIdentityId"},
}

type identityProvider struct {
	ProviderName         *string `shape:"CognitoIdentityProviderName"`
	ClientId             *string `shape:"CognitoIdentityProviderClientId"`
	ServerSideTokenCheck *bool   `shape:"CognitoIdentityProviderTokenCheck"`
}

type createPool struct {
	IdentityPoolName               *string            `shape:"IdentityPoolName,required"`
	AllowUnauthenticatedIdentities *bool              `shape:"IdentityPoolUnauthenticated,required"`
	SupportedLoginProviders        map[string]string  `shape:"IdentityProviders"`
	DeveloperProviderName          *string            `shape:"DeveloperProviderName"`
	OpenIdConnectProviderARNs      []string           `shape:"OIDCProviderList"`
	CognitoIdentityProviders       []identityProvider `shape:"CognitoIdentityProviderList"`
	IdentityPoolTags               map[string]string  `shape:"IdentityPoolTagsType"`
}

type mappingRule struct {
	Claim     *string `shape:"ClaimName,required"`
	MatchType *string `shape:"MappingRuleMatchType,required"`
	Value     *string `shape:"ClaimValue,required"`
	RoleARN   *string `shape:"ARNString,required"`
}

type rulesConfiguration struct {
	Rules []mappingRule `shape:"MappingRulesList,required"`
}

type roleMapping struct {
	Type               *string             `shape:"RoleMappingType,required"`
	RulesConfiguration *rulesConfiguration `shape:"RulesConfigurationType"`
}

type setRoles struct {
	IdentityPoolId *string                `shape:"IdentityPoolId,required"`
	Roles          map[string]string      `shape:"RolesMap,required"`
	RoleMappings   map[string]roleMapping `shape:"RoleMappingMap"`
}

type getCredentials struct {
	IdentityId    *string           `shape:"IdentityId,required"`
	Logins        map[string]string `shape:"LoginsMap"`
	CustomRoleArn *string           `shape:"ARNString"`
}

type deleteIdentities struct {
	IdentityIdsToDelete []string `shape:"IdentityIdList,required"`
}

type listPools struct {
	MaxResults *int64  `shape:"QueryLimit,required"`
	NextToken  *string `shape:"PaginationKey"`
}
