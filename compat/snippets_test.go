package compat

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// sources are the files whose snippets docs/clients.md shows, by the snippet's name.
var sources = map[string]string{
	"boto3": "testdata/main_job.py", "aws CLI": "testdata/main_job.sh", "JavaScript": "js/node.mjs", "Amplify": "js/page.mjs", "Go": "gosdk_test.go",
}

var (
	marked = regexp.MustCompile(`(?s)(?://|#) snippet: ([A-Za-z0-9 ]+)\n(.*?)\n[\t ]*(?://|#) end\n`)
	fenced = regexp.MustCompile("(?s)<!-- snippet: ([A-Za-z0-9 ]+) -->\n```[a-z]+\n(.*?)\n```")
)

// What docs/clients.md shows is the code that the tests run, line by line, indentation aside.
func TestSnippetsAreWhatIsTested(t *testing.T) {
	text, err := os.ReadFile("../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		shown[m[1]] = plain(m[2])
	}
	for name, file := range sources {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range marked.FindAllStringSubmatch(string(source), -1) {
			if m[1] == name {
				found = true
				if got, want := shown[name], plain(m[2]); got != want {
					t.Errorf("%s: docs/clients.md shows\n%s\nand %s runs\n%s", name, got, file, want)
				}
			}
		}
		if !found {
			t.Errorf("%s has no snippet %q", file, name)
		}
	}
	if len(shown) != len(sources) {
		t.Errorf("docs/clients.md shows %d snippets, %d are tested", len(shown), len(sources))
	}
}

func plain(code string) string {
	lines := strings.Split(code, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
