// Package revocation is what an operator takes back before its end: the sessions of an identity, an access key, a role, a
// pool or a provider that were issued up to a moment, and the OpenID tokens of ours that lead to such.
//
// Sessions are not stored, so a revocation is a document of its own, which every node holds in its snapshot, until nothing
// that it concerns can still be alive. A session or token shows for what it could be revoked (Names), and whoever opens
// one asks for each of these few names. Times of sessions are whole seconds: what was issued in the second of the
// revocation is revoked with it.
package revocation

import (
	"iter"
	"slices"
	"strings"
	"time"

	"idpool/internal/session"
)

// Of is what a revocation goes by.
type Of string

// The ways to revoke, with what the value is.
const (
	Identity  Of = "identity"   // an identity's id
	AccessKey Of = "access-key" // the id of temporary credentials, or of the user's key that they were made with
	Role      Of = "role"       // a role's ARN
	Pool      Of = "pool"       // a pool's id
	Provider  Of = "provider"   // a provider's key in a Logins map
)

// All are the ways to revoke.
var All = []Of{Identity, AccessKey, Role, Pool, Provider}

// Name is the id of the document that revokes by the value: unique, as no Of holds a space.
func Name(of Of, value string) string { return string(of) + " " + value }

// Kept is how long a revocation is kept. Nothing that it concerns lives longer: no session is minted from what is revoked,
// so its sessions were all minted before it was in force, and none lives longer than session.MaxLife. The hour is for the
// clocks of several nodes and for requests that were under way.
const Kept = session.MaxLife + time.Hour

// Revocation is one document.
type Revocation struct {
	Of    Of     `json:"of"`
	Value string `json:"value"`
	// Before is the last second that is revoked, UTC.
	Before time.Time `json:"before"`
	// Made is when it was made last, Until when it has nothing left to do.
	Made  time.Time `json:"made"`
	Until time.Time `json:"until"`
	// By is the ARN of who made it.
	By string `json:"by"`
}

// New returns a revocation of everything of the value that was issued until the end of before's second. old, if not nil,
// is the one that it replaces: nothing that is revoked comes back.
func New(of Of, value string, before, now time.Time, by string, old *Revocation) *Revocation {
	r := &Revocation{Of: of, Value: value, Before: before.UTC().Truncate(time.Second), Made: now.UTC(), Until: now.UTC().Add(Kept), By: by}
	if old != nil && old.Before.After(r.Before) {
		r.Before = old.Before
	}
	if old != nil && old.Until.After(r.Until) {
		r.Until = old.Until
	}
	return r
}

// ID is the id of the document.
func (r *Revocation) ID() string { return Name(r.Of, r.Value) }

// Concerns reports whether what has one of its names and was issued at the time is revoked.
func (r *Revocation) Concerns(issued time.Time) bool { return issued.Unix() <= r.Before.Unix() }

// Session goes over the names by which a session could be revoked.
func Session(s *session.Session) iter.Seq[string] {
	return func(yield func(string) bool) {
		_ = yield(Name(AccessKey, s.AccessKeyID)) &&
			(s.User.KeyID == "" || yield(Name(AccessKey, s.User.KeyID))) &&
			(s.Kind != session.OfRole || yield(Name(Role, s.RoleARN()))) &&
			(s.IdentityID == "" || yield(Name(Identity, s.IdentityID))) &&
			(s.PoolID == "" || yield(Name(Pool, s.PoolID))) &&
			(s.Federated == "" || yield(Name(Provider, ProviderKey(s.Federated)))) &&
			providers(s.AMR, yield) &&
			each(s.Lineage, yield)
	}
}

func each(names []string, yield func(string) bool) bool {
	for _, name := range names {
		if !yield(name) {
			return false
		}
	}
	return true
}

// maxKeys is how many access keys a lineage holds: a role that assumes itself again and again must not outgrow a token.
// Those between the first, which began it all, and the last are forgotten; what else revokes them, a role or an identity,
// is not.
const maxKeys = 16

// Lineage returns the names that a session inherits from the credentials that made it: a user's key, where parent is nil,
// or another session.
func Lineage(accessKeyID string, parent *session.Session) []string {
	if parent == nil {
		return []string{Name(AccessKey, accessKeyID)}
	}
	out := slices.Clone(parent.Lineage)
	for name := range Session(parent) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	isKey := func(name string) bool { return strings.HasPrefix(name, Name(AccessKey, "")) }
	for keys := count(out, isKey); keys > maxKeys; keys-- {
		second := 1 + slices.IndexFunc(out, isKey)
		second += slices.IndexFunc(out[second:], isKey)
		out = slices.Delete(out, second, second+1)
	}
	return out
}

func count(names []string, is func(string) bool) (n int) {
	for _, name := range names {
		if is(name) {
			n++
		}
	}
	return n
}

// Token goes over the names by which a token of ours could be revoked.
func Token(poolID, identityID string, amr []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		_ = yield(Name(Identity, identityID)) && yield(Name(Pool, poolID)) && providers(amr, yield)
	}
}

// providers are those of an amr claim: after the first entry, pairs of a provider's key and a login (spec cognito-identity
// §10.2).
func providers(amr []string, yield func(string) bool) bool {
	for i := 1; i < len(amr); i += 2 {
		if !yield(Name(Provider, ProviderKey(amr[i]))) {
			return false
		}
	}
	return true
}

// ProviderKey is the provider's key in a Logins map: the ARN of an OpenID Connect provider has it at its end, other names
// are keys already.
func ProviderKey(name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return name
	}
	if _, key, ok := strings.Cut(name, ":oidc-provider/"); ok {
		return key
	}
	return name
}
