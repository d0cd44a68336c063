package cognito

import (
	"context"
	"slices"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/login"
	"idpool/internal/operation"
)

// UnlinkIdentity takes logins from an identity on the word of those logins themselves: each that goes must be presented,
// valid, and linked to it (spec §7.21, security D12). Without its last login an identity is nobody's any more, not a
// guest.
func (s *Service) UnlinkIdentity(ctx context.Context, call *operation.Call, in *UnlinkIdentityInput) (*operation.Nothing, error) {
	found, err := s.identity(ctx, call, *in.IdentityId)
	if err != nil {
		return nil, err
	}
	p := call.Snapshot.Pool(found.PoolID)
	call.Event.SetIdentity(p.ID, found.ID, !found.Authenticated)
	if found.Disabled || len(in.Logins) == 0 {
		return nil, identity.Forbidden(found.ID)
	}
	logins, err := s.verify(ctx, call, p, in.Logins)
	if err != nil {
		return nil, err
	}
	leaving, err := leavingLogins(logins, in.LoginsToRemove)
	if err != nil {
		return nil, err
	}
	return nil, s.retry(func() error {
		i, err := s.identity(ctx, call, *in.IdentityId)
		if err != nil {
			return err
		}
		for _, k := range loginKeys(logins) {
			if !i.Holds(k) {
				return fault.New(fault.NotAuthorized, identity.LoginsDontMatch)
			}
		}
		change, err := identity.Unlink(i, leaving, call.Now)
		if err != nil {
			return err
		}
		if err := s.apply(ctx, change); err != nil {
			return err
		}
		call.Event.Add(event.Step{Name: "unlink", OK: true, Found: describe(&change)})
		return nil
	})
}

// leavingLogins are the presented logins of the providers to remove.
func leavingLogins(logins []*login.Login, remove []string) ([]identity.LoginKey, error) {
	var out []identity.LoginKey
	for i, key := range remove {
		at := slices.IndexFunc(logins, func(l *login.Login) bool { return l.Provider.Key == key })
		if at < 0 || slices.Contains(remove[:i], key) {
			return nil, fault.New(fault.NotAuthorized, identity.LoginsDontMatch)
		}
		out = append(out, loginKeys(logins[at:at+1])...)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.InvalidParameter, "LoginsToRemove names no login.")
	}
	return out, nil
}
