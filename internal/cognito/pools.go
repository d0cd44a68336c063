package cognito

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
)

// createTarget has the tags of the new pool as condition keys (spec §14.2).
func createTarget(_ context.Context, call *operation.Call, in *CreateIdentityPoolInput) (operation.Target, error) {
	check := operation.Check{Resource: "*", Shown: poolARN(call, ""), Keys: map[string]string{}}
	for k, v := range in.IdentityPoolTags {
		check.Keys["aws:RequestTag/"+k] = v
		check.List("aws:TagKeys", k)
	}
	return operation.Target{check}, nil
}

// CreateIdentityPool makes a pool with a new id; names need not be unique (spec §7.1).
func (s *Service) CreateIdentityPool(ctx context.Context, call *operation.Call, in *CreateIdentityPoolInput) (*IdentityPool, error) {
	id, err := s.newID(call.Snapshot.Region)
	if err != nil {
		return nil, err
	}
	p := &pool.Pool{
		ID: id, Name: *in.IdentityPoolName, Created: call.Now.UTC(),
		AllowUnauthenticated: *in.AllowUnauthenticatedIdentities, AllowClassic: in.AllowClassicFlow,
		LoginProviders: in.SupportedLoginProviders, DeveloperProvider: text(in.DeveloperProviderName),
		OIDCProviders: in.OpenIdConnectProviderARNs, CognitoProviders: userPools(in.CognitoIdentityProviders),
		SAMLProviders: in.SamlProviderARNs, Tags: in.IdentityPoolTags,
	}
	return s.save(ctx, call, p, 0)
}

// save stores a pool after all that makes one valid. Its login providers are as they are on the wire.
func (s *Service) save(ctx context.Context, call *operation.Call, p *pool.Pool, expect int64) (*IdentityPool, error) {
	if err := p.Validate(call.Snapshot.Account); err != nil {
		return nil, err
	}
	if err := known(call, p); err != nil {
		return nil, err
	}
	if err := s.sealApps(p); err != nil {
		return nil, err
	}
	call.Event.SetPool(p.ID)
	if err := s.write(ctx, concurrently(p.ID), snapshot.PutPool(p, expect)); err != nil {
		return nil, err
	}
	return onWire(call, p)
}

// sealApps takes the secrets of apps out of what is stored in the clear.
func (s *Service) sealApps(p *pool.Pool) error {
	apps := p.LoginProviders
	p.LoginProviders, p.AppSecrets = maps.Clone(apps), nil
	for key, value := range apps {
		app, secret := pool.SplitApp(key, value)
		if secret == "" {
			continue
		}
		sealed, err := s.Secrets.SealAppSecret(p.ID, key, secret)
		if err != nil {
			return err
		}
		if p.AppSecrets == nil {
			p.AppSecrets = map[string][]byte{}
		}
		p.LoginProviders[key], p.AppSecrets[key] = app, sealed
	}
	return nil
}

// openApps are the login providers of a pool as they are on the wire: with the secrets of their apps, as on AWS.
func openApps(call *operation.Call, p *pool.Pool) (map[string]string, error) {
	out := maps.Clone(p.LoginProviders)
	for key, app := range p.LoginProviders {
		sealed := p.AppSecrets[key]
		if sealed == nil {
			continue
		}
		secret, err := call.Snapshot.Keys.AppSecret(p.ID, key, sealed)
		if err != nil {
			return nil, fmt.Errorf("the secret of the app at %s: %w", key, err)
		}
		out[key] = pool.JoinApp(app, secret)
	}
	return out, nil
}

// known refuses providers that the account does not have (spec §7.1).
func known(call *operation.Call, p *pool.Pool) error {
	for _, a := range p.OIDCProviders {
		if call.Snapshot.OIDCProvider(a) == nil {
			return fault.New(fault.InvalidParameter, "Invalid identity provider ARN: %s", a)
		}
	}
	for _, a := range p.SAMLProviders {
		if call.Snapshot.SAMLProvider(a) == nil {
			return fault.New(fault.InvalidParameter, "Invalid identity provider ARN: %s", a)
		}
	}
	return nil
}

// DescribeIdentityPool returns a pool (spec §7.5).
func (s *Service) DescribeIdentityPool(_ context.Context, call *operation.Call, in *PoolInput) (*IdentityPool, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	return onWire(call, &p.Pool)
}

