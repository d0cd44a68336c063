package operate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/revocation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

const (
	// maxRevocations bounds how many are in force at once. Who has more to revoke revokes the pool, role or provider.
	maxRevocations = 10_000
	// maxAhead is how far in the future Before may be: as far as the clock of another node may be from this one.
	maxAhead = 30 * time.Second
)

// RevokeSessionsInput names exactly one of what sessions are revoked by.
type RevokeSessionsInput struct {
	IdentityId     *string `shape:"IdentityID"`
	AccessKeyId    *string `shape:"AccessKeyID"`
	RoleArn        *string `shape:"RoleARN"`
	IdentityPoolId *string `shape:"PoolID"`
	// ProviderName is the provider's key in a Logins map, or its ARN.
	ProviderName *string `shape:"ProviderName"`
	// Before is the last second that is revoked; default now.
	Before *time.Time
}

// RevokeSessionsOutput is the revocation that is in force.
type RevokeSessionsOutput struct {
	Before *time.Time
	// Until is when no session can be left that it concerns, and it is forgotten.
	Until *time.Time
	// Known is false where there is no such identity, pool or provider; sessions of deleted ones are revoked all the same.
	Known *bool
}

// named returns the one member that the input names.
func (in *RevokeSessionsInput) named() (revocation.Of, string, error) {
	var of revocation.Of
	var value string
	count := 0
	for i, member := range []*string{in.IdentityId, in.AccessKeyId, in.RoleArn, in.IdentityPoolId, in.ProviderName} {
		if member != nil {
			of, value = revocation.All[i], *member
			count++
		}
	}
	if count != 1 {
		return "", "", fault.New(fault.InvalidParameter, "Exactly one of IdentityId, AccessKeyId, RoleArn, IdentityPoolId and ProviderName is needed.")
	}
	if of == revocation.Provider {
		value = revocation.ProviderKey(value)
	}
	return of, value, nil
}

// revokeTarget is what is revoked by, with the tags of pools and roles, so that an administrator can be held to his own.
// An identity is a resource of its pool.
func (s *Service) revokeTarget(ctx context.Context, call *operation.Call, in *RevokeSessionsInput) (operation.Target, error) {
	of, value, err := in.named()
	if err != nil {
		return nil, err
	}
	check := operation.Check{Resource: resource(call, string(of)+"/"+value), Keys: map[string]string{}}
	switch of {
	case revocation.Identity:
		return s.identityTarget(ctx, call, value)
	case revocation.Pool:
		describePool(call, &check, value)
	case revocation.Role:
		a, err := arn.Parse(value)
		if err != nil || a.Service != "iam" || a.Account != call.Snapshot.Account || !strings.HasPrefix(a.Resource, "role/") {
			return nil, fault.New(fault.InvalidParameter, "RoleArn is not the ARN of a role of this account.")
		}
		check.Resource = resource(call, a.Resource)
		if r := call.Snapshot.Role(value); r != nil {
			resourceTags(&check, r.Tags)
		}
	}
	return operation.Target{check}, nil
}

// identityTarget asks the store for the pool; an identity that is not there is of the pool "-".
func (s *Service) identityTarget(ctx context.Context, call *operation.Call, id string) (operation.Target, error) {
	unknown := resource(call, "pool/-/identity/"+id)
	check := operation.Check{Resource: unknown, Shown: unknown, Keys: map[string]string{}} // who may not ask learns nothing of the pool
	found, err := s.Identities.Get(ctx, id)
	switch {
	case err == nil:
		check.Resource = resource(call, "pool/"+found.PoolID+"/identity/"+id)
		describePool(call, &check, found.PoolID)
		call.Event.SetIdentity(found.PoolID, id, !found.Authenticated)
	case errors.Is(err, store.ErrNotFound):
		call.Event.SetIdentity("", id, true)
	default:
		return nil, err
	}
	return operation.Target{check}, nil
}

func describePool(call *operation.Call, check *operation.Check, id string) {
	if p := call.Snapshot.Pool(id); p != nil {
		call.Event.SetPool(id)
		resourceTags(check, p.Tags)
	}
}

func resourceTags(check *operation.Check, tags map[string]string) {
	for k, v := range tags {
		check.Keys["aws:ResourceTag/"+k] = v
	}
}

