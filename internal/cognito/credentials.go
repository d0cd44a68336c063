package cognito

import (
	"context"
	"time"

	"idpool/internal/admission"
	"idpool/internal/authority"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/rolemap"
	"idpool/internal/session"
	"idpool/internal/snapshot"
	"idpool/internal/sts"
)

// enhancedDuration is how long credentials of the enhanced flow live (spec cognito-identity §13).
const enhancedDuration = time.Hour

// GetId returns the identity of logins, making it if need be, or a new guest (spec §7.7).
func (s *Service) GetId(ctx context.Context, call *operation.Call, in *GetIdInput) (*GetIdOutput, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	if in.AccountId != nil && *in.AccountId != call.Snapshot.Account {
		return nil, fault.New(fault.ResourceNotFound, "IdentityPool '%s' not found.", p.ID)
	}
	if len(in.Logins) == 0 {
		return s.newGuest(ctx, call, p)
	}
	if !p.HasProviders() {
		return nil, fault.New(fault.NotAuthorized, "Identity pool - %s does not have identity providers configured.", p.ID)
	}
	logins, err := s.verify(ctx, call, p, in.Logins)
	if err != nil {
		return nil, err
	}
	i, err := s.link(ctx, call, p, "", nil, loginKeys(logins))
	if err != nil {
		return nil, err
	}
	call.Event.SetIdentity(p.ID, i.ID, false)
	return &GetIdOutput{IdentityId: &i.ID}, nil
}

func (s *Service) newGuest(ctx context.Context, call *operation.Call, p *snapshot.Pool) (*GetIdOutput, error) {
	if err := guestsAllowed(call, p); err != nil {
		return nil, err
	}
	if err := s.Guests.take(call, p.ID); err != nil {
		return nil, err
	}
	id, err := s.makeGuest(ctx, call, p)
	if err != nil {
		return nil, err
	}
	call.Event.SetIdentity(p.ID, id, true)
	call.Event.Add(event.Step{Name: "link", OK: true, Found: "a new guest"})
	return &GetIdOutput{IdentityId: &id}, nil
}

// makeGuest makes a guest: a row, or an id that proves itself.
func (s *Service) makeGuest(ctx context.Context, call *operation.Call, p *snapshot.Pool) (string, error) {
	if s.SealedGuest != nil {
		if id, ok, err := s.SealedGuest(p.ID, call.Snapshot.Region, call.Now, s.Random); ok || err != nil {
			return id, err
		}
	}
	id, err := s.newID(call.Snapshot.Region)
	if err != nil {
		return "", err
	}
	return id, s.Identities.Apply(ctx, identity.Change{PoolID: p.ID, Create: []identity.Identity{identity.NewGuest(p.ID, id, call.Now)}})
}

func guestsAllowed(call *operation.Call, p *snapshot.Pool) error {
	if p.AllowUnauthenticated {
		return nil
	}
	call.Event.Add(event.Step{Name: "verify", Expected: "logins, or a pool that allows guests", Found: "no logins, and no guests allowed"})
	return fault.New(fault.NotAuthorized, "Unauthenticated access is not supported for this identity pool.")
}

// GetCredentialsForIdentity is the main job: verify, link, choose, assume (spec §7.6).
func (s *Service) GetCredentialsForIdentity(ctx context.Context, call *operation.Call, in *GetCredentialsForIdentityInput) (*GetCredentialsForIdentityOutput, error) {
	found, err := s.named(ctx, call, *in.IdentityId, in.Logins)
	if err != nil {
		return nil, err
	}
	who, err := s.enter(ctx, call, found, in.Logins)
	if err != nil {
		return nil, err
	}
	choice, err := who.choose(text(in.CustomRoleArn))
	if err != nil {
		call.Event.Add(event.Step{Name: "choose", Expected: "one role for this identity", Found: event.CutIDs(fault.From(err).Message)})
		return nil, err
	}
	call.Event.Add(event.Step{Name: "choose", OK: true, Subject: choice.RoleARN, Found: choice.Why})
	claims, err := s.taggedClaims(call, who)
	if err != nil {
		return nil, err
	}
	minted, err := s.assume(ctx, call, who, choice.RoleARN, claims)
	if err != nil {
		return nil, err
	}
	return &GetCredentialsForIdentityOutput{Credentials: wire(&minted), IdentityId: &who.identity.ID}, nil
}

