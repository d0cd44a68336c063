package cognito

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"idpool/internal/admission"
	"idpool/internal/deadline"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/issuer"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

// verifyBudget bounds the verification of all logins of a call together (security D14).
const verifyBudget = 5 * time.Second

// verify believes all logins of a call or refuses the call: one that is not valid makes none count (spec §8.2).
func (s *Service) verify(ctx context.Context, call *operation.Call, p *snapshot.Pool, logins map[string]string) ([]*login.Login, error) {
	ctx, cancel := deadline.In(ctx, verifyBudget)
	defer cancel()
	keys := sortedKeys(logins)
	providers, err := providersFor(call, p, keys)
	if err != nil {
		return nil, err
	}
	if err := s.mayAsk(call, providers); err != nil {
		return nil, err
	}
	out := make([]*login.Login, 0, len(keys))
	for i, key := range keys {
		l, err := s.VerifyLogin(ctx, call, providers[i], logins[key])
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// sortedKeys are the keys of a Logins map, most of which have one.
func sortedKeys(logins map[string]string) []string {
	keys := make([]string, 0, len(logins))
	for key := range logins {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// providersFor finds the provider of every key before any token is looked at.
func providersFor(call *operation.Call, p *snapshot.Pool, keys []string) ([]*login.Provider, error) {
	out := make([]*login.Provider, len(keys))
	for i, key := range keys {
		out[i] = p.Providers[key]
		if out[i] != nil {
			continue
		}
		call.Event.Add(event.Step{Name: "verify", Expected: "the key of a provider of the pool", Found: unknownKey(key)})
		switch key {
		case login.OwnIssuer:
			return nil, fault.New(fault.NotAuthorized, "Invalid login token. Can't pass in a Cognito token.")
		case p.DeveloperProvider:
			return nil, fault.New(fault.InvalidParameter, "Please provide a valid public provider.")
		default:
			return nil, fault.New(fault.NotAuthorized, identity.LoginsDontMatch)
		}
	}
	return out, nil
}

// mayAsk bounds how often one client has a provider asked about logins: what he makes up must not keep others waiting.
func (s *Service) mayAsk(call *operation.Call, providers []*login.Provider) error {
	for _, p := range providers {
		if !p.Asks() {
			continue
		}
		if err := s.Questions.Take(p.Key+" "+admission.Neighbourhood(call.Client), call.Now); err != nil {
			call.Event.Add(event.Step{Name: "verify", Subject: p.Key, Expected: "logins of one client at the permitted rate", Found: "too many"})
			return err
		}
	}
	return nil
}

// unknownKey describes a key that no provider has; the key itself may be anything, also a secret in the wrong place.
func unknownKey(key string) string {
	if strings.Contains(key, "://") {
		return "a key with a scheme, such as https://, which keys do not have"
	}
	return "a key that no provider of the pool has"
}

// VerifyLogin believes one login or refuses it, with the sentence that clients are told and the *login.Refusal below it. The
// step is in the call's record. It touches no identity.
func (s *Service) VerifyLogin(ctx context.Context, call *operation.Call, provider *login.Provider, token string) (*login.Login, error) {
	step := event.Step{Name: "verify", Subject: provider.Key, Expected: "a valid token of this provider for one of its client ids"}
	verifier := s.Verifiers[provider.Kind]
	if verifier == nil || provider.Issuer == s.Issuer+issuer.OutboundPath {
		step.Found = "no verifier for this kind of provider"
		call.Event.Add(step)
		return nil, fault.New(fault.NotAuthorized, identity.LoginsDontMatch)
	}
	l, err := verifier.Verify(ctx, provider, token, call.Now)
	if err == nil {
		step.OK, step.Found = true, "all checks passed"
		call.Event.Add(step)
		return l, nil
	}
	if r, ok := errors.AsType[*login.Refusal](err); ok {
		step.Expected, step.Found = r.Expected, string(r.Reason)+": "+r.Found
		err = r.Fault()
	}
	call.Event.Add(step)
	return nil, err
}

// loginKeys are the logins as identities hold them.
func loginKeys(logins []*login.Login) []identity.LoginKey {
	out := make([]identity.LoginKey, len(logins))
	for i, l := range logins {
		out[i] = identity.LoginKey{Provider: l.Provider.Key, Subject: l.Subject}
	}
	return out
}

// amr is the amr claim: how this call knows the identity (spec §10.2).
func amr(who *entered) []string {
	if who.guest() {
		return []string{"unauthenticated"}
	}
	out := append(make([]string, 0, 3), "authenticated") // with one login
	if d := who.developer; d != nil {
		out = append(out, d.Provider, developerAMR(who.pool, *d))
	}
	for _, l := range who.logins {
		pair := l.AMR()
		out = append(out, pair[0], pair[1])
	}
	return out
}
