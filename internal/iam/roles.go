package iam

import (
	"context"
	"strings"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// defaultSession is the longest session of a role that does not say, in seconds.
const defaultSession = 3600

// CreateRoleInput asks for a role.
type CreateRoleInput struct {
	Path                     *string `shape:"pathType"`
	RoleName                 *string `shape:"roleNameType,required"`
	AssumeRolePolicyDocument *string `shape:"policyDocumentType,required"`
	Description              *string `shape:"roleDescriptionType"`
	MaxSessionDuration       *int64  `shape:"roleMaxSessionDurationType"`
	PermissionsBoundary      *string `shape:"arnType"`
	Tags                     []Tag   `shape:"tagListType"`
}

// RoleInput names a role.
type RoleInput struct {
	RoleName *string `shape:"roleNameType,required"`
}

// RoleOutput is a role.
type RoleOutput struct {
	Role *Role
}

// CreateRole makes a role with a new id. Names are unique without case.
func (s *Service) CreateRole(ctx context.Context, call *op.Call, in *CreateRoleInput) (*RoleOutput, error) {
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	r := &account.Role{
		Name: *in.RoleName, Path: or(in.Path, "/"), Created: call.Now.UTC().Truncate(time.Second), Description: text(in.Description),
		MaxSession: or(in.MaxSessionDuration, defaultSession), Boundary: text(in.PermissionsBoundary), Tags: tags,
	}
	if r.ID, err = account.NewID(arn.PrefixRole, s.Random); err != nil {
		return nil, err
	}
	err = s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		switch {
		case now.RoleNamed(r.Name) != nil:
			return nil, fault.New(fault.ResourceConflict, "Role with name %s already exists.", r.Name)
		case len(now.Roles()) >= maxEntities:
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for RolesPerAccount: %d", maxEntities)
		}
		if err := s.setTrust(call, now, r, *in.AssumeRolePolicyDocument); err != nil {
			return nil, err
		}
		held, err := boundary(now, r.Boundary)
		return append(held, snapshot.PutRole(r, 0)), err
	})
	if err != nil {
		return nil, err
	}
	return &RoleOutput{roleOnWire(call, r)}, nil
}

// roleOnWire is a role as answers on it alone show it.
func roleOnWire(call *op.Call, r *account.Role) *Role {
	out := roleInList(call, r)
	out.PermissionsBoundary = boundaryOnWire(r.Boundary)
	out.Tags, out.RoleLastUsed = tagsOnWire(r.Tags), &RoleLastUsed{}
	return &out
}

// roleInList is a role as lists show it.
func roleInList(call *op.Call, r *account.Role) Role {
	roleARN := r.ARN(call.Snapshot.Account)
	return Role{
		Path: &r.Path, RoleName: &r.Name, RoleId: &r.ID, Arn: &roleARN, CreateDate: &r.Created,
		AssumeRolePolicyDocument: encoded(r.Trust), Description: optional(r.Description), MaxSessionDuration: &r.MaxSession,
	}
}

// GetRole returns a role.
func (s *Service) GetRole(_ context.Context, call *op.Call, in *RoleInput) (*RoleOutput, error) {
	r, err := roleIn(call.Snapshot, *in.RoleName)
	if err != nil {
		return nil, err
	}
	return &RoleOutput{roleOnWire(call, &r.Role)}, nil
}

// changeRole changes what a role alone has, and returns the role as it has become.
func (s *Service) changeRole(ctx context.Context, call *op.Call, name string, edit func(*snapshot.Snapshot, *account.Role) error) (*account.Role, error) {
	var out account.Role
	err := s.change(ctx, call, role(name), func(now *snapshot.Snapshot, _ *entity) ([]store.Write, error) {
		r := now.RoleNamed(name)
		out = r.Role
		if err := edit(now, &out); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.PutRole(&out, r.Version)}, out.Validate()
	})
	return &out, err
}

// UpdateRoleInput changes a role; what is absent stays.
type UpdateRoleInput struct {
	RoleName           *string `shape:"roleNameType,required"`
	Description        *string `shape:"roleDescriptionType"`
	MaxSessionDuration *int64  `shape:"roleMaxSessionDurationType"`
}

// UpdateRoleOutput has no members.
type UpdateRoleOutput struct{}

