package storetest

import (
	"bytes"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/store"
)

var documentChecks = []check{
	{"Empty", documentsEmpty},
	{"Versions", documentsVersions},
	{"Conflicts", documentsConflicts},
	{"OneRevision", documentsOneRevision},
	{"Changed", documentsChanged},
	{"Kinds", documentsKinds},
	{"Bodies", documentsBodies},
	{"Refusals", documentsRefusals},
	{"Canceled", documentsCanceled},
}

func documentsEmpty(t *testing.T, s *store.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if got := mustRevision(t, s); got != 0 {
		t.Errorf("Revision: got %d, want 0", got)
	}
	docs, revision := mustChanged(t, s, 0)
	if len(docs) != 0 || revision != 0 {
		t.Errorf("Changed: got %v at %d, want nothing at 0", docs, revision)
	}
	_, err := s.Documents.Get(t.Context(), "pool", "a")
	wantError(t, "Get", err, store.ErrNotFound)
	revision, err = s.Documents.Write(t.Context())
	if err != nil || revision != 0 {
		t.Errorf("Write of nothing: got %d, %v, want 0", revision, err)
	}
}

func documentsVersions(t *testing.T, s *store.Store) {
	steps := []struct {
		name string
		w    store.Write
		want store.Document
	}{
		{"create", store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}, store.Document{Version: 1, Body: []byte(`1`)}},
		{"replace", store.Write{Kind: "pool", ID: "a", Expect: 1, Body: []byte(`2`)}, store.Document{Version: 2, Body: []byte(`2`)}},
		{"delete", store.Write{Kind: "pool", ID: "a", Expect: 2}, store.Document{Version: 3, Deleted: true}},
		{"create again", store.Write{Kind: "pool", ID: "a", Body: []byte(`4`)}, store.Document{Version: 4, Body: []byte(`4`)}},
	}
	for i, step := range steps {
		want := step.want
		want.Kind, want.ID, want.Revision = "pool", "a", int64(i+1)
		if got := mustWrite(t, s, step.w); got != want.Revision {
			t.Errorf("%s: got revision %d, want %d", step.name, got, want.Revision)
		}
		docs, _ := mustChanged(t, s, int64(i))
		if i == 0 {
			docs, _ = mustChanged(t, s, 0)
		}
		if d := gocmp.Diff(docs, []store.Document{want}); d != "" {
			t.Errorf("%s: Changed (-got +want):\n%s", step.name, d)
		}
		got, err := s.Documents.Get(t.Context(), "pool", "a")
		if want.Deleted {
			wantError(t, step.name+": Get", err, store.ErrNotFound)
			continue
		}
		if err != nil {
			t.Fatalf("%s: Get: %v", step.name, err)
		}
		if d := gocmp.Diff(got, want); d != "" {
			t.Errorf("%s: Get (-got +want):\n%s", step.name, d)
		}
	}
}

// documentsConflicts also puts each conflict before and after a write that could be made, which it must undo.
func documentsConflicts(t *testing.T, s *store.Store) {
	mustWrite(t, s, store.Write{Kind: "pool", ID: "live", Body: []byte(`1`)}, store.Write{Kind: "pool", ID: "gone", Body: []byte(`1`)})
	mustWrite(t, s, store.Write{Kind: "pool", ID: "live", Expect: 1, Body: []byte(`2`)}, store.Write{Kind: "pool", ID: "gone", Expect: 1})
	before := stateOf(t, s)
	for _, c := range []struct {
		name string
		w    store.Write
	}{
		{"exists", store.Write{Kind: "pool", ID: "live", Body: []byte(`x`)}},
		{"older version", store.Write{Kind: "pool", ID: "live", Expect: 1, Body: []byte(`x`)}},
		{"later version", store.Write{Kind: "pool", ID: "live", Expect: 3, Body: []byte(`x`)}},
		{"delete of an older version", store.Write{Kind: "pool", ID: "live", Expect: 1}},
		{"version from before its deletion", store.Write{Kind: "pool", ID: "gone", Expect: 1, Body: []byte(`x`)}},
		{"second deletion", store.Write{Kind: "pool", ID: "gone", Expect: 1}},
		{"never existed", store.Write{Kind: "pool", ID: "none", Expect: 1, Body: []byte(`x`)}},
		{"deletion of what never existed", store.Write{Kind: "pool", ID: "none", Expect: 1}},
	} {
		first, last := store.Write{Kind: "a", ID: "a", Body: []byte(`x`)}, store.Write{Kind: "z", ID: "z", Body: []byte(`x`)}
		for _, changes := range [][]store.Write{{c.w}, {first, c.w, last}, {last, c.w, first}} {
			_, err := s.Documents.Write(t.Context(), changes...)
			wantError(t, c.name, err, store.ErrConflict)
			if d := gocmp.Diff(stateOf(t, s), before); d != "" {
				t.Fatalf("%s: left a trace (-got +want):\n%s", c.name, d)
			}
		}
	}
}

func documentsOneRevision(t *testing.T, s *store.Store) {
	mustWrite(t, s, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)}, store.Write{Kind: "role", ID: "b", Body: []byte(`1`)})
	got := mustWrite(t, s,
		store.Write{Kind: "role", ID: "b", Expect: 1},
		store.Write{Kind: "role", ID: "c", Body: []byte(`1`)},
		store.Write{Kind: "pool", ID: "a", Expect: 1, Body: []byte(`2`)},
	)
	if got != 2 {
		t.Errorf("Write: got revision %d, want 2", got)
	}
	docs, revision := mustChanged(t, s, 1)
	want := []store.Document{
		{Kind: "pool", ID: "a", Version: 2, Revision: 2, Body: []byte(`2`)},
		{Kind: "role", ID: "b", Version: 2, Revision: 2, Deleted: true},
		{Kind: "role", ID: "c", Version: 1, Revision: 2, Body: []byte(`1`)},
	}
	if d := gocmp.Diff(docs, want); d != "" || revision != 2 {
		t.Errorf("Changed: revision %d, want 2, (-got +want):\n%s", revision, d)
	}
}

