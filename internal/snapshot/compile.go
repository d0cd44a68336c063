package snapshot

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/keyring"
	"idpool/internal/login"
	"idpool/internal/policy"
	"idpool/internal/store"
)

// Compiler makes snapshots of one account in one region.
type Compiler struct {
	Account string // 12 digits
	Region  string
	Holder  keyring.Holder
	// Reserved begins the issuers whose tokens are for other authorities: no provider of ours has one. Empty reserves none.
	Reserved string
	// Metadata reads the metadata of SAML providers; without, they cannot be used.
	Metadata account.MetadataReader
	// Logins is what is configured of login providers.
	Logins login.Settings
}

// documentID is the id under which a name is stored: names are unique without case.
func documentID(name string) string { return strings.ToLower(name) }

// Compile returns the snapshot that follows prev when the documents have changed; prev is nil at the start. It fails only
// when the keys do not open: then the node must not go on with older ones for long, which Source sees to.
func (c *Compiler) Compile(prev *Snapshot, docs []store.Document, revision int64) (*Snapshot, error) {
	s := c.follow(prev)
	s.Revision = revision
	changed := map[store.Kind][]store.Document{}
	for _, d := range docs {
		changed[d.Kind] = append(changed[d.Kind], d)
		delete(s.Broken, broken(d))
	}
	s.policies = update(s, s.policies, changed[KindPolicy], c.policy)
	s.providers = update(s, s.providers, changed[KindOIDCProvider], c.provider)
	s.saml = update(s, s.saml, changed[KindSAMLProvider], c.samlProvider)
	s.rings = update(s, s.rings, changed[KindKeyring], ring)
	var failed error
	if len(changed[KindKeyring]) > 0 {
		failed = s.openKeys(c.Holder) // before the pools, which have secrets
	}
	s.settings = update(s, s.settings, changed[KindSettings], settingsOf)
	s.purges = update(s, s.purges, changed[KindPurge], func(_ *Snapshot, d store.Document) (int64, error) { return d.Version, nil })
	s.revoked = update(s, s.revoked, changed[KindRevocation], revoked)
	s.roles = update(s, s.roles, changed[KindRole], c.role)
	s.users = update(s, s.users, changed[KindUser], c.user)
	s.pools = update(s, s.pools, changed[KindPool], c.pool)
	if policies := changed[KindPolicy]; len(policies) > 0 {
		s.relinkPolicies(idsOf(policies))
	}
	if len(changed[KindOIDCProvider])+len(changed[KindSAMLProvider]) > 0 {
		c.relinkProviders(s)
	}
	if users := changed[KindUser]; len(users) > 0 {
		s.keys = s.indexKeys(prev, users)
	}
	return s, failed
}

// follow returns a copy of prev that shares its tables.
func (c *Compiler) follow(prev *Snapshot) *Snapshot {
	if prev == nil {
		return &Snapshot{Account: c.Account, Region: c.Region, Broken: map[string]error{}}
	}
	s := *prev
	s.Broken = maps.Clone(prev.Broken)
	return &s
}

func broken(d store.Document) string { return string(d.Kind) + " " + d.ID }

// update returns old with the changed documents compiled into it; old itself where nothing changed.
func update[T any](s *Snapshot, old table[T], changed []store.Document, compile func(*Snapshot, store.Document) (T, error)) table[T] {
	if len(changed) == 0 {
		return old
	}
	out := old.change()
	for _, d := range changed {
		out.delete(d.ID)
		if d.Deleted {
			continue
		}
		v, err := compile(s, d)
		if err != nil {
			s.Broken[broken(d)] = err
			continue
		}
		out.set(d.ID, v)
	}
	return out.done()
}

func (c *Compiler) policy(_ *Snapshot, d store.Document) (*Policy, error) {
	m, err := read[account.ManagedPolicy](d)
	if err != nil {
		return nil, err
	}
	document, err := policy.Parse(policy.KindIdentity, []byte(m.Versions[m.Default]))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", broken(d), err)
	}
	return &Policy{ManagedPolicy: *m, Version: d.Version, ARN: m.ARN(c.Account), Document: document}, nil
}

