package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"idpool/internal/identity"
	"idpool/internal/store"
)

// Every statement names the row that it expects and hits exactly one, or the change is a conflict. The logins of a
// deleted identity are the exception: however many there are, they go.
const (
	createIdentitySQL = `INSERT INTO identities (id, pool_id, created, modified, authenticated, disabled, merged_into, version, logins, logins_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9) ON CONFLICT (id) DO NOTHING`

	updateIdentitySQL = `UPDATE identities
SET created = $3, modified = $4, authenticated = $5, disabled = $6, merged_into = $7, version = version + 1,
logins_version = CASE WHEN logins_version = version THEN version + 1 END
WHERE id = $1 AND pool_id = $2 AND version = $8`

	holdIdentitySQL = `UPDATE identities SET version = version WHERE id = $1 AND pool_id = $2`

	deleteIdentitySQL = `DELETE FROM identities WHERE id = $1 AND pool_id = $2 AND version = $3`

	linkLoginSQL = `INSERT INTO logins (pool_id, provider, subject_hash, subject, identity_id)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pool_id, provider, subject_hash) DO NOTHING`

	moveLoginSQL = `UPDATE logins SET identity_id = $5
WHERE pool_id = $1 AND provider = $2 AND subject_hash = $3 AND identity_id = $4`

	unlinkLoginSQL = `DELETE FROM logins WHERE pool_id = $1 AND provider = $2 AND subject_hash = $3 AND identity_id = $4`

	deleteLoginsSQL = `DELETE FROM logins WHERE identity_id = $1`

	purgeableSQL = `SELECT id FROM identities WHERE pool_id = $1 ORDER BY id LIMIT $2`

	purgeIdentitySQL = `DELETE FROM identities WHERE id = $1 AND pool_id = $2`
)

// A plan is the statements of a change in the order in which they run.
//
// Two transactions never wait for each other in a circle: both first take the identities, by id, and then the logins,
// by key. Whoever changes a login has taken its owners, which is why an owner that the change leaves alone is held, so
// that the logins of a deleted identity, which go last and in no order, are nobody else's any more. Nobody else touches
// the rows either in which the logins of owners are then stated anew.
type plan struct {
	identities []statement // by id
	logins     []statement // by login
	last       []statement
	owners     []string // whose logins change
}

type statement struct {
	id         string // of the identity concerned, or
	login      identity.LoginKey
	mergedInto string
	text       string
	args       []any
}

func (t *identities) Apply(ctx context.Context, change identity.Change) error {
	if change.Empty() {
		return nil
	}
	p, err := planOf(&change)
	if err != nil {
		return during("apply change", err)
	}
	err = t.engine.change(ctx, func(s session) error { return p.run(s) })
	return during("apply change", err)
}

func (p *plan) run(s session) error {
	for _, part := range [][]statement{p.identities, p.logins} {
		for i := range part {
			if err := one(s.exec(part[i].text, part[i].args...)); err != nil {
				return err
			}
		}
	}
	for i := range p.last {
		if _, err := s.exec(p.last[i].text, p.last[i].args...); err != nil {
			return err
		}
	}
	for _, id := range p.owners {
		if err := restate(s, id); err != nil {
			return err
		}
	}
	return nil
}

// planOf returns the plan of a change, ErrConflict where a row of it belongs to another pool, or an error where no
// database could hold a key of it.
func planOf(c *identity.Change) (*plan, error) {
	p := &plan{}
	if err := p.addIdentities(c); err != nil {
		return nil, err
	}
	p.addLogins(c)
	p.addOwners(c)
	slices.SortStableFunc(p.identities, func(a, b statement) int { return cmp.Compare(a.id, b.id) })
	slices.SortStableFunc(p.logins, func(a, b statement) int { return compareLogins(a.login, b.login) })
	if !storable(c.PoolID) || !p.storable() {
		return nil, errKey
	}
	return p, nil
}

func (p *plan) addIdentities(c *identity.Change) error {
	for _, part := range [][]identity.Identity{c.Create, c.Update, c.Delete} {
		for i := range part {
			if part[i].PoolID != c.PoolID {
				return store.ErrConflict
			}
		}
	}
	for i := range c.Create {
		p.identity(&c.Create[i], createIdentitySQL, append(columns(&c.Create[i]), inlineColumns(c.Create[i].Logins, 1)...)...)
	}
	for i := range c.Update {
		p.identity(&c.Update[i], updateIdentitySQL, append(columns(&c.Update[i]), c.Update[i].Version)...)
	}
	for i := range c.Delete {
		gone := &c.Delete[i]
		p.identity(gone, deleteIdentitySQL, gone.ID, gone.PoolID, gone.Version)
		p.last = append(p.last, statement{id: gone.ID, text: deleteLoginsSQL, args: []any{gone.ID}})
	}
	return nil
}