// UpdateRole changes a role's description and longest session.
func (s *Service) UpdateRole(ctx context.Context, call *op.Call, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	_, err := s.changeRole(ctx, call, *in.RoleName, func(_ *snapshot.Snapshot, r *account.Role) error {
		r.Description = or(in.Description, r.Description)
		r.MaxSession = or(in.MaxSessionDuration, r.MaxSession)
		return nil
	})
	return &UpdateRoleOutput{}, err
}

// UpdateRoleDescriptionInput changes a role's description.
type UpdateRoleDescriptionInput struct {
	RoleName    *string `shape:"roleNameType,required"`
	Description *string `shape:"roleDescriptionType,required"`
}

// UpdateRoleDescription is UpdateRole for the description alone, and answers with the role.
func (s *Service) UpdateRoleDescription(ctx context.Context, call *op.Call, in *UpdateRoleDescriptionInput) (*RoleOutput, error) {
	r, err := s.changeRole(ctx, call, *in.RoleName, func(_ *snapshot.Snapshot, r *account.Role) error {
		r.Description = *in.Description
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &RoleOutput{roleOnWire(call, r)}, nil
}

// UpdateAssumeRolePolicyInput replaces a trust policy.
type UpdateAssumeRolePolicyInput struct {
	RoleName       *string `shape:"roleNameType,required"`
	PolicyDocument *string `shape:"policyDocumentType,required"`
}

// UpdateAssumeRolePolicy replaces a role's trust policy. Sessions of the role go on.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, call *op.Call, in *UpdateAssumeRolePolicyInput) (*op.Nothing, error) {
	_, err := s.changeRole(ctx, call, *in.RoleName, func(now *snapshot.Snapshot, r *account.Role) error {
		return s.setTrust(call, now, r, *in.PolicyDocument)
	})
	return nil, err
}

// DeleteRole deletes a role without policies. Its sessions end at once; pools may still name it.
func (s *Service) DeleteRole(ctx context.Context, call *op.Call, in *RoleInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, role(*in.RoleName), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		if err := e.bare(); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.DeleteRole(e.name, now.RoleNamed(e.name).Version)}, nil
	})
}

// ListRolesInput asks for a page of roles.
type ListRolesInput struct {
	PathPrefix *string `shape:"pathPrefixType"`
	Marker     *string `shape:"markerType"`
	MaxItems   *int64  `shape:"maxItemsType"`
}

// ListRolesOutput is a page of roles.
type ListRolesOutput struct {
	Roles       []Role
	IsTruncated *bool
	Marker      *string
}

// ListRoles lists roles by name, without tags and boundaries (spec §3.3).
func (s *Service) ListRoles(_ context.Context, call *op.Call, in *ListRolesInput) (*ListRolesOutput, error) {
	var roles []*snapshot.Role
	for _, r := range call.Snapshot.Roles() {
		if strings.HasPrefix(r.Path, text(in.PathPrefix)) {
			roles = append(roles, r)
		}
	}
	p, err := list[*snapshot.Role]{
		of: "ListRoles", items: roles, key: func(r *snapshot.Role) string { return strings.ToLower(r.Name) },
		weight: func(r *snapshot.Role) int { return len(r.Role.Trust) },
	}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &ListRolesOutput{Roles: []Role{}, IsTruncated: p.truncated, Marker: p.marker}
	for _, r := range p.items {
		out.Roles = append(out.Roles, roleInList(call, &r.Role))
	}
	return out, nil
}

// RolePageInput asks for a page of something of a role.
type RolePageInput struct {
	RoleName *string `shape:"roleNameType,required"`
	Marker   *string `shape:"markerType"`
	MaxItems *int64  `shape:"maxItemsType"`
}

// ListInstanceProfilesForRoleOutput is a page of instance profiles, of which there are none.
type ListInstanceProfilesForRoleOutput struct {
	InstanceProfiles []string
	IsTruncated      *bool
	Marker           *string
}

// ListInstanceProfilesForRole answers an empty list: Terraform asks before it deletes a role (spec §3.2).
func (s *Service) ListInstanceProfilesForRole(_ context.Context, call *op.Call, in *RolePageInput) (*ListInstanceProfilesForRoleOutput, error) {
	if _, err := roleIn(call.Snapshot, *in.RoleName); err != nil {
		return nil, err
	}
	return &ListInstanceProfilesForRoleOutput{InstanceProfiles: []string{}, IsTruncated: new(bool)}, nil
}