func (c *Compiler) provider(_ *Snapshot, d store.Document) (*OIDCProvider, error) {
	p, err := read[account.OIDCProvider](d)
	if err != nil {
		return nil, err
	}
	if c.reserved(p.Issuer) {
		return nil, fmt.Errorf("%s: the issuer signs for another authority", broken(d))
	}
	return &OIDCProvider{OIDCProvider: *p, Version: d.Version, ARN: p.ARN(c.Account)}, nil
}

// reserved reports whether an issuer is one of those that sign for other authorities.
func (c *Compiler) reserved(issuer string) bool {
	return c.Reserved != "" && strings.HasPrefix(issuer, c.Reserved)
}

func (c *Compiler) samlProvider(_ *Snapshot, d store.Document) (*SAMLProvider, error) {
	p, err := read[account.SAMLProvider](d)
	if err != nil {
		return nil, err
	}
	if c.Metadata == nil {
		return nil, fmt.Errorf("%s: nothing here reads SAML metadata", broken(d))
	}
	says, err := c.Metadata([]byte(p.Metadata))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", broken(d), err)
	}
	out := &SAMLProvider{SAMLProvider: *p, Version: d.Version, ARN: p.ARN(c.Account), Says: says}
	out.login = out.compile()
	return out, nil
}

func ring(_ *Snapshot, d store.Document) (*Ring, error) {
	r, err := read[keyring.Ring](d)
	if err != nil {
		return nil, err
	}
	return &Ring{Ring: *r, Version: d.Version}, nil
}

func settingsOf(_ *Snapshot, d store.Document) (*Settings, error) {
	a, err := read[account.Settings](d)
	if err != nil {
		return nil, err
	}
	return &Settings{Settings: *a, Version: d.Version}, nil
}

func (c *Compiler) role(s *Snapshot, d store.Document) (*Role, error) {
	r, err := read[account.Role](d)
	if err != nil {
		return nil, err
	}
	trust, err := r.TrustPolicy()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", broken(d), err)
	}
	return &Role{
		Role: *r, Version: d.Version, ARN: r.ARN(c.Account), Trust: trust,
		Policies: s.bearing(d.Kind, d.ID, r.Inline, r.Attached, r.Boundary),
	}, nil
}

func (c *Compiler) user(s *Snapshot, d store.Document) (*User, error) {
	u, err := read[account.User](d)
	if err != nil {
		return nil, err
	}
	return &User{
		User: *u, Version: d.Version, ARN: u.ARN(c.Account),
		Policies: s.bearing(d.Kind, d.ID, u.Inline, u.Attached, u.Boundary),
	}, nil
}

// bearing is policiesOf for a document that must not vanish: with a policy that cannot be compiled it has none, so that
// everything is denied, until the policy is mended.
func (s *Snapshot) bearing(kind store.Kind, id string, inline map[string]string, attached []string, boundary string) policy.Policies {
	name := broken(store.Document{Kind: kind, ID: id})
	delete(s.Broken, name)
	p, err := s.policiesOf(inline, attached, boundary)
	if err != nil {
		s.Broken[name] = err
		return policy.Policies{}
	}
	return p
}

// policiesOf compiles what bears on a role or user. An attached policy that is gone allows nothing; a boundary that is
// gone allows nothing either, as it must: a missing fence is not an open one.
func (s *Snapshot) policiesOf(inline map[string]string, attached []string, boundary string) (policy.Policies, error) {
	var out policy.Policies
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		document, err := policy.Parse(policy.KindIdentity, []byte(inline[name]))
		if err != nil {
			return out, fmt.Errorf("inline policy %s: %w", name, err)
		}
		out.Identity = append(out.Identity, policy.Named{Name: name, Document: document})
	}
	for _, name := range attached {
		switch p := s.ManagedPolicy(name); {
		case p != nil:
			out.Identity = append(out.Identity, policy.Named{Name: name, Document: p.Document})
		case s.brokenPolicy(name): // what it would have denied is unknown
			return out, fmt.Errorf("policy %s cannot be used", name)
		}
	}
	if boundary == "" {
		return out, nil
	}
	p := s.ManagedPolicy(boundary)
	if p == nil {
		return out, fmt.Errorf("boundary %s does not exist", boundary)
	}
	out.Boundary = []policy.Named{{Name: boundary, Document: p.Document}}
	return out, nil
}

