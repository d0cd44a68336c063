package cognito

import (
	"context"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

// LookupDeveloperIdentity finds an identity by a developer's user, its users by the identity, or checks a pair
// (spec §7.15).
func (s *Service) LookupDeveloperIdentity(ctx context.Context, call *operation.Call, in *LookupDeveloperIdentityInput) (*LookupDeveloperIdentityOutput, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	if in.IdentityId == nil && in.DeveloperUserIdentifier == nil {
		return nil, fault.New(fault.InvalidParameter, "Either IdentityId or DeveloperUserIdentifier is required.")
	}
	if in.DeveloperUserIdentifier == nil {
		found, err := s.inPool(ctx, call, p, *in.IdentityId)
		if err != nil {
			return nil, err
		}
		return usersPage(call, p, found, in)
	}
	if in.NextToken != nil { // one user is one page
		return nil, badPage(nil)
	}
	found, err := s.developerOwner(ctx, p, *in.DeveloperUserIdentifier)
	if err != nil {
		return nil, err
	}
	if in.IdentityId != nil && *in.IdentityId != found.ID {
		return nil, fault.New(fault.ResourceConflict, "The developer user identifier belongs to another identity.")
	}
	return &LookupDeveloperIdentityOutput{IdentityId: &found.ID, DeveloperUserIdentifierList: []string{*in.DeveloperUserIdentifier}}, nil
}

// usersPage lists the developer's users of an identity.
func usersPage(call *operation.Call, p *snapshot.Pool, i *identity.Identity, in *LookupDeveloperIdentityInput) (*LookupDeveloperIdentityOutput, error) {
	after, err := openPage(call, pageDevelopers, i.ID, in.NextToken)
	if err != nil {
		return nil, err
	}
	most := 60
	if in.MaxResults != nil {
		most = int(*in.MaxResults)
	}
	out := &LookupDeveloperIdentityOutput{IdentityId: &i.ID, DeveloperUserIdentifierList: []string{}}
	for _, k := range i.Logins { // ordered by subject
		if k.Provider != p.DeveloperProvider || k.Subject <= after {
			continue
		}
		if len(out.DeveloperUserIdentifierList) == most {
			out.NextToken, err = sealPage(call, pageDevelopers, i.ID, out.DeveloperUserIdentifierList[most-1])
			return out, err
		}
		out.DeveloperUserIdentifierList = append(out.DeveloperUserIdentifierList, k.Subject)
	}
	return out, nil
}

// inPool reads an identity that must be of the pool.
func (s *Service) inPool(ctx context.Context, call *operation.Call, p *snapshot.Pool, id string) (*identity.Identity, error) {
	i, err := s.identity(ctx, call, id)
	if err == nil && i.PoolID != p.ID {
		err = identity.NotFound(id)
	}
	return i, err
}

// developerOwner returns the identity of a developer's user. Users compare case by case.
func (s *Service) developerOwner(ctx context.Context, p *snapshot.Pool, user string) (*identity.Identity, error) {
	owners, err := s.Identities.Find(ctx, p.ID, []identity.LoginKey{{Provider: p.DeveloperProvider, Subject: user}})
	if err != nil {
		return nil, err
	}
	if len(owners) == 0 || p.DeveloperProvider == "" {
		return nil, fault.New(fault.ResourceNotFound, "Developer user identifier not found.")
	}
	return &owners[0], nil
}

// MergeDeveloperIdentities moves the logins of one developer's user to another's identity (spec §7.16, security D8).
func (s *Service) MergeDeveloperIdentities(ctx context.Context, call *operation.Call, in *MergeDeveloperIdentitiesInput) (*GetIdOutput, error) {
	p, err := developerPool(call, *in.IdentityPoolId, *in.DeveloperProviderName)
	if err != nil {
		return nil, err
	}
	var id string
	err = s.retry(func() error {
		source, err := s.developerOwner(ctx, p, *in.SourceUserIdentifier)
		if err != nil {
			return err
		}
		destination, err := s.developerOwner(ctx, p, *in.DestinationUserIdentifier)
		if err != nil {
			return err
		}
		id = destination.ID
		change, err := identity.Merge(source, destination, p.DeveloperProvider, call.Now)
		if err != nil {
			return err
		}
		if err := s.apply(ctx, change); err != nil {
			return err
		}
		call.Event.Add(event.Step{Name: "merge", OK: true, Subject: source.ID, Found: describe(&change)}) // both ids on record (security D8)
		return nil
	})
	if err != nil {
		return nil, err
	}
	call.Event.SetIdentity(p.ID, id, false)
	return &GetIdOutput{IdentityId: &id}, nil
}

// UnlinkDeveloperIdentity takes a developer's user from an identity (spec §7.20).
func (s *Service) UnlinkDeveloperIdentity(ctx context.Context, call *operation.Call, in *UnlinkDeveloperIdentityInput) (*operation.Nothing, error) {
	p, err := developerPool(call, *in.IdentityPoolId, *in.DeveloperProviderName)
	if err != nil {
		return nil, err
	}
	return nil, s.retry(func() error {
		i, err := s.inPool(ctx, call, p, *in.IdentityId)
		if err != nil {
			return err
		}
		call.Event.SetIdentity(p.ID, i.ID, false)
		change, err := identity.Unlink(i, []identity.LoginKey{{Provider: p.DeveloperProvider, Subject: *in.DeveloperUserIdentifier}}, call.Now)
		if err != nil {
			return err
		}
		return s.apply(ctx, change)
	})
}

// developerPool returns a pool whose developer provider has the name.
func developerPool(call *operation.Call, id, provider string) (*snapshot.Pool, error) {
	p, err := poolFor(call, id)
	if err == nil && (p.DeveloperProvider == "" || p.DeveloperProvider != provider) {
		err = fault.New(fault.InvalidParameter, "This identity pool does not support the specified developer provider")
	}
	return p, err
}
