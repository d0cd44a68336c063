package cognito

import (
	"context"
	"errors"
	"slices"

	"idpool/internal/event"
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
func (s *Service) DeleteIdentities(ctx context.Context, call *operation.Call, in *DeleteIdentitiesInput) (*DeleteIdentitiesOutput, error) {
	out := &DeleteIdentitiesOutput{UnprocessedIdentityIds: []UnprocessedIdentityId{}}
	for _, id := range in.IdentityIdsToDelete {
		err := s.retry(func() error {
			i, err := s.Identities.Get(ctx, id)
			if err != nil {
				return err
			}
			if err := s.Identities.Apply(ctx, identity.Delete(&i)); err != nil {
				return err
			}
			call.Event.Add(event.Step{Name: "delete", OK: true, Subject: event.IdentityName(id, !i.Authenticated), Found: "deleted with its logins"})
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			call.Event.Add(event.Step{Name: "delete", Subject: event.CutIDs(id), Expected: "a store that deletes it", Found: event.CutIDs(err.Error())})
			code := "InternalServerError"
			out.UnprocessedIdentityIds = append(out.UnprocessedIdentityIds, UnprocessedIdentityId{IdentityId: &id, ErrorCode: &code})
		}
	}
	return out, nil
}