// assume gets credentials from whose the role is: from the authority that it belongs to, else from us.
func (s *Service) assume(ctx context.Context, call *operation.Call, who *entered, roleARN string, claims *issuer.Claims) (session.Credentials, error) {
	if a := s.Authorities.Of(roleARN); a != nil {
		if err := s.AuthorityCalls.Take(a.Name+" "+admission.Neighbourhood(call.Client), call.Now); err != nil {
			call.Event.Add(event.Step{Name: "assume", Subject: roleARN, Expected: "calls of one client at the permitted rate", Found: "too many"})
			return session.Credentials{}, err
		}
		return s.Authorities.Assume(ctx, call, a, authority.Request{RoleARN: roleARN, Claims: claims, Guest: who.guest()})
	}
	minted, err := s.STS.WithWebIdentity(ctx, call, sts.Assume{
		RoleARN: roleARN, Claims: claims, Tags: claims.Tags, Guest: who.guest(),
		Duration: enhancedDuration, Name: sts.SessionName,
	})
	if err != nil {
		return session.Credentials{}, asConfiguration(err)
	}
	return minted.Credentials, nil
}

// asConfiguration turns a refusal of STS into the one sentence that clients know (spec §4.4). Our own failures stay what
// they are.
func asConfiguration(err error) error {
	if f := fault.From(err); f.Code != fault.Internal && f.Code != fault.TooManyRequests {
		return rolemap.NoRole(err)
	}
	return err
}

func wire(c *session.Credentials) *Credentials {
	return &Credentials{AccessKeyId: &c.AccessKeyID, Expiration: &c.Expiration, SecretKey: &c.SecretAccessKey, SessionToken: &c.SessionToken}
}

// entered is who a call turned out to be.
type entered struct {
	pool     *snapshot.Pool
	identity *identity.Identity
	logins   []*login.Login
	// developer is the developer's user, where the caller vouched for one.
	developer *identity.LoginKey
	// token is a token of ours, where the request brought one.
	token *issuer.Claims
}

// guest reports whether nobody vouched for the identity.
func (e *entered) guest() bool { return len(e.logins) == 0 && e.developer == nil && e.token == nil }

// choose picks the role. A token of ours leads to the pool's role for authenticated identities (spec §12.3).
func (e *entered) choose(custom string) (rolemap.Choice, error) {
	if e.token != nil {
		return rolemap.ByDefault(&e.pool.Pool, pool.Authenticated, custom)
	}
	return rolemap.Choose(&e.pool.Pool, e.logins, custom)
}

// named reads the identity that a request names. A token of ours is held against all logins that it names, so it is told
// nothing old.
func (s *Service) named(ctx context.Context, call *operation.Call, id string, logins map[string]string) (*identity.Identity, error) {
	if _, own := logins[login.OwnIssuer]; own {
		return s.identity(ctx, call, id)
	}
	return s.recently(ctx, call, id)
}

// enter leads a request to the identity that it names: with valid logins of its own, or as a guest (spec §7.6, 1–3).
func (s *Service) enter(ctx context.Context, call *operation.Call, found *identity.Identity, logins map[string]string) (_ *entered, err error) {
	who := &entered{pool: call.Snapshot.Pool(found.PoolID), identity: found}
	call.Event.SetIdentity(found.PoolID, found.ID, !found.Authenticated)
	if len(logins) == 0 {
		return who, s.asGuest(call, who)
	}
	if _, own := logins[login.OwnIssuer]; own {
		return who, s.withOwnToken(call, who, logins)
	}
	if who.logins, err = s.verify(ctx, call, who.pool, logins); err != nil {
		return nil, err
	}
	if who.identity, err = s.link(ctx, call, who.pool, found.ID, found, loginKeys(who.logins)); err != nil {
		return nil, err
	}
	call.Event.SetIdentity(found.PoolID, who.identity.ID, false)
	return who, nil
}

// asGuest refuses an identity that is or was somebody's, a disabled one, and guests where there are none any more.
func (s *Service) asGuest(call *operation.Call, who *entered) error {
	if who.identity.Authenticated || who.identity.Disabled {
		call.Event.Add(event.Step{Name: "verify", Expected: "a login of this identity", Found: "no logins"})
		return identity.Forbidden(who.identity.ID)
	}
	return guestsAllowed(call, who.pool)
}

// taggedClaims are the claims with the principal tags that the logins make; those of a token of ours as they are.
func (s *Service) taggedClaims(call *operation.Call, who *entered) (*issuer.Claims, error) {
	if who.token != nil {
		return who.token, nil
	}
	claims := s.claims(call, who)
	var err error
	claims.Tags, err = principalTags(who.pool, who.logins)
	return claims, err
}

// claims are those of the token for this call: built for the enhanced flow, built and signed for the classic one.
func (s *Service) claims(call *operation.Call, who *entered) *issuer.Claims {
	return &issuer.Claims{
		Issuer: s.Issuer, IdentityID: who.identity.ID, PoolID: who.pool.ID, PoolARN: poolARN(call, who.pool.ID),
		AMR: amr(who), Issued: call.Now, Expiry: call.Now.Add(issuer.Lifetime),
	}
}
