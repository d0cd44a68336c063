package config

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse looks for text that makes Parse panic, and for what a Config or a message must never be. Files are not read:
// a fuzzer would find those of its own process.
func FuzzParse(f *testing.F) {
	f.Add(Defaults())
	f.Add(Initial(hostileInit))
	for _, c := range mistakes {
		f.Add(c.text)
	}
	env := func(name string) (string, bool) { return "5s", name == "SET" }
	read := func(path string) ([]byte, error) {
		if strings.Contains(path, "no") {
			return nil, errors.New("no such file")
		}
		return []byte("127.0.0.1:1\n"), nil
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("f.yaml", []byte(text), env, read)
		if err == nil {
			judgeConfig(t, c)
			return
		}
		found, ok := errors.AsType[Mistakes](err)
		if !ok || len(found) == 0 || c != nil {
			t.Fatalf("got %v and %#v, want Mistakes and no Config", c, err)
		}
		for _, m := range found {
			if m.Problem == "" || m.Hint == "" || m.File != "f.yaml" || strings.ContainsAny(m.String(), "\n\x00") {
				t.Errorf("got the mistake %#v, want a problem and a hint on one line", m)
			}
			if m.Line < 0 || m.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+3*strings.Count(text, "\u0085")+1 {
				t.Errorf("got line %d in %q", m.Line, text)
			}
		}
	})
}

// judgeConfig checks what holds for every Config.
func judgeConfig(t *testing.T, c *Config) {
	t.Helper()
	if c.Listen == "" || c.PublicURL == "" || c.Issuer == "" || c.Region == "" || len(c.AccountID) != 12 || c.KeyFile == "" ||
		c.Store.Reveal() == "" || c.Data == "" || c.Log.Events == "" {
		t.Errorf("got a Config with something missing: %+v", c)
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		t.Errorf("got half of TLS: %+v", c.TLS)
	}
	l := c.Limits
	if l.BodyBytes <= 0 || l.HeaderBytes <= 0 || l.Connections <= 0 || l.ConnectionsPerClient <= 0 || l.Streams <= 0 ||
		l.Verifications < 0 || l.HeaderTimeout <= 0 || l.ReadTimeout <= 0 || l.RequestTimeout <= 0 || l.IdleTimeout <= 0 ||
		l.ShutdownTimeout <= 0 || c.Fetch.Timeout <= 0 {
		t.Errorf("got a Config without a limit: %+v", c)
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() <= 0 {
			t.Errorf("got the trusted proxies %v", c.TrustedProxies)
		}
	}
}
