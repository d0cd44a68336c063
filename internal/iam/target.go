package iam

import (
	"context"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
)

// aimed is an input that says what it concerns: for the caller's policies, the resources and condition keys that AWS has
// for the operation.
type aimed interface {
	target(*op.Call) (op.Target, error)
}

// on is the target of an operation whose input says it.
func on[In any, P interface {
	*In
	aimed
}](_ context.Context, call *op.Call, in *In) (op.Target, error) {
	return P(in).target(call)
}

// everything is the target of operations that concern nothing in particular.
func everything[In any](context.Context, *op.Call, *In) (op.Target, error) {
	return op.Target{{Resource: "*"}}, nil
}

// target is an entity with its tags; where it is not there, what it would be called.
func target(call *op.Call, find finder, otherwise string) op.Target {
	check := op.Check{Resource: otherwise, Keys: map[string]string{}}
	if e, err := find(call.Snapshot); err == nil {
		check.Resource = e.arn
		for k, v := range e.tags {
			check.Keys["aws:ResourceTag/"+k], check.Keys["iam:ResourceTag/"+k] = v, v
		}
	}
	return op.Target{check}
}

func roleTarget(call *op.Call, name string) op.Target {
	return target(call, role(name), arn.Role(call.Snapshot.Account, "/", name))
}

func userTarget(call *op.Call, name string) op.Target {
	return target(call, user(name), arn.User(call.Snapshot.Account, "/", name))
}

// policyTarget is a managed policy.
func policyTarget(call *op.Call, policyARN string) (op.Target, error) {
	return target(call, managed(policyARN), policyARN), checkARN(policyARN)
}

// checkARN refuses what is no ARN, before policies are asked about it.
func checkARN(text string) error {
	if _, err := arn.Parse(text); err != nil {
		return fault.Wrap(fault.InvalidParameter, "ARN "+text+" is not valid.", err)
	}
	return nil
}

func providerTarget(call *op.Call, providerARN string) (op.Target, error) {
	return target(call, provider(providerARN, false), providerARN), checkARN(providerARN)
}

func samlProviderTarget(call *op.Call, providerARN string) (op.Target, error) {
	return target(call, samlProvider(providerARN), providerARN), checkARN(providerARN)
}

// holding adds the boundary that a role or user has: the operations on what it may do can be held to those with one.
func holding(call *op.Call, find finder, t op.Target) op.Target {
	if e, err := find(call.Snapshot); err == nil && e.boundary != "" {
		t[0].Keys["iam:PermissionsBoundary"] = e.boundary
	}
	return t
}

// bounded adds the boundary that a request gives.
func bounded(t op.Target, boundary string) (op.Target, error) {
	t[0].Keys["iam:PermissionsBoundary"] = boundary
	return t, checkARN(boundary)
}

// attaching adds the managed policy that is attached or detached.
func attaching(t op.Target, policyARN string) op.Target {
	t[0].Keys["iam:PolicyARN"] = policyARN
	return t
}

// tagging adds the tags that a request sets.
func tagging(t op.Target, tags []Tag) op.Target {
	for _, tag := range tags {
		t[0].Keys["aws:RequestTag/"+*tag.Key] = *tag.Value
		t[0].List("aws:TagKeys", *tag.Key)
	}
	return t
}

// untagging adds the keys of the tags that a request removes.
func untagging(t op.Target, keys []string) op.Target {
	for _, k := range keys {
		t[0].List("aws:TagKeys", k)
	}
	return t
}

// creating is the target of what is not there yet. Who makes it with tags must also be allowed to set them, by the action
// that does so on what is there.
func creating(newARN string, tags []Tag, tagAction string) op.Target {
	t := tagging(op.Target{{Resource: newARN, Keys: map[string]string{}}}, tags)
	if len(tags) > 0 {
		t = append(t, op.Check{Action: "iam:" + tagAction, Resource: newARN, Keys: t[0].Keys, Lists: t[0].Lists})
	}
	return t
}

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

func (in *CreateSAMLProviderInput) target(call *op.Call) (op.Target, error) {
	return creating(arn.SAMLProvider(call.Snapshot.Account, *in.Name), in.Tags, "TagSAMLProvider"), nil
}

func (in *SAMLProviderInput) target(call *op.Call) (op.Target, error) {
	return samlProviderTarget(call, *in.SAMLProviderArn)
}

func (in *SAMLProviderPageInput) target(call *op.Call) (op.Target, error) {
	return samlProviderTarget(call, *in.SAMLProviderArn)
}

func (in *UpdateSAMLProviderInput) target(call *op.Call) (op.Target, error) {
	return samlProviderTarget(call, *in.SAMLProviderArn)
}

func (in *TagSAMLProviderInput) target(call *op.Call) (op.Target, error) {
	t, err := samlProviderTarget(call, *in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	return tagging(t, in.Tags), nil
}

func (in *UntagSAMLProviderInput) target(call *op.Call) (op.Target, error) {
	t, err := samlProviderTarget(call, *in.SAMLProviderArn)
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
