package door

import (
	"sync/atomic"
	"time"

	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/snapshot"
)

// common holds the condition keys that requests share: those of the last second and snapshot that were asked for.
type common struct{ last atomic.Pointer[commonKeys] }

type commonKeys struct {
	snapshot *snapshot.Snapshot
	second   int64
	keys     *policy.Context
}

// at returns the keys of a moment; they must not be changed.
func (c *common) at(s *snapshot.Snapshot, now time.Time) *policy.Context {
	held := c.last.Load()
	if held == nil || held.snapshot != s || held.second != now.Unix() {
		held = &commonKeys{s, now.Unix(), operation.Common(s, now)}
		c.last.Store(held)
	}
	return held.keys
}
