package iam

import (
	"context"

	op "idpool/internal/operation"
)

// PutRolePolicyInput puts a policy into a role.
type PutRolePolicyInput struct {
	RoleName       *string `shape:"roleNameType,required"`
	PolicyName     *string `shape:"policyNameType,required"`
	PolicyDocument *string `shape:"policyDocumentType,required"`
}

// GetRolePolicyInput names a policy in a role.
type GetRolePolicyInput struct {
	RoleName   *string `shape:"roleNameType,required"`
	PolicyName *string `shape:"policyNameType,required"`
}

// DeleteRolePolicyInput names a policy in a role.
type DeleteRolePolicyInput struct {
	RoleName   *string `shape:"roleNameType,required"`
	PolicyName *string `shape:"policyNameType,required"`
}

// GetRolePolicyOutput is a policy in a role.
type GetRolePolicyOutput struct {
	RoleName       *string
	PolicyName     *string
	PolicyDocument *string
}

// PutRolePolicy puts a policy into a role, or replaces it. It holds for the role's sessions at once.
func (s *Service) PutRolePolicy(ctx context.Context, call *op.Call, in *PutRolePolicyInput) (*op.Nothing, error) {
	return nil, s.putInline(ctx, call, role(*in.RoleName), *in.PolicyName, *in.PolicyDocument)
}

// GetRolePolicy returns a policy in a role.
func (s *Service) GetRolePolicy(_ context.Context, call *op.Call, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	document, err := inlineOf(call, role(*in.RoleName), *in.PolicyName)
	return &GetRolePolicyOutput{in.RoleName, in.PolicyName, encoded(document)}, err
}

// DeleteRolePolicy deletes a policy in a role.
func (s *Service) DeleteRolePolicy(ctx context.Context, call *op.Call, in *DeleteRolePolicyInput) (*op.Nothing, error) {
	return nil, s.deleteInline(ctx, call, role(*in.RoleName), *in.PolicyName)
}

// ListRolePolicies lists the names of the policies in a role.
func (s *Service) ListRolePolicies(_ context.Context, call *op.Call, in *RolePageInput) (*ListPoliciesOfOutput, error) {
	return listInline(call, role(*in.RoleName), paging{in.Marker, in.MaxItems})
}

// RoleAttachmentInput names a managed policy and a role.
type RoleAttachmentInput struct {
	RoleName  *string `shape:"roleNameType,required"`
	PolicyArn *string `shape:"arnType,required"`
}

// AttachRolePolicy attaches a managed policy to a role.
func (s *Service) AttachRolePolicy(ctx context.Context, call *op.Call, in *RoleAttachmentInput) (*op.Nothing, error) {
	return nil, s.attach(ctx, call, role(*in.RoleName), *in.PolicyArn)
}

// DetachRolePolicy detaches a managed policy from a role.
func (s *Service) DetachRolePolicy(ctx context.Context, call *op.Call, in *RoleAttachmentInput) (*op.Nothing, error) {
	return nil, s.detach(ctx, call, role(*in.RoleName), *in.PolicyArn)
}

// ListAttachedRolePoliciesInput asks for a page of the managed policies of a role.
type ListAttachedRolePoliciesInput struct {
	RoleName   *string `shape:"roleNameType,required"`
	PathPrefix *string `shape:"policyPathType"`
	Marker     *string `shape:"markerType"`
	MaxItems   *int64  `shape:"maxItemsType"`
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (s *Service) ListAttachedRolePolicies(_ context.Context, call *op.Call, in *ListAttachedRolePoliciesInput) (*ListAttachedPoliciesOutput, error) {
	return listAttached(call, role(*in.RoleName), text(in.PathPrefix), paging{in.Marker, in.MaxItems})
}

// PutRolePermissionsBoundaryInput gives a role a boundary.
type PutRolePermissionsBoundaryInput struct {
	RoleName            *string `shape:"roleNameType,required"`
	PermissionsBoundary *string `shape:"arnType,required"`
}

// PutRolePermissionsBoundary gives a role a boundary.
func (s *Service) PutRolePermissionsBoundary(ctx context.Context, call *op.Call, in *PutRolePermissionsBoundaryInput) (*op.Nothing, error) {
	return nil, s.setBoundary(ctx, call, role(*in.RoleName), *in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundaryInput names a role with a boundary.
type DeleteRolePermissionsBoundaryInput struct {
	RoleName *string `shape:"roleNameType,required"`
}

// DeleteRolePermissionsBoundary takes the boundary of a role away.
func (s *Service) DeleteRolePermissionsBoundary(ctx context.Context, call *op.Call, in *DeleteRolePermissionsBoundaryInput) (*op.Nothing, error) {
	return nil, s.setBoundary(ctx, call, role(*in.RoleName), "")
}
