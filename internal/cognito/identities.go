package cognito

import (
	"context"
	"errors"

	"idpool/internal/identity"
	"idpool/internal/operation"
	"idpool/internal/store"
)

// identityTarget has no resource, as on AWS (spec §14.2). Its condition keys are the pool's ARN and, ours, the identity:
// so a role can let an identity describe itself and no other. An identity that does not exist has neither.
func (s *Service) identityTarget(ctx context.Context, call *operation.Call, in *DescribeIdentityInput) (operation.Target, error) {
	check := operation.Check{Resource: "*"}
	i, err := s.Identities.Get(ctx, *in.IdentityId)
	if errors.Is(err, store.ErrNotFound) {
		return operation.Target{check}, nil
	}
	check.Keys = map[string]string{
		"cognito-identity:IdentityPoolArn": poolARN(call, i.PoolID),
		"idpool:IdentityId":                i.ID,
	}
	call.Event.SetIdentity(i.PoolID, i.ID, !i.Authenticated)
	return operation.Target{check}, err
}

// DescribeIdentity returns an identity with the names of its providers (spec §7.4).
func (s *Service) DescribeIdentity(ctx context.Context, call *operation.Call, in *DescribeIdentityInput) (*IdentityDescription, error) {
	i, err := s.identity(ctx, call, *in.IdentityId)
	if err != nil {
		return nil, err
	}
	d := describeIdentity(i)
	return &d, nil
}

func describeIdentity(i *identity.Identity) IdentityDescription {
	return IdentityDescription{IdentityId: &i.ID, Logins: i.Providers(), CreationDate: stamp(i.Created), LastModifiedDate: stamp(i.Modified)}
}

func listTarget(_ context.Context, call *operation.Call, in *ListIdentitiesInput) (operation.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

// ListIdentities returns a page of a pool's identities in the order of their ids (spec §7.12).
func (s *Service) ListIdentities(ctx context.Context, call *operation.Call, in *ListIdentitiesInput) (*ListIdentitiesOutput, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	after, err := openPage(call, pageIdentities, p.ID, in.NextToken)
	if err != nil {
		return nil, err
	}
	n := int(*in.MaxResults)
	found, err := s.Identities.List(ctx, p.ID, after, n+1, in.HideDisabled != nil && *in.HideDisabled)
	if err != nil {
		return nil, err
	}
	out := &ListIdentitiesOutput{IdentityPoolId: &p.ID, Identities: []IdentityDescription{}}
	if len(found) > n {
		found = found[:n]
		if out.NextToken, err = sealPage(call, pageIdentities, p.ID, found[n-1].ID); err != nil {
			return nil, err
		}
	}
	for i := range found {
		out.Identities = append(out.Identities, describeIdentity(&found[i]))
	}
	return out, nil
}
