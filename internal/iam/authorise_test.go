package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"idpool/internal/idpooltest"
)

// An administrator is what his policies say: of IAM one operation, or of the pools one, or nothing of either.
func TestLimitedAdministrators(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	world(root)
	reader := as(t, s, root.mustUser("reader", allow(account+"role/service/*", "iam:GetRole")))
	reader.must("GetRole", "RoleName", "app")
	if got, want := reader.refused(403, "AccessDenied", "CreateRole", "RoleName", "x", "AssumeRolePolicyDocument", trustRoot),
		"User: "+account+"user/reader is not authorized to perform: iam:CreateRole on resource: "+account+"role/x because no identity-based policy allows the iam:CreateRole action"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	reader.refused(403, "AccessDenied", "GetRole", "RoleName", "dev-guest")
	reader.refused(403, "AccessDenied", "GetRole", "RoleName", "none")

	pool := as(t, s, root.mustUser("pool-admin", allow("arn:aws:cognito-identity:us-east-1:"+idpooltest.Account+":identitypool/"+s.Dev.PoolID, "cognito-identity:*")))
	var described struct{ IdentityPoolId string }
	s.MustCall("DescribeIdentityPool", pool.signer, map[string]string{"IdentityPoolId": s.Dev.PoolID}, &described)
	if described.IdentityPoolId != s.Dev.PoolID {
		t.Errorf("got pool %s, want %s", described.IdentityPoolId, s.Dev.PoolID)
	}
	for _, action := range []string{"GetUser", "ListRoles", "CreateAccessKey", "GetAccountAuthorizationDetails"} {
		pool.refused(403, "AccessDenied", action)
	}
	pool.refused(403, "AccessDenied", "PutUserPolicy", "UserName", "pool-admin", "PolicyName", "own", "PolicyDocument", allow("*", "*"))
	pool.refused(403, "AccessDenied", "AttachRolePolicy", "RoleName", "dev-authenticated", "PolicyArn", admin)
}

// A session of a role is no user: what means "my own" is refused before anything is looked up.
func TestSessionsHaveNoUserOfTheirOwn(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	root.must("AttachRolePolicy", "RoleName", "dev-authenticated", "PolicyArn", admin)
	alice := as(t, s, s.MustVend("alice").Signer())
	for action, pairs := range map[string][]string{
		"GetUser": nil, "CreateAccessKey": nil, "ListAccessKeys": nil,
		"DeleteAccessKey": {"AccessKeyId", "AKIAIOSFODNN7EXAMPLE"},
		"UpdateAccessKey": {"AccessKeyId", "AKIAIOSFODNN7EXAMPLE", "Status", "Active"},
	} {
		if got := alice.refused(400, "ValidationError", action, pairs...); got != "Must specify userName when calling with non-User credentials" {
			t.Errorf("%s: got %q", action, got)
		}
	}
	alice.must("GetUser", "UserName", "dev-admin")
}

