// Package store is the contract with a database: versioned configuration documents, and identities with their logins.
//
// An implementation promises what the comments of the two interfaces say, and storetest checks it. Both sides are built
// for databases that spread rows by hash: every statement reaches its rows by key, and contested rows change by
// compare-and-swap, never under a lock that is held across round trips.
package store

import (
	"context"
	"errors"
	"time"

	"idpool/internal/identity"
)

var (
	// ErrNotFound is returned for a row that is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict is returned when what a write expected is no longer so: read again, decide again.
	ErrConflict = errors.New("conflict")
)

// Kind is a kind of document. Kinds and their bodies belong to the packages that write them.
type Kind string

// Document is one piece of configuration.
type Document struct {
	Kind Kind
	ID   string
	// Version is that of this document: 1 when first written, one more with each write, a delete included.
	Version int64
	// Revision is that of the whole store at which the document last changed.
	Revision int64
	// Deleted marks a tombstone, which has no Body. Tombstones are kept, so that other nodes learn of deletions.
	Deleted bool
	// Body is opaque to a store: JSON, at most 1 MiB.
	Body []byte
}

// Write is one change of a document.
type Write struct {
	Kind Kind
	ID   string
	// Expect is the version that the document must have; 0 means that it must not exist, or be a tombstone.
	Expect int64
	// Body is the new body; nil deletes.
	Body []byte
}

// Documents holds the configuration: few documents, read whole at start and by revision afterwards.
type Documents interface {
	// Get returns a document that is not deleted, or ErrNotFound. It reads the newest committed state.
	Get(ctx context.Context, kind Kind, id string) (Document, error)

	// Changed returns the documents that changed after the revision, tombstones included, and the newest revision.
	// With since 0 it returns all that are not deleted. A writer that commits later has a higher revision than every
	// one that it returns: nothing can slip in below.
	Changed(ctx context.Context, since int64) (docs []Document, revision int64, err error)

	// Revision returns the newest revision; 0 for a store that was never written.
	Revision(ctx context.Context) (int64, error)

	// Write applies all changes in one transaction at one new revision, which it returns, or none and ErrConflict when
	// any document has another version than expected. Only writers of the same document conflict. It returns once the
	// change is durable. Serialization failures are retried inside.
	Write(ctx context.Context, changes ...Write) (revision int64, err error)
}

// Identities holds identities and their logins: many rows, reached by key.
type Identities interface {
	// Get returns the identity with its logins, in one query, or ErrNotFound. It reads the newest committed state.
	Get(ctx context.Context, id string) (identity.Identity, error)

	// Find returns the identities of the pool that hold any of the logins, each once, with all their logins, ordered
	// by id; none is no error. It reads the newest committed state.
	Find(ctx context.Context, poolID string, logins []identity.LoginKey) ([]identity.Identity, error)

	// Apply makes the change in one transaction, durably, or returns ErrConflict and changes nothing: when a row has
	// moved on from its version, a login to link has an owner, a login to move or unlink has another, an id exists, or
	// a row belongs to another pool than the change. A unique index decides between two that link one login at once.
	Apply(ctx context.Context, change identity.Change) error

	// List returns up to n identities of the pool with ids after the given one, in the order of ids, with their logins.
	List(ctx context.Context, poolID, after string, n int, hideDisabled bool) ([]identity.Identity, error)

	// Purge deletes up to n identities of a pool with their logins, and returns how many it deleted.
	Purge(ctx context.Context, poolID string, n int) (int, error)
}

// Store is a whole database: its two sides share connections, migrations and an end.
type Store struct {
	Documents  Documents
	Identities Identities
	// Ping reports whether the database answers, for readiness.
	Ping func(ctx context.Context) error
	// Clock reads the database's clock; nil where that is this machine's.
	Clock func(ctx context.Context) (time.Time, error)
	// Close ends it; what was acknowledged is durable without.
	Close func() error
}
