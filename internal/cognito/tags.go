package cognito

import (
	"context"
	"maps"
	"strings"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
)

// taggedTarget is the pool that an ARN names, with the tags of the request as condition keys (spec §14.2).
func taggedTarget(call *operation.Call, resource string, tags map[string]string, keys []string) (operation.Target, error) {
	id, err := poolOfARN(call, resource)
	if err != nil {
		return nil, err
	}
	return operation.Target{tagCheck(call, id, "", tags, keys)}, nil
}

// tagCheck asks about tags to set, or keys of tags to remove, on a pool.
func tagCheck(call *operation.Call, id, action string, tags map[string]string, keys []string) operation.Check {
	check := poolTarget(call, id)[0]
	check.Action = action
	for k, v := range tags {
		check.Keys["aws:RequestTag/"+k] = v
		check.List("aws:TagKeys", k)
	}
	for _, k := range keys {
		check.List("aws:TagKeys", k)
	}
	return check
}

// poolOfARN returns the id of the pool that an ARN of ours names; the id holds a colon of its own.
func poolOfARN(call *operation.Call, resource string) (string, error) {
	a, err := arn.Parse(resource)
	id, ok := strings.CutPrefix(a.Resource, "identitypool/")
	switch {
	case err != nil || a.Service != "cognito-identity" || !ok || id == "":
		return "", fault.New(fault.InvalidParameter, "Invalid ARN: %s", resource)
	case a.Account != call.Snapshot.Account:
		return "", fault.New(fault.NotAuthorized, "Access to this identity pool is forbidden.")
	case resource != poolARN(call, id):
		return "", resourceNotFound(resource)
	}
	return id, nil
}

func resourceNotFound(resource string) *fault.Error {
	return fault.New(fault.ResourceNotFound, "Resource %s not found.", resource)
}

func listTagsTarget(_ context.Context, call *operation.Call, in *ListTagsForResourceInput) (operation.Target, error) {
	return taggedTarget(call, *in.ResourceArn, nil, nil)
}

func tagTarget(_ context.Context, call *operation.Call, in *TagResourceInput) (operation.Target, error) {
	return taggedTarget(call, *in.ResourceArn, in.Tags, nil)
}

func untagTarget(_ context.Context, call *operation.Call, in *UntagResourceInput) (operation.Target, error) {
	return taggedTarget(call, *in.ResourceArn, nil, in.TagKeys)
}

// ListTagsForResource returns a pool's tags (spec §7.14).
func (s *Service) ListTagsForResource(_ context.Context, call *operation.Call, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	p, err := taggedPool(call, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, p.Tags)
	return out, nil
}

// TagResource sets tags; others stay (spec §7.19).
func (s *Service) TagResource(ctx context.Context, call *operation.Call, in *TagResourceInput) (*EmptyOutput, error) {
	return s.retag(ctx, call, *in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags; absent ones are ignored (spec §7.22).
func (s *Service) UntagResource(ctx context.Context, call *operation.Call, in *UntagResourceInput) (*EmptyOutput, error) {
	return s.retag(ctx, call, *in.ResourceArn, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

func taggedPool(call *operation.Call, resource string) (*snapshot.Pool, error) {
	id, err := poolOfARN(call, resource)
	if err != nil {
		return nil, err
	}
	p := call.Snapshot.Pool(id)
	if p == nil {
		return nil, resourceNotFound(resource)
	}
	call.Event.SetPool(id)
	return p, nil
}

func (s *Service) retag(ctx context.Context, call *operation.Call, resource string, change func(map[string]string)) (*EmptyOutput, error) {
	old, err := taggedPool(call, resource)
	if err != nil {
		return nil, err
	}
	p := pool.Pool(old.Pool)
	p.Tags = map[string]string{}
	maps.Copy(p.Tags, old.Tags)
	change(p.Tags)
	if err := p.Validate(call.Snapshot.Account); err != nil {
		return nil, err
	}
	return &EmptyOutput{}, s.write(ctx, rateExceeded(), snapshot.PutPool(&p, old.Version))
}
