package cognito

import (
	"context"
	"errors"
	"slices"

	"idpool/internal/identity"
	"idpool/internal/operation"
	"idpool/internal/store"
)

// deleteTarget asks once for each pool whose identities go, with its ARN as condition key, and once for ids that are
// unknown (spec §14.2).
func (s *Service) deleteTarget(ctx context.Context, call *operation.Call, in *DeleteIdentitiesInput) (operation.Target, error) {
	var pools []string
	for _, id := range in.IdentityIdsToDelete {
		i, err := s.Identities.Get(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if !slices.Contains(pools, i.PoolID) {
			pools = append(pools, i.PoolID)
		}
	}
	var target operation.Target
	for _, id := range pools {
		check := operation.Check{Resource: "*"}
		if id != "" {
			check.Keys = map[string]string{"cognito-identity:IdentityPoolArn": poolARN(call, id)}
		}
		target = append(target, check)
	}
	return target, nil
}

// DeleteIdentities deletes identities and frees their logins. What is not there counts as deleted (spec §7.2, inferred);
// what could not be deleted is listed.
func (s *Service) DeleteIdentities(ctx context.Context, _ *operation.Call, in *DeleteIdentitiesInput) (*DeleteIdentitiesOutput, error) {
	out := &DeleteIdentitiesOutput{UnprocessedIdentityIds: []UnprocessedIdentityId{}}
	for _, id := range in.IdentityIdsToDelete {
		err := s.retry(func() error {
			i, err := s.Identities.Get(ctx, id)
			if err != nil {
				return err
			}
			return s.Identities.Apply(ctx, identity.Delete(&i))
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			code := "InternalServerError"
			out.UnprocessedIdentityIds = append(out.UnprocessedIdentityIds, UnprocessedIdentityId{IdentityId: &id, ErrorCode: &code})
		}
	}
	return out, nil
}
