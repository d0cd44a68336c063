package door_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/door"
	"idpool/internal/event"
	"idpool/internal/identity"
	"idpool/internal/idpooltest"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// kept is a sink that keeps records, or fails.
type kept struct {
	records []*event.Record
	fail    error
}

func (k *kept) Write(r *event.Record, _ bool) error {
	k.records = append(k.records, r)
	return k.fail
}

type in struct{}

type out struct{ Word *string }

// newDoor is a door with two operations: one that answers, one with a bug.
func newDoor(t *testing.T, sink event.Sink, c *door.Config) *door.Door {
	t.Helper()
	s := idpooltest.Start(t, idpooltest.Options{})
	word := "hello"
	c.Source, c.Sink, c.Now = s.Source, sink, time.Now
	c.Services = []operation.Service{{
		Name: "test", Protocol: operation.JSON, TargetPrefix: "Test",
		Rows: []operation.Row{
			operation.Public(nil, "Say", func(context.Context, *operation.Call, *in) (*out, error) { return &out{Word: &word}, nil }),
			operation.Public(nil, "Break", func(context.Context, *operation.Call, *in) (*out, error) { panic("a secret") }),
		},
	}}
	return door.New(*c, "us-east-1")
}

func serve(d *door.Door, name string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "Test."+name)
	w := httptest.NewRecorder()
	d.Serve(w, r, []byte("{}"), door.Origin{RequestID: "r"})
	return w
}

// A bug in an operation is an answer and a record like any other fault of ours, and says nothing of what it broke on.
func TestPanicIsOnRecord(t *testing.T) {
	sink, told := &kept{}, []error{}
	d := newDoor(t, sink, &door.Config{Report: func(err error) { told = append(told, err) }})
	w := serve(d, "Break")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if len(sink.records) != 1 || sink.records[0].Outcome != "Internal" || sink.records[0].Operation != "Break" || strings.Contains(sink.records[0].Cause, "secret") {
		t.Errorf("records %+v", sink.records)
	}
	if len(told) != 1 || strings.Contains(told[0].Error(), "a secret") || !strings.Contains(told[0].Error(), "type string") {
		t.Errorf("told %v", told)
	}
}

// What cannot be put on record is not handed out, is told to the operator, and is not counted as a success.
func TestRecordThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left")
	var told []error
	var outcomes []string
	d := newDoor(t, &kept{fail: full}, &door.Config{
		Report:  func(err error) { told = append(told, err) },
		Observe: func(_, _, outcome string, _ time.Duration) { outcomes = append(outcomes, outcome) },
	})
	w := serve(d, "Say")
	if w.Code != 500 || strings.Contains(w.Body.String(), "hello") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if len(told) != 1 || !errors.Is(told[0], full) || len(outcomes) != 1 || outcomes[0] != "Internal" {
		t.Errorf("told %v, outcomes %v", told, outcomes)
	}
}

// slow is a store in which reading an identity takes longer than a snapshot may be old.
type slow struct {
	store.Identities
	ahead *atomic.Int64
}

func (s slow) Get(ctx context.Context, id string) (identity.Identity, error) {
	s.ahead.Add(int64(snapshot.MaxAge + time.Second))
	return s.Identities.Get(ctx, id)
}

// Nothing is minted on what a slow request decided on: a role that was changed meanwhile must not be vended.
func TestNothingIsMintedOnAnOldSnapshot(t *testing.T) {
	var ahead atomic.Int64
	var stall atomic.Bool
	s := idpooltest.Start(t, idpooltest.Options{
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		WrapStore: func(opened *store.Store) *store.Store {
			wrapped := *opened
			wrapped.Identities = switching{opened.Identities, slow{opened.Identities, &ahead}, &stall}
			return &wrapped
		},
	})
	id := s.MustGetID("")
	stall.Store(true)
	s.MustRefuse("InternalErrorException", "GetCredentialsForIdentity", nil, map[string]string{"IdentityId": id})
	records := s.Records()
	if last := records[len(records)-1]; last.Minted != "" {
		t.Errorf("%s was minted", last.Minted)
	}
}

// switching is one store or another.
type switching struct {
	store.Identities
	slow  slow
	stall *atomic.Bool
}

func (s switching) Get(ctx context.Context, id string) (identity.Identity, error) {
	if s.stall.Load() {
		return s.slow.Get(ctx, id)
	}
	return s.Identities.Get(ctx, id)
}
