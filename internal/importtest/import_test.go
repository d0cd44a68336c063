// Package importtest holds the rules of who may import whom (docs/ARCHITECTURE.md) and a test that reads the files
// itself, so that the test cache sees every change of them. It contains no program code.
package importtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are our packages from the ground up. A package imports only from layers below its own, and from its own what
// beside allows.
var layers = [][]string{
	{"fault", "arn", "cache", "deadline", "heap", "strictjson"},
	{"admission", "policy", "shape", "event", "login", "sigv4", "session"},
	{"identity", "pool", "account", "rolemap", "revocation"},
	{"store", "keyring", "shape/shapetest"},
	{"fetch", "snapshot", "issuer"},
	{"operation", "awsjson", "awsquery", "store/sqlstore", "store/recent", "store/sealed", "keyring/filekeys", "login/oidc", "login/saml", "login/social", "login/saml/samltest", "store/storetest"},
	{"sts", "iam", "setup", "operate"},
	{"authority"},
	{"cognito", "authority/stsclient"},
	{"door"},
	{"config", "httpd", "testidp", "client", "login/social/socialtest"},
	{"server"},
	{"idpooltest"},
}

// beside are the imports inside a layer.
var beside = map[string][]string{
	"account":         {"pool"},
	"rolemap":         {"pool"},
	"session":         {"policy"}, // keys of tags are equal where policies take them for equal
	"store/storetest": {"store/sqlstore"},
}

// forbidden imports, each with its reason. A rule holds for the named packages, or for all but the named ones.
var forbidden = []struct {
	imports string // a path or, ending in /, all below it
	in      []string
	except  []string
	reason  string
}{
	{imports: "net/http", in: domain, reason: "the domain and the services have not seen HTTP"},
	{imports: "database/sql", except: []string{"store/sqlstore", "store/storetest"}, reason: "SQL lives in sqlstore alone"},
	{imports: "github.com/jackc/", except: []string{"store/sqlstore", "store/storetest"}, reason: "SQL drivers live in sqlstore alone"},
	{imports: "modernc.org/", except: []string{"store/sqlstore", "store/storetest"}, reason: "SQL drivers live in sqlstore alone"},
	{imports: "github.com/pressly/", except: []string{"store/sqlstore"}, reason: "migrations live in sqlstore alone"},
	{imports: "github.com/go-jose/", except: []string{"login/oidc", "keyring/filekeys", "testidp"}, reason: "JOSE lives where tokens are verified and signed"},
	{imports: "github.com/russellhaering/", except: []string{"login/saml"}, reason: "XML signatures live where SAML is verified"},
	{imports: "github.com/beevik/", except: []string{"login/saml"}, reason: "XML signatures live where SAML is verified"},
	{imports: "github.com/mattermost/", except: []string{"login/saml"}, reason: "XML signatures live where SAML is verified"},
	{imports: "github.com/prometheus/", except: []string{"httpd"}, reason: "metrics live in httpd alone"},
	{imports: "go.yaml.in/", except: []string{"config"}, reason: "YAML is the configuration's"},
	{imports: "os", in: domain, reason: "the domain and the services do no I/O"},
	{imports: "crypto/rand", in: domain, reason: "randomness is an argument"},
	{imports: "math/rand", in: domain, reason: "randomness is an argument"},
	{imports: "math/rand/v2", in: domain, reason: "randomness is an argument"},
}

// domain are the packages without I/O, clock and randomness.
var domain = []string{
	"fault", "arn", "strictjson", "policy", "shape", "event", "login", "session", "identity", "pool", "account", "rolemap", "revocation", "store",
	"keyring", "issuer", "snapshot", "operation", "awsjson", "awsquery", "sts", "iam", "authority", "cognito", "setup", "operate",
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for pkg, imports := range packages(t) {
		seen[pkg] = true
		for _, imported := range imports {
			check(t, pkg, imported)
		}
	}
	for _, layer := range layers {
		for _, pkg := range layer {
			if !seen[pkg] {
				t.Errorf("the rules name %s, which does not exist", pkg)
			}
		}
	}
}

func check(t *testing.T, pkg, imported string) {
	t.Helper()
	for _, rule := range forbidden {
		hit := imported == rule.imports || strings.HasSuffix(rule.imports, "/") && strings.HasPrefix(imported, rule.imports)
		concerned := slices.Contains(rule.in, pkg) || rule.in == nil && !slices.Contains(rule.except, pkg)
		if hit && concerned {
			t.Errorf("%s imports %s: %s", pkg, imported, rule.reason)
		}
	}
	ours, ok := strings.CutPrefix(imported, "idpool/internal/")
	if !ok {
		return
	}
	from, to := layerOf(pkg), layerOf(ours)
	switch {
	case from < 0 || to < 0:
		t.Errorf("%s imports %s: give both a place in layers", pkg, ours)
	case to > from:
		t.Errorf("%s imports %s, which lies above it", pkg, ours)
	case to == from && !slices.Contains(beside[pkg], ours):
		t.Errorf("%s imports %s beside it", pkg, ours)
	}
}

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, pkg) })
}

// packages returns the imports of every package below internal, its tests left out.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	root := ".."
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, path.Dir(filepath.ToSlash(file)))
		for _, spec := range parsed.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			out[pkg] = append(out[pkg], imported)
		}
		if _, ok := out[pkg]; !ok {
			out[pkg] = nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Nothing of the program imports what is for tests.
func TestProgramDoesNotImportTests(t *testing.T) {
	files, err := filepath.Glob("../../cmd/idpool/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of the program: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); strings.HasSuffix(imported, "test") || imported == "testing" {
				t.Errorf("%s imports %s", file, imported)
			}
		}
	}
}
