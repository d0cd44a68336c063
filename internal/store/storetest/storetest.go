// Package storetest checks that a store keeps what its contract promises, and helps tests that need a store: a fresh
// PostgreSQL database each, and a store that fails on request.
//
// A behaviour that callers rely on stands here before it stands in an implementation. The checks know the contract
// alone; what an engine does when it is killed, or runs out of disk, is for that engine's own tests.
package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
)

const (
	poolA = "eu-central-1:aaaaaaaa-0000-4000-8000-000000000000"
	poolB = "eu-central-1:bbbbbbbb-0000-4000-8000-000000000000"

	providerA = "accounts.example.com"
	providerB = "login.example.org"
)

// start is a time that a store can hold: UTC, whole milliseconds.
var start = time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)

type check struct {
	name string
	run  func(t *testing.T, s *store.Store)
}

// Run checks a store. Each call of open returns a new and empty one, which open closes when its test ends.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	t.Helper()
	runAll(t, "Documents", documentChecks, open)
	runAll(t, "Identities", identityChecks, open)
	runAll(t, "Apply", applyChecks, open)
	t.Run("Concurrency", func(t *testing.T) {
		RunShared(t, func(t *testing.T) []*store.Store { return []*store.Store{open(t)} })
	})
}

// RunShared checks several stores that are open on one database, as on several nodes, each under load. Each call of
// open returns at least one, all of a new and empty database.
func RunShared(t *testing.T, open func(t *testing.T) []*store.Store) {
	t.Helper()
	for _, c := range sharedChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func runAll(t *testing.T, name string, checks []check, open func(t *testing.T) *store.Store) {
	t.Run(name, func(t *testing.T) {
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
		}
	})
}

// id returns an identity id. Ids with a smaller n come first.
func id(n int) string { return fmt.Sprintf("eu-central-1:00000000-0000-4000-8000-%012d", n) }

// login returns a login of providerA.
func login(subject string) identity.LoginKey {
	return identity.LoginKey{Provider: providerA, Subject: subject}
}

// fresh returns an identity that does not exist yet, authenticated if it has logins.
func fresh(pool string, n int, logins ...identity.LoginKey) identity.Identity {
	return identity.Identity{
		ID: id(n), PoolID: pool, Created: start, Modified: start, Authenticated: len(logins) > 0, Logins: logins,
	}
}

// mustCreate creates identities of one pool and returns them as stored.
func mustCreate(t *testing.T, s *store.Store, all ...identity.Identity) []identity.Identity {
	t.Helper()
	mustApply(t, s, identity.Change{PoolID: all[0].PoolID, Create: all})
	var stored []identity.Identity
	for _, i := range all {
		stored = append(stored, mustGet(t, s, i.ID))
	}
	return stored
}

func mustApply(t *testing.T, s *store.Store, c identity.Change) {
	t.Helper()
	if err := s.Identities.Apply(t.Context(), c); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func mustGet(t *testing.T, s *store.Store, id string) identity.Identity {
	t.Helper()
	got, err := s.Identities.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	return got
}

func mustFind(t *testing.T, s *store.Store, pool string, logins ...identity.LoginKey) []identity.Identity {
	t.Helper()
	got, err := s.Identities.Find(t.Context(), pool, logins)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	return got
}

func mustList(t *testing.T, s *store.Store, pool string) []identity.Identity {
	t.Helper()
	got, err := s.Identities.List(t.Context(), pool, "", 10_000, false)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return got
}

func mustWrite(t *testing.T, s *store.Store, changes ...store.Write) int64 {
	t.Helper()
	revision, err := s.Documents.Write(t.Context(), changes...)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	return revision
}

func mustChanged(t *testing.T, s *store.Store, since int64) ([]store.Document, int64) {
	t.Helper()
	docs, revision, err := s.Documents.Changed(t.Context(), since)
	if err != nil {
		t.Fatalf("Changed(%d): %v", since, err)
	}
	slices.SortFunc(docs, func(a, b store.Document) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return docs, revision
}

func mustRevision(t *testing.T, s *store.Store) int64 {
	t.Helper()
	revision, err := s.Documents.Revision(t.Context())
	if err != nil {
		t.Fatalf("Revision: %v", err)
	}
	return revision
}

// wantError fails unless err is want, or wraps it.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantRefusal fails unless err is an error that asks nobody to try again.
func wantRefusal(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s: got error %v, want a refusal", what, err)
	}
}

// ids returns the ids in the order given.
func ids(all []identity.Identity) []string {
	var out []string
	for _, i := range all {
		out = append(out, i.ID)
	}
	return out
}

// state is everything that a store holds of the two pools and of documents, to see whether a refusal left a trace.
type state struct {
	Revision   int64
	Documents  []store.Document
	Identities []identity.Identity
}

func stateOf(t *testing.T, s *store.Store) state {
	t.Helper()
	docs, revision := mustChanged(t, s, 0)
	return state{revision, docs, append(mustList(t, s, poolA), mustList(t, s, poolB)...)}
}

// canceled returns a context that has ended.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
