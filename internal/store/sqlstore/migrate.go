package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Each file holds one statement, so that a start that dies halfway is carried on by the next. On SQLite it runs in one
// transaction with the note that it did; on PostgreSQL, where there are databases that cannot change tables in one, it may
// be run again. Files are only ever added.
//
//go:embed migrations/*/*.sql
var migrationFiles embed.FS

const (
	versionTable = "idpool_schema"
	lockTable    = "idpool_schema_lock"
	lockEvery    = 100 * time.Millisecond
	lockAttempts = 600
)

// migrate brings the tables up to date, or refuses a database that is ahead of this program. Migrations have no
// parameters, so errors of the driver may be told as they are.
func migrate(ctx context.Context, db *sql.DB, d dialect) error {
	p, err := newProvider(db, d)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// Looking first spares a start that has nothing to do from waiting for a lock that a killed one may have left.
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have < want {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate from schema version %d to %d: %w", have, want, err)
		}
		if have, want, err = p.GetVersions(ctx); err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
	}
	if have > want {
		return fmt.Errorf("the database has schema version %d, and this idpool knows none above %d: use the idpool that wrote it, or a newer one", have, want)
	}
	return nil
}

func newProvider(db *sql.DB, d dialect) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations/"+d.folder)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	}
	if d.shared {
		locker, err := lock.NewPostgresTableLocker(
			lock.WithTableName(lockTable),
			lock.WithTableLockTimeout(lockEvery, lockAttempts),
			lock.WithTableUnlockTimeout(lockEvery, lockAttempts),
			lock.WithTableLogger(slog.New(slog.DiscardHandler)),
		)
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(d.goose, db, files, options...)
}
