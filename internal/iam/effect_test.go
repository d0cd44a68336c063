package iam_test

import (
	"strings"
	"testing"

	"idpool/internal/idpooltest"
)

// What changes in roles and policies holds for sessions that are out already, from the next request on (spec §1.5: the
// policies of a session are those of its role when it is used).
func TestChangesHoldAtOnce(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	alice := as(t, s, s.MustVend("alice").Signer())
	shared := account + "policy/shared"
	root.must("CreatePolicy", "PolicyName", "shared", "PolicyDocument", allow("*", "iam:ListRoles"))
	root.must("CreatePolicyVersion", "PolicyArn", shared, "PolicyDocument", readS3)
	role := []string{"RoleName", "dev-authenticated"}
	deny := strings.Replace(allow("*", "iam:ListRoles"), "Allow", "Deny", 1)
	for _, step := range []struct {
		action  string
		pairs   []string
		allowed bool
	}{
		{"GetRole", role, false},
		{"AttachRolePolicy", with(role, "PolicyArn", shared), true},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", shared, "VersionId", "v2"}, false},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", shared, "VersionId", "v1"}, true},
		{"CreatePolicyVersion", []string{"PolicyArn", shared, "PolicyDocument", readS3}, true},
		{"CreatePolicyVersion", []string{"PolicyArn", shared, "PolicyDocument", readS3, "SetAsDefault", "true"}, false},
		{"AttachRolePolicy", with(role, "PolicyArn", awsPolicy), true},
		{"PutRolePermissionsBoundary", with(role, "PermissionsBoundary", shared), false},
		{"SetDefaultPolicyVersion", []string{"PolicyArn", shared, "VersionId", "v1"}, true},
		{"PutRolePolicy", with(role, "PolicyName", "no", "PolicyDocument", deny), false},
		{"DeleteRolePolicy", with(role, "PolicyName", "no"), true},
		{"DetachRolePolicy", with(role, "PolicyArn", shared), true},
		{"DetachRolePolicy", with(role, "PolicyArn", awsPolicy), false},
		{"PutRolePolicy", with(role, "PolicyName", "yes", "PolicyDocument", allow("*", "iam:List*")), true},
		{"PutRolePermissionsBoundary", with(role, "PermissionsBoundary", admin), true},
		{"PutRolePermissionsBoundary", with(role, "PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3FullAccess"), false},
		{"DeleteRolePermissionsBoundary", role, true},
	} {
		root.must(step.action, step.pairs...)
		_, err := alice.do("ListRoles")
		if got := err == nil; got != step.allowed {
			t.Errorf("after %s %v: allowed %v (%v), want %v", step.action, step.pairs, got, err, step.allowed)
		}
	}
}

// A role that is deleted takes its sessions with it, and one that is made again under its name does not bring them back.
func TestDeletedRolesEndTheirSessions(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	alice := s.MustVend("alice").Signer()
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity",` +
		`"Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"` + s.Dev.PoolID + `"}}}}`
	root.must("DeleteRolePolicy", "RoleName", "dev-authenticated", "PolicyName", "own-identity")
	root.must("DeleteRole", "RoleName", "dev-authenticated") // in use by a pool, as AWS allows
	as(t, s, alice).refused(403, "InvalidClientTokenId", "ListRoles")
	s.MustRefuse("InvalidIdentityPoolConfigurationException", "GetCredentialsForIdentity", nil, map[string]any{
		"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.MustToken("alice")),
	})
	root.must("CreateRole", "RoleName", "dev-authenticated", "AssumeRolePolicyDocument", document)
	as(t, s, alice).refused(403, "InvalidClientTokenId", "ListRoles")
	if _, err := s.WhoAmI(s.MustVend("alice").Signer()); err != nil {
		t.Errorf("a new session of the new role: %v", err)
	}
}

// Providers and their clients are believed as they are now, and setting a tag loads no keys anew.
func TestProvidersHoldAtOnce(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	provider := []string{"OpenIDConnectProviderArn", root.only(root.must("ListOpenIDConnectProviders"), "Arn")}
	in := map[string]any{"IdentityPoolId": s.Dev.PoolID, "Logins": s.Logins(s.MustToken("alice"))}
	s.MustCall("GetId", nil, in, nil)
	root.must("AddClientIDToOpenIDConnectProvider", with(provider, "ClientID", "other-app")...)
	root.must("RemoveClientIDFromOpenIDConnectProvider", with(provider, "ClientID", "dev-app")...)
	s.MustRefuse("NotAuthorizedException", "GetId", nil, in)
	root.must("AddClientIDToOpenIDConnectProvider", with(provider, "ClientID", "dev-app")...)
	s.MustCall("GetId", nil, in, nil)
	loads := func() int { return strings.Count(s.Output(), "loaded the keys of an identity provider") }
	before := loads()
	root.must("TagOpenIDConnectProvider", with(provider, "Tags.member.1.Key", "team", "Tags.member.1.Value", "")...)
	s.MustCall("GetId", nil, in, nil)
	if got := loads(); got != before || before == 0 {
		t.Errorf("keys were loaded %d times, want %d", got, before)
	}
	root.must("DeleteOpenIDConnectProvider", provider...)
	s.MustRefuse("NotAuthorizedException", "GetId", nil, in)
	root.must("CreateOpenIDConnectProvider", "Url", s.IdP.Issuer(), "ClientIDList.member.1", "dev-app")
	s.MustCall("GetId", nil, in, nil)
}

// Tags of one key in two cases are one tag, for IAM as for conditions.
func TestTagsAreWithoutCase(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	c.must("CreateUser", "UserName", "ann", "Tags.member.1.Key", "Team", "Tags.member.1.Value", "blue")
	c.must("TagUser", "UserName", "ann", "Tags.member.1.Key", "TEAM", "Tags.member.1.Value", "green")
	got := c.must("ListUserTags", "UserName", "ann")
	if key, value := c.only(got, "Key"), c.only(got, "Value"); key != "TEAM" || value != "green" {
		t.Errorf("got %s=%s, want TEAM=green", key, value)
	}
	c.must("UntagUser", "UserName", "ann", "TagKeys.member.1", "team")
	if got := between(c.must("ListUserTags", "UserName", "ann"), "Key"); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

// Numbers of versions are not used again, so that nobody takes a new text for an old one.
func TestVersionNumbers(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	shared := account + "policy/shared"
	c.must("CreatePolicy", "PolicyName", "shared", "PolicyDocument", readS3)
	for _, want := range []string{"v2", "v3", "v4"} {
		if got := c.only(c.must("CreatePolicyVersion", "PolicyArn", shared, "PolicyDocument", readS3), "VersionId"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.must("DeletePolicyVersion", "PolicyArn", shared, "VersionId", want)
	}
}
