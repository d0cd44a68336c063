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

// PostgresURL returns the URL of a new and empty PostgreSQL database, which is dropped when the test ends.
//
// The server is that of IDPOOL_TEST_POSTGRES, a postgres:// URL with the right to create databases (.ci/postgres starts
// one). Where it is not set the test is skipped, or fails under IDPOOL_REQUIRE=all. The test must import sqlstore, which
// brings the driver. The database orders text by the rules of a language where the server can, so that a statement that
// relies on the order of bytes has to say so.
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
	name := "idpool_test_" + strings.ToLower(rand.Text())
	createDatabase(t, server, name)
	u.Path = "/" + name
	return u.String()
}

func createDatabase(t testing.TB, server, name string) {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatalf("IDPOOL_TEST_POSTGRES: %v", err)
	}
	defer db.Close()
	create := "CREATE DATABASE " + name + " TEMPLATE template0"
	if _, err := db.ExecContext(t.Context(), create+" ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"); err != nil {
		if _, err := db.ExecContext(t.Context(), create); err != nil {
			t.Fatalf("create database: %v", err)
		}
	}
	t.Cleanup(func() { dropDatabase(t, server, name) })
}

func dropDatabase(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Errorf("IDPOOL_TEST_POSTGRES: %v", err)
		return
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		t.Errorf("drop database: %v", err)
	}
}