// RevokeSessions takes back every session, and every token of ours that leads to one, that was issued until now or a
// moment before. It is in force on this node when it answers, and on all others within snapshot.MaxAge, as a node that
// does not learn of it in that time accepts nothing.
func (s *Service) RevokeSessions(ctx context.Context, call *operation.Call, in *RevokeSessionsInput) (*RevokeSessionsOutput, error) {
	of, value, err := in.named()
	if err != nil {
		return nil, err
	}
	before := call.Now
	if in.Before != nil {
		before = *in.Before
	}
	if before.After(call.Now.Add(maxAhead)) {
		return nil, fault.New(fault.InvalidParameter, "Before must not be in the future.")
	}
	known, err := s.known(ctx, call, of, value)
	if err != nil {
		return nil, err
	}
	made, err := s.revoke(ctx, call, of, value, before)
	if err != nil {
		return nil, err
	}
	call.Event.Add(event.Step{
		Name: "revoke", OK: true, Subject: event.CutIDs(made.ID()),
		Found: "sessions issued until " + made.Before.Format(time.RFC3339),
	})
	return &RevokeSessionsOutput{Before: &made.Before, Until: &made.Until, Known: &known}, nil
}

func (s *Service) revoke(ctx context.Context, call *operation.Call, of revocation.Of, value string, before time.Time) (*revocation.Revocation, error) {
	var made *revocation.Revocation
	err := s.attempt(ctx, func(now *snapshot.Snapshot) ([]store.Write, error) {
		var old *revocation.Revocation
		var version int64
		if r := now.Revocation(revocation.Name(of, value)); r != nil {
			old, version = &r.Revocation, r.Version
		} else if count(now.Revocations()) >= maxRevocations {
			return nil, fault.New(fault.LimitExceeded, "There are %d revocations already: revoke by pool, role or provider.", maxRevocations)
		}
		made = revocation.New(of, value, before, call.Now, call.Caller.ARN, old)
		return []store.Write{snapshot.PutRevocation(made, version)}, nil
	})
	return made, err
}

func count(all iter.Seq2[string, *snapshot.Revocation]) (n int) {
	for range all {
		n++
	}
	return n
}

// known reports whether what is revoked by exists. A role must: without it none of its sessions is accepted anyway, and a
// name that was mistyped would look like a success. Access keys of sessions are not stored.
func (s *Service) known(ctx context.Context, call *operation.Call, of revocation.Of, value string) (bool, error) {
	switch of {
	case revocation.Identity:
		_, err := s.Identities.Get(ctx, value)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	case revocation.Role:
		if call.Snapshot.Role(value) == nil {
			return false, fault.New(fault.ResourceNotFound, "Role '%s' not found.", value)
		}
	case revocation.Pool:
		return call.Snapshot.Pool(value) != nil, nil
	case revocation.Provider:
		return knownProvider(call.Snapshot, value), nil
	}
	return true, nil
}

// knownProvider reports whether any pool, or the account, has the provider.
func knownProvider(now *snapshot.Snapshot, key string) bool {
	for _, p := range now.OIDCProviders() {
		if revocation.ProviderKey(p.ARN) == key {
			return true
		}
	}
	if now.SAMLProvider(key) != nil {
		return true
	}
	for _, id := range now.PoolIDs("", math.MaxInt32) {
		p := now.Pool(id)
		_, social := p.LoginProviders[key]
		userPool := slices.ContainsFunc(p.CognitoProviders, func(c pool.CognitoProvider) bool { return c.ProviderName == key })
		if social || userPool || p.DeveloperProvider == key || slices.Contains(p.SAMLProviders, key) {
			return true
		}
	}
	return key == login.OwnIssuer
}

// CleanRevocations deletes revocations that have nothing left to do. It is called again and again; of several nodes that
// do so at once each finds what the others left.
func (s *Service) CleanRevocations(ctx context.Context) error {
	current, err := s.Config.Current()
	if err != nil {
		return err
	}
	now := s.Config.Now()
	for name, r := range current.Revocations() {
		if now.Before(r.Until) {
			continue
		}
		if err := s.Config.Write(ctx, snapshot.DeleteRevocation(name, r.Version)); err != nil && !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("deleting the revocation of %s: %w", event.CutIDs(name), err)
		}
	}
	return nil
}
