package main

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// settle is how long PostgreSQL may take until it shows what its sessions counted: PGSTAT_IDLE_INTERVAL and a little.
const settle = 11 * time.Second

// countReads counts what vending asks of PostgreSQL: with identities remembered, without, and on two nodes.
func (r *rig) countReads(ctx context.Context) error {
	wait := settle
	if r.command.Smoke {
		wait = 0
	}
	for _, row := range r.rows {
		if row.at.engine != "postgres" || !row.vends || row.at.identities == large {
			continue
		}
		s, err := r.site(ctx, row.at)
		if err != nil {
			return err
		}
		n := 4 * r.command.Requests
		before, err := transactions(ctx, s.world.storeURL, wait)
		if err != nil {
			return err
		}
		if _, err := r.shoot(s, row, n); err != nil {
			return err
		}
		after, err := transactions(ctx, s.world.storeURL, wait)
		if err != nil {
			return err
		}
		r.result(row.name).Transactions = float64(after-before) / float64(n)
	}
	return nil
}

// transactions are those that a database has counted, once all of its sessions have reported.
func transactions(ctx context.Context, url string, wait time.Duration) (n int64, err error) {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, `SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&n)
	return n, err
}
