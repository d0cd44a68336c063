package cognito

import "idpool/internal/shape"

// shapes are the constraints of the API model, by the model's names (spec cognito-identity §5). MappingRulesList has the
// model's ceiling; how many rules a mapping may have is a rule of package pool.
var shapes = shape.Table{
	"ARNString":                       shape.Text{Min: 20, Max: 2048},
	"AccountId":                       shape.Text{Min: 1, Max: 15, Pattern: `\d+`},
	"AmbiguousRoleResolutionType":     shape.Text{Enum: []string{"AuthenticatedRole", "Deny"}},
	"ClaimName":                       shape.Text{Min: 1, Max: 64, Pattern: `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
	"ClaimValue":                      shape.Text{Min: 1, Max: 128},
	"CognitoIdentityProviderClientId": shape.Text{Min: 1, Max: 128, Pattern: `[\w_]+`},
	"CognitoIdentityProviderName":     shape.Text{Min: 1, Max: 128, Pattern: `[\w._:/-]+`},
	"DeveloperProviderName":           shape.Text{Min: 1, Max: 128, Pattern: `[\w._-]+`},
	"IdentityId":                      shape.Text{Min: 1, Max: 55, Pattern: `[\w-]+:[0-9a-f-]+`},
	"IdentityPoolId":                  shape.Text{Min: 1, Max: 55, Pattern: `[\w-]+:[0-9a-f-]+`},
	"IdentityPoolName":                shape.Text{Min: 1, Max: 128, Pattern: `[\w\s+=,.@-]+`},
	"IdentityPoolTagsType":            shape.Map{Key: "TagKeysType", Value: "TagValueType"},
	"IdentityProviderId":              shape.Text{Min: 1, Max: 128, Pattern: `[\w.;_/-]+`},
	"IdentityProviderName":            shape.Text{Min: 1, Max: 128},
	"IdentityProviderToken":           shape.Text{Min: 1, Max: 50000, Sensitive: true},
	"IdentityProviders":               shape.Map{Max: 10, Key: "IdentityProviderName", Value: "IdentityProviderId"},
	"LoginsMap":                       shape.Map{Max: 10, Key: "IdentityProviderName", Value: "IdentityProviderToken"},
	"MappingRuleMatchType":            shape.Text{Enum: []string{"Equals", "Contains", "StartsWith", "NotEqual"}},
	"MappingRulesList":                shape.List{Min: 1, Max: 400},
	"OIDCProviderList":                shape.List{Of: "ARNString"},
	"PaginationKey":                   shape.Text{Min: 1, Max: 65535, Pattern: `[\S]+`},
	"QueryLimit":                      shape.Integer{Min: 1, Max: 60},
	"RoleMappingMap":                  shape.Map{Max: 10, Key: "IdentityProviderName"},
	"RoleMappingType":                 shape.Text{Enum: []string{"Token", "Rules"}},
	"RoleType":                        shape.Text{Min: 1, Max: 128, Pattern: `(un)?authenticated`},
	"RolesMap":                        shape.Map{Max: 2, Key: "RoleType", Value: "ARNString"},
	"SAMLProviderList":                shape.List{Of: "ARNString"},
	"TagKeysType":                     shape.Text{Min: 1, Max: 128},
	"TagValueType":                    shape.Text{Min: 0, Max: 256},
}
