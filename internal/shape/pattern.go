package shape

import (
	"fmt"
	"regexp"
	"strings"
)

// compilePattern compiles a pattern of the AWS model, which is Java's and matches a whole string. What means
// something else in Go's syntax is translated or refused: \s and \S (Java's include the vertical tab), the full stop
// (Java's knows more line ends), \uXXXX, and Java's set algebra inside classes. Go's engine is linear in its input.
func compilePattern(source string) (*regexp.Regexp, error) {
	t := translator{rest: source}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("pattern %s: %w", source, err)
	}
	return regexp.Compile(`\A(?:` + t.out.String() + `)\z`)
}

// The inside of a class that stands for Java's \s, \S and full stop.
const (
	spaces   = `\t\n\x0B\f\r `
	others   = `\x00-\x08\x0E-\x1F\x21-\x{10FFFF}`
	lineEnds = `\n\r\x{85}\x{2028}\x{2029}`
)

type translator struct {
	rest    string
	out     strings.Builder
	inClass bool
}

func (t *translator) run() error {
	for t.rest != "" {
		c := t.rest[0]
		t.rest = t.rest[1:]
		var err error
		switch {
		case c == '\\':
			err = t.escape()
		case t.inClass:
			err = t.insideClass(c)
		default:
			err = t.outside(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *translator) outside(c byte) error {
	switch {
	case c == '.':
		t.out.WriteString(`[^` + lineEnds + `]`)
		return nil
	case c == '(' && strings.HasPrefix(t.rest, "?") && !strings.HasPrefix(t.rest, "?:"):
		return fmt.Errorf("a group of a kind that is not known here")
	case c == '[':
		t.inClass = true
		if strings.HasPrefix(t.rest, "]") || strings.HasPrefix(t.rest, "^]") {
			return fmt.Errorf("a class that begins with ]")
		}
	}
	t.out.WriteByte(c)
	return nil
}

func (t *translator) insideClass(c byte) error {
	if c == '[' || c == '&' && strings.HasPrefix(t.rest, "&") {
		return fmt.Errorf("set algebra in a class")
	}
	t.inClass = c != ']'
	t.out.WriteByte(c)
	return nil
}

// escape translates what follows a backslash.
func (t *translator) escape() error {
	if t.rest == "" {
		return fmt.Errorf("a backslash at the end")
	}
	c := t.rest[0]
	t.rest = t.rest[1:]
	switch {
	case c == 's':
		t.class(spaces)
	case c == 'S':
		t.class(others)
	case c == 'u' && len(t.rest) >= 4:
		t.out.WriteString(`\x{` + t.rest[:4] + `}`)
		t.rest = t.rest[4:]
	case strings.IndexByte("dDwWpPtnrfx", c) >= 0 || c < 0x80 && !isWord(c):
		t.out.WriteString(`\` + string(rune(c)))
	default:
		return fmt.Errorf("escape \\%c", c)
	}
	return nil
}

func (t *translator) class(members string) {
	if t.inClass {
		t.out.WriteString(members)
		return
	}
	t.out.WriteString(`[` + members + `]`)
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
