package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const maxExpansion = 64 << 10 // bytes of a file that ${file:} brings in

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${env:NAME} and ${file:PATH} in a value, and $${ by ${. What they bring in is not looked at again. It
// returns all that is wrong, and whether there was anything to replace.
func (p *parser) expand(s string) (out string, expanded bool, wrong []complaint) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			b.WriteString(s)
			return b.String(), expanded, wrong
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			b.WriteString(literal + "${")
			s = rest
			continue
		}
		b.WriteString(before)
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", true, append(wrong, complaint{"${ without }", "write $${ for the characters ${"})
		}
		text, c := p.resolve(inside)
		if c != nil {
			wrong = append(wrong, *c)
		}
		b.WriteString(text)
		s, expanded = after, true
	}
}

// resolve returns what stands for the inside of ${…}.
func (p *parser) resolve(inside string) (string, *complaint) {
	kind, name, _ := strings.Cut(inside, ":")
	switch {
	case kind == "env" && envName.MatchString(name):
		return p.environment(name)
	case kind == "file" && name != "":
		return p.secretFile(name)
	}
	return "", &complaint{"unknown expansion", "write ${env:NAME} or ${file:PATH}, or $${ for the characters ${"}
}

func (p *parser) environment(name string) (string, *complaint) {
	value, set := p.env(name)
	if !set || value == "" {
		return "", &complaint{"the environment variable " + name + " is not set, or is empty", "set it where idpool is started"}
	}
	return value, nil
}

// secretFile returns the text of a file without the end of its last line.
func (p *parser) secretFile(path string) (string, *complaint) {
	text, err := p.read(p.join(path))
	switch {
	case err != nil:
		return "", &complaint{fmt.Sprintf("the file %q cannot be read: %v", path, err), "name a file that idpool may read"}
	case len(text) > maxExpansion:
		return "", &complaint{fmt.Sprintf("the file %q is longer than %d bytes", path, maxExpansion), "name a file that holds the value alone"}
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if value == "" {
		return "", &complaint{fmt.Sprintf("the file %q is empty", path), "write the value into it"}
	}
	return value, nil
}

// readRegular returns a file's text, one byte more than maxExpansion at most. It opens regular files only: a pipe could
// keep the start waiting for ever. Its errors do not repeat the path.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	text, err := readAtMost(path, maxExpansion+1)
	return text, cause(err)
}

func readAtMost(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// cause is an error without the operation and the path, which its message has anyway.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// join returns a path relative to the folder of the configuration.
func (p *parser) join(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(filepath.Dir(p.file), path)
}
