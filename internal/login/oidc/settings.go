package oidc

import (
	"errors"
	"fmt"
	"time"
)

// The bounds of Settings.
const (
	MaxExpiryGrace     = 5 * time.Minute
	DefaultMaxLifetime = 30 * 24 * time.Hour
)

// Settings are what somebody decided for the tokens of one issuer, whichever provider names it. The zero value decides
// nothing: the defaults hold.
type Settings struct {
	// Algorithms are those that it may sign with; empty means all.
	Algorithms []string
	// AZPReplacesAudience is AWS's rule: where `azp` is present it is checked instead of `aud`. Default: both are.
	AZPReplacesAudience bool
	// ExpiryGrace is for how long after `exp` a token is still taken: 0, the default, to MaxExpiryGrace.
	ExpiryGrace time.Duration
	// MaxLifetime is the longest `exp` − `iat`; 0 means DefaultMaxLifetime.
	MaxLifetime time.Duration
	// Fetcher gets its documents; nil means the verifier's.
	Fetcher Fetcher
	// KeySet, where set, reads its keys, a JSON Web Key Set: nothing is fetched then. It is asked as often as keys would be
	// fetched, so that a set which is replaced comes into use.
	KeySet func() ([]byte, error)
}

// check says what is wrong with the settings, and whether a key set that is at hand can be used.
func (s *Settings) check() error {
	if s.ExpiryGrace < 0 || s.ExpiryGrace > MaxExpiryGrace {
		return fmt.Errorf("the grace for expired tokens must be from 0 to %v", MaxExpiryGrace)
	}
	if s.MaxLifetime < 0 {
		return errors.New("the longest lifetime of a token must not be negative")
	}
	for _, name := range s.Algorithms {
		if _, known := algorithmByName(name); !known {
			return errors.New("a token cannot be signed with one of its algorithms")
		}
	}
	if s.KeySet == nil {
		return nil
	}
	document, err := s.KeySet()
	if err == nil {
		_, _, err = parseKeys(document)
	}
	return err
}

// maxLifetime is the longest life of a token.
func (s *Settings) maxLifetime() time.Duration {
	if s.MaxLifetime == 0 {
		return DefaultMaxLifetime
	}
	return s.MaxLifetime
}
