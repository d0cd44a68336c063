package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// comparison is how literal text is compared with the text of a request.
type comparison uint8

const (
	exact     comparison = iota // byte for byte
	lowerCase                   // the pattern is lower-case ASCII, the text may have capitals
	foldCase                    // Unicode simple folding, character by character
)

// match reports whether the whole text matches the pattern. Variables take their values from c; a variable that does not
// resolve and has no default makes the pattern match nothing (spec §2.4).
//
// The cost is at most the length of the text times that of the longest stretch between two *, and linear where that
// stretch is plain text. It does not grow with the number of *.
func (p *pattern) match(how comparison, text string, c *Context) bool {
	switch {
	case p.isEverything():
		return true
	case p.variables == 0:
		return p.glob(how, nil, text)
	}
	var room [8]string // on the stack: more variables than that in one pattern cost an allocation
	values, ok := p.resolve(room[:0], c)
	return ok && p.glob(how, values, text)
}

// resolve appends the text of each variable in turn.
func (p *pattern) resolve(values []string, c *Context) ([]string, bool) {
	for i := range p.tokens {
		t := &p.tokens[i]
		if t.kind != variable {
			continue
		}
		text, ok := c.substitute(t.key)
		if !ok && !t.falls {
			return nil, false
		}
		if !ok {
			text = t.text
		}
		values = append(values, text)
	}
	return values, true
}

// glob walks tokens and text together. At a mismatch it returns to the last * and lets that take one character more;
// earlier ones need not be tried again, since what stands between two * has a fixed number of characters.
func (p *pattern) glob(how comparison, values []string, text string) bool {
	next, at := 0, 0      // the token to match, and from which byte
	star, from := -1, 0   // the token after the last *, and where that was tried last
	last := len(p.tokens) // the end of the pattern
	for {
		switch {
		case next == last:
			if at == len(text) {
				return true
			}
		case p.tokens[next].kind == anyRun:
			next++
			if next == last {
				return true
			}
			if tail, ok := p.plain(next, how); ok && next == last-1 {
				return strings.HasSuffix(text[at:], tail)
			}
			star, from = next, at
			continue
		default:
			if n, ok := p.step(next, how, values, text[at:]); ok {
				next, at = next+1, at+n
				continue
			}
		}
		if star < 0 || from == len(text) {
			return false
		}
		_, width := utf8.DecodeRuneInString(text[from:])
		from += width
		if word, ok := p.plain(star, how); ok {
			skip := strings.Index(text[from:], word)
			if skip < 0 {
				return false
			}
			from += skip
		}
		next, at = star, from
	}
}

// plain returns the text of a token that can be searched for as it is.
func (p *pattern) plain(i int, how comparison) (string, bool) {
	t := &p.tokens[i]
	return t.text, how == exact && t.kind == literal
}

// step matches one token, which is no *, at the beginning of text and returns how many bytes it took.
func (p *pattern) step(i int, how comparison, values []string, text string) (int, bool) {
	t := &p.tokens[i]
	switch t.kind {
	case literal:
		return how.prefix(text, t.text)
	case variable:
		return how.prefix(text, values[t.slot])
	}
	_, width := utf8.DecodeRuneInString(text)
	return width, width > 0
}

// prefix reports whether text begins with want, and with how many bytes.
func (how comparison) prefix(text, want string) (int, bool) {
	switch how {
	case lowerCase:
		return lowerPrefix(text, want)
	case foldCase:
		return foldPrefix(text, want)
	}
	return len(want), strings.HasPrefix(text, want)
}

func lowerPrefix(text, want string) (int, bool) {
	if len(text) < len(want) {
		return 0, false
	}
	for i := range len(want) {
		if lower(text[i]) != want[i] {
			return 0, false
		}
	}
	return len(want), true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// foldPrefix compares character by character: the same letter may have different lengths in its two cases.
func foldPrefix(text, want string) (int, bool) {
	at := 0
	for _, w := range want {
		c, width := utf8.DecodeRuneInString(text[at:])
		if c == utf8.RuneError && width <= 1 || c != w && !sameFold(c, w) {
			return 0, false
		}
		at += width
	}
	return at, true
}

// sameFold reports whether one character is the other under simple folding.
func sameFold(a, b rune) bool {
	for c := unicode.SimpleFold(a); c != a; c = unicode.SimpleFold(c) {
		if c == b {
			return true
		}
	}
	return false
}
