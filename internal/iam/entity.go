package iam

import (
	"maps"
	"slices"

	"idpool/internal/account"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// entity is what roles, users, managed policies and providers have alike: who it is to the policies of callers, its tags,
// and, in roles and users, policies. Its maps and slices are copies, to be changed and saved.
type entity struct {
	noun     string // "role", "user": as sentences have it
	name     string
	arn, id  string
	tags     map[string]string
	inline   map[string]string // policy name to text
	attached []string          // ARNs of managed policies
	boundary string            // ARN of a managed policy
	// save returns the write of the entity as it has become, if that is valid.
	save func(*entity) (store.Write, error)
}

// finder returns an entity of a snapshot, or the refusal that it is not there.
type finder func(*snapshot.Snapshot) (*entity, error)

// writes is save with further writes.
func (e *entity) writes(more ...store.Write) ([]store.Write, error) {
	w, err := e.save(e)
	if err != nil {
		return nil, err
	}
	return append(more, w), nil
}

// roleIn returns the role with exactly this name.
func roleIn(now *snapshot.Snapshot, name string) (*snapshot.Role, error) {
	if r := now.RoleNamed(name); r != nil && r.Name == name {
		return r, nil
	}
	return nil, noEntity("The role with name %s cannot be found.", name)
}

// userIn returns the user with exactly this name.
func userIn(now *snapshot.Snapshot, name string) (*snapshot.User, error) {
	if u := now.UserNamed(name); u != nil && u.Name == name {
		return u, nil
	}
	return nil, noEntity("The user with name %s cannot be found.", name)
}

// policyIn returns the managed policy with the ARN, of the account or of AWS.
func policyIn(now *snapshot.Snapshot, policyARN string) (*snapshot.Policy, error) {
	if p := now.ManagedPolicy(policyARN); p != nil {
		return p, nil
	}
	return nil, noEntity("Policy %s was not found.", policyARN)
}

// providerIn returns the OpenID Connect provider with the ARN.
func providerIn(now *snapshot.Snapshot, providerARN string) (*snapshot.OIDCProvider, error) {
	if p := now.OIDCProvider(providerARN); p != nil {
		return p, nil
	}
	return nil, noEntity("OpenIDConnect Provider not found for arn %s", providerARN)
}

func role(name string) finder {
	return func(now *snapshot.Snapshot) (*entity, error) {
		r, err := roleIn(now, name)
		if err != nil {
			return nil, err
		}
		save := func(e *entity) (store.Write, error) {
			changed := r.Role
			changed.Tags, changed.Inline, changed.Attached, changed.Boundary = e.tags, e.inline, e.attached, e.boundary
			return snapshot.PutRole(&changed, r.Version), changed.Validate()
		}
		return &entity{
			noun: "role", name: r.Name, arn: r.ARN, id: r.ID, tags: copied(r.Tags), inline: copied(r.Inline),
			attached: slices.Clone(r.Attached), boundary: r.Boundary, save: save,
		}, nil
	}
}

func user(name string) finder {
	return func(now *snapshot.Snapshot) (*entity, error) {
		u, err := userIn(now, name)
		if err != nil {
			return nil, err
		}
		save := func(e *entity) (store.Write, error) {
			changed := u.User
			changed.Tags, changed.Inline, changed.Attached, changed.Boundary = e.tags, e.inline, e.attached, e.boundary
			return snapshot.PutUser(&changed, u.Version), changed.Validate()
		}
		return &entity{
			noun: "user", name: u.Name, arn: u.ARN, id: u.ID, tags: copied(u.Tags), inline: copied(u.Inline),
			attached: slices.Clone(u.Attached), boundary: u.Boundary, save: save,
		}, nil
	}
}

func managed(policyARN string) finder {
	return func(now *snapshot.Snapshot) (*entity, error) {
		p, err := policyIn(now, policyARN)
		if err != nil {
			return nil, err
		}
		save := func(e *entity) (store.Write, error) {
			changed := p.ManagedPolicy
			changed.Tags = e.tags
			return putPolicy(&changed, p)
		}
		return &entity{noun: "policy", name: p.Name, arn: p.ARN, id: p.ID, tags: copied(p.Tags), save: save}, nil
	}
}

// putPolicy returns the write of a changed policy, which must be one of the account.
func putPolicy(changed *account.ManagedPolicy, old *snapshot.Policy) (store.Write, error) {
	if err := ownPolicy(old); err != nil {
		return store.Write{}, err
	}
	return snapshot.PutPolicy(changed, old.Version), changed.Validate()
}

// provider finds a provider; loopbackHTTP is what makes one valid when it is saved.
func provider(providerARN string, loopbackHTTP bool) finder {
	return func(now *snapshot.Snapshot) (*entity, error) {
		p, err := providerIn(now, providerARN)
		if err != nil {
			return nil, err
		}
		save := func(e *entity) (store.Write, error) {
			changed := p.OIDCProvider
			changed.Tags = e.tags
			return snapshot.PutOIDCProvider(&changed, now.Account, p.Version), changed.Validate(loopbackHTTP)
		}
		return &entity{noun: "provider", name: p.Issuer, arn: p.ARN, id: p.Created.String(), tags: copied(p.Tags), save: save}, nil
	}
}

// samlProviderIn returns the SAML provider with the ARN.
func samlProviderIn(now *snapshot.Snapshot, providerARN string) (*snapshot.SAMLProvider, error) {
	if p := now.SAMLProvider(providerARN); p != nil {
		return p, nil
	}
	return nil, noEntity("Manifest not found for arn %s", providerARN)
}

// samlProvider finds a SAML provider. Its metadata was valid when it was stored.
func samlProvider(providerARN string) finder {
	return func(now *snapshot.Snapshot) (*entity, error) {
		p, err := samlProviderIn(now, providerARN)
		if err != nil {
			return nil, err
		}
		save := func(e *entity) (store.Write, error) {
			changed := p.SAMLProvider
			changed.Tags = e.tags
			return snapshot.PutSAMLProvider(&changed, p.Version), nil
		}
		return &entity{noun: "provider", name: p.Name, arn: p.ARN, id: p.ID, tags: copied(p.Tags), save: save}, nil
	}
}

// copied returns a copy that can be written to.
func copied(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	maps.Copy(out, m)
	return out
}
