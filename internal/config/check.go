package config

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// Check asks the file system for the files and folders that the configuration names. It opens none, and leaves to
// others who may read them. Its errors are Mistakes, all that there are.
func (c *Config) Check() error {
	var found Mistakes
	for _, n := range c.names() {
		if problem := n.judge(); problem != "" {
			found = append(found, Mistake{File: c.source.file, Line: cmp.Or(n.line, c.source.line[n.key]), Key: n.key, Problem: problem, Hint: n.hint})
		}
	}
	return found.asError()
}

// named is a path that must be there.
type named struct {
	key, path string
	line      int // 0 means that of the key
	folder    bool
	hint      string
}

func (c *Config) names() []named {
	const file, folder = "write the path of a file", "make the folder, readable by idpool alone (mkdir -m 0700), or write another"
	names := []named{
		{key: "data", path: c.Data, folder: true, hint: folder},
		{key: "key_file", path: c.KeyFile, hint: "write the path of the key file that `idpool init` made"},
	}
	if c.TLS.On() {
		names = append(names, named{key: "tls.certificate", path: c.TLS.Certificate, hint: file},
			named{key: "tls.key", path: c.TLS.Key, hint: file})
	}
	for _, path := range c.Fetch.CAFiles {
		names = append(names, named{key: "fetch.ca_files", path: path, hint: file})
	}
	names = append(names, c.issuerFiles()...)
	for _, a := range c.Authorities {
		names = append(names, a.names(file)...)
	}
	if path, found := strings.CutPrefix(c.Store.Reveal(), sqliteScheme); found && filepath.Dir(path) != c.Data {
		names = append(names, named{key: "store", path: filepath.Dir(path), folder: true, hint: folder})
	}
	if c.Log.Events != Stderr && c.Log.Events != Stdout {
		names = append(names, named{key: "log.events", path: filepath.Dir(c.Log.Events), folder: true, hint: folder})
	}
	return names
}

func (a *Authority) names(hint string) []named {
	var out []named
	key := "authorities." + a.Name + "."
	for _, f := range []named{{key: key + "session_policy", path: a.SessionPolicy}, {key: key + "guest_session_policy", path: a.GuestSessionPolicy}} {
		if f.path != "" {
			f.hint = hint
			out = append(out, f)
		}
	}
	for _, path := range a.CAFiles {
		out = append(out, named{key: key + "ca_files", path: path, hint: hint})
	}
	return out
}

// judge returns what is wrong with the path, or "".
func (n named) judge() string {
	info, err := os.Stat(n.path)
	switch {
	case err != nil:
		return n.path + ": " + cause(err).Error()
	case n.folder && !info.IsDir():
		return n.path + ": not a folder"
	case !n.folder && !info.Mode().IsRegular():
		return n.path + ": not a file"
	}
	return ""
}
