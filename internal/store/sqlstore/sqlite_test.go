package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idpool/internal/store"
)

func TestRefusedURLs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "text"), bytes.Repeat([]byte("not a database\n"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url string
		o   Options
	}{
		{"", Options{}},
		{"hunter2", Options{}},
		{"mysql://root:hunter2@localhost/idpool", Options{}},
		{"SQLITE:" + dir + "/a", Options{}},
		{"sqlite:", Options{}},
		{"sqlite::memory:", Options{}},
		{"sqlite://localhost/a", Options{}},
		{"sqlite:" + dir, Options{}},
		{"sqlite:" + dir + "/a/", Options{}},
		{"sqlite:" + dir + "/no/such/folder", Options{}},
		{"sqlite:" + dir + "/a\x00b", Options{}},
		{"sqlite:" + dir + "/text", Options{}},
		{"sqlite:" + dir + "/a", Options{Synchronous: "OFF"}},
		{"sqlite:" + dir + "/a", Options{Synchronous: "full"}},
		{"sqlite:" + dir + "/a", Options{Connections: -1}},
		{"sqlite:" + dir + "/a", Options{Connections: 1001}},
		{"postgres://user:hunter2@[::1/idpool", Options{}},
		{"postgres://user:hunter2@localhost:port/idpool", Options{}},
		{"postgres://user:hunter2@localhost/idpool?sslmode=hunter2", Options{}},
		{"postgres://user:hunter2@localhost/idpool?default_query_exec_mode=simple_protocol", Options{}},
		{"postgres://user:hunter2@localhost/idpool?sslrootcert=/no/such/file&sslmode=verify-full", Options{}},
	} {
		s, err := Open(t.Context(), c.url, c.o)
		if err == nil {
			s.Close()
			t.Errorf("Open(%q, %+v): got no error", c.url, c.o)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): the password is in the error: %v", c.url, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused store was created: %v", err)
	}
}

// TestSQLiteFile: what a store leaves on disk is its owner's alone, under the very name that was given.
func TestSQLiteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b?mode=memory&_pragma=x#%41%.db")
	s := mustOpen(t, "sqlite:"+path, Options{})
	if _, err := s.Documents.Write(t.Context(), store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(filepath.Join(dir, e.Name()), path) || info.Mode().Perm() != 0o600 {
			t.Errorf("got %s of mode %v, want %s… of 0600", e.Name(), info.Mode(), filepath.Base(path))
		}
	}
	if len(entries) != 3 {
		t.Errorf("got %d files, want the database, its log and its index", len(entries))
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close, twice: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %d files after Close, want the database alone", len(entries))
	}
	again := mustOpen(t, "sqlite:"+path, Options{Synchronous: "NORMAL"})
	if got, err := again.Documents.Get(t.Context(), "pool", "a"); err != nil || string(got.Body) != "1" {
		t.Errorf("Get after reopening: got %+v, %v", got, err)
	}
}

func TestSQLiteSettings(t *testing.T) {
	for synchronous, want := range map[string]int64{"": 2, "FULL": 2, "NORMAL": 1} {
		engine, err := openEngine(t.Context(), sqliteURL(t), Options{Synchronous: synchronous, Connections: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.close()
		ask := func(do func(context.Context, func(session) error) error, pragma string) (n int64) {
			t.Helper()
			if err := do(t.Context(), func(s session) error { return queryRow(s, "PRAGMA "+pragma, nil, &n) }); err != nil {
				t.Errorf("PRAGMA %s: %v", pragma, err)
			}
			return n
		}
		if got := ask(engine.change, "synchronous"); got != want {
			t.Errorf("%q: got synchronous %d, want %d", synchronous, got, want)
		}
		for _, c := range []struct {
			do   func(context.Context, func(session) error) error
			want int64
		}{{engine.read, -8192}, {engine.change, -8192}, {forDocuments(engine).read, -2048}} {
			if got := ask(c.do, "cache_size"); got != c.want {
				t.Errorf("got a cache of %d KiB, want %d", -got, -c.want)
			}
		}
		if got := ask(engine.read, "busy_timeout"); got != 5000 {
			t.Errorf("got a busy timeout of %d ms, want 5000", got)
		}
		err = engine.read(t.Context(), func(s session) error { _, err := s.exec("DELETE FROM store_revision"); return err })
		if err == nil {
			t.Error("a connection for reading has written")
		}
	}
}

// TestReadersBounded: who waits for a connection waits no longer than his context.
func TestReadersBounded(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	ctx, cancel := context.WithCancel(t.Context())
	var nest func(int) error
	nest = func(n int) error {
		if n == 0 {
			cancel()
			return e.read(ctx, func(session) error { return nil })
		}
		return e.read(t.Context(), func(session) error { return nest(n - 1) })
	}
	if err := nest(defaultReaders); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// newer makes the database one that a later version has migrated.
func newer(t *testing.T, url string) {
	t.Helper()
	e, err := openEngine(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	err = e.change(t.Context(), func(s session) error {
		_, err := s.exec("INSERT INTO idpool_schema (version_id, is_applied) VALUES (99999, TRUE)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantTooNew(t *testing.T, url string) {
	t.Helper()
	newer(t, url)
	s, err := Open(t.Context(), url, Options{})
	if err == nil {
		s.Close()
		t.Fatal("got no error, want a refusal of the newer schema")
	}
	if got := err.Error(); !strings.Contains(got, "schema version 99999") || !strings.Contains(got, "newer") {
		t.Errorf("got %q, want the version and what to do", got)
	}
}

func TestNewerSchemaSQLite(t *testing.T) { wantTooNew(t, sqliteURL(t)) }

// wantSilent fails where opening a store prints anything.
func wantSilent(t *testing.T, open func()) {
	t.Helper()
	stdout, stderr := os.Stdout, os.Stderr
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout, os.Stderr = out, out
	log.SetOutput(out)
	open()
	os.Stdout, os.Stderr = stdout, stderr
	log.SetOutput(stderr)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out.Name()); err != nil || len(got) != 0 {
		t.Errorf("opening a store printed %q, %v", got, err)
	}
}

func TestSilentSQLite(t *testing.T) {
	url := sqliteURL(t)
	wantSilent(t, func() { mustOpen(t, url, Options{}) })
}

// TestManyStatements: a connection that has prepared all it may goes on without.
func TestManyStatements(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	err := e.read(t.Context(), func(s session) error {
		for i := range int64(2 * maxPrepared) {
			var got int64
			if err := queryRow(s, fmt.Sprint("SELECT n + ", i, " FROM store_revision"), nil, &got); err != nil || got != i {
				return errors.Join(err, fmt.Errorf("got %d, want %d", got, i))
			}
		}
		if got := len(s.(*conn).prepared); got != maxPrepared {
			return fmt.Errorf("got %d statements kept, want %d", got, maxPrepared)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestConfigurationDoesNotWait: documents are read while all connections for identities are busy.
func TestConfigurationDoesNotWait(t *testing.T) {
	s := mustOpen(t, sqliteURL(t), Options{Connections: 2})
	e := s.Identities.(*identities).engine
	inside, end := make(chan struct{}), make(chan struct{})
	for range 2 {
		go func() {
			_ = e.read(context.Background(), func(session) error {
				inside <- struct{}{}
				<-end
				return nil
			})
		}()
	}
	<-inside
	<-inside
	defer close(end)
	if _, err := s.Documents.Revision(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Documents.Revision(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}
