package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), "from a file\r\n")
	write(t, filepath.Join(dir, "lines"), "a\n\n")
	write(t, filepath.Join(dir, "empty"), "\n")
	write(t, filepath.Join(dir, "long"), strings.Repeat("x", maxExpansion+1))
	p := &parser{
		file: filepath.Join(dir, "idpool.yaml"), read: readRegular,
		env: environ(map[string]string{"A": "a", "NESTED": "${env:A} $${", "YAML": "x: [1]\n", "EMPTY": ""}),
	}
	for _, c := range []struct {
		in, want string
		expanded bool
		problem  string
	}{
		{in: "", want: ""},
		{in: "plain $ $$ { } $A", want: "plain $ $$ { } $A"},
		{in: "${env:A}", want: "a", expanded: true},
		{in: "x${env:A}-${env:A}y", want: "xa-ay", expanded: true},
		{in: "$${env:A}", want: "${env:A}"},
		{in: "$$${env:A}", want: "$${env:A}"},
		{in: "$${${env:A}}", want: "${a}", expanded: true},
		{in: "${env:NESTED}", want: "${env:A} $${", expanded: true},
		{in: "${env:YAML}", want: "x: [1]\n", expanded: true},
		{in: "${file:secret}", want: "from a file", expanded: true},
		{in: "${file:" + dir + "/secret}", want: "from a file", expanded: true},
		{in: "${file:lines}", want: "a\n", expanded: true},
		{in: "${env:B}", problem: "the environment variable B is not set, or is empty"},
		{in: "${env:EMPTY}", problem: "the environment variable EMPTY is not set, or is empty"},
		{in: "${file:empty}", problem: `the file "empty" is empty`},
		{in: "${file:none}", problem: `the file "none" cannot be read: no such file or directory`},
		{in: "${file:long}", problem: `the file "long" is longer than 65536 bytes`},
		{in: "${file:.}", problem: `the file "." cannot be read: not a regular file`},
		{in: "${env:A", problem: "${ without }"},
		{in: "${ENV:A}", problem: "unknown expansion"},
		{in: "${env: A}", problem: "unknown expansion"},
		{in: "${}", problem: "unknown expansion"},
	} {
		got, expanded, wrong := p.expand(c.in)
		if c.problem != "" {
			if len(wrong) != 1 || wrong[0].problem != c.problem || wrong[0].hint == "" {
				t.Errorf("expand %q: got %q and %v, want %q and a hint", c.in, got, wrong, c.problem)
			}
			continue
		}
		if got != c.want || expanded != c.expanded || wrong != nil {
			t.Errorf("expand %q: got %q, %v, %v, want %q, %v", c.in, got, expanded, wrong, c.want, c.expanded)
		}
	}
}

func TestExpansionsInEveryKindOfValue(t *testing.T) {
	env := environ(map[string]string{
		"PORT": "9", "NET": "10.0.0.0/8", "STREAMS": "7", "TIME": "9s", "ACCOUNT": "012345678901", "FLOW": "deny",
		"PASSWORD": "hunter2",
	})
	c, err := Parse("idpool.yaml", []byte(`
listen: 127.0.0.1:${env:PORT}
trusted_proxies: ["${env:NET}"]
public_url: https://id.example.com
account_id: ${env:ACCOUNT}
store: postgres://idpool:${env:PASSWORD}@db/idpool
key_file: key
limits:
  streams: ${env:STREAMS}
  read_timeout: ${env:TIME}
classic_flow_when_unset: ${env:FLOW}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:9" || len(c.TrustedProxies) != 1 || c.AccountID != "012345678901" || c.Limits.Streams != 7 ||
		c.Limits.ReadTimeout.Seconds() != 9 || c.ClassicWhenUnset {
		t.Errorf("got %+v", c)
	}
	if got, want := c.Store.Reveal(), "postgres://idpool:hunter2@db/idpool"; got != want {
		t.Errorf("got the store %q, want %q", got, want)
	}
}

// What an expansion brings in is a value, whatever it looks like.
func TestExpansionsAreNotYAML(t *testing.T) {
	env := environ(map[string]string{"X": "a, b]\nregion: eu-west-1\nx: [", "Y": "[a, b]", "Z": "5 # five"})
	for _, text := range []string{"fetch: {ca_files: [\"${env:X}\"]}\n", "fetch:\n  ca_files: ${env:Y}\n", "limits:\n  streams: ${env:Z}\n", "data: ${env:X}\n"} {
		if c, err := Parse("f", []byte(with(text)), env); err == nil {
			t.Errorf("got %+v for %q, want a mistake", c, text)
		}
	}
	c, err := Parse("f", []byte(with("fetch: {ca_files: [\"${env:Y}\"]}\n")), env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Fetch.CAFiles, "[a, b]"; len(got) != 1 || got[0] != want {
		t.Errorf("got the files %q, want one named %q", got, want)
	}
}

// A value that is wrong is not repeated: it may be a secret in the wrong place, or one that came from a file.
func TestMessagesHoldNoValues(t *testing.T) {
	const secret = "hunter2 \x00 :"
	env := environ(map[string]string{"SECRET": secret})
	tried := 0
	for _, r := range slices.Concat(table, authorityKeys) {
		if r.read == nil {
			continue
		}
		for _, text := range []string{"${env:SECRET}", secret, "postgres://u:" + secret + "@h/d", "[hunter2"} {
			for _, n := range []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: 1}} {
				p := &parser{file: "f", env: env, read: readRegular, config: &Config{Issuers: []Issuer{{}}}, bad: map[string]bool{}}
				r.read(p, r, n)
				r.read(p, r, &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{n}, Line: 1})
				err := p.mistakes.asError()
				if err == nil || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s: got %v, want mistakes without the value", r.key, err)
				}
				tried++
			}
		}
	}
	if tried < 100 {
		t.Errorf("got %d values tried, want more than 100", tried)
	}
}
