package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"idpool/internal/store"
)

// redact returns err without the text of a driver, which may quote values: codes, names of tables and constraints, and
// errors of the network and of files stay. A unique index that says no is a conflict.
func redact(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{
		store.ErrConflict, store.ErrNotFound, errClosed, errNoRevision, errInline, context.DeadlineExceeded, context.Canceled,
		sql.ErrConnDone, sql.ErrTxDone, driver.ErrBadConn, io.ErrUnexpectedEOF, io.EOF,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return redactPostgres(e)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return redactSQLite(e)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e
	}
	return fmt.Errorf("database driver: %T", innermost(err))
}

func redactPostgres(e *pgconn.PgError) error {
	if e.Code == uniqueViolation {
		return store.ErrConflict
	}
	return fmt.Errorf("postgres: SQLSTATE %s, table %q, constraint %q", e.Code, e.TableName, e.ConstraintName)
}

func redactSQLite(e *sqlite.Error) error {
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return store.ErrConflict
	}
	// An extended code holds the primary one in its low byte, and the texts are those of primary codes.
	return fmt.Errorf("sqlite: %s, code %d", sqlite.ErrorCodeString[e.Code()&0xff], e.Code())
}

// innermost follows the chain of causes to its end, whose type says most.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
