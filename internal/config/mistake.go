package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Mistake is one thing wrong with a configuration. It repeats no value of the file.
type Mistake struct {
	File    string // as it was named to Load or Parse
	Line    int    // from 1; 0 where there is none, as for a key that is missing
	Key     string // with its section, as limits.body_bytes; empty where it is about the whole file
	Problem string // what is wrong
	Hint    string // what to write instead
}

// String is the mistake as one line, FILE:LINE: KEY: PROBLEM; HINT, without the parts that are empty.
func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
	}
	if m.Key != "" {
		b.WriteString(": " + m.Key)
	}
	b.WriteString(": " + m.Problem)
	if m.Hint != "" {
		b.WriteString("; " + m.Hint)
	}
	return b.String()
}

// Mistakes are all that is wrong with a configuration, in the order of its lines; those without a line come last.
type Mistakes []Mistake

// Error is the mistakes, one a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// asError returns the mistakes in order, or nil if there are none.
func (m Mistakes) asError() error {
	if len(m) == 0 {
		return nil
	}
	slices.SortStableFunc(m, func(a, b Mistake) int { return cmp.Compare(a.order(), b.order()) })
	return m
}

func (m Mistake) order() int {
	if m.Line == 0 {
		return math.MaxInt
	}
	return m.Line
}

// complaint is what is wrong with a value, before it is known whose value it is.
type complaint struct {
	problem, hint string
}
