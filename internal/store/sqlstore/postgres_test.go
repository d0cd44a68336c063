package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// mustConnect opens a connection of a test's own.
func mustConnect(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// until runs a query that answers with a number until it is want, or fails after ten seconds.
func until(t *testing.T, db *sql.DB, want int64, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got := int64(-1)
	for got != want {
		if err := db.QueryRowContext(ctx, query).Scan(&got); err != nil {
			t.Fatalf("%s: got %d, want %d: %v", query, got, want, err)
		}
	}
}

// others are the connections by the URL of the one that asks.
const others = "FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()"

// deadlocks returns how many the server has counted, once the connections by the URL have ended, which is when they do.
func deadlocks(t *testing.T, url string) (n int64) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	until(t, db, 0, "SELECT count(*) "+others)
	query := "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
	if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Errorf("count deadlocks: %v", err)
	}
	return n
}

func TestNewerSchemaPostgres(t *testing.T) { wantTooNew(t, storetest.PostgresURL(t)) }

func TestSilentPostgres(t *testing.T) {
	url := storetest.PostgresURL(t)
	wantSilent(t, func() { mustOpen(t, url, Options{}) })
}

// TestFirstStarts: several processes that start on one empty database all succeed.
func TestFirstStarts(t *testing.T) {
	url := storetest.PostgresURL(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), url, Options{Connections: 3})
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			defer s.Close()
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("Ping: %v", err)
			}
		})
	}
	wg.Wait()
	s := mustOpen(t, url, Options{})
	if got, err := s.Documents.Revision(t.Context()); got != 0 || err != nil {
		t.Errorf("Revision: got %d, %v, want 0", got, err)
	}
}

// TestInterruptedMigration: a start that died between a statement and its entry is carried on by the next.
func TestInterruptedMigration(t *testing.T) {
	url := storetest.PostgresURL(t)
	if err := mustOpen(t, url, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	db := mustConnect(t, url)
	for _, text := range []string{"DELETE FROM idpool_schema WHERE version_id > 2", "DROP TABLE logins"} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, url, Options{})
	if _, err := s.Identities.Find(t.Context(), "p", nil); err != nil {
		t.Errorf("Find: %v", err)
	}
	if _, err := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}); err != nil {
		t.Errorf("Write: %v", err)
	}
}

// TestDeadline: a write that waits for another ends with its context, and its server process does not go on waiting:
// each that did would hold one of the server's connections.
func TestDeadline(t *testing.T) {
	url := storetest.PostgresURL(t)
	s := mustOpen(t, url, Options{})
	db := mustConnect(t, url)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "UPDATE store_revision SET n = n + 1"); err != nil {
		t.Fatal(err)
	}
	const waiting = "SELECT count(*) " + others + " AND wait_event_type = 'Lock'"
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() {
		_, err := s.Documents.Write(ctx, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)})
		answer <- err
	}()
	until(t, mustConnect(t, url), 1, waiting)
	begin := time.Now()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("Write: got %v, want context.Canceled", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("Write went on for %v after its end", took)
	}
	until(t, mustConnect(t, url), 0, waiting)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}); got != 1 || err != nil {
		t.Errorf("the next Write: got revision %d, %v, want 1", got, err)
	}
}

// TestLostConnections: when the server ends all connections, callers do not notice.
func TestLostConnections(t *testing.T) {
	url := storetest.PostgresURL(t)
	s := mustOpen(t, url, Options{Connections: 8})
	db := mustConnect(t, url)
	for round := range 3 {
		fill(t, s, 8)
		if _, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) "+others); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("Ping: %v", err)
		}
		for n := range 4 {
			if _, err := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: fmt.Sprint(round, n), Body: []byte(`1`)}); err != nil {
				t.Errorf("Write: %v", err)
			}
		}
	}
}

// fill opens n connections of the pool, by using as many at once.
func fill(t *testing.T, s *store.Store, n int) {
	e := s.Documents.(*documents).engine
	var arrived, wg sync.WaitGroup
	arrived.Add(n)
	for range n {
		wg.Go(func() {
			first := sync.OnceFunc(arrived.Done)
			defer first() // also where there is no connection to be had
			err := e.change(t.Context(), func(s session) error {
				_, err := queryRevision(s, revisionSQL)
				first()
				arrived.Wait()
				return err
			})
			if err != nil {
				t.Errorf("fill: %v", err)
			}
		})
	}
	wg.Wait()
}

// TestExhausted: callers beyond the connections wait, no longer than their context.
func TestExhausted(t *testing.T) {
	s := mustOpen(t, storetest.PostgresURL(t), Options{Connections: 1})
	e := s.Documents.(*documents).engine
	err := e.change(t.Context(), func(session) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		return s.Ping(ctx)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

// TestUnreachable: a database that is not there is an error at once, without a password in it.
func TestUnreachable(t *testing.T) {
	_, err := Open(t.Context(), "postgres://user:hunter2@127.0.0.1:1/idpool", Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

// TestNoGoroutinesLeft: a closed store leaves nothing running.
func TestNoGoroutinesLeft(t *testing.T) {
	urls := []string{sqliteURL(t)}
	t.Run("with PostgreSQL", func(t *testing.T) { urls = append(urls, storetest.PostgresURL(t)); leave(t, urls[1]) })
	leave(t, urls[0])
}

func leave(t *testing.T, url string) {
	t.Helper()
	before := runtime.NumGoroutine()
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 1)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("got %d goroutines, want the %d of before", got, before)
	}
}

func TestPostgresConfig(t *testing.T) {
	for _, name := range []string{"PGSSLMODE", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGPASSWORD", "PGUSER", "PGDATABASE"} {
		t.Setenv(name, "")
	}
	for _, c := range []struct {
		url    string
		verify bool // whether every connection verifies the server's certificate and name
		plain  bool // whether one without TLS is possible
	}{
		{"postgres://u@db.example.com/d", true, false},
		{"postgresql://u@db.example.com/d?application_name=x", true, false},
		{"postgres://u@192.0.2.1/d", true, false},
		{"postgres://u@127.0.0.1,db.example.com/d", true, false},
		{"postgres://u@db.example.com/d?sslmode=require", false, false},
		{"postgres://u@db.example.com/d?sslmode=disable", false, true},
		{"postgres://u@db.example.com/d?sslmode=prefer", false, true},
		{"postgres://u@localhost/d", false, true},
		{"postgres://u@[::1]/d", false, true},
		{"postgres://u@/d?host=/var/run/postgresql", false, true},
		{"postgres://u@/d?host=db.example.com", true, false},
	} {
		config, err := postgresConfig(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		verify, plain := true, config.TLSConfig == nil
		for _, f := range config.Fallbacks {
			plain = plain || f.TLSConfig == nil
			verify = verify && f.TLSConfig != nil && !f.TLSConfig.InsecureSkipVerify && f.TLSConfig.ServerName == f.Host
		}
		verify = verify && config.TLSConfig != nil && !config.TLSConfig.InsecureSkipVerify && config.TLSConfig.ServerName == config.Host
		if verify != c.verify || plain != c.plain {
			t.Errorf("%s: got verified %v, plain %v, want %v, %v", c.url, verify, plain, c.verify, c.plain)
		}
		if got := config.RuntimeParams["application_name"]; got != "idpool" && got != "x" {
			t.Errorf("%s: got application name %q", c.url, got)
		}
	}
}
