package iam

import (
	"context"
	"fmt"
	"io"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/login"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// CreateSAMLProviderInput asks for a provider.
type CreateSAMLProviderInput struct {
	SAMLMetadataDocument    *string `shape:"SAMLMetadataDocumentType,required"`
	Name                    *string `shape:"SAMLProviderNameType,required"`
	Tags                    []Tag   `shape:"tagListType"`
	AssertionEncryptionMode *string `shape:"assertionEncryptionModeType"`
	AddPrivateKey           *string `shape:"privateKeyType"`
}

// CreateSAMLProviderOutput names a new provider.
type CreateSAMLProviderOutput struct {
	SAMLProviderArn *string
	Tags            []Tag
}

// SAMLProviderInput names a provider.
type SAMLProviderInput struct {
	SAMLProviderArn *string `shape:"arnType,required"`
}

// SAMLProviderPageInput asks for a page of something of a provider.
type SAMLProviderPageInput struct {
	SAMLProviderArn *string `shape:"arnType,required"`
	Marker          *string `shape:"markerType"`
	MaxItems        *int64  `shape:"maxItemsType"`
}

// CreateSAMLProvider makes a provider. Its metadata is kept byte for byte.
func (s *Service) CreateSAMLProvider(ctx context.Context, call *op.Call, in *CreateSAMLProviderInput) (*CreateSAMLProviderOutput, error) {
	if err := unencrypted(in.AssertionEncryptionMode, in.AddPrivateKey, nil); err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var random [16]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	p := &account.SAMLProvider{
		Name: *in.Name, ID: arn.ProviderID(random), Created: call.Now.UTC().Truncate(time.Second), Metadata: *in.SAMLMetadataDocument, Tags: tags,
	}
	if err := s.validSAML(call, p); err != nil {
		return nil, err
	}
	err = s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		switch {
		case now.SAMLProviderNamed(p.Name) != nil:
			return nil, fault.New(fault.ResourceConflict, "SAML Provider %s already exists.", p.Name)
		case len(now.SAMLProviders()) >= maxProviders:
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for SAMLProvidersPerAccount: %d", maxProviders)
		}
		return []store.Write{snapshot.PutSAMLProvider(p, 0)}, nil
	})
	if err != nil {
		return nil, err
	}
	providerARN := p.ARN(call.Snapshot.Account)
	return &CreateSAMLProviderOutput{SAMLProviderArn: &providerARN, Tags: tagsOnWire(tags)}, nil
}

// unencrypted refuses what asks for encrypted assertions. There are no keys of ours to open one with, and a provider that
// means to demand them must not believe that it does.
func unencrypted(mode, add, remove *string) error {
	if mode != nil || add != nil || remove != nil {
		return fault.New(fault.InvalidParameter, "Encrypted assertions are not supported: AssertionEncryptionMode and private keys cannot be set.")
	}
	return nil
}

// validSAML refuses what no provider may be, and metadata that would have all logins refused from the start.
func (s *Service) validSAML(call *op.Call, p *account.SAMLProvider) error {
	says, err := p.Validate(s.Metadata)
	if err != nil {
		return err
	}
	if ended(says, call.Now) {
		return fault.New(fault.InvalidParameter, "The metadata document is not valid any more since %s.", says.ValidUntil.UTC().Format(time.RFC3339))
	}
	return nil
}

func ended(says *login.Metadata, now time.Time) bool {
	return !says.ValidUntil.IsZero() && !now.Before(says.ValidUntil)
}

// GetSAMLProviderOutput is a provider.
type GetSAMLProviderOutput struct {
	SAMLProviderUUID     *string
	SAMLMetadataDocument *string
	CreateDate           *time.Time
	ValidUntil           *time.Time
	Tags                 []Tag
}

