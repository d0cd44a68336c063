package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestKeptStores: a store that was filled is taken up again, but not for another number of identities, nor with rows of
// another layout.
func TestKeptStores(t *testing.T) {
	p, err := startProvider(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	dir := filepath.Join(t.TempDir(), "kept")
	first, err := openWorld(t.Context(), dir, "", 20, p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openWorld(t.Context(), dir, "", 20, p)
	if err != nil || again.seeded != first.seeded {
		t.Errorf("got %+v, %v, want %+v", again, err, first.seeded)
	}
	if _, err := openWorld(t.Context(), dir, "", 21, p); err == nil {
		t.Error("a store with 20 identities is taken for one with 21")
	}
	note := filepath.Join(dir, noteFile)
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Replace(text, []byte(`"Layout":2`), []byte(`"Layout":1`), 1)
	if bytes.Equal(old, text) {
		t.Fatalf("%s states no layout", text)
	}
	if err := os.WriteFile(note, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openWorld(t.Context(), dir, "", 20, p); err == nil {
		t.Error("rows of another layout are taken up")
	}
}
