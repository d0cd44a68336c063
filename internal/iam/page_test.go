package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/idpooltest"
)

// pages reads a list to its end and returns the texts of an element; each page has at most n items, and all but the last
// have that many.
func (c caller) pages(n int, element, action string, pairs ...string) []string {
	c.t.Helper()
	var out []string
	marker := ""
	for i := 0; ; i++ {
		more := []string{"MaxItems", fmt.Sprint(n)}
		if marker != "" {
			more = append(more, "Marker", marker)
		}
		xml := c.must(action, with(more, pairs...)...)
		items := between(xml, element)
		out = append(out, items...)
		switch c.only(xml, "IsTruncated") {
		case "false":
			if len(between(xml, "Marker")) != 0 || len(items) > n {
				c.t.Fatalf("%s: got a marker or %d items on the last page: %s", action, len(items), xml)
			}
			return out
		case "true":
			marker = c.only(xml, "Marker")
			if len(items) != n || i > 100 {
				c.t.Fatalf("%s: got %d items, want %d: %s", action, len(items), n, xml)
			}
		}
	}
}

// lists are the operations that answer in pages, each with the element that tells its items apart.
func lists(longName string) []struct {
	action, element string
	pairs           []string
	least           int
} {
	return []struct {
		action, element string
		pairs           []string
		least           int
	}{
		{"ListRoles", "RoleName", nil, 12},
		{"ListUsers", "UserName", nil, 11},
		{"ListPolicies", "Arn", nil, 14},
		{"ListPolicyVersions", "VersionId", []string{"PolicyArn", policyARN}, 5},
		{"ListEntitiesForPolicy", "RoleName", []string{"PolicyArn", policyARN, "EntityFilter", "Role"}, 11},
		{"ListEntitiesForPolicy", "UserName", []string{"PolicyArn", policyARN, "EntityFilter", "User"}, 11},
		{"ListRolePolicies", "member", []string{"RoleName", longName}, 10},
		{"ListUserPolicies", "member", []string{"UserName", longName}, 10},
		{"ListAttachedRolePolicies", "PolicyArn", []string{"RoleName", longName}, 10},
		{"ListAttachedUserPolicies", "PolicyArn", []string{"UserName", longName}, 10},
		{"ListRoleTags", "Key", []string{"RoleName", longName}, 10},
		{"ListUserTags", "Key", []string{"UserName", longName}, 10},
		{"ListPolicyTags", "Key", []string{"PolicyArn", policyARN}, 10},
		{"ListOpenIDConnectProviderTags", "Key", []string{"OpenIDConnectProviderArn", providerARN}, 10},
		{"ListAccessKeys", "AccessKeyId", []string{"UserName", "ann"}, 2},
		{"GetAccountAuthorizationDetails", "Arn", nil, 37},
		{"ListInstanceProfilesForRole", "member", []string{"RoleName", "app"}, 0},
		{"ListGroupsForUser", "member", []string{"UserName", "ann"}, 0},
		{"ListAccountAliases", "member", nil, 0},
		{"SimulateCustomPolicy", "EvalActionName", with(many("ActionNames", 11, "s3:GetObject"), "PolicyInputList.member.1", readS3), 11},
	}
}

// wide grows the standing world until every list has pages. The names and keys are as long as they may be.
func wide(c caller) (longName string) {
	world(c)
	c.mustKey("ann")
	for range 3 {
		c.must("CreatePolicyVersion", "PolicyArn", policyARN, "PolicyDocument", readS3)
	}
	longName = strings.Repeat("x", 64)
	for i := range 10 {
		name := fmt.Sprint("n", i)
		if i == 0 {
			name = longName
		}
		c.must("CreateUser", "UserName", name)
		c.must("CreateRole", "RoleName", name, "AssumeRolePolicyDocument", trustRoot)
		c.must("AttachUserPolicy", "UserName", name, "PolicyArn", policyARN)
		c.must("AttachRolePolicy", "RoleName", name, "PolicyArn", policyARN)
	}
	for i := range 9 {
		long := fmt.Sprint(i) + strings.Repeat("y", 127)
		arn := account + "policy" + "/" + strings.Repeat("p", 510) + "/" + long
		c.must("CreatePolicy", "PolicyName", long, "Path", "/"+strings.Repeat("p", 510)+"/", "PolicyDocument", readS3)
		c.must("AttachUserPolicy", "UserName", longName, "PolicyArn", arn)
		c.must("AttachRolePolicy", "RoleName", longName, "PolicyArn", arn)
	}
	for i := range 10 {
		name, key := fmt.Sprint(i)+strings.Repeat("z", 127), fmt.Sprint(i)+strings.Repeat("語", 127)
		c.must("PutUserPolicy", "UserName", longName, "PolicyName", name, "PolicyDocument", readS3)
		c.must("PutRolePolicy", "RoleName", longName, "PolicyName", name, "PolicyDocument", readS3)
		tag := []string{"Tags.member.1.Key", key, "Tags.member.1.Value", "v"}
		c.must("TagRole", with(tag, "RoleName", longName)...)
		c.must("TagUser", with(tag, "UserName", longName)...)
		c.must("TagPolicy", with(tag, "PolicyArn", policyARN)...)
		c.must("TagOpenIDConnectProvider", with(tag, "OpenIDConnectProviderArn", providerARN)...)
	}
	return longName
}

