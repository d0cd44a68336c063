package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// wantNoLeak runs statements that fail because of a value, and looks for it in what is returned.
func wantNoLeak(t *testing.T, url string, statements map[string][]any) {
	t.Helper()
	e, err := openEngine(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for text, args := range statements {
		fn := func(s session) error {
			rows, err := s.query(text, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var n int64
				if err := rows.Scan(&n); err != nil {
					return err
				}
			}
			return rows.Err()
		}
		for name, err := range map[string]error{"read": e.read(t.Context(), fn), "change": e.change(t.Context(), fn)} {
			if err == nil {
				t.Errorf("%s: %s: got no error", name, text)
				continue
			}
			for _, form := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				if strings.Contains(form, "hunter2") {
					t.Errorf("%s: %s: the value is in the error: %s", name, text, form)
				}
			}
		}
	}
}

func TestNoLeakSQLite(t *testing.T) {
	wantNoLeak(t, sqliteURL(t), map[string][]any{
		"SELECT $1": {"hunter2"}, // what is scanned is no number
		"INSERT INTO store_revision (id, n) VALUES (1, $1) RETURNING n": {"hunter2"},
		"INSERT INTO identities (id) VALUES ($1) RETURNING version":     {"hunter2"},
		"SELECT n FROM store_revision WHERE n = $1":                     {struct{ v string }{"hunter2"}},
		"SELECT hunter": nil,
	})
}

func TestNoLeakPostgres(t *testing.T) {
	wantNoLeak(t, storetest.PostgresURL(t), map[string][]any{
		"SELECT CAST(CAST($1 AS TEXT) AS BIGINT)":                       {"hunter2"},
		"SELECT CAST($1 AS TEXT)":                                       {"hunter2"},
		"SELECT n FROM store_revision WHERE n = $1":                     {"hunter2"}, // cannot be encoded
		"INSERT INTO store_revision (id, n) VALUES (2, $1) RETURNING n": {int64(1)},
		"INSERT INTO identities (id) VALUES ($1) RETURNING version":     {"hunter2"},
		"SELECT hunter": nil,
	})
}

func TestRedact(t *testing.T) {
	network := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, c := range []struct {
		in   error
		want string
	}{
		{nil, "<nil>"},
		{fmt.Errorf("hunter2: %w", store.ErrConflict), "conflict"},
		{fmt.Errorf("hunter2: %w", context.DeadlineExceeded), "context deadline exceeded"},
		{&pgconn.PgError{Code: "23505", Message: "hunter2", Detail: "hunter2"}, "conflict"},
		{&pgconn.PgError{Code: "22P02", Message: "hunter2", Detail: "hunter2", TableName: "logins"}, `postgres: SQLSTATE 22P02, table "logins", constraint ""`},
		{fmt.Errorf("hunter2: %w", network), "dial tcp: connection refused"},
		{fmt.Errorf("a: %w", fmt.Errorf("hunter2: %w", errors.New("hunter2"))), "database driver: *errors.errorString"},
	} {
		if got := fmt.Sprint(redact(c.in)); got != c.want {
			t.Errorf("redact(%v): got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestTransient(t *testing.T) {
	state := func(code string) error { return fmt.Errorf("doing: %w", &pgconn.PgError{Code: code}) }
	for _, c := range []struct {
		name    string
		err     error
		attempt int
		want    bool
	}{
		{"serialization failure", state("40001"), 9, true},
		{"deadlock", state("40P01"), 9, true},
		{"plan of before a migration", state("0A000"), 1, true},
		{"not supported", state("0A000"), 2, false},
		{"server goes down", state("57P01"), 3, true},
		{"syntax", state("42601"), 1, false},
		{"connection lost", fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), 1, true},
		{"connection reset", &net.OpError{Err: errors.New("reset")}, 1, true},
		{"connection known to be bad", driver.ErrBadConn, 1, true},
		{"lost at COMMIT", errUnknownOutcome{io.ErrUnexpectedEOF}, 1, false},
		{"lost at COMMIT by the network", errUnknownOutcome{&net.OpError{Err: errors.New("reset")}}, 1, false},
		{"cannot connect", fmt.Errorf("x: %w", &pgconn.ConnectError{}), 1, false},
		{"conflict", store.ErrConflict, 1, false},
		{"unknown", errors.New("unknown"), 1, false},
	} {
		if got := transient(c.err, c.attempt); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