// The condition keys of AWS's service authorization reference are there where AWS has them, and nowhere else.
func TestConditionKeys(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	world(root)
	root.must("CreateRole", "RoleName", "free", "AssumeRolePolicyDocument", trustRoot)
	root.must("CreateUser", "UserName", "free")
	conditional := func(actions, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"*","Condition":{` + condition + `}}}`
	}
	const blue, fenced = `"StringEquals":{"aws:ResourceTag/team":"blue"}`, `"ArnEquals":{"iam:PermissionsBoundary":"` + fenceARN + `"}`
	put := []string{"PolicyName", "new", "PolicyDocument", readS3}
	newRole := []string{"RoleName", "new", "AssumeRolePolicyDocument", trustRoot}
	for i, r := range []struct {
		policy  string
		action  string
		allowed []string
		denied  []string
	}{
		{conditional(`"iam:*"`, blue), "GetRole", []string{"RoleName", "app"}, []string{"RoleName", "free"}},
		{conditional(`"iam:*"`, blue), "GetUser", []string{"UserName", "ann"}, []string{"UserName", "free"}},
		{conditional(`"iam:*"`, blue), "GetPolicy", []string{"PolicyArn", policyARN}, []string{"PolicyArn", fenceARN}},
		{conditional(`"iam:*"`, blue), "GetOpenIDConnectProvider", []string{"OpenIDConnectProviderArn", providerARN}, []string{"OpenIDConnectProviderArn", noProvider}},
		{conditional(`"iam:*"`, blue), "GetSAMLProvider", []string{"SAMLProviderArn", samlARN}, []string{"SAMLProviderArn", noSAML}},
		{conditional(`"iam:*"`, strings.Replace(blue, "aws:", "iam:", 1)), "ListRoleTags", []string{"RoleName", "app"}, []string{"RoleName", "free"}},

		{conditional(`"iam:*"`, `"StringEquals":{"aws:RequestTag/stage":"test"}`), "TagRole",
			[]string{"RoleName", "free", "Tags.member.1.Key", "stage", "Tags.member.1.Value", "test"},
			[]string{"RoleName", "free", "Tags.member.1.Key", "stage", "Tags.member.1.Value", "live"}},
		{conditional(`"iam:*"`, `"ForAllValues:StringEquals":{"aws:TagKeys":["stage"]}`), "TagUser",
			[]string{"UserName", "free", "Tags.member.1.Key", "stage", "Tags.member.1.Value", ""},
			with(twice("stage", "team"), "UserName", "free")},
		{conditional(`"iam:*"`, `"ForAnyValue:StringEquals":{"aws:TagKeys":["stage"]}`), "UntagPolicy",
			[]string{"PolicyArn", policyARN, "TagKeys.member.1", "stage"}, []string{"PolicyArn", policyARN, "TagKeys.member.1", "team"}},
		{conditional(`"iam:*"`, `"StringEquals":{"aws:RequestTag/stage":"test"}`), "CreateRole",
			with(newRole, "Tags.member.1.Key", "stage", "Tags.member.1.Value", "test"), newRole},

		{conditional(`"iam:*"`, `"ArnEquals":{"iam:PolicyARN":"`+policyARN+`"}`), "AttachRolePolicy",
			[]string{"RoleName", "free", "PolicyArn", policyARN}, []string{"RoleName", "free", "PolicyArn", admin}},
		{conditional(`"iam:*"`, `"ArnEquals":{"iam:PolicyARN":"`+policyARN+`"}`), "DetachUserPolicy",
			[]string{"UserName", "ann", "PolicyArn", policyARN}, []string{"UserName", "ann", "PolicyArn", admin}},

		{conditional(`"iam:*"`, fenced), "CreateUser", []string{"UserName", "new", "PermissionsBoundary", fenceARN}, []string{"UserName", "new"}},
		{conditional(`"iam:*"`, fenced), "CreateRole", with(newRole, "PermissionsBoundary", fenceARN), with(newRole, "PermissionsBoundary", admin)},
		{conditional(`"iam:*"`, fenced), "PutRolePolicy", with(put, "RoleName", "app"), with(put, "RoleName", "free")},
		{conditional(`"iam:*"`, fenced), "AttachRolePolicy", []string{"RoleName", "app", "PolicyArn", admin}, []string{"RoleName", "free", "PolicyArn", admin}},
		{conditional(`"iam:*"`, fenced), "PutUserPermissionsBoundary", []string{"UserName", "free", "PermissionsBoundary", fenceARN}, []string{"UserName", "ann", "PermissionsBoundary", admin}},
		{conditional(`"iam:*"`, fenced), "DeleteRolePolicy", []string{"RoleName", "app", "PolicyName", "new"}, []string{"RoleName", "free", "PolicyName", "new"}},
		{conditional(`"iam:*"`, `"Null":{"iam:PermissionsBoundary":"true"}`), "GetRole", []string{"RoleName", "app"}, nil},

		{allow("*", "iam:CreateUser", "iam:TagUser"), "CreateUser", []string{"UserName", "new", "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}, nil},
		{allow("*", "iam:CreateUser"), "CreateUser", []string{"UserName", "new"}, []string{"UserName", "other", "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}},
		{allow("*", "iam:CreatePolicy"), "CreatePolicy", []string{"PolicyName", "new", "PolicyDocument", readS3}, []string{"PolicyName", "other", "PolicyDocument", readS3, "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}},
		{allow("*", "iam:CreateOpenIDConnectProvider"), "CreateOpenIDConnectProvider", []string{"Url", "https://new.example.com"}, []string{"Url", "https://other.example.com", "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}},

		{allow("*", "iam:CreateSAMLProvider"), "CreateSAMLProvider", []string{"Name", "new", "SAMLMetadataDocument", metadata("", firstKey)},
			[]string{"Name", "other", "SAMLMetadataDocument", metadata("", firstKey), "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}},
		{allow(account+"saml-provider/team-*", "iam:*"), "CreateSAMLProvider", []string{"Name", "team-a", "SAMLMetadataDocument", metadata("", firstKey)},
			[]string{"Name", "other", "SAMLMetadataDocument", metadata("", firstKey)}},

		{allow(account+"role/team/*", "iam:CreateRole"), "CreateRole", with(newRole, "Path", "/team/a/"), with(newRole, "Path", "/teams/")},
		{allow(account+"user/people/*", "iam:UpdateUser"), "UpdateUser", []string{"UserName", "ann", "NewUserName", "anna"}, []string{"UserName", "anna", "NewPath", "/"}},
		{allow(account+"user/people/*", "iam:UpdateUser"), "UpdateUser", []string{"UserName", "anna", "NewUserName", "ann"}, []string{"UserName", "free", "NewPath", "/people/"}},
		{allow(account+"policy/team/*", "iam:*Policy*"), "GetPolicyVersion", []string{"PolicyArn", policyARN, "VersionId", "v1"}, []string{"PolicyArn", admin, "VersionId", "v1"}},
		{allow(account+"oidc-provider/login.example.com/*", "iam:*"), "CreateOpenIDConnectProvider", []string{"Url", "https://login.example.com/b"}, []string{"Url", "https://login.example.org/b"}},
		{allow(account+"user/people/*", "iam:SimulatePrincipalPolicy"), "SimulatePrincipalPolicy",
			[]string{"PolicySourceArn", account + "user/people/ann", "ActionNames.member.1", "s3:GetObject"},
			[]string{"PolicySourceArn", account + "role/service/app", "ActionNames.member.1", "s3:GetObject"}},
	} {
		c := as(t, s, root.mustUser(fmt.Sprint("caller", i), r.policy))
		if r.denied != nil {
			c.refused(403, "AccessDenied", r.action, r.denied...)
		}
		c.must(r.action, r.allowed...)
		for undo, pairs := range map[string][]string{"DeleteUser": {"UserName", "new"}, "DeleteRole": {"RoleName", "new"}} {
			_, _ = root.do(undo, pairs...)
		}
	}
}