func (p *plan) identity(i *identity.Identity, text string, args ...any) {
	p.identities = append(p.identities, statement{id: i.ID, mergedInto: i.MergedInto, text: text, args: args})
}

// columns are the arguments that create and update share: all but the version and
// the logins.
func columns(i *identity.Identity) []any {
	return []any{i.ID, i.PoolID, i.Created.UnixMilli(), i.Modified.UnixMilli(), i.Authenticated, i.Disabled, i.MergedInto}
}

func (p *plan) addLogins(c *identity.Change) {
	for i := range c.Create {
		for _, k := range c.Create[i].Logins {
			p.login(k, linkLoginSQL, c.PoolID, k.Provider, hash(k.Subject), []byte(k.Subject), c.Create[i].ID)
		}
	}
	for _, l := range c.Link {
		p.login(l.LoginKey, linkLoginSQL, c.PoolID, l.Provider, hash(l.Subject), []byte(l.Subject), l.IdentityID)
	}
	for _, m := range c.Move {
		p.login(m.LoginKey, moveLoginSQL, c.PoolID, m.Provider, hash(m.Subject), m.From, m.To)
	}
	for _, l := range c.Unlink {
		p.login(l.LoginKey, unlinkLoginSQL, c.PoolID, l.Provider, hash(l.Subject), l.IdentityID)
	}
}

func (p *plan) login(k identity.LoginKey, text string, args ...any) {
	p.logins = append(p.logins, statement{login: k, text: text, args: args})
}

// addOwners notes the owners of logins that change, and holds those that the change does not touch otherwise: they must
// exist, in this pool, and may not be deleted meanwhile.
func (p *plan) addOwners(c *identity.Change) {
	held := map[string]bool{}
	for i := range p.identities {
		held[p.identities[i].id] = true
	}
	for _, id := range owners(c) {
		if !held[id] {
			p.identities = append(p.identities, statement{id: id, text: holdIdentitySQL, args: []any{id, c.PoolID}})
		}
		if !slices.ContainsFunc(c.Delete, func(gone identity.Identity) bool { return gone.ID == id }) {
			p.owners = append(p.owners, id)
		}
	}
}

// owners returns the ids that lose or get logins otherwise than by being created or deleted, each once.
func owners(c *identity.Change) []string {
	var all []string
	for _, l := range slices.Concat(c.Link, c.Unlink) {
		all = append(all, l.IdentityID)
	}
	for _, m := range c.Move {
		all = append(all, m.From, m.To)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *plan) storable() bool {
	bad := func(s statement) bool {
		return !storable(s.id) || !storable(s.mergedInto) || !storable(s.login.Provider)
	}
	return !slices.ContainsFunc(p.identities, bad) && !slices.ContainsFunc(p.logins, bad)
}

// Purge deletes by id in order, as Apply does, all identities before any login.
func (t *identities) Purge(ctx context.Context, poolID string, n int) (int, error) {
	if n <= 0 || !storable(poolID) {
		return 0, nil
	}
	var gone []string
	err := t.engine.change(ctx, func(s session) (err error) {
		gone, err = purge(s, poolID, n)
		return err
	})
	if err != nil {
		return 0, during("purge identities", err)
	}
	return len(gone), nil
}

// purge returns the ids that it deleted. Where another process deletes the same ones it looks again, so that fewer than
// n means that no more are left.
func purge(s session, poolID string, n int) ([]string, error) {
	var gone []string
	for len(gone) < n {
		ids, err := queryStrings(s, purgeableSQL, poolID, int64(n-len(gone)))
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			affected, err := s.exec(purgeIdentitySQL, id, poolID)
			if err != nil {
				return nil, fmt.Errorf("delete identity: %w", err)
			}
			if affected == 1 {
				gone = append(gone, id)
			}
		}
	}
	for _, id := range gone {
		if _, err := s.exec(deleteLoginsSQL, id); err != nil {
			return nil, fmt.Errorf("delete logins: %w", err)
		}
	}
	return gone, nil
}

func queryStrings(s session, text string, args ...any) ([]string, error) {
	rows, err := s.query(text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
