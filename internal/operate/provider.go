package operate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

const (
	// maxTested is how many providers one call tests: those of one issuer, with different client ids.
	maxTested = 20
	// maxNamed is how many pools an answer names.
	maxNamed = 60
)

// TestProviderInput is a token of somebody's login, and where it is meant to count.
type TestProviderInput struct {
	Token *string `shape:"Token,required"`
	// IdentityPoolId is the pool; default all.
	IdentityPoolId *string `shape:"PoolID"`
	// ProviderName is the provider's key in a Logins map, or its ARN; default those that the token's issuer leads to.
	ProviderName *string `shape:"ProviderName"`
}

// TestProviderOutput says whether the login would count, where, and if not why not. All that it names is configured: of
// the token it repeats nothing.
type TestProviderOutput struct {
	Accepted *bool
	// ProviderName, ProviderArn, Issuer and ClientIds are those of the provider that accepts the token, or refuses it; they
	// are absent when the token leads to none.
	ProviderName *string `shape:"ProviderName"`
	ProviderArn  *string
	Issuer       *string
	ClientIds    []string `shape:"ClientIDs"`
	// Audience is the client id that the token is for; only where it is accepted.
	Audience *string
	// Pools are up to 60 pools that take the provider's logins in this way.
	Pools   []TestedPool `shape:"TestedPools"`
	Refusal *ProviderRefusal
}

// TestedPool names a pool.
type TestedPool struct {
	IdentityPoolId   *string `shape:"PoolID"`
	IdentityPoolName *string
}

// ProviderRefusal is the first check that failed.
type ProviderRefusal struct {
	Reason   *string
	Claim    *string
	Expected *string
	Found    *string
	// Message is what a client is told.
	Message *string
}

// testTarget is the pool, or nothing in particular.
func (s *Service) testTarget(_ context.Context, call *operation.Call, in *TestProviderInput) (operation.Target, error) {
	if in.IdentityPoolId == nil {
		return operation.Target{{Resource: "*"}}, nil
	}
	check := operation.Check{Resource: resource(call, "pool/"+*in.IdentityPoolId), Keys: map[string]string{}}
	describePool(call, &check, *in.IdentityPoolId)
	return operation.Target{check}, nil
}

