package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const allFiles = `tls: {certificate: tls.crt, key: tls.key}
public_url: https://id.example.com
account_id: "123456789012"
data: data
store: sqlite:db/idpool.db
key_file: key
fetch: {ca_files: [a.pem, b.pem]}
issuers:
- url: https://a.example.com
  ca_files: [c.pem]
- {url: "https://b.example.com", jwks_file: b.json}
log: {events: logs/events.jsonl}
authorities: {a: {kind: aws, endpoint: "https://x.example", roles: ["arn:aws:iam:::role/x"], session_policy: d.json, guest_session_policy: c.json, ca_files: [d.pem]}}
`

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	parse := func() *Config {
		c, err := Parse(filepath.Join(dir, "idpool.yaml"), []byte(allFiles), noEnv)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const folder = "make the folder, readable by idpool alone (mkdir -m 0700), or write another"
	want := strings.ReplaceAll(`DIR/idpool.yaml:1: tls.certificate: DIR/tls.crt: no such file or directory; write the path of a file
DIR/idpool.yaml:1: tls.key: DIR/tls.key: no such file or directory; write the path of a file
DIR/idpool.yaml:4: data: DIR/data: no such file or directory; FOLDER
DIR/idpool.yaml:5: store: DIR/data/db: no such file or directory; FOLDER
DIR/idpool.yaml:6: key_file: DIR/key: no such file or directory; write the path of the key file that `+"`idpool init`"+` made
DIR/idpool.yaml:7: fetch.ca_files: DIR/a.pem: no such file or directory; write the path of a file
DIR/idpool.yaml:7: fetch.ca_files: DIR/b.pem: no such file or directory; write the path of a file
DIR/idpool.yaml:10: issuers.ca_files: DIR/c.pem: no such file or directory; write the path of a file
DIR/idpool.yaml:11: issuers.jwks_file: DIR/b.json: no such file or directory; write the path of a file
DIR/idpool.yaml:12: log.events: DIR/logs: no such file or directory; FOLDER
DIR/idpool.yaml:13: authorities.a.session_policy: DIR/d.json: no such file or directory; write the path of a file
DIR/idpool.yaml:13: authorities.a.guest_session_policy: DIR/c.json: no such file or directory; write the path of a file
DIR/idpool.yaml:13: authorities.a.ca_files: DIR/d.pem: no such file or directory; write the path of a file`, "DIR", dir)
	if err := parse().Check(); err == nil || err.Error() != strings.ReplaceAll(want, "FOLDER", folder) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}

	for _, name := range []string{"data/db", "logs"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"tls.crt", "tls.key", "key", "a.pem", "b.pem", "c.pem", "b.json", "c.json", "d.json", "d.pem"} {
		write(t, filepath.Join(dir, name), "x")
	}
	if err := parse().Check(); err != nil {
		t.Errorf("got %v with all files there, want none", err)
	}
}

func TestCheckOfTheWrongKind(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data"), "a file")
	if err := os.Mkdir(filepath.Join(dir, "key"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(filepath.Join(dir, "f"), []byte(with("data: data\n")), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Check()
	if err == nil || !strings.Contains(err.Error(), "/data: not a folder") || !strings.Contains(err.Error(), "/key: not a file") {
		t.Errorf("got %v, want that data is no folder and key no file", err)
	}
}

// A store that is no file has no folder, and events that go to a stream have none either.
func TestCheckAsksForWhatIsNamedOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "x")
	text := with("store: postgres://u@h/d\nlog: {events: stdout}\n")
	c, err := Parse(filepath.Join(dir, "f"), []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Errorf("got %v, want no mistake", err)
	}
}
