package iam

import (
	"context"
	"slices"
	"strings"

	op "idpool/internal/operation"
	"idpool/internal/snapshot"
)

// ListEntitiesForPolicyInput asks who uses a managed policy.
type ListEntitiesForPolicyInput struct {
	PolicyArn         *string `shape:"arnType,required"`
	EntityFilter      *string `shape:"EntityType"`
	PathPrefix        *string `shape:"pathType"`
	PolicyUsageFilter *string `shape:"PolicyUsageType"`
	Marker            *string `shape:"markerType"`
	MaxItems          *int64  `shape:"maxItemsType"`
}

// ListEntitiesForPolicyOutput is a page of users of a policy. There are no groups.
type ListEntitiesForPolicyOutput struct {
	PolicyGroups []string
	PolicyUsers  []PolicyUser
	PolicyRoles  []PolicyRole
	IsTruncated  *bool
	Marker       *string
}

// PolicyUser is a user with a policy.
type PolicyUser struct{ UserName, UserId *string }

// PolicyRole is a role with a policy.
type PolicyRole struct{ RoleName, RoleId *string }

// policyUse is a role or user with a policy.
type policyUse struct {
	noun, name, id string
	path           string
	attached       []string
	boundary       string
}

// ListEntitiesForPolicy lists the roles, then the users, to which a policy is attached or whose boundary it is.
func (s *Service) ListEntitiesForPolicy(_ context.Context, call *op.Call, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	if _, err := policyIn(call.Snapshot, *in.PolicyArn); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(policyUses(call.Snapshot), func(u policyUse) bool { return !in.wants(&u) })
	key := func(u policyUse) string { return u.noun + "/" + strings.ToLower(u.name) }
	page, err := list[policyUse]{of: "ListEntitiesForPolicy " + *in.PolicyArn, items: all, key: key}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &ListEntitiesForPolicyOutput{
		PolicyGroups: []string{}, PolicyUsers: []PolicyUser{}, PolicyRoles: []PolicyRole{}, IsTruncated: page.truncated, Marker: page.marker,
	}
	for _, u := range page.items {
		if u.noun == "role" {
			out.PolicyRoles = append(out.PolicyRoles, PolicyRole{&u.name, &u.id})
		} else {
			out.PolicyUsers = append(out.PolicyUsers, PolicyUser{&u.name, &u.id})
		}
	}
	return out, nil
}

// policyUses are all roles, then all users.
func policyUses(now *snapshot.Snapshot) []policyUse {
	var out []policyUse
	for _, r := range now.Roles() {
		out = append(out, policyUse{"role", r.Name, r.ID, r.Path, r.Attached, r.Boundary})
	}
	for _, u := range now.Users() {
		out = append(out, policyUse{"user", u.Name, u.ID, u.Path, u.Attached, u.Boundary})
	}
	return out
}

func (in *ListEntitiesForPolicyInput) wants(u *policyUse) bool {
	if filter := text(in.EntityFilter); filter != "" && !strings.EqualFold(filter, u.noun) || !strings.HasPrefix(u.path, text(in.PathPrefix)) {
		return false
	}
	attached, bounds := slices.Contains(u.attached, *in.PolicyArn), u.boundary == *in.PolicyArn
	switch text(in.PolicyUsageFilter) {
	case "PermissionsPolicy":
		return attached
	case "PermissionsBoundary":
		return bounds
	}
	return attached || bounds
}
