package sqlstore

import (
	"crypto/sha256"
	"errors"
	"strings"
	"unicode/utf8"
)

// maxKey is the longest key in bytes: what an index of PostgreSQL takes, with room for two more columns.
const maxKey = 512

// errKey is the refusal to write a key that not every database can hold.
var errKey = errors.New("a key is longer than 512 bytes, not UTF-8, or holds a NUL")

// storable reports whether both databases can hold the text as a key. What is not storable is in neither.
func storable(key string) bool {
	return len(key) <= maxKey && utf8.ValidString(key) && !strings.Contains(key, "\x00")
}

// hash is what a subject is found by: subjects are any bytes of any length, index entries are not.
func hash(subject string) []byte {
	h := sha256.Sum256([]byte(subject))
	return h[:]
}
