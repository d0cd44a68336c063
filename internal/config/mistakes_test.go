package config

import (
	"strings"
	"testing"
)

// with is a right configuration except for the text, which comes first and replaces the required keys that it has.
func with(text string) string {
	for line := range strings.Lines(required) {
		if key, _, _ := strings.Cut(line, ":"); !strings.Contains("\n"+text, "\n"+key+":") {
			text += line
		}
	}
	return text
}

// mistakes are texts with one mistake, and the message that they get. Messages repeat no value: one may be a secret that
// stands in the wrong place.
var mistakes = []struct{ name, text, want string }{
	// The document.
	{"empty", "", "f: empty; `idpool init` writes a configuration, `idpool config defaults` shows all keys"},
	{"comments only", "# nothing\n\n# here\n", "f: empty; `idpool init` writes a configuration, `idpool config defaults` shows all keys"},
	{"document without content", "---\n", "f: empty; `idpool init` writes a configuration, `idpool config defaults` shows all keys"},
	{"null", "null\n", "f: empty; `idpool init` writes a configuration, `idpool config defaults` shows all keys"},
	{"text", "listen\n", `f:1: text where a section is expected; write KEY: VALUE lines, such as listen: 127.0.0.1:8440`},
	{"list", "- listen: x\n", `f:1: a list where a section is expected; write KEY: VALUE lines, such as listen: 127.0.0.1:8440`},
	{"number", "5\n", `f:1: a number where a section is expected; write KEY: VALUE lines, such as listen: 127.0.0.1:8440`},
	{"two documents", with("listen: ':1'\ntrusted_proxies: [10.0.0.1]\n") + "---\nlisten: x\n", `f:7: more than one document; remove the line --- or ... and what does not belong to the configuration`},
	{"an empty second document", with("") + "---\n", `f:5: more than one document; remove the line --- or ... and what does not belong to the configuration`},
	{"text after the end", with("") + "...\nhunter2 hunter2\n", `f: more than one document; remove the line --- or ... and what does not belong to the configuration`},
	{"not UTF-8", "a: 1\nb: \xff\n", `f:2: not UTF-8 text, or a control character; save the file as UTF-8`},
	{"UTF-16", "\xff\xfea\x00:\x00", `f:1: not UTF-8 text, or a control character; save the file as UTF-8`},
	{"NUL", "a: 1\n\x00", `f:2: not UTF-8 text, or a control character; save the file as UTF-8`},
	{"too long", strings.Repeat("#", maxFile+1), `f: longer than 262144 bytes; write the configuration alone`},
	{"too deep", strings.Repeat("[", 20000), `f:1: cannot be read as YAML; look at quotes and indentation here and on the line above`},

	// YAML that cannot be read.
	{"no colon", "listen: x\nhunter2\nregion: y\n", `f:2: a line without KEY: VALUE; write a colon and a space after the key`},
	{"no space after the colon", "store:hunter2\n", `f:1: text where a section is expected; write KEY: VALUE lines, such as listen: 127.0.0.1:8440`},
	{"two colons", "listen: hunter2: x\n", `f:1: a second colon in a value, or wrong indentation; indent keys alike; quote values that hold a colon and a space`},
	{"indented too far", "region: x\n  listen: y\n", `f:2: a second colon in a value, or wrong indentation; indent keys alike; quote values that hold a colon and a space`},
	{"indented by less", "limits:\n    streams: 1\n  connections: 1\n", `f:3: wrong indentation; indent all keys of a section alike`},
	{"tab", "limits:\n\tstreams: 1\n", "f:2: a tab, or a value that begins with a character of YAML's own; indent with spaces; quote values that begin with @, ` or %"},
	{"at sign", "region: x\nstore: @hunter2\n", "f:2: a tab, or a value that begins with a character of YAML's own; indent with spaces; quote values that begin with @, ` or %"},
	{"open quote", "region: \"x\nlisten: y\n", `f:2: a quote that is not closed; close it`},
	{"open list", "trusted_proxies: [10.0.0.1\nregion: x\n", `f:2: a list that is not closed, or lacks a comma; close it with ], and quote entries that hold ${`},
	{"open braces", "log: {events: stderr\nregion: x\n", `f:2: a section in braces that is not closed, or lacks a comma; close it with }, and quote values that hold ${`},
	{"braces and expansion", "log: {events: ${env:X}}\n", `f:1: a section in braces that is not closed, or lacks a comma; close it with }, and quote values that hold ${`},
	{"mixed list", "trusted_proxies:\n- 10.0.0.1\n10.0.0.2\n", `f:3: a line without KEY: VALUE; write a colon and a space after the key`},
	{"list with a key after it", "- a\nb: 1\n", `f:2: a list that is not one to its end; begin each entry with - and indent them alike`},
	{"tab after text", "region: x\n\ty: z\n", `f:2: a tab; indent with spaces`},
	{"unknown anchor", "store: *hunter2\n", `f: anchors and aliases are not supported; write the value out; quote it if it begins with & or *`},
	{"directive", "%hunter2\n", `f:1: cannot be read as YAML; look at quotes and indentation here and on the line above`},
	{"unknown escape", `region: "\q"`, `f:1: cannot be read as YAML; look at quotes and indentation here and on the line above`},

	// Parts of YAML that are not supported.
	{"anchor", with("region: &r us-east-1\n"), `f:1: region: anchors and aliases are not supported; write the value out; quote it if it begins with & or *`},
	{"anchor of a section", with("log: &l\n  events: stderr\n"), `f:1: log: anchors and aliases are not supported; write the value out; quote it if it begins with & or *`},
	{"anchor of an unknown key", with("x-common: &x {a: 1}\n"), `f:1: x-common: unknown key; the keys here are listen, tls, trusted_proxies, metrics, public_url, issuer, region, account_id, data, store, key_file, limits, fetch, issuers, classic_flow_when_unset, log`},
	{"alias", with("region: &r us-east-1\nmetrics: *r\n"), "f:1: region: anchors and aliases are not supported; write the value out; quote it if it begins with & or *\nf:2: metrics: anchors and aliases are not supported; write the value out; quote it if it begins with & or *"},
	{"alias as a key", with("region: &r us-east-1\n*r : x\n"), "f:1: region: anchors and aliases are not supported; write the value out; quote it if it begins with & or *\nf:2: anchors and aliases are not supported; write the value out; quote it if it begins with & or *"},
	{"merge key", with("<<: {region: us-east-1}\n"), `f:1: merge keys (<<) are not supported; write the keys out`},
	{"merge key in a section", with("limits:\n  <<: {streams: 1}\n"), `f:2: limits: merge keys (<<) are not supported; write the keys out`},
	{"tag", with("region: !!str us-east-1\n"), `f:1: region: tags are not supported; remove the tag; quote the value if it begins with !`},
	{"own tag", with("region: !env X\n"), `f:1: region: tags are not supported; remove the tag; quote the value if it begins with !`},
	{"tag of a list", with("trusted_proxies: !!set [10.0.0.1]\n"), `f:1: trusted_proxies: tags are not supported; remove the tag; quote the value if it begins with !`},
	{"binary", with("region: !!binary dXMtZWFzdC0x\n"), `f:1: region: tags are not supported; remove the tag; quote the value if it begins with !`},

	// Keys.
	{"unknown key", with("trusted_proxy: 10.0.0.0/8\n"), `f:1: trusted_proxy: unknown key; did you mean trusted_proxies?`},
	{"unknown key in a section", with("tls:\n  certificate: a\n  key: b\n  cert: c\n"), `f:4: tls.cert: unknown key; did you mean tls.certificate?`},
	{"unknown key unlike any", with("frobnicate: 1\n"), `f:1: frobnicate: unknown key; the keys here are listen, tls, trusted_proxies, metrics, public_url, issuer, region, account_id, data, store, key_file, limits, fetch, issuers, classic_flow_when_unset, log`},
	{"unknown key unlike any in a section", with("log:\n  colour: red\n"), `f:2: log.colour: unknown key; the keys here are events`},
	{"key of a section outside", with("certificate: a\n"), `f:1: certificate: unknown key; did you mean tls.certificate?`},
	{"key with its section", with("limits.body_bytes: 5000\n"), `f:1: limits.body_bytes: unknown key; write body_bytes inside limits`},
	{"key with its section inside it", with("limits: {limits.body_bytes: 5000}\n"), `f:1: limits.limits.body_bytes: unknown key; the keys here are body_bytes, header_bytes, connections, connections_per_client, streams, verifications, guests_per_second, guests_burst, operations, header_timeout, read_timeout, request_timeout, idle_timeout, shutdown_timeout`},
	{"other spelling", with("publicURL: https://id.example.com\n"), `f:1: publicURL: unknown key; did you mean public_url?`},
	{"dashes", with("trusted-proxies: [10.0.0.1]\n"), `f:1: trusted-proxies: unknown key; did you mean trusted_proxies?`},
	{"capitals", with("Region: us-east-1\n"), `f:1: Region: unknown key; did you mean region?`},
	{"repeated key", with("region: us-east-1\n\nregion: us-east-1\n"), `f:3: region: repeated, it stands on line 1 already; keep one of them`},
	{"repeated section", with("limits: {streams: 1}\nlimits: {streams: 1}\n"), `f:2: limits: repeated, it stands on line 1 already; keep one of them`},
	{"repeated key in a section", with("limits:\n  streams: 1\n  streams: 1\n"), `f:3: limits.streams: repeated, it stands on line 2 already; keep one of them`},
	{"number as a key", with("1: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"truth as a key", with("true: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"nothing as a key", with("~: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"list as a key", with("? [a, b]\n: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"section as a key", with("? {a: b}\n: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"value as a key", with("postgres://u:hunter2@h/d: x\n"), `f:1: a key that is not a name; write KEY: VALUE, such as listen: 127.0.0.1:8440`},
	{"no account", "public_url: https://id.example.com\nstore: sqlite:x\nkey_file: k\n", `f: account_id: required, and not there; write account_id: "123456789012"`},
	{"no public URL", "account_id: '123456789012'\nstore: sqlite:x\nkey_file: k\n", `f: public_url: required, and not there; write public_url: https://id.example.com`},
	{"no store", "public_url: https://id.example.com\naccount_id: '123456789012'\nkey_file: k\n", `f: store: required, and not there; write store: sqlite:idpool.db`},
	{"no key file", "public_url: https://id.example.com\naccount_id: '123456789012'\nstore: sqlite:x\n", `f: key_file: required, and not there; write key_file: /etc/idpool/key`},

	// Kinds of values.
	{"number for text", with("region: 5\n"), `f:1: region: a number where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"float for text", with("region: 5.5\n"), `f:1: region: a number where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"truth for text", with("region: true\n"), `f:1: region: true or false where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"date for text", with("region: 2026-01-02\n"), `f:1: region: a date where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"list for text", with("region: [us-east-1]\n"), `f:1: region: a list where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"section for text", with("region: {name: us-east-1}\n"), `f:1: region: a section where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise`},
	{"nothing for text", with("region:\n"), `f:1: region: empty; write a value, or remove it`},
	{"empty text", with("region: \"\"\n"), `f:1: region: empty; write a value, or remove it`},
	{"space at the end", with("region: \"us-east-1 \"\n"), `f:1: region: begins or ends with a space; write it without`},
	{"two lines", with("region: |\n  us-east-1\n  x\n"), `f:1: region: has a line break or another control character; write it on one line, without`},
	{"control character", with("region: \"us\\0east\"\n"), `f:1: region: has a line break or another control character; write it on one line, without`},
	{"text for a number", with("limits: {streams: many}\n"), `f:1: limits.streams: text where a number is expected; write a whole number in digits and without quotes, such as 1000`},
	{"quoted number", with("limits: {streams: \"5\"}\n"), `f:1: limits.streams: text where a number is expected; write a whole number in digits and without quotes, such as 1000`},
	{"list for a number", with("limits: {streams: [5]}\n"), `f:1: limits.streams: a list where a number is expected; write a whole number in digits and without quotes, such as 1000`},
	{"nothing for a number", with("limits: {streams: }\n"), `f:1: limits.streams: empty; write a value, or remove it`},
	{"truth for a number", with("limits: {streams: true}\n"), `f:1: limits.streams: not a whole number; write a whole number in digits and without quotes, such as 1000`},
	{"float for a number", with("limits: {streams: 5.0}\n"), `f:1: limits.streams: not a whole number; write a whole number in digits and without quotes, such as 1000`},
	{"octal number", with("limits: {streams: 010}\n"), `f:1: limits.streams: not a whole number; write a whole number in digits and without quotes, such as 1000`},
	{"number with underscores", with("limits: {streams: 1_0}\n"), `f:1: limits.streams: not a whole number; write a whole number in digits and without quotes, such as 1000`},
	{"infinity for a number", with("limits: {streams: .inf}\n"), `f:1: limits.streams: not a whole number; write a whole number in digits and without quotes, such as 1000`},
	{"number too small", with("limits: {streams: 0}\n"), `f:1: limits.streams: out of range; write a number from 1 to 10000`},
	{"rate without a number", with("limits: {operations: [GetId]}\n"), `f:1: limits.operations: entry 1: not a rate; write OPERATION=NUMBER with a number from 1 to 1000000, such as GetId=25`},
	{"rate of nothing", with("limits: {operations: [GetId=0]}\n"), `f:1: limits.operations: entry 1: not a rate; write OPERATION=NUMBER with a number from 1 to 1000000, such as GetId=25`},
	{"negative number", with("limits: {verifications: -1}\n"), `f:1: limits.verifications: out of range; write a number from 0 to 4096`},
	{"number too large", with("limits: {body_bytes: 16777217}\n"), `f:1: limits.body_bytes: out of range; write a number from 4096 to 16777216`},
	{"number far too large", with("limits: {body_bytes: 99999999999999999999999}\n"), `f:1: limits.body_bytes: out of range; write a number from 4096 to 16777216`},
	{"number for a duration", with("fetch: {timeout: 5}\n"), `f:1: fetch.timeout: a number where text is expected; write a number with its unit, such as 15s`},
	{"text for a duration", with("fetch: {timeout: soon}\n"), `f:1: fetch.timeout: not a duration; write a number with its unit, such as 15s`},
	{"number in quotes for a duration", with("fetch: {timeout: \"5\"}\n"), `f:1: fetch.timeout: not a duration; write a number with its unit, such as 15s`},
	{"duration too short", with("fetch: {timeout: 1ms}\n"), `f:1: fetch.timeout: out of range; write a duration from 100ms to 1m`},
	{"negative duration", with("fetch: {timeout: -5s}\n"), `f:1: fetch.timeout: out of range; write a duration from 100ms to 1m`},
	{"duration too long", with("limits: {idle_timeout: 2h}\n"), `f:1: limits.idle_timeout: out of range; write a duration from 100ms to 1h`},
	{"text for a list", with("trusted_proxies: 10.0.0.1\n"), `f:1: trusted_proxies: text where a list is expected; write a list such as [10.0.0.0/8, 192.0.2.7]`},
	{"section for a list", with("trusted_proxies: {a: b}\n"), `f:1: trusted_proxies: a section where a list is expected; write a list such as [10.0.0.0/8, 192.0.2.7]`},
	{"nothing for a list", with("trusted_proxies:\n"), `f:1: trusted_proxies: empty; write a value, or remove it`},
	{"list in a list", with("fetch: {ca_files: [a, [b]]}\n"), `f:1: fetch.ca_files: entry 2: a list where text is expected; write a list such as [/etc/idpool/company-ca.pem]`},
	{"nothing in a list", with("fetch:\n  ca_files:\n  - a\n  -\n"), `f:4: fetch.ca_files: entry 2: empty; write a value, or remove it`},
	{"empty text in a list", with("fetch: {ca_files: ['']}\n"), `f:1: fetch.ca_files: entry 1: empty; write a value, or remove it`},
	{"text for a section", with("tls: /etc/tls.crt\n"), `f:1: tls: text where a section is expected; write its keys on the lines below, indented`},
	{"list for a section", with("limits:\n- streams: 1\n"), `f:2: limits: a list where a section is expected; write its keys on the lines below, indented`},
	{"nothing for a section", with("limits:\n"), `f:1: limits: empty; write a value, or remove it`},

	// Single keys.
	{"listen without port", with("listen: 127.0.0.1\n"), `f:1: listen: not an address with a port; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen on a port alone", with("listen: 8440\n"), `f:1: listen: a number where text is expected; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen on a name", with("listen: id.example.com:8440\n"), `f:1: listen: names a host where an address is expected; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen on a named port", with("listen: 127.0.0.1:https\n"), `f:1: listen: the port is not a number from 0 to 65535; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen on too high a port", with("listen: 127.0.0.1:65536\n"), `f:1: listen: the port is not a number from 0 to 65535; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen without brackets", with("listen: ::1:8440\n"), `f:1: listen: not an address with a port; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"listen on a URL", with("listen: http://127.0.0.1:8440\n"), `f:1: listen: not an address with a port; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"metrics without port", with("metrics: 127.0.0.1\n"), `f:1: metrics: not an address with a port; write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses`},
	{"proxy by name", with("trusted_proxies: [10.0.0.1, proxy.example.com]\n"), `f:1: trusted_proxies: entry 2: neither an address nor a range; write a range such as 10.0.0.0/8, or an address such as 192.0.2.7`},
	{"proxy with port", with("trusted_proxies: [\"10.0.0.1:80\"]\n"), `f:1: trusted_proxies: entry 1: neither an address nor a range; write a range such as 10.0.0.0/8, or an address such as 192.0.2.7`},
	{"all proxies", with("trusted_proxies: [0.0.0.0/0]\n"), `f:1: trusted_proxies: entry 1: holds every address there is; write the ranges that you mean`},
	{"all IPv6 proxies", with("trusted_proxies: [\"::/0\"]\n"), `f:1: trusted_proxies: entry 1: holds every address there is; write the ranges that you mean`},
	{"proxy in a range", with("trusted_proxies: [10.1.2.3/8]\n"), `f:1: trusted_proxies: entry 1: an address inside a range; write 10.0.0.0/8 for the range, or the address without /8`},
	{"mapped proxy", with("trusted_proxies: [\"::ffff:10.0.0.1\"]\n"), `f:1: trusted_proxies: entry 1: an IPv4 address in IPv6 form; write 10.0.0.1`},
	{"mapped range", with("trusted_proxies: [\"::ffff:10.0.0.0/104\"]\n"), `f:1: trusted_proxies: entry 1: an IPv4 range in IPv6 form; write it in IPv4 form, such as 10.0.0.0/8`},
	{"proxy with zone", with("trusted_proxies: [\"fe80::1%eth0\"]\n"), `f:1: trusted_proxies: entry 1: names a zone; write a range such as 10.0.0.0/8, or an address such as 192.0.2.7`},
	{"fetch from everywhere", with("fetch: {allow: [0.0.0.0/0]}\n"), `f:1: fetch.allow: entry 1: holds every address there is; write the ranges that you mean`},
	{"region in capitals", with("region: US-EAST-1\n"), `f:1: region: not the name of a region; write one such as us-east-1`},
	{"region without number", with("region: us-east\n"), `f:1: region: not the name of a region; write one such as us-east-1`},
	{"region with two lines", with("region: \"us-east-1\\n\"\n"), `f:1: region: has a line break or another control character; write it on one line, without`},
	{"region too long", with("region: us-northeasternmost-1\n"), `f:1: region: longer than 18 characters; write a shorter one, such as us-east-1`},
	{"account as a number", with("account_id: 123456789012\n"), `f:1: account_id: a number where text is expected; write it in quotes, such as "012345678901"`},
	{"account with a zero as a number", with("account_id: 012345678901\n"), `f:1: account_id: a number where text is expected; write it in quotes, such as "012345678901"`},
	{"account that is octal", with("account_id: 012345670123\n"), `f:1: account_id: a number where text is expected; write it in quotes, such as "012345678901"`},
	{"account too short", with("account_id: \"12345678901\"\n"), `f:1: account_id: not an account id of 12 digits; write one such as "123456789012"`},
	{"account with dashes", with("account_id: 1234-5678-9012\n"), `f:1: account_id: not an account id of 12 digits; write one such as "123456789012"`},
	{"path at home", with("data: ~/idpool\n"), `f:1: data: ~ does not stand for a folder here; write the whole path`},
	{"home", with("data: ~\n"), `f:1: data: empty; write a value, or remove it`},
	{"home in quotes", with("data: \"~\"\n"), `f:1: data: ~ does not stand for a folder here; write the whole path`},
	{"permission", with("classic_flow_when_unset: true\n"), `f:1: classic_flow_when_unset: true or false where text is expected; write text such as allow, in quotes where YAML reads it otherwise`},
	{"other permission", with("classic_flow_when_unset: allowed\n"), `f:1: classic_flow_when_unset: neither allow nor deny; write one of them`},
	{"events to nowhere", with("log: {events: stdrr}\n"), `f:1: log.events: neither stderr, stdout nor the path of a file; write one of them; a path needs a slash, such as ./events.jsonl`},
	{"events to a folder", with("log: {events: /var/log/}\n"), `f:1: log.events: neither stderr, stdout nor the path of a file; write one of them; a path needs a slash, such as ./events.jsonl`},

	// URLs.
	{"public URL without scheme", with("public_url: id.example.com\n"), `f:1: public_url: not an absolute URL; write one such as https://id.example.com`},
	{"public URL of another scheme", with("public_url: ftp://id.example.com\n"), `f:1: public_url: neither https:// nor http://; write one such as https://id.example.com`},
	{"public URL in capitals", with("public_url: HTTPS://id.example.com\n"), `f:1: public_url: neither https:// nor http://; write one such as https://id.example.com`},
	{"public URL with host in capitals", with("public_url: https://ID.example.com\n"), `f:1: public_url: the host is neither an address nor a name in small letters; write it in a-z, 0-9, - and ., an international name as xn--`},
	{"public URL without host", with("public_url: https:///x\n"), `f:1: public_url: not an absolute URL; write one such as https://id.example.com`},
	{"public URL with user", with("public_url: https://u:hunter2@id.example.com\n"), `f:1: public_url: holds user information; write it without what stands before the @`},
	{"public URL with query", with("public_url: https://id.example.com?x\n"), `f:1: public_url: has a query or a fragment; write it without ? and # and what follows`},
	{"public URL with empty fragment", with("public_url: \"https://id.example.com#\"\n"), `f:1: public_url: has a query or a fragment; write it without ? and # and what follows`},
	{"public URL with slash", with("public_url: https://id.example.com/\n"), `f:1: public_url: ends in a slash; write it without the last slash`},
	{"public URL with path", with("public_url: https://id.example.com/x\n"), `f:1: public_url: has a path, and clients send to / alone; write scheme, host and port only`},
	{"public URL with default port", with("public_url: https://id.example.com:443\n"), `f:1: public_url: names the port that is meant anyway; write it without :443`},
	{"public URL with bad port", with("public_url: https://id.example.com:08443\n"), `f:1: public_url: the port is not a number from 1 to 65535; write one such as https://id.example.com`},
	{"public URL with empty port", with("public_url: \"https://id.example.com:\"\n"), `f:1: public_url: the port is not a number from 1 to 65535; write one such as https://id.example.com`},
	{"public URL with port 0", with("public_url: https://id.example.com:0\n"), `f:1: public_url: the port is not a number from 1 to 65535; write one such as https://id.example.com`},
	{"public URL with control", with("public_url: \"https://id.example.com/\\t\"\n"), `f:1: public_url: has a line break or another control character; write it on one line, without`},
	{"public URL of a number", with("public_url: https://127.1\n"), `f:1: public_url: the host is neither an address nor a name in small letters; write it in a-z, 0-9, - and ., an international name as xn--`},
	{"public URL of a hexadecimal number", with("public_url: https://0x7f.1\n"), `f:1: public_url: the host is neither an address nor a name in small letters; write it in a-z, 0-9, - and ., an international name as xn--`},
	{"public URL of a long address", with("public_url: https://[0:0:0:0:0:0:0:1]:8443\n"), `f:1: public_url: the address has a shorter or plainer form; write it without zone, leading zeros and capitals`},
	{"public URL with zone", with("public_url: https://[fe80::1%25eth0]\n"), `f:1: public_url: the address has a shorter or plainer form; write it without zone, leading zeros and capitals`},
	{"public URL with umlaut", with("public_url: https://bücher.example\n"), `f:1: public_url: the host is neither an address nor a name in small letters; write it in a-z, 0-9, - and ., an international name as xn--`},
	{"public URL with last dot", with("public_url: https://id.example.com.\n"), `f:1: public_url: the host is neither an address nor a name in small letters; write it in a-z, 0-9, - and ., an international name as xn--`},
	{"public URL in plain", with("public_url: http://id.example.com\n"), `f:1: public_url: http is for loopback hosts only; write https://`},
	{"public URL that only looks like loopback", with("public_url: http://localhost.example.com\n"), `f:1: public_url: http is for loopback hosts only; write https://`},
	{"public URL too long", with("public_url: https://" + strings.Repeat("abcdefgh.", 30) + "com\n"), `f:1: public_url: longer than 255 characters; write one such as https://id.example.com`},
	{"issuer in plain", with("issuer: http://id.example.com\n"), `f:1: issuer: http is for loopback hosts only; write https://`},
	{"issuer in plain on loopback", with("issuer: http://127.0.0.1:8440\n"), `f:1: issuer: http, while public_url is https; write https://`},
	{"issuer with slash", with("issuer: https://id.example.com/x/\n"), `f:1: issuer: ends in a slash; write it without the last slash`},
	{"issuer with query", with("issuer: https://id.example.com/x?y\n"), `f:1: issuer: has a query or a fragment; write it without ? and # and what follows`},
	{"issuer with fragment", with("issuer: https://id.example.com/x#y\n"), `f:1: issuer: has a query or a fragment; write it without ? and # and what follows`},
	{"issuer with user", with("issuer: https://good.example@evil.example\n"), `f:1: issuer: holds user information; write it without what stands before the @`},
	{"issuer with dots", with("issuer: https://id.example.com/a/../b\n"), `f:1: issuer: the path has characters that have more than one form; use letters, digits and - . _ ~ between single slashes`},
	{"issuer with two slashes", with("issuer: https://id.example.com/a//b\n"), `f:1: issuer: the path has characters that have more than one form; use letters, digits and - . _ ~ between single slashes`},
	{"issuer with percent", with("issuer: https://id.example.com/%61\n"), `f:1: issuer: the path has characters that have more than one form; use letters, digits and - . _ ~ between single slashes`},
	{"issuer with space", with("issuer: https://id.example.com/a b\n"), `f:1: issuer: the path has characters that have more than one form; use letters, digits and - . _ ~ between single slashes`},

	// Stores.
	{"path as a store", with("store: /var/lib/idpool.db\n"), `f:1: store: not the URL of a store; write sqlite:PATH or postgres://USER@HOST/DATABASE`},
	{"MySQL", with("store: mysql://u:hunter2@h/d\n"), `f:1: store: not the URL of a store; write sqlite:PATH or postgres://USER@HOST/DATABASE`},
	{"SQLite without path", with("store: 'sqlite:'\n"), `f:1: store: names no file; write sqlite: and the path of a file, such as sqlite:idpool.db`},
	{"SQLite in memory", with("store: \"sqlite::memory:\"\n"), `f:1: store: a database in memory would lose every identity; write sqlite: and the path of a file, such as sqlite:idpool.db`},
	{"SQLite folder", with("store: sqlite:x/\n"), `f:1: store: names no file; write sqlite: and the path of a file, such as sqlite:idpool.db`},
	{"SQLite host", with("store: sqlite://host/x\n"), `f:1: store: names a host; write sqlite: and the path of a file, such as sqlite:idpool.db`},
	{"SQLite options", with("store: sqlite:x?mode=memory\n"), `f:1: store: has options, which sqlite: does not take; write sqlite: and the path of a file, such as sqlite:idpool.db`},
	{"SQLite at home", with("store: sqlite:~/x\n"), `f:1: store: ~ does not stand for a folder here; write the whole path`},
	{"PostgreSQL without host", with("store: postgres:///d\n"), `f:1: store: names no host; write postgres://USER@HOST/DATABASE`},
	{"PostgreSQL without database", with("store: postgres://u:hunter2@h\n"), `f:1: store: names no database; write postgres://USER@HOST/DATABASE`},
	{"PostgreSQL without slashes", with("store: postgres:u:hunter2@h/d\n"), `f:1: store: names no host; write postgres://USER@HOST/DATABASE`},
	{"password with slash", with("store: postgres://u:hunter2/x@h/d\n"), `f:1: store: cannot be read as a URL; write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25`},
	{"password with number and slash", with("store: postgres://u:12/hunter2@h/d\n"), `f:1: store: has an @ or # after the host; write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25`},
	{"password with question mark", with("store: postgres://u:12?hunter2@h/d\n"), `f:1: store: has an @ or # after the host; write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25`},
	{"password with number sign", with("store: postgres://u:12#hunter2@h/d\n"), `f:1: store: has an @ or # after the host; write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25`},
	{"password with percent", with("store: postgres://u:hunter2%zz@h/d\n"), `f:1: store: cannot be read as a URL; write the characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25`},

	// Issuers of login tokens.
	{"issuers as a section", with("issuers: {url: https://login.example.com}\n"), `f:1: issuers: a section where a list is expected; write an entry that begins with - for each, and its keys below, indented alike`},
	{"issuers as text", with("issuers: https://login.example.com\n"), `f:1: issuers: text where a list is expected; write an entry that begins with - for each, and its keys below, indented alike`},
	{"no issuers", with("issuers:\n"), `f:1: issuers: empty; write a value, or remove it`},
	{"an issuer as text", with("issuers:\n- https://login.example.com\n"), `f:2: issuers: text where a section is expected; begin each entry with - and a KEY: VALUE line`},
	{"an empty issuer", with("issuers:\n-\n"), `f:2: issuers: empty; write a value, or remove it`},
	{"issuer without its URL", with("issuers:\n- url: https://login.example.com\n- algorithms: [RS256]\n"), `f:3: issuers.url: required, and not in this entry; write url: https://login.example.com`},
	{"issuer with no keys", with("issuers: [{}]\n"), `f:1: issuers.url: required, and not in this entry; write url: https://login.example.com`},
	{"issuer twice", with("issuers:\n- url: https://login.example.com\n- url: https://other.example.com\n- url: https://login.example.com\n"), `f:4: issuers.url: an issuer that has an entry already; keep one of them`},
	{"key of an issuer twice", with("issuers:\n- url: https://login.example.com\n  url: https://hunter2.example.com\n"), `f:3: issuers.url: repeated, it stands on line 2 already; keep one of them`},
	{"unknown key of an issuer", with("issuers:\n- url: https://login.example.com\n  algorithm: [RS256]\n"), `f:3: issuers.algorithm: unknown key; did you mean issuers.algorithms?`},
	{"key of an issuer outside", with("jwks_file: keys.json\n"), `f:1: jwks_file: unknown key; did you mean issuers.jwks_file?`},
	{"issuer over http", with("issuers:\n- url: http://login.example.com\n"), `f:2: issuers.url: must begin with https://; write the issuer of the provider, such as https://login.example.com`},
	{"issuer with a query", with("issuers:\n- url: https://login.example.com?hunter2\n"), `f:2: issuers.url: holds a character that it may not: write it in plain ASCII, without user information, query, fragment or escapes; write the issuer of the provider, such as https://login.example.com`},
	{"symmetric algorithm", with("issuers:\n- url: https://login.example.com\n  algorithms: [RS256, HS256]\n"), `f:3: issuers.algorithms: entry 2: not an algorithm that a token may be signed with; write some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`},
	{"no algorithm", with("issuers:\n- url: https://login.example.com\n  algorithms: [none]\n"), `f:3: issuers.algorithms: entry 1: not an algorithm that a token may be signed with; write some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`},
	{"algorithm in small letters", with("issuers:\n- url: https://login.example.com\n  algorithms: [rs256]\n"), `f:3: issuers.algorithms: entry 1: not an algorithm that a token may be signed with; write some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`},
	{"empty list of algorithms", with("issuers:\n- url: https://login.example.com\n  algorithms: []\n"), `f:2: issuers.algorithms: empty, so that no token could be taken; name some, or remove it`},
	{"yes", with("issuers:\n- url: https://login.example.com\n  azp_replaces_audience: yes\n"), `f:3: issuers.azp_replaces_audience: text where true or false is expected; write true or false, without quotes`},
	{"True", with("issuers:\n- url: https://login.example.com\n  azp_replaces_audience: True\n"), `f:3: issuers.azp_replaces_audience: neither true nor false; write true or false, without quotes`},
	{"true in quotes", with("issuers:\n- url: https://login.example.com\n  azp_replaces_audience: 'true'\n"), `f:3: issuers.azp_replaces_audience: text where true or false is expected; write true or false, without quotes`},
	{"list for true", with("issuers:\n- url: https://login.example.com\n  azp_replaces_audience: [true]\n"), `f:3: issuers.azp_replaces_audience: a list where true or false is expected; write true or false, without quotes`},
	{"missing variable for true", with("issuers:\n- url: https://login.example.com\n  azp_replaces_audience: ${env:X}\n"), `f:3: issuers.azp_replaces_audience: the environment variable X is not set, or is empty; set it where idpool is started`},
	{"grace that is too long", with("issuers:\n- url: https://login.example.com\n  expiry_grace: 6m\n"), `f:3: issuers.expiry_grace: out of range; write a duration from 100ms to 5m`},
	{"life that is too long", with("issuers:\n- url: https://login.example.com\n  max_token_life: 8761h\n"), `f:3: issuers.max_token_life: out of range; write a duration from 100ms to 8760h`},
	{"authorities of keys in a file", with("issuers:\n- url: https://other.example.com\n- url: https://login.example.com\n  ca_files: [a]\n  jwks_file: b\n"), `f:3: issuers.ca_files: beside jwks_file, with which nothing is fetched; keep one of them`},

	// Keys that do not go together.
	{"certificate without key", with("tls: {certificate: a}\n"), `f:1: tls: without key; write the path of the private key as tls.key, or remove tls`},
	{"key without certificate", with("tls: {key: a}\n"), `f:1: tls: without certificate; write the path of the certificate as tls.certificate, or remove tls`},
	{"no TLS files", with("tls: {}\n"), "f:1: tls: without certificate; write the path of the certificate as tls.certificate, or remove tls\nf:1: tls: without key; write the path of the private key as tls.key, or remove tls"},
	{"plain HTTP for all", with("listen: :8440\n"), `f:1: listen: plain HTTP on an address that others reach; set tls; or listen on 127.0.0.1; or name the proxies in front, which speak TLS, as trusted_proxies`},
	{"plain HTTP for all of IPv6", with("listen: \"[::]:8440\"\n"), `f:1: listen: plain HTTP on an address that others reach; set tls; or listen on 127.0.0.1; or name the proxies in front, which speak TLS, as trusted_proxies`},
	{"plain HTTP for others", with("listen: 10.0.0.5:8440\n"), `f:1: listen: plain HTTP on an address that others reach; set tls; or listen on 127.0.0.1; or name the proxies in front, which speak TLS, as trusted_proxies`},
	{"plain HTTP and no proxies", with("listen: 10.0.0.5:8440\ntrusted_proxies: []\n"), `f:1: listen: plain HTTP on an address that others reach; set tls; or listen on 127.0.0.1; or name the proxies in front, which speak TLS, as trusted_proxies`},
	{"metrics on the same address", with("metrics: 127.0.0.1:8440\n"), `f:1: metrics: on the port of listen; write another port`},
	{"metrics on the same port of all", with("metrics: :8440\n"), `f:1: metrics: on the port of listen; write another port`},
	{"plain public URL with TLS", with("public_url: http://127.0.0.1:8440\ntls: {certificate: a, key: b}\n"), `f:1: public_url: http, while tls is set; write https://`},

	// Expansions.
	{"missing variable", with("region: ${env:REGION}\n"), `f:1: region: the environment variable REGION is not set, or is empty; set it where idpool is started`},
	{"missing file", with("region: ${file:/nowhere/at/all}\n"), `f:1: region: the file "/nowhere/at/all" cannot be read: no such file or directory; name a file that idpool may read`},
	{"folder as a file", with("region: ${file:/}\n"), `f:1: region: the file "/" cannot be read: not a regular file; name a file that idpool may read`},
	{"device as a file", with("region: ${file:/dev/null}\n"), `f:1: region: the file "/dev/null" cannot be read: not a regular file; name a file that idpool may read`},
	{"unknown expansion", with("region: ${REGION}\n"), `f:1: region: unknown expansion; write ${env:NAME} or ${file:PATH}, or $${ for the characters ${`},
	{"other kind of expansion", with("region: ${vault:x}\n"), `f:1: region: unknown expansion; write ${env:NAME} or ${file:PATH}, or $${ for the characters ${`},
	{"bad name of a variable", with("region: ${env:A B}\n"), `f:1: region: unknown expansion; write ${env:NAME} or ${file:PATH}, or $${ for the characters ${`},
	{"file without a name", with("region: \"${file:}\"\n"), `f:1: region: unknown expansion; write ${env:NAME} or ${file:PATH}, or $${ for the characters ${`},
	{"open expansion", with("region: us-${env:X\n"), `f:1: region: ${ without }; write $${ for the characters ${`},
	{"two expansions", with("region: ${env:A}-${env:B}\n"), "f:1: region: the environment variable A is not set, or is empty; set it where idpool is started\nf:1: region: the environment variable B is not set, or is empty; set it where idpool is started"},
	{"expansion in a list", with("fetch:\n  allow: [\"${env:A}\"]\n"), `f:2: fetch.allow: entry 1: the environment variable A is not set, or is empty; set it where idpool is started`},
}

func TestMistakes(t *testing.T) {
	for _, c := range mistakes {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f", []byte(c.text), noEnv)
			if err == nil {
				t.Fatalf("got no mistake, want %s", c.want)
			}
			if got := err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got a message with a value: %v", err)
			}
		})
	}
}
