package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"idpool/internal/account"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// serviceRolePrefix begins the ARNs of the policies that AWS keeps for its own services.
const serviceRolePrefix = account.AWSManagedPrefix + "aws-service-role/"

// bare refuses to delete a role or user with policies. A boundary is no obstacle.
func (e *entity) bare() error {
	if len(e.attached) > 0 {
		return fault.New(fault.DeleteConflict, "Cannot delete entity, must detach all policies first.")
	}
	if len(e.inline) > 0 {
		return fault.New(fault.DeleteConflict, "Cannot delete entity, must delete policies first.")
	}
	return nil
}

// putInline puts a policy into a role or user, or replaces it.
func (s *Service) putInline(ctx context.Context, call *op.Call, find finder, name, document string) error {
	return s.change(ctx, call, find, func(_ *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		if _, err := policy.Parse(policy.KindIdentity, []byte(document)); err != nil {
			return nil, err
		}
		e.inline[name] = document
		size, most := 0, maxRoleInline
		if e.noun == "user" {
			most = maxUserInline
		}
		for _, text := range e.inline {
			size += sizeOf(text)
		}
		if size > most {
			return nil, fault.New(fault.LimitExceeded, "Maximum policy size of %d bytes exceeded for %s %s", most, e.noun, e.name)
		}
		return e.writes()
	})
}

// inlineOf returns the text of an inline policy.
func inlineOf(call *op.Call, find finder, name string) (string, error) {
	e, err := find(call.Snapshot)
	if err != nil {
		return "", err
	}
	document, ok := e.inline[name]
	if !ok {
		return "", e.noInline(name)
	}
	return document, nil
}

func (e *entity) noInline(name string) error {
	return noEntity("The %s policy with name %s cannot be found.", e.noun, name)
}

func (s *Service) deleteInline(ctx context.Context, call *op.Call, find finder, name string) error {
	return s.change(ctx, call, find, func(_ *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		if _, ok := e.inline[name]; !ok {
			return nil, e.noInline(name)
		}
		delete(e.inline, name)
		return e.writes()
	})
}

// listInline lists the names of inline policies.
func listInline(call *op.Call, find finder, in paging) (*ListPoliciesOfOutput, error) {
	e, err := find(call.Snapshot)
	if err != nil {
		return nil, err
	}
	p, err := list[string]{of: "inline " + e.id, items: slices.Sorted(maps.Keys(e.inline)), key: itself}.page(call, in)
	return &ListPoliciesOfOutput{PolicyNames: append([]string{}, p.items...), IsTruncated: p.truncated, Marker: p.marker}, err
}

// hold returns the writes that keep a policy in its place while something is attached to it: the policy itself, unchanged,
// so that who deletes it at the same time has a conflict and looks again. AWS's policies stay anyway.
func hold(p *snapshot.Policy) []store.Write {
	if p.Version == 0 {
		return nil
	}
	return []store.Write{snapshot.PutPolicy(&p.ManagedPolicy, p.Version)}
}

// attach attaches a managed policy; a second time changes nothing.
func (s *Service) attach(ctx context.Context, call *op.Call, find finder, policyARN string) error {
	return s.change(ctx, call, find, func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		p := now.ManagedPolicy(policyARN)
		switch {
		case strings.HasPrefix(policyARN, serviceRolePrefix):
			return nil, fault.New(fault.PolicyNotAttachable, "Cannot attach a Service Role Policy to a Customer Role.")
		case p == nil:
			return nil, noEntity("Policy %s does not exist or is not attachable.", policyARN)
		case slices.Contains(e.attached, policyARN):
			return nil, nil
		case len(e.attached) >= maxAttached:
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for PoliciesPer%s: %d", title(e.noun), maxAttached)
		}
		e.attached = append(e.attached, policyARN)
		slices.Sort(e.attached)
		return e.writes(hold(p)...)
	})
}

func title(noun string) string { return strings.ToUpper(noun[:1]) + noun[1:] }

func (s *Service) detach(ctx context.Context, call *op.Call, find finder, policyARN string) error {
	return s.change(ctx, call, find, func(_ *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		i := slices.Index(e.attached, policyARN)
		if i < 0 {
			return nil, noEntity("Policy %s was not found.", policyARN)
		}
		e.attached = slices.Delete(e.attached, i, i+1)
		return e.writes()
	})
}

// listAttached lists attached policies by ARN; of those that are gone the ARN still tells the name.
func listAttached(call *op.Call, find finder, prefix string, in paging) (*ListAttachedPoliciesOutput, error) {
	e, err := find(call.Snapshot)
	if err != nil {
		return nil, err
	}
	all := attachedOnWire(e.attached)
	all = slices.DeleteFunc(all, func(a AttachedPolicy) bool { return !strings.HasPrefix(pathOf(*a.PolicyArn), prefix) })
	p, err := list[AttachedPolicy]{of: "attached " + e.id, items: all, key: func(a AttachedPolicy) string { return *a.PolicyArn }}.page(call, in)
	return &ListAttachedPoliciesOutput{AttachedPolicies: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

// attachedOnWire are attached policies in the order of their ARNs.
func attachedOnWire(policyARNs []string) []AttachedPolicy {
	out := []AttachedPolicy{}
	for _, policyARN := range slices.Sorted(slices.Values(policyARNs)) {
		name := policyARN[strings.LastIndexByte(policyARN, '/')+1:]
		out = append(out, AttachedPolicy{PolicyName: &name, PolicyArn: &policyARN})
	}
	return out
}

// pathOf is the path in the ARN of a managed policy.
func pathOf(policyARN string) string {
	_, rest, _ := strings.Cut(policyARN, ":policy")
	return rest[:strings.LastIndexByte(rest, '/')+1]
}

// boundary returns the writes that keep a boundary in its place, for whoever is given it; none for no boundary.
func boundary(now *snapshot.Snapshot, policyARN string) ([]store.Write, error) {
	if policyARN == "" {
		return nil, nil
	}
	if strings.HasPrefix(policyARN, serviceRolePrefix) {
		return nil, fault.New(fault.PolicyNotAttachable, "Cannot use a Service Role Policy as a permissions boundary.")
	}
	p := now.ManagedPolicy(policyARN)
	if p == nil {
		return nil, noEntity("Scope ARN: %s does not exist or is not attachable.", policyARN)
	}
	return hold(p), nil
}

// setBoundary gives a role or user a boundary, or takes it away where policyARN is empty.
func (s *Service) setBoundary(ctx context.Context, call *op.Call, find finder, policyARN string) error {
	return s.change(ctx, call, find, func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		held, err := boundary(now, policyARN)
		if err != nil {
			return nil, err
		}
		if policyARN == "" && e.boundary == "" {
			return nil, noEntity("The %s %s has no permissions boundary.", e.noun, e.name)
		}
		e.boundary = policyARN
		return e.writes(held...)
	})
}
