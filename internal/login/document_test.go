package login

import (
	"os"
	"strings"
	"testing"
)

// TestDocument: docs/providers.md has the row of every provider, with the places that are built in.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rows {
		if r.Kind == Discontinued {
			continue
		}
		cells := []string{quoted(r.Key), quoted(r.Issuers...), quoted(r.Keys), strings.Join(r.Algorithms, ", "), quoted(r.Endpoint)}
		if r.Kind == UserPool {
			cells[0] = "user pools"
		}
		for i, c := range cells {
			if c == "" {
				cells[i] = "–"
			}
		}
		if row := "| " + strings.Join(cells, " | ") + " |\n"; !strings.Contains(string(text), row) {
			t.Errorf("the page lacks the row\n%s", row)
		}
	}
}

func quoted(texts ...string) string {
	var out []string
	for _, s := range texts {
		if s != "" {
			out = append(out, "`"+s+"`")
		}
	}
	return strings.Join(out, ", ")
}