// brokenPolicy reports whether the managed policy is there and cannot be compiled.
func (s *Snapshot) brokenPolicy(policyARN string) bool {
	return s.Broken[broken(store.Document{Kind: KindPolicy, ID: policyID(policyARN)})] != nil
}

func idsOf(docs []store.Document) map[string]bool {
	out := map[string]bool{}
	for _, d := range docs {
		out[d.ID] = true
	}
	return out
}

// bears reports whether one of the changed policies, by document id, is attached or the boundary.
func bears(changed map[string]bool, attached []string, boundary string) bool {
	return changed[policyID(boundary)] || slices.ContainsFunc(attached, func(a string) bool { return changed[policyID(a)] })
}

// policyID is the document id of the managed policy with the ARN, if it is one of the account.
func policyID(policyARN string) string {
	return documentID(policyARN[strings.LastIndexByte(policyARN, '/')+1:])
}

// relinkPolicies compiles again what the changed managed policies are attached to.
func (s *Snapshot) relinkPolicies(changed map[string]bool) {
	roles, users := s.roles.change(), s.users.change()
	for id, r := range s.roles.all() {
		if bears(changed, r.Attached, r.Boundary) {
			again := *r
			again.Policies = s.bearing(KindRole, id, r.Inline, r.Attached, r.Boundary)
			roles.set(id, &again)
		}
	}
	for id, u := range s.users.all() {
		if bears(changed, u.Attached, u.Boundary) {
			again := *u
			again.Policies = s.bearing(KindUser, id, u.Inline, u.Attached, u.Boundary)
			users.set(id, &again)
		}
	}
	s.roles, s.users = roles.done(), users.done()
}

// indexKeys returns the index of access keys after the users changed. A user who was renamed is two changes: what the old
// name had goes before what the new one has is taken in.
func (s *Snapshot) indexKeys(prev *Snapshot, changed []store.Document) table[string] {
	out := s.keys.change()
	for _, d := range changed {
		if prev != nil {
			eachKey(prev.users.get(d.ID), out.delete)
		}
	}
	for _, d := range changed {
		eachKey(s.users.get(d.ID), func(id string) { out.set(id, d.ID) })
	}
	return out.done()
}

func eachKey(u *User, do func(id string)) {
	if u == nil {
		return
	}
	for _, k := range u.Keys {
		do(k.ID)
	}
}

func (s *Snapshot) openKeys(holder keyring.Holder) error {
	var rings []keyring.Ring
	for _, use := range s.rings.ids() {
		rings = append(rings, s.rings.get(use).Ring)
	}
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		if s.rings.get(use) == nil {
			return errors.New("the store has no ring of keys for " + use)
		}
	}
	keys, err := holder.Open(rings)
	if err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	s.Keys = keys
	return nil
}

// Login is the provider as a verifier sees it. Config is a hash of the document without its tags: what is cached for one
// configuration is never used for another, and setting a tag has no keys fetched anew.
func (o *OIDCProvider) Login() *login.Provider {
	return &login.Provider{
		Kind: login.OIDC, Key: arn.WithoutScheme(o.Issuer), ARN: o.ARN,
		Issuer: o.Issuer, Audiences: o.ClientIDs, Config: o.hash(),
	}
}

func (o *OIDCProvider) hash() string {
	untagged := o.OIDCProvider
	untagged.Tags = nil
	return hash(o.ARN, untagged)
}

// hash names a configuration of a provider.
func hash(providerARN string, untagged any) string {
	text, err := json.Marshal(untagged)
	if err != nil {
		panic(fmt.Sprintf("a provider cannot be written: %v", err)) // the types hold nothing that could fail
	}
	return fmt.Sprintf("%s#%x", providerARN, sha256.Sum256(text))
}

// Login is the provider as a verifier sees it; its key in a Logins map is its ARN (spec cognito-identity §8.1).
func (p *SAMLProvider) Login() *login.Provider { return p.login }

func (p *SAMLProvider) compile() *login.Provider {
	untagged := p.SAMLProvider
	untagged.Tags = nil
	return &login.Provider{Kind: login.SAML, Key: p.ARN, ARN: p.ARN, Issuer: p.Says.EntityID, SAML: p.Says, Config: hash(p.ARN, untagged)}
}
