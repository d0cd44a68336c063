package cognito

// GetOpenIdTokenForDeveloperIdentityInput names a user on the caller's own word.
type GetOpenIdTokenForDeveloperIdentityInput struct {
	IdentityPoolId *string           `shape:"IdentityPoolId,required"`
	IdentityId     *string           `shape:"IdentityId"`
	Logins         map[string]string `shape:"LoginsMap,required"`
	PrincipalTags  map[string]string `shape:"PrincipalTags"`
	TokenDuration  *int64            `shape:"TokenDuration"`
}

// LookupDeveloperIdentityInput asks for an identity by user, for users by identity, or for both.
type LookupDeveloperIdentityInput struct {
	IdentityPoolId          *string `shape:"IdentityPoolId,required"`
	IdentityId              *string `shape:"IdentityId"`
	DeveloperUserIdentifier *string `shape:"DeveloperUserIdentifier"`
	MaxResults              *int64  `shape:"QueryLimit"`
	NextToken               *string `shape:"PaginationKey"`
}

// LookupDeveloperIdentityOutput is an identity with its users.
type LookupDeveloperIdentityOutput struct {
	IdentityId                  *string
	DeveloperUserIdentifierList []string
	NextToken                   *string
}

// MergeDeveloperIdentitiesInput names two users.
type MergeDeveloperIdentitiesInput struct {
	SourceUserIdentifier      *string `shape:"DeveloperUserIdentifier,required"`
	DestinationUserIdentifier *string `shape:"DeveloperUserIdentifier,required"`
	DeveloperProviderName     *string `shape:"DeveloperProviderName,required"`
	IdentityPoolId            *string `shape:"IdentityPoolId,required"`
}

// UnlinkDeveloperIdentityInput names a user and his identity.
type UnlinkDeveloperIdentityInput struct {
	IdentityId              *string `shape:"IdentityId,required"`
	IdentityPoolId          *string `shape:"IdentityPoolId,required"`
	DeveloperProviderName   *string `shape:"DeveloperProviderName,required"`
	DeveloperUserIdentifier *string `shape:"DeveloperUserIdentifier,required"`
}

// UnlinkIdentityInput names logins to take away, with tokens of them.
type UnlinkIdentityInput struct {
	IdentityId     *string           `shape:"IdentityId,required"`
	Logins         map[string]string `shape:"LoginsMap,required"`
	LoginsToRemove []string          `shape:"LoginsList,required"`
}

// DeleteIdentitiesInput names identities.
type DeleteIdentitiesInput struct {
	IdentityIdsToDelete []string `shape:"IdentityIdList,required"`
}

// DeleteIdentitiesOutput lists what could not be deleted.
type DeleteIdentitiesOutput struct {
	UnprocessedIdentityIds []UnprocessedIdentityId
}

// UnprocessedIdentityId is an identity that could not be deleted, and why.
type UnprocessedIdentityId struct {
	IdentityId *string
	ErrorCode  *string
}

// ListTagsForResourceInput names a pool by its ARN.
type ListTagsForResourceInput struct {
	ResourceArn *string `shape:"ARNString,required"`
}

// ListTagsForResourceOutput holds a pool's tags.
type ListTagsForResourceOutput struct {
	Tags map[string]string
}

// TagResourceInput sets tags.
type TagResourceInput struct {
	ResourceArn *string           `shape:"ARNString,required"`
	Tags        map[string]string `shape:"IdentityPoolTagsType,required"`
}

// UntagResourceInput removes tags.
type UntagResourceInput struct {
	ResourceArn *string  `shape:"ARNString,required"`
	TagKeys     []string `shape:"IdentityPoolTagsListType,required"`
}

// EmptyOutput is an answer without members: {} on the wire.
type EmptyOutput struct{}

// SetPrincipalTagAttributeMapInput says which claims become tags.
type SetPrincipalTagAttributeMapInput struct {
	IdentityPoolId       *string           `shape:"IdentityPoolId,required"`
	IdentityProviderName *string           `shape:"IdentityProviderName,required"`
	UseDefaults          *bool             ``
	PrincipalTags        map[string]string `shape:"PrincipalTags"`
}

// GetPrincipalTagAttributeMapInput names a provider of a pool.
type GetPrincipalTagAttributeMapInput struct {
	IdentityPoolId       *string `shape:"IdentityPoolId,required"`
	IdentityProviderName *string `shape:"IdentityProviderName,required"`
}

// PrincipalTagAttributeMap is what is set for a provider.
type PrincipalTagAttributeMap struct {
	IdentityPoolId       *string
	IdentityProviderName *string
	UseDefaults          *bool
	PrincipalTags        map[string]string
}
