package config

import (
	"regexp"
	"strconv"
	"strings"
)

// sayings are what the YAML library says of text that it cannot read, with what that means for whoever wrote it. Its own
// words are not passed on: some quote the text.
var sayings = []struct {
	says    string // what its message contains
	problem string
	hint    string
	late    int // what to add to its line, which counts from 0 in some messages
}{
	{"could not find expected ':'", "a line without KEY: VALUE", "write a colon and a space after the key", 0},
	{"mapping values are not allowed", "a second colon in a value, or wrong indentation", "indent keys alike; quote values that hold a colon and a space", 0},
	{"tab character", "a tab", "indent with spaces", 0},
	{"cannot start any token", "a tab, or a value that begins with a character of YAML's own", "indent with spaces; quote values that begin with @, ` or %", 0},
	{"unexpected end of stream", "a quote that is not closed", "close it", 0},
	{"expected key", "wrong indentation", "indent all keys of a section alike", 1},
	{"expected '-' indicator", "a list that is not one to its end", "begin each entry with - and indent them alike", 1},
	{"expected ',' or ']'", "a list that is not closed, or lacks a comma", "close it with ], and quote entries that hold ${", 1},
	{"expected ',' or '}'", "a section in braces that is not closed, or lacks a comma", "close it with }, and quote values that hold ${", 1},
}

var lineNumber = regexp.MustCompile(`^yaml: line ([0-9]{1,7}): `)

// blameSyntax notes an error of the YAML library in a text of so many lines. At the end of the text the library may
// count one more.
func (p *parser) blameSyntax(err error, lines int) {
	text := err.Error()
	if strings.Contains(text, "unknown anchor") {
		p.blame(0, "", noAliases, aliasHint)
		return
	}
	problem, hint, late := "cannot be read as YAML", "look at quotes and indentation here and on the line above", 0
	for _, s := range sayings {
		if strings.Contains(text, s.says) {
			problem, hint, late = s.problem, s.hint, s.late
			break
		}
	}
	line := 1 // none is named where it is the first
	if m := lineNumber.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // seven digits
		line = n + late
	}
	p.blame(min(line, lines), "", problem, hint)
}
