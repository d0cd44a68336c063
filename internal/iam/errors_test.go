package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	domain "idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// declared are the errors that the API model declares for each operation, but for ServiceFailure (spec §3.3).
var declared = map[string]string{
	"CreateRole":                    "LimitExceeded InvalidInput EntityAlreadyExists MalformedPolicyDocument ConcurrentModification",
	"GetRole":                       "NoSuchEntity",
	"UpdateRole":                    "UnmodifiableEntity NoSuchEntity",
	"UpdateRoleDescription":         "NoSuchEntity UnmodifiableEntity",
	"UpdateAssumeRolePolicy":        "NoSuchEntity MalformedPolicyDocument LimitExceeded UnmodifiableEntity",
	"DeleteRole":                    "NoSuchEntity DeleteConflict LimitExceeded UnmodifiableEntity ConcurrentModification",
	"ListRoles":                     "",
	"TagRole":                       "NoSuchEntity LimitExceeded InvalidInput ConcurrentModification",
	"UntagRole":                     "NoSuchEntity ConcurrentModification",
	"ListRoleTags":                  "NoSuchEntity",
	"PutRolePolicy":                 "LimitExceeded MalformedPolicyDocument NoSuchEntity UnmodifiableEntity",
	"GetRolePolicy":                 "NoSuchEntity",
	"DeleteRolePolicy":              "NoSuchEntity LimitExceeded UnmodifiableEntity",
	"ListRolePolicies":              "NoSuchEntity",
	"AttachRolePolicy":              "NoSuchEntity LimitExceeded InvalidInput UnmodifiableEntity PolicyNotAttachable",
	"DetachRolePolicy":              "NoSuchEntity LimitExceeded InvalidInput UnmodifiableEntity",
	"ListAttachedRolePolicies":      "NoSuchEntity InvalidInput",
	"PutRolePermissionsBoundary":    "NoSuchEntity InvalidInput UnmodifiableEntity PolicyNotAttachable",
	"DeleteRolePermissionsBoundary": "NoSuchEntity UnmodifiableEntity",
	"ListInstanceProfilesForRole":   "NoSuchEntity",

	"CreatePolicy":            "InvalidInput LimitExceeded EntityAlreadyExists MalformedPolicyDocument ConcurrentModification",
	"GetPolicy":               "NoSuchEntity InvalidInput",
	"DeletePolicy":            "NoSuchEntity LimitExceeded InvalidInput DeleteConflict",
	"ListPolicies":            "",
	"CreatePolicyVersion":     "NoSuchEntity MalformedPolicyDocument InvalidInput LimitExceeded",
	"GetPolicyVersion":        "NoSuchEntity InvalidInput",
	"ListPolicyVersions":      "NoSuchEntity InvalidInput",
	"DeletePolicyVersion":     "NoSuchEntity LimitExceeded InvalidInput DeleteConflict",
	"SetDefaultPolicyVersion": "NoSuchEntity InvalidInput LimitExceeded",
	"TagPolicy":               "NoSuchEntity LimitExceeded InvalidInput ConcurrentModification",
	"UntagPolicy":             "NoSuchEntity InvalidInput ConcurrentModification",
	"ListPolicyTags":          "NoSuchEntity InvalidInput",
	"ListEntitiesForPolicy":   "NoSuchEntity InvalidInput",

	"CreateOpenIDConnectProvider":             "InvalidInput EntityAlreadyExists LimitExceeded ConcurrentModification OpenIdIdpCommunicationError",
	"GetOpenIDConnectProvider":                "InvalidInput NoSuchEntity",
	"DeleteOpenIDConnectProvider":             "InvalidInput NoSuchEntity",
	"ListOpenIDConnectProviders":              "",
	"UpdateOpenIDConnectProviderThumbprint":   "ConcurrentModification InvalidInput NoSuchEntity",
	"AddClientIDToOpenIDConnectProvider":      "ConcurrentModification InvalidInput NoSuchEntity LimitExceeded",
	"RemoveClientIDFromOpenIDConnectProvider": "ConcurrentModification InvalidInput NoSuchEntity",
	"TagOpenIDConnectProvider":                "NoSuchEntity LimitExceeded InvalidInput ConcurrentModification",
	"UntagOpenIDConnectProvider":              "NoSuchEntity InvalidInput ConcurrentModification",
	"ListOpenIDConnectProviderTags":           "NoSuchEntity InvalidInput",

	"CreateSAMLProvider":   "InvalidInput EntityAlreadyExists LimitExceeded ConcurrentModification",
	"GetSAMLProvider":      "NoSuchEntity InvalidInput",
	"UpdateSAMLProvider":   "NoSuchEntity InvalidInput LimitExceeded ConcurrentModification",
	"DeleteSAMLProvider":   "InvalidInput LimitExceeded NoSuchEntity",
	"ListSAMLProviders":    "",
	"TagSAMLProvider":      "NoSuchEntity LimitExceeded InvalidInput ConcurrentModification",
	"UntagSAMLProvider":    "NoSuchEntity InvalidInput ConcurrentModification",
	"ListSAMLProviderTags": "NoSuchEntity InvalidInput",

	"CreateUser":                    "LimitExceeded EntityAlreadyExists NoSuchEntity InvalidInput ConcurrentModification",
	"GetUser":                       "NoSuchEntity",
	"UpdateUser":                    "NoSuchEntity LimitExceeded EntityAlreadyExists EntityTemporarilyUnmodifiable ConcurrentModification",
	"DeleteUser":                    "LimitExceeded NoSuchEntity DeleteConflict ConcurrentModification",
	"ListUsers":                     "",
	"ListGroupsForUser":             "NoSuchEntity",
	"TagUser":                       "NoSuchEntity LimitExceeded InvalidInput ConcurrentModification",
	"UntagUser":                     "NoSuchEntity ConcurrentModification",
	"ListUserTags":                  "NoSuchEntity",
	"PutUserPolicy":                 "LimitExceeded MalformedPolicyDocument NoSuchEntity",
	"GetUserPolicy":                 "NoSuchEntity",
	"DeleteUserPolicy":              "NoSuchEntity LimitExceeded",
	"ListUserPolicies":              "NoSuchEntity",
	"AttachUserPolicy":              "NoSuchEntity LimitExceeded InvalidInput PolicyNotAttachable",
	"DetachUserPolicy":              "NoSuchEntity LimitExceeded InvalidInput",
	"ListAttachedUserPolicies":      "NoSuchEntity InvalidInput",
	"PutUserPermissionsBoundary":    "NoSuchEntity InvalidInput PolicyNotAttachable",
	"DeleteUserPermissionsBoundary": "NoSuchEntity",
	"CreateAccessKey":               "NoSuchEntity LimitExceeded",
	"ListAccessKeys":                "NoSuchEntity",
	"UpdateAccessKey":               "NoSuchEntity LimitExceeded InvalidInput",
	"DeleteAccessKey":               "NoSuchEntity LimitExceeded",

	"EnableOutboundWebIdentityFederation":  "FeatureEnabled",
	"GetOutboundWebIdentityFederationInfo": "FeatureDisabled",
	"DisableOutboundWebIdentityFederation": "FeatureDisabled",

	"GetAccountSummary":              "",
	"ListAccountAliases":             "",
	"GetAccountAuthorizationDetails": "",
	"SimulateCustomPolicy":           "InvalidInput PolicyEvaluation",
	"SimulatePrincipalPolicy":        "NoSuchEntity InvalidInput PolicyEvaluation",
}