// Pages of every size hold every item once, in one order.
func TestPages(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	tried := 0
	for _, l := range lists(wide(c)) {
		all := c.pages(1000, l.element, l.action, l.pairs...)
		if len(all) < l.least {
			t.Errorf("%s: got %d items, want %d", l.action, len(all), l.least)
		}
		for _, n := range []int{1, 3, len(all), len(all) + 1} {
			if n == 0 {
				continue
			}
			tried++
			got := c.pages(n, l.element, l.action, l.pairs...)
			if l.action == "GetAccountAuthorizationDetails" { // each page has its entities by kind
				slices.Sort(got)
				slices.Sort(all)
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s by %d: got %.1000v, want %.1000v", l.action, n, got, all)
			}
		}
	}
	if tried < 70 {
		t.Errorf("got %d walks, want 70", tried)
	}
}

// What comes and goes between pages does not make others come twice, or not at all.
func TestPagesWhileThingsChange(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	for _, name := range []string{"b", "D", "f", "h"} {
		c.must("CreateUser", "UserName", name)
	}
	first := c.must("ListUsers", "MaxItems", "2")
	if got := between(first, "UserName"); !slices.Equal(got, []string{"b", "D"}) {
		t.Fatalf("got %v, want b and D", got)
	}
	c.must("DeleteUser", "UserName", "D") // where the marker points
	c.must("CreateUser", "UserName", "a")
	c.must("CreateUser", "UserName", "e")
	second := c.must("ListUsers", "MaxItems", "1000", "Marker", c.only(first, "Marker"))
	if got := between(second, "UserName"); !slices.Equal(got, []string{"dev-admin", "e", "f", "h"}) {
		t.Errorf("got %v, want dev-admin, e, f and h", got)
	}
}

// Security I12: a marker opens one list, for one caller, for an hour.
func TestMarkers(t *testing.T) {
	now := atomic.Pointer[time.Time]{}
	now.Store(&noon)
	s := idpooltest.Start(t, idpooltest.Options{Clock: func() time.Time { return *now.Load() }})
	c := as(t, s, nil)
	longName := wide(c)
	other := as(t, s, c.mustUser("other", allow("*", "*")))
	marker := c.only(c.must("ListRoleTags", "RoleName", longName, "MaxItems", "1"), "Marker")
	c.must("ListRoleTags", "RoleName", longName, "Marker", marker)
	for what, refuse := range map[string]func() string{
		"another caller": func() string {
			return other.refused(400, "ValidationError", "ListRoleTags", "RoleName", longName, "Marker", marker)
		},
		"another list": func() string { return c.refused(400, "ValidationError", "ListRoles", "Marker", marker) },
		"another role": func() string {
			return c.refused(400, "ValidationError", "ListRoleTags", "RoleName", "app", "Marker", marker)
		},
		"a user of a name": func() string {
			return c.refused(400, "ValidationError", "ListUserTags", "UserName", longName, "Marker", marker)
		},
		"a changed one": func() string {
			return c.refused(400, "ValidationError", "ListRoleTags", "RoleName", longName, "Marker", marker[:len(marker)-1]+"~")
		},
		"a shorter one": func() string {
			return c.refused(400, "ValidationError", "ListRoleTags", "RoleName", longName, "Marker", marker[:40])
		},
		"a name": func() string { return c.refused(400, "ValidationError", "ListRoles", "Marker", "app") },
		"a session's token": func() string {
			return c.refused(400, "ValidationError", "ListRoles", "Marker", s.MustVend("").Credentials.SessionToken)
		},
	} {
		if got := refuse(); got != "Invalid Marker." {
			t.Errorf("%s: got %q, want Invalid Marker.", what, got)
		}
	}
	later := noon.Add(time.Hour)
	now.Store(&later)
	if err := s.Source.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.client.Now = func() time.Time { return later }
	if got := c.refused(400, "ValidationError", "ListRoleTags", "RoleName", longName, "Marker", marker); got != "Invalid Marker." {
		t.Errorf("after an hour: got %q, want Invalid Marker.", got)
	}
}

