package sqlstore

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// dialect is what differs between the engines besides how they run statements.
type dialect struct {
	folder string // of migrations
	goose  goose.Dialect
	shared bool // whether several processes may migrate at once
}

var (
	sqliteDialect   = dialect{folder: "sqlite", goose: goose.DialectSQLite3}
	postgresDialect = dialect{folder: "postgres", goose: goose.DialectPostgres, shared: true}
)

// SQLSTATEs that mean something to us.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	featureNotSupported  = "0A000" // also "cached plan must not change result type", after a migration
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
)

// errUnknownOutcome is a COMMIT without an answer: it may have taken effect, so it must not be repeated here. A caller
// that reads again learns what became of it.
type errUnknownOutcome struct{ error }

func (e errUnknownOutcome) Unwrap() error { return e.error }

// transient reports whether nothing has happened and may happen when it is tried once more: the server has undone the
// transaction, or an open connection was lost before COMMIT, as all of a pool are when a server goes. A server that
// cannot be connected to is not asked again, which would only keep callers waiting.
func transient(err error, attempt int) bool {
	if errors.As(err, new(errUnknownOutcome)) || errors.As(err, new(*pgconn.ConnectError)) {
		return false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case serializationFailure, deadlockDetected, adminShutdown, crashShutdown:
			return true
		case featureNotSupported:
			return attempt == 1 // the driver has dropped the plan by then
		}
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) ||
		errors.As(err, new(*net.OpError))
}
