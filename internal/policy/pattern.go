package policy

import (
	"errors"
	"strings"
)

// pattern is a text of a policy cut into tokens. Two tokens of literal text are never neighbours, nor two of any run.
type pattern struct {
	tokens    []token
	variables int
}

// token is one piece of a pattern.
type token struct {
	kind tokenKind
	text string // literal: itself; variable: the default
	key  string // variable: the folded name of the condition key
	slot int    // variable: its place among the pattern's variables
	// falls says of a variable that it has a default.
	falls bool
}

type tokenKind uint8

const (
	literal  tokenKind = iota
	anyRun             // *, any number of characters
	anyOne             // ?, exactly one character
	variable           // ${key} or ${key, 'default'}
)

var (
	errVariable = errors.New("a variable is ${key} or ${key, 'default'}, and is closed")
	errNested   = errors.New("a variable holds no other variable")
)

// patternBuilder collects tokens.
type patternBuilder struct {
	pattern
	text []byte // literal text not yet made a token
}

// compilePattern cuts text into tokens. Without wild, * and ? are literal; without vars, ${ is (spec §2.1: so it is in
// documents of the old version).
func compilePattern(text string, wild, vars bool) (pattern, error) {
	var b patternBuilder
	for i := 0; i < len(text); {
		n := 1
		switch c := text[i]; {
		case wild && c == '*':
			b.wildcard(anyRun)
		case wild && c == '?':
			b.wildcard(anyOne)
		case vars && strings.HasPrefix(text[i:], "${"):
			end, err := b.variable(text[i+2:])
			if err != nil {
				return pattern{}, err
			}
			n = 2 + end
		default:
			b.text = append(b.text, c)
		}
		i += n
	}
	b.flush()
	return b.pattern, nil
}

func (b *patternBuilder) flush() {
	if len(b.text) > 0 {
		b.tokens = append(b.tokens, token{kind: literal, text: string(b.text)})
		b.text = b.text[:0]
	}
}

func (b *patternBuilder) wildcard(kind tokenKind) {
	b.flush()
	if n := len(b.tokens); kind == anyRun && n > 0 && b.tokens[n-1].kind == anyRun {
		return
	}
	b.tokens = append(b.tokens, token{kind: kind})
}

// variable reads a variable after its "${" and returns its length, the closing brace included. ${*}, ${?} and ${$} are
// those characters (spec §2.4).
func (b *patternBuilder) variable(rest string) (int, error) {
	i := strings.IndexAny(rest, ",}")
	if i <= 0 {
		return 0, errVariable
	}
	name := rest[:i]
	if strings.Contains(name, "${") {
		return 0, errNested
	}
	escape := name == "*" || name == "?" || name == "$"
	if rest[i] == '}' && escape {
		b.text = append(b.text, name...)
		return i + 1, nil
	}
	t := token{kind: variable, key: foldKey(name), slot: b.variables}
	if rest[i] == ',' {
		text, n, err := defaultOf(rest[i+1:])
		if err != nil || escape {
			return 0, errors.Join(errVariable, err)
		}
		t.text, t.falls = text, true
		i += n
	}
	b.flush()
	b.tokens = append(b.tokens, t)
	b.variables++
	return i + 1, nil
}

// defaultOf reads the quoted default after a variable's comma. n is the distance to the closing brace.
func defaultOf(rest string) (text string, n int, err error) {
	quoted := strings.TrimLeft(rest, " ")
	if !strings.HasPrefix(quoted, "'") {
		return "", 0, errVariable
	}
	text, after, found := strings.Cut(quoted[1:], "'")
	if !found || !strings.HasPrefix(after, "}") {
		return "", 0, errVariable
	}
	if strings.Contains(text, "${") {
		return "", 0, errNested
	}
	return text, len(rest) - len(after) + 1, nil
}

// isLiteral reports whether the pattern matches one text alone, whatever the request is.
func (p *pattern) isLiteral() bool {
	return len(p.tokens) == 0 || len(p.tokens) == 1 && p.tokens[0].kind == literal
}

// isEverything reports whether the pattern is a lone *.
func (p *pattern) isEverything() bool { return len(p.tokens) == 1 && p.tokens[0].kind == anyRun }

// literal is the text of a pattern that isLiteral.
func (p *pattern) literal() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0].text
}