// updateTarget asks, where tags change, for TagResource and UntagResource too, as on AWS (spec §14.2): policies that look
// at a pool's tags are worth nothing if who may update it can choose them.
func updateTarget(_ context.Context, call *operation.Call, in *IdentityPool) (operation.Target, error) {
	target := poolTarget(call, *in.IdentityPoolId)
	p := call.Snapshot.Pool(*in.IdentityPoolId)
	if p == nil || in.IdentityPoolTags == nil {
		return target, nil
	}
	set, gone := map[string]string{}, []string{}
	for k, v := range in.IdentityPoolTags {
		if old, ok := p.Tags[k]; !ok || old != v {
			set[k] = v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		if _, ok := in.IdentityPoolTags[k]; !ok {
			gone = append(gone, k)
		}
	}
	if len(set) > 0 {
		target = append(target, tagCheck(call, p.ID, "cognito-identity:TagResource", set, nil))
	}
	if len(gone) > 0 {
		target = append(target, tagCheck(call, p.ID, "cognito-identity:UntagResource", nil, gone))
	}
	return target, nil
}

// UpdateIdentityPool replaces a pool: what is omitted reverts to its default, except the developer provider's name and
// the tags, which stay (spec §7.23, observed). Roles are not touched.
func (s *Service) UpdateIdentityPool(ctx context.Context, call *operation.Call, in *IdentityPool) (*IdentityPool, error) {
	old, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	p := old.Pool
	p.Name, p.AllowUnauthenticated, p.AllowClassic = *in.IdentityPoolName, *in.AllowUnauthenticatedIdentities, in.AllowClassicFlow
	p.AppSecrets = nil
	p.LoginProviders, p.OIDCProviders, p.SAMLProviders = in.SupportedLoginProviders, in.OpenIdConnectProviderARNs, in.SamlProviderARNs
	p.CognitoProviders = userPools(in.CognitoIdentityProviders)
	if in.IdentityPoolTags != nil {
		p.Tags = in.IdentityPoolTags
	}
	if in.DeveloperProviderName != nil {
		if old.DeveloperProvider != "" && old.DeveloperProvider != *in.DeveloperProviderName {
			return nil, fault.New(fault.InvalidParameter, "The developer provider name cannot be changed.")
		}
		p.DeveloperProvider = *in.DeveloperProviderName
	}
	return s.save(ctx, call, &p, old.Version)
}

// DeleteIdentityPool deletes a pool: at once for everybody, its identities in the background (spec §7.3).
func (s *Service) DeleteIdentityPool(ctx context.Context, call *operation.Call, in *PoolInput) (*operation.Nothing, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	if err := s.write(ctx, rateExceeded(), snapshot.DeletePool(p.ID, p.Version)...); err != nil {
		return nil, err
	}
	s.Purge()
	return nil, nil
}

// ListIdentityPools lists the account's pools in the order of their ids (spec §7.13).
func (s *Service) ListIdentityPools(_ context.Context, call *operation.Call, in *ListIdentityPoolsInput) (*ListIdentityPoolsOutput, error) {
	after, err := openPage(call, pagePools, "", in.NextToken)
	if err != nil {
		return nil, err
	}
	ids := call.Snapshot.PoolIDs(after, int(*in.MaxResults)+1)
	out := &ListIdentityPoolsOutput{IdentityPools: []IdentityPoolShortDescription{}}
	if len(ids) > int(*in.MaxResults) {
		ids = ids[:*in.MaxResults]
		if out.NextToken, err = sealPage(call, pagePools, "", ids[len(ids)-1]); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		name := call.Snapshot.Pool(id).Name
		out.IdentityPools = append(out.IdentityPools, IdentityPoolShortDescription{IdentityPoolId: &id, IdentityPoolName: &name})
	}
	return out, nil
}

func userPools(in []CognitoIdentityProvider) []pool.CognitoProvider {
	var out []pool.CognitoProvider
	for _, c := range in {
		out = append(out, pool.CognitoProvider{ProviderName: text(c.ProviderName), ClientID: text(c.ClientId), ServerSideCheck: c.ServerSideTokenCheck})
	}
	return out
}

// onWire is a pool as answers show it: what is unset is left out, tags are always there (spec §1.3, observed).
func onWire(call *operation.Call, p *pool.Pool) (*IdentityPool, error) {
	apps, err := openApps(call, p)
	if err != nil {
		return nil, err
	}
	out := &IdentityPool{
		IdentityPoolId: &p.ID, IdentityPoolName: &p.Name, AllowUnauthenticatedIdentities: &p.AllowUnauthenticated,
		AllowClassicFlow: p.AllowClassic, DeveloperProviderName: optional(p.DeveloperProvider),
		IdentityPoolTags: map[string]string{},
	}
	maps.Copy(out.IdentityPoolTags, p.Tags)
	if len(apps) > 0 {
		out.SupportedLoginProviders = apps
	}
	if len(p.OIDCProviders) > 0 {
		out.OpenIdConnectProviderARNs = p.OIDCProviders
	}
	if len(p.SAMLProviders) > 0 {
		out.SamlProviderARNs = p.SAMLProviders
	}
	for _, c := range p.CognitoProviders {
		out.CognitoIdentityProviders = append(out.CognitoIdentityProviders, CognitoIdentityProvider{
			ProviderName: &c.ProviderName, ClientId: &c.ClientID, ServerSideTokenCheck: c.ServerSideCheck,
		})
	}
	return out, nil
}
