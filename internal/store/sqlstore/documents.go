package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"idpool/internal/store"
)

// maxBody is the largest body of a document in bytes.
const maxBody = 1 << 20

// The revision is one row that every write raises first: whoever raised it holds it until its commit, so that commits
// follow each other in the order of revisions, on every isolation level.
const (
	revisionSQL      = `SELECT n FROM store_revision WHERE id = 1`
	raiseRevisionSQL = `UPDATE store_revision SET n = n + 1 WHERE id = 1 RETURNING n`

	getDocumentSQL = `SELECT version, revision, body FROM documents WHERE kind = $1 AND id = $2 AND NOT deleted`

	// One statement, so that the revision and the documents are of one moment.
	changedSQL = `SELECT r.n, d.kind, d.id, d.version, d.revision, d.deleted, d.body
FROM store_revision r LEFT JOIN documents d ON d.revision > $1 AND ($1 > 0 OR NOT d.deleted)
WHERE r.id = 1`

	createDocumentSQL = `INSERT INTO documents (kind, id, version, revision, deleted, body)
VALUES ($1, $2, 1, $3, FALSE, $4)
ON CONFLICT (kind, id) DO UPDATE
SET version = documents.version + 1, revision = excluded.revision, deleted = FALSE, body = excluded.body
WHERE documents.deleted`

	replaceDocumentSQL = `UPDATE documents SET version = version + 1, revision = $3, deleted = FALSE, body = $4
WHERE kind = $1 AND id = $2 AND version = $5`

	deleteDocumentSQL = `UPDATE documents SET version = version + 1, revision = $3, deleted = TRUE, body = NULL
WHERE kind = $1 AND id = $2 AND version = $4`
)

// errNoRevision is returned for a store whose row of the revision is gone.
var errNoRevision = errors.New("the row of the revision is missing")

// documents is store.Documents.
type documents struct{ engine engine }

func (d *documents) Get(ctx context.Context, kind store.Kind, id string) (store.Document, error) {
	if !storable(string(kind)) || !storable(id) {
		return store.Document{}, store.ErrNotFound
	}
	doc := store.Document{Kind: kind, ID: id}
	err := d.engine.read(ctx, func(s session) error {
		return queryRow(s, getDocumentSQL, []any{string(kind), id}, &doc.Version, &doc.Revision, &doc.Body)
	})
	if err != nil {
		return store.Document{}, during("get document", err)
	}
	return doc, nil
}

func (d *documents) Changed(ctx context.Context, since int64) ([]store.Document, int64, error) {
	var docs []store.Document
	var revision int64
	err := d.engine.read(ctx, func(s session) (err error) {
		docs, revision, err = changed(s, since)
		return err
	})
	if err != nil {
		return nil, 0, during("read changed documents", err)
	}
	return docs, revision, nil
}

func changed(s session, since int64) (docs []store.Document, revision int64, err error) {
	rows, err := s.query(changedSQL, max(since, 0))
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	revision = -1
	for rows.Next() {
		var kind, id sql.NullString
		var version, at sql.NullInt64
		var deleted sql.NullBool
		var body []byte
		if err := rows.Scan(&revision, &kind, &id, &version, &at, &deleted, &body); err != nil {
			return nil, 0, err
		}
		if !kind.Valid {
			continue // the row of the revision alone
		}
		docs = append(docs, store.Document{
			Kind: store.Kind(kind.String), ID: id.String, Version: version.Int64, Revision: at.Int64, Deleted: deleted.Bool, Body: body,
		})
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	if revision < 0 {
		return nil, 0, errNoRevision // and not an empty store: a snapshot of nothing would refuse everybody
	}
	return docs, revision, nil
}

func (d *documents) Revision(ctx context.Context) (int64, error) {
	var revision int64
	err := d.engine.read(ctx, func(s session) (err error) {
		revision, err = queryRevision(s, revisionSQL)
		return err
	})
	return revision, during("read revision", err)
}

// Write without changes is no write: it returns the revision as it is.
func (d *documents) Write(ctx context.Context, changes ...store.Write) (int64, error) {
	if len(changes) == 0 {
		return d.Revision(ctx)
	}
	changes = slices.Clone(changes)
	slices.SortFunc(changes, compareWrites)
	if err := checkWrites(changes); err != nil {
		return 0, fmt.Errorf("write documents: %w", err)
	}
	var revision int64
	err := d.engine.change(ctx, func(s session) (err error) {
		if revision, err = queryRevision(s, raiseRevisionSQL); err != nil {
			return err
		}
		for i := range changes {
			if err := write(s, revision, &changes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, during("write documents", err)
	}
	return revision, nil
}

func compareWrites(a, b store.Write) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// checkWrites refuses what no state of the store could accept. The writes are sorted.
func checkWrites(changes []store.Write) error {
	for i, c := range changes {
		switch {
		case !storable(string(c.Kind)) || !storable(c.ID):
			return errKey
		case len(c.Body) > maxBody:
			return errors.New("a body is larger than 1 MiB")
		case c.Expect < 0:
			return errors.New("a negative version is expected")
		case c.Expect == 0 && c.Body == nil:
			return errors.New("a document that is not there is to be deleted")
		case i > 0 && compareWrites(changes[i-1], c) == 0:
			return errors.New("one document is changed twice")
		}
	}
	return nil
}

func write(s session, revision int64, c *store.Write) error {
	switch {
	case c.Expect == 0:
		return one(s.exec(createDocumentSQL, string(c.Kind), c.ID, revision, c.Body))
	case c.Body == nil:
		return one(s.exec(deleteDocumentSQL, string(c.Kind), c.ID, revision, c.Expect))
	}
	return one(s.exec(replaceDocumentSQL, string(c.Kind), c.ID, revision, c.Body, c.Expect))
}

// one turns the result of a statement that must hit one row into a conflict where it hit none.
func one(affected int64, err error) error {
	if err == nil && affected != 1 {
		return store.ErrConflict
	}
	return err
}

// during says what failed. What callers compare with stays as it is.
func during(what string, err error) error {
	if err == nil || err == store.ErrConflict || err == store.ErrNotFound {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
