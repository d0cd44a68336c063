package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// TagRoleInput sets tags of a role.
type TagRoleInput struct {
	RoleName *string `shape:"roleNameType,required"`
	Tags     []Tag   `shape:"tagListType,required"`
}

// UntagRoleInput removes tags of a role.
type UntagRoleInput struct {
	RoleName *string  `shape:"roleNameType,required"`
	TagKeys  []string `shape:"tagKeyListType,required"`
}

// TagUserInput sets tags of a user.
type TagUserInput struct {
	UserName *string `shape:"existingUserNameType,required"`
	Tags     []Tag   `shape:"tagListType,required"`
}

// UntagUserInput removes tags of a user.
type UntagUserInput struct {
	UserName *string  `shape:"existingUserNameType,required"`
	TagKeys  []string `shape:"tagKeyListType,required"`
}

// TagPolicyInput sets tags of a managed policy.
type TagPolicyInput struct {
	PolicyArn *string `shape:"arnType,required"`
	Tags      []Tag   `shape:"tagListType,required"`
}

// UntagPolicyInput removes tags of a managed policy.
type UntagPolicyInput struct {
	PolicyArn *string  `shape:"arnType,required"`
	TagKeys   []string `shape:"tagKeyListType,required"`
}

// TagOpenIDConnectProviderInput sets tags of a provider.
type TagOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn *string `shape:"arnType,required"`
	Tags                     []Tag   `shape:"tagListType,required"`
}

// UntagOpenIDConnectProviderInput removes tags of a provider.
type UntagOpenIDConnectProviderInput struct {
	OpenIDConnectProviderArn *string  `shape:"arnType,required"`
	TagKeys                  []string `shape:"tagKeyListType,required"`
}

// TagRole sets tags; others stay. UntagRole removes tags; absent ones are ignored. So do the others for their entities.
func (s *Service) TagRole(ctx context.Context, call *op.Call, in *TagRoleInput) (*op.Nothing, error) {
	return nil, s.tag(ctx, call, role(*in.RoleName), in.Tags)
}

// UntagRole removes tags of a role.
func (s *Service) UntagRole(ctx context.Context, call *op.Call, in *UntagRoleInput) (*op.Nothing, error) {
	return nil, s.untag(ctx, call, role(*in.RoleName), in.TagKeys)
}

// ListRoleTags lists the tags of a role.
func (s *Service) ListRoleTags(_ context.Context, call *op.Call, in *RolePageInput) (*ListTagsOutput, error) {
	return listTags(call, role(*in.RoleName), paging{in.Marker, in.MaxItems})
}

// TagUser sets tags of a user.
func (s *Service) TagUser(ctx context.Context, call *op.Call, in *TagUserInput) (*op.Nothing, error) {
	return nil, s.tag(ctx, call, user(*in.UserName), in.Tags)
}

// UntagUser removes tags of a user.
func (s *Service) UntagUser(ctx context.Context, call *op.Call, in *UntagUserInput) (*op.Nothing, error) {
	return nil, s.untag(ctx, call, user(*in.UserName), in.TagKeys)
}

// ListUserTags lists the tags of a user.
func (s *Service) ListUserTags(_ context.Context, call *op.Call, in *UserPageInput) (*ListTagsOutput, error) {
	return listTags(call, user(*in.UserName), paging{in.Marker, in.MaxItems})
}

// TagPolicy sets tags of a managed policy.
func (s *Service) TagPolicy(ctx context.Context, call *op.Call, in *TagPolicyInput) (*op.Nothing, error) {
	return nil, s.tag(ctx, call, managed(*in.PolicyArn), in.Tags)
}

// UntagPolicy removes tags of a managed policy.
func (s *Service) UntagPolicy(ctx context.Context, call *op.Call, in *UntagPolicyInput) (*op.Nothing, error) {
	return nil, s.untag(ctx, call, managed(*in.PolicyArn), in.TagKeys)
}

// ListPolicyTags lists the tags of a managed policy.
func (s *Service) ListPolicyTags(_ context.Context, call *op.Call, in *PolicyPageInput) (*ListTagsOutput, error) {
	return listTags(call, managed(*in.PolicyArn), paging{in.Marker, in.MaxItems})
}

// TagOpenIDConnectProvider sets tags of a provider.
func (s *Service) TagOpenIDConnectProvider(ctx context.Context, call *op.Call, in *TagOpenIDConnectProviderInput) (*op.Nothing, error) {
	return nil, s.tag(ctx, call, provider(*in.OpenIDConnectProviderArn, s.LoopbackHTTP), in.Tags)
}

// UntagOpenIDConnectProvider removes tags of a provider.
func (s *Service) UntagOpenIDConnectProvider(ctx context.Context, call *op.Call, in *UntagOpenIDConnectProviderInput) (*op.Nothing, error) {
	return nil, s.untag(ctx, call, provider(*in.OpenIDConnectProviderArn, s.LoopbackHTTP), in.TagKeys)
}

// ListOpenIDConnectProviderTags lists the tags of a provider.
func (s *Service) ListOpenIDConnectProviderTags(_ context.Context, call *op.Call, in *ProviderPageInput) (*ListTagsOutput, error) {
	return listTags(call, provider(*in.OpenIDConnectProviderArn, s.LoopbackHTTP), paging{in.Marker, in.MaxItems})
}

// newTags are the tags of a request. Keys differ by more than case, and are not AWS's own.
func newTags(tags []Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		if len(*t.Key) >= 4 && strings.EqualFold((*t.Key)[:4], "aws:") {
			return nil, fault.New(fault.InvalidParameter, "System tag keys beginning with aws: are reserved.")
		}
		if dropTag(out, *t.Key) {
			return nil, fault.New(fault.InvalidParameter, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out[*t.Key] = *t.Value
	}
	return out, nil
}

// dropTag removes the tag with the key, without regard to case, and reports whether there was one.
func dropTag(tags map[string]string, key string) bool {
	before := len(tags)
	maps.DeleteFunc(tags, func(k, _ string) bool { return strings.EqualFold(k, key) })
	return len(tags) != before
}

func (s *Service) tag(ctx context.Context, call *op.Call, find finder, tags []Tag) error {
	wanted, err := newTags(tags)
	if err != nil {
		return err
	}
	return s.change(ctx, call, find, func(_ *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		for k, v := range wanted {
			dropTag(e.tags, k) // a key in another case is the same tag
			e.tags[k] = v
		}
		if len(e.tags) > maxTags {
			return nil, fault.New(fault.LimitExceeded, "The number of tags has reached the maximum limit.")
		}
		return e.writes()
	})
}

func (s *Service) untag(ctx context.Context, call *op.Call, find finder, keys []string) error {
	return s.change(ctx, call, find, func(_ *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		for _, k := range keys {
			dropTag(e.tags, k)
		}
		return e.writes()
	})
}

func listTags(call *op.Call, find finder, in paging) (*ListTagsOutput, error) {
	e, err := find(call.Snapshot)
	if err != nil {
		return nil, err
	}
	p, err := list[Tag]{of: "tags " + e.id + e.arn, items: tagsOnWire(e.tags), key: func(t Tag) string { return *t.Key }}.page(call, in)
	return &ListTagsOutput{Tags: append([]Tag{}, p.items...), IsTruncated: p.truncated, Marker: p.marker}, err
}

// tagsOnWire are tags in the order of their keys; nil for none.
func tagsOnWire(tags map[string]string) []Tag {
	var out []Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		out = append(out, Tag{Key: &k, Value: &v})
	}
	return out
}
