package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// file is a writer with Sync that notes what it is asked, and fails when told to. It is not safe for concurrent use.
type file struct {
	bytes.Buffer
	calls     []string
	failWrite error
	most      int // how many bytes a failing write takes
	failSync  error
}

func (f *file) Write(p []byte) (int, error) {
	f.calls = append(f.calls, "write")
	if f.failWrite != nil {
		n, _ := f.Buffer.Write(p[:min(f.most, len(p))])
		return n, f.failWrite
	}
	return f.Buffer.Write(p)
}

func (f *file) Sync() error {
	f.calls = append(f.calls, "sync")
	return f.failSync
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name    string
		record  *Record
		durable bool
		want    string
		calls   []string
	}{
		{"everything", full(), false, fullLine, []string{"write"}},
		{"everything, durably", full(), true, fullLine, []string{"write", "sync"}},
		{"nothing", &Record{}, false, emptyLine, []string{"write"}},
	} {
		f := &file{}
		if err := NewLines(f).Write(c.record, c.durable); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := gocmp.Diff(f.String(), c.want); d != "" {
			t.Errorf("%s: line (-got +want):\n%s", c.name, d)
		}
		if !slices.Equal(f.calls, c.calls) {
			t.Errorf("%s: got %q, want %q", c.name, f.calls, c.calls)
		}
	}
}

// TestLinesWithoutSync: a writer that cannot sync keeps durable records like others.
func TestLinesWithoutSync(t *testing.T) {
	var b bytes.Buffer
	if err := NewLines(struct{ io.Writer }{&b}).Write(&Record{}, true); err != nil || b.String() != emptyLine {
		t.Errorf("got %q, %v, want %q", b.String(), err, emptyLine)
	}
}

// TestLinesFail: an error says that the record is not kept, so that nothing is handed out.
func TestLinesFail(t *testing.T) {
	diskFull := errors.New("disk full")
	for name, c := range map[string]struct {
		file    *file
		durable bool
		want    string // empty for no error
		calls   []string
	}{
		"write":               {&file{failWrite: diskFull}, false, "writing an event: disk full", []string{"write"}},
		"write, durably":      {&file{failWrite: diskFull}, true, "writing an event: disk full", []string{"write"}},
		"half a write":        {&file{failWrite: diskFull, most: 9}, true, "writing an event: disk full", []string{"write"}},
		"sync":                {&file{failSync: diskFull}, true, "syncing an event: disk full", []string{"write", "sync"}},
		"sync, but not asked": {&file{failSync: diskFull}, false, "", []string{"write"}},
	} {
		err := NewLines(c.file).Write(&Record{}, c.durable)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want || !errors.Is(err, diskFull)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if !slices.Equal(c.file.calls, c.calls) {
			t.Errorf("%s: got %q, want %q", name, c.file.calls, c.calls)
		}
	}
}

