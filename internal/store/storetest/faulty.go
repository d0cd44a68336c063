package storetest

import (
	"context"
	"sync"

	"idpool/internal/identity"
	"idpool/internal/store"
)

// Op is an operation of a store.
type Op string

// The operations.
const (
	DocumentsGet      Op = "Documents.Get"
	DocumentsChanged  Op = "Documents.Changed"
	DocumentsRevision Op = "Documents.Revision"
	DocumentsWrite    Op = "Documents.Write"
	IdentitiesGet     Op = "Identities.Get"
	IdentitiesFind    Op = "Identities.Find"
	IdentitiesApply   Op = "Identities.Apply"
	IdentitiesList    Op = "Identities.List"
	IdentitiesPurge   Op = "Identities.Purge"
	Ping              Op = "Ping"
)

// When is the moment of a failure.
type When int

const (
	// Before fails instead of doing anything, as when the database cannot be reached.
	Before When = iota
	// After does it and fails then, as when the connection is lost after a COMMIT.
	After
)

// Faulty is a store that fails on request. It is safe for concurrent use.
type Faulty struct {
	// Store is the store to hand to what is tested.
	Store *store.Store

	mu    sync.Mutex
	next  map[Op][]failure
	calls map[Op]int
}

type failure struct {
	when When
	err  error
}

// NewFaulty wraps a store, which works as before until FailNext. Closing either closes both.
func NewFaulty(s *store.Store) *Faulty {
	f := &Faulty{next: map[Op][]failure{}, calls: map[Op]int{}}
	f.Store = &store.Store{
		Documents:  &faultyDocuments{f, s.Documents},
		Identities: &faultyIdentities{f, s.Identities},
		Ping:       func(ctx context.Context) error { return f.do(Ping, func() error { return s.Ping(ctx) }) },
		Clock:      s.Clock,
		Close:      s.Close,
	}
	return f
}

// FailNext lets the next call of op fail with err. Several wait for as many calls, in the order in which they were given.
func (f *Faulty) FailNext(op Op, when When, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next[op] = append(f.next[op], failure{when, err})
}

// Calls returns how often op was called, failures included.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// take counts a call and returns the failure that it meets, if any.
func (f *Faulty) take(op Op) (failure, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[op]++
	waiting := f.next[op]
	if len(waiting) == 0 {
		return failure{}, false
	}
	f.next[op] = waiting[1:]
	return waiting[0], true
}

// do makes a call, or fails. What the store itself has to say goes before a failure afterwards.
func (f *Faulty) do(op Op, call func() error) error {
	fail, ok := f.take(op)
	if ok && fail.when == Before {
		return fail.err
	}
	if err := call(); err != nil || !ok {
		return err
	}
	return fail.err
}

// get is do for a call that returns something, of which nothing is left after a failure.
func get[T any](f *Faulty, op Op, call func() (T, error)) (T, error) {
	var out T
	err := f.do(op, func() (err error) {
		out, err = call()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

type faultyDocuments struct {
	*Faulty
	inner store.Documents
}

func (d *faultyDocuments) Get(ctx context.Context, kind store.Kind, id string) (store.Document, error) {
	return get(d.Faulty, DocumentsGet, func() (store.Document, error) { return d.inner.Get(ctx, kind, id) })
}

func (d *faultyDocuments) Changed(ctx context.Context, since int64) (docs []store.Document, revision int64, err error) {
	docs, err = get(d.Faulty, DocumentsChanged, func() (found []store.Document, err error) {
		found, revision, err = d.inner.Changed(ctx, since)
		return found, err
	})
	if err != nil {
		return nil, 0, err
	}
	return docs, revision, nil
}

func (d *faultyDocuments) Revision(ctx context.Context) (int64, error) {
	return get(d.Faulty, DocumentsRevision, func() (int64, error) { return d.inner.Revision(ctx) })
}

func (d *faultyDocuments) Write(ctx context.Context, changes ...store.Write) (int64, error) {
	return get(d.Faulty, DocumentsWrite, func() (int64, error) { return d.inner.Write(ctx, changes...) })
}

type faultyIdentities struct {
	*Faulty
	inner store.Identities
}

func (i *faultyIdentities) Get(ctx context.Context, id string) (identity.Identity, error) {
	return get(i.Faulty, IdentitiesGet, func() (identity.Identity, error) { return i.inner.Get(ctx, id) })
}

func (i *faultyIdentities) Find(ctx context.Context, poolID string, logins []identity.LoginKey) ([]identity.Identity, error) {
	return get(i.Faulty, IdentitiesFind, func() ([]identity.Identity, error) { return i.inner.Find(ctx, poolID, logins) })
}

func (i *faultyIdentities) Apply(ctx context.Context, change identity.Change) error {
	return i.do(IdentitiesApply, func() error { return i.inner.Apply(ctx, change) })
}

func (i *faultyIdentities) List(ctx context.Context, poolID, after string, n int, hideDisabled bool) ([]identity.Identity, error) {
	return get(i.Faulty, IdentitiesList, func() ([]identity.Identity, error) { return i.inner.List(ctx, poolID, after, n, hideDisabled) })
}

func (i *faultyIdentities) Purge(ctx context.Context, poolID string, n int) (int, error) {
	return get(i.Faulty, IdentitiesPurge, func() (int, error) { return i.inner.Purge(ctx, poolID, n) })
}
