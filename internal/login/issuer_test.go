package login

import (
	"strings"
	"testing"
)

func TestCheckIssuer(t *testing.T) {
	for _, issuer := range []string{
		"https://login.example.com",
		"https://login.example.com/",
		"https://login.example.com/tenant/v2.0",
		"https://login.example.com/tenant/",
		"https://login.example.com:8443/realms/Main_1",
		"https://token.actions.githubusercontent.com",
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf",
		"https://xn--bcher-kva.example",
		"https://keycloak",
		"https://localhost",
		"https://10.1.2.3",
		"https://10.1.2.3:9000/x",
		"https://[2001:db8::1]",
		"https://[::1]:8443/x",
		"https://1password.example",
		"https://a.example/~x/a-b_c.d+e,f;g=h:i!$&'()*",
	} {
		if err := CheckIssuer(issuer, false); err != nil {
			t.Errorf("%s: got %v, want no error", issuer, err)
		}
	}
}

func TestCheckIssuerRefuses(t *testing.T) {
	for _, test := range []struct{ issuer, want string }{
		{"", "usual form|no host|https"},
		{"login.example.com", "host|https"},
		{"//login.example.com", "https"},
		{"http://login.example.com", "https"},
		{"http://127.0.0.1:8080", "https"},
		{"HTTPS://login.example.com", "usual form"},
		{"ftp://login.example.com", "https"},
		{"https:login.example.com", "usual form|host"},
		{"https://", "usual form"},
		{"https:///path", "host"},
		{"https://:8443", "host"},
		{"https://Login.example.com", "lower-case"},
		{"https://login.example.com.", "dot"},
		{"https://.example.com", "empty label"},
		{"https://a..example.com", "empty label"},
		{"https://login.example.com:443", "default port"},
		{"https://login.example.com:443/x", "default port"},
		{"https://login.example.com:", "port"},
		{"https://login.example.com:0", "port"},
		{"https://login.example.com:08443", "port"},
		{"https://login.example.com:65536", "port"},
		{"https://login.example.com:+1", "usual form|port"},
		{"https://good.example@evil.example", "character"},
		{"https://user:pass@login.example.com", "character"},
		{"https://login.example.com?x", "character"},
		{"https://login.example.com/?", "character"},
		{"https://login.example.com#x", "character"},
		{"https://login.example.com#", "character"},
		{"https://login.example.com/a%2fb", "character"},
		{"https://login.example.com/a b", "character"},
		{" https://login.example.com", "character"},
		{"https://login.example.com\n", "character"},
		{"https://login.example.com\x00", "character"},
		{`https://login.example.com\@evil.example`, "character"},
		{"https://bücher.example", "character"},
		{"https://lоgin.example", "character"}, // a Cyrillic о
		{"https://login。example", "character"},
		{"https://login_1.example.com", "lower-case"},
		{"https://*.example.com", "lower-case"},
		{"https://-a.example.com", "hyphen"},
		{"https://a-.example.com", "hyphen"},
		{"https://" + strings.Repeat("a", 64) + ".example", "63"},
		{"https://2130706433", "ends in a number"},
		{"https://127.1", "ends in a number"},
		{"https://0x7f.0.0.1", "ends in a number"},
		{"https://010.0.0.1", "ends in a number"},
		{"https://10.0.0.1.", "dot"},
		{"https://[::ffff:127.0.0.1]", "canonical"},
		{"https://[0:0:0:0:0:0:0:1]", "canonical"},
		{"https://[2001:DB8::1]", "canonical"},
		{"https://[fe80::1%25eth0]", "character"},
		{"https://[::1", "usual form"},
		{"https://::1", "usual form|empty label|port|number"},
		{"https://login.example.com/a/../b", "dot segment"},
		{"https://login.example.com/./b", "dot segment"},
		{"https://login.example.com//b", "empty or a dot"},
		{"https://login.example.com/b//", "empty or a dot"},
		{"https://login.example.com/" + strings.Repeat("a", 240), "longer than"},
	} {
		err := CheckIssuer(test.issuer, false)
		if err == nil || !anyIn(err.Error(), test.want) {
			t.Errorf("%q: got %v, want an error with %q", test.issuer, err, test.want)
		}
	}
}

func anyIn(s, parts string) bool {
	for part := range strings.SplitSeq(parts, "|") {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

func TestCheckIssuerLoopbackHTTP(t *testing.T) {
	for issuer, want := range map[string]bool{
		"http://localhost:8080":           true,
		"http://localhost":                true,
		"http://127.0.0.1:5556/dex":       true,
		"http://127.9.9.9":                true,
		"http://[::1]:8080":               true,
		"https://login.example.com":       true,
		"http://localhost:80":             false,
		"http://login.example.com":        false,
		"http://localhost.example.com":    false,
		"http://10.0.0.1":                 false,
		"http://[::ffff:127.0.0.1]":       false,
		"http://0.0.0.0":                  false,
		"http://localhost.":               false,
		"http://127.0.0.1.nip.example":    false,
		"http://localhost@evil.example/x": false,
	} {
		if got := CheckIssuer(issuer, true) == nil; got != want {
			t.Errorf("%s: got %v, want %v", issuer, got, want)
		}
	}
}
