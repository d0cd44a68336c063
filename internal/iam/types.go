package iam

import "time"

// The wire types that several groups share; each group's file has its own. Members are named and shaped as in the API model
// (spec sts-iam §3.3). nil is absent.

// Tag is one tag.
type Tag struct {
	Key   *string `shape:"tagKeyType,required"`
	Value *string `shape:"tagValueType,required"`
}

// AttachedPermissionsBoundary is the boundary of a role or user.
type AttachedPermissionsBoundary struct {
	PermissionsBoundaryType *string
	PermissionsBoundaryArn  *string
}

// Role is a role.
type Role struct {
	Path                     *string
	RoleName                 *string
	RoleId                   *string
	Arn                      *string
	CreateDate               *time.Time
	AssumeRolePolicyDocument *string
	Description              *string
	MaxSessionDuration       *int64
	PermissionsBoundary      *AttachedPermissionsBoundary
	Tags                     []Tag
	RoleLastUsed             *RoleLastUsed
}

// RoleLastUsed would say when a role was last used; that is not kept.
type RoleLastUsed struct{}

// User is a user.
type User struct {
	Path                *string
	UserName            *string
	UserId              *string
	Arn                 *string
	CreateDate          *time.Time
	PermissionsBoundary *AttachedPermissionsBoundary
	Tags                []Tag
}

// Policy is a managed policy.
type Policy struct {
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
	Tags                          []Tag
}

// PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	Document         *string
	VersionId        *string
	IsDefaultVersion *bool
	CreateDate       *time.Time
}

// AttachedPolicy is a managed policy where it is attached.
type AttachedPolicy struct {
	PolicyName *string
	PolicyArn  *string
}

// ListPoliciesOfOutput is a page of the names of inline policies.
type ListPoliciesOfOutput struct {
	PolicyNames []string
	IsTruncated *bool
	Marker      *string
}

// ListAttachedPoliciesOutput is a page of attached policies.
type ListAttachedPoliciesOutput struct {
	AttachedPolicies []AttachedPolicy
	IsTruncated      *bool
	Marker           *string
}

// ListTagsOutput is a page of tags.
type ListTagsOutput struct {
	Tags        []Tag
	IsTruncated *bool
	Marker      *string
}

// boundaryOnWire is a boundary, or nil.
func boundaryOnWire(policyARN string) *AttachedPermissionsBoundary {
	if policyARN == "" {
		return nil
	}
	kind := "Policy"
	return &AttachedPermissionsBoundary{PermissionsBoundaryType: &kind, PermissionsBoundaryArn: &policyARN}
}
