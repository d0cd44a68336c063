package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Text is a text of a policy of version 2012-10-17 that may hold variables, for those who must write it without: for an
// engine that does not know them.
type Text struct{ pattern pattern }

// ParseText cuts a text at its variables. Without wild, * and ? are characters like any others, as in StringEquals.
func ParseText(text string, wild bool) (Text, error) {
	p, err := compilePattern(text, wild, true)
	return Text{p}, err
}

// Variables returns the names of the condition keys that stand in the text, each once, in the one form in which names
// that differ in case alone are equal (FoldKey).
func (t Text) Variables() []string {
	var all []string
	for _, one := range t.pattern.tokens {
		if one.kind == variable {
			all = append(all, one.key)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// FoldKey returns the form of the name of a condition key in which names that differ in case alone are equal.
func FoldKey(key string) string { return foldKey(key) }

// Unresolved is the error of a variable that has no value.
type Unresolved struct{ Key string }

// Error names the variable.
func (e *Unresolved) Error() string { return fmt.Sprintf("the variable ${%s} has no value", e.Key) }

// Fill returns the text with the context's values in the place of its variables. Everything that is not a wildcard goes
// through literal, which writes it so that it stands for itself, or refuses. *Unresolved where a variable has neither a
// value nor a default.
func (t Text) Fill(c *Context, literal func(string) (string, error)) (string, error) {
	var b strings.Builder
	for _, one := range t.pattern.tokens {
		text := one.text
		switch one.kind {
		case anyRun:
			b.WriteByte('*')
			continue
		case anyOne:
			b.WriteByte('?')
			continue
		case variable:
			value, ok := c.substitute(one.key)
			if !ok && !one.falls {
				return "", &Unresolved{one.key}
			}
			if ok {
				text = value
			}
		}
		written, err := literal(text)
		if err != nil {
			return "", err
		}
		b.WriteString(written)
	}
	return b.String(), nil
}
