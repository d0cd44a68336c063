package sqlstore

import (
	"errors"
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
		before := deadlocks(t, url)
		t.Cleanup(func() {
			if got := deadlocks(t, url); got != before {
				t.Errorf("got %d deadlocks", got-before)
			}
		})
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

// wantClosed uses a store after its end: nothing works, nothing hangs, and it can be ended again.
func wantClosed(t *testing.T, url string) {
	t.Helper()
	s := mustOpen(t, url, Options{}) // which closes it once more
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, getErr := s.Documents.Get(t.Context(), "pool", "a")
	_, writeErr := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)})
	for what, err := range map[string]error{"Ping": s.Ping(t.Context()), "Get": getErr, "Write": writeErr} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: got %v, want %v", what, err, errClosed)
		}
	}
}

func TestClosedSQLite(t *testing.T)   { wantClosed(t, sqliteURL(t)) }
func TestClosedPostgres(t *testing.T) { wantClosed(t, storetest.PostgresURL(t)) }