// never says of a declared error why it cannot come, or which other test it comes in; empty where it is in the table.
func never(action, code string) string {
	switch {
	case code == "UnmodifiableEntity":
		return "there are no roles of AWS's own services"
	case code == "EntityTemporarilyUnmodifiable":
		return "writes are done when they are answered"
	case code == "OpenIdIdpCommunicationError":
		return "the issuer is not called"
	case code == "PolicyEvaluation":
		return "a policy that was read can be decided by"
	case code == "LimitExceeded" && (strings.HasPrefix(action, "De") || action == "SetDefaultPolicyVersion" || action == "UpdateAccessKey" || action == "UpdateUser" || action == "UpdateSAMLProvider"):
		return "nothing becomes more"
	case code == "InvalidInput" && (strings.HasPrefix(action, "ListAttached") || action == "UpdateAccessKey"):
		return "constraints are all that there is"
	case code == "FeatureEnabled":
		return "TestOutbound"
	case code == "ConcurrentModification":
		return "TestConflicts"
	case code == "LimitExceeded" && (action == "CreateUser" || action == "CreateSAMLProvider"):
		return "TestQuotasOfTheAccount"
	}
	return ""
}

var statuses = map[string]int{
	"NoSuchEntity": 404, "LimitExceeded": 409, "EntityAlreadyExists": 409, "DeleteConflict": 409,
	"InvalidInput": 400, "MalformedPolicyDocument": 400, "PolicyNotAttachable": 400, "FeatureDisabled": 404, "ValidationError": 400, "AccessDenied": 403,
}

const (
	noPolicy    = account + "policy/none"
	awsPolicy   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	servicePath = "arn:aws:iam::aws:policy/aws-service-role/Service"
	noProvider  = account + "oidc-provider/none.example.com"
	duplicate   = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
	reserved    = "System tag keys beginning with aws: are reserved."
)

// large is a policy of n characters without white space.
func large(n int) string {
	head, tail := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/`, `"}}`
	return head + strings.Repeat("a", n-len(head)-len(tail)) + tail
}

// largeTrust is a trust policy of n characters without white space, and some with.
func largeTrust(n int) string {
	head := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + idpooltest.Account + `"},"Action":"sts:AssumeRole","Sid":"`
	tail := `"}}`
	return strings.Repeat(" \n\t\r", 500) + head + strings.Repeat("a", n-len(head)-len(tail)) + tail
}

// tags are parameters for n tags.
func tags(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("key%d", i), fmt.Sprintf("Tags.member.%d.Value", i+1), "")
	}
	return out
}

