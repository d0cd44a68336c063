package sqlstore

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// forbidden is what a database that speaks PostgreSQL's protocol and spreads rows may lack, or do badly, and what would
// let a value into the text of a statement.
var forbidden = map[string]*regexp.Regexp{
	"row locks":           regexp.MustCompile(`(?i)\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE|KEY\s+SHARE)\b`),
	"table locks":         regexp.MustCompile(`(?i)\bLOCK\s+(TABLE|IN)\b`),
	"advisory locks":      regexp.MustCompile(`(?i)advisory|SessionLock`),
	"notifications":       regexp.MustCompile(`(?i)\b(UN)?LISTEN\b|\bNOTIFY\b`),
	"sequences":           regexp.MustCompile(`(?i)\b(SMALL|BIG)?SERIAL\b|\bnextval\b|CREATE\s+SEQUENCE|AUTOINCREMENT|GENERATED\s`),
	"foreign keys":        regexp.MustCompile(`(?i)\bREFERENCES\b|\bFOREIGN\s+KEY\b`),
	"triggers":            regexp.MustCompile(`(?i)\bTRIGGER\b`),
	"isolation of choice": regexp.MustCompile(`\bsql\.Level[A-Z]`),
	"formatted SQL":       regexp.MustCompile(`Sprint`),
}

func TestForbidden(t *testing.T) {
	files := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".sql") {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		for what, re := range forbidden {
			if found := re.Find(text); found != nil {
				t.Errorf("%s: %s are forbidden: %q", path, what, found)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Errorf("read %d files: the test looks in the wrong place", files)
	}
}

// TestForbiddenWorks: each pattern finds what it is for.
func TestForbiddenWorks(t *testing.T) {
	for text, what := range map[string]string{
		"SELECT 1 FROM t FOR UPDATE":                "row locks",
		"select 1 from t for  no key update":        "row locks",
		"LOCK TABLE t":                              "table locks",
		"SELECT pg_try_advisory_lock(1)":            "advisory locks",
		"lock.NewPostgresSessionLocker":             "advisory locks",
		"LISTEN changes":                            "notifications",
		"notify changes":                            "notifications",
		"id BIGSERIAL PRIMARY KEY":                  "sequences",
		"id BIGINT GENERATED ALWAYS AS IDENTITY":    "sequences",
		"pool_id TEXT REFERENCES pools (id)":        "foreign keys",
		"FOREIGN KEY (id)":                          "foreign keys",
		"CREATE TRIGGER t":                          "triggers",
		"sql.LevelSerializable":                     "isolation of choice",
		"fmt.Sprintf(\"SELECT %s\", x)":             "formatted SQL",
		"SELECT nextval('s')":                       "sequences",
		"id INTEGER PRIMARY KEY AUTOINCREMENT":      "sequences",
		"SELECT 1 FROM t FOR SHARE":                 "row locks",
		"LOCK IN SHARE MODE":                        "table locks",
		"id SERIAL":                                 "sequences",
		"CREATE SEQUENCE s":                         "sequences",
		"SELECT 1 FROM t FOR KEY SHARE SKIP LOCKED": "row locks",
	} {
		if !forbidden[what].MatchString(text) {
			t.Errorf("%q is not found among %s", text, what)
		}
	}
}

// TestMigrations: each file holds one statement, that may be run again or runs in a transaction, and the folders hold the same steps.
func TestMigrations(t *testing.T) {
	names := map[string][]string{}
	for _, folder := range []string{"sqlite", "postgres"} {
		files, err := fs.Glob(migrationFiles, "migrations/"+folder+"/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got %d migrations, %v", folder, len(files), err)
		}
		for _, file := range files {
			names[folder] = append(names[folder], strings.TrimPrefix(file, "migrations/"+folder+"/"))
			text, err := migrationFiles.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkMigration(t, file, string(text))
		}
	}
	if got, want := strings.Join(names["sqlite"], " "), strings.Join(names["postgres"], " "); got != want {
		t.Errorf("migrations differ: sqlite %s, postgres %s", got, want)
	}
}

func checkMigration(t *testing.T, file, text string) {
	t.Helper()
	if got := strings.Count(text, ";"); got != 1 || !strings.HasSuffix(text, ";\n") {
		t.Errorf("%s: got %d statements, want one", file, got)
	}
	if alone := strings.Contains(text, "NO TRANSACTION"); alone != strings.Contains(file, "/postgres/") {
		t.Errorf("%s: got alone %v, want that on PostgreSQL and nowhere else", file, alone)
	} else if alone && !strings.Contains(text, "IF NOT EXISTS") && !strings.Contains(text, "ON CONFLICT") {
		t.Errorf("%s: cannot be run again", file)
	}
	if !strings.Contains(text, "-- +goose Up\n") || strings.Contains(text, "+goose Down") {
		t.Errorf("%s: migrations go up and never down", file)
	}
	keys := strings.Count(text, "TEXT")
	if strings.Contains(file, "/postgres/") && keys != strings.Count(text, `TEXT COLLATE "C"`) {
		t.Errorf("%s: text that is not ordered by its bytes", file)
	}
}
