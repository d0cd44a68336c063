package iam

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"idpool/internal/account"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
)

// CreatePolicyVersionInput asks for a new version of a managed policy.
type CreatePolicyVersionInput struct {
	PolicyArn      *string `shape:"arnType,required"`
	PolicyDocument *string `shape:"policyDocumentType,required"`
	SetAsDefault   *bool   ``
}

// PolicyVersionInput names a version of a managed policy.
type PolicyVersionInput struct {
	PolicyArn *string `shape:"arnType,required"`
	VersionId *string `shape:"policyVersionIdType,required"`
}

// PolicyVersionOutput is a version of a managed policy.
type PolicyVersionOutput struct {
	PolicyVersion *PolicyVersion
}

// numberOf is the number of a version, 0 for what is none of ours.
func numberOf(version string) int64 {
	if version == "" {
		return 0
	}
	n, err := strconv.ParseInt(version[1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// latest is the number of the newest version that a policy ever had: those of deleted versions are not used again.
func latest(m *account.ManagedPolicy) int64 {
	out := m.Latest
	for v := range m.Versions {
		out = max(out, numberOf(v))
	}
	return out
}

// CreatePolicyVersion adds a version. As the default it holds at once for everything that the policy is attached to.
func (s *Service) CreatePolicyVersion(ctx context.Context, call *op.Call, in *CreatePolicyVersionInput) (*PolicyVersionOutput, error) {
	if err := managedText(*in.PolicyDocument); err != nil {
		return nil, err
	}
	version, created := "", call.Now.UTC().Truncate(time.Second)
	m, err := s.changePolicy(ctx, call, *in.PolicyArn, func(_ *snapshot.Snapshot, m *account.ManagedPolicy) error {
		if len(m.Versions) >= maxVersions {
			return fault.New(fault.LimitExceeded, "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		m.Latest = latest(m) + 1
		version = fmt.Sprintf("v%d", m.Latest)
		m.Versions, m.Dates = copied(m.Versions), maps.Clone(m.Dates)
		if m.Dates == nil {
			m.Dates = map[string]time.Time{}
		}
		m.Versions[version], m.Dates[version], m.Updated = *in.PolicyDocument, created, created
		if or(in.SetAsDefault, false) {
			m.Default = version
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := versionOnWire(m, version)
	return &PolicyVersionOutput{&out}, nil
}

// versionOnWire is a version as lists show it: without its document.
func versionOnWire(m *account.ManagedPolicy, version string) PolicyVersion {
	created, ok := m.Dates[version]
	if !ok {
		created = m.Created
	}
	isDefault := m.Default == version
	return PolicyVersion{VersionId: &version, IsDefaultVersion: &isDefault, CreateDate: &created}
}

func noVersion(policyARN, version string) error {
	return noEntity("Policy %s version %s does not exist or is not attachable.", policyARN, version)
}

// GetPolicyVersion returns a version with its document.
func (s *Service) GetPolicyVersion(_ context.Context, call *op.Call, in *PolicyVersionInput) (*PolicyVersionOutput, error) {
	p, err := policyIn(call.Snapshot, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	document, ok := p.Versions[*in.VersionId]
	if !ok {
		return nil, noVersion(p.ARN, *in.VersionId)
	}
	out := versionOnWire(&p.ManagedPolicy, *in.VersionId)
	out.Document = encoded(document)
	return &PolicyVersionOutput{&out}, nil
}

// ListPolicyVersionsOutput is a page of versions.
type ListPolicyVersionsOutput struct {
	Versions    []PolicyVersion
	IsTruncated *bool
	Marker      *string
}

// ListPolicyVersions lists the versions of a managed policy, the newest first.
func (s *Service) ListPolicyVersions(_ context.Context, call *op.Call, in *PolicyPageInput) (*ListPolicyVersionsOutput, error) {
	p, err := policyIn(call.Snapshot, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	newerIsLess := func(v string) string { return fmt.Sprintf("%019d", int64(1)<<62-numberOf(v)) }
	page, err := list[string]{of: "versions " + p.ID, items: newestFirst(p.Versions), key: newerIsLess}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &ListPolicyVersionsOutput{Versions: []PolicyVersion{}, IsTruncated: page.truncated, Marker: page.marker}
	for _, v := range page.items {
		out.Versions = append(out.Versions, versionOnWire(&p.ManagedPolicy, v))
	}
	return out, nil
}

func newestFirst(versions map[string]string) []string {
	return slices.SortedFunc(maps.Keys(versions), func(a, b string) int { return cmp.Compare(numberOf(b), numberOf(a)) })
}

// DeletePolicyVersion deletes a version that is not the default.
func (s *Service) DeletePolicyVersion(ctx context.Context, call *op.Call, in *PolicyVersionInput) (*op.Nothing, error) {
	_, err := s.changePolicy(ctx, call, *in.PolicyArn, func(_ *snapshot.Snapshot, m *account.ManagedPolicy) error {
		if _, ok := m.Versions[*in.VersionId]; !ok {
			return noVersion(*in.PolicyArn, *in.VersionId)
		}
		if m.Default == *in.VersionId {
			return fault.New(fault.DeleteConflict, "Cannot delete the default version of a policy.")
		}
		m.Latest = latest(m)
		m.Versions, m.Dates = copied(m.Versions), maps.Clone(m.Dates)
		delete(m.Versions, *in.VersionId)
		delete(m.Dates, *in.VersionId)
		return nil
	})
	return nil, err
}

// SetDefaultPolicyVersion makes another version the one that holds, at once.
func (s *Service) SetDefaultPolicyVersion(ctx context.Context, call *op.Call, in *PolicyVersionInput) (*op.Nothing, error) {
	_, err := s.changePolicy(ctx, call, *in.PolicyArn, func(_ *snapshot.Snapshot, m *account.ManagedPolicy) error {
		if _, ok := m.Versions[*in.VersionId]; !ok {
			return noVersion(*in.PolicyArn, *in.VersionId)
		}
		m.Default = *in.VersionId
		return nil
	})
	return nil, err
}
