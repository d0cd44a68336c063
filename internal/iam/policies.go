package iam

import (
	"context"
	"slices"
	"strings"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// CreatePolicyInput asks for a managed policy.
type CreatePolicyInput struct {
	PolicyName     *string `shape:"policyNameType,required"`
	Path           *string `shape:"policyPathType"`
	PolicyDocument *string `shape:"policyDocumentType,required"`
	Description    *string `shape:"policyDescriptionType"`
	Tags           []Tag   `shape:"tagListType"`
}

// PolicyInput names a managed policy.
type PolicyInput struct {
	PolicyArn *string `shape:"arnType,required"`
}

// PolicyPageInput asks for a page of something of a managed policy.
type PolicyPageInput struct {
	PolicyArn *string `shape:"arnType,required"`
	Marker    *string `shape:"markerType"`
	MaxItems  *int64  `shape:"maxItemsType"`
}

// PolicyOutput is a managed policy.
type PolicyOutput struct {
	Policy *Policy
}

// managedText refuses a text that no managed policy may have.
func managedText(document string) error {
	if _, err := policy.Parse(policy.KindIdentity, []byte(document)); err != nil {
		return err
	}
	if sizeOf(document) > maxManaged {
		return fault.New(fault.LimitExceeded, "Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	return nil
}

// CreatePolicy makes a managed policy with one version. Names are unique without case, whatever their paths.
func (s *Service) CreatePolicy(ctx context.Context, call *op.Call, in *CreatePolicyInput) (*PolicyOutput, error) {
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := managedText(*in.PolicyDocument); err != nil {
		return nil, err
	}
	m := &account.ManagedPolicy{
		Name: *in.PolicyName, Path: or(in.Path, "/"), Created: call.Now.UTC().Truncate(time.Second), Description: text(in.Description),
		Default: "v1", Versions: map[string]string{"v1": *in.PolicyDocument}, Latest: 1, Tags: tags,
	}
	if m.ID, err = account.NewID(arn.PrefixPolicy, s.Random); err != nil {
		return nil, err
	}
	err = s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		switch {
		case now.PolicyNamed(m.Name) != nil:
			return nil, fault.New(fault.ResourceConflict, "A policy called %s already exists. Duplicate names are not allowed.", m.Name)
		case len(now.Policies()) >= maxEntities:
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for PoliciesPerAccount: %d", maxEntities)
		}
		return []store.Write{snapshot.PutPolicy(m, 0)}, m.Validate()
	})
	if err != nil {
		return nil, err
	}
	out := policyInList(m, m.ARN(call.Snapshot.Account), use{})
	out.Tags = tagsOnWire(m.Tags)
	return &PolicyOutput{&out}, nil
}

// use is how often a managed policy is in use, by kind of use.
type use struct{ attached, boundary int64 }

func (u use) any() bool { return u.attached+u.boundary > 0 }

// uses counts the uses of all managed policies, by ARN.
func uses(now *snapshot.Snapshot) map[string]use {
	out := map[string]use{}
	add := func(attached []string, boundary string) {
		for _, a := range attached {
			u := out[a]
			u.attached++
			out[a] = u
		}
		if boundary != "" {
			u := out[boundary]
			u.boundary++
			out[boundary] = u
		}
	}
	for _, r := range now.Roles() {
		add(r.Attached, r.Boundary)
	}
	for _, u := range now.Users() {
		add(u.Attached, u.Boundary)
	}
	return out
}

// policyInList is a managed policy as lists show it: without description and tags.
func policyInList(m *account.ManagedPolicy, policyARN string, u use) Policy {
	attachable, updated := true, m.Updated
	if updated.IsZero() {
		updated = m.Created
	}
	return Policy{
		PolicyName: &m.Name, PolicyId: &m.ID, Arn: &policyARN, Path: &m.Path, DefaultVersionId: &m.Default,
		AttachmentCount: &u.attached, PermissionsBoundaryUsageCount: &u.boundary, IsAttachable: &attachable,
		CreateDate: &m.Created, UpdateDate: &updated,
	}
}

// GetPolicy returns a managed policy.
func (s *Service) GetPolicy(_ context.Context, call *op.Call, in *PolicyInput) (*PolicyOutput, error) {
	p, err := policyIn(call.Snapshot, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := policyInList(&p.ManagedPolicy, p.ARN, uses(call.Snapshot)[p.ARN])
	out.Description, out.Tags = optional(p.Description), tagsOnWire(p.Tags)
	return &PolicyOutput{&out}, nil
}

// ownPolicy refuses to change what AWS keeps.
func ownPolicy(p *snapshot.Policy) error {
	if p.Version == 0 {
		return fault.New(fault.AccessDenied, "Policy is outside your own account.")
	}
	return nil
}

// changePolicy changes a managed policy of the account, and returns it as it has become.
func (s *Service) changePolicy(ctx context.Context, call *op.Call, policyARN string, edit func(*snapshot.Snapshot, *account.ManagedPolicy) error) (*account.ManagedPolicy, error) {
	var out account.ManagedPolicy
	err := s.change(ctx, call, managed(policyARN), func(now *snapshot.Snapshot, _ *entity) ([]store.Write, error) {
		p := now.ManagedPolicy(policyARN)
		if err := ownPolicy(p); err != nil {
			return nil, err
		}
		out = p.ManagedPolicy
		if err := edit(now, &out); err != nil {
			return nil, err
		}
		w, err := putPolicy(&out, p)
		return []store.Write{w}, err
	})
	return &out, err
}

// DeletePolicy deletes a managed policy that has one version and is not in use.
func (s *Service) DeletePolicy(ctx context.Context, call *op.Call, in *PolicyInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, managed(*in.PolicyArn), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		p := now.ManagedPolicy(e.arn)
		switch {
		case p.Version == 0:
			return nil, ownPolicy(p)
		case uses(now)[e.arn].any():
			return nil, fault.New(fault.DeleteConflict, "Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return nil, fault.New(fault.DeleteConflict, "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "+
				"The default version is deleted with the policy.")
		}
		return []store.Write{snapshot.DeletePolicy(p.Name, p.Version)}, nil
	})
}

