package sqlstore

import (
	"database/sql"
	"testing"
)

// TestScan: what a column cannot be is an error, and no zero.
func TestScan(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	const text = "SELECT 'a', x'00', 7, NULL, 1"
	err := e.read(t.Context(), func(s session) error {
		var a string
		var b, none []byte
		var n int64
		var truth bool
		if err := queryRow(s, text, nil, &a, &b, &n, &none, &truth); err != nil {
			return err
		}
		if a != "a" || string(b) != "\x00" || n != 7 || none != nil || !truth {
			t.Errorf("got %q %q %d %v %v", a, b, n, none, truth)
		}
		var null sql.NullString
		var nullInt sql.NullInt64
		if err := queryRow(s, "SELECT NULL, 3", nil, &null, &nullInt); err != nil || null.Valid || nullInt.Int64 != 3 {
			t.Errorf("got %v %v, %v", null, nullInt, err)
		}
		for text, into := range map[string]any{
			"SELECT 7": &a, "SELECT NULL": &a, "SELECT 'a'": &n, "SELECT NULL -- n": &n, "SELECT 'a' -- b": &b,
			"SELECT 'true'": &truth, "SELECT 7 -- s": &null, "SELECT 1, 2": &n, "SELECT 1 -- f": new(float64),
		} {
			if err := queryRow(s, text, nil, into); err == nil {
				t.Errorf("%s into %T: got no error", text, into)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
