package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// maxPrepared bounds the statements that one connection keeps: Find has one per number of logins.
const maxPrepared = 64

// conn is a connection to SQLite with its prepared statements, used by one goroutine at a time. It is a session. It is the
// driver's own: what database/sql adds, which is pools, locks and conversions, costs a quarter of a look-up.
type conn struct {
	driver.Conn
	prepared map[string]driver.Stmt
}

func newConn(ctx context.Context, connector driver.Connector) (*conn, error) {
	c, err := connector.Connect(ctx)
	if err != nil {
		return nil, redact(err)
	}
	return &conn{Conn: c, prepared: map[string]driver.Stmt{}}, nil
}

// A statement is one of the connection's, kept or not.
func (c *conn) statement(text string) (s driver.Stmt, kept bool, err error) {
	if s, ok := c.prepared[text]; ok {
		return s, true, nil
	}
	if s, err = c.Prepare(text); err != nil {
		return nil, false, err
	}
	if len(c.prepared) >= maxPrepared {
		return s, false, nil
	}
	c.prepared[text] = s
	return s, true, nil
}

func (c *conn) query(text string, args ...any) (rows, error) {
	named, err := parameters(args)
	if err != nil {
		return nil, err
	}
	s, kept, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	found, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), named)
	r := &liteRows{rows: found}
	if !kept {
		r.statement = s
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.values = make([]driver.Value, len(found.Columns()))
	return r, nil
}

func (c *conn) exec(text string, args ...any) (int64, error) {
	named, err := parameters(args)
	if err != nil {
		return 0, err
	}
	s, kept, err := c.statement(text)
	if err != nil {
		return 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(context.Background(), named)
	if !kept {
		err = errors.Join(err, s.Close())
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
	return redact(errors.Join(append(errs, c.Close())...))
}

// parameters are the arguments of a statement as drivers want them.
func parameters(args []any) ([]driver.NamedValue, error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return named, nil
}

// liteRows are the rows of an answer. They end, and their statement is free again, with the last row or with Close.
type liteRows struct {
	rows      driver.Rows
	statement driver.Stmt // to be closed with the rows, or nil
	values    []driver.Value
	err       error
}

func (r *liteRows) Next() bool {
	if r.rows == nil {
		return false
	}
	err := r.rows.Next(r.values)
	if err == nil {
		return true
	}
	if err != io.EOF {
		r.err = err
	}
	r.err = errors.Join(r.err, r.Close())
	return false
}

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Close() (err error) {
	if r.rows != nil {
		err = r.rows.Close()
		r.rows = nil
	}
	if r.statement != nil {
		err = errors.Join(err, r.statement.Close())
		r.statement = nil
	}
	return err
}

// Scan takes apart the row that Next has found.
func (r *liteRows) Scan(into ...any) error {
	if r.rows == nil || len(into) != len(r.values) {
		return fmt.Errorf("scan: %d columns into %d", len(r.values), len(into))
	}
	for i, to := range into {
		if !assign(to, r.values[i]) {
			return fmt.Errorf("scan: column %d is a %T, which %T cannot hold", i+1, r.values[i], to)
		}
	}
	return nil
}

// assign knows the types of our columns: text, blobs, integers, and truth, which is stored as an integer.
func assign(to any, value driver.Value) (ok bool) {
	switch to := to.(type) {
	case *string:
		*to, ok = value.(string)
	case *int64:
		*to, ok = value.(int64)
	case *bool:
		var n int64
		n, ok = value.(int64)
		*to = n != 0
	case *[]byte:
		if *to, ok = value.([]byte); value == nil {
			ok = true
		}
	case *sql.NullString:
		if to.String, to.Valid = value.(string); to.Valid || value == nil {
			ok = true
		}
	case sql.Scanner:
		ok = to.Scan(value) == nil
	}
	return ok
}
