package iam

import (
	"idpool/internal/account"
	"idpool/internal/arn"
	op "idpool/internal/operation"
)

// What each input concerns; see aimed.

func (in *CreateRoleInput) target(call *op.Call) (op.Target, error) {
	t := creating(arn.Role(call.Snapshot.Account, or(in.Path, "/"), *in.RoleName), in.Tags, "TagRole")
	if in.PermissionsBoundary == nil {
		return t, nil
	}
	return bounded(t, *in.PermissionsBoundary)
}

func (in *RoleInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *RolePageInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *UpdateRoleInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *UpdateRoleDescriptionInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *UpdateAssumeRolePolicyInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *ListAttachedRolePoliciesInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *PutRolePolicyInput) target(call *op.Call) (op.Target, error) {
	return holding(call, role(*in.RoleName), roleTarget(call, *in.RoleName)), nil
}

func (in *GetRolePolicyInput) target(call *op.Call) (op.Target, error) {
	return roleTarget(call, *in.RoleName), nil
}

func (in *DeleteRolePolicyInput) target(call *op.Call) (op.Target, error) {
	return holding(call, role(*in.RoleName), roleTarget(call, *in.RoleName)), nil
}

func (in *RoleAttachmentInput) target(call *op.Call) (op.Target, error) {
	return attaching(holding(call, role(*in.RoleName), roleTarget(call, *in.RoleName)), *in.PolicyArn), checkARN(*in.PolicyArn)
}

func (in *PutRolePermissionsBoundaryInput) target(call *op.Call) (op.Target, error) {
	return bounded(roleTarget(call, *in.RoleName), *in.PermissionsBoundary)
}

func (in *DeleteRolePermissionsBoundaryInput) target(call *op.Call) (op.Target, error) {
	return holding(call, role(*in.RoleName), roleTarget(call, *in.RoleName)), nil
}

func (in *TagRoleInput) target(call *op.Call) (op.Target, error) {
	return tagging(roleTarget(call, *in.RoleName), in.Tags), nil
}

func (in *UntagRoleInput) target(call *op.Call) (op.Target, error) {
	return untagging(roleTarget(call, *in.RoleName), in.TagKeys), nil
}

func (in *CreateUserInput) target(call *op.Call) (op.Target, error) {
	t := creating(arn.User(call.Snapshot.Account, or(in.Path, "/"), *in.UserName), in.Tags, "TagUser")
	if in.PermissionsBoundary == nil {
		return t, nil
	}
	return bounded(t, *in.PermissionsBoundary)
}

func (in *UserInput) target(call *op.Call) (op.Target, error) {
	return userTarget(call, *in.UserName), nil
}

func (in *OwnUserInput) target(call *op.Call) (op.Target, error) {
	return ownTarget(call, in.UserName)
}

// ownTarget is the user with the name; without one, the caller.
func ownTarget(call *op.Call, name *string) (op.Target, error) {
	of, err := nameOr(call, name)
	if err != nil {
		return nil, err
	}
	return userTarget(call, of), nil
}

func (in *UserPageInput) target(call *op.Call) (op.Target, error) {
	return userTarget(call, *in.UserName), nil
}

// target is the user as he is and as he will be: who may rename one user cannot take the name of another's policies.
func (in *UpdateUserInput) target(call *op.Call) (op.Target, error) {
	t := userTarget(call, *in.UserName)
	path := "/"
	if u, err := userIn(call.Snapshot, *in.UserName); err == nil {
		path = u.Path
	}
	renamed := arn.User(call.Snapshot.Account, or(in.NewPath, path), or(in.NewUserName, *in.UserName))
	return append(t, op.Check{Resource: renamed, Keys: t[0].Keys}), nil
}

func (in *ListAttachedUserPoliciesInput) target(call *op.Call) (op.Target, error) {
	return userTarget(call, *in.UserName), nil
}

func (in *PutUserPolicyInput) target(call *op.Call) (op.Target, error) {
	return holding(call, user(*in.UserName), userTarget(call, *in.UserName)), nil
}

func (in *GetUserPolicyInput) target(call *op.Call) (op.Target, error) {
	return userTarget(call, *in.UserName), nil
}

func (in *DeleteUserPolicyInput) target(call *op.Call) (op.Target, error) {
	return holding(call, user(*in.UserName), userTarget(call, *in.UserName)), nil
}

