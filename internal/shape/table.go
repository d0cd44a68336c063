package shape

import (
	"fmt"
	"regexp"
	"slices"
)

// Table holds the constraints of a service's shapes under the model's names. Strings, integers, lists and maps that a
// tag or another row names must have a row, a bare Text{} where the model constrains nothing; structures, booleans,
// timestamps and blobs have none.
type Table map[string]Constraint

// Constraint is a row of a Table: Text, Integer, List or Map.
type Constraint interface {
	compile() (rule, error)
}

// Text constrains a string. Lengths are UTF-16 code units, because AWS's framework counts as Java does.
type Text struct {
	Min, Max  int      // length; a Max of 0 is no limit
	Pattern   string   // as the model writes it, for Java; the whole string must match
	Enum      []string // the permitted values, in the model's order
	Sensitive bool     // never echoed
}

// Integer constrains an integer. Min always holds; a Max of 0 is no limit.
type Integer struct {
	Min, Max int64
}

// List constrains a list. Of names the shape of its items. A Max of 0 is no limit.
type List struct {
	Min, Max int
	Of       string
}

// Map constrains a map. Key and Value name the shapes of its halves. A Max of 0 is no limit.
type Map struct {
	Min, Max   int
	Key, Value string
}

// rule is a compiled Constraint. The zero rule permits everything.
type rule struct {
	unit     string // "length" or "value"; empty where neither bound is set
	min, max int64
	source   string // of pattern
	pattern  *regexp.Regexp
	runs     runs // the pattern's, where it has the form; asked instead of it
	enum     []string
}

func (t Text) compile() (rule, error) {
	r, err := bounds("length", int64(t.Min), int64(t.Max))
	if err != nil || t.Pattern == "" {
		r.enum = t.Enum
		return r, err
	}
	r.enum, r.source = t.Enum, t.Pattern
	if r.pattern, err = compilePattern(t.Pattern); err == nil {
		r.runs = compileRuns(r.pattern.String())
	}
	return r, err
}

func (n Integer) compile() (rule, error) {
	if n.Min > n.Max && n.Max != 0 {
		return rule{}, fmt.Errorf("at least %d and at most %d", n.Min, n.Max)
	}
	if n.Max == 0 {
		n.Max = maxInt64
	}
	return rule{unit: "value", min: n.Min, max: n.Max}, nil
}

func (i List) compile() (rule, error) { return bounds("length", int64(i.Min), int64(i.Max)) }

func (e Map) compile() (rule, error) { return bounds("length", int64(e.Min), int64(e.Max)) }

func bounds(unit string, least, most int64) (rule, error) {
	switch {
	case least < 0 || most < 0 || most != 0 && least > most:
		return rule{}, fmt.Errorf("at least %d and at most %d", least, most)
	case least == 0 && most == 0:
		return rule{}, nil
	case most == 0:
		most = maxInt64
	}
	return rule{unit: unit, min: least, max: most}, nil
}

// unbounded reports whether the rule permits everything.
func (r *rule) unbounded() bool { return r.unit == "" && r.pattern == nil && r.enum == nil }

// permits reports whether a string keeps the rule.
func (r *rule) permits(text string) bool {
	return !r.tooLong(text) && !r.tooShort(text) && r.matches(text) && r.listed(text)
}

func (r *rule) permitsSize(n int64) bool { return r.unit == "" || r.min <= n && n <= r.max }

// tooLong and tooShort count only when the bytes alone do not settle it: a UTF-16 unit takes one to three of them.
func (r *rule) tooLong(text string) bool {
	return r.unit != "" && int64(len(text)) > r.max && units(text) > r.max
}

func (r *rule) tooShort(text string) bool {
	return r.unit != "" && int64(len(text)) < 3*r.min && units(text) < r.min
}

func (r *rule) matches(text string) bool {
	if r.runs != nil {
		return r.runs.match(text)
	}
	return r.pattern == nil || r.pattern.MatchString(text)
}

func (r *rule) listed(text string) bool { return r.enum == nil || slices.Contains(r.enum, text) }

// units counts the UTF-16 code units of a string.
func units(text string) int64 {
	var n int64
	for _, c := range text {
		n++
		if c > 0xFFFF {
			n++
		}
	}
	return n
}
