package config

import (
	"cmp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const head = `# The configuration of idpool. An unknown key is an error.
#
# Text may hold ${env:NAME}, a variable of the environment, and ${file:PATH}, the text of a file; $${ stands for ${.
# Relative paths begin at the folder of this file. Durations are written 500ms, 15s or 10m.
`

// Defaults returns a configuration of all keys, each with its comment: those with a default have it, those that are
// required have an example, and the rest stand in comments with one. Parse accepts it.
func Defaults() string {
	return render(head, func(r row) (string, bool) {
		if r.required {
			return r.example, true
		}
		return cmp.Or(r.value, r.example), r.value != ""
	})
}

// Init is what `idpool init` knows. Texts stand for the keys of the same name and are written as they are, so they may
// hold ${env:NAME} and ${file:PATH}; empty ones are left to the defaults.
type Init struct {
	Listen         string
	Certificate    string   // tls.certificate
	Key            string   // tls.key
	TrustedProxies []string // ranges or addresses
	PublicURL      string   // required
	Region         string
	AccountID      string // required
	DataDir        string // data
	Store          string // required
	KeyFile        string // required
	ClassicFlow    string // classic_flow_when_unset; empty means deny here
}

// Initial returns the configuration that `idpool init` writes: what it knows, and all other keys in comments. Nothing is
// judged; Parse accepts the text if the values are right.
func Initial(i Init) string {
	values := map[string]string{
		"listen": i.Listen, "tls.certificate": i.Certificate, "tls.key": i.Key, "public_url": i.PublicURL,
		"region": i.Region, "account_id": i.AccountID, "data": i.DataDir, "store": i.Store, "key_file": i.KeyFile,
		"classic_flow_when_unset": cmp.Or(i.ClassicFlow, "deny"),
	}
	for key, value := range values {
		if value == "" {
			delete(values, key)
			continue
		}
		values[key] = scalar(value)
	}
	if len(i.TrustedProxies) > 0 {
		values["trusted_proxies"] = flow(i.TrustedProxies)
	}
	return render(head, func(r row) (string, bool) {
		if value, known := values[r.key]; known {
			return value, true
		}
		return cmp.Or(r.value, r.example), false
	})
}

// render returns the text of a configuration. value says what a key's value is, and whether it stands in a comment only. A
// section stands in a comment if all of its keys do.
func render(head string, value func(row) (text string, live bool)) string {
	var b strings.Builder
	b.WriteString(head)
	for i, r := range table {
		text, live := value(r)
		if r.read == nil && r.each != nil {
			text, live = "", false
		} else if r.read == nil {
			text, live = "", anyLive(table[i+1:], r.key+".", value)
		}
		if !strings.Contains(r.key, ".") {
			b.WriteString("\n")
		}
		r.write(&b, text, live)
		r.writeEach(&b)
	}
	return b.String()
}

// writeEach writes the keys of a section of named entries, in a comment and under the name that is its example.
func (r row) writeEach(b *strings.Builder) {
	if r.each == nil {
		return
	}
	b.WriteString("  #" + r.example + ":\n")
	for _, inside := range r.each {
		inside.key = r.key + "." + r.example + "." + inside.key
		inside.write(b, cmp.Or(inside.value, inside.example), false)
	}
}

// write writes the comment of a key, and the key with a value, in a comment as well unless it is live.
func (r row) write(b *strings.Builder, text string, live bool) {
	section, name := r.split()
	indent := strings.Repeat("  ", strings.Count(section, "."))
	doc := r.doc
	if r.value != "" && r.example != "" {
		doc += "\nExample: " + r.example
	}
	for line := range strings.SplitSeq(doc, "\n") {
		b.WriteString(indent + "# " + line + "\n")
	}
	if !live {
		indent += "#"
	}
	b.WriteString(strings.TrimSuffix(indent+r.item+name+": "+text, " ") + "\n")
}

func anyLive(rows []row, section string, value func(row) (string, bool)) bool {
	for _, r := range rows {
		if s, _ := r.split(); s != section {
			return false
		}
		if _, live := value(r); live {
			return true
		}
	}
	return false
}

// scalar returns a text as YAML: as it is where YAML reads it back so, else in quotes.
func scalar(s string) string {
	var n yaml.Node
	if yaml.Unmarshal([]byte(s), &n) == nil && len(n.Content) == 1 {
		c := n.Content[0]
		if c.Kind == yaml.ScalarNode && c.Style == 0 && c.Tag == "!!str" && c.Value == s {
			return s
		}
	}
	return strconv.Quote(s)
}

// flow returns texts as a list on one line.
func flow(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
