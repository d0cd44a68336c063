package sqlstore

import (
	"testing"
	"time"

	"idpool/internal/store/storetest"
)

// A database on another machine has a clock of its own; a file has not.
func TestClock(t *testing.T) {
	if s := mustOpen(t, sqliteURL(t), Options{}); s.Clock != nil {
		t.Error("SQLite has a clock of its own")
	}
	s := mustOpen(t, storetest.PostgresURL(t), Options{})
	before := time.Now()
	at, err := s.Clock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Clock(t.Context()); err != nil || again.Before(at) {
		t.Errorf("got %v after %v, %v", again, at, err)
	}
	// The server for tests is on this machine, or one that keeps time.
	if d := at.Sub(before).Abs(); d > time.Minute {
		t.Errorf("the clocks are %v apart", d)
	}
}
