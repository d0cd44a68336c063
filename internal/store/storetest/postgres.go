package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// PostgresURL returns the URL of a new and empty PostgreSQL schema, which is as good as a database of its own, and is
// dropped when the test ends. Connections by it have the name of the schema as their application name.
//
// The server is that of IDPOOL_TEST_POSTGRES, a postgres:// URL with the right to create schemas (.ci/postgres starts
// one). Where it is not set the test is skipped, or fails under IDPOOL_REQUIRE=all. The test must import sqlstore, which
// brings the driver.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("IDPOOL_TEST_POSTGRES")
	if server == "" {
		const why = "IDPOOL_TEST_POSTGRES is not set: it is the postgres:// URL of a server for tests, see .ci/postgres"
		if os.Getenv("IDPOOL_REQUIRE") == "all" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	if !slices.Contains(sql.Drivers(), "pgx") {
		t.Fatal("the test does not import idpool/internal/store/sqlstore, which brings the driver")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("IDPOOL_TEST_POSTGRES is not a URL")
	}
	schema := "idpool_test_" + strings.ToLower(rand.Text())
	if err := onServer(t.Context(), server, "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("create schema: %v", err)
	}
	t.Cleanup(func() {
		if err := dropSchema(server, schema); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	q := u.Query()
	q.Set("search_path", schema)
	q.Set("application_name", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

// dropSchema first ends connections that a failed test left open, which would hold it up.
func dropSchema(server, schema string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return onServer(ctx, server,
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"+schema+"'",
		"DROP SCHEMA "+schema+" CASCADE")
}

func onServer(ctx context.Context, server string, statements ...string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
