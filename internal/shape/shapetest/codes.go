package shapetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"

	"idpool/internal/fault"
)

// FaultCodes reads the codes of package fault from its source, so that a protocol's table cannot forget a new one. dir
// is the folder of package fault as the test sees it.
func FaultCodes(t *testing.T, dir string) []fault.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "fault.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var codes []fault.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Code" {
			codes = append(codes, literals(t, spec)...)
		}
		return false
	})
	const least = 29
	if len(codes) < least {
		t.Fatalf("got %d codes, want at least %d", len(codes), least)
	}
	return codes
}

func literals(t *testing.T, spec *ast.ValueSpec) []fault.Code {
	t.Helper()
	var codes []fault.Code
	for _, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no literal", spec.Names[0])
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, fault.Code(text))
	}
	return codes
}