func (in *UserAttachmentInput) target(call *op.Call) (op.Target, error) {
	return attaching(holding(call, user(*in.UserName), userTarget(call, *in.UserName)), *in.PolicyArn), checkARN(*in.PolicyArn)
}

func (in *PutUserPermissionsBoundaryInput) target(call *op.Call) (op.Target, error) {
	return bounded(userTarget(call, *in.UserName), *in.PermissionsBoundary)
}

func (in *DeleteUserPermissionsBoundaryInput) target(call *op.Call) (op.Target, error) {
	return holding(call, user(*in.UserName), userTarget(call, *in.UserName)), nil
}

func (in *TagUserInput) target(call *op.Call) (op.Target, error) {
	return tagging(userTarget(call, *in.UserName), in.Tags), nil
}

func (in *UntagUserInput) target(call *op.Call) (op.Target, error) {
	return untagging(userTarget(call, *in.UserName), in.TagKeys), nil
}

func (in *UpdateAccessKeyInput) target(call *op.Call) (op.Target, error) {
	return ownTarget(call, in.UserName)
}

func (in *DeleteAccessKeyInput) target(call *op.Call) (op.Target, error) {
	return ownTarget(call, in.UserName)
}

func (in *ListAccessKeysInput) target(call *op.Call) (op.Target, error) {
	return ownTarget(call, in.UserName)
}

func (in *CreatePolicyInput) target(call *op.Call) (op.Target, error) {
	return creating(arn.ManagedPolicy(call.Snapshot.Account, or(in.Path, "/"), *in.PolicyName), in.Tags, "TagPolicy"), nil
}

func (in *PolicyInput) target(call *op.Call) (op.Target, error) {
	return policyTarget(call, *in.PolicyArn)
}

func (in *PolicyPageInput) target(call *op.Call) (op.Target, error) {
	return policyTarget(call, *in.PolicyArn)
}

func (in *CreatePolicyVersionInput) target(call *op.Call) (op.Target, error) {
	return policyTarget(call, *in.PolicyArn)
}

func (in *PolicyVersionInput) target(call *op.Call) (op.Target, error) {
	return policyTarget(call, *in.PolicyArn)
}

func (in *ListEntitiesForPolicyInput) target(call *op.Call) (op.Target, error) {
	return policyTarget(call, *in.PolicyArn)
}

func (in *TagPolicyInput) target(call *op.Call) (op.Target, error) {
	t, err := policyTarget(call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return tagging(t, in.Tags), nil
}

func (in *UntagPolicyInput) target(call *op.Call) (op.Target, error) {
	t, err := policyTarget(call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return untagging(t, in.TagKeys), nil
}

func (in *CreateOpenIDConnectProviderInput) target(call *op.Call) (op.Target, error) {
	wanted := account.OIDCProvider{Issuer: *in.Url}
	return creating(wanted.ARN(call.Snapshot.Account), in.Tags, "TagOpenIDConnectProvider"), nil
}

func (in *ProviderInput) target(call *op.Call) (op.Target, error) {
	return providerTarget(call, *in.OpenIDConnectProviderArn)
}

func (in *ProviderPageInput) target(call *op.Call) (op.Target, error) {
	return providerTarget(call, *in.OpenIDConnectProviderArn)
}

func (in *UpdateOpenIDConnectProviderThumbprintInput) target(call *op.Call) (op.Target, error) {
	return providerTarget(call, *in.OpenIDConnectProviderArn)
}

func (in *ClientIDInput) target(call *op.Call) (op.Target, error) {
	return providerTarget(call, *in.OpenIDConnectProviderArn)
}

func (in *TagOpenIDConnectProviderInput) target(call *op.Call) (op.Target, error) {
	t, err := providerTarget(call, *in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return tagging(t, in.Tags), nil
}

func (in *UntagOpenIDConnectProviderInput) target(call *op.Call) (op.Target, error) {
	t, err := providerTarget(call, *in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return untagging(t, in.TagKeys), nil
}

// target is the role or user that is simulated.
func (in *SimulatePrincipalPolicyInput) target(call *op.Call) (op.Target, error) {
	if u := call.Snapshot.User(*in.PolicySourceArn); u != nil {
		return userTarget(call, u.Name), nil
	}
	if r := call.Snapshot.Role(*in.PolicySourceArn); r != nil {
		return roleTarget(call, r.Name), nil
	}
	return op.Target{{Resource: *in.PolicySourceArn}}, nil
}
