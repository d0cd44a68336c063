package cognito

import (
	"context"
	"errors"
	"fmt"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// linkAttempts is how often a request reads and decides again when others changed what it read. Each conflict means that
// somebody else's change went through, so this many only come together under a storm on one identity.
const linkAttempts = 8

// link finds or makes the identity of verified logins, and links and merges as spec §9.2–9.3 says. targetID is the
// identity that the request names; empty for GetId. What recent says of it is enough where nothing has to be changed.
func (s *Service) link(ctx context.Context, call *operation.Call, p *snapshot.Pool, targetID string, recent *identity.Identity, keys []identity.LoginKey) (*identity.Identity, error) {
	result := new(identity.Identity)
	err := s.retry(func() error {
		in, err := s.linkInput(ctx, call, p, targetID, recent, keys)
		if err != nil {
			return err
		}
		var change identity.Change
		if *result, change, err = identity.Resolve(in); err != nil {
			call.Event.Add(event.Step{Name: "link", Expected: "logins that lead to this identity", Found: event.CutIDs(fault.From(err).Message)})
			return err
		}
		if err := s.apply(ctx, change); err != nil {
			return err
		}
		call.Event.Add(event.Step{Name: "link", OK: true, Found: describe(&change)})
		return nil
	})
	return result, err
}

// retry runs a step that reads, decides and applies until nobody else was in between.
func (s *Service) retry(step func() error) error {
	for range linkAttempts {
		if err := step(); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return rateExceeded()
}

func (s *Service) apply(ctx context.Context, change identity.Change) error {
	if change.Empty() {
		return nil
	}
	return s.Identities.Apply(ctx, change)
}

// linkInput reads what the decision needs.
func (s *Service) linkInput(ctx context.Context, call *operation.Call, p *snapshot.Pool, targetID string, recent *identity.Identity, keys []identity.LoginKey) (identity.Input, error) {
	in := identity.Input{PoolID: p.ID, Logins: keys, Now: call.Now, Developer: p.DeveloperProvider}
	if recent != nil && !recent.Disabled && holdsAll(recent, keys) {
		in.Target = recent
		return in, nil // nobody else can hold them: one read is enough
	}
	if targetID == "" {
		id, err := s.newID(call.Snapshot.Region)
		if err != nil {
			return in, err
		}
		in.NewID = id
	} else {
		target, err := s.identity(ctx, call, targetID)
		if err != nil {
			return in, err
		}
		in.Target = target
	}
	if in.Target != nil && holdsAll(in.Target, keys) {
		return in, nil
	}
	owners, err := s.Identities.Find(ctx, p.ID, keys)
	for i := range owners {
		if in.Target == nil || owners[i].ID != in.Target.ID {
			in.Owners = append(in.Owners, &owners[i])
		}
	}
	return in, err
}

func holdsAll(target *identity.Identity, keys []identity.LoginKey) bool {
	for _, k := range keys {
		if !target.Holds(k) {
			return false
		}
	}
	return true
}

// identity reads an identity whose pool still exists. Others do not exist for anybody.
func (s *Service) identity(ctx context.Context, call *operation.Call, id string) (*identity.Identity, error) {
	return readIdentity(ctx, call, s.Identities.Get, id)
}

// recently is identity, or what it was a moment ago; see Service.Recent.
func (s *Service) recently(ctx context.Context, call *operation.Call, id string) (*identity.Identity, error) {
	if s.Recent == nil {
		return s.identity(ctx, call, id)
	}
	return readIdentity(ctx, call, s.Recent, id)
}

func readIdentity(ctx context.Context, call *operation.Call, read func(context.Context, string) (identity.Identity, error), id string) (*identity.Identity, error) {
	i, err := read(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && call.Snapshot.Pool(i.PoolID) == nil {
		return nil, identity.NotFound(id)
	}
	return &i, err
}

func describe(c *identity.Change) string {
	if c.Empty() {
		return "known logins"
	}
	said := fmt.Sprintf("%d identities created, %d logins linked, %d moved", len(c.Create), len(c.Link), len(c.Move))
	if n := len(c.Unlink); n > 0 {
		said += fmt.Sprintf(", %d unlinked", n)
	}
	for i := range c.Update {
		if u := &c.Update[i]; u.Disabled {
			said += ", " + event.IdentityName(u.ID, !u.Authenticated) + " merged into " + u.MergedInto
		}
	}
	return said
}
