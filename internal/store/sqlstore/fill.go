package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"idpool/internal/identity"
)

// Filling says what Fill writes: N identities of one pool, each with one login.
type Filling struct {
	PoolID   string
	Provider string
	N        int
	// ID and Subject are those of the nth identity, from 0. IDs ascend with n.
	ID      func(n int) string
	Subject func(n int) string
	Created time.Time
}

// Fill writes identities in bulk, for measurements with millions of them: the rows are those that Apply would have
// written, in the order of their keys, and the secondary indexes are made at the end. It is not atomic, and nobody else
// may use the store meanwhile. It returns how many bytes the database grew by. Where it fails, the store is to be thrown
// away.
func Fill(ctx context.Context, url string, f Filling) (grown int64, err error) {
	e, err := openEngine(ctx, url, Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	fill := fillSQLite
	db := (*sql.DB)(nil)
	switch e := e.(type) {
	case *sqliteEngine:
		if db, err = e.bulk(); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
	case *postgresEngine:
		db, fill = e.db, fillPostgres
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return 0, redact(err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return fill(ctx, c, &f)
}

// loginOrder is the numbers of the identities in the order of their logins' keys.
func (f *Filling) loginOrder() []hashed {
	all := make([]hashed, f.N)
	for n := range all {
		all[n] = hashed{sha256.Sum256([]byte(f.Subject(n))), int32(n)}
	}
	slices.SortFunc(all, func(a, b hashed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	return all
}

type hashed struct {
	hash [sha256.Size]byte
	n    int32
}

func (f *Filling) identityRow(n int) []any {
	at := f.Created.UnixMilli()
	row := []any{f.ID(n), f.PoolID, at, at, true, false, "", int64(1)}
	return append(row, inlineColumns([]identity.LoginKey{{Provider: f.Provider, Subject: f.Subject(n)}}, 1)...)
}

func (f *Filling) loginRow(h *hashed) []any {
	return []any{f.PoolID, f.Provider, h.hash[:], []byte(f.Subject(int(h.n))), f.ID(int(h.n))}
}

var (
	identityColumns = []string{"id", "pool_id", "created", "modified", "authenticated", "disabled", "merged_into", "version",
		"logins", "logins_version"}
	loginColumns = []string{"pool_id", "provider", "subject_hash", "subject", "identity_id"}
	// secondary are the indexes that are made after the rows.
	secondary = []string{"identities_pool", "logins_identity"}
)

// bulk is a connection that does not wait for the disk.
func (e *sqliteEngine) bulk() (*sql.DB, error) {
	connector, err := e.connector("rw", cacheSize, "_synchronous=OFF", "_pragma=temp_store(1)")
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

func fillSQLite(ctx context.Context, c *sql.Conn, f *Filling) (int64, error) {
	before, err := sqliteBytes(ctx, c)
	if err != nil {
		return 0, err
	}
	var indexes []string
	for _, name := range secondary {
		var text string
		if err := c.QueryRowContext(ctx, "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = $1", name).Scan(&text); err != nil {
			return 0, err
		}
		indexes = append(indexes, text)
		if _, err := c.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return 0, err
		}
	}
	if err := insertAll(ctx, c, "identities", identityColumns, f.N, f.identityRow); err != nil {
		return 0, err
	}
	order := f.loginOrder()
	if err := insertAll(ctx, c, "logins", loginColumns, f.N, func(n int) []any { return f.loginRow(&order[n]) }); err != nil {
		return 0, err
	}
	for _, text := range append(indexes, "PRAGMA wal_checkpoint(TRUNCATE)") {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return 0, err
		}
	}
	after, err := sqliteBytes(ctx, c)
	return after - before, err
}

func sqliteBytes(ctx context.Context, c *sql.Conn) (bytes int64, err error) {
	err = c.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&bytes)
	return bytes, err
}

// rowsPerInsert and rowsPerCommit bound a statement and the log.
const (
	rowsPerInsert = 100
	rowsPerCommit = 200_000
)

func insertAll(ctx context.Context, c *sql.Conn, table string, columns []string, n int, row func(int) []any) error {
	for from := 0; from < n; from += rowsPerCommit {
		if err := insertSome(ctx, c, table, columns, from, min(from+rowsPerCommit, n), row); err != nil {
			return fmt.Errorf("filling %s: %w", table, err)
		}
	}
	return nil
}

func insertSome(ctx context.Context, c *sql.Conn, table string, columns []string, from, to int, row func(int) []any) error {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is left to undo after the commit
	full, err := tx.PrepareContext(ctx, insertText(table, columns, rowsPerInsert))
	if err != nil {
		return err
	}
	for ; from < to; from += rowsPerInsert {
		var args []any
		for n := from; n < min(from+rowsPerInsert, to); n++ {
			args = append(args, row(n)...)
		}
		if len(args) == rowsPerInsert*len(columns) {
			_, err = full.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, insertText(table, columns, len(args)/len(columns)), args...)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

func insertText(table string, columns []string, rows int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.TrimSuffix(strings.Repeat(one+",", rows), ",")
}

func fillPostgres(ctx context.Context, c *sql.Conn, f *Filling) (int64, error) {
	var before, after int64
	const size = "SELECT pg_database_size(current_database())"
	if err := c.QueryRowContext(ctx, size).Scan(&before); err != nil {
		return 0, err
	}
	order := f.loginOrder()
	err := c.Raw(func(driver any) error {
		conn := driver.(*stdlib.Conn).Conn()
		identities := pgx.CopyFromSlice(f.N, func(n int) ([]any, error) { return f.identityRow(n), nil })
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"identities"}, identityColumns, identities); err != nil {
			return err
		}
		logins := pgx.CopyFromSlice(f.N, func(n int) ([]any, error) { return f.loginRow(&order[n]), nil })
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"logins"}, loginColumns, logins)
		return err
	})
	if err != nil {
		return 0, redact(err)
	}
	// So that the planner knows what is there.
	if _, err := c.ExecContext(ctx, "ANALYZE identities, logins"); err != nil {
		return 0, err
	}
	err = c.QueryRowContext(ctx, size).Scan(&after)
	return after - before, err
}
