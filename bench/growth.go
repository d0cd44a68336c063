package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// measureGrowth counts by how much a store grows for each identity that a row makes.
func (r *rig) measureGrowth(ctx context.Context) error {
	for _, row := range r.rows {
		if row.at.own == "" || row.vends {
			continue
		}
		s, err := r.site(ctx, row.at)
		if err != nil {
			return err
		}
		n := r.command.Requests
		before, err := bytesOf(ctx, s.world.storeURL)
		if err != nil {
			return err
		}
		if _, err := r.shoot(s, row, n); err != nil {
			return err
		}
		after, err := bytesOf(ctx, s.world.storeURL)
		if err != nil {
			return err
		}
		r.growth[row.name] = float64(after-before) / float64(n)
	}
	return nil
}

// bytesOf is the size of a database, with what its log holds.
func bytesOf(ctx context.Context, storeURL string) (bytes int64, err error) {
	driver, source, query := "pgx", storeURL, "SELECT pg_database_size(current_database())"
	if file, is := strings.CutPrefix(storeURL, "sqlite:"); is {
		driver, source, query = "sqlite", file, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, query).Scan(&bytes)
	return bytes, err
}
