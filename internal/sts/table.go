package sts

import (
	"context"

	"idpool/internal/operation"
	"idpool/internal/session"
	"idpool/internal/shape"
)

// Namespace is STS's XML namespace.
const Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Table returns STS's operations.
func (s *Service) Table() operation.Service {
	webIdentity := operation.Public(shapes, "AssumeRoleWithWebIdentity", s.AssumeRoleWithWebIdentity)
	webIdentity.BodyOnly = true
	whoAmI := operation.WithSignature(shapes, "GetCallerIdentity", s.GetCallerIdentity)
	whoAmI.OpenTo = []session.Kind{session.OfUser, session.FederatedUser}
	return operation.Service{
		Name: "sts", Protocol: operation.Query, Version: "2011-06-15", Namespace: Namespace, Closed: true,
		Rows: []operation.Row{
			webIdentity,
			whoAmI,
		},
	}
}

// shapes are the constraints of STS's members (spec sts-iam §1.3).
var shapes = shape.Table{
	"arnType":                   shape.Text{Min: 20, Max: 2048},
	"clientTokenType":           shape.Text{Min: 4, Max: 20000, Sensitive: true},
	"policyDescriptorListType":  shape.List{Max: 10},
	"roleDurationSecondsType":   shape.Integer{Min: 900, Max: 43200},
	"roleSessionNameType":       shape.Text{Min: 2, Max: 64, Pattern: `[\w+=,.@-]*`},
	"sessionPolicyDocumentType": shape.Text{Min: 1, Max: 2048},
	"urlType":                   shape.Text{Min: 4, Max: 2048},
}

// GetCallerIdentityInput has no members.
type GetCallerIdentityInput struct{}

// GetCallerIdentityOutput says who signed.
type GetCallerIdentityOutput struct {
	Arn     *string
	UserId  *string
	Account *string
}

// GetCallerIdentity answers everyone who signs, even where a policy denies it (spec §1.4).
func (s *Service) GetCallerIdentity(_ context.Context, call *operation.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	c := call.Caller
	return &GetCallerIdentityOutput{Arn: &c.ARN, UserId: &c.UserID, Account: &c.Account}, nil
}
