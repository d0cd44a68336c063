// Package snapshot is the compiled, immutable view of all configuration documents, and the source that keeps it new.
//
// A request takes one snapshot at its start and uses no other, so it never sees half of a change. A new snapshot compiles
// the documents that changed, and those that depend on them, and shares the rest with the one before. A document that
// cannot be compiled is as good as absent: what needs it is refused. Sessions and identities are not here.
package snapshot

import (
	"maps"
	"slices"

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

	pools     map[string]*Pool         // by id
	roles     map[string]*Role         // by document id
	users     map[string]*User         // by document id
	policies  map[string]*Policy       // by document id
	providers map[string]*OIDCProvider // by ARN
	rings     map[string]*Ring         // by use
	purges    map[string]int64         // version by pool id
	keys      map[string]*AccessKey    // by access key id
	roleARNs  map[string]*Role         // by ARN
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
func (s *Snapshot) Pool(id string) *Pool { return s.pools[id] }

// PoolIDs returns up to n ids of pools after the given one, in order.
func (s *Snapshot) PoolIDs(after string, n int) []string {
	ids := slices.Sorted(maps.Keys(s.pools))
	from, found := slices.BinarySearch(ids, after)
	if found {
		from++
	}
	return ids[from:min(from+n, len(ids))]
}

// Role returns the role with the ARN, or nil.
func (s *Snapshot) Role(arn string) *Role { return s.roleARNs[arn] }

// AccessKey returns the user's access key with the id, or nil.
func (s *Snapshot) AccessKey(id string) *AccessKey { return s.keys[id] }

// OIDCProvider returns the provider with the ARN, or nil.
func (s *Snapshot) OIDCProvider(arn string) *OIDCProvider { return s.providers[arn] }

// OIDCProviderOf returns the provider with the issuer, compared byte for byte, or nil.
func (s *Snapshot) OIDCProviderOf(issuer string) *OIDCProvider {
	if p := s.providers[arn.OIDCProvider(s.Account, issuer)]; p != nil && p.Issuer == issuer {
		return p
	}
	return nil
}

// Ring returns the ring of a use, or nil.
func (s *Snapshot) Ring(use string) *Ring { return s.rings[use] }

// Purges returns the pools whose identities are to be deleted, with the versions of the notes that say so.
func (s *Snapshot) Purges() map[string]int64 { return s.purges }

// UserNamed returns the user with the name, without regard to case, or nil.
func (s *Snapshot) UserNamed(name string) *User { return s.users[documentID(name)] }

// RoleNamed returns the role with the name, without regard to case, or nil.
func (s *Snapshot) RoleNamed(name string) *Role { return s.roles[documentID(name)] }
