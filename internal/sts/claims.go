package sts

import (
	"maps"
	"slices"
	"strings"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/policy"
	"idpool/internal/session"
)

// The claims by which a provider's token brings session tags and a source identity (spec sts-iam §1.8): nested, or flat
// for providers that cannot nest.
const (
	tagsClaim           = "https://aws.amazon.com/tags"
	flatTagsClaim       = "https://aws.amazon.com/tags/principal_tags"
	flatTransitiveClaim = "https://aws.amazon.com/tags/transitive_tag_keys"
	sourceIdentityClaim = "https://aws.amazon.com/source_identity"
)

// takeOver takes tags and source identity from a verified login.
func takeOver(a *Assume) error {
	claims := a.Login.Claims
	principal, transitive := claims[flatTagsClaim], claims[flatTransitiveClaim]
	if nested, ok := claims[tagsClaim].(map[string]any); ok {
		principal, transitive = nested["principal_tags"], nested["transitive_tag_keys"]
	}
	var err error
	if a.Tags, err = readTags(principal); err != nil {
		return err
	}
	if a.Transitive, err = readKeys(transitive, a.Tags); err != nil {
		return err
	}
	switch v := claims[sourceIdentityClaim].(type) {
	case nil:
	case string:
		if !session.ValidSourceIdentity(v) {
			return badTags("the source identity")
		}
		a.SourceIdentity = v
	default:
		return badTags("the source identity")
	}
	return nil
}

// readTags reads an object of tags; each value is one string, bare or in an array.
func readTags(claim any) (map[string]string, error) {
	if claim == nil {
		return nil, nil
	}
	object, ok := claim.(map[string]any)
	if !ok {
		return nil, badTags("principal_tags")
	}
	out := map[string]string{}
	for k, v := range object {
		if list, isList := v.([]any); isList && len(list) == 1 {
			v = list[0]
		}
		value, ok := v.(string)
		if !ok {
			return nil, badTags("principal_tags")
		}
		out[k] = value
	}
	if session.CheckTags(out) != nil {
		return nil, badTags("principal_tags")
	}
	return out, nil
}

// readKeys reads which tags are transitive; each must be one of the tags.
func readKeys(claim any, tags map[string]string) ([]string, error) {
	if claim == nil {
		return nil, nil
	}
	list, ok := claim.([]any)
	if !ok {
		return nil, badTags("transitive_tag_keys")
	}
	var keys []string
	for _, v := range list {
		key, ok := v.(string)
		if !ok {
			return nil, badTags("transitive_tag_keys")
		}
		keys = append(keys, key)
	}
	out, known := session.TransitiveKeys(keys, tags)
	if !known {
		return nil, badTags("transitive_tag_keys")
	}
	return out, nil
}

func badTags(what string) *fault.Error {
	return fault.New(fault.InvalidIdentityToken, "The token's claims for session tags cannot be used: %s", what)
}

// registered are the claims that no other may pose as: names of condition keys are compared without case, so a claim `AUD`
// must not take the place of `aud`, nor that of an `azp` that is absent. Of other claims that differ in case alone neither
// makes a key: nobody can tell which of them a policy means.
var registered = []string{"iss", "sub", "aud", "azp", "amr"}

// loginKeys adds every claim of a verified login that has a simple value as PROVIDER:CLAIM (spec §1.9).
func loginKeys(keys *policy.Context, l *login.Login) {
	folded := map[string]int{}
	for name := range l.Claims {
		folded[policy.FoldKey(name)]++
	}
	for _, name := range slices.Sorted(maps.Keys(l.Claims)) {
		key, claim := l.Provider.Key+":"+name, l.Claims[name]
		if !slices.Contains(registered, name) && (folded[policy.FoldKey(name)] > 1 || poses(name)) {
			continue
		}
		if list, ok := claim.([]any); ok {
			keys.SetList(key, simples(list)...)
		} else if text, ok := login.Text(claim); ok {
			keys.Set(key, text)
		}
	}
}

// poses reports whether a name differs from a registered one in case alone.
func poses(name string) bool {
	return slices.ContainsFunc(registered, func(r string) bool { return r != name && strings.EqualFold(r, name) })
}

func simples(list []any) []string {
	var out []string
	for _, v := range list {
		if text, ok := login.Text(v); ok {
			out = append(out, text)
		}
	}
	return out
}
