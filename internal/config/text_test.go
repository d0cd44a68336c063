package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostileInit has values that YAML would read otherwise if they were not quoted.
var hostileInit = Init{
	PublicURL: "https://id.example.com", AccountID: "012345678901", Store: "sqlite:a: b #c.db", KeyFile: `true`,
	DataDir: "/srv/\"x\" \\ é: #1",
}

func TestDefaultsParse(t *testing.T) {
	want := defaults()
	want.KeyFile = "/etc/idpool/key"
	if diff := cmp.Diff(mustParse(t, Defaults()), want, same); diff != "" {
		t.Error(diff)
	}
}

// Every key is in the text once, live or in a comment, under a comment that says what it is for.
func TestDefaultsHaveEveryKey(t *testing.T) {
	text := Defaults()
	for _, r := range table {
		section, name := r.split()
		indent := ""
		if section != "" {
			indent = "  "
		}
		line := regexp.MustCompile(`(?m)^` + indent + `# .+\n` + indent + `#?` + r.item + name + `:( |$)`)
		if got := len(line.FindAllString(text, -1)); got != 1 {
			t.Errorf("%s: got %d lines %s, want 1", r.key, got, line)
		}
		if r.doc == "" || (r.read != nil && r.value == "" && r.example == "") {
			t.Errorf("%s: no comment, or neither default nor example", r.key)
		}
	}
	for _, r := range authorityKeys {
		line := regexp.MustCompile(`(?m)^    # .+\n    #` + r.key + `: .`)
		if got := len(line.FindAllString(text, -1)); got != 1 {
			t.Errorf("%s: got %d lines %s, want 1", r.key, got, line)
		}
		if r.doc == "" || r.value == "" && r.example == "" {
			t.Errorf("%s: no comment, or neither default nor example", r.key)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 130 {
			t.Errorf("got a line of %d bytes: %s", len(line), line)
		}
	}
}

// A key in a comment is one # away from being set, and its example is right.
func TestCommentedKeysParse(t *testing.T) {
	live := regexp.MustCompile(`(?m)^( *)#(  |- )?([a-z_]+:)`).ReplaceAllString
	for name, text := range map[string]string{"defaults": Defaults(), "initial": Initial(validInit)} {
		text = live(text, "$1$2$3")
		text = regexp.MustCompile(`(?m)^ +ca_files: \[/etc/idpool/login-ca.pem\]$`).ReplaceAllString(text, "") // which jwks_file excludes
		c := mustParse(t, text)
		if c.TLS.Certificate != "/etc/idpool/tls.crt" || c.Metrics != "127.0.0.1:9440" || c.Limits.BodyBytes != 524288 ||
			len(c.Issuers) != 1 || c.Issuers[0].JWKSFile != "/etc/idpool/login-keys.json" || !c.Issuers[0].AZPReplacesAudience ||
			len(c.Authorities) != 1 || c.Authorities[0].Audience != "idpool" {
			t.Errorf("%s: got %+v, want the examples", name, c)
		}
	}
	for _, r := range table {
		if r.read == nil || r.example == "" {
			continue
		}
		section, last := r.split()
		text := last + ": " + r.example + "\n"
		if section == "tls." {
			text = "tls: {certificate: a, key: b, " + strings.TrimSpace(text) + "}\n"
			text = strings.Replace(text, last+": "+map[string]string{"certificate": "a", "key": "b"}[last]+", ", "", 1)
		} else if r.item != "" {
			text = "issuers:\n- " + strings.TrimSpace(text) + "\n"
			if last != "url" {
				text += "  url: https://login.example.com\n"
			}
		} else if section != "" {
			text = strings.TrimSuffix(section, ".") + ":\n  " + text
		}
		mustParse(t, with(text))
	}
}

var validInit = Init{
	PublicURL: "https://id.example.com", AccountID: "012345678901", Store: "sqlite:idpool.db", KeyFile: "/etc/idpool/key",
	DataDir: "/var/lib/idpool",
}

func TestInitialParses(t *testing.T) {
	want := defaults()
	want.AccountID, want.KeyFile, want.Data, want.ClassicWhenUnset = "012345678901", "/etc/idpool/key", "/var/lib/idpool", false
	want.Store = NewStoreURL("sqlite:/var/lib/idpool/idpool.db")
	if diff := cmp.Diff(mustParse(t, Initial(validInit)), want, same); diff != "" {
		t.Error(diff)
	}
}

func TestInitialWritesEveryField(t *testing.T) {
	got := mustParse(t, Initial(Init{
		Listen: "[::]:443", Certificate: "/c", Key: "/k", TrustedProxies: []string{"10.0.0.0/8", "::1"},
		PublicURL: "https://x.example", Region: "eu-west-1", AccountID: "000000000001", DataDir: "/d",
		Store: "postgres://u:p@h/d", KeyFile: "/kek", ClassicFlow: "allow",
	}))
	want := mustParse(t, `
listen: "[::]:443"
tls: {certificate: /c, key: /k}
trusted_proxies: [10.0.0.0/8, "::1"]
public_url: https://x.example
region: eu-west-1
account_id: "000000000001"
data: /d
store: postgres://u:p@h/d
key_file: /kek
classic_flow_when_unset: allow
`)
	if diff := cmp.Diff(got, want, same); diff != "" {
		t.Error(diff)
	}
}

func TestInitialQuotes(t *testing.T) {
	for _, path := range []string{
		"true", "null", "~x", "5", "0x10", "2026-01-02", "a: b", "a #b", "#a", "- a", "[a]", "{a}", "&a", "*a", "!a", "|", ">", "%a",
		"@a", "`a`", "'a'", `"a"`, `a\b`, "é", "a,b", "---", "...", "a:", "<<", "?", "? a", "=", "$a", "$${x}",
	} {
		i := hostileInit
		i.KeyFile = "/x/" + path
		i.TrustedProxies = []string{"10.0.0.1"}
		c := mustParse(t, Initial(i))
		if got, want := c.KeyFile, strings.ReplaceAll(i.KeyFile, "$$", "$"); got != want {
			t.Errorf("got the key file %q, want %q", got, want)
		}
		if got, want := c.Data, hostileInit.DataDir; got != want {
			t.Errorf("got the folder %q, want %q", got, want)
		}
		i.KeyFile = path
		if got, want := mustParse(t, Initial(i)).KeyFile, strings.ReplaceAll(path, "$$", "$"); got != want {
			t.Errorf("got the key file %q, want %q", got, want)
		}
	}
}

// A value of Init stays the value of its key, whatever it holds.
func TestInitialIsNotInjected(t *testing.T) {
	i := validInit
	i.Region = "us-east-1\nlisten: 0.0.0.0:80"
	i.TrustedProxies = []string{"10.0.0.1]\nlisten: 0.0.0.0:80 #"}
	_, err := Parse("f", []byte(Initial(i)), noEnv)
	if err == nil || !strings.Contains(err.Error(), "region: has a line break") || !strings.Contains(err.Error(), "trusted_proxies: entry 1:") {
		t.Errorf("got %v, want the region and the proxy refused", err)
	}
}

func TestInitialText(t *testing.T) {
	text := Initial(validInit)
	for _, want := range []string{
		"\n#listen: 127.0.0.1:8440\n", "\n#tls:\n", "\n  #certificate: /etc/idpool/tls.crt\n", "\npublic_url: https://id.example.com\n",
		"\naccount_id: \"012345678901\"\n", "\nclassic_flow_when_unset: deny\n", "\n#limits:\n", "\n  #streams: 100\n",
		"\n# Example: [10.0.0.0/8, 192.0.2.7]\n#trusted_proxies: []\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
}
