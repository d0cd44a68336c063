package cognito

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/revocation"
	"idpool/internal/snapshot"
)

// maxDeveloperUser is the longest identifier of a developer's user, in bytes.
const maxDeveloperUser = 1024

// GetOpenIdTokenForDeveloperIdentity believes the caller's own word for a user (spec §7.10): who may call it can be every
// identity of the pool, and policies decide who may (security D9).
func (s *Service) GetOpenIdTokenForDeveloperIdentity(ctx context.Context, call *operation.Call, in *GetOpenIdTokenForDeveloperIdentityInput) (*GetOpenIdTokenOutput, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	user, public, err := developerLogin(p, in.Logins)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.PrincipalTags); err != nil { // the caller's own, not a claim's
		return nil, fault.New(fault.InvalidParameter, "%s", fault.From(err).Message)
	}
	who := &entered{pool: p, developer: user}
	if who.logins, err = s.verify(ctx, call, p, public); err != nil {
		return nil, err
	}
	if who.identity, err = s.linkDeveloper(ctx, call, who, text(in.IdentityId)); err != nil {
		return nil, err
	}
	call.Event.SetIdentity(p.ID, who.identity.ID, false)
	claims := s.claims(call, who)
	claims.Tags, claims.Expiry = in.PrincipalTags, call.Now.Add(issuer.DeveloperLifetime)
	if in.TokenDuration != nil {
		claims.Expiry = call.Now.Add(time.Duration(*in.TokenDuration) * time.Second)
	}
	return s.sign(ctx, call, who, claims)
}

// developerLogin takes the developer's user out of a Logins map: there must be exactly one.
func developerLogin(p *snapshot.Pool, logins map[string]string) (*identity.LoginKey, map[string]string, error) {
	user, ok := logins[p.DeveloperProvider]
	if p.DeveloperProvider == "" || !ok {
		return nil, nil, fault.New(fault.InvalidParameter, "This identity pool does not support the specified developer provider")
	}
	if len(user) > maxDeveloperUser {
		return nil, nil, fault.New(fault.InvalidParameter, "A developer user identifier has at most %d bytes.", maxDeveloperUser)
	}
	public := maps.Clone(logins)
	delete(public, p.DeveloperProvider)
	return &identity.LoginKey{Provider: p.DeveloperProvider, Subject: user}, public, nil
}

// linkDeveloper links as for other logins; an identity that is named must be of the pool that is named.
func (s *Service) linkDeveloper(ctx context.Context, call *operation.Call, who *entered, identityID string) (*identity.Identity, error) {
	if identityID != "" {
		target, err := s.identity(ctx, call, identityID)
		if err != nil {
			return nil, err
		}
		if target.PoolID != who.pool.ID {
			return nil, identity.NotFound(identityID)
		}
	}
	return s.link(ctx, call, who.pool, identityID, nil, append(loginKeys(who.logins), *who.developer))
}

// withOwnToken leads a request that brings a token of ours to its identity (spec §12.3, security D11). The token is used
// as it is: its amr, its tags and its end.
func (s *Service) withOwnToken(call *operation.Call, who *entered, logins map[string]string) error {
	if who.identity.Disabled {
		return identity.Forbidden(who.identity.ID)
	}
	step := event.Step{Name: "verify", Subject: login.OwnIssuer, Expected: "a token of ours for this identity and pool, not ended"}
	claims, why := s.readOwn(call, who, logins)
	step.OK, step.Found = why == nil, "all checks passed"
	if why != nil {
		step.Found = why.Error()
	}
	call.Event.Add(step)
	if why == nil {
		who.token = claims
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](why); ok {
		return f
	}
	if claims != nil && call.Now.Unix() >= claims.Expiry.Unix() {
		return fault.New(fault.NotAuthorized, "Invalid login token. Token expired: %d >= %d", call.Now.Unix(), claims.Expiry.Unix())
	}
	return fault.Wrap(fault.NotAuthorized, "Invalid login token. Not a Cognito token.", why)
}

func (s *Service) readOwn(call *operation.Call, who *entered, logins map[string]string) (*issuer.Claims, error) {
	if len(logins) != 1 {
		return nil, errors.New("other logins beside it")
	}
	claims, err := issuer.Read(call.Snapshot.Keys, logins[login.OwnIssuer])
	if err != nil {
		return nil, err
	}
	switch {
	case claims.Issuer != s.Issuer:
		return nil, errors.New("another issuer")
	case claims.IdentityID != who.identity.ID:
		return nil, errors.New("another identity")
	case claims.PoolID != who.pool.ID:
		return nil, errors.New("another pool")
	case len(claims.AMR) == 0 || claims.AMR[0] != "authenticated":
		return nil, errors.New("a guest's token")
	case !vouched(who, claims.AMR):
		return nil, errors.New("a login that is not linked to the identity any more")
	case call.Now.Unix() >= claims.Expiry.Unix():
		return claims, errors.New("it has ended")
	}
	if err := call.Snapshot.Revoked(claims.Issued, revocation.Token(claims.PoolID, claims.IdentityID, claims.AMR)); err != nil {
		return claims, fault.Wrap(fault.NotAuthorized, "Invalid login token. Token was revoked.", err)
	}
	return claims, nil
}

// vouched reports whether every login that the token names is still one of the identity's: a token does not outlive what
// it was given for.
func vouched(who *entered, amr []string) bool {
	var named []string
	for i := 2; i < len(amr); i += 2 { // pairs: the provider, and the login
		named = append(named, amr[i])
	}
	linked := map[string]bool{}
	for _, k := range who.identity.Logins {
		if k.Provider == who.pool.DeveloperProvider {
			linked[developerAMR(who.pool, k)] = true
		} else if p := who.pool.Providers[k.Provider]; p != nil {
			for _, audience := range append([]string{""}, p.Audiences...) { // some kinds name the app
				linked[(&login.Login{Provider: p, Subject: k.Subject, Audience: audience}).AMR()[1]] = true
			}
		}
	}
	return len(named) > 0 && !slices.ContainsFunc(named, func(n string) bool { return !linked[n] })
}

// developerAMR is how a token names a developer's user (spec §10.2).
func developerAMR(p *snapshot.Pool, k identity.LoginKey) string {
	return k.Provider + ":" + p.ID + ":" + k.Subject
}
