// Package keyring is the contract with whoever holds the keys: for sealing sessions, for signing our OpenID tokens and
// for the secrets of users.
//
// Keys are documents like the rest of the configuration, one ring for each use, sealed under a key-encryption key that
// the database never sees. So all nodes follow a change of keys as they follow any other, and a copy of the database
// opens nothing. A ring changes by compare-and-swap on its document, which makes all nodes agree on the active key.
package keyring

import (
	"crypto/cipher"
	"encoding/json"
	"strings"
	"time"

	"idpool/internal/session"
)

// The uses of keys: the ids of their ring documents.
const (
	Sealing = "sealing" // session and pagination tokens
	Signing = "signing" // our OpenID tokens
	Guests  = "guests"  // sealed guests; its one key is kept for ever
)

// ForAuthority prefixes the uses of the keys that sign for other authorities.
const ForAuthority = "authority/"

// AuthorityUse is the use of the keys that sign the tokens which one authority reads, and nobody else: authority/NAME/ALG.
// The algorithm is RS256, ES256 or ES384. With another algorithm the authority has another ring.
func AuthorityUse(name, algorithm string) string { return ForAuthority + name + "/" + algorithm }

// AuthorityAlgorithm returns the algorithm of such a use.
func AuthorityAlgorithm(use string) (algorithm string, ok bool) {
	parts := strings.Split(use, "/")
	if len(parts) != 3 || !strings.HasPrefix(use, ForAuthority) {
		return "", false
	}
	return parts[2], true
}

// Outbound is whom the tokens of sts:GetWebIdentityToken are for, among the names of authorities: whoever trusts our
// outbound issuer. No configured authority has a name with a colon.
const Outbound = "sts:outbound"

// State is where a key is in its life (security H4).
type State string

// The states, in their order. A ring has exactly one active key.
const (
	Next       State = "next"        // published, not used yet
	Active     State = "active"      // seals or signs
	VerifyOnly State = "verify-only" // opens and verifies what it made
	Retired    State = "retired"     // kept for the record, used for nothing
)

// Ring is the document of one use.
type Ring struct {
	Use  string `json:"use"`
	Keys []Key  `json:"keys"`
}

// Key is one key, sealed.
type Key struct {
	ID        string    `json:"id"`
	Algorithm string    `json:"algorithm"`
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	// Since is when it entered its state.
	Since time.Time `json:"since,omitzero"`
	// Public is the public JWK of a signing key, without its state.
	Public json.RawMessage `json:"public,omitempty"`
	// Sealed is the private part under the key-encryption key, with use and id as additional data. A retired key has none.
	Sealed []byte `json:"sealed,omitempty"`
}

// Keys are the opened rings of one snapshot. Safe for concurrent use.
type Keys interface {
	session.Sealer

	// Sign returns payload as a compact JWS under the active signing key: RS512 with `typ` JWS, as the tokens of AWS
	// (spec cognito-identity §10.1).
	Sign(payload []byte) (string, error)

	// Verify returns the payload of a token that Sign made under a key that is not retired. Any other text gives an
	// error that says no more than that.
	Verify(token string) ([]byte, error)

	// JWKS returns the public signing keys that are not retired as a JSON Web Key Set, the active one first.
	JWKS() []byte

	// Issuer returns the keys that sign for an authority, by their use; nil where the store has no ring for it.
	Issuer(use string) IssuerKeys

	// Guests returns the block cipher of sealed guests, or nil where the store has no ring for it.
	Guests() cipher.Block

	// UserSecret opens the secret of a user's access key.
	UserSecret(accessKeyID string, sealed []byte) (string, error)

	// AppSecret opens the secret of the app that a pool has at a login provider, by the provider's key.
	AppSecret(poolID, provider string, sealed []byte) (string, error)
}

// IssuerKeys sign for one authority. Safe for concurrent use.
type IssuerKeys interface {
	// Sign returns payload as a compact JWS under the active key, with `typ` JWT.
	Sign(payload []byte) (string, error)
	// JWKS returns the public keys that are not retired, the active one first, each with a certificate over itself (x5c,
	// RFC 7517 §4.7): some authorities read the first key alone, and that only from its certificate.
	JWKS() []byte
}

// A Holder makes and opens what the key-encryption key protects.
type Holder interface {
	// NewRing makes a ring with one active key.
	NewRing(use string, now time.Time) (Ring, error)
	// Open opens rings. It fails when any key that is not retired does not open: with the wrong key-encryption key
	// nothing may run.
	Open(rings []Ring) (Keys, error)
	// SealUserSecret seals the secret of a user's access key for UserSecret.
	SealUserSecret(accessKeyID, secret string) ([]byte, error)
	// SealAppSecret seals the secret of an app for AppSecret.
	SealAppSecret(poolID, provider, secret string) ([]byte, error)
}
