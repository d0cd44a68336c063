// Package snapshot is the compiled, immutable view of all configuration documents, and the source that keeps it new.
//
// A request takes one snapshot at its start and uses no other, so it never sees half of a change. A new snapshot compiles
// the documents that changed, and those that depend on them, and shares the rest with the one before. A document that
// cannot be compiled is as good as absent: what needs it is refused. Sessions and identities are not here.
package snapshot

import (
	"maps"
	"slices"
	"strings"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/keyring"
	"idpool/internal/login"
	"idpool/internal/policy"
	"idpool/internal/pool"
)

// Snapshot is one view. Nothing in it may be changed.
type Snapshot struct {
	// Revision is the store's revision that it shows.
	Revision int64
	Account  string // 12 digits
	Region   string
	// Keys are the opened keys.
	Keys keyring.Keys
	// Broken says which documents could not be compiled, by kind and id.
	Broken map[string]error

	pools     table[*Pool]         // by id
	roles     table[*Role]         // by document id
	users     table[*User]         // by document id
	policies  table[*Policy]       // by document id
	providers table[*OIDCProvider] // by ARN
	saml      table[*SAMLProvider] // by document id
	rings     table[*Ring]         // by use
	settings  table[*Settings]     // by document id, of which there is one
	purges    table[int64]         // version by pool id
	revoked   table[*Revocation]   // by document id
	keys      table[string]        // the user's document id by access key id
}

// Pool is a compiled identity pool.
type Pool struct {
	pool.Pool
	Version int64
	// Providers are the providers whose logins the pool takes, by their key in a Logins map.
	Providers map[string]*login.Provider
}

// Role is a compiled role.
type Role struct {
	account.Role
	Version int64
	ARN     string
	Trust   *policy.Document
	// Policies are the role's own: inline, attached and boundary.
	Policies policy.Policies
}

// User is a compiled user.
type User struct {
	account.User
	Version  int64
	ARN      string
	Policies policy.Policies
}

// Policy is a compiled managed policy, in its default version.
type Policy struct {
	account.ManagedPolicy
	// Version is that of the document; 0 for those of account.AWSManaged, which are no documents.
	Version  int64
	ARN      string
	Document *policy.Document
}

// OIDCProvider is an OpenID Connect provider.
type OIDCProvider struct {
	account.OIDCProvider
	Version int64
	ARN     string
}

// SAMLProvider is a SAML provider.
type SAMLProvider struct {
	account.SAMLProvider
	Version int64
	ARN     string
	// Says is what its metadata document says.
	Says *login.Metadata

	login *login.Provider
}

// Settings are the account's settings.
type Settings struct {
	account.Settings
	Version int64
}

// Ring is a ring of keys, still sealed.
type Ring struct {
	keyring.Ring
	Version int64
}

// AccessKey is a user's access key with its user.
type AccessKey struct {
	account.AccessKey
	User *User
}

// Pool returns the pool with the id, or nil.
func (s *Snapshot) Pool(id string) *Pool { return s.pools.get(id) }

// PoolIDs returns up to n ids of pools after the given one, in order.
func (s *Snapshot) PoolIDs(after string, n int) []string {
	ids := s.pools.ids()
	from, found := slices.BinarySearch(ids, after)
	if found {
		from++
	}
	return ids[from:min(from+n, len(ids))]
}

// Role returns the role with the ARN, or nil.
func (s *Snapshot) Role(roleARN string) *Role {
	if r := s.RoleNamed(roleARN[strings.LastIndexByte(roleARN, '/')+1:]); r != nil && r.ARN == roleARN {
		return r
	}
	return nil
}

// AccessKey returns the user's access key with the id, or nil.
func (s *Snapshot) AccessKey(id string) *AccessKey {
	u := s.users.get(s.keys.get(id))
	if u == nil {
		return nil
	}
	i := slices.IndexFunc(u.Keys, func(k account.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return &AccessKey{AccessKey: u.Keys[i], User: u}
}

// OIDCProvider returns the provider with the ARN, or nil.
func (s *Snapshot) OIDCProvider(arn string) *OIDCProvider { return s.providers.get(arn) }

// OIDCProviderOf returns the provider with the issuer, compared byte for byte, or nil.
func (s *Snapshot) OIDCProviderOf(issuer string) *OIDCProvider {
	if p := s.providers.get(arn.OIDCProvider(s.Account, issuer)); p != nil && p.Issuer == issuer {
		return p
	}
	return nil
}

// SAMLProvider returns the provider with the ARN, or nil.
func (s *Snapshot) SAMLProvider(providerARN string) *SAMLProvider {
	name := providerARN[strings.LastIndexByte(providerARN, '/')+1:]
	if p := s.SAMLProviderNamed(name); p != nil && p.ARN == providerARN {
		return p
	}
	return nil
}

// SAMLProviderNamed returns the provider with the name, without regard to case, or nil.
func (s *Snapshot) SAMLProviderNamed(name string) *SAMLProvider { return s.saml.get(documentID(name)) }

// Ring returns the ring of a use, or nil.
func (s *Snapshot) Ring(use string) *Ring { return s.rings.get(use) }

// Settings returns the account's settings; those of an account that has none stored are zero.
func (s *Snapshot) Settings() Settings {
	if stored := s.settings.get(settingsID); stored != nil {
		return *stored
	}
	return Settings{}
}

// Rings returns the rings in the order of their uses.
func (s *Snapshot) Rings() []*Ring { return s.rings.sorted() }

// Purges returns the pools whose identities are to be deleted, with the versions of the notes that say so.
func (s *Snapshot) Purges() map[string]int64 { return maps.Collect(s.purges.all()) }

// UserNamed returns the user with the name, without regard to case, or nil.
func (s *Snapshot) UserNamed(name string) *User { return s.users.get(documentID(name)) }

// RoleNamed returns the role with the name, without regard to case, or nil.
func (s *Snapshot) RoleNamed(name string) *Role { return s.roles.get(documentID(name)) }
