package sqlstore

import (
	"errors"
	"slices"
	"strings"

	"idpool/internal/identity"
)

// maxInline is the longest inline text in bytes: rows must stay small, since a page of them is what a search reads.
const maxInline = 512

// errInline is the refusal to read a row whose logins nobody here has written.
var errInline = errors.New("the logins in the row of an identity are damaged")

// inline returns the logins as they stand in the row of their identity, each provider and subject on a line of its own,
// or false where they are too long or not printable ASCII: then they stand in their own table alone.
func inline(logins []identity.LoginKey) (string, bool) {
	lines := make([]string, 0, 2*len(logins))
	for _, k := range slices.SortedFunc(slices.Values(logins), compareLogins) {
		lines = append(lines, k.Provider, k.Subject)
	}
	if slices.ContainsFunc(lines, func(s string) bool { return !printable(s) }) {
		return "", false
	}
	text := strings.Join(lines, "\n")
	return text, len(text) <= maxInline
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// outOfLine is the reverse of inline.
func outOfLine(text string) ([]identity.LoginKey, error) {
	if text == "" {
		return nil, nil
	}
	logins := make([]identity.LoginKey, 0, 1)
	for more := true; more; {
		var k identity.LoginKey
		var ok bool
		if k.Provider, text, ok = strings.Cut(text, "\n"); !ok {
			return nil, errInline
		}
		k.Subject, text, more = strings.Cut(text, "\n")
		logins = append(logins, k)
	}
	return logins, nil
}

// inlineColumns are the columns logins and logins_version of a row of a version.
func inlineColumns(logins []identity.LoginKey, version int64) []any {
	text, ok := inline(logins)
	if !ok {
		return []any{nil, nil}
	}
	return []any{text, version}
}

const (
	loginsOfSQL = `SELECT provider, subject FROM logins WHERE identity_id = $1`

	inlineSQL = `UPDATE identities SET logins = $2, logins_version = version WHERE id = $1`

	// notInlineSQL is for logins that cannot stand in the row.
	notInlineSQL = `UPDATE identities SET logins = NULL, logins_version = NULL WHERE id = $1`
)

// restate writes the logins of an identity into its row, which the transaction has taken.
func restate(s session, id string) error {
	logins, err := loginsOf(s, id)
	if err != nil {
		return err
	}
	if text, ok := inline(logins); ok {
		_, err = s.exec(inlineSQL, id, text)
	} else {
		_, err = s.exec(notInlineSQL, id)
	}
	return err
}

func loginsOf(s session, id string) ([]identity.LoginKey, error) {
	rows, err := s.query(loginsOfSQL, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []identity.LoginKey
	for rows.Next() {
		var k identity.LoginKey
		var subject []byte
		if err := rows.Scan(&k.Provider, &subject); err != nil {
			return nil, err
		}
		k.Subject = string(subject)
		all = append(all, k)
	}
	return all, rows.Err()
}
