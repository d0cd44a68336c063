package iam_test

import (
	"slices"
	"strings"
	"testing"

	"idpool/internal/idpooltest"
)

// results are the decisions of a simulation: action, resource, decision and the policy that decided.
func (c caller) results(xml string) []string {
	c.t.Helper()
	var out []string
	for _, r := range strings.Split(xml, "<EvalActionName>")[1:] {
		r = "<EvalActionName>" + r
		policy := append(between(r, "SourcePolicyId"), "")[0]
		kind := append(between(r, "SourcePolicyType"), "")[0]
		out = append(out, strings.Join([]string{c.only(r, "EvalActionName"), c.only(r, "EvalResourceName"), c.only(r, "EvalDecision"), policy, kind}, " "))
	}
	return out
}

const denyB = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}`

func TestSimulateCustomPolicy(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	got := c.results(c.must("SimulateCustomPolicy", "PolicyInputList.member.1", readS3, "PolicyInputList.member.2", denyB,
		"ActionNames.member.1", "s3:GetObject", "ActionNames.member.2", "s3:PutObject",
		"ResourceArns.member.1", "arn:aws:s3:::a/x", "ResourceArns.member.2", "arn:aws:s3:::b/x"))
	want := []string{
		"s3:GetObject arn:aws:s3:::a/x allowed PolicyInputList.1 none",
		"s3:GetObject arn:aws:s3:::b/x explicitDeny PolicyInputList.2 none",
		"s3:PutObject arn:aws:s3:::a/x implicitDeny  ",
		"s3:PutObject arn:aws:s3:::b/x explicitDeny PolicyInputList.2 none",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Condition keys that the policies ask for are missing until they are given.
func TestSimulateWithContext(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*",` +
		`"Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]},"Bool":{"aws:SecureTransport":"true"}}}}`
	base := []string{"PolicyInputList.member.1", document, "ActionNames.member.1", "s3:GetObject", "ResourceArns.member.1", "arn:aws:s3:::b/me/x"}
	bare := c.must("SimulateCustomPolicy", base...)
	missing := between(c.only(bare, "MissingContextValues"), "member")
	if want := []string{"aws:securetransport", "aws:tagkeys", "cognito-identity.amazonaws.com:sub"}; !slices.Equal(missing, want) || c.only(bare, "EvalDecision") != "implicitDeny" {
		t.Errorf("got %s without %v, want implicitDeny without %v", c.only(bare, "EvalDecision"), missing, want)
	}
	full := c.must("SimulateCustomPolicy", with(base,
		"ContextEntries.member.1.ContextKeyName", "Cognito-Identity.amazonaws.com:sub", "ContextEntries.member.1.ContextKeyType", "string", "ContextEntries.member.1.ContextKeyValues.member.1", "me",
		"ContextEntries.member.2.ContextKeyName", "aws:TagKeys", "ContextEntries.member.2.ContextKeyType", "stringList", "ContextEntries.member.2.ContextKeyValues.member.1", "b", "ContextEntries.member.2.ContextKeyValues.member.2", "a",
		"ContextEntries.member.3.ContextKeyName", "aws:SecureTransport", "ContextEntries.member.3.ContextKeyType", "boolean", "ContextEntries.member.3.ContextKeyValues.member.1", "true")...)
	if missing := between(c.only(full, "MissingContextValues"), "member"); c.only(full, "EvalDecision") != "allowed" || len(missing) != 0 {
		t.Errorf("got %s without %v, want allowed without none", c.only(full, "EvalDecision"), missing)
	}
}

// A boundary and a resource's own policy take part as the engine has them.
func TestSimulateWithBoundaryAndResourcePolicy(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	bucket := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account + `user/ann"},"Action":"s3:PutObject","Resource":"*"}}`
	base := []string{"PolicyInputList.member.1", readS3, "ActionNames.member.1", "s3:GetObject", "ActionNames.member.2", "s3:PutObject"}
	fenced := c.must("SimulateCustomPolicy", with(base, "PermissionsBoundaryPolicyInputList.member.1", allow("*", "s3:PutObject"))...)
	if got, within := between(fenced, "EvalDecision"), between(fenced, "AllowedByPermissionsBoundary"); !slices.Equal(got, []string{"implicitDeny", "implicitDeny"}) || !slices.Equal(within, []string{"false", "true"}) {
		t.Errorf("got %v, within the boundary %v", got, within)
	}
	got := c.results(c.must("SimulateCustomPolicy", with(base, "ResourcePolicy", bucket, "CallerArn", account+"user/ann")...))
	want := []string{"s3:GetObject * allowed PolicyInputList.1 none", "s3:PutObject * allowed ResourcePolicy.1 resource"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = c.results(c.must("SimulateCustomPolicy", with(base, "ResourcePolicy", bucket, "CallerArn", account+"user/bob")...))
	if want[1] = "s3:PutObject * implicitDeny  "; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A role or user is simulated with all that it has, and what is asked agrees with what happens.
func TestSimulatePrincipalPolicy(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	world(c)
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"` + account + `user/people/${aws:username}"},` +
		`{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue","aws:PrincipalArn":"` + account + `user/people/ann"}}}]}`
	c.must("PutUserPolicy", "UserName", "ann", "PolicyName", "own", "PolicyDocument", own)
	c.must("DeleteUserPermissionsBoundary", "UserName", "ann")
	c.must("AttachUserPolicy", "UserName", "ann", "PolicyArn", awsPolicy)
	c.must("PutUserPolicy", "UserName", "ann", "PolicyName", "no", "PolicyDocument", strings.Replace(allow("*", "iam:ListRoles"), "Allow", "Deny", 1))
	source := []string{"PolicySourceArn", account + "user/people/ann"}
	got := c.results(c.must("SimulatePrincipalPolicy", with(source, "ActionNames.member.1", "iam:GetUser", "ActionNames.member.2", "iam:ListUsers", "ActionNames.member.3", "iam:ListRoles",
		"ActionNames.member.4", "s3:GetObject", "ActionNames.member.5", "iam:CreateUser", "ActionNames.member.6", "iam:GetRole",
		"ResourceArns.member.1", account+"user/people/ann")...))
	on := " " + account + "user/people/ann "
	want := []string{
		"iam:GetUser" + on + "allowed own user", "iam:ListUsers" + on + "allowed own user", "iam:ListRoles" + on + "explicitDeny no user",
		"s3:GetObject" + on + "allowed " + policyARN + " user-managed", "iam:CreateUser" + on + "implicitDeny  ", "iam:GetRole" + on + "allowed " + awsPolicy + " aws-managed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	ann := as(t, s, c.mustKey("ann"))
	ann.must("GetUser")
	ann.must("ListUsers")
	ann.refused(403, "AccessDenied", "ListRoles")
	ann.refused(403, "AccessDenied", "CreateUser", "UserName", "x")

	role := []string{"PolicySourceArn", account + "role/service/app", "ActionNames.member.1", "s3:GetObject", "ActionNames.member.2", "s3:PutObject"}
	got = c.results(c.must("SimulatePrincipalPolicy", role...))
	if want := []string{"s3:GetObject * allowed own role", "s3:PutObject * implicitDeny  "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = c.results(c.must("SimulatePrincipalPolicy", with(role, "PolicyInputList.member.1", allow("*", "s3:*"), "PermissionsBoundaryPolicyInputList.member.1", allow("*", "s3:PutObject"))...))
	if want := []string{"s3:GetObject * implicitDeny  ", "s3:PutObject * allowed PolicyInputList.1 none"}; !slices.Equal(got, want) {
		t.Errorf("with more: got %q, want %q", got, want)
	}
}
