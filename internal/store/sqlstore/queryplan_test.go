package sqlstore

import (
	"strings"
	"testing"
)

// TestQueryPlans: every statement reaches its rows by a key. A table that is read from end to end answers well in tests
// and not with a million rows.
func TestQueryPlans(t *testing.T) {
	e := mustOpenSQLite(t, sqliteURL(t))
	for _, text := range []string{
		revisionSQL, raiseRevisionSQL, getDocumentSQL, createDocumentSQL, replaceDocumentSQL, deleteDocumentSQL,
		getIdentitySQL, listIdentitiesSQL, findSQL(1), findSQL(2), findSQL(20),
		createIdentitySQL, updateIdentitySQL, holdIdentitySQL, deleteIdentitySQL,
		linkLoginSQL, moveLoginSQL, unlinkLoginSQL, deleteLoginsSQL, purgeableSQL, purgeIdentitySQL,
		loginsOfSQL, inlineSQL, notInlineSQL,
	} {
		plan := explain(t, e, text)
		if strings.Contains(plan, "SCAN identities") || strings.Contains(plan, "SCAN logins") || strings.Contains(plan, "SCAN documents") ||
			strings.Contains(plan, "SCAN l") || strings.Contains(plan, "SCAN d") || strings.Contains(plan, "B-TREE") {
			t.Errorf("%s\n%s", text, plan)
		}
		if text == findSQL(2) && strings.Count(plan, "(pool_id=? AND provider=? AND subject_hash=?)") != 2 {
			t.Errorf("logins are not found by their whole key:\n%s", plan)
		}
	}
	// An identity is searched for once. The index of the logins is for rows that do not state them.
	const want = "SEARCH i USING PRIMARY KEY (id=?)\nSEARCH l USING INDEX logins_identity (identity_id=?) LEFT-JOIN\n"
	if plan := explain(t, e, getIdentitySQL); plan != want {
		t.Errorf("%s\n%s", getIdentitySQL, plan)
	}
	// The first reading takes all documents anyhow; the index is for the later ones.
	if plan := explain(t, e, changedSQL); !strings.Contains(plan, "SEARCH d USING INDEX documents_revision (revision>?)") {
		t.Errorf("%s\n%s", changedSQL, plan)
	}
	if plan := explain(t, e, "SELECT * FROM logins WHERE subject_hash = $1"); !strings.Contains(plan, "SCAN logins") {
		t.Errorf("a statement without a key is not seen as one:\n%s", plan)
	}
}

// explain returns the plan, a line for each step.
func explain(t *testing.T, e engine, text string) string {
	t.Helper()
	var plan strings.Builder
	err := e.read(t.Context(), func(s session) error {
		args := make([]any, 64)
		rows, err := s.query("EXPLAIN QUERY PLAN "+text, args[:strings.Count(text, "$")+boundTwice(text)]...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int64
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			plan.WriteString(step + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return plan.String()
}

// boundTwice is how many mentions of a parameter are not its first, as a negative number.
func boundTwice(text string) int {
	seen, twice := map[string]bool{}, 0
	for _, after := range strings.Split(text, "$")[1:] {
		number := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
		if seen[number] {
			twice--
		}
		seen[number] = true
	}
	return twice
}
