package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parser reads one file into one Config and gathers what is wrong.
type parser struct {
	file     string
	env      func(string) (string, bool)
	read     func(path string) ([]byte, error)
	config   *Config
	mistakes Mistakes
	bad      map[string]bool // keys that have a mistake
}

// reader reads the value of a row's key into the configuration, or notes what is wrong with it.
type reader func(p *parser, r row, n *yaml.Node)

// blame notes a mistake at a line, 0 for none. A mistake in a section counts as one of the section as well.
func (p *parser) blame(line int, key, problem, hint string) {
	p.mistakes = append(p.mistakes, Mistake{File: p.file, Line: line, Key: key, Problem: problem, Hint: hint})
	p.bad[key] = true
	if section, _, found := strings.Cut(key, "."); found {
		p.bad[section] = true
	}
}

// one is a reader of a single text.
func one[T any](at func(*Config) *T, parse func(string) (T, *complaint)) reader {
	return oneOr("", at, parse)
}

// oneOr is one with a hint of its own for values that are not text.
func oneOr[T any](hint string, at func(*Config) *T, parse func(string) (T, *complaint)) reader {
	return func(p *parser, r row, n *yaml.Node) {
		hint := cmp.Or(hint, "write text such as "+cmp.Or(r.example, r.value)+", in quotes where YAML reads it otherwise")
		if v, ok := parseText(p, r.key, "", hint, n, parse); ok {
			*at(p.config) = v
		}
	}
}

// many is a reader of a list of texts.
func many[T any](at func(*Config) *[]T, parse func(string) (T, *complaint)) reader {
	return func(p *parser, r row, n *yaml.Node) {
		hint := "write a list such as " + r.example
		if !p.is(yaml.SequenceNode, r.key, n, "a list", hint) {
			return
		}
		var all []T
		for i, item := range n.Content {
			if v, ok := parseText(p, r.key, fmt.Sprintf("entry %d: ", i+1), hint, item, parse); ok {
				all = append(all, v)
			}
		}
		*at(p.config) = all
	}
}

// parseText reads a text value; where is put before what is wrong with it.
func parseText[T any](p *parser, key, where, hint string, n *yaml.Node, parse func(string) (T, *complaint)) (v T, ok bool) {
	s, _, ok := p.text(key, where, hint, n)
	if !ok {
		return v, false
	}
	v, wrong := parse(s)
	if wrong != nil {
		p.blame(n.Line, key, where+wrong.problem, wrong.hint)
		return v, false
	}
	return v, true
}

// whole is a reader of whole numbers from least to most.
func whole[T int | int64](at func(*Config) *T, least, most int64) reader {
	return func(p *parser, r row, n *yaml.Node) {
		digits, ok := p.digits(r.key, n)
		if !ok {
			return
		}
		v, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || v < least || v > most { // its only error is a number that is out of range
			p.blame(n.Line, r.key, "out of range", fmt.Sprintf("write a number from %d to %d", least, most))
			return
		}
		*at(p.config) = T(v)
	}
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// digits returns the digits of a number. YAML has more ways to write one, such as 0644 for 420; those are refused.
func (p *parser) digits(key string, n *yaml.Node) (string, bool) {
	const hint = "write a whole number in digits and without quotes, such as 1000"
	text := n.Value
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		s, expanded, ok := p.text(key, "", hint, n)
		if !ok {
			return "", false
		}
		if !expanded {
			p.blame(n.Line, key, "text where a number is expected", hint)
			return "", false
		}
		text = s
	} else if !p.is(yaml.ScalarNode, key, n, "a number", hint) {
		return "", false
	}
	if !decimal.MatchString(text) {
		p.blame(n.Line, key, "not a whole number", hint)
		return "", false
	}
	return text, true
}

// text returns a text with its expansions done, and whether there were any. It refuses what YAML does not take for text.
func (p *parser) text(key, where, hint string, n *yaml.Node) (s string, expanded, ok bool) {
	if !p.plain(key, n) {
		return "", false, false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.blameKind(key, where, "text", hint, n)
		return "", false, false
	}
	s, expanded, wrong := p.expand(n.Value)
	if len(wrong) == 0 {
		wrong = judgeText(s)
	}
	for _, c := range wrong {
		p.blame(n.Line, key, where+c.problem, c.hint)
	}
	return s, expanded, len(wrong) == 0
}

const emptyHint = "write a value, or remove it"

// judgeText refuses what no value may hold.
func judgeText(s string) []complaint {
	switch {
	case s == "":
		return []complaint{{"empty", emptyHint}}
	case !utf8.ValidString(s):
		return []complaint{{"not UTF-8 text", "write it in UTF-8"}}
	case strings.ContainsFunc(s, unicode.IsControl):
		return []complaint{{"has a line break or another control character", "write it on one line, without"}}
	case strings.TrimSpace(s) != s:
		return []complaint{{"begins or ends with a space", "write it without"}}
	}
	return nil
}

// is reports whether a value is of a kind, and notes it if not.
func (p *parser) is(kind yaml.Kind, key string, n *yaml.Node, want, hint string) bool {
	if !p.plain(key, n) {
		return false
	}
	if n.Kind != kind || n.Tag == "!!null" {
		p.blameKind(key, "", want, hint, n)
		return false
	}
	return true
}

// plain refuses the parts of YAML by which a value is not what stands there: anchors, aliases and tags.
func (p *parser) plain(key string, n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.blame(n.Line, key, noAliases, aliasHint)
	case n.Style&yaml.TaggedStyle != 0:
		p.blame(n.Line, key, "tags are not supported", "remove the tag; quote the value if it begins with !")
	default:
		return true
	}
	return false
}

const (
	noAliases = "anchors and aliases are not supported"
	aliasHint = "write the value out; quote it if it begins with & or *"
)

func (p *parser) blameKind(key, where, want, hint string, n *yaml.Node) {
	if n.Tag == "!!null" {
		p.blame(n.Line, key, where+"empty", emptyHint)
		return
	}
	p.blame(n.Line, key, where+kindOf(n)+" where "+want+" is expected", hint)
}

// kindOf names what a value is.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a section"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!timestamp":
		return "a date"
	}
	return "text"
}

// truth is a reader of true or false, which YAML has more ways to write.
func truth(at func(*Config) *bool) reader {
	return func(p *parser, r row, n *yaml.Node) {
		const hint = "write true or false, without quotes"
		text := n.Value
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			s, expanded, ok := p.text(r.key, "", hint, n)
			if !ok {
				return
			}
			if !expanded {
				p.blame(n.Line, r.key, "text where true or false is expected", hint)
				return
			}
			text = s
		} else if !p.is(yaml.ScalarNode, r.key, n, "true or false", hint) {
			return
		}
		switch text {
		case "true", "false":
			*at(p.config) = text == "true"
		default:
			p.blame(n.Line, r.key, "neither true nor false", hint)
		}
	}
}