// TestProvider verifies a token as a login is verified, by the same verifiers, and does nothing with it.
func (s *Service) TestProvider(ctx context.Context, call *operation.Call, in *TestProviderInput) (*TestProviderOutput, error) {
	pools, err := poolsToTest(call.Snapshot, in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	var issuer string
	wanted := func(p *login.Provider) bool { return p.Key == *in.ProviderName || p.ARN == *in.ProviderName }
	if in.ProviderName == nil {
		if issuer, err = s.IssuerOf(*in.Token); err != nil {
			return refusedBy(nil, err), nil
		}
		wanted = func(p *login.Provider) bool { return p.Issuer == issuer || slices.Contains(p.MoreIssuers, issuer) }
	}
	found := candidates(pools, wanted)
	if len(found) == 0 {
		return s.noCandidate(ctx, call, in, pools, issuer), nil
	}
	return s.first(ctx, call, found, *in.Token)
}

func poolsToTest(now *snapshot.Snapshot, id *string) ([]*snapshot.Pool, error) {
	if id != nil {
		p := now.Pool(*id)
		if p == nil {
			return nil, fault.New(fault.ResourceNotFound, "IdentityPool '%s' not found.", *id)
		}
		return []*snapshot.Pool{p}, nil
	}
	var out []*snapshot.Pool
	for _, id := range now.PoolIDs("", 1<<30) {
		out = append(out, now.Pool(id))
	}
	return out, nil
}

// candidate is a provider in one configuration, with the pools that have it so.
type candidate struct {
	provider *login.Provider
	pools    []*snapshot.Pool
}

// candidates are the providers that are wanted, in the order of the pools.
func candidates(pools []*snapshot.Pool, wanted func(*login.Provider) bool) []*candidate {
	var out []*candidate
	at := map[string]*candidate{}
	for _, p := range pools {
		for _, provider := range p.Providers {
			if !wanted(provider) {
				continue
			}
			// A public provider has its client id from the pool.
			id := strings.Join(append([]string{provider.Key, provider.Config}, provider.Audiences...), "\n")
			if at[id] == nil {
				at[id] = &candidate{provider: provider}
				out = append(out, at[id])
			}
			at[id].pools = append(at[id].pools, p)
		}
	}
	slices.SortStableFunc(out, func(a, b *candidate) int {
		return strings.Compare(a.pools[0].ID+" "+a.provider.Key, b.pools[0].ID+" "+b.provider.Key)
	})
	return out[:min(len(out), maxTested)]
}

// first is the first candidate that accepts the token, or the refusal of the first that there is.
func (s *Service) first(ctx context.Context, call *operation.Call, found []*candidate, token string) (*TestProviderOutput, error) {
	var out *TestProviderOutput
	for _, c := range found {
		l, err := s.Verify(ctx, call, c.provider, token)
		if err == nil {
			return acceptedBy(c, l), nil
		}
		if f := fault.From(err); f.Code == fault.Internal {
			return nil, err
		}
		if out == nil {
			out = refusedBy(c, err)
		}
	}
	return out, nil
}

func acceptedBy(c *candidate, l *login.Login) *TestProviderOutput {
	yes := true
	out := about(c)
	out.Accepted, out.Audience = &yes, present(l.Audience)
	return out
}

// refusedBy says why a token is refused: by a candidate, or where c is nil before there was one.
func refusedBy(c *candidate, err error) *TestProviderOutput {
	no := false
	out := about(c)
	out.Accepted = &no
	r, ok := errors.AsType[*login.Refusal](err)
	if !ok {
		out.Refusal = &ProviderRefusal{Message: &fault.From(err).Message}
		return out
	}
	reason := string(r.Reason)
	out.Refusal = &ProviderRefusal{
		Reason: &reason, Claim: present(r.Claim), Expected: &r.Expected, Found: &r.Found, Message: &r.Fault().Message,
	}
	return out
}

// about names a candidate and its pools.
func about(c *candidate) *TestProviderOutput {
	out := &TestProviderOutput{Pools: []TestedPool{}}
	if c == nil {
		return out
	}
	p := c.provider
	out.ProviderName, out.ProviderArn, out.Issuer, out.ClientIds = &p.Key, present(p.ARN), present(p.Issuer), p.Audiences
	for _, pool := range c.pools[:min(len(c.pools), maxNamed)] {
		out.Pools = append(out.Pools, TestedPool{IdentityPoolId: &pool.ID, IdentityPoolName: &pool.Name})
	}
	return out
}

func present(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// noCandidate says what a token or a name leads to instead of a provider of a pool. Of the token's issuer it says whether
// it is configured, and where it resembles one that is, how it differs.
func (s *Service) noCandidate(ctx context.Context, call *operation.Call, in *TestProviderInput, pools []*snapshot.Pool, issuer string) *TestProviderOutput {
	where := "a pool"
	if in.IdentityPoolId != nil {
		where = "the pool"
	}
	if in.ProviderName != nil {
		return refusedBy(nil, &login.Refusal{Reason: login.IssuerMismatch, Expected: "the key or ARN of a provider of " + where, Found: "a name that no provider has"})
	}
	// Who may ask about one pool alone learns nothing of what the account has beside it.
	if p := call.Snapshot.OIDCProviderOf(issuer); p != nil && in.IdentityPoolId == nil {
		out := refusedBy(nil, &login.Refusal{Reason: login.IssuerMismatch, Claim: "iss", Expected: "the issuer of a provider of " + where, Found: "that of a provider of the account that is not among them"})
		out.ProviderArn, out.Issuer, out.ClientIds = &p.ARN, &p.Issuer, p.ClientIDs
		return out
	}
	for _, c := range candidates(pools, func(p *login.Provider) bool { return p.Kind == login.OIDC || p.Kind == login.UserPool }) {
		// What its verifier says of another issuer is how it differs, where it does by one of the usual mistakes.
		_, err := s.Verify(ctx, call, c.provider, *in.Token)
		if r, ok := errors.AsType[*login.Refusal](err); ok && r.Reason == login.IssuerMismatch && r.Found != login.AnotherIssuer {
			return refusedBy(c, r)
		}
	}
	return refusedBy(nil, &login.Refusal{Reason: login.IssuerMismatch, Claim: "iss", Expected: "the issuer of a provider of " + where, Found: login.AnotherIssuer})
}
