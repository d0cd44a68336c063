package cognito

import (
	"context"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

// GetOpenIdToken is the classic flow's second step: a token of ours that the client takes to STS (spec §7.9). Whether the
// pool has the classic flow is asked before anything is verified or linked.
func (s *Service) GetOpenIdToken(ctx context.Context, call *operation.Call, in *GetOpenIdTokenInput) (*GetOpenIdTokenOutput, error) {
	found, err := s.identity(ctx, call, *in.IdentityId)
	if err != nil {
		return nil, err
	}
	if err := s.classic(call, call.Snapshot.Pool(found.PoolID)); err != nil {
		return nil, err
	}
	who, err := s.enter(ctx, call, *in.IdentityId, in.Logins)
	if err != nil {
		return nil, err
	}
	token, err := issuer.Sign(call.Snapshot.Keys, s.claims(call, who))
	if err != nil {
		return nil, err
	}
	call.Event.Add(event.Step{Name: "mint", OK: true, Found: "an OpenID token"})
	return &GetOpenIdTokenOutput{IdentityId: &who.identity.ID, Token: &token}, nil
}

// classic refuses the classic flow where the pool has it not (spec §11.1).
func (s *Service) classic(call *operation.Call, p *snapshot.Pool) error {
	allowed := s.ClassicWhenUnset
	if p.AllowClassic != nil {
		allowed = *p.AllowClassic
	}
	switch {
	case len(p.RoleMappings) > 0:
		call.Event.Add(event.Step{Name: "choose", Expected: "a pool without role mappings", Found: "role mappings"})
		return fault.New(fault.InvalidParameter, "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.")
	case !allowed:
		call.Event.Add(event.Step{Name: "choose", Expected: "a pool with the classic flow", Found: "the classic flow is not enabled"})
		return fault.New(fault.InvalidParameter, "Basic (classic) flow is not enabled, please use enhanced flow.")
	}
	return nil
}
