package shape

import (
	"math/rand/v2"
	"testing"
)

// TestRuns: which patterns have the form.
func TestRuns(t *testing.T) {
	for pattern, want := range map[string]int{
		`[\w-]+:[0-9a-f-]+`: 3, `[\w._:/-]+`: 1, `\d+`: 1, `abc`: 3, `[a-c][d-f]`: 2, `a[0-9]+b`: 3,
		// Others: of what is not ASCII, with choices, and those in which a character could belong to either of two parts.
		`[\S]+`: 0, `[\p{L}]+`: 0, `(un)?authenticated`: 0, `a|b`: 1, `ab|cd`: 0, `a*`: 0, `[\w]+[a-z]+`: 0, `[\w]+a`: 0, `[\w]+?:`: 0, `(?i)abc`: 0, `.+`: 0, `[^a]+`: 0, `a{2,3}`: 0, ``: 0,
	} {
		source, err := compilePattern(pattern)
		if err != nil {
			if want == 0 {
				continue
			}
			t.Fatal(err)
		}
		if got := compileRuns(source.String()); len(got) != want {
			t.Errorf("%s: got %d runs, want %d", pattern, len(got), want)
		}
	}
}

// FuzzRuns: a text matches the runs of a pattern when it matches the pattern.
func FuzzRuns(f *testing.F) {
	patterns := []string{`[\w-]+:[0-9a-f-]+`, `[\w._:/-]+`, `\d+`, `abc`, `[a-c][d-f]`, `a[0-9]+b`, `[A-Z]+-[a-z]+-[0-9]`}
	for _, seed := range []string{"us-east-1:0000-af", "", "a", ":", "a:", ":a", "a1b", "a1b\n", "abc", "ad", "A-b-9", "\xff", "é", "a12345b0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		random := rand.New(rand.NewPCG(uint64(len(text)), 1))
		for _, source := range patterns {
			pattern, err := compilePattern(source)
			if err != nil {
				t.Fatal(err)
			}
			r := compileRuns(pattern.String())
			if r == nil {
				t.Fatalf("%s has no runs", source)
			}
			for _, s := range []string{text, text[:random.IntN(len(text)+1)], text + ":" + text} {
				if got, want := r.match(s), pattern.MatchString(s); got != want {
					t.Errorf("%q against %s: got %v, want %v", s, source, got, want)
				}
			}
		}
	})
}
