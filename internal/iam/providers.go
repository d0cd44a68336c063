package iam

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// CreateOpenIDConnectProviderInput asks for a provider.
type CreateOpenIDConnectProviderInput struct {
	Url            *string  `shape:"OpenIDConnectProviderUrlType,required"`
	ClientIDList   []string `shape:"clientIDListType"`
	ThumbprintList []string `shape:"thumbprintListType"`
	Tags           []Tag    `shape:"tagListType"`
}

// CreateOpenIDConnectProviderOutput names a new provider.
type CreateOpenIDConnectProviderOutput struct {
	OpenIDConnectProviderArn *string
	Tags                     []Tag
}

// ProviderInput names a provider.
type ProviderInput struct {
	OpenIDConnectProviderArn *string `shape:"arnType,required"`
}

// ProviderPageInput asks for a page of something of a provider.
type ProviderPageInput struct {
	OpenIDConnectProviderArn *string `shape:"arnType,required"`
	Marker                   *string `shape:"markerType"`
	MaxItems                 *int64  `shape:"maxItemsType"`
}

// CreateOpenIDConnectProvider makes a provider. Its issuer is not called: logins are refused while its keys cannot be had.
func (s *Service) CreateOpenIDConnectProvider(ctx context.Context, call *op.Call, in *CreateOpenIDConnectProviderInput) (*CreateOpenIDConnectProviderOutput, error) {
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	if err := s.notOurs(*in.Url); err != nil {
		return nil, err
	}
	p := &account.OIDCProvider{
		Issuer: *in.Url, ClientIDs: once(in.ClientIDList), Thumbprints: in.ThumbprintList, Created: call.Now.UTC().Truncate(time.Second), Tags: tags,
	}
	providerARN := p.ARN(call.Snapshot.Account)
	err = s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		switch {
		case now.OIDCProvider(providerARN) != nil:
			return nil, fault.New(fault.ResourceConflict, "Provider with url %s already exists.", *in.Url)
		case len(now.OIDCProviders()) >= maxProviders:
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for OpenIdConnectProvidersPerAccount: %d", maxProviders)
		}
		return []store.Write{snapshot.PutOIDCProvider(p, now.Account, 0)}, s.validProvider(p)
	})
	if err != nil {
		return nil, err
	}
	return &CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: &providerARN, Tags: tagsOnWire(tags)}, nil
}

