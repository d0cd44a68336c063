package iam

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"idpool/internal/fault"
	"idpool/internal/operation"
)

// pageLife is how long a marker is good for; pageSize how many items a page has where the caller does not say (spec §3.1);
// pageWeight how many bytes of policies may stand on a page before it ends early: quotas count no white space.
const (
	pageLife   = time.Hour
	pageSize   = 100
	pageWeight = 256 << 10
)

// paging are the members that ask for a page.
type paging struct {
	marker *string
	max    *int64
}

// list is what pages are cut from. Its items are in the order of their keys.
type list[T any] struct {
	// of names the list, with what it is a list of: a marker of one opens no other.
	of    string
	items []T
	key   func(T) string
	// weight is the size of an item in bytes; nil for items that are small.
	weight func(T) int
}

// page is a part of a list, and the members of an answer that say so: IsTruncated always, Marker when there is more.
type page[T any] struct {
	items     []T
	truncated *bool
	marker    *string
}

// page returns the page that a caller asks for. A marker holds the last key that was shown; it is sealed for one list and
// one caller (security I12).
func (l list[T]) page(call *operation.Call, in paging) (page[T], error) {
	purpose := "page:iam:" + l.of + "\n" + call.Caller.ARN
	rest := l.items
	if in.marker != nil {
		after, err := openMarker(call, purpose, *in.marker)
		if err != nil {
			return page[T]{}, err
		}
		from, found := slices.BinarySearchFunc(rest, after, func(item T, after string) int { return strings.Compare(l.key(item), after) })
		if found {
			from++
		}
		rest = rest[from:]
	}
	n := l.fit(rest, int(or(in.max, pageSize)))
	more := n < len(rest)
	out := page[T]{items: rest[:n], truncated: &more}
	if !more {
		return out, nil
	}
	payload := binary.BigEndian.AppendUint64(nil, uint64(call.Now.Add(pageLife).Unix()))
	token, _, err := call.Snapshot.Keys.Seal(purpose, append(payload, l.key(rest[n-1])...))
	out.marker = &token
	return out, err
}

// fit returns how many items stand on a page of at most so many: at least one, if there is one.
func (l list[T]) fit(items []T, most int) int {
	weight := 0
	for i := range items[:min(most, len(items))] {
		if l.weight != nil {
			weight += l.weight(items[i])
		}
		if i > 0 && weight > pageWeight {
			return i
		}
	}
	return min(most, len(items))
}

func openMarker(call *operation.Call, purpose, marker string) (after string, err error) {
	payload, _, err := call.Snapshot.Keys.Open(purpose, marker)
	if err != nil || len(payload) < 8 || uint64(call.Now.Unix()) >= binary.BigEndian.Uint64(payload) {
		return "", fault.Wrap(fault.Validation, "Invalid Marker.", err)
	}
	return string(payload[8:]), nil
}

// itself is the key of an item that is its own.
func itself(s string) string { return s }