// TestLinesUnencodable: what JSON cannot hold is an error before anything is written.
func TestLinesUnencodable(t *testing.T) {
	f := &file{}
	if err := NewLines(f).Write(&Record{Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, true); err == nil || len(f.calls) != 0 {
		t.Errorf("got %v, calls %q, want an error and none", err, f.calls)
	}
}

// TestLinesAfterATornLine: a line that was cut short by a full disk does not swallow the next.
func TestLinesAfterATornLine(t *testing.T) {
	for name, c := range map[string]struct {
		most []int // of each failing write
		want string
	}{
		"nothing written":    {[]int{0}, emptyLine},
		"a part":             {[]int{9}, emptyLine[:9] + "\n" + emptyLine},
		"a part, then none":  {[]int{9, 0}, emptyLine[:9] + "\n" + emptyLine},
		"two parts":          {[]int{9, 5}, emptyLine[:9] + "\n" + emptyLine[:4] + "\n" + emptyLine},
		"all but its end":    {[]int{len(emptyLine) - 1}, emptyLine + emptyLine},
		"all, and an error":  {[]int{len(emptyLine)}, emptyLine + emptyLine},
		"no failure at all":  {nil, emptyLine},
		"none, then a part":  {[]int{0, 1}, "{\n" + emptyLine},
		"none, twice":        {[]int{0, 0}, emptyLine},
		"all, then a part":   {[]int{len(emptyLine), 1}, emptyLine + "{\n" + emptyLine},
		"a part, then whole": {[]int{1, len(emptyLine) + 1}, "{\n" + emptyLine + emptyLine},
	} {
		f := &file{}
		lines := NewLines(f)
		for _, most := range c.most {
			f.failWrite, f.most = errors.New("disk full"), most
			if err := lines.Write(&Record{}, false); err == nil {
				t.Errorf("%s: got no error", name)
			}
		}
		f.failWrite = nil
		if err := lines.Write(&Record{}, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := gocmp.Diff(f.String(), c.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", name, d)
		}
	}
}

// TestLinesFromSeveralGoroutines keeps every record whole, and none waits for ever. Records share writes, but a durable one
// is always synced after its write.
func TestLinesFromSeveralGoroutines(t *testing.T) {
	const goroutines, each = 150, 20
	f := &file{}
	lines := NewLines(f)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range each {
				r := full()
				r.RequestID = fmt.Sprintf("%d/%d", g, n)
				if err := lines.Write(r, n%2 == 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for text := range strings.Lines(f.String()) {
		var r Record
		if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.Steps) != 2 {
			t.Fatalf("%q: %v", text, err)
		}
		seen[r.RequestID] = true
	}
	if want := goroutines * each; len(seen) != want || len(f.calls) > want+want/2 || f.calls[0] != "write" {
		t.Errorf("got %d records in %d calls, want %d, and at most one write for each and one sync for half", len(seen), len(f.calls), want)
	}
}

// gated is a writer that waits before every write.
type gated struct {
	file
	wait chan struct{}
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.wait
	return g.file.Write(p)
}

// TestLinesShareAWrite: what comes while somebody writes goes with the next write, all of it; is synced if one of it is to
// be; and fails together.
func TestLinesShareAWrite(t *testing.T) {
	diskFull := errors.New("disk full")
	for _, fails := range []error{nil, diskFull} {
		synctest.Test(t, func(t *testing.T) {
			g := &gated{wait: make(chan struct{})}
			lines := NewLines(g)
			errs := make(chan error, 4)
			write := func(durable bool) { errs <- lines.Write(&Record{}, durable) }
			go write(false)
			synctest.Wait() // it is writing
			for _, durable := range []bool{false, true, false} {
				go write(durable)
			}
			synctest.Wait()
			g.wait <- struct{}{}
			if err := <-errs; err != nil {
				t.Errorf("the first: got %v", err)
			}
			synctest.Wait()
			g.failWrite = fails
			g.wait <- struct{}{}
			for range 3 {
				if err := <-errs; !errors.Is(err, fails) {
					t.Errorf("those that shared a write: got %v, want %v", err, fails)
				}
			}
			want := []string{"write", "write", "sync"}
			if fails != nil {
				want = want[:2]
			}
			if !slices.Equal(g.calls, want) {
				t.Errorf("got %q, want %q", g.calls, want)
			}
		})
	}
}

// TestFullBatch: who makes a batch full writes it, however long the one who began it lets others go first; but not beside
// another write.
func TestFullBatch(t *testing.T) {
	lines := NewLines(&file{})
	join := func(want part) *batch {
		t.Helper()
		b, got := lines.join([]byte("x"), false)
		if got != want {
			t.Fatalf("got part %d, want %d", got, want)
		}
		return b
	}
	first := join(leads)
	for range fullBatch - 2 {
		join(waits)
	}
	if b := join(fills); b != first || b.n != fullBatch {
		t.Fatalf("got a batch of %d, want the first, with %d", b.n, fullBatch)
	}
	second := join(waits)
	for range 2 * fullBatch {
		if join(waits) != second {
			t.Fatal("beside a write a second batch was taken")
		}
	}
	if lines.take(first) || lines.take(second) {
		t.Error("a batch was taken twice, or beside a write")
	}
	lines.flush(first)
	<-first.done
	<-second.turn
	if join(fills) != second || lines.take(second) {
		t.Error("the second batch is full, and of who came last")
	}
	lines.flush(second)
	if third := join(leads); !lines.take(third) {
		t.Error("nobody has the third batch")
	} else {
		lines.flush(third)
	}
	if lines.claimed || lines.busy || lines.next != nil {
		t.Errorf("at rest: claimed %v, busy %v, next %v", lines.claimed, lines.busy, lines.next)
	}
}
