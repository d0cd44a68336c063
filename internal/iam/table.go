package iam

import op "idpool/internal/operation"

// Namespace is IAM's XML namespace.
const Namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Table returns the operations, all of which the caller's policies decide (spec sts-iam §3.3). Clients sign them for
// us-east-1, or for the region that they are set to.
func (s *Service) Table() op.Service {
	t := op.Service{Name: "iam", Protocol: op.Query, Version: "2010-05-08", Namespace: Namespace, Global: true, Closed: true}
	for _, group := range [][]op.Row{s.roles(), s.policies(), s.providers(), s.samlProviders(), s.users(), s.others()} {
		t.Rows = append(t.Rows, group...)
	}
	return t
}

func (s *Service) roles() []op.Row {
	return []op.Row{
		op.Writing(shapes, "CreateRole", on, s.CreateRole),
		op.Reading(shapes, "GetRole", on, s.GetRole),
		op.Writing(shapes, "UpdateRole", on, s.UpdateRole),
		op.Writing(shapes, "UpdateRoleDescription", on, s.UpdateRoleDescription),
		op.Writing(shapes, "UpdateAssumeRolePolicy", on, s.UpdateAssumeRolePolicy),
		op.Writing(shapes, "DeleteRole", on, s.DeleteRole),
		op.Reading(shapes, "ListRoles", everything, s.ListRoles),
		op.Writing(shapes, "TagRole", on, s.TagRole),
		op.Writing(shapes, "UntagRole", on, s.UntagRole),
		op.Reading(shapes, "ListRoleTags", on, s.ListRoleTags),
		op.Writing(shapes, "PutRolePolicy", on, s.PutRolePolicy),
		op.Reading(shapes, "GetRolePolicy", on, s.GetRolePolicy),
		op.Writing(shapes, "DeleteRolePolicy", on, s.DeleteRolePolicy),
		op.Reading(shapes, "ListRolePolicies", on, s.ListRolePolicies),
		op.Writing(shapes, "AttachRolePolicy", on, s.AttachRolePolicy),
		op.Writing(shapes, "DetachRolePolicy", on, s.DetachRolePolicy),
		op.Reading(shapes, "ListAttachedRolePolicies", on, s.ListAttachedRolePolicies),
		op.Writing(shapes, "PutRolePermissionsBoundary", on, s.PutRolePermissionsBoundary),
		op.Writing(shapes, "DeleteRolePermissionsBoundary", on, s.DeleteRolePermissionsBoundary),
		op.Reading(shapes, "ListInstanceProfilesForRole", on, s.ListInstanceProfilesForRole),
	}
}

func (s *Service) policies() []op.Row {
	return []op.Row{
		op.Writing(shapes, "CreatePolicy", on, s.CreatePolicy),
		op.Reading(shapes, "GetPolicy", on, s.GetPolicy),
		op.Writing(shapes, "DeletePolicy", on, s.DeletePolicy),
		op.Reading(shapes, "ListPolicies", everything, s.ListPolicies),
		op.Writing(shapes, "CreatePolicyVersion", on, s.CreatePolicyVersion),
		op.Reading(shapes, "GetPolicyVersion", on, s.GetPolicyVersion),
		op.Reading(shapes, "ListPolicyVersions", on, s.ListPolicyVersions),
		op.Writing(shapes, "DeletePolicyVersion", on, s.DeletePolicyVersion),
		op.Writing(shapes, "SetDefaultPolicyVersion", on, s.SetDefaultPolicyVersion),
		op.Writing(shapes, "TagPolicy", on, s.TagPolicy),
		op.Writing(shapes, "UntagPolicy", on, s.UntagPolicy),
		op.Reading(shapes, "ListPolicyTags", on, s.ListPolicyTags),
		op.Reading(shapes, "ListEntitiesForPolicy", on, s.ListEntitiesForPolicy),
	}
}

func (s *Service) providers() []op.Row {
	return []op.Row{
		op.Writing(shapes, "CreateOpenIDConnectProvider", on, s.CreateOpenIDConnectProvider),
		op.Reading(shapes, "GetOpenIDConnectProvider", on, s.GetOpenIDConnectProvider),
		op.Writing(shapes, "DeleteOpenIDConnectProvider", on, s.DeleteOpenIDConnectProvider),
		op.Reading(shapes, "ListOpenIDConnectProviders", everything, s.ListOpenIDConnectProviders),
		op.Writing(shapes, "UpdateOpenIDConnectProviderThumbprint", on, s.UpdateOpenIDConnectProviderThumbprint),
		op.Writing(shapes, "AddClientIDToOpenIDConnectProvider", on, s.AddClientIDToOpenIDConnectProvider),
		op.Writing(shapes, "RemoveClientIDFromOpenIDConnectProvider", on, s.RemoveClientIDFromOpenIDConnectProvider),
		op.Writing(shapes, "TagOpenIDConnectProvider", on, s.TagOpenIDConnectProvider),
		op.Writing(shapes, "UntagOpenIDConnectProvider", on, s.UntagOpenIDConnectProvider),
		op.Reading(shapes, "ListOpenIDConnectProviderTags", on, s.ListOpenIDConnectProviderTags),
	}
}

