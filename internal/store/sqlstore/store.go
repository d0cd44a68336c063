// Package sqlstore keeps a store.Store in SQLite or in PostgreSQL.
//
// The statements are written once, in the subset that both share: $1, ON CONFLICT, RETURNING. What they do not share,
// which is how connections are held, how a transaction is run and what an error means, is an engine, one file each:
// sqlite.go with its writer.go, and postgres.go with its retry.go; the tables stand in two folders of migrations. Rows
// are reached by key and contested ones change by compare-and-swap: no row is locked for reading, no lock outlives its
// transaction, and nothing is asked of PostgreSQL that databases with its protocol lack. Times are stored as
// milliseconds UTC; a login is found by the SHA-256 of its subject, which stands beside it as bytes. The row of an identity
// repeats its logins (inline.go).
//
// It does not know what a document or an identity means: rules are the business of the packages that write them.
package sqlstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"idpool/internal/store"
)

// Options tune a store. The zero value is right for most.
type Options struct {
	// Connections is how many connections at most are held for reading (SQLite, default 4) or in all (PostgreSQL,
	// default 16). At most 1000.
	Connections int
	// Synchronous is SQLite's: "FULL", the default, makes each acknowledged write durable; "NORMAL" is faster and may
	// lose the last ones when power fails, but not when the process dies, and never corrupts. PostgreSQL takes no notice:
	// there it is the server's synchronous_commit.
	Synchronous string
}

// errClosed is the answer of a store that was closed.
var errClosed = errors.New("the store is closed")

// engine runs statements on one database. Errors that it returns are fit for a log: redact has been over them.
type engine interface {
	// read runs fn, whose every statement sees the newest committed state. fn may run more than once.
	read(ctx context.Context, fn func(session) error) error
	// change runs fn in one transaction. It returns nil once that is durable; an error of fn undoes it. fn may run
	// more than once, and on another goroutine.
	change(ctx context.Context, fn func(session) error) error
	close() error
}

// session is where statements run while fn does. It ends with fn.
type session interface {
	query(text string, args ...any) (rows, error)
	// exec returns how many rows were affected.
	exec(text string, args ...any) (int64, error)
}

// rows are those of sql.Rows. What Scan has handed out stays.
type rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close() error
}

// Open opens the database of a URL, sqlite:PATH or postgres://USER@HOST/DATABASE, and brings its tables up to date;
// several processes may do so at once on PostgreSQL. A SQLite file that does not exist is created, readable by its owner
// alone; one process at a time should use it. A database written by a newer version of idpool is refused.
//
// Where a PostgreSQL URL does not state an sslmode, it is verify-full unless the host is this machine.
func Open(ctx context.Context, url string, o Options) (*store.Store, error) {
	if o.Connections < 0 || o.Connections > 1000 {
		return nil, errors.New("store connections: must be 1 to 1000, or 0 for the default")
	}
	e, err := openEngine(ctx, url, o)
	if err != nil {
		return nil, err
	}
	var clock func(context.Context) (time.Time, error)
	if remote, ok := e.(*postgresEngine); ok {
		clock = remote.clock
	}
	return &store.Store{
		Clock:      clock,
		Documents:  &documents{forDocuments(e)},
		Identities: &identities{e},
		Ping:       func(ctx context.Context) error { return ping(ctx, e) },
		Close:      e.close,
	}, nil
}

// forDocuments is the engine by which documents are read.
func forDocuments(e engine) engine {
	if lite, ok := e.(*sqliteEngine); ok {
		return configuration{lite}
	}
	return e
}

// openEngine picks the engine by the scheme. The URL may hold a password: errors do not repeat it.
func openEngine(ctx context.Context, url string, o Options) (engine, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest, o)
	case "postgres", "postgresql":
		return openPostgres(ctx, url, o)
	}
	return nil, errors.New("store URL: want sqlite:PATH or postgres://USER@HOST/DATABASE")
}

// ping reads one row, since an open connection proves little.
func ping(ctx context.Context, e engine) error {
	return e.read(ctx, func(s session) error {
		_, err := queryRevision(s, revisionSQL)
		return err
	})
}

// queryRevision returns the revision, which a store always has.
func queryRevision(s session, text string) (revision int64, err error) {
	err = queryRow(s, text, nil, &revision)
	if err == store.ErrNotFound {
		return 0, errNoRevision
	}
	return revision, err
}

// queryRow scans the first row of an answer, or returns ErrNotFound. It reads to the end, where some errors come.
func queryRow(s session, text string, args []any, into ...any) error {
	rows, err := s.query(text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	found := rows.Next()
	if found {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil || found {
		return err
	}
	return store.ErrNotFound
}