func twice(first, second string) []string {
	return []string{"Tags.member.1.Key", first, "Tags.member.1.Value", "a", "Tags.member.2.Key", second, "Tags.member.2.Value", "b"}
}

func with(pairs []string, more ...string) []string { return slices.Concat(pairs, more) }

// refusals are requests that are refused in the standing world, grown by crowd.
var refusals = []struct {
	action, code, message string
	pairs                 []string
}{
	{"GetOutboundWebIdentityFederationInfo", "FeatureDisabled", "Outbound web identity federation is disabled for this account.", nil},
	{"DisableOutboundWebIdentityFederation", "FeatureDisabled", "Outbound web identity federation is disabled for this account.", nil},

	{"CreateRole", "EntityAlreadyExists", "Role with name app already exists.", []string{"RoleName", "app", "AssumeRolePolicyDocument", trust}},
	{"CreateRole", "EntityAlreadyExists", "Role with name APP already exists.", []string{"RoleName", "APP", "Path", "/other/", "AssumeRolePolicyDocument", trust}},
	{"CreateRole", "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", []string{"RoleName", "x", "AssumeRolePolicyDocument", largeTrust(2049)}},
	{"CreateRole", "MalformedPolicyDocument", "Syntax errors in policy.", []string{"RoleName", "x", "AssumeRolePolicyDocument", "{}"}},
	{"CreateRole", "MalformedPolicyDocument", "Has prohibited field Resource.", []string{"RoleName", "x", "AssumeRolePolicyDocument", readS3}},
	{"CreateRole", "NoSuchEntity", "Scope ARN: " + noPolicy + " does not exist or is not attachable.", []string{"RoleName", "x", "AssumeRolePolicyDocument", trust, "PermissionsBoundary", noPolicy}},
	{"CreateRole", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"RoleName", "x", "AssumeRolePolicyDocument", trust, "PermissionsBoundary", "no ARN but long enough"}},
	{"CreateRole", "InvalidInput", duplicate, with(twice("a", "A"), "RoleName", "x", "AssumeRolePolicyDocument", trust)},
	{"CreateRole", "InvalidInput", reserved, with(twice("b", "aws:a"), "RoleName", "x", "AssumeRolePolicyDocument", trust)},
	{"CreateRole", "ValidationError", "1 validation error detected: Value '7' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600", []string{"RoleName", "x", "AssumeRolePolicyDocument", trust, "MaxSessionDuration", "7"}},
	{"GetRole", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"GetRole", "NoSuchEntity", "The role with name APP cannot be found.", []string{"RoleName", "APP"}},
	{"UpdateRole", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"UpdateRoleDescription", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "Description", ""}},
	{"UpdateAssumeRolePolicy", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "PolicyDocument", trust}},
	{"UpdateAssumeRolePolicy", "MalformedPolicyDocument", "Missing required field Principal", []string{"RoleName", "app", "PolicyDocument", strings.Replace(readS3, `"Resource":"*"`, `"Sid":"a"`, 1)}},
	{"UpdateAssumeRolePolicy", "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", []string{"RoleName", "app", "PolicyDocument", largeTrust(2049)}},
	{"DeleteRole", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"DeleteRole", "DeleteConflict", "Cannot delete entity, must detach all policies first.", []string{"RoleName", "app"}},
	{"DeleteRole", "DeleteConflict", "Cannot delete entity, must delete policies first.", []string{"RoleName", "inline"}},
	{"TagRole", "NoSuchEntity", "The role with name none cannot be found.", with(tags(1), "RoleName", "none")},
	{"TagRole", "LimitExceeded", "The number of tags has reached the maximum limit.", with(tags(50), "RoleName", "app")},
	{"TagRole", "InvalidInput", duplicate, with(twice("Key", "kEY"), "RoleName", "app")},
	{"TagRole", "InvalidInput", reserved, with(twice("AWS:x", "b"), "RoleName", "app")},
	{"UntagRole", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "TagKeys.member.1", "a"}},
	{"ListRoleTags", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"PutRolePolicy", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "PolicyName", "own", "PolicyDocument", readS3}},
	{"PutRolePolicy", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role app", []string{"RoleName", "app", "PolicyName", "more", "PolicyDocument", large(10241 - len(readS3))}},
	{"PutRolePolicy", "MalformedPolicyDocument", "Policy statement must contain resources.", []string{"RoleName", "app", "PolicyName", "own", "PolicyDocument", strings.Replace(readS3, `,"Resource":"*"`, "", 1)}},
	{"PutRolePolicy", "MalformedPolicyDocument", "Policy document should not specify a principal.", []string{"RoleName", "app", "PolicyName", "own", "PolicyDocument", strings.Replace(readS3, `"Resource":"*"`, `"Resource":"*","Principal":"*"`, 1)}},
	{"GetRolePolicy", "NoSuchEntity", "The role policy with name none cannot be found.", []string{"RoleName", "app", "PolicyName", "none"}},
	{"GetRolePolicy", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "PolicyName", "own"}},
	{"DeleteRolePolicy", "NoSuchEntity", "The role policy with name OWN cannot be found.", []string{"RoleName", "app", "PolicyName", "OWN"}},
	{"ListRolePolicies", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"AttachRolePolicy", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "PolicyArn", admin}},
	{"AttachRolePolicy", "NoSuchEntity", "Policy " + noPolicy + " does not exist or is not attachable.", []string{"RoleName", "app", "PolicyArn", noPolicy}},
	{"AttachRolePolicy", "NoSuchEntity", "Policy " + account + "policy/shared does not exist or is not attachable.", []string{"RoleName", "app", "PolicyArn", account + "policy/shared"}},
	{"AttachRolePolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", []string{"RoleName", "full", "PolicyArn", admin}},
	{"AttachRolePolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"RoleName", "app", "PolicyArn", "no ARN but long enough"}},
	{"AttachRolePolicy", "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.", []string{"RoleName", "app", "PolicyArn", servicePath}},
	{"DetachRolePolicy", "NoSuchEntity", "Policy " + admin + " was not found.", []string{"RoleName", "app", "PolicyArn", admin}},
	{"DetachRolePolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"RoleName", "app", "PolicyArn", "no ARN but long enough"}},
	{"ListAttachedRolePolicies", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},
	{"PutRolePermissionsBoundary", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none", "PermissionsBoundary", admin}},
	{"PutRolePermissionsBoundary", "NoSuchEntity", "Scope ARN: " + noPolicy + " does not exist or is not attachable.", []string{"RoleName", "app", "PermissionsBoundary", noPolicy}},
	{"PutRolePermissionsBoundary", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"RoleName", "app", "PermissionsBoundary", "no ARN but long enough"}},
	{"PutRolePermissionsBoundary", "PolicyNotAttachable", "Cannot use a Service Role Policy as a permissions boundary.", []string{"RoleName", "app", "PermissionsBoundary", servicePath}},
	{"DeleteRolePermissionsBoundary", "NoSuchEntity", "The role full has no permissions boundary.", []string{"RoleName", "full"}},
	{"ListInstanceProfilesForRole", "NoSuchEntity", "The role with name none cannot be found.", []string{"RoleName", "none"}},

	{"CreatePolicy", "EntityAlreadyExists", "A policy called SHARED already exists. Duplicate names are not allowed.", []string{"PolicyName", "SHARED", "PolicyDocument", readS3}},
	{"CreatePolicy", "LimitExceeded", "Cannot exceed quota for PolicySize: 6144", []string{"PolicyName", "x", "PolicyDocument", large(6145)}},
	{"CreatePolicy", "MalformedPolicyDocument", "Syntax errors in policy.", []string{"PolicyName", "x", "PolicyDocument", "x"}},
	{"CreatePolicy", "InvalidInput", duplicate, with(twice("a", "a"), "PolicyName", "x", "PolicyDocument", readS3)},
	{"GetPolicy", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy}},
	{"GetPolicy", "NoSuchEntity", "Policy arn:aws:iam::aws:policy/None was not found.", []string{"PolicyArn", "arn:aws:iam::aws:policy/None"}},
	{"GetPolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough"}},
	{"DeletePolicy", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy}},
	{"DeletePolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough"}},
	{"DeletePolicy", "DeleteConflict", "Cannot delete a policy attached to entities.", []string{"PolicyArn", policyARN}},
	{"DeletePolicy", "DeleteConflict", "Cannot delete a policy attached to entities.", []string{"PolicyArn", fenceARN}},
	{"DeletePolicy", "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.", []string{"PolicyArn", account + "policy/versions"}},
	{"DeletePolicy", "AccessDenied", "Policy is outside your own account.", []string{"PolicyArn", awsPolicy}},
	{"CreatePolicyVersion", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy, "PolicyDocument", readS3}},
	{"CreatePolicyVersion", "MalformedPolicyDocument", "Syntax errors in policy.", []string{"PolicyArn", policyARN, "PolicyDocument", "[]"}},
	{"CreatePolicyVersion", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough", "PolicyDocument", readS3}},
	{"CreatePolicyVersion", "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.", []string{"PolicyArn", account + "policy/versions", "PolicyDocument", readS3}},
	{"CreatePolicyVersion", "LimitExceeded", "Cannot exceed quota for PolicySize: 6144", []string{"PolicyArn", policyARN, "PolicyDocument", large(6145)}},
	{"CreatePolicyVersion", "AccessDenied", "Policy is outside your own account.", []string{"PolicyArn", awsPolicy, "PolicyDocument", readS3}},
	{"GetPolicyVersion", "NoSuchEntity", "Policy " + policyARN + " version v9 does not exist or is not attachable.", []string{"PolicyArn", policyARN, "VersionId", "v9"}},
	{"GetPolicyVersion", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough", "VersionId", "v1"}},
	{"ListPolicyVersions", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy}},
	{"ListPolicyVersions", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough"}},
	{"DeletePolicyVersion", "NoSuchEntity", "Policy " + policyARN + " version v9 does not exist or is not attachable.", []string{"PolicyArn", policyARN, "VersionId", "v9"}},
	{"DeletePolicyVersion", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough", "VersionId", "v1"}},
	{"DeletePolicyVersion", "DeleteConflict", "Cannot delete the default version of a policy.", []string{"PolicyArn", policyARN, "VersionId", "v1"}},
	{"SetDefaultPolicyVersion", "NoSuchEntity", "Policy " + policyARN + " version v9 does not exist or is not attachable.", []string{"PolicyArn", policyARN, "VersionId", "v9"}},
	{"SetDefaultPolicyVersion", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough", "VersionId", "v1"}},
	{"TagPolicy", "NoSuchEntity", "Policy " + noPolicy + " was not found.", with(tags(1), "PolicyArn", noPolicy)},
	{"TagPolicy", "LimitExceeded", "The number of tags has reached the maximum limit.", with(tags(50), "PolicyArn", policyARN)},
	{"TagPolicy", "InvalidInput", reserved, with(twice("aws:", "b"), "PolicyArn", policyARN)},
	{"TagPolicy", "AccessDenied", "Policy is outside your own account.", with(tags(1), "PolicyArn", awsPolicy)},
	{"UntagPolicy", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy, "TagKeys.member.1", "a"}},
	{"UntagPolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough", "TagKeys.member.1", "a"}},
	{"ListPolicyTags", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy}},
	{"ListPolicyTags", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough"}},
	{"ListEntitiesForPolicy", "NoSuchEntity", "Policy " + noPolicy + " was not found.", []string{"PolicyArn", noPolicy}},
	{"ListEntitiesForPolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"PolicyArn", "no ARN but long enough"}},

	{"CreateOpenIDConnectProvider", "EntityAlreadyExists", "Provider with url " + issuer + " already exists.", []string{"Url", issuer}},
	{"CreateOpenIDConnectProvider", "InvalidInput", "Thumbprint list must contain fewer than 5 entries.", with(many("ThumbprintList", 6, thumbprint), "Url", "https://x.example.com")},
	{"CreateOpenIDConnectProvider", "InvalidInput", "A thumbprint must be the 40 hexadecimal digits of a SHA-1.", with(many("ThumbprintList", 1, strings.Repeat("x", 40)), "Url", "https://x.example.com")},
	{"CreateOpenIDConnectProvider", "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100", with(clients(101), "Url", "https://x.example.com")},
	{"CreateOpenIDConnectProvider", "ValidationError", "Invalid Open ID Connect Provider URL", []string{"Url", "http://login.example.com"}},
	{"CreateOpenIDConnectProvider", "ValidationError", "Invalid Open ID Connect Provider URL", []string{"Url", "login.example.com"}},
	{"GetOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider}},
	{"GetOpenIDConnectProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough"}},
	{"DeleteOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider}},
	{"DeleteOpenIDConnectProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough"}},
	{"UpdateOpenIDConnectProviderThumbprint", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider}},
	{"UpdateOpenIDConnectProviderThumbprint", "InvalidInput", "Thumbprint list must contain fewer than 5 entries.", with(many("ThumbprintList", 6, thumbprint), "OpenIDConnectProviderArn", providerARN)},
	{"AddClientIDToOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider, "ClientID", "x"}},
	{"AddClientIDToOpenIDConnectProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough", "ClientID", "x"}},
	{"AddClientIDToOpenIDConnectProvider", "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100", []string{"OpenIDConnectProviderArn", account + "oidc-provider/full.example.com", "ClientID", "x"}},
	{"RemoveClientIDFromOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider, "ClientID", "x"}},
	{"RemoveClientIDFromOpenIDConnectProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough", "ClientID", "x"}},
	{"TagOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, with(tags(1), "OpenIDConnectProviderArn", noProvider)},
	{"TagOpenIDConnectProvider", "LimitExceeded", "The number of tags has reached the maximum limit.", with(tags(50), "OpenIDConnectProviderArn", providerARN)},
	{"TagOpenIDConnectProvider", "InvalidInput", duplicate, with(twice("a", "A"), "OpenIDConnectProviderArn", providerARN)},
	{"UntagOpenIDConnectProvider", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider, "TagKeys.member.1", "a"}},
	{"UntagOpenIDConnectProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough", "TagKeys.member.1", "a"}},
	{"ListOpenIDConnectProviderTags", "NoSuchEntity", "OpenIDConnect Provider not found for arn " + noProvider, []string{"OpenIDConnectProviderArn", noProvider}},
	{"ListOpenIDConnectProviderTags", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"OpenIDConnectProviderArn", "no ARN but long enough"}},

	{"CreateSAMLProvider", "EntityAlreadyExists", "SAML Provider corp already exists.", []string{"Name", "corp", "SAMLMetadataDocument", metadata("", firstKey)}},
	{"CreateSAMLProvider", "EntityAlreadyExists", "SAML Provider CORP already exists.", []string{"Name", "CORP", "SAMLMetadataDocument", metadata("", firstKey)}},
	{"CreateSAMLProvider", "InvalidInput", duplicate, with(twice("a", "A"), "Name", "x", "SAMLMetadataDocument", metadata("", firstKey))},
	{"CreateSAMLProvider", "InvalidInput", "Could not parse metadata: the metadata has 0 certificates to sign with, and not 1 to 16", []string{"Name", "x", "SAMLMetadataDocument", metadata(` ID="` + strings.Repeat("a", 1000) + `"`)}},
	{"CreateSAMLProvider", "InvalidInput", "The metadata document is not valid any more since 2020-01-01T00:00:00Z.", []string{"Name", "x", "SAMLMetadataDocument", metadata(` validUntil="2020-01-01T00:00:00Z"`, firstKey)}},
	{"CreateSAMLProvider", "InvalidInput", noEncrypted, []string{"Name", "x", "SAMLMetadataDocument", metadata("", firstKey), "AssertionEncryptionMode", "Allowed"}},
	{"CreateSAMLProvider", "InvalidInput", noEncrypted, []string{"Name", "x", "SAMLMetadataDocument", metadata("", firstKey), "AddPrivateKey", "key"}},
	{"CreateSAMLProvider", "ValidationError", "1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w._-]+", []string{"Name", "a b", "SAMLMetadataDocument", metadata("", firstKey)}},
	{"CreateSAMLProvider", "ValidationError", "1 validation error detected: Value '<md/>' at 'sAMLMetadataDocument' failed to satisfy constraint: Member must have length greater than or equal to 1000", []string{"Name", "x", "SAMLMetadataDocument", "<md/>"}},
	{"GetSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + noSAML, []string{"SAMLProviderArn", noSAML}},
	{"GetSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + account + "saml-provider/CORP", []string{"SAMLProviderArn", account + "saml-provider/CORP"}},
	{"GetSAMLProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"SAMLProviderArn", "no ARN but long enough"}},
	{"UpdateSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + noSAML, []string{"SAMLProviderArn", noSAML, "SAMLMetadataDocument", metadata("", firstKey)}},
	{"UpdateSAMLProvider", "InvalidInput", "Could not parse metadata: the metadata is not of one EntityDescriptor of SAML 2.0", []string{"SAMLProviderArn", samlARN, "SAMLMetadataDocument", strings.ReplaceAll(metadata("", firstKey), "EntityDescriptor", "EntitiesDescriptor")}},
	{"UpdateSAMLProvider", "InvalidInput", "The metadata document is not valid any more since 2020-01-01T00:00:00Z.", []string{"SAMLProviderArn", samlARN, "SAMLMetadataDocument", metadata(` validUntil="2020-01-01T00:00:00Z"`, firstKey)}},
	{"UpdateSAMLProvider", "InvalidInput", noEncrypted, []string{"SAMLProviderArn", samlARN, "AssertionEncryptionMode", "Required"}},
	{"UpdateSAMLProvider", "InvalidInput", noEncrypted, []string{"SAMLProviderArn", samlARN, "RemovePrivateKey", strings.Repeat("A", 22)}},
	{"DeleteSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + noSAML, []string{"SAMLProviderArn", noSAML}},
	{"DeleteSAMLProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"SAMLProviderArn", "no ARN but long enough"}},
	{"TagSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + noSAML, with(tags(1), "SAMLProviderArn", noSAML)},
	{"TagSAMLProvider", "LimitExceeded", "The number of tags has reached the maximum limit.", with(tags(50), "SAMLProviderArn", samlARN)},
	{"TagSAMLProvider", "InvalidInput", duplicate, with(twice("a", "A"), "SAMLProviderArn", samlARN)},
	{"UntagSAMLProvider", "NoSuchEntity", "Manifest not found for arn " + noSAML, []string{"SAMLProviderArn", noSAML, "TagKeys.member.1", "a"}},
	{"UntagSAMLProvider", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"SAMLProviderArn", "no ARN but long enough", "TagKeys.member.1", "a"}},
	{"ListSAMLProviderTags", "NoSuchEntity", "Manifest not found for arn " + noSAML, []string{"SAMLProviderArn", noSAML}},
	{"ListSAMLProviderTags", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"SAMLProviderArn", "no ARN but long enough"}},

	{"CreateUser", "EntityAlreadyExists", "User with name ANN already exists.", []string{"UserName", "ANN"}},
	{"CreateUser", "NoSuchEntity", "Scope ARN: " + noPolicy + " does not exist or is not attachable.", []string{"UserName", "x", "PermissionsBoundary", noPolicy}},
	{"CreateUser", "InvalidInput", duplicate, with(twice("a", "A"), "UserName", "x")},
	{"GetUser", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"GetUser", "NoSuchEntity", "The user with name Ann cannot be found.", []string{"UserName", "Ann"}},
	{"UpdateUser", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"UpdateUser", "EntityAlreadyExists", "User with name Dev-Admin already exists.", []string{"UserName", "ann", "NewUserName", "Dev-Admin"}},
	{"DeleteUser", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"DeleteUser", "DeleteConflict", "Cannot delete entity, must delete access keys first.", []string{"UserName", "ann"}},
	{"DeleteUser", "DeleteConflict", "Cannot delete entity, must detach all policies first.", []string{"UserName", "full"}},
	{"DeleteUser", "DeleteConflict", "Cannot delete entity, must delete policies first.", []string{"UserName", "inline"}},
	{"ListGroupsForUser", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"TagUser", "NoSuchEntity", "The user with name none cannot be found.", with(tags(1), "UserName", "none")},
	{"TagUser", "LimitExceeded", "The number of tags has reached the maximum limit.", with(tags(50), "UserName", "ann")},
	{"TagUser", "InvalidInput", duplicate, with(twice("a", "A"), "UserName", "ann")},
	{"UntagUser", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none", "TagKeys.member.1", "a"}},
	{"ListUserTags", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"PutUserPolicy", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none", "PolicyName", "own", "PolicyDocument", readS3}},
	{"PutUserPolicy", "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user ann", []string{"UserName", "ann", "PolicyName", "more", "PolicyDocument", large(2049 - len(readS3))}},
	{"PutUserPolicy", "MalformedPolicyDocument", "Syntax errors in policy.", []string{"UserName", "ann", "PolicyName", "own", "PolicyDocument", "{"}},
	{"GetUserPolicy", "NoSuchEntity", "The user policy with name none cannot be found.", []string{"UserName", "ann", "PolicyName", "none"}},
	{"DeleteUserPolicy", "NoSuchEntity", "The user policy with name none cannot be found.", []string{"UserName", "ann", "PolicyName", "none"}},
	{"ListUserPolicies", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"AttachUserPolicy", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none", "PolicyArn", admin}},
	{"AttachUserPolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", []string{"UserName", "full", "PolicyArn", admin}},
	{"AttachUserPolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"UserName", "ann", "PolicyArn", "no ARN but long enough"}},
	{"AttachUserPolicy", "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.", []string{"UserName", "ann", "PolicyArn", servicePath}},
	{"DetachUserPolicy", "NoSuchEntity", "Policy " + admin + " was not found.", []string{"UserName", "ann", "PolicyArn", admin}},
	{"DetachUserPolicy", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"UserName", "ann", "PolicyArn", "no ARN but long enough"}},
	{"ListAttachedUserPolicies", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"PutUserPermissionsBoundary", "NoSuchEntity", "Scope ARN: " + noPolicy + " does not exist or is not attachable.", []string{"UserName", "ann", "PermissionsBoundary", noPolicy}},
	{"PutUserPermissionsBoundary", "InvalidInput", "ARN no ARN but long enough is not valid.", []string{"UserName", "ann", "PermissionsBoundary", "no ARN but long enough"}},
	{"PutUserPermissionsBoundary", "PolicyNotAttachable", "Cannot use a Service Role Policy as a permissions boundary.", []string{"UserName", "ann", "PermissionsBoundary", servicePath}},
	{"DeleteUserPermissionsBoundary", "NoSuchEntity", "The user full has no permissions boundary.", []string{"UserName", "full"}},
	{"CreateAccessKey", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"CreateAccessKey", "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", []string{"UserName", "ann"}},
	{"ListAccessKeys", "NoSuchEntity", "The user with name none cannot be found.", []string{"UserName", "none"}},
	{"UpdateAccessKey", "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.", []string{"UserName", "ann", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE", "Status", "Active"}},
	{"UpdateAccessKey", "ValidationError", "1 validation error detected: Value 'Expired' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", []string{"UserName", "ann", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE", "Status", "Expired"}},
	{"DeleteAccessKey", "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.", []string{"UserName", "ann", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE"}},

	{"SimulateCustomPolicy", "InvalidInput", "Syntax errors in policy.", []string{"PolicyInputList.member.1", "{}", "ActionNames.member.1", "s3:GetObject"}},
	{"SimulateCustomPolicy", "InvalidInput", "Invalid action: s3:*. An action is service:Name, without wildcards.", []string{"PolicyInputList.member.1", readS3, "ActionNames.member.1", "s3:*"}},
	{"SimulateCustomPolicy", "InvalidInput", "CallerArn is required with a ResourcePolicy.", []string{"PolicyInputList.member.1", readS3, "ActionNames.member.1", "s3:GetObject", "ResourcePolicy", readS3}},
	{"SimulateCustomPolicy", "InvalidInput", "The policies have more than 71680 characters without white space.", []string{"PolicyInputList.member.1", large(71681), "ActionNames.member.1", "s3:GetObject"}},
	{"SimulatePrincipalPolicy", "NoSuchEntity", "The entity with ARN " + account + "role/none cannot be found.", []string{"PolicySourceArn", account + "role/none", "ActionNames.member.1", "s3:GetObject"}},
	{"SimulatePrincipalPolicy", "InvalidInput", "Syntax errors in policy.", []string{"PolicySourceArn", account + "user/people/ann", "PermissionsBoundaryPolicyInputList.member.1", "{}", "ActionNames.member.1", "s3:GetObject"}},
}

func many(list string, n int, item string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s.member.%d", list, i+1), item)
	}
	return out
}

func clients(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("ClientIDList.member.%d", i+1), fmt.Sprint("app", i))
	}
	return out
}

// crowd makes what quotas are about.
func crowd(c caller) {
	c.mustKey("ann")
	c.must("CreateUser", "UserName", "full")
	c.must("CreateRole", "RoleName", "full", "AssumeRolePolicyDocument", trust)
	c.must("CreatePolicy", "PolicyName", "versions", "PolicyDocument", readS3)
	for i := range 10 {
		name := fmt.Sprint("p", i)
		c.must("CreatePolicy", "PolicyName", name, "PolicyDocument", readS3)
		c.must("AttachUserPolicy", "UserName", "full", "PolicyArn", account+"policy/"+name)
		c.must("AttachRolePolicy", "RoleName", "full", "PolicyArn", account+"policy/"+name)
	}
	for range 4 {
		c.must("CreatePolicyVersion", "PolicyArn", account+"policy/versions", "PolicyDocument", readS3)
	}
	c.must("CreateUser", "UserName", "inline")
	c.must("PutUserPolicy", "UserName", "inline", "PolicyName", "own", "PolicyDocument", large(2048))
	c.must("CreateRole", "RoleName", "inline", "AssumeRolePolicyDocument", largeTrust(2048))
	c.must("PutRolePolicy", "RoleName", "inline", "PolicyName", "own", "PolicyDocument", large(10240))
	c.must("CreatePolicy", "PolicyName", "large", "PolicyDocument", large(6144))
	c.must("CreateOpenIDConnectProvider", with(clients(100), "Url", "https://full.example.com")...)
}

// Every declared error comes with its code, status and sentence, or cannot come for a reason; and whatever is refused
// changes nothing.
func TestErrors(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	world(c)
	crowd(c)
	before := body(c.must("GetAccountAuthorizationDetails", "MaxItems", "1000"))
	seen := map[string]bool{}
	for _, r := range refusals {
		seen[r.action+" "+r.code] = true
		if got := c.refused(statuses[r.code], r.code, r.action, r.pairs...); got != r.message {
			t.Errorf("%s %v: got %q, want %q", r.action, r.pairs, got, r.message)
		}
	}
	if after := body(c.must("GetAccountAuthorizationDetails", "MaxItems", "1000")); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	all, _ := actions()
	for _, action := range all {
		codes, ok := declared[action]
		if !ok {
			t.Errorf("%s: which errors does it declare?", action)
		}
		for code := range strings.FieldsSeq(codes) {
			if comes, reason := seen[action+" "+code], never(action, code); comes == (reason != "") {
				t.Errorf("%s declares %s: in the table %v, and not there because %q", action, code, comes, reason)
			}
		}
	}
}

// TestQuotasOfTheAccount writes as many entities as there may be past the API, as that many requests would take long.
func TestQuotasOfTheAccount(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	var writes []store.Write
	for i := range 5000 {
		name := fmt.Sprint("n", i)
		writes = append(writes,
			snapshot.PutUser(&domain.User{Name: name, Path: "/", ID: "AIDA" + name}, 0),
			snapshot.PutRole(&domain.Role{Name: name, Path: "/", ID: "AROA" + name, Trust: trustRoot, MaxSession: 3600}, 0),
			snapshot.PutPolicy(&domain.ManagedPolicy{Name: name, Path: "/", ID: "ANPA" + name, Default: "v1", Versions: map[string]string{"v1": readS3}}, 0))
	}
	for i := range 99 {
		writes = append(writes, snapshot.PutOIDCProvider(&domain.OIDCProvider{Issuer: fmt.Sprintf("https://i%d.example.com", i), Created: time.Unix(0, 0)}, idpooltest.Account, 0))
	}
	for i := range 100 {
		writes = append(writes, snapshot.PutSAMLProvider(&domain.SAMLProvider{Name: fmt.Sprint("s", i), ID: fmt.Sprint("S", i), Metadata: metadata("", firstKey)}, 0))
	}
	if err := s.Source.Write(t.Context(), writes...); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		action, quota string
		pairs         []string
	}{
		{"CreateUser", "UsersPerAccount: 5000", []string{"UserName", "x"}},
		{"CreateRole", "RolesPerAccount: 5000", []string{"RoleName", "x", "AssumeRolePolicyDocument", trustRoot}},
		{"CreatePolicy", "PoliciesPerAccount: 5000", []string{"PolicyName", "x", "PolicyDocument", readS3}},
		{"CreateOpenIDConnectProvider", "OpenIdConnectProvidersPerAccount: 100", []string{"Url", "https://x.example.com"}},
		{"CreateSAMLProvider", "SAMLProvidersPerAccount: 100", []string{"Name", "x", "SAMLMetadataDocument", metadata("", firstKey)}},
	} {
		if got := c.refused(409, "LimitExceeded", r.action, r.pairs...); got != "Cannot exceed quota for "+r.quota {
			t.Errorf("got %q, want the quota %s", got, r.quota)
		}
	}
	summary := c.must("GetAccountSummary")
	for _, want := range []string{"<key>Roles</key><value>5002</value>", "<key>Users</key><value>5001</value>", "<key>Policies</key><value>5000</value>", "<key>Providers</key><value>200</value>"} {
		if !strings.Contains(summary, want) {
			t.Errorf("got %s, want %s in it", summary, want)
		}
	}
}
