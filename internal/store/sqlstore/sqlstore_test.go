package sqlstore

import (
	"path/filepath"
	"testing"

	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// mustOpen opens a store that is closed when the test ends.
func mustOpen(t testing.TB, url string, o Options) *store.Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "idpool.db") }

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return mustOpen(t, sqliteURL(t), Options{}) })
}

func TestPostgres(t *testing.T) {
	storetest.PostgresURL(t) // skips here, and not in each test
	storetest.Run(t, func(t *testing.T) *store.Store { return mustOpen(t, storetest.PostgresURL(t), Options{}) })
}

// TestPostgresTwoNodes also counts deadlocks: one would be retried and go unseen.
func TestPostgresTwoNodes(t *testing.T) {
	storetest.PostgresURL(t)
	storetest.RunShared(t, func(t *testing.T) []*store.Store {
		url := storetest.PostgresURL(t)
		t.Cleanup(func() { wantNoDeadlock(t, url) })
		return []*store.Store{mustOpen(t, url, Options{}), mustOpen(t, url, Options{})}
	})
}

// TestPostgresSerializable is at the isolation of databases that know no other, whose transactions must be repeated.
func TestPostgresSerializable(t *testing.T) {
	storetest.PostgresURL(t)
	storetest.RunShared(t, func(t *testing.T) []*store.Store {
		url := storetest.PostgresURL(t) + "&default_transaction_isolation=serializable"
		return []*store.Store{mustOpen(t, url, Options{}), mustOpen(t, url, Options{})}
	})
}
