package cognito

import (
	"context"
	"maps"
	"slices"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// maxAttributes is the size of all names of claims of one map together (spec §12.1).
const maxAttributes = 460

func setTagsTarget(_ context.Context, call *operation.Call, in *SetPrincipalTagAttributeMapInput) (operation.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

func getTagsTarget(_ context.Context, call *operation.Call, in *GetPrincipalTagAttributeMapInput) (operation.Target, error) {
	return poolTarget(call, *in.IdentityPoolId), nil
}

// SetPrincipalTagAttributeMap replaces which claims of a provider become principal tags; UseDefaults clears the custom
// ones (spec §7.18).
func (s *Service) SetPrincipalTagAttributeMap(ctx context.Context, call *operation.Call, in *SetPrincipalTagAttributeMapInput) (*PrincipalTagAttributeMap, error) {
	old, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	name := *in.IdentityProviderName
	if !old.HasProvider(name) {
		return nil, providerNotFound(name)
	}
	wanted := pool.TagMap{Defaults: in.UseDefaults != nil && *in.UseDefaults}
	if !wanted.Defaults {
		wanted.Tags = in.PrincipalTags
	}
	if err := checkTagMap(wanted.Tags); err != nil {
		return nil, err
	}
	p := old.Pool
	p.PrincipalTags = maps.Clone(old.PrincipalTags)
	if p.PrincipalTags == nil {
		p.PrincipalTags = map[string]pool.TagMap{}
	}
	p.PrincipalTags[name] = wanted
	if err := s.write(ctx, rateExceeded(), snapshot.PutPool(&p, old.Version)); err != nil {
		return nil, err
	}
	return tagMapOnWire(p.ID, name, wanted), nil
}

// checkTagMap refuses names of claims that are too long together, and keys that no tag can have: with one of those no
// login of the provider would get in any more.
func checkTagMap(tags map[string]string) error {
	size, keys := 0, map[string]string{}
	for key, claim := range tags {
		size += len(claim)
		keys[key] = ""
	}
	if size > maxAttributes {
		return fault.New(fault.InvalidParameter, "The names of attributes have more than %d bytes together.", maxAttributes)
	}
	if err := checkTags(keys); err != nil {
		return fault.New(fault.InvalidParameter, "%s", fault.From(err).Message)
	}
	return nil
}

// GetPrincipalTagAttributeMap returns what was set; nothing for a provider for which nothing was (spec §7.11).
func (s *Service) GetPrincipalTagAttributeMap(_ context.Context, call *operation.Call, in *GetPrincipalTagAttributeMapInput) (*PrincipalTagAttributeMap, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	name := *in.IdentityProviderName
	if !p.HasProvider(name) {
		return nil, providerNotFound(name)
	}
	return tagMapOnWire(p.ID, name, p.PrincipalTags[name]), nil
}

func providerNotFound(name string) *fault.Error {
	return fault.New(fault.ResourceNotFound, "Identity provider %s not found.", name)
}

func tagMapOnWire(poolID, name string, m pool.TagMap) *PrincipalTagAttributeMap {
	out := &PrincipalTagAttributeMap{IdentityPoolId: &poolID, IdentityProviderName: &name, UseDefaults: &m.Defaults, PrincipalTags: map[string]string{}}
	maps.Copy(out.PrincipalTags, m.Tags)
	return out
}

// principalTags are the tags that the logins of a call make. Logins that disagree on one are refused: who may link a second
// provider must not choose. A claim that is absent, or has several values, makes none; one whose value cannot be
// a tag refuses the call (security E9): a tag that is silently missing could open a policy that says NotEquals.
func principalTags(p *snapshot.Pool, logins []*login.Login) (map[string]string, error) {
	out := map[string]string{}
	for _, l := range logins {
		tags := p.PrincipalTags[l.Provider.Name()].Effective()
		if len(tags) == 0 {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			value, ok := tagValue(l, tags[key])
			if !ok {
				continue
			}
			if other, taken := out[key]; taken && other != value {
				return nil, fault.New(fault.NotAuthorized, "Invalid principal tag: the logins disagree on %s", key)
			}
			out[key] = value
		}
	}
	return out, checkTags(out)
}

// tagValue is a claim as the value of a tag: text, a number, a boolean, or an array with one of them. The audience is the
// client id that matched, the subject the provider's id of the user whatever its tokens call it: a SAML attribute of that
// name does not take its place.
func tagValue(l *login.Login, claim string) (string, bool) {
	switch claim {
	case "aud":
		return l.Audience, true
	case "sub":
		return l.Subject, true
	}
	v := l.Claims[claim]
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	return login.Text(v)
}

// checkTags refuses what cannot be session tags (spec sts-iam §1.3).
func checkTags(tags map[string]string) error {
	if err := session.CheckTags(tags); err != nil {
		return fault.New(fault.NotAuthorized, "Invalid principal tag: %v", err)
	}
	return nil
}
