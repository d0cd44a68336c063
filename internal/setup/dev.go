package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// The names of what `idpool dev` starts with.
const (
	DevAdministrator     = "dev-admin"
	DevPoolName          = "dev"
	DevAuthenticatedRole = "dev-authenticated"
	DevGuestRole         = "dev-guest"
	DevAudience          = "dev-app"
)

// Dev is what `idpool dev` starts with.
type Dev struct {
	PoolID               string
	AuthenticatedRoleARN string
	GuestRoleARN         string
	Administrator        Credentials
}

// trustPolicy lets identities of one pool assume a role, of one kind: authenticated or unauthenticated.
const trustPolicy = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {"cognito-identity.amazonaws.com:aud": "%s"},
      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "%s"}
    }
  }]
}`

// ownIdentity lets an identity describe itself and no other.
const ownIdentity = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Sid": "DescribeOneself",
    "Effect": "Allow",
    "Action": "cognito-identity:DescribeIdentity",
    "Resource": "*",
    "Condition": {"StringEquals": {"idpool:IdentityId": "${cognito-identity.amazonaws.com:sub}"}}
  }]
}`

// Dev makes what is missing of an administrator, a provider for the issuer, a pool and its two roles, and returns what
// is there. source must show the store's newest state.
func (s *Setup) Dev(ctx context.Context, source *snapshot.Source, issuer string) (*Dev, error) {
	current, err := source.Current()
	if err != nil {
		return nil, err
	}
	out := &Dev{}
	if out.Administrator, err = s.devAdministrator(ctx, source, current); err != nil {
		return nil, fmt.Errorf("administrator: %w", err)
	}
	provider, err := s.devProvider(ctx, source, current, issuer)
	if err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	p, version, err := s.devPool(current, provider)
	if err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	out.PoolID = p.ID
	if out.AuthenticatedRoleARN, err = s.devRole(ctx, source, current, DevAuthenticatedRole, p.ID, pool.Authenticated); err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	if out.GuestRoleARN, err = s.devRole(ctx, source, current, DevGuestRole, p.ID, pool.Unauthenticated); err != nil {
		return nil, fmt.Errorf("role: %w", err)
	}
	if version == 0 {
		p.Roles = map[string]string{pool.Authenticated: out.AuthenticatedRoleARN, pool.Unauthenticated: out.GuestRoleARN}
	}
	return out, s.savePool(ctx, source, p, version)
}

func (s *Setup) devAdministrator(ctx context.Context, source *snapshot.Source, current *snapshot.Snapshot) (Credentials, error) {
	user := current.UserNamed(DevAdministrator)
	if user == nil {
		c, err := s.Administrator(ctx, DevAdministrator)
		if err != nil {
			return c, err
		}
		return c, source.Refresh(ctx)
	}
	for _, k := range user.Keys {
		secret, err := current.Keys.UserSecret(k.ID, k.SealedSecret)
		if err == nil && k.Active {
			return Credentials{user.ARN, k.ID, secret}, nil
		}
	}
	return Credentials{}, fmt.Errorf("%s has no active access key", user.ARN)
}

func (s *Setup) devProvider(ctx context.Context, source *snapshot.Source, current *snapshot.Snapshot, issuer string) (string, error) {
	p := &account.OIDCProvider{Issuer: issuer, ClientIDs: []string{DevAudience}, Created: s.Now().UTC()}
	providerARN := p.ARN(s.Account)
	if current.OIDCProvider(providerARN) != nil {
		return providerARN, nil
	}
	if err := p.Validate(true); err != nil {
		return "", err
	}
	return providerARN, source.Write(ctx, snapshot.PutOIDCProvider(p, s.Account, 0))
}

// devPool returns the pool of an earlier start or a new one, with the provider, and its version.
func (s *Setup) devPool(current *snapshot.Snapshot, provider string) (*pool.Pool, int64, error) {
	for _, id := range current.PoolIDs("", 100) {
		found := current.Pool(id)
		if found.Name != DevPoolName {
			continue
		}
		p := found.Pool
		if !slices.Contains(p.OIDCProviders, provider) {
			p.OIDCProviders = append(slices.Clone(p.OIDCProviders), provider)
		}
		return &p, found.Version, nil
	}
	var random [16]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return nil, 0, fmt.Errorf("reading randomness: %w", err)
	}
	return &pool.Pool{
		ID: arn.ID(current.Region, random), Name: DevPoolName, Created: s.Now().UTC(),
		AllowUnauthenticated: true, OIDCProviders: []string{provider},
	}, 0, nil
}

func (s *Setup) devRole(ctx context.Context, source *snapshot.Source, current *snapshot.Snapshot, name, poolID, kind string) (string, error) {
	if r := current.RoleNamed(name); r != nil {
		return r.ARN, nil
	}
	id, err := account.NewID(arn.PrefixRole, s.Random)
	if err != nil {
		return "", err
	}
	r := &account.Role{
		Name: name, Path: "/", ID: id, Created: s.Now().UTC(),
		Trust: fmt.Sprintf(trustPolicy, poolID, kind), MaxSession: 3600, Inline: map[string]string{"own-identity": ownIdentity},
	}
	if err := errors.Join(r.Validate(), r.PinsPools()); err != nil {
		return "", err
	}
	return r.ARN(s.Account), source.Write(ctx, snapshot.PutRole(r, 0))
}

func (s *Setup) savePool(ctx context.Context, source *snapshot.Source, p *pool.Pool, version int64) error {
	if err := p.Validate(s.Account); err != nil {
		return err
	}
	if err := p.ValidateRoles(); err != nil {
		return err
	}
	return source.Write(ctx, []store.Write{snapshot.PutPool(p, version)}...)
}
