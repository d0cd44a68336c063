package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
)

// maxFind is how many logins one Find may ask for: far more than a request may present or an identity hold.
const maxFind = 200

// The logins of an identity stand in its row, or, where that states none for its version, are looked up: for NULL, which
// equals nothing, both databases search no index.
const (
	selectIdentity = `SELECT i.id, i.pool_id, i.created, i.modified, i.authenticated, i.disabled, i.merged_into, i.version,
CASE WHEN i.logins_version = i.version THEN i.logins END, l.provider, l.subject FROM `
	withLogins = ` i LEFT JOIN logins l ON l.identity_id = CASE WHEN i.logins_version = i.version THEN NULL ELSE i.id END`

	getIdentitySQL = selectIdentity + `identities` + withLogins + ` WHERE i.id = $1`

	listIdentitiesSQL = selectIdentity + `(
SELECT * FROM identities WHERE pool_id = $1 AND id > $2 AND NOT (disabled AND $3) ORDER BY id LIMIT $4
)` + withLogins

	// Completed by findSQL.
	findIdentitiesSQL = selectIdentity + `identities` + withLogins + ` WHERE i.id IN (`
	ownerSQL          = `SELECT identity_id FROM logins WHERE pool_id = $1 AND provider = $`
)

// identities is store.Identities.
type identities struct{ engine engine }

func (t *identities) Get(ctx context.Context, id string) (identity.Identity, error) {
	if !storable(id) {
		return identity.Identity{}, store.ErrNotFound
	}
	found, err := t.query(ctx, "get identity", getIdentitySQL, id)
	if err != nil {
		return identity.Identity{}, err
	}
	if len(found) == 0 {
		return identity.Identity{}, store.ErrNotFound
	}
	return found[0], nil
}

func (t *identities) Find(ctx context.Context, poolID string, logins []identity.LoginKey) ([]identity.Identity, error) {
	if len(logins) > maxFind {
		return nil, fmt.Errorf("find identities: more than %d logins", maxFind)
	}
	args := []any{poolID}
	for _, k := range logins {
		if storable(k.Provider) {
			args = append(args, k.Provider, hash(k.Subject))
		}
	}
	if len(args) == 1 || !storable(poolID) {
		return nil, nil
	}
	return t.query(ctx, "find identities", findSQL(len(args)/2), args...)
}

// findSQL is the statement for n logins. Its text depends on n alone. Each login is a look-up of its own by the whole key:
// for alternatives within one condition SQLite would read the whole pool.
func findSQL(n int) string {
	var b strings.Builder
	b.WriteString(findIdentitiesSQL)
	for i := range n {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString(ownerSQL + strconv.Itoa(2*i+2) + " AND subject_hash = $" + strconv.Itoa(2*i+3))
	}
	b.WriteString(")")
	return b.String()
}

func (t *identities) List(ctx context.Context, poolID, after string, n int, hideDisabled bool) ([]identity.Identity, error) {
	if n <= 0 || !storable(poolID) {
		return nil, nil
	}
	if !storable(after) {
		return nil, fmt.Errorf("list identities: %w", errKey)
	}
	return t.query(ctx, "list identities", listIdentitiesSQL, poolID, after, hideDisabled, int64(n))
}

// query runs a statement that begins with selectIdentity.
func (t *identities) query(ctx context.Context, what, text string, args ...any) ([]identity.Identity, error) {
	var found []identity.Identity
	err := t.engine.read(ctx, func(s session) error {
		rows, err := s.query(text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		found, err = gather(rows)
		return err
	})
	if err != nil {
		return nil, during(what, err)
	}
	return found, nil
}

// gather makes identities, ordered by id, of rows that hold all logins or one each, in any order.
func gather(rows rows) ([]identity.Identity, error) {
	var found []identity.Identity
	for rows.Next() {
		i, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, i)
	}
	if len(found) > 1 {
		found = merge(found)
	}
	return found, rows.Err()
}

// merge makes one identity of each that occurs several times.
func merge(rows []identity.Identity) []identity.Identity {
	slices.SortFunc(rows, func(a, b identity.Identity) int { return cmp.Compare(a.ID, b.ID) })
	found := rows[:1]
	for _, row := range rows[1:] {
		if last := &found[len(found)-1]; last.ID == row.ID {
			last.Logins = append(last.Logins, row.Logins...)
		} else {
			found = append(found, row)
		}
	}
	for _, i := range found {
		slices.SortFunc(i.Logins, compareLogins)
	}
	return found
}

// scan reads one row of selectIdentity.
func scan(rows rows) (identity.Identity, error) {
	var i identity.Identity
	var created, modified int64
	var logins, provider sql.NullString
	var subject []byte
	err := rows.Scan(&i.ID, &i.PoolID, &created, &modified, &i.Authenticated, &i.Disabled, &i.MergedInto, &i.Version,
		&logins, &provider, &subject)
	if err != nil {
		return identity.Identity{}, err
	}
	i.Created, i.Modified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	switch {
	case logins.Valid:
		i.Logins, err = outOfLine(logins.String)
	case provider.Valid:
		i.Logins = []identity.LoginKey{{Provider: provider.String, Subject: string(subject)}}
	}
	return i, err
}

func compareLogins(a, b identity.LoginKey) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Subject, b.Subject))
}
