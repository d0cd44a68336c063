package snapshot

import (
	"iter"
	"maps"
	"slices"
)

// shards is how many parts a table has: a change of one document of 100,000 copies a part of 400.
const shards = 256

// table holds compiled documents by id. It is immutable: a change makes another table, which shares with the one before
// all parts in which nothing changed.
type table[T any] struct{ parts *[shards]map[string]T }

// get returns the document with the id, or T's zero.
func (t table[T]) get(id string) T {
	if t.parts == nil {
		var none T
		return none
	}
	return t.parts[shard(id)][id]
}

// all goes over the documents, in no order.
func (t table[T]) all() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		if t.parts == nil {
			return
		}
		for _, part := range t.parts {
			for id, v := range part {
				if !yield(id, v) {
					return
				}
			}
		}
	}
}

// ids returns all ids in order.
func (t table[T]) ids() []string {
	var out []string
	for id := range t.all() {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// sorted returns the documents in the order of their ids.
func (t table[T]) sorted() []T {
	ids := t.ids()
	out := make([]T, len(ids))
	for i, id := range ids {
		out[i] = t.get(id)
	}
	return out
}

// shard is FNV-1a over the id: ids are few and chosen by administrators, so nobody gains by filling one part.
func shard(id string) uint8 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return uint8(h ^ h>>8 ^ h>>16 ^ h>>24)
}

// change is a table in the making. Parts are copied when they are touched first.
type change[T any] struct {
	parts  [shards]map[string]T
	copied [shards]bool
}

func (t table[T]) change() *change[T] {
	c := &change[T]{}
	if t.parts != nil {
		c.parts = *t.parts
	}
	return c
}

func (c *change[T]) part(id string) map[string]T {
	i := shard(id)
	if !c.copied[i] {
		c.copied[i] = true
		if c.parts[i] = maps.Clone(c.parts[i]); c.parts[i] == nil {
			c.parts[i] = map[string]T{}
		}
	}
	return c.parts[i]
}

func (c *change[T]) set(id string, v T) { c.part(id)[id] = v }
func (c *change[T]) delete(id string)   { delete(c.part(id), id) }
func (c *change[T]) done() table[T]     { return table[T]{&c.parts} }
