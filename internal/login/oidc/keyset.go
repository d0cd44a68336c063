package oidc

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"idpool/internal/login"
)

// How many keys are tried on one token (security A10, A11): a giant set must not make tokens expensive.
const (
	maxTriesByID = 4
	maxTriesBare = 8
)

// keySet is the keys of an issuer as they were at one moment. It never changes; a newer one takes its place as a whole.
type keySet struct {
	keys    []key
	byID    map[string][]*key
	dropped []string

	// Before refresh the set is used as it is; before expires it is used and a newer one is loaded meanwhile; before
	// dead it is used only when a newer one could not be had; then no more.
	refresh, expires, dead time.Time
}

// The life of a key set (security B6).
const (
	minAge   = 5 * time.Minute
	maxAge   = 24 * time.Hour
	maxStale = 24 * time.Hour
)

// newKeySet returns a set that was asked for at a time, and that its issuer wants to be kept for age. It is refreshed after
// 70 to 90 % of its life, by the jitter, so that the nodes of a system do not all ask at once.
func newKeySet(keys []key, dropped []string, asked time.Time, age time.Duration, jitter float64) *keySet {
	age = min(max(age, minAge), maxAge)
	s := &keySet{
		keys: keys, dropped: dropped, byID: map[string][]*key{},
		refresh: asked.Add(age*7/10 + time.Duration(jitter*float64(age/5))), expires: asked.Add(age), dead: asked.Add(age + maxStale),
	}
	for i := range keys {
		if k := &keys[i]; k.id != "" {
			s.byID[k.id] = append(s.byID[k.id], k)
		}
	}
	return s
}

// verify tries the keys that the token may have been signed with: those of its kid, or without one those of its
// algorithm. unknown says that a key may be missing here, so that a newer set could decide otherwise.
func (s *keySet) verify(t *token, alg algorithm) (refusal *login.Refusal, unknown bool) {
	fit, known := s.candidates(t.kid, alg)
	if len(fit) == 0 {
		return s.notFound(alg, known), !known
	}
	digest := alg.digest(t.signed)
	for _, k := range fit {
		if alg.verify(k, digest, t.signature) {
			t.key = k
			return nil, false
		}
	}
	found := fmt.Sprintf("a signature by none of the %d keys that fit", len(fit))
	return &login.Refusal{Reason: login.BadSignature, Expected: "a signature by the issuer's key", Found: found}, !known
}

// holds reports whether a key that once verified the token is still one of those that it would be tried with.
func (s *keySet) holds(thumbprint [sha256.Size]byte, kid string, alg algorithm) bool {
	fit, _ := s.candidates(kid, alg)
	return slices.ContainsFunc(fit, func(k *key) bool { return k.thumbprint == thumbprint })
}

// candidates returns the keys to try, and whether the issuer's set knows the key that the token names.
func (s *keySet) candidates(kid string, alg algorithm) (fit []*key, known bool) {
	if kid != "" {
		named := s.byID[kid]
		for _, k := range named {
			if alg.fits(k) && len(fit) < maxTriesByID {
				fit = append(fit, k)
			}
		}
		return fit, len(named) > 0
	}
	for i := range s.keys {
		if k := &s.keys[i]; alg.fits(k) && len(fit) < maxTriesBare {
			fit = append(fit, k)
		}
	}
	return fit, false
}

func (s *keySet) notFound(alg algorithm, known bool) *login.Refusal {
	found := "an unknown key id"
	if known {
		found = "a key for another algorithm"
	}
	found += fmt.Sprintf("; the set has %d keys", len(s.keys))
	if n := len(s.dropped); n > 0 {
		found += fmt.Sprintf(", %d were left out: %s", n, strings.Join(s.dropped[:min(n, 3)], "; "))
	}
	return &login.Refusal{Reason: login.KeyNotFound, Expected: "a key of the issuer for " + alg.name, Found: found}
}
