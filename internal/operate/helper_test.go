package operate_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/client"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

type object = map[string]any

// must calls an operation that must succeed.
func must(t *testing.T, s *idpooltest.Server, op string, in, out any) {
	t.Helper()
	if err := s.Client().Operate(context.Background(), op, s.Admin(), in, out); err != nil {
		t.Fatalf("%s: %v", op, err)
	}
}

// refuses calls an operation that must be refused with the code and the sentence, and write nothing.
func refuses(t *testing.T, s *idpooltest.Server, name, code, sentence, op string, signer *sigv4.Credentials, in any) {
	t.Helper()
	before := revision(t, s)
	err := s.Client().Operate(context.Background(), op, signer, in, nil)
	f, ok := errors.AsType[*client.Fault](err)
	if !ok || f.Code != code || f.Message != sentence {
		t.Errorf("%s: got %v, want %s: %s", name, err, code, sentence)
	}
	if after := revision(t, s); after != before {
		t.Errorf("%s: something was written", name)
	}
}

func revision(t *testing.T, s *idpooltest.Server) int64 {
	t.Helper()
	out, err := s.Store.Documents.Revision(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func current(t *testing.T, s *idpooltest.Server) *snapshot.Snapshot {
	t.Helper()
	out, err := s.Source.Current()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// user makes a user with one policy and returns his key.
func user(t *testing.T, s *idpooltest.Server, name, policy string) *sigv4.Credentials {
	t.Helper()
	c, err := s.Setup.Administrator(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Source.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	old := current(t, s).UserNamed(name)
	changed := old.User
	changed.Inline = map[string]string{"p": policy}
	write(t, s, snapshot.PutUser(&changed, old.Version))
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey}
}

func write(t *testing.T, s *idpooltest.Server, changes ...store.Write) {
	t.Helper()
	if err := s.Source.Write(context.Background(), changes...); err != nil {
		t.Fatal(err)
	}
}

func allow(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}]}`
}

// noon is the present of a clock that stands.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// clock stands until it is moved.
type clock struct{ millis atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.millis.Store(noon.UnixMilli())
	return c
}

func (c *clock) Now() time.Time { return time.UnixMilli(c.millis.Load()).UTC() }

// advance moves the clock and has the servers look at their store again, as they do every second.
func (c *clock) advance(t *testing.T, d time.Duration, servers ...*idpooltest.Server) {
	t.Helper()
	c.millis.Add(d.Milliseconds())
	for _, s := range servers {
		if err := s.Source.Refresh(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// wantFault checks the code and the sentence of a refusal.
func wantFault(t *testing.T, name string, err error, code, sentence string) {
	t.Helper()
	if f, ok := errors.AsType[*client.Fault](err); !ok || f.Code != code || f.Message != sentence {
		t.Errorf("%s: got %v, want %s: %s", name, err, code, sentence)
	}
}

// network is a store of documents that cannot be reached while it is down.
type network struct {
	store.Documents
	down atomic.Bool
}

var errDown = errors.New("the database cannot be reached")

func (n *network) Revision(ctx context.Context) (int64, error) {
	if n.down.Load() {
		return 0, errDown
	}
	return n.Documents.Revision(ctx)
}

func (n *network) Changed(ctx context.Context, since int64) ([]store.Document, int64, error) {
	if n.down.Load() {
		return nil, 0, errDown
	}
	return n.Documents.Changed(ctx, since)
}