// GetSAMLProvider returns a provider.
func (s *Service) GetSAMLProvider(_ context.Context, call *op.Call, in *SAMLProviderInput) (*GetSAMLProviderOutput, error) {
	p, err := samlProviderIn(call.Snapshot, *in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	until := p.ValidUntil(p.Says)
	return &GetSAMLProviderOutput{
		SAMLProviderUUID: &p.ID, SAMLMetadataDocument: &p.Metadata, CreateDate: &p.Created, ValidUntil: &until, Tags: tagsOnWire(p.Tags),
	}, nil
}

// UpdateSAMLProviderInput replaces the metadata of a provider; without, nothing changes.
type UpdateSAMLProviderInput struct {
	SAMLMetadataDocument    *string `shape:"SAMLMetadataDocumentType"`
	SAMLProviderArn         *string `shape:"arnType,required"`
	AssertionEncryptionMode *string `shape:"assertionEncryptionModeType"`
	AddPrivateKey           *string `shape:"privateKeyType"`
	RemovePrivateKey        *string `shape:"privateKeyIdType"`
}

// UpdateSAMLProviderOutput names the provider.
type UpdateSAMLProviderOutput struct{ SAMLProviderArn *string }

// UpdateSAMLProvider replaces the metadata of a provider: assertions are verified by the new document alone from then on.
func (s *Service) UpdateSAMLProvider(ctx context.Context, call *op.Call, in *UpdateSAMLProviderInput) (*UpdateSAMLProviderOutput, error) {
	if err := unencrypted(in.AssertionEncryptionMode, in.AddPrivateKey, in.RemovePrivateKey); err != nil {
		return nil, err
	}
	err := s.change(ctx, call, samlProvider(*in.SAMLProviderArn), func(now *snapshot.Snapshot, _ *entity) ([]store.Write, error) {
		old := now.SAMLProvider(*in.SAMLProviderArn)
		if in.SAMLMetadataDocument == nil {
			return nil, nil
		}
		p := old.SAMLProvider
		p.Metadata = *in.SAMLMetadataDocument
		return []store.Write{snapshot.PutSAMLProvider(&p, old.Version)}, s.validSAML(call, &p)
	})
	if err != nil {
		return nil, err
	}
	return &UpdateSAMLProviderOutput{in.SAMLProviderArn}, nil
}

// DeleteSAMLProvider deletes a provider: its logins are refused from then on. Pools and roles may still name it.
func (s *Service) DeleteSAMLProvider(ctx context.Context, call *op.Call, in *SAMLProviderInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, samlProvider(*in.SAMLProviderArn), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		return []store.Write{snapshot.DeleteSAMLProvider(e.name, now.SAMLProvider(e.arn).Version)}, nil
	})
}

// ListSAMLProvidersOutput is the list of providers, which has no pages.
type ListSAMLProvidersOutput struct{ SAMLProviderList []SAMLProviderListEntry }

// SAMLProviderListEntry is a provider in the list.
type SAMLProviderListEntry struct {
	Arn        *string
	ValidUntil *time.Time
	CreateDate *time.Time
}

// ListSAMLProviders lists the providers by name.
func (s *Service) ListSAMLProviders(_ context.Context, call *op.Call, _ *NothingInput) (*ListSAMLProvidersOutput, error) {
	out := &ListSAMLProvidersOutput{SAMLProviderList: []SAMLProviderListEntry{}}
	for _, p := range call.Snapshot.SAMLProviders() {
		until := p.ValidUntil(p.Says)
		out.SAMLProviderList = append(out.SAMLProviderList, SAMLProviderListEntry{&p.ARN, &until, &p.Created})
	}
	return out, nil
}

// TagSAMLProviderInput sets tags of a provider.
type TagSAMLProviderInput struct {
	SAMLProviderArn *string `shape:"arnType,required"`
	Tags            []Tag   `shape:"tagListType,required"`
}

// UntagSAMLProviderInput removes tags of a provider.
type UntagSAMLProviderInput struct {
	SAMLProviderArn *string  `shape:"arnType,required"`
	TagKeys         []string `shape:"tagKeyListType,required"`
}

// TagSAMLProvider sets tags of a provider.
func (s *Service) TagSAMLProvider(ctx context.Context, call *op.Call, in *TagSAMLProviderInput) (*op.Nothing, error) {
	return nil, s.tag(ctx, call, samlProvider(*in.SAMLProviderArn), in.Tags)
}

// UntagSAMLProvider removes tags of a provider.
func (s *Service) UntagSAMLProvider(ctx context.Context, call *op.Call, in *UntagSAMLProviderInput) (*op.Nothing, error) {
	return nil, s.untag(ctx, call, samlProvider(*in.SAMLProviderArn), in.TagKeys)
}

// ListSAMLProviderTags lists the tags of a provider.
func (s *Service) ListSAMLProviderTags(_ context.Context, call *op.Call, in *SAMLProviderPageInput) (*ListTagsOutput, error) {
	return listTags(call, samlProvider(*in.SAMLProviderArn), paging{in.Marker, in.MaxItems})
}
