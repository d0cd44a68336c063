package oidc

import (
	"time"

	"idpool/internal/login"
)

// Standing is how many issuers' keys are in which state.
type Standing struct {
	Fresh   int // within their life
	Stale   int // past it, and used because newer ones cannot be had
	Missing int // none that may be used, since they cannot be had
	Loading int // none yet: the first load has not ended
}

// Refresh loads the keys of the providers that are missing or due, so that nobody has to wait for them, and returns how
// they stand. It does not wait. Each issuer is asked at most once a minute, which leaves tokens the other load of the
// minute: an issuer that is back is found by the first of them.
func (v *Verifier) Refresh(providers []*login.Provider, now time.Time) Standing {
	var out Standing
	for _, p := range providers {
		s := v.source(p, now)
		s.upkeep(now)
		s.count(&out, now)
	}
	return out
}

// upkeep begins a load where one is due.
func (s *source) upkeep(now time.Time) {
	if set := s.current.Load(); set != nil && now.Before(set.refresh) {
		return
	}
	s.mu.Lock()
	last := s.started[loadsPerWindow-1]
	s.mu.Unlock()
	if last.IsZero() || now.Sub(last).Abs() >= loadWindow {
		s.begin(now)
	}
}

func (s *source) count(out *Standing, now time.Time) {
	set := s.current.Load()
	switch {
	case set != nil && now.Before(set.expires):
		out.Fresh++
	case set != nil && now.Before(set.dead):
		out.Stale++
	case s.lastFailure() == nil:
		out.Loading++
	default:
		out.Missing++
	}
}
