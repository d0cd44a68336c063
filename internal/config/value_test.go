package config

import (
	"strings"
	"testing"
)

// Values that are right, some of them only just. Wrong ones are in mistakes.
func TestRightValues(t *testing.T) {
	for _, text := range []string{
		"listen: 127.0.0.2:0\n", "listen: \"[::1]:8440\"\n", "listen: localhost:1\n", "listen: \"[::ffff:127.0.0.1]:1\"\n",
		"listen: :8440\ntrusted_proxies: [10.0.0.1]\n", "listen: 0.0.0.0:65535\ntls: {certificate: a, key: b}\n",
		"listen: \"[fe80::1%eth0]:1\"\ntls: {certificate: a, key: b}\n",
		"metrics: 127.0.0.1:9440\n", "metrics: 127.0.0.2:8440\n", "metrics: :9440\n",
		"listen: 127.0.0.1:0\nmetrics: 127.0.0.1:0\n",
		"trusted_proxies: []\n", "trusted_proxies:\n- 0.0.0.0/1\n- 128.0.0.0/1\n- ::1\n",
		"public_url: http://localhost:8440\n", "public_url: http://127.0.0.1:8440\n", "public_url: http://[::1]:8440\n",
		"public_url: https://192.0.2.7\n", "public_url: https://[2001:db8::1]:8443\n", "public_url: https://localhost\n",
		"public_url: https://xn--bcher-kva.example\n", "public_url: https://id\n", "public_url: https://a-b.c1.d2e\n",
		"public_url: http://localhost:8440\nissuer: http://localhost:8440/x\n", "public_url: http://localhost:1\nissuer: https://x.example\n",
		"public_url: https://" + strings.Repeat("abcdefgh.", 27) + "com\n",
		"issuer: https://id.example.com/idp/eu-1/x_y~z.1\n",
		"region: us-gov-west-1\n", "region: cn-north-1\n", "region: ap-southeast-2\n", "region: xx-abcdefghijklm-1\n",
		"account_id: \"000000000000\"\n", "account_id: '123456789012'\n",
		"limits: {body_bytes: 4096, streams: 10000, verifications: 4096}\n", "limits: {}\n",
		"limits: {idle_timeout: 1h, read_timeout: 0.1s, request_timeout: 9m59.5s}\n", "fetch: {timeout: 1m}\n",
		"log: {events: stdout}\n", "log: {events: ./x}\n", "log: {events: /dev/null}\n",
		"data: ./~\n", "data: /~/x\n", "data: \"true\"\n", "data: 'a b'\n",
		"# a comment\n\n", "\ufeff# a byte order mark\n", "region: >-\n  us-east-1\n", "\"region\": 'us-east-1'\n", "...\n",
	} {
		if text == "...\n" {
			text = required + text
		}
		mustParse(t, with(text))
		mustParse(t, strings.ReplaceAll(with(text), "\n", "\r\n"))
	}
}

func TestAddressesThatAreOneMachinesOwn(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.254": true, "::1": true, "::ffff:127.0.0.1": true, "localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "128.0.0.1": false, "LOCALHOST": false,
		"localhost.example.com": false, "::ffff:10.0.0.1": false, "127.0.0.1.example.com": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("loopback %q: got %v, want %v", host, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range [][2]string{{"100ms", "100ms"}, {"60s", "1m"}, {"600s", "10m"}, {"1h", "1h"}, {"90m", "1h30m"}, {"65s", "1m5s"}, {"10s", "10s"}} {
		d, wrong := durationUpTo(1 << 60)(c[0])
		if wrong != nil {
			t.Fatal(wrong.problem)
		}
		if got := short(d); got != c[1] {
			t.Errorf("short %s: got %q, want %q", c[0], got, c[1])
		}
	}
}
