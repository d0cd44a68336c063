package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the size of the largest configuration, in bytes.
const maxFile = 256 << 10

// Load reads the configuration in a file. Variables of the environment are looked up with env, which is os.LookupEnv in a
// server. Its errors are Mistakes, or that of reading the file.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	text, err := readAtMost(path, maxFile+1)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, text, env)
}

// Parse reads a configuration. The name stands in front of its mistakes, and relative paths are relative to the folder
// of that name. It reads no file but those of ${file:PATH}. Its errors are Mistakes.
func Parse(name string, text []byte, env func(string) (string, bool)) (*Config, error) {
	return parse(name, text, env, readRegular)
}

func parse(name string, text []byte, env func(string) (string, bool), read func(string) ([]byte, error)) (*Config, error) {
	p := &parser{
		file: name, env: env, read: read, bad: map[string]bool{},
		config: &Config{source: source{file: name, line: map[string]int{}}},
	}
	p.setDefaults(scope{table, ""})
	if top := p.document(text); top != nil {
		p.section(scope{table, ""}, "", top)
		p.demand(scope{table, ""}, 0)
		p.complete()
		p.compare()
	}
	if err := p.mistakes.asError(); err != nil {
		return nil, err
	}
	return p.config, nil
}

// setDefaults reads the defaults from the table, as if they stood in the file.
func (p *parser) setDefaults(in scope) {
	for _, r := range in.rows {
		if r.value == "" {
			continue
		}
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(r.value), &n); err != nil {
			panic(err) // a default of ours
		}
		r.read(p, r, n.Content[0])
	}
}

// document returns the mapping that the file is, or nil after noting why there is none.
func (p *parser) document(text []byte) *yaml.Node {
	if len(text) > maxFile {
		p.blame(0, "", fmt.Sprintf("longer than %d bytes", maxFile), "write the configuration alone")
		return nil
	}
	if line := firstUnreadable(text); line > 0 {
		p.blame(line, "", "not UTF-8 text, or a control character", "save the file as UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		p.blameEmpty()
		return nil
	case err != nil:
		p.blameSyntax(err, 1+bytes.Count(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")))
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		p.blame(second.Line, "", "more than one document", "remove the line --- or ... and what does not belong to the configuration")
		return nil
	}
	return p.top(first.Content[0])
}

// top returns the node of the whole document if it is a mapping.
func (p *parser) top(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		p.blameEmpty()
		return nil
	}
	if !p.is(yaml.MappingNode, "", n, "a section", "write KEY: VALUE lines, such as listen: 127.0.0.1:8440") {
		return nil
	}
	return n
}

func (p *parser) blameEmpty() {
	p.blame(0, "", "empty", "`idpool init` writes a configuration, `idpool config defaults` shows all keys")
}

// firstUnreadable returns the first line that has a byte outside UTF-8, or a control character; 0 if there is none.
func firstUnreadable(text []byte) int {
	line := 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return line
		}
		i += size
	}
	return 0
}

// scope are the rows among which a key is looked for. In a named entry their keys begin after base.
type scope struct {
	rows []row
	base string // with its dot
}

// find returns the row of a key, with its whole key.
func (s scope) find(key string) (row, bool) {
	i := slices.IndexFunc(s.rows, func(r row) bool { return s.base+r.key == key })
	if i < 0 {
		return row{}, false
	}
	r := s.rows[i]
	r.key = key
	return r, true
}

// section reads the keys of a mapping. The prefix is the section with a dot, or empty at the top.
func (p *parser) section(in scope, prefix string, n *yaml.Node) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !p.name(prefix, name) {
			continue
		}
		key := prefix + name.Value
		if line, repeated := first[key]; repeated {
			p.blame(name.Line, key, fmt.Sprintf("repeated, it stands on line %d already", line), "keep one of them")
			continue
		}
		first[key] = name.Line
		p.entry(in, prefix, key, name, value)
	}
}

// keyName is what a key looks like, known or not. Others are not repeated in messages: a line without its colon can make
// a key of a value.
var keyName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// name reports whether a key can be one.
func (p *parser) name(prefix string, n *yaml.Node) bool {
	section := strings.TrimSuffix(prefix, ".")
	switch {
	case !p.plain(section, n):
		return false
	case n.Tag == "!!merge":
		p.blame(n.Line, section, "merge keys (<<) are not supported", "write the keys out")
		return false
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str" || !keyName.MatchString(n.Value):
		p.blame(n.Line, section, "a key that is not a name", "write KEY: VALUE, such as listen: 127.0.0.1:8440")
		return false
	}
	return true
}

// entry reads one key with its value.
func (p *parser) entry(in scope, prefix, key string, name, value *yaml.Node) {
	r, known := in.find(key)
	if !known || strings.Contains(name.Value, ".") {
		p.blame(name.Line, key, "unknown key", suggestion(in, prefix, name.Value))
		return
	}
	p.config.source.line[key] = name.Line
	if r.entries != nil {
		p.list(r, value)
		return
	}
	switch {
	case r.read != nil:
		r.read(p, r, value)
	case !p.is(yaml.MappingNode, key, value, "a section", "write its keys on the lines below, indented"):
	case r.each != nil:
		p.entries(r, value)
	default:
		p.section(in, key+".", value)
	}
}

// entryName is what a named entry may be called: it is part of a URL.
var entryName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// entries reads the entries of a section that are named by whoever writes them.
func (p *parser) entries(r row, n *yaml.Node) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !p.name(r.key+".", name) {
			continue
		}
		key := r.key + "." + name.Value
		switch line, repeated := first[key]; {
		case repeated:
			p.blame(name.Line, key, fmt.Sprintf("repeated, it stands on line %d already", line), "keep one of them")
			continue
		case !entryName.MatchString(name.Value):
			p.blame(name.Line, r.key, "a name that cannot be one", "begin with a letter, and use a-z, 0-9 and -, up to 32 of them")
			continue
		case !p.is(yaml.MappingNode, key, value, "a section", "write its keys on the lines below, indented"):
			continue
		}
		first[key] = name.Line
		p.config.source.line[key] = name.Line
		p.config.Authorities = append(p.config.Authorities, Authority{Name: name.Value})
		inside := scope{r.each, key + "."}
		p.setDefaults(inside)
		p.section(inside, key+".", value)
		p.demand(inside, name.Line)
	}
}

// suggestion says what was probably meant by an unknown key.
func suggestion(in scope, prefix, name string) string {
	var here []string
	elsewhere := ""
	for _, r := range in.rows {
		section, last := r.split()
		switch {
		case in.base+section == prefix:
			here = append(here, last)
		case r.key == name:
			return "write " + last + " inside " + strings.TrimSuffix(section, ".")
		case last == name:
			elsewhere = r.key
		}
	}
	if best := nearest(name, here); best != "" {
		return "did you mean " + prefix + best + "?"
	}
	if elsewhere != "" {
		return "did you mean " + elsewhere + "?"
	}
	return "the keys here are " + strings.Join(here, ", ")
}

// demand notes the required keys that are not there, at a line, 0 for none.
func (p *parser) demand(in scope, line int) {
	for _, r := range in.rows {
		if r.required && p.config.source.line[in.base+r.key] == 0 {
			p.blame(line, in.base+r.key, "required, and not there", "write "+r.key+": "+r.example)
		}
	}
}