// once returns a list without its repetitions.
func once(list []string) []string {
	var out []string
	for _, item := range list {
		if !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

// validProvider refuses what no provider may be.
func (s *Service) validProvider(p *account.OIDCProvider) error {
	if len(p.ClientIDs) > maxClientIDs {
		return fault.New(fault.LimitExceeded, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	if s.Reserved != "" && strings.HasPrefix(p.Issuer, s.Reserved) {
		return fault.New(fault.InvalidParameter, "Tokens of this issuer are for another authority alone.")
	}
	return p.Validate(s.LoopbackHTTP)
}

func checkThumbprints(list []string) error {
	if len(list) > maxThumbprints {
		return fault.New(fault.InvalidParameter, "Thumbprint list must contain fewer than 5 entries.")
	}
	for _, t := range list {
		if _, err := hex.DecodeString(t); err != nil {
			return fault.Wrap(fault.InvalidParameter, "A thumbprint must be the 40 hexadecimal digits of a SHA-1.", err)
		}
	}
	return nil
}

// GetOpenIDConnectProviderOutput is a provider; its Url has no scheme (spec §3.3).
type GetOpenIDConnectProviderOutput struct {
	Url            *string
	ClientIDList   []string
	ThumbprintList []string
	CreateDate     *time.Time
	Tags           []Tag
}

// GetOpenIDConnectProvider returns a provider.
func (s *Service) GetOpenIDConnectProvider(_ context.Context, call *op.Call, in *ProviderInput) (*GetOpenIDConnectProviderOutput, error) {
	p, err := providerIn(call.Snapshot, *in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	url := arn.WithoutScheme(p.Issuer)
	return &GetOpenIDConnectProviderOutput{
		Url: &url, ClientIDList: append([]string{}, p.ClientIDs...), ThumbprintList: append([]string{}, p.Thumbprints...),
		CreateDate: &p.Created, Tags: tagsOnWire(p.Tags),
	}, nil
}

// DeleteOpenIDConnectProvider deletes a provider: its logins are refused from then on. Pools may still name it.
func (s *Service) DeleteOpenIDConnectProvider(ctx context.Context, call *op.Call, in *ProviderInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, provider(*in.OpenIDConnectProviderArn, s.LoopbackHTTP), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		return []store.Write{snapshot.DeleteOIDCProvider(e.arn, now.OIDCProvider(e.arn).Version)}, nil
	})
}

// ListOpenIDConnectProvidersOutput is the list of providers, which has no pages.
type ListOpenIDConnectProvidersOutput struct {
	OpenIDConnectProviderList []OpenIDConnectProviderListEntry
}

// OpenIDConnectProviderListEntry is a provider in the list.
type OpenIDConnectProviderListEntry struct{ Arn *string }

// ListOpenIDConnectProviders lists the providers by ARN.
func (s *Service) ListOpenIDConnectProviders(_ context.Context, call *op.Call, _ *NothingInput) (*ListOpenIDConnectProvidersOutput, error) {
	out := &ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []OpenIDConnectProviderListEntry{}}
	for _, p := range call.Snapshot.OIDCProviders() {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, OpenIDConnectProviderListEntry{&p.ARN})
	}
	return out, nil
}

// changeProvider changes what a provider alone has.
func (s *Service) changeProvider(ctx context.Context, call *op.Call, providerARN string, edit func(*account.OIDCProvider) error) error {
	return s.change(ctx, call, provider(providerARN, s.LoopbackHTTP), func(now *snapshot.Snapshot, _ *entity) ([]store.Write, error) {
		old := now.OIDCProvider(providerARN)
		p := old.OIDCProvider
		p.ClientIDs = slices.Clone(p.ClientIDs)
		if err := edit(&p); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.PutOIDCProvider(&p, now.Account, old.Version)}, s.validProvider(&p)
	})
}

// UpdateOpenIDConnectProviderThumbprintInput replaces the thumbprints of a provider. No list is an empty one: some clients
// send it so.
type UpdateOpenIDConnectProviderThumbprintInput struct {
	OpenIDConnectProviderArn *string  `shape:"arnType,required"`
	ThumbprintList           []string `shape:"thumbprintListType"`
}

// UpdateOpenIDConnectProviderThumbprint replaces the thumbprints of a provider. They are kept and not used: certificates are
// verified by their chain.
func (s *Service) UpdateOpenIDConnectProviderThumbprint(ctx context.Context, call *op.Call, in *UpdateOpenIDConnectProviderThumbprintInput) (*op.Nothing, error) {
	if err := checkThumbprints(in.ThumbprintList); err != nil {
		return nil, err
	}
	return nil, s.changeProvider(ctx, call, *in.OpenIDConnectProviderArn, func(p *account.OIDCProvider) error {
		p.Thumbprints = in.ThumbprintList
		return nil
	})
}

// ClientIDInput names a client of a provider.
type ClientIDInput struct {
	OpenIDConnectProviderArn *string `shape:"arnType,required"`
	ClientID                 *string `shape:"clientIDType,required"`
}

// AddClientIDToOpenIDConnectProvider takes another client's tokens; a second time changes nothing.
func (s *Service) AddClientIDToOpenIDConnectProvider(ctx context.Context, call *op.Call, in *ClientIDInput) (*op.Nothing, error) {
	return nil, s.changeProvider(ctx, call, *in.OpenIDConnectProviderArn, func(p *account.OIDCProvider) error {
		if !slices.Contains(p.ClientIDs, *in.ClientID) {
			p.ClientIDs = append(p.ClientIDs, *in.ClientID)
		}
		return nil
	})
}

// RemoveClientIDFromOpenIDConnectProvider refuses a client's tokens from then on; an absent client is no error.
func (s *Service) RemoveClientIDFromOpenIDConnectProvider(ctx context.Context, call *op.Call, in *ClientIDInput) (*op.Nothing, error) {
	return nil, s.changeProvider(ctx, call, *in.OpenIDConnectProviderArn, func(p *account.OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == *in.ClientID })
		return nil
	})
}