// Filters go before pages.
func TestFilters(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	world(c)
	c.must("AttachRolePolicy", "RoleName", "app", "PolicyArn", admin)
	for _, r := range []struct {
		action, element string
		pairs, want     []string
	}{
		{"ListRoles", "RoleName", []string{"PathPrefix", "/service"}, []string{"app"}},
		{"ListRoles", "RoleName", []string{"PathPrefix", "/"}, []string{"app", "dev-authenticated", "dev-guest"}},
		{"ListUsers", "UserName", []string{"PathPrefix", "/people/"}, []string{"ann"}},
		{"ListPolicies", "PolicyName", []string{"Scope", "Local"}, []string{"fence", "shared"}},
		{"ListPolicies", "PolicyName", []string{"Scope", "AWS"}, []string{"AdministratorAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "ReadOnlyAccess"}},
		{"ListPolicies", "PolicyName", []string{"Scope", "All", "OnlyAttached", "true"}, []string{"shared", "AdministratorAccess"}},
		{"ListPolicies", "PolicyName", []string{"PolicyUsageFilter", "PermissionsBoundary"}, []string{"fence"}},
		{"ListPolicies", "PolicyName", []string{"PolicyUsageFilter", "PermissionsPolicy"}, []string{"shared", "AdministratorAccess"}},
		{"ListPolicies", "PolicyName", []string{"PathPrefix", "/team/"}, []string{"shared"}},
		{"ListAttachedRolePolicies", "PolicyName", []string{"RoleName", "app", "PathPrefix", "/team/"}, []string{"shared"}},
		{"ListAttachedRolePolicies", "PolicyName", []string{"RoleName", "app"}, []string{"shared", "AdministratorAccess"}},
		{"ListEntitiesForPolicy", "RoleName", []string{"PolicyArn", fenceARN}, []string{"app"}},
		{"ListEntitiesForPolicy", "UserName", []string{"PolicyArn", fenceARN}, []string{"ann"}},
		{"ListEntitiesForPolicy", "RoleName", []string{"PolicyArn", fenceARN, "PolicyUsageFilter", "PermissionsPolicy"}, nil},
		{"ListEntitiesForPolicy", "UserName", []string{"PolicyArn", fenceARN, "PolicyUsageFilter", "PermissionsBoundary"}, []string{"ann"}},
		{"ListEntitiesForPolicy", "UserName", []string{"PolicyArn", policyARN, "EntityFilter", "Role"}, nil},
		{"ListEntitiesForPolicy", "UserName", []string{"PolicyArn", policyARN, "EntityFilter", "Group"}, nil},
		{"ListEntitiesForPolicy", "RoleName", []string{"PolicyArn", policyARN, "PathPrefix", "/people/"}, nil},
		{"GetAccountAuthorizationDetails", "RoleName", []string{"Filter.member.1", "Role"}, []string{"dev-authenticated", "dev-guest", "app"}},
		{"GetAccountAuthorizationDetails", "UserName", []string{"Filter.member.1", "Role"}, nil},
		{"GetAccountAuthorizationDetails", "UserName", []string{"Filter.member.1", "Group", "Filter.member.2", "User"}, []string{"dev-admin", "ann"}},
	} {
		if got := between(c.must(r.action, r.pairs...), r.element); !slices.Equal(got, r.want) {
			t.Errorf("%s %v: got %v, want %v", r.action, r.pairs, got, r.want)
		}
	}
}

// A page ends early when the policies on it are large: white space counts for no quota.
func TestHeavyPages(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	space := strings.Repeat(" ", 100_000)
	for i := range 12 {
		c.must("CreateRole", "RoleName", fmt.Sprint("r", i), "AssumeRolePolicyDocument", trustRoot+space)
	}
	for _, action := range []string{"ListRoles", "GetAccountAuthorizationDetails"} {
		if first := between(c.must(action), "RoleName"); len(first) < 2 || len(first) > 4 {
			t.Errorf("%s: got %d roles on the first page, want 2 to 4", action, len(first))
		}
	}
}
