package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"idpool/internal/store"
)

func mustOpenSQLite(t *testing.T, url string) *sqliteEngine {
	t.Helper()
	e, err := openEngine(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e.(*sqliteEngine)
}

// insert writes one row, or conflicts with one that is there.
func insert(id string) func(session) error {
	return func(s session) error {
		return one(s.exec("INSERT INTO identities VALUES ($1, 'p', 0, 0, 0, 0, '', 1, NULL, NULL) ON CONFLICT DO NOTHING", id))
	}
}

func count(t *testing.T, e engine) (n int64) {
	t.Helper()
	err := e.read(t.Context(), func(s session) error { return queryRow(s, "SELECT count(*) FROM identities", nil, &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stall keeps the writer busy while fn queues n jobs, so that they form one batch. It returns their answers.
func stall(t *testing.T, e *sqliteEngine, jobs ...func(session) error) []error {
	t.Helper()
	stalled, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = e.change(t.Context(), func(session) error { close(stalled); <-release; return nil })
	})
	<-stalled
	answers := make([]error, len(jobs))
	for i, job := range jobs {
		wg.Go(func() { answers[i] = e.change(t.Context(), job) })
		for len(e.writer.jobs) <= i { // one after the other
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
	return answers
}

// TestGroupCommit: a batch is one transaction; what fails in it fails alone; nobody is answered before the commit.
func TestGroupCommit(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	first := make(chan error, 1)
	failure := errors.New("of its own")
	answers := stall(t, e,
		func(s session) error { return insert("a")(s) },
		insert("a"),
		func(s session) error {
			if err := insert("b")(s); err != nil {
				return err
			}
			return failure // after a row was written
		},
		func(s session) error {
			if n := count(t, e); n != 0 {
				first <- fmt.Errorf("%d rows are seen before the commit", n)
			}
			return insert("c")(s)
		},
	)
	if answers[0] != nil || answers[1] != store.ErrConflict || answers[2] == nil || answers[3] != nil {
		t.Errorf("got answers %v", answers)
	}
	if got := count(t, e); got != 2 {
		t.Errorf("got %d rows, want those of the first and the last", got)
	}
	select {
	case err := <-first:
		t.Error(err)
	default:
	}
}

// TestLostTransaction: where SQLite ends the transaction by itself, nobody of the batch is told that it is stored, and
// nothing of it is.
func TestLostTransaction(t *testing.T) {
	for name, bad := range map[string]func(session) error{
		"and the job fails":    func(s session) error { _, err := s.exec("ROLLBACK"); return errors.Join(err, errors.New("full")) },
		"and the job does not": func(s session) error { _, err := s.exec("ROLLBACK"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			e := mustOpenSQLite(t, sqliteURL(t))
			answers := stall(t, e, insert("a"), insert("a"), bad, insert("b"))
			for i, err := range answers {
				if err == nil || errors.Is(err, store.ErrConflict) {
					t.Errorf("job %d: got %v, want an error", i, err)
				}
			}
			if got := count(t, e); got != 0 {
				t.Errorf("got %d rows, want none", got)
			}
			if err := e.change(t.Context(), insert("a")); err != nil {
				t.Errorf("the next write: %v", err)
			}
		})
	}
}

// TestDiskFull: writes fail, reads go on, and so do writes once there is room.
func TestDiskFull(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	limit := func(pages string) {
		t.Helper()
		err := e.change(t.Context(), func(s session) error {
			var n int64
			return queryRow(s, "PRAGMA max_page_count = "+pages, nil, &n)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite takes the size of today
	var err error
	stored := 0
	for ; stored < 1000 && err == nil; stored++ {
		err = e.change(t.Context(), insert(fmt.Sprint(strings.Repeat("x", 400), stored)))
	}
	if err == nil || errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "code 13") {
		t.Errorf("got %v, want SQLITE_FULL", err)
	}
	for i, err := range stall(t, e, insert("a"), insert(strings.Repeat("y", 4000)), insert("b")) {
		if i == 1 && err == nil {
			t.Errorf("job %d: got no error", i)
		}
	}
	before := count(t, e)
	limit("100000")
	if err := e.change(t.Context(), insert("fits")); err != nil {
		t.Errorf("the next write: %v", err)
	}
	if got := count(t, e); got != before+1 || got < int64(stored) {
		t.Errorf("got %d rows, want %d", got, before+1)
	}
}

// TestAbandoned: a write whose caller gave up before it began is not made.
func TestAbandoned(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	ctx, cancel := context.WithCancel(t.Context())
	stalled, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = e.change(t.Context(), func(session) error { close(stalled); <-release; return nil })
	})
	<-stalled
	wg.Go(func() {
		if err := e.change(ctx, insert("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	for len(e.writer.jobs) == 0 {
		runtime.Gosched()
	}
	cancel()
	close(release)
	wg.Wait()
	if err := e.change(t.Context(), insert("b")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, e); got != 1 {
		t.Errorf("got %d rows, want one", got)
	}
}

// TestCloseWhileWriting: what was acknowledged is there, what was refused is not, and nobody waits for ever.
func TestCloseWhileWriting(t *testing.T) {
	url := sqliteURL(t)
	e := mustOpenSQLite(t, url)
	const callers = 32
	var acknowledged [callers]int
	var wg sync.WaitGroup
	closed := make(chan error, 1)
	closing := sync.OnceFunc(func() { go func() { closed <- e.close() }() })
	for n := range callers {
		wg.Go(func() {
			defer closing() // whoever has failed writes no more, and nobody else may be there to close
			for i := 0; ; i++ {
				if n == 0 && i == 20 {
					closing()
				}
				err := e.change(t.Context(), insert(fmt.Sprint(n, "-", i)))
				if err != nil {
					if err != errClosed {
						t.Errorf("got %v, want %v", err, errClosed)
					}
					return
				}
				acknowledged[n]++
			}
		})
	}
	wg.Wait()
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	want := 0
	for _, n := range acknowledged {
		want += n
	}
	if got := count(t, mustOpenSQLite(t, url)); got != int64(want) || want < 20 {
		t.Errorf("got %d rows, want the %d acknowledged ones", got, want)
	}
	if err := e.read(t.Context(), func(session) error { return nil }); err != errClosed {
		t.Errorf("read: got %v, want %v", err, errClosed)
	}
}
