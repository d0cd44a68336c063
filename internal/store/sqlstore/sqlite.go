package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

const (
	defaultReaders = 4
	// busyTimeout is how long, in milliseconds, a lock of another process is waited for: a backup, an administrator.
	busyTimeout = "5000"
	// cacheSize is that of one connection; negative means KiB.
	cacheSize = "-8192"
	// maxPrepared bounds the statements that one connection keeps: Find has one per number of logins.
	maxPrepared = 64
)

// sqliteEngine is a file in WAL mode: one connection that writes, and some that read beside it, each of which sees what
// was committed before its statement began.
type sqliteEngine struct {
	path    string
	writer  *writer
	readers chan *conn    // those at rest
	count   int           // of readers
	own     chan *conn    // one more, for the configuration
	closed  chan struct{} // no more reads
	close1  func() error
	dbs     []*sql.DB
}

func openSQLite(ctx context.Context, path string, o Options) (_ engine, err error) {
	if path, err = sqlitePath(path); err != nil {
		return nil, err
	}
	synchronous := o.Synchronous
	switch synchronous {
	case "":
		synchronous = "FULL"
	case "FULL", "NORMAL":
	default:
		return nil, errors.New(`store synchronous: want "FULL" or "NORMAL"`)
	}
	if err := createFile(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	e := &sqliteEngine{path: path, closed: make(chan struct{}), count: o.Connections}
	if e.count == 0 {
		e.count = defaultReaders
	}
	e.close1 = sync.OnceValue(e.end)
	if err := e.open(ctx, synchronous); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), e.close())
	}
	return e, nil
}

// sqlitePath returns the path of a URL without its scheme. A host, or a database that is no file, is refused.
func sqlitePath(path string) (string, error) {
	if strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///") {
		return "", errors.New("store URL: want sqlite:PATH, without a host")
	}
	if path == "" || strings.HasPrefix(path, ":") || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0) {
		return "", errors.New("store URL: want sqlite:PATH, the path of a file")
	}
	return filepath.Abs(path)
}

// createFile makes the file before SQLite does, for its mode: SQLite gives the same to its companions.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (e *sqliteEngine) open(ctx context.Context, synchronous string) error {
	db, err := e.connector("rw", "_txlock=immediate", "_journal_mode=WAL", "_synchronous="+synchronous, "_pragma=journal_size_limit(67108864)")
	if err != nil {
		return err
	}
	if err := checkWAL(ctx, db); err != nil {
		return err
	}
	if err := migrate(ctx, db, sqliteDialect); err != nil {
		return err
	}
	c, err := newConn(ctx, db)
	if err != nil {
		return err
	}
	e.writer = startWriter(c)
	return e.openReaders(ctx)
}

func (e *sqliteEngine) openReaders(ctx context.Context) error {
	db, err := e.connector("ro", "_query_only=1")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(e.count + 1)
	own, err := newConn(ctx, db)
	if err != nil {
		e.count = 0
		return err
	}
	e.own = make(chan *conn, 1)
	e.own <- own
	e.readers = make(chan *conn, e.count)
	for i := range e.count {
		c, err := newConn(ctx, db)
		if err != nil {
			e.count = i // those to close
			return err
		}
		e.readers <- c
	}
	return nil
}

// connector returns a pool for the file, of one connection until it is told otherwise. The path is escaped, so that no
// character of it becomes a parameter.
func (e *sqliteEngine) connector(mode string, parameters ...string) (*sql.DB, error) {
	parameters = append(parameters, "mode="+mode, "_busy_timeout="+busyTimeout, "_defensive=1", "_dqs=0",
		"_pragma=cache_size("+cacheSize+")", "_pragma=trusted_schema(0)")
	name := "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?" + strings.Join(parameters, "&")
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, redact(err)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	e.dbs = append(e.dbs, db)
	return db, nil
}

// checkWAL refuses a file system on which the write-ahead log does not work, where SQLite silently stays with another
// journal that lets no one read during a write.
func checkWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return redact(err)
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %q: this file system cannot hold the store", mode)
	}
	return nil
}

// read runs fn on a connection of its own. What a reader does is short, so it is not interrupted: ctx bounds the wait.
func (e *sqliteEngine) read(ctx context.Context, fn func(session) error) error {
	select {
	case <-e.closed:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.readOn(ctx, e.readers, fn)
}

// configuration is the engine of the documents. They have a connection of their own: a node that cannot read them gives
// nothing out, so they must not wait behind identities that a slow disk is looking for.
type configuration struct{ *sqliteEngine }

func (e configuration) read(ctx context.Context, fn func(session) error) error {
	select {
	case <-e.closed:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.readOn(ctx, e.own, fn)
}

// readOn runs fn on one of some connections.
func (e *sqliteEngine) readOn(ctx context.Context, readers chan *conn, fn func(session) error) error {
	c, err := e.reader(ctx, readers)
	if err != nil {
		return err
	}
	defer func() { readers <- c }()
	return redact(fn(c))
}

// reader takes a connection that reads. Where one is at rest, ctx need not be waited for, which costs a timer.
func (e *sqliteEngine) reader(ctx context.Context, readers chan *conn) (*conn, error) {
	select {
	case c := <-readers:
		return c, nil
	default:
	}
	select {
	case c := <-readers:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.closed:
		return nil, errClosed
	}
}

func (e *sqliteEngine) change(ctx context.Context, fn func(session) error) error {
	return e.writer.submit(ctx, fn)
}

func (e *sqliteEngine) close() error { return e.close1() }

// end lets writes that were accepted and reads that have begun finish, then closes the file.
func (e *sqliteEngine) end() error {
	close(e.closed)
	var errs []error
	if e.own != nil {
		errs = append(errs, (<-e.own).close())
	}
	if e.readers != nil {
		for range e.count {
			errs = append(errs, (<-e.readers).close())
		}
	}
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	// The reading pool goes first, so that the last connection is one that may fold the log into the file.
	for i := len(e.dbs) - 1; i >= 0; i-- {
		errs = append(errs, e.dbs[i].Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store %s: %w", e.path, redact(err))
	}
	return nil
}

// conn is a connection with its prepared statements, used by one goroutine at a time. It is a session.
type conn struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, redact(err)
	}
	return &conn{Conn: c, prepared: map[string]*sql.Stmt{}}, nil
}

// statement returns nil where the text is one too many to keep.
func (c *conn) statement(text string) (*sql.Stmt, error) {
	s, ok := c.prepared[text]
	if ok || len(c.prepared) >= maxPrepared {
		return s, nil
	}
	s, err := c.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	c.prepared[text] = s
	return s, nil
}

func (c *conn) query(text string, args ...any) (*sql.Rows, error) {
	s, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.QueryContext(context.Background(), text, args...)
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *conn) exec(text string, args ...any) (int64, error) {
	s, err := c.statement(text)
	if err != nil {
		return 0, err
	}
	var result sql.Result
	if s == nil {
		result, err = c.ExecContext(context.Background(), text, args...)
	} else {
		result, err = s.ExecContext(context.Background(), args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.Close())...)
}
