package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	defaultConnections = 16
	// A connection is renewed now and then, so that a pool finds its way back after a failover or to a new address.
	maxLifetime = 30 * time.Minute
	maxIdle     = 5 * time.Minute
)

// postgresEngine is a pool of connections to the primary. Read committed is enough, since statements name the versions
// that they expect; with a stricter level, or a database that knows no other, transactions are repeated.
type postgresEngine struct {
	db     *sql.DB
	closed atomic.Bool
}

func openPostgres(ctx context.Context, url string, o Options) (engine, error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	connections := o.Connections
	if connections == 0 {
		connections = defaultConnections
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxLifetime(maxLifetime)
	db.SetConnMaxIdleTime(maxIdle)
	if err := migrate(ctx, db, postgresDialect); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	// Not before: a migration holds several at once, its lock among them, and would wait for itself.
	db.SetMaxOpenConns(connections)
	return &postgresEngine{db: db}, nil
}

// postgresConfig reads a URL. TLS is asked for where the URL says nothing and the host is not this machine, since a
// client that falls back to plain text (sslmode=prefer) protects nothing.
func postgresConfig(text string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("store URL: cannot be read") // the cause quotes the URL, and with it the password
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, withoutPassword(err, u)
	}
	if !u.Query().Has("sslmode") && os.Getenv("PGSSLMODE") == "" && remote(config) {
		q := u.Query()
		q.Set("sslmode", "verify-full")
		u.RawQuery = q.Encode()
		if config, err = pgx.ParseConfig(u.String()); err != nil {
			return nil, withoutPassword(err, u)
		}
	}
	if config.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("store URL: default_query_exec_mode=simple_protocol is refused, it sends parameters as text of statements")
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "idpool"
	}
	return config, nil
}

// withoutPassword returns the reason why a URL was refused, as far as it can be told.
func withoutPassword(err error, u *url.URL) error {
	password, set := u.User.Password()
	if set && password != "" && strings.Contains(err.Error(), password) {
		return errors.New("store URL: cannot be read")
	}
	return fmt.Errorf("store URL: %w", err)
}

// remote reports whether any host of the configuration is another machine.
func remote(c *pgx.ConnConfig) bool {
	if !local(c.Host) {
		return true
	}
	for _, f := range c.Fallbacks {
		if !local(f.Host) {
			return true
		}
	}
	return false
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || ip != nil && ip.IsLoopback()
}

func (e *postgresEngine) read(ctx context.Context, fn func(session) error) error {
	return e.retry(ctx, func() error { return fn(handle{ctx, e.db}) })
}

func (e *postgresEngine) change(ctx context.Context, fn func(session) error) error {
	return e.retry(ctx, func() error { return e.transact(ctx, fn) })
}

func (e *postgresEngine) retry(ctx context.Context, fn func() error) error {
	if e.closed.Load() {
		return errClosed
	}
	return retry(ctx, fn)
}

func (e *postgresEngine) transact(ctx context.Context, fn func(session) error) error {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(handle{ctx, tx}); err != nil {
		_ = tx.Rollback() // where it fails, the connection is closed, which undoes as well
		return err
	}
	err = tx.Commit()
	if err == nil || errors.As(err, new(*pgconn.PgError)) {
		return err
	}
	return errUnknownOutcome{err}
}

func (e *postgresEngine) close() error {
	e.closed.Store(true)
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", redact(err))
	}
	return nil
}

// handle is a session on a pool or in a transaction, for as long as ctx lasts. The driver prepares statements by itself.
type handle struct {
	ctx context.Context
	db  interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}
}

func (h handle) query(text string, args ...any) (rows, error) {
	found, err := h.db.QueryContext(h.ctx, text, args...)
	if err != nil {
		return nil, err // and not a nil *sql.Rows, which is no nil rows
	}
	return found, nil
}

func (h handle) exec(text string, args ...any) (int64, error) {
	result, err := h.db.ExecContext(h.ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

const clockSQL = `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`

// clock reads the clock of the database.
func (e *postgresEngine) clock(ctx context.Context) (time.Time, error) {
	var millis int64
	err := e.read(ctx, func(s session) error { return queryRow(s, clockSQL, nil, &millis) })
	return time.UnixMilli(millis), err
}