func (s *Service) samlProviders() []op.Row {
	return []op.Row{
		op.Writing(shapes, "CreateSAMLProvider", on, s.CreateSAMLProvider),
		op.Reading(shapes, "GetSAMLProvider", on, s.GetSAMLProvider),
		op.Writing(shapes, "UpdateSAMLProvider", on, s.UpdateSAMLProvider),
		op.Writing(shapes, "DeleteSAMLProvider", on, s.DeleteSAMLProvider),
		op.Reading(shapes, "ListSAMLProviders", everything, s.ListSAMLProviders),
		op.Writing(shapes, "TagSAMLProvider", on, s.TagSAMLProvider),
		op.Writing(shapes, "UntagSAMLProvider", on, s.UntagSAMLProvider),
		op.Reading(shapes, "ListSAMLProviderTags", on, s.ListSAMLProviderTags),
	}
}

func (s *Service) users() []op.Row {
	return []op.Row{
		op.Writing(shapes, "CreateUser", on, s.CreateUser),
		op.Reading(shapes, "GetUser", on, s.GetUser),
		op.Writing(shapes, "UpdateUser", on, s.UpdateUser),
		op.Writing(shapes, "DeleteUser", on, s.DeleteUser),
		op.Reading(shapes, "ListUsers", everything, s.ListUsers),
		op.Reading(shapes, "ListGroupsForUser", on, s.ListGroupsForUser),
		op.Writing(shapes, "TagUser", on, s.TagUser),
		op.Writing(shapes, "UntagUser", on, s.UntagUser),
		op.Reading(shapes, "ListUserTags", on, s.ListUserTags),
		op.Writing(shapes, "PutUserPolicy", on, s.PutUserPolicy),
		op.Reading(shapes, "GetUserPolicy", on, s.GetUserPolicy),
		op.Writing(shapes, "DeleteUserPolicy", on, s.DeleteUserPolicy),
		op.Reading(shapes, "ListUserPolicies", on, s.ListUserPolicies),
		op.Writing(shapes, "AttachUserPolicy", on, s.AttachUserPolicy),
		op.Writing(shapes, "DetachUserPolicy", on, s.DetachUserPolicy),
		op.Reading(shapes, "ListAttachedUserPolicies", on, s.ListAttachedUserPolicies),
		op.Writing(shapes, "PutUserPermissionsBoundary", on, s.PutUserPermissionsBoundary),
		op.Writing(shapes, "DeleteUserPermissionsBoundary", on, s.DeleteUserPermissionsBoundary),
		op.Writing(shapes, "CreateAccessKey", on, s.CreateAccessKey),
		op.Reading(shapes, "ListAccessKeys", on, s.ListAccessKeys),
		op.Writing(shapes, "UpdateAccessKey", on, s.UpdateAccessKey),
		op.Writing(shapes, "DeleteAccessKey", on, s.DeleteAccessKey),
	}
}

func (s *Service) others() []op.Row {
	return []op.Row{
		op.Writing(shapes, "EnableOutboundWebIdentityFederation", everything, s.EnableOutboundWebIdentityFederation),
		op.Reading(shapes, "GetOutboundWebIdentityFederationInfo", everything, s.GetOutboundWebIdentityFederationInfo),
		op.Writing(shapes, "DisableOutboundWebIdentityFederation", everything, s.DisableOutboundWebIdentityFederation),
		op.Reading(shapes, "GetAccountSummary", everything, s.GetAccountSummary),
		op.Reading(shapes, "ListAccountAliases", everything, s.ListAccountAliases),
		op.Reading(shapes, "GetAccountAuthorizationDetails", everything, s.GetAccountAuthorizationDetails),
		op.Reading(shapes, "SimulateCustomPolicy", everything, s.SimulateCustomPolicy),
		op.Reading(shapes, "SimulatePrincipalPolicy", on, s.SimulatePrincipalPolicy),
	}
}
