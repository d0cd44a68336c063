package main

import (
	"strings"
	"testing"
)

func TestField(t *testing.T) {
	json := []byte(`{"Credentials":{"AccessKeyId":"ASIA1","SecretKey":"s"},"IdentityId":"us-east-1:1"}`)
	xml := []byte(`<Credentials><AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>t</SecretAccessKey></Credentials>`)
	for _, c := range []struct {
		text []byte
		name string
		want string
	}{
		{json, "AccessKeyId", "ASIA1"}, {json, "IdentityId", "us-east-1:1"}, {json, "Key", ""}, {xml, "AccessKeyId", "ASIA2"}, {xml, "IdentityId", ""},
	} {
		if got := field(c.text, c.name); got != c.want {
			t.Errorf("%s of %s: got %q, want %q", c.name, c.text, got, c.want)
		}
	}
	if got := credentialsOf(json); got.AccessKeyID != "ASIA1" || got.Secret != "s" {
		t.Errorf("got %v", got)
	}
	if got := credentialsOf(xml); got.AccessKeyID != "ASIA2" || got.Secret != "t" {
		t.Errorf("got %v", got)
	}
}

// TestCheckers: answers that are wrong are found out. The second of each is what the first must not follow.
func TestCheckers(t *testing.T) {
	p, err := startProvider(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	token, err := p.token("ES256", subject(7))
	if err != nil {
		t.Fatal(err)
	}
	const key = `{"Credentials":{"AccessKeyId":"ASIA0000000000000000"},"IdentityId":"A"}`
	id := `{"IdentityId":"` + identityID(7) + `"}`
	for name, c := range map[string]struct {
		check           checker
		request, answer string
		want            string // in the error
	}{
		"no key":                 {vended("r"), `{"IdentityId":"A"}`, `{"IdentityId":"A"}`, "access key id that is none"},
		"a key that came before": {vended("r"), `{"IdentityId":"A"}`, strings.Replace(key, "ASIA00", "ASIA99", 1), "was there before"},
		"for somebody else":      {vended("r"), `{"IdentityId":"B"}`, key, `want "B"`},
		"another role":           {callers, "", `<Arn>arn:aws:sts::1:assumed-role/other/x</Arn>`, "want a session of dev-authenticated"},
		"another identity":       {known, `{"Logins":{"` + p.key + `":"` + token + `"}}`, `{"IdentityId":"` + identityID(8) + `"}`, "GetId answered"},
		"no token in a request":  {known, `{}`, id, "not a token"},
		"a known newcomer":       {newcomers, "", id, "was there before"},
		"no newcomer":            {newcomers, "", `{}`, "was there before"},
		"a token for another":    {minted, id, id[:len(id)-1] + `,"Token":"` + token + `"}`, "a token for"},
		"no token":               {minted, id, id, "not a token"},
	} {
		s := &site{rig: &rig{provider: p, keys: map[string]bool{"ASIA9900000000000000": true, identityID(7): true}, twice: coincidences}}
		err := c.check(s, [][]byte{[]byte(c.request)}, [][]byte{[]byte(c.answer)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	s := &site{rig: &rig{provider: p, keys: map[string]bool{}}}
	if err := known(s, [][]byte{[]byte(`{"Logins":{"` + p.key + `":"` + token + `"}}`)}, [][]byte{[]byte(id)}); err != nil {
		t.Errorf("the right identity: got %v", err)
	}
	if err := newcomers(s, nil, [][]byte{[]byte(id)}); err != nil || !s.rig.keys[identityID(7)] {
		t.Errorf("a newcomer: got %v", err)
	}
}

// TestUnlikeBefore: a few ids may come again by chance, and no more.
func TestUnlikeBefore(t *testing.T) {
	r := &rig{keys: map[string]bool{}}
	for n := range 1 + coincidences {
		if !r.unlikeBefore("ASIA0000000000000000") {
			t.Errorf("time %d: refused", n+1)
		}
	}
	if r.unlikeBefore("ASIA0000000000000000") {
		t.Error("one coincidence too many: taken")
	}
}

// TestRows: every row has a name of its own, and all but that of the floor program itself look at their answers.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.name] || r.conns == 0 || r.floor == "" || (r.make == nil || r.check == nil) && r.name != "echo" {
			t.Errorf("%+v", r)
		}
		seen[r.name] = true
	}
}

func TestSections(t *testing.T) {
	got := sections(settings{"a.b": "1", "c": "[2]"}, settings{"a.d": "3"})
	for _, want := range []string{"a:\n  b: 1\n  d: 3\n", "c: [2]\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
