package iam

import "idpool/internal/shape"

// shapes are the constraints of the API model, by the model's names (spec sts-iam §3.3). The model limits a Marker to 320
// characters; ours carry a name or an ARN and are longer, which no client minds. A status "Expired" can be read in the model
// but not be set.
var shapes = shape.Table{
	"ActionNameListType":           shape.List{Min: 1, Of: "ActionNameType"},
	"ActionNameType":               shape.Text{Min: 3, Max: 128},
	"ContextKeyNameType":           shape.Text{Min: 5, Max: 256},
	"ContextKeyTypeEnum":           shape.Text{Enum: []string{"string", "stringList", "numeric", "numericList", "boolean", "booleanList", "ip", "ipList", "binary", "binaryList", "date", "dateList"}},
	"EntityType":                   shape.Text{Enum: []string{"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}},
	"OpenIDConnectProviderUrlType": shape.Text{Min: 1, Max: 255},
	"PolicyUsageType":              shape.Text{Enum: []string{"PermissionsPolicy", "PermissionsBoundary"}},
	"ResourceHandlingOptionType":   shape.Text{Min: 1, Max: 64},
	"ResourceNameListType":         shape.List{Of: "ResourceNameType"},
	"ResourceNameType":             shape.Text{Min: 1, Max: 2048},
	"SimulationPolicyListType":     shape.List{Of: "policyDocumentType"},
	"accessKeyIdType":              shape.Text{Min: 16, Max: 128, Pattern: `[\w]+`},
	"arnType":                      shape.Text{Min: 20, Max: 2048},
	"clientIDListType":             shape.List{Of: "clientIDType"},
	"clientIDType":                 shape.Text{Min: 1, Max: 255},
	"entityListType":               shape.List{Of: "EntityType"},
	"existingUserNameType":         shape.Text{Min: 1, Max: 128, Pattern: `[\w+=,.@-]+`},
	"markerType":                   shape.Text{Min: 1, Max: 2048, Pattern: `[\u0020-\u00FF]+`},
	"maxItemsType":                 shape.Integer{Min: 1, Max: 1000},
	"pathPrefixType":               shape.Text{Min: 1, Max: 512, Pattern: `\u002F[\u0021-\u007F]*`},
	"pathType":                     shape.Text{Min: 1, Max: 512, Pattern: `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`},
	"policyDescriptionType":        shape.Text{Max: 1000},
	"policyDocumentType":           shape.Text{Min: 1, Max: 131072, Pattern: `[\u0009\u000A\u000D\u0020-\u00FF]+`},
	"policyNameType":               shape.Text{Min: 1, Max: 128, Pattern: `[\w+=,.@-]+`},
	"policyPathType":               shape.Text{Min: 1, Max: 512, Pattern: `((/[A-Za-z0-9\.,\+@=_-]+)*)/`},
	"policyScopeType":              shape.Text{Enum: []string{"All", "AWS", "Local"}},
	"policyVersionIdType":          shape.Text{Pattern: `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`},
	"roleDescriptionType":          shape.Text{Max: 1000, Pattern: `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`},
	"roleMaxSessionDurationType":   shape.Integer{Min: 3600, Max: 43200},
	"roleNameType":                 shape.Text{Min: 1, Max: 64, Pattern: `[\w+=,.@-]+`},
	"statusType":                   shape.Text{Enum: []string{"Active", "Inactive"}},
	"tagKeyListType":               shape.List{Max: 50, Of: "tagKeyType"},
	"tagKeyType":                   shape.Text{Min: 1, Max: 128, Pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
	"tagListType":                  shape.List{Max: 50},
	"tagValueType":                 shape.Text{Max: 256, Pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`},
	"thumbprintListType":           shape.List{Of: "thumbprintType"},
	"thumbprintType":               shape.Text{Min: 40, Max: 40},
	"userNameType":                 shape.Text{Min: 1, Max: 64, Pattern: `[\w+=,.@-]+`},
}