// ListPoliciesInput asks for a page of managed policies.
type ListPoliciesInput struct {
	Scope             *string `shape:"policyScopeType"`
	OnlyAttached      *bool   ``
	PathPrefix        *string `shape:"policyPathType"`
	PolicyUsageFilter *string `shape:"PolicyUsageType"`
	Marker            *string `shape:"markerType"`
	MaxItems          *int64  `shape:"maxItemsType"`
}

// ListPoliciesOutput is a page of managed policies.
type ListPoliciesOutput struct {
	Policies    []Policy
	IsTruncated *bool
	Marker      *string
}

// ListPolicies lists the managed policies of the account, of AWS, or both, by ARN.
func (s *Service) ListPolicies(_ context.Context, call *op.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	var all []*snapshot.Policy
	if text(in.Scope) != "Local" {
		all = append(all, snapshot.AWSPolicies()...)
	}
	if text(in.Scope) != "AWS" {
		all = append(all, call.Snapshot.Policies()...)
	}
	used := uses(call.Snapshot)
	all = slices.DeleteFunc(all, func(p *snapshot.Policy) bool { return !in.wants(p, used[p.ARN]) })
	byARN := func(p *snapshot.Policy) string { return p.ARN }
	slices.SortFunc(all, func(a, b *snapshot.Policy) int { return strings.Compare(a.ARN, b.ARN) })
	page, err := list[*snapshot.Policy]{of: "ListPolicies", items: all, key: byARN}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &ListPoliciesOutput{Policies: []Policy{}, IsTruncated: page.truncated, Marker: page.marker}
	for _, p := range page.items {
		out.Policies = append(out.Policies, policyInList(&p.ManagedPolicy, p.ARN, used[p.ARN]))
	}
	return out, nil
}

// wants reports whether the filters of a request let a policy through.
func (in *ListPoliciesInput) wants(p *snapshot.Policy, u use) bool {
	switch {
	case !strings.HasPrefix(p.Path, text(in.PathPrefix)), or(in.OnlyAttached, false) && u.attached == 0:
		return false
	case text(in.PolicyUsageFilter) == "PermissionsPolicy":
		return u.attached > 0
	case text(in.PolicyUsageFilter) == "PermissionsBoundary":
		return u.boundary > 0
	}
	return true
}
