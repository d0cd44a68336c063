package operate

import (
	op "idpool/internal/operation"
	"idpool/internal/shape"
)

// Name is the signing name of the service and the prefix of its actions; TargetPrefix precedes the operation in
// X-Amz-Target.
const (
	Name         = "idpool"
	TargetPrefix = "Idpool"
)

// Table returns the operations. There is none that policies do not decide.
func (s *Service) Table() op.Service {
	return op.Service{
		Name: Name, Protocol: op.JSON, TargetPrefix: TargetPrefix,
		Rows: []op.Row{
			op.Writing(shapes, "RevokeSessions", s.revokeTarget, s.RevokeSessions),
			op.Reading(shapes, "ListKeys", listKeysTarget, s.ListKeys),
			op.Reading(shapes, "TestProvider", s.testTarget, s.TestProvider),
			op.Writing(shapes, "RotateKeys", rotateTarget, s.RotateKeys),
			op.Writing(shapes, "RetireKey", retireTarget, s.RetireKey),
		},
	}
}

// shapes are the constraints of the members, by names of our own.
var shapes = shape.Table{
	"AccessKeyID":  shape.Text{Min: 20, Max: 20, Pattern: `(AKIA|ASIA)[A-Z2-7]+`},
	"IdentityID":   shape.Text{Min: 1, Max: 55, Pattern: `[\w-]+:[0-9a-f-]+`},
	"PoolID":       shape.Text{Min: 1, Max: 55, Pattern: `[\w-]+:[0-9a-f-]+`},
	"ProviderName": shape.Text{Min: 1, Max: 400, Pattern: `[!-~]+`},
	"RoleARN":      shape.Text{Min: 20, Max: 400, Pattern: `[!-~]+`},
	"KeyAlgorithm": shape.Text{},
	"KeyID":        shape.Text{Min: 1, Max: 128, Pattern: `[\w-]+`},
	"KeyState":     shape.Text{Enum: []string{"next", "active", "verify-only", "retired"}},
	"KeyUse":       shape.Text{Min: 1, Max: 256, Pattern: `[\w./-]+`},
	"Keys":         shape.List{},
	"ClientIDs":    shape.List{},
	"TestedPools":  shape.List{},
	"Token":        shape.Text{Min: 1, Max: 50000, Sensitive: true},
}
