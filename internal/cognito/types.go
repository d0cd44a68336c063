package cognito

import "time"

// The wire types: members named and shaped as in the API model (spec cognito-identity §5 and §7). nil is absent.

// IdentityPool is a pool on the wire: what Create, Describe and Update answer, and what Update takes.
type IdentityPool struct {
	IdentityPoolId                 *string                   `shape:"IdentityPoolId,required"`
	IdentityPoolName               *string                   `shape:"IdentityPoolName,required"`
	AllowUnauthenticatedIdentities *bool                     `shape:",required"`
	AllowClassicFlow               *bool                     ``
	SupportedLoginProviders        map[string]string         `shape:"IdentityProviders"`
	DeveloperProviderName          *string                   `shape:"DeveloperProviderName"`
	OpenIdConnectProviderARNs      []string                  `shape:"OIDCProviderList"`
	CognitoIdentityProviders       []CognitoIdentityProvider ``
	SamlProviderARNs               []string                  `shape:"SAMLProviderList"`
	IdentityPoolTags               map[string]string         `shape:"IdentityPoolTagsType"`
}

// CreateIdentityPoolInput is an IdentityPool without its id.
type CreateIdentityPoolInput struct {
	IdentityPoolName               *string                   `shape:"IdentityPoolName,required"`
	AllowUnauthenticatedIdentities *bool                     `shape:",required"`
	AllowClassicFlow               *bool                     ``
	SupportedLoginProviders        map[string]string         `shape:"IdentityProviders"`
	DeveloperProviderName          *string                   `shape:"DeveloperProviderName"`
	OpenIdConnectProviderARNs      []string                  `shape:"OIDCProviderList"`
	CognitoIdentityProviders       []CognitoIdentityProvider ``
	SamlProviderARNs               []string                  `shape:"SAMLProviderList"`
	IdentityPoolTags               map[string]string         `shape:"IdentityPoolTagsType"`
}

// CognitoIdentityProvider is one app client of a user pool.
type CognitoIdentityProvider struct {
	ProviderName         *string `shape:"CognitoIdentityProviderName"`
	ClientId             *string `shape:"CognitoIdentityProviderClientId"`
	ServerSideTokenCheck *bool   ``
}

// PoolInput is the input of the operations that take a pool alone.
type PoolInput struct {
	IdentityPoolId *string `shape:"IdentityPoolId,required"`
}

// ListIdentityPoolsInput asks for a page of pools.
type ListIdentityPoolsInput struct {
	MaxResults *int64  `shape:"QueryLimit,required"`
	NextToken  *string `shape:"PaginationKey"`
}

// ListIdentityPoolsOutput is a page of pools.
type ListIdentityPoolsOutput struct {
	IdentityPools []IdentityPoolShortDescription
	NextToken     *string
}

// IdentityPoolShortDescription is a pool in a list.
type IdentityPoolShortDescription struct {
	IdentityPoolId   *string
	IdentityPoolName *string
}

// SetIdentityPoolRolesInput replaces roles and mappings.
type SetIdentityPoolRolesInput struct {
	IdentityPoolId *string                `shape:"IdentityPoolId,required"`
	Roles          map[string]string      `shape:"RolesMap,required"`
	RoleMappings   map[string]RoleMapping `shape:"RoleMappingMap"`
}

// GetIdentityPoolRolesOutput is what SetIdentityPoolRoles stored.
type GetIdentityPoolRolesOutput struct {
	IdentityPoolId *string
	Roles          map[string]string
	RoleMappings   map[string]RoleMapping
}

// RoleMapping is how a provider's logins choose a role.
type RoleMapping struct {
	Type                    *string                 `shape:"RoleMappingType,required"`
	AmbiguousRoleResolution *string                 `shape:"AmbiguousRoleResolutionType"`
	RulesConfiguration      *RulesConfigurationType ``
}

// RulesConfigurationType holds rules.
type RulesConfigurationType struct {
	Rules []MappingRule `shape:"MappingRulesList,required"`
}

// MappingRule is one rule.
type MappingRule struct {
	Claim     *string `shape:"ClaimName,required"`
	MatchType *string `shape:"MappingRuleMatchType,required"`
	Value     *string `shape:"ClaimValue,required"`
	RoleARN   *string `shape:"ARNString,required"`
}

// GetIdInput asks for the identity of logins, or for a new guest.
type GetIdInput struct {
	AccountId      *string           `shape:"AccountId"`
	IdentityPoolId *string           `shape:"IdentityPoolId,required"`
	Logins         map[string]string `shape:"LoginsMap"`
}

// GetIdOutput is an identity's id.
type GetIdOutput struct {
	IdentityId *string
}

// GetCredentialsForIdentityInput asks for credentials.
type GetCredentialsForIdentityInput struct {
	IdentityId    *string           `shape:"IdentityId,required"`
	Logins        map[string]string `shape:"LoginsMap"`
	CustomRoleArn *string           `shape:"ARNString"`
}

// GetCredentialsForIdentityOutput carries credentials, in the order in which AWS writes the members.
type GetCredentialsForIdentityOutput struct {
	Credentials *Credentials
	IdentityId  *string
}

// Credentials are temporary credentials; the secret is called SecretKey here alone.
type Credentials struct {
	AccessKeyId  *string
	Expiration   *time.Time
	SecretKey    *string
	SessionToken *string
}

// GetOpenIdTokenInput asks for a token of ours.
type GetOpenIdTokenInput struct {
	IdentityId *string           `shape:"IdentityId,required"`
	Logins     map[string]string `shape:"LoginsMap"`
}

// GetOpenIdTokenOutput carries the token.
type GetOpenIdTokenOutput struct {
	IdentityId *string
	Token      *string
}

// DescribeIdentityInput names an identity.
type DescribeIdentityInput struct {
	IdentityId *string `shape:"IdentityId,required"`
}

// IdentityDescription is an identity with the names of its providers.
type IdentityDescription struct {
	IdentityId       *string
	Logins           []string
	CreationDate     *time.Time
	LastModifiedDate *time.Time
}

// ListIdentitiesInput asks for a page of a pool's identities.
type ListIdentitiesInput struct {
	IdentityPoolId *string `shape:"IdentityPoolId,required"`
	MaxResults     *int64  `shape:"QueryLimit,required"`
	NextToken      *string `shape:"PaginationKey"`
	HideDisabled   *bool   ``
}

// ListIdentitiesOutput is a page of identities.
type ListIdentitiesOutput struct {
	IdentityPoolId *string
	Identities     []IdentityDescription
	NextToken      *string
}
