package iam

import (
	"context"

	op "idpool/internal/operation"
)

// NothingInput has no members.
type NothingInput struct{}

// GetAccountSummaryOutput counts what the account has, and says its quotas.
type GetAccountSummaryOutput struct {
	SummaryMap map[string]int64
}

// GetAccountSummary counts what the account has, and says its quotas. What it cannot have is 0.
func (s *Service) GetAccountSummary(_ context.Context, call *op.Call, _ *NothingInput) (*GetAccountSummaryOutput, error) {
	now := call.Snapshot
	policies, versions := now.Policies(), 0
	for _, p := range policies {
		versions += len(p.Versions)
	}
	return &GetAccountSummaryOutput{map[string]int64{
		"Users": int64(len(now.Users())), "UsersQuota": maxEntities,
		"Roles": int64(len(now.Roles())), "RolesQuota": maxEntities,
		"Policies": int64(len(policies)), "PoliciesQuota": maxEntities,
		"PolicyVersionsInUse": int64(versions), "PolicyVersionsInUseQuota": maxEntities * maxVersions,
		"Providers": int64(len(now.OIDCProviders()) + len(now.SAMLProviders())),
		"Groups":    0, "GroupsQuota": 0, "GroupsPerUserQuota": 0, "InstanceProfiles": 0, "InstanceProfilesQuota": 0,
		"ServerCertificates": 0, "ServerCertificatesQuota": 0, "MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0,
		"AccountAccessKeysPresent": 0, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0,
		"AccessKeysPerUserQuota": maxKeys, "VersionsPerPolicyQuota": maxVersions, "PolicySizeQuota": maxManaged,
		"AttachedPoliciesPerRoleQuota": maxAttached, "AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": 0,
		"AssumeRolePolicySizeQuota": maxTrust, "RolePolicySizeQuota": maxRoleInline, "UserPolicySizeQuota": maxUserInline,
	}}, nil
}

// ListAccountAliasesInput asks for a page of aliases.
type ListAccountAliasesInput struct {
	Marker   *string `shape:"markerType"`
	MaxItems *int64  `shape:"maxItemsType"`
}

// ListAccountAliasesOutput is a page of aliases, of which there are none.
type ListAccountAliasesOutput struct {
	AccountAliases []string
	IsTruncated    *bool
	Marker         *string
}

// ListAccountAliases answers an empty list.
func (s *Service) ListAccountAliases(context.Context, *op.Call, *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	return &ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(bool)}, nil
}
