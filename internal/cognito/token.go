package cognito

import (
	"context"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/revocation"
	"idpool/internal/snapshot"
)

// GetOpenIdToken is the classic flow's second step: a token of ours that the client takes to STS (spec §7.9). Whether the
// pool has the classic flow is asked before anything is verified or linked.
func (s *Service) GetOpenIdToken(ctx context.Context, call *operation.Call, in *GetOpenIdTokenInput) (*GetOpenIdTokenOutput, error) {
	found, err := s.named(ctx, call, *in.IdentityId, in.Logins)
	if err != nil {
		return nil, err
	}
	p := call.Snapshot.Pool(found.PoolID)
	if err := s.classic(call, p); err != nil {
		return nil, err
	}
	if err := withoutSAML(call, p, in.Logins); err != nil {
		return nil, err
	}
	who, err := s.enter(ctx, call, found, in.Logins)
	if err != nil {
		return nil, err
	}
	if who.token != nil {
		return nil, fault.New(fault.NotAuthorized, "Invalid login token. Can't pass in a Cognito token.")
	}
	claims, err := s.taggedClaims(call, who)
	if err != nil {
		return nil, err
	}
	return s.sign(ctx, call, who, claims)
}

// sign signs a token in its turn: an RSA signature costs more than all else in a request together.
func (s *Service) sign(ctx context.Context, call *operation.Call, who *entered, claims *issuer.Claims) (*GetOpenIdTokenOutput, error) {
	if err := call.Snapshot.Revoked(claims.Issued, revocation.Token(claims.PoolID, claims.IdentityID, claims.AMR)); err != nil {
		// Made in the second of a revocation it would be refused with its first use; in the next one it is not.
		return nil, fault.Wrap(fault.TooManyRequests, "Rate exceeded", err)
	}
	var token string
	var failed error
	if err := s.Signatures.Do(ctx, func() { token, failed = issuer.Sign(call.Snapshot.Keys, claims) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	if err := call.Fresh(); err != nil {
		return nil, err
	}
	call.Event.Add(event.Step{Name: "mint", OK: true, Found: "an OpenID token until " + claims.Expiry.UTC().Format(time.RFC3339)})
	return &GetOpenIdTokenOutput{IdentityId: &who.identity.ID, Token: &token}, nil
}

// withoutSAML refuses logins of SAML providers: their roles come from the assertion, so they have the enhanced flow alone
// (spec §8.10).
func withoutSAML(call *operation.Call, p *snapshot.Pool, logins map[string]string) error {
	for key := range logins {
		if provider := p.Providers[key]; provider != nil && provider.Kind == login.SAML {
			call.Event.Add(event.Step{Name: "choose", Subject: key, Expected: "logins of providers that have the classic flow", Found: "a SAML provider's"})
			return fault.New(fault.InvalidParameter, "Basic (classic) flow is not supported with SAML providers, please use enhanced flow.")
		}
	}
	return nil
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
