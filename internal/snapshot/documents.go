package snapshot

import (
	"encoding/json"
	"fmt"
	"strings"

	"idpool/internal/account"
	"idpool/internal/keyring"
	"idpool/internal/pool"
	"idpool/internal/revocation"
	"idpool/internal/store"
)

// The kinds of documents. Their ids: a pool's id, the lower-case name of a role, user, policy or SAML provider (names are
// unique without case), the ARN of an OpenID Connect provider, the use of a ring, what a revocation goes by and its
// value, the id of the pool to purge.
const (
	KindPool         store.Kind = "pool"
	KindRole         store.Kind = "role"
	KindUser         store.Kind = "user"
	KindPolicy       store.Kind = "policy"
	KindOIDCProvider store.Kind = "oidc-provider"
	KindSAMLProvider store.Kind = "saml-provider"
	KindKeyring      store.Kind = "keyring"
	KindRevocation   store.Kind = "revocation"
	// KindSettings is the one document of the account's settings.
	KindSettings store.Kind = "settings"
	// KindPurge is a deleted pool whose identities are still to be deleted.
	KindPurge store.Kind = "purge"
)

// PutPool, and its neighbours for the other kinds, return the write that stores the document if it still has the
// expected version; 0 for a new one.
func PutPool(p *pool.Pool, expect int64) store.Write { return put(KindPool, p.ID, expect, p) }

// PutRole stores a role; see PutPool.
func PutRole(r *account.Role, expect int64) store.Write {
	return put(KindRole, strings.ToLower(r.Name), expect, r)
}

// PutUser stores a user with his keys; see PutPool.
func PutUser(u *account.User, expect int64) store.Write {
	return put(KindUser, strings.ToLower(u.Name), expect, u)
}

// PutPolicy stores a managed policy; see PutPool.
func PutPolicy(p *account.ManagedPolicy, expect int64) store.Write {
	return put(KindPolicy, strings.ToLower(p.Name), expect, p)
}

// PutOIDCProvider stores an OpenID Connect provider; see PutPool.
func PutOIDCProvider(p *account.OIDCProvider, account string, expect int64) store.Write {
	return put(KindOIDCProvider, p.ARN(account), expect, p)
}

// PutSAMLProvider stores a SAML provider; see PutPool.
func PutSAMLProvider(p *account.SAMLProvider, expect int64) store.Write {
	return put(KindSAMLProvider, documentID(p.Name), expect, p)
}

// PutRing stores a ring of keys; see PutPool.
func PutRing(r *keyring.Ring, expect int64) store.Write { return put(KindKeyring, r.Use, expect, r) }

// PutRevocation stores a revocation; see PutPool.
func PutRevocation(r *revocation.Revocation, expect int64) store.Write {
	return put(KindRevocation, r.ID(), expect, r)
}

// DeleteRevocation returns the write that deletes a revocation; see PutPool.
func DeleteRevocation(id string, expect int64) store.Write {
	return store.Write{Kind: KindRevocation, ID: id, Expect: expect}
}

// settingsID is the id of the one document of its kind.
const settingsID = "account"

// PutSettings stores the account's settings; see PutPool.
func PutSettings(a *account.Settings, expect int64) store.Write {
	return put(KindSettings, settingsID, expect, a)
}

// DeleteRole returns the write that deletes a role; see PutPool.
func DeleteRole(name string, expect int64) store.Write {
	return store.Write{Kind: KindRole, ID: documentID(name), Expect: expect}
}

// DeleteUser returns the write that deletes a user with his keys; see PutPool.
func DeleteUser(name string, expect int64) store.Write {
	return store.Write{Kind: KindUser, ID: documentID(name), Expect: expect}
}

// DeletePolicy returns the write that deletes a managed policy; see PutPool.
func DeletePolicy(name string, expect int64) store.Write {
	return store.Write{Kind: KindPolicy, ID: documentID(name), Expect: expect}
}

// DeleteOIDCProvider returns the write that deletes an OpenID Connect provider; see PutPool.
func DeleteOIDCProvider(providerARN string, expect int64) store.Write {
	return store.Write{Kind: KindOIDCProvider, ID: providerARN, Expect: expect}
}

// DeleteSAMLProvider returns the write that deletes a SAML provider; see PutPool.
func DeleteSAMLProvider(name string, expect int64) store.Write {
	return store.Write{Kind: KindSAMLProvider, ID: documentID(name), Expect: expect}
}

// DeletePool returns the writes that delete a pool and have its identities purged.
func DeletePool(id string, expect int64) []store.Write {
	return []store.Write{
		{Kind: KindPool, ID: id, Expect: expect},
		{Kind: KindPurge, ID: id, Body: []byte("{}")},
	}
}

// PurgeDone deletes the note that a pool is to be purged.
func PurgeDone(id string, expect int64) store.Write {
	return store.Write{Kind: KindPurge, ID: id, Expect: expect}
}

func put(kind store.Kind, id string, expect int64, body any) store.Write {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("a %s document cannot be written: %v", kind, err)) // the types hold nothing that could fail
	}
	return store.Write{Kind: kind, ID: id, Expect: expect, Body: text}
}

// read decodes the body of a document.
func read[T any](d store.Document) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(d.Body, v); err != nil {
		return nil, fmt.Errorf("%s %s: %w", d.Kind, d.ID, err)
	}
	return v, nil
}
