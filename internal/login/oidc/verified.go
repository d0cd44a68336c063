package oidc

import (
	"context"
	"crypto/sha256"
	"time"

	"idpool/internal/login"
)

// maxVerified is how long a verification is remembered at most. A key that its issuer takes back ends it before, as soon
// as this node has the newer set.
const maxVerified = time.Minute

// maxRemembered is the longest token in bytes whose verification is remembered. Claims take up to thirty times as much memory
// as in the token, and an issuer must not be able to fill it.
const maxRemembered = 4 << 10

// verifiedID names a verification: which bytes were signed, by which signature, and for which configuration of a provider.
// It is made of what was decoded, never of the token's text, of which there could be several (security A8, requirement 10).
type verifiedID struct {
	token  [sha256.Size]byte
	source sourceID
}

// verified is a token whose signature held, and that passed every check. Only reading its JSON and verifying its signature
// are spared the next time: everything that depends on the time, the provider or the key set is asked again.
type verified struct {
	alg, kid   string
	claims     *claims
	thumbprint [sha256.Size]byte // of the key
}

// verifiedFor is the id of the token's verification for a provider.
func (t *token) verifiedFor(p *login.Provider) verifiedID {
	return verifiedID{sha256.Sum256(t.decoded), sourceOf(p)}
}

// recall returns an earlier verification of the same bytes; nil where none is remembered.
func (v *Verifier) recall(t *token, p *login.Provider, now time.Time) (was *verified, known bool) {
	t.id = t.verifiedFor(p)
	was, t.turn, known = v.verified.Get(t.id, now)
	return was, known
}

// remember keeps the verification of a token that recall did not know.
func (v *Verifier) remember(t *token, c *claims) {
	v.verified.Put(t.id, &verified{alg: t.alg, kid: t.kid, claims: c, thumbprint: t.key.thumbprint}, t.turn)
}

// read reads header and claims, or takes them from an earlier verification of the same bytes; was is nil where there is
// none. What the provider wants of them is checked either way.
func (t *token) read(p *login.Provider, was *verified) (*claims, *login.Refusal) {
	if was != nil {
		t.alg, t.kid = was.alg, was.kid
		if refusal := checkIssuer(was.claims.all, p); refusal != nil {
			return nil, refusal
		}
		return was.claims, was.claims.checkTokenType(p.TokenUse)
	}
	if refusal := t.readHeader(); refusal != nil {
		return nil, refusal
	}
	return parseClaims(t.payload, p)
}

// still reports whether the key that verified is one that would be tried today. Where the keys cannot be had, or are
// without it, the token is verified as if for the first time, and refused for the same reasons.
func (s *source) still(ctx context.Context, was *verified, alg algorithm, now time.Time) bool {
	set, _, err := s.keys(ctx, now)
	return err == nil && set.holds(was.thumbprint, was.kid, alg)
}
