package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
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
	// cacheSize is of pages, for one connection; negative means KiB. Who looks for identities profits from the upper levels
	// of their trees, and so does the writer. Documents are few.
	cacheSize      = "-8192"
	documentsCache = "-2048"
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

func (e *sqliteEngine) open(ctx context.Context, synchronous string) (err error) {
	connector, err := e.connector("rw", cacheSize, "_txlock=immediate", "_journal_mode=WAL", "_synchronous="+synchronous, "_pragma=journal_size_limit(67108864)")
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, redact(db.Close())) }()
	db.SetMaxOpenConns(1)
	if err := checkWAL(ctx, db); err != nil {
		return err
	}
	if err := migrate(ctx, db, sqliteDialect); err != nil {
		return err
	}
	c, err := newConn(ctx, connector)
	if err != nil {
		return err
	}
	e.writer = startWriter(c)
	return e.openReaders(ctx)
}

func (e *sqliteEngine) openReaders(ctx context.Context) error {
	own, err := e.openReader(ctx, documentsCache)
	if err != nil {
		e.count = 0
		return err
	}
	e.own = make(chan *conn, 1)
	e.own <- own
	e.readers = make(chan *conn, e.count)
	for i := range e.count {
		c, err := e.openReader(ctx, cacheSize)
		if err != nil {
			e.count = i // those to close
			return err
		}
		e.readers <- c
	}
	return nil
}

func (e *sqliteEngine) openReader(ctx context.Context, cache string) (*conn, error) {
	connector, err := e.connector("ro", cache, "_query_only=1")
	if err != nil {
		return nil, err
	}
	return newConn(ctx, connector)
}

// connector opens connections to the file. The path is escaped, so that no character of it becomes a parameter.
func (e *sqliteEngine) connector(mode, cache string, parameters ...string) (driver.Connector, error) {
	parameters = append(parameters, "mode="+mode, "_busy_timeout="+busyTimeout, "_defensive=1", "_dqs=0",
		"_pragma=cache_size("+cache+")", "_pragma=trusted_schema(0)")
	name := "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?" + strings.Join(parameters, "&")
	c, err := sqlite.NewConnector(name)
	return c, redact(err)
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

func (e *sqliteEngine) read(ctx context.Context, fn func(session) error) error {
	return e.readOn(ctx, e.readers, fn)
}

// configuration is the engine of the documents. They have a connection of their own: a node that cannot read them gives
// nothing out, so they must not wait behind identities that a slow disk is looking for.
type configuration struct{ *sqliteEngine }

func (e configuration) read(ctx context.Context, fn func(session) error) error {
	return e.readOn(ctx, e.own, fn)
}

// readOn runs fn on one of some connections. What a reader does is short, so it is not interrupted: ctx bounds the wait.
func (e *sqliteEngine) readOn(ctx context.Context, readers chan *conn, fn func(session) error) error {
	select {
	case <-e.closed:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
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
	// The writer goes last, since it may fold the log into the file.
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store %s: %w", e.path, redact(err))
	}
	return nil
}
