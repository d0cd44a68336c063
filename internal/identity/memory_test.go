package identity

import (
	"errors"
	"maps"
	"slices"
)

var errConflict = errors.New("conflict")

// memory keeps identities by id, and the promises of a store.
type memory struct {
	rows map[string]Identity
	// writes counts the changes that were applied: who read at the same count raced with nobody.
	writes int
}

func (m *memory) get(id string) *Identity {
	i, ok := m.rows[id]
	if !ok {
		return nil
	}
	i.Logins = slices.Clone(i.Logins)
	return &i
}

func (m *memory) find(poolID string, logins []LoginKey) []*Identity {
	var out []*Identity
	for _, id := range slices.Sorted(maps.Keys(m.rows)) {
		if i := m.get(id); i.PoolID == poolID && slices.ContainsFunc(logins, i.Holds) {
			out = append(out, i)
		}
	}
	return out
}

// owner returns who holds a login in a pool; empty for nobody.
func (m *memory) owner(poolID string, k LoginKey) string {
	for _, i := range m.find(poolID, []LoginKey{k}) {
		return i.ID
	}
	return ""
}

// apply makes all of a change or nothing.
func (m *memory) apply(c Change) error {
	next := &memory{rows: maps.Clone(m.rows)}
	for _, step := range []func(Change) error{next.create, next.update, next.unlink, next.move, next.link, next.delete} {
		if err := step(c); err != nil {
			return err
		}
	}
	m.rows, m.writes = next.rows, m.writes+1
	return nil
}

func (m *memory) create(c Change) error {
	for _, i := range c.Create {
		if _, exists := m.rows[i.ID]; exists || i.PoolID != c.PoolID {
			return errConflict
		}
		logins := i.Logins
		i.Logins, i.Version = nil, 1
		m.rows[i.ID] = i
		for _, k := range logins {
			if err := m.add(c.PoolID, k, i.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) update(c Change) error {
	for _, i := range c.Update {
		old, exists := m.rows[i.ID]
		if !exists || old.PoolID != c.PoolID || i.PoolID != c.PoolID || old.Version != i.Version {
			return errConflict
		}
		i.Logins, i.Version = old.Logins, old.Version+1
		m.rows[i.ID] = i
	}
	return nil
}

func (m *memory) link(c Change) error {
	for _, l := range c.Link {
		if err := m.add(c.PoolID, l.LoginKey, l.IdentityID); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) move(c Change) error {
	for _, v := range c.Move {
		if err := m.remove(c.PoolID, v.LoginKey, v.From); err != nil {
			return err
		}
		if err := m.add(c.PoolID, v.LoginKey, v.To); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) unlink(c Change) error {
	for _, l := range c.Unlink {
		if err := m.remove(c.PoolID, l.LoginKey, l.IdentityID); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) delete(c Change) error {
	for _, i := range c.Delete {
		if old, exists := m.rows[i.ID]; !exists || old.PoolID != c.PoolID || old.Version != i.Version {
			return errConflict
		}
		delete(m.rows, i.ID)
	}
	return nil
}

func (m *memory) add(poolID string, k LoginKey, id string) error {
	i, exists := m.rows[id]
	if !exists || i.PoolID != poolID || m.owner(poolID, k) != "" {
		return errConflict
	}
	i.Logins = sorted(append(slices.Clone(i.Logins), k))
	m.rows[id] = i
	return nil
}

func (m *memory) remove(poolID string, k LoginKey, id string) error {
	i, exists := m.rows[id]
	if !exists || i.PoolID != poolID || !i.Holds(k) {
		return errConflict
	}
	i.Logins = slices.DeleteFunc(slices.Clone(i.Logins), func(other LoginKey) bool { return other == k })
	m.rows[id] = i
	return nil
}
