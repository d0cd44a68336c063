package iam

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"idpool/internal/account"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
)

// GetAccountAuthorizationDetailsInput asks for a page of everything that decides who may do what.
type GetAccountAuthorizationDetailsInput struct {
	Filter   []string `shape:"entityListType"`
	MaxItems *int64   `shape:"maxItemsType"`
	Marker   *string  `shape:"markerType"`
}

// GetAccountAuthorizationDetailsOutput is a page of users, roles and policies. There are no groups.
type GetAccountAuthorizationDetailsOutput struct {
	UserDetailList  []UserDetail
	GroupDetailList []string
	RoleDetailList  []RoleDetail
	Policies        []ManagedPolicyDetail
	IsTruncated     *bool
	Marker          *string
}

// PolicyDetail is an inline policy.
type PolicyDetail struct{ PolicyName, PolicyDocument *string }

// UserDetail is a user with his policies.
type UserDetail struct {
	Path                    *string
	UserName                *string
	UserId                  *string
	Arn                     *string
	CreateDate              *time.Time
	UserPolicyList          []PolicyDetail
	GroupList               []string
	AttachedManagedPolicies []AttachedPolicy
	PermissionsBoundary     *AttachedPermissionsBoundary
	Tags                    []Tag
}

// RoleDetail is a role with its policies.
type RoleDetail struct {
	Path                     *string
	RoleName                 *string
	RoleId                   *string
	Arn                      *string
	CreateDate               *time.Time
	AssumeRolePolicyDocument *string
	InstanceProfileList      []string
	RolePolicyList           []PolicyDetail
	AttachedManagedPolicies  []AttachedPolicy
	PermissionsBoundary      *AttachedPermissionsBoundary
	Tags                     []Tag
	RoleLastUsed             *RoleLastUsed
}

// ManagedPolicyDetail is a managed policy with its versions.
type ManagedPolicyDetail struct {
	PolicyName                    *string
	PolicyId                      *string
	Arn                           *string
	Path                          *string
	DefaultVersionId              *string
	AttachmentCount               *int64
	PermissionsBoundaryUsageCount *int64
	IsAttachable                  *bool
	Description                   *string
	CreateDate                    *time.Time
	UpdateDate                    *time.Time
	PolicyVersionList             []PolicyVersion
}

// detail is one entity of the answer: its place in the list, the bytes of its policies, and what puts it into the answer.
type detail struct {
	key    string
	weight int
	add    func(*GetAccountAuthorizationDetailsOutput)
}

// GetAccountAuthorizationDetails returns policies, roles and users with all that is in them, by ARN.
func (s *Service) GetAccountAuthorizationDetails(_ context.Context, call *op.Call, in *GetAccountAuthorizationDetailsInput) (*GetAccountAuthorizationDetailsOutput, error) {
	all := details(call, in.Filter)
	slices.SortFunc(all, func(a, b detail) int { return strings.Compare(a.key, b.key) })
	page, err := list[detail]{
		of: "GetAccountAuthorizationDetails", items: all, key: func(d detail) string { return d.key },
		weight: func(d detail) int { return d.weight },
	}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &GetAccountAuthorizationDetailsOutput{
		UserDetailList: []UserDetail{}, GroupDetailList: []string{}, RoleDetailList: []RoleDetail{}, Policies: []ManagedPolicyDetail{},
		IsTruncated: page.truncated, Marker: page.marker,
	}
	for _, d := range page.items {
		d.add(out)
	}
	return out, nil
}

// details are the entities of the kinds in the filter; of all kinds without one.
func details(call *op.Call, filter []string) []detail {
	var out []detail
	wants := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	used := uses(call.Snapshot)
	if wants("AWSManagedPolicy") {
		out = append(out, policyDetails(snapshot.AWSPolicies(), used)...)
	}
	if wants("LocalManagedPolicy") {
		out = append(out, policyDetails(call.Snapshot.Policies(), used)...)
	}
	if wants("Role") {
		for _, r := range call.Snapshot.Roles() {
			add := func(o *GetAccountAuthorizationDetailsOutput) {
				o.RoleDetailList = append(o.RoleDetailList, roleDetail(r))
			}
			out = append(out, detail{r.ARN, len(r.Role.Trust) + bytesOf(r.Inline), add})
		}
	}
	if wants("User") {
		for _, u := range call.Snapshot.Users() {
			add := func(o *GetAccountAuthorizationDetailsOutput) {
				o.UserDetailList = append(o.UserDetailList, userDetail(u))
			}
			out = append(out, detail{u.ARN, bytesOf(u.Inline), add})
		}
	}
	return out
}

func policyDetails(policies []*snapshot.Policy, used map[string]use) []detail {
	var out []detail
	for _, p := range policies {
		add := func(o *GetAccountAuthorizationDetailsOutput) {
			o.Policies = append(o.Policies, policyDetail(p, used[p.ARN]))
		}
		out = append(out, detail{p.ARN, bytesOf(p.Versions), add})
	}
	return out
}

func bytesOf(documents map[string]string) int {
	n := 0
	for _, d := range documents {
		n += len(d)
	}
	return n
}

func policyDetail(p *snapshot.Policy, u use) ManagedPolicyDetail {
	short := policyInList(&p.ManagedPolicy, p.ARN, u)
	return ManagedPolicyDetail{
		PolicyName: short.PolicyName, PolicyId: short.PolicyId, Arn: short.Arn, Path: short.Path, DefaultVersionId: short.DefaultVersionId,
		AttachmentCount: short.AttachmentCount, PermissionsBoundaryUsageCount: short.PermissionsBoundaryUsageCount,
		IsAttachable: short.IsAttachable, Description: optional(p.Description), CreateDate: short.CreateDate, UpdateDate: short.UpdateDate,
		PolicyVersionList: versionDetails(&p.ManagedPolicy),
	}
}

func versionDetails(m *account.ManagedPolicy) []PolicyVersion {
	var out []PolicyVersion
	for _, v := range newestFirst(m.Versions) {
		version := versionOnWire(m, v)
		version.Document = encoded(m.Versions[v])
		out = append(out, version)
	}
	return out
}

func roleDetail(r *snapshot.Role) RoleDetail {
	return RoleDetail{
		Path: &r.Path, RoleName: &r.Name, RoleId: &r.ID, Arn: &r.ARN, CreateDate: &r.Created, AssumeRolePolicyDocument: encoded(r.Role.Trust),
		InstanceProfileList: []string{}, RolePolicyList: inlineDetails(r.Inline), AttachedManagedPolicies: attachedOnWire(r.Attached),
		PermissionsBoundary: boundaryOnWire(r.Boundary), Tags: tagsOnWire(r.Tags), RoleLastUsed: &RoleLastUsed{},
	}
}

func userDetail(u *snapshot.User) UserDetail {
	return UserDetail{
		Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &u.ARN, CreateDate: &u.Created, UserPolicyList: inlineDetails(u.Inline),
		GroupList: []string{}, AttachedManagedPolicies: attachedOnWire(u.Attached), PermissionsBoundary: boundaryOnWire(u.Boundary),
		Tags: tagsOnWire(u.Tags),
	}
}

func inlineDetails(inline map[string]string) []PolicyDetail {
	out := []PolicyDetail{}
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		out = append(out, PolicyDetail{&name, encoded(inline[name])})
	}
	return out
}