func documentsChanged(t *testing.T, s *store.Store) {
	mustWrite(t, s, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)})
	mustWrite(t, s, store.Write{Kind: "pool", ID: "b", Body: []byte(`1`)})
	mustWrite(t, s, store.Write{Kind: "pool", ID: "a", Expect: 1, Body: []byte(`2`)})
	mustWrite(t, s, store.Write{Kind: "pool", ID: "b", Expect: 1})
	for _, c := range []struct {
		since int64
		want  []string
	}{
		{0, []string{"a"}},
		{1, []string{"a", "b"}},
		{2, []string{"a", "b"}},
		{3, []string{"b"}},
		{4, nil},
		{99, nil},
		{-1, []string{"a"}},
	} {
		docs, revision := mustChanged(t, s, c.since)
		var got []string
		for _, d := range docs {
			got = append(got, d.ID)
			if d.Deleted != (d.ID == "b") || d.Deleted != (d.Body == nil) {
				t.Errorf("Changed(%d): got %+v, want the tombstone of b alone", c.since, d)
			}
		}
		if d := gocmp.Diff(got, c.want); d != "" || revision != 4 {
			t.Errorf("Changed(%d): revision %d, want 4, (-got +want):\n%s", c.since, revision, d)
		}
	}
}

func documentsKinds(t *testing.T, s *store.Store) {
	mustWrite(t, s,
		store.Write{Kind: "pool", ID: "a", Body: []byte(`"pool a"`)},
		store.Write{Kind: "role", ID: "a", Body: []byte(`"role a"`)},
		store.Write{Kind: "role", ID: "A", Body: []byte(`"role A"`)},
		store.Write{Kind: "role", ID: "a ", Body: []byte(`"role a "`)},
		store.Write{Kind: "role", ID: "ä’", Body: []byte(`"role ä’"`)},
	)
	for _, c := range []struct{ kind, id string }{{"pool", "a"}, {"role", "a"}, {"role", "A"}, {"role", "a "}, {"role", "ä’"}} {
		got, err := s.Documents.Get(t.Context(), store.Kind(c.kind), c.id)
		if want := `"` + c.kind + " " + c.id + `"`; err != nil || string(got.Body) != want {
			t.Errorf("Get(%s, %q): got %s, %v, want %s", c.kind, c.id, got.Body, err, want)
		}
	}
	_, err := s.Documents.Get(t.Context(), "pool", "A")
	wantError(t, "Get", err, store.ErrNotFound)
}

func documentsBodies(t *testing.T, s *store.Store) {
	for name, body := range map[string][]byte{
		"empty":   {},
		"any":     []byte("\x00\xff\"'$1?;--\n{}"),
		"largest": bytes.Repeat([]byte{'x'}, 1<<20),
	} {
		given := bytes.Clone(body)
		mustWrite(t, s, store.Write{Kind: "pool", ID: name, Body: given})
		clear(given) // the caller's again
		for range 2 {
			got, err := s.Documents.Get(t.Context(), "pool", name)
			if err != nil || !bytes.Equal(got.Body, body) || got.Deleted {
				t.Errorf("%s: got %d bytes, %v, want %d", name, len(got.Body), err, len(body))
			}
			clear(got.Body)
		}
	}
}

func documentsRefusals(t *testing.T, s *store.Store) {
	mustWrite(t, s, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)})
	before := stateOf(t, s)
	body := []byte(`1`)
	for name, changes := range map[string][]store.Write{
		"body too large":       {{Kind: "pool", ID: "b", Body: make([]byte, 1<<20+1)}},
		"twice":                {{Kind: "pool", ID: "b", Body: body}, {Kind: "pool", ID: "b", Expect: 1, Body: body}},
		"delete of nothing":    {{Kind: "pool", ID: "b"}},
		"negative version":     {{Kind: "pool", ID: "b", Expect: -1, Body: body}},
		"id with NUL":          {{Kind: "pool", ID: "b\x00", Body: body}},
		"id that is not UTF-8": {{Kind: "pool", ID: "b\xff", Body: body}},
		"id too long":          {{Kind: "pool", ID: strings.Repeat("b", 513), Body: body}},
		"kind with NUL":        {{Kind: "p\x00", ID: "b", Body: body}},
	} {
		_, err := s.Documents.Write(t.Context(), append(changes, store.Write{Kind: "pool", ID: "c", Body: body})...)
		wantRefusal(t, name, err)
	}
	if d := gocmp.Diff(stateOf(t, s), before); d != "" {
		t.Errorf("a refusal left a trace (-got +want):\n%s", d)
	}
	for _, id := range []string{"a\x00", "a\xff", strings.Repeat("a", 513), ""} {
		_, err := s.Documents.Get(t.Context(), "pool", id)
		wantError(t, "Get of what cannot be", err, store.ErrNotFound)
	}
}

func documentsCanceled(t *testing.T, s *store.Store) {
	ctx := canceled(t)
	_, err := s.Documents.Write(ctx, store.Write{Kind: "pool", ID: "a", Body: []byte(`1`)})
	wantError(t, "Write", err, ctx.Err())
	_, _, err = s.Documents.Changed(ctx, 0)
	wantError(t, "Changed", err, ctx.Err())
	if got := mustRevision(t, s); got != 0 {
		t.Errorf("Revision: got %d, want 0", got)
	}
}
