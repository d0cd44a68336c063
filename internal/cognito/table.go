package cognito

import (
	"context"

	op "idpool/internal/operation"
)

// Table returns the operations: public ones, which take anyone, and signed ones, which the caller's policies decide
// (spec cognito-identity §6). Actions, resources and condition keys are those of §14.2.
func (s *Service) Table() op.Service {
	return op.Service{
		Name: "cognito-identity", Protocol: op.JSON, TargetPrefix: "AWSCognitoIdentityService",
		Rows: []op.Row{
			op.Public(shapes, "GetId", s.GetId),
			op.Public(shapes, "GetCredentialsForIdentity", s.GetCredentialsForIdentity),
			op.Public(shapes, "GetOpenIdToken", s.GetOpenIdToken),
			op.Public(shapes, "UnlinkIdentity", s.UnlinkIdentity),

			op.Writing(shapes, "CreateIdentityPool", createTarget, s.CreateIdentityPool),
			op.Reading(shapes, "DescribeIdentityPool", onPool, s.DescribeIdentityPool),
			op.Writing(shapes, "UpdateIdentityPool", updateTarget, s.UpdateIdentityPool),
			op.Writing(shapes, "DeleteIdentityPool", onPool, s.DeleteIdentityPool),
			op.Reading(shapes, "ListIdentityPools", everyPool, s.ListIdentityPools),
			op.Writing(shapes, "SetIdentityPoolRoles", setRolesTarget, s.SetIdentityPoolRoles),
			op.Reading(shapes, "GetIdentityPoolRoles", onPool, s.GetIdentityPoolRoles),

			op.Reading(shapes, "DescribeIdentity", s.identityTarget, s.DescribeIdentity),
			op.Reading(shapes, "ListIdentities", listTarget, s.ListIdentities),
			op.Writing(shapes, "DeleteIdentities", s.deleteTarget, s.DeleteIdentities),

			op.Writing(shapes, "GetOpenIdTokenForDeveloperIdentity", developerTarget, s.GetOpenIdTokenForDeveloperIdentity),
			op.Reading(shapes, "LookupDeveloperIdentity", lookupTarget, s.LookupDeveloperIdentity),
			op.Writing(shapes, "MergeDeveloperIdentities", mergeTarget, s.MergeDeveloperIdentities),
			op.Writing(shapes, "UnlinkDeveloperIdentity", unlinkTarget, s.UnlinkDeveloperIdentity),

			op.Writing(shapes, "SetPrincipalTagAttributeMap", setTagsTarget, s.SetPrincipalTagAttributeMap),
			op.Reading(shapes, "GetPrincipalTagAttributeMap", getTagsTarget, s.GetPrincipalTagAttributeMap),

			op.Reading(shapes, "ListTagsForResource", listTagsTarget, s.ListTagsForResource),
			op.Writing(shapes, "TagResource", tagTarget, s.TagResource),
			op.Writing(shapes, "UntagResource", untagTarget, s.UntagResource),
		},
	}
}

// everyPool is the target of ListIdentityPools. What a denial shows as its resource is observed (spec §1.5).
func everyPool(_ context.Context, call *op.Call, _ *ListIdentityPoolsInput) (op.Target, error) {
	return op.Target{{Resource: "*", Shown: poolARN(call, "")}}, nil
}

// onPool is the target of the operations that take a pool alone.
func onPool(_ context.Context, call *op.Call, in *PoolInput) (op.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

func developerTarget(_ context.Context, call *op.Call, in *GetOpenIdTokenForDeveloperIdentityInput) (op.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

func lookupTarget(_ context.Context, call *op.Call, in *LookupDeveloperIdentityInput) (op.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

func mergeTarget(_ context.Context, call *op.Call, in *MergeDeveloperIdentitiesInput) (op.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

func unlinkTarget(_ context.Context, call *op.Call, in *UnlinkDeveloperIdentityInput) (op.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

// poolTarget is a pool with its tags as condition keys.
func poolTarget(call *op.Call, id string) op.Target {
	check := op.Check{Resource: poolARN(call, id), Keys: map[string]string{}}
	if p := call.Snapshot.Pool(id); p != nil {
		call.Event.SetPool(id)
		for k, v := range p.Tags {
			check.Keys["aws:ResourceTag/"+k] = v
		}
	}
	return op.Target{check}
}
