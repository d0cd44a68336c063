package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestStoreURLs(t *testing.T) {
	for _, c := range []struct{ in, want, redacted string }{
		{"sqlite:idpool.db", "sqlite:/d/idpool.db", "sqlite:/d/idpool.db"},
		{"sqlite:../x y.db", "sqlite:/x y.db", "sqlite:/x y.db"},
		{"sqlite:/a/./idpool.db", "sqlite:/a/idpool.db", "sqlite:/a/idpool.db"},
		{"sqlite:///a/idpool.db", "sqlite:/a/idpool.db", "sqlite:/a/idpool.db"},
		{"postgres://u@h/d", "", "postgres://u@h/d"},
		{"postgresql://h:5433/d", "", "postgresql://h:5433/d"},
		{"postgres://u:hunter2@h:5433/d", "", "postgres://u@h:5433/d"},
		{"postgres://u:p@hunter2@h/d", "", "postgres://u@h/d"},
		{"postgres://u:%2Fhunter2%40@h/d%40x", "", "postgres://u@h/d@x"},
		{"postgres://:hunter2@h/d", "", "postgres://h/d"},
		{"postgres://h/d?user=u&password=hunter2&sslmode=verify-full", "", "postgres://h/d"},
		{"postgres://u:hunter2@/d?host=/run/postgresql", "", "postgres://u@/d"},
		{"postgres://u@h?dbname=d", "", "postgres://u@h"},
	} {
		text := strings.NewReplacer("sqlite:idpool.db", "'"+c.in+"'", "key_file", "data: /d\nkey_file").Replace(required)
		if c.want == "" {
			c.want = c.in
		}
		u := mustParse(t, text).Store
		if u.Reveal() != c.want || u.Redacted() != c.redacted {
			t.Errorf("%s: got %q, redacted %q, want %q, %q", c.in, u.Reveal(), u.Redacted(), c.want, c.redacted)
		}
	}
}

// However a configuration is printed, it holds no password.
func TestStoreURLIsNotPrinted(t *testing.T) {
	c := mustParse(t, with("store: postgres://u:hunter2@h/d?password=hunter2\n"))
	type hidden struct{ u StoreURL }
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "config", c, "store", c.Store, "hidden", hidden{c.Store})
	printed := fmt.Sprintf("%v %+v %#v %s %q %v %+v %#v %x", c, c, c, c.Store, c.Store, hidden{c.Store}, *c, c.Store, c.Store)
	for _, got := range []string{string(asJSON), logged.String(), printed} {
		if strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("got the password in %s", got)
		}
	}
	if !strings.Contains(logged.String(), "postgres://u@h/d") {
		t.Errorf("got %s, want the rest of the URL", logged.String())
	}
}

// What Parse would refuse is redacted as a whole: who knows what part of it is the password.
func TestRedactedOfOtherTexts(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"postgres://u:hunter2/x@h/d": "[redacted]",
		"postgres:u:hunter2@h/d":     "[redacted]",
		"mysql://u:hunter2@h/d":      "[redacted]",
		"hunter2":                    "[redacted]",
	} {
		if got := NewStoreURL(in).Redacted(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := (StoreURL{}).Redacted(); got != "" {
		t.Errorf("got %q of the zero value, want nothing", got)
	}
}
