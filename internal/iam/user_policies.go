package iam

import (
	"context"

	op "idpool/internal/operation"
)

// PutUserPolicyInput puts a policy into a user.
type PutUserPolicyInput struct {
	UserName       *string `shape:"existingUserNameType,required"`
	PolicyName     *string `shape:"policyNameType,required"`
	PolicyDocument *string `shape:"policyDocumentType,required"`
}

// GetUserPolicyInput names a policy in a user.
type GetUserPolicyInput struct {
	UserName   *string `shape:"existingUserNameType,required"`
	PolicyName *string `shape:"policyNameType,required"`
}

// DeleteUserPolicyInput names a policy in a user.
type DeleteUserPolicyInput struct {
	UserName   *string `shape:"existingUserNameType,required"`
	PolicyName *string `shape:"policyNameType,required"`
}

// GetUserPolicyOutput is a policy in a user.
type GetUserPolicyOutput struct {
	UserName       *string
	PolicyName     *string
	PolicyDocument *string
}

// PutUserPolicy puts a policy into a user, or replaces it. It holds for the user's sessions at once.
func (s *Service) PutUserPolicy(ctx context.Context, call *op.Call, in *PutUserPolicyInput) (*op.Nothing, error) {
	return nil, s.putInline(ctx, call, user(*in.UserName), *in.PolicyName, *in.PolicyDocument)
}

// GetUserPolicy returns a policy in a user.
func (s *Service) GetUserPolicy(_ context.Context, call *op.Call, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	document, err := inlineOf(call, user(*in.UserName), *in.PolicyName)
	return &GetUserPolicyOutput{in.UserName, in.PolicyName, encoded(document)}, err
}

// DeleteUserPolicy deletes a policy in a user.
func (s *Service) DeleteUserPolicy(ctx context.Context, call *op.Call, in *DeleteUserPolicyInput) (*op.Nothing, error) {
	return nil, s.deleteInline(ctx, call, user(*in.UserName), *in.PolicyName)
}

// ListUserPolicies lists the names of the policies in a user.
func (s *Service) ListUserPolicies(_ context.Context, call *op.Call, in *UserPageInput) (*ListPoliciesOfOutput, error) {
	return listInline(call, user(*in.UserName), paging{in.Marker, in.MaxItems})
}

// UserAttachmentInput names a managed policy and a user.
type UserAttachmentInput struct {
	UserName  *string `shape:"userNameType,required"`
	PolicyArn *string `shape:"arnType,required"`
}

// AttachUserPolicy attaches a managed policy to a user.
func (s *Service) AttachUserPolicy(ctx context.Context, call *op.Call, in *UserAttachmentInput) (*op.Nothing, error) {
	return nil, s.attach(ctx, call, user(*in.UserName), *in.PolicyArn)
}

// DetachUserPolicy detaches a managed policy from a user.
func (s *Service) DetachUserPolicy(ctx context.Context, call *op.Call, in *UserAttachmentInput) (*op.Nothing, error) {
	return nil, s.detach(ctx, call, user(*in.UserName), *in.PolicyArn)
}

// ListAttachedUserPoliciesInput asks for a page of the managed policies of a user.
type ListAttachedUserPoliciesInput struct {
	UserName   *string `shape:"userNameType,required"`
	PathPrefix *string `shape:"policyPathType"`
	Marker     *string `shape:"markerType"`
	MaxItems   *int64  `shape:"maxItemsType"`
}

// ListAttachedUserPolicies lists the managed policies of a user.
func (s *Service) ListAttachedUserPolicies(_ context.Context, call *op.Call, in *ListAttachedUserPoliciesInput) (*ListAttachedPoliciesOutput, error) {
	return listAttached(call, user(*in.UserName), text(in.PathPrefix), paging{in.Marker, in.MaxItems})
}

// PutUserPermissionsBoundaryInput gives a user a boundary.
type PutUserPermissionsBoundaryInput struct {
	UserName            *string `shape:"userNameType,required"`
	PermissionsBoundary *string `shape:"arnType,required"`
}

// PutUserPermissionsBoundary gives a user a boundary.
func (s *Service) PutUserPermissionsBoundary(ctx context.Context, call *op.Call, in *PutUserPermissionsBoundaryInput) (*op.Nothing, error) {
	return nil, s.setBoundary(ctx, call, user(*in.UserName), *in.PermissionsBoundary)
}

// DeleteUserPermissionsBoundaryInput names a user with a boundary.
type DeleteUserPermissionsBoundaryInput struct {
	UserName *string `shape:"userNameType,required"`
}

// DeleteUserPermissionsBoundary takes the boundary of a user away.
func (s *Service) DeleteUserPermissionsBoundary(ctx context.Context, call *op.Call, in *DeleteUserPermissionsBoundaryInput) (*op.Nothing, error) {
	return nil, s.setBoundary(ctx, call, user(*in.UserName), "")
}
