package fault

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strconv"
	"strings"
	"testing"
)

func TestNewAndWrap(t *testing.T) {
	for name, c := range map[string]struct {
		got  *Error
		want Error
		text string
	}{
		"new":               {New(NotAuthorized, "Access to %s is forbidden.", "x%d"), Error{NotAuthorized, "Access to x%d is forbidden.", nil}, "NotAuthorized: Access to x%d is forbidden."},
		"new, no arguments": {New(Internal, "Internal error."), Error{Internal, "Internal error.", nil}, "Internal: Internal error."},
		"wrap":              {Wrap(NotAuthorized, "100 %d sure.", io.EOF), Error{NotAuthorized, "100 %d sure.", io.EOF}, "NotAuthorized: 100 %d sure.: EOF"},
		"wrap of nothing":   {Wrap(NotAuthorized, "No.", nil), Error{NotAuthorized, "No.", nil}, "NotAuthorized: No."},
	} {
		if *c.got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, *c.got, c.want)
		}
		if got := c.got.Error(); got != c.text {
			t.Errorf("%s: Error: got %q, want %q", name, got, c.text)
		}
	}
}

func TestUnwrap(t *testing.T) {
	if err := Wrap(Internal, "Internal error.", fmt.Errorf("reading: %w", io.EOF)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want its cause to be found", err)
	}
	if got := New(Internal, "Internal error.").Unwrap(); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

func TestFrom(t *testing.T) {
	f := New(NotAuthorized, "No.")
	outer := Wrap(ExternalService, "Not responding.", f)
	for name, c := range map[string]struct {
		err  error
		want *Error
	}{
		"itself":          {f, f},
		"wrapped":         {fmt.Errorf("verifying: %w", f), f},
		"joined":          {errors.Join(io.EOF, f), f},
		"the outer fault": {fmt.Errorf("verifying: %w", outer), outer},
	} {
		if got := From(c.err); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := From(nil); got != nil {
		t.Errorf("nil: got %v, want nil", got)
	}
}

// TestFromHides: what is no fault tells the caller nothing, and the operator all.
func TestFromHides(t *testing.T) {
	secret := fmt.Errorf("dial db.internal:5432: %w", io.EOF)
	got := From(secret)
	if got.Code != Internal || got.Message != "Internal error." || !errors.Is(got, io.EOF) {
		t.Errorf("got %v, want Internal error. with its cause", got)
	}
	if strings.Contains(got.Message, "internal:5432") {
		t.Errorf("message: got %q, want nothing of the cause in it", got.Message)
	}
}

func TestIs(t *testing.T) {
	outer := Wrap(ExternalService, "Not responding.", New(NotAuthorized, "No."))
	for name, c := range map[string]struct {
		err  error
		code Code
		want bool
	}{
		"the code":            {outer, ExternalService, true},
		"wrapped":             {fmt.Errorf("x: %w", outer), ExternalService, true},
		"that of the cause":   {outer, NotAuthorized, false},
		"another":             {outer, Internal, false},
		"nothing":             {nil, Internal, false},
		"no fault":            {io.EOF, Internal, false},
		"no fault, empty":     {io.EOF, "", false},
		"a fault of no code":  {&Error{}, "", true},
		"in another spelling": {outer, "externalService", false},
	} {
		if got := Is(c.err, c.code); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestCodesDiffer reads the codes from the source: each is spelled as it is named, so no two are one.
func TestCodesDiffer(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Code" {
			continue
		}
		found++
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || value != spec.Names[0].Name || len(spec.Names) != 1 {
			t.Errorf("%s: got the code %q, want its name", spec.Names[0].Name, value)
		}
	}
	if found < 29 {
		t.Errorf("got %d codes: not all were found", found)
	}
}
