// Package cognitocreds gets credentials for aws-sdk-go-v2 from an identity pool: of idpool, or of Amazon Cognito. The SDK
// itself has no such provider.
//
// Give New's result to aws.Config.Credentials: the cache around it asks for new credentials before the old ones end. The
// identity is found once and kept; an answer that says it is no longer usable has it found anew.
package cognitocreds

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"
)

// ProviderName is the Source of credentials from here.
const ProviderName = "CognitoIdentityPool"

// API is what is needed of a client; *cognitoidentity.Client is one. Its calls are not signed, so it needs no credentials.
type API interface {
	GetId(context.Context, *cognitoidentity.GetIdInput, ...func(*cognitoidentity.Options)) (*cognitoidentity.GetIdOutput, error)
	GetCredentialsForIdentity(context.Context, *cognitoidentity.GetCredentialsForIdentityInput, ...func(*cognitoidentity.Options)) (*cognitoidentity.GetCredentialsForIdentityOutput, error)
}

// Options say for whom credentials are.
type Options struct {
	// IdentityPoolID is the pool. Either it or IdentityID is needed.
	IdentityPoolID string
	// IdentityID is the identity, where it is known.
	IdentityID string
	// Logins returns a token for each provider key, and is asked each time: tokens end. Nil, or an empty map, is a guest.
	Logins func(context.Context) (map[string]string, error)
	// CustomRoleARN is the role to take, where several are offered.
	CustomRoleARN string
}

// Provider is an aws.CredentialsProvider. Use New, which puts a cache around it.
type Provider struct {
	api     API
	options Options

	mu sync.Mutex
	id string
}

// New returns a provider with a cache.
func New(api API, options Options) *aws.CredentialsCache {
	return aws.NewCredentialsCache(&Provider{api: api, options: options, id: options.IdentityID})
}

// Retrieve gets new credentials.
func (p *Provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	logins, err := p.logins(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("cognitocreds: logins: %w", err)
	}
	known := p.id != ""
	c, err := p.retrieve(ctx, logins)
	if err != nil && known && stale(err) && p.options.IdentityID == "" {
		p.id = ""
		c, err = p.retrieve(ctx, logins)
	}
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("cognitocreds: %w", err)
	}
	return c, nil
}

func (p *Provider) logins(ctx context.Context) (map[string]string, error) {
	if p.options.Logins == nil {
		return nil, nil
	}
	return p.options.Logins(ctx)
}

// stale reports whether the identity that was kept is the reason.
func stale(err error) bool {
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return true
	}
	_, ok := errors.AsType[*types.NotAuthorizedException](err)
	return ok
}

func (p *Provider) retrieve(ctx context.Context, logins map[string]string) (aws.Credentials, error) {
	if p.id == "" {
		found, err := p.api.GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: &p.options.IdentityPoolID, Logins: logins})
		if err != nil {
			return aws.Credentials{}, err
		}
		p.id = aws.ToString(found.IdentityId)
	}
	in := &cognitoidentity.GetCredentialsForIdentityInput{IdentityId: &p.id, Logins: logins}
	if p.options.CustomRoleARN != "" {
		in.CustomRoleArn = &p.options.CustomRoleARN
	}
	out, err := p.api.GetCredentialsForIdentity(ctx, in)
	if err != nil {
		return aws.Credentials{}, err
	}
	return p.credentials(out)
}

func (p *Provider) credentials(out *cognitoidentity.GetCredentialsForIdentityOutput) (aws.Credentials, error) {
	c := out.Credentials
	if c == nil || c.AccessKeyId == nil || c.SecretKey == nil || c.SessionToken == nil || c.Expiration == nil {
		return aws.Credentials{}, errors.New("the answer holds no credentials")
	}
	if id := aws.ToString(out.IdentityId); id != "" {
		p.id = id // a guest who logged in may have become another identity
	}
	return aws.Credentials{
		AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretKey, SessionToken: *c.SessionToken,
		CanExpire: true, Expires: *c.Expiration, Source: ProviderName,
	}, nil
}
