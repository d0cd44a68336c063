package iam

import (
	"context"
	"strings"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// Rings makes keys.
type Rings interface {
	// Ring makes the ring of a use unless the store has it.
	Ring(ctx context.Context, use string) error
}

// OutboundOutput names the issuer of outbound tokens.
type OutboundOutput struct {
	IssuerIdentifier *string
}

// OutboundInfoOutput says whether they are handed out as well.
type OutboundInfoOutput struct {
	IssuerIdentifier  *string
	JwtVendingEnabled *bool
}

func (s *Service) outboundIssuer() *string {
	url := s.Issuer + issuer.OutboundPath
	return &url
}

// EnableOutboundWebIdentityFederation lets callers have tokens of sts:GetWebIdentityToken. The first time it makes their keys.
func (s *Service) EnableOutboundWebIdentityFederation(ctx context.Context, call *op.Call, _ *NothingInput) (*OutboundOutput, error) {
	if call.Snapshot.Settings().Outbound {
		return nil, alreadyEnabled()
	}
	for _, algorithm := range issuer.OutboundAlgorithms {
		if err := s.Rings.Ring(ctx, keyring.AuthorityUse(keyring.Outbound, algorithm)); err != nil {
			return nil, err
		}
	}
	return &OutboundOutput{s.outboundIssuer()}, s.setOutbound(ctx, call, true, alreadyEnabled)
}

// DisableOutboundWebIdentityFederation ends that. Tokens that were handed out are good until they end: the keys stay public.
func (s *Service) DisableOutboundWebIdentityFederation(ctx context.Context, call *op.Call, _ *NothingInput) (*op.Nothing, error) {
	return nil, s.setOutbound(ctx, call, false, disabled)
}

func (s *Service) setOutbound(ctx context.Context, call *op.Call, to bool, already func() *fault.Error) error {
	return s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		stored := now.Settings()
		if stored.Outbound == to {
			return nil, already()
		}
		changed := stored.Settings
		changed.Outbound = to
		return []store.Write{snapshot.PutSettings(&changed, stored.Version)}, nil
	})
}

// GetOutboundWebIdentityFederationInfo names the issuer, where the feature is enabled.
func (s *Service) GetOutboundWebIdentityFederationInfo(_ context.Context, call *op.Call, _ *NothingInput) (*OutboundInfoOutput, error) {
	enabled := call.Snapshot.Settings().Outbound
	if !enabled {
		return nil, disabled()
	}
	return &OutboundInfoOutput{s.outboundIssuer(), &enabled}, nil
}

func alreadyEnabled() *fault.Error {
	return fault.New(fault.FeatureEnabled, "Outbound web identity federation is already enabled for this account.")
}

func disabled() *fault.Error {
	return fault.New(fault.FeatureDisabled, "Outbound web identity federation is disabled for this account.")
}

// notOurs refuses an issuer of ours as an OpenID Connect provider: a token that says who a caller of this account is would
// come back as a login, and outlive what it was made from. Other issuers may share our host, behind one proxy.
func (s *Service) notOurs(url string) error {
	asked := bare(url)
	for _, own := range []string{bare(s.Issuer), bare(*s.outboundIssuer())} {
		if own != "" && asked == own {
			return fault.New(fault.InvalidParameter, "The issuer of this service cannot be an OpenID Connect provider.")
		}
	}
	return nil
}

// bare is an issuer without what may differ in its spelling.
func bare(issuer string) string {
	return strings.TrimRight(strings.ToLower(arn.WithoutScheme(issuer)), "/")
}
