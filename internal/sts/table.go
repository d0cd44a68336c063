package sts

import (
	"context"

	"idpool/internal/operation"
	"idpool/internal/shape"
)

// Namespace is STS's XML namespace.
const Namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Table returns STS's operations.
func (s *Service) Table() operation.Service {
	return operation.Service{
		Name: "sts", Protocol: operation.Query, Version: "2011-06-15", Namespace: Namespace,
		Rows: []operation.Row{
			operation.WithSignature(shapes, "GetCallerIdentity", s.GetCallerIdentity),
		},
	}
}

// shapes are the constraints of STS's members (spec sts-iam §1.3).
var shapes = shape.Table{}

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
