package config

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idpool/internal/authority"
	"idpool/internal/login"
)

// required are the keys that must be there, for texts that are about others.
const required = `public_url: https://id.example.com
account_id: "123456789012"
store: sqlite:idpool.db
key_file: key
`

func noEnv(string) (string, bool) { return "", false }

// environ returns a look-up in a map.
func environ(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("idpool.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return c
}

func mustPattern(t *testing.T, text string) authority.Pattern {
	t.Helper()
	p, err := authority.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// same compares configurations; where they came from is left out.
var same = cmp.Options{
	cmpopts.IgnoreUnexported(Config{}),
	cmp.Comparer(func(a, b StoreURL) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b authority.Pattern) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// defaults is the Config of required.
func defaults() *Config {
	return &Config{
		Listen: "127.0.0.1:8440", PublicURL: "https://id.example.com", Issuer: "https://id.example.com",
		Region: "us-east-1", AccountID: "123456789012", Data: ".", Store: NewStoreURL("sqlite:idpool.db"), KeyFile: "key",
		Limits: Limits{
			BodyBytes: 524288, HeaderBytes: 16384, Connections: 4096, ConnectionsPerClient: 256, Streams: 100, GuestsPerSecond: 50, GuestsBurst: 500, GuestsPerPool: 500, GuestsInAll: 2000, RefusalsPerClient: 200, AuthorityCallsPerClient: 5,
			HeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, RequestTimeout: 20 * time.Second,
			IdleTimeout: time.Minute, ShutdownTimeout: 30 * time.Second,
		},
		Cache:            Cache{Identities: 50_000, Tokens: 2048},
		Fetch:            Fetch{Timeout: 5 * time.Second},
		LoginProviders:   LoginProviders{ChecksAtOnce: 16, ChecksPerSecond: 50, ChecksPerClient: 5},
		ClassicWhenUnset: true,
		Log:              Log{Events: "stderr"},
	}
}

func TestParseFillsDefaults(t *testing.T) {
	if diff := cmp.Diff(mustParse(t, required), defaults(), same); diff != "" {
		t.Error(diff)
	}
}

func TestParseEveryKey(t *testing.T) {
	got, err := Parse("/etc/idpool/idpool.yaml", []byte(`
listen: "[::]:443"
tls:
  certificate: tls.crt
  key: /run/secrets/tls.key
trusted_proxies:
- 10.0.0.0/8
- 192.0.2.7
- 2001:db8::1
metrics: localhost:9440
public_url: https://id.example.com:8443
issuer: https://old.example.com/idp_1/x.y
region: ap-southeast-2
account_id: "012345678901"
data: ../lib
store: sqlite:sub/../idpool.db
key_file: kek
limits:
  body_bytes: 4096
  header_bytes: 1048576
  connections: 10
  connections_per_client: 10
  streams: 1
  verifications: 8
  guests_per_second: 7
  guests_burst: 9
  guests_per_pool: 11
  guests_in_all: 13
  refusals_per_client: 15
  authority_calls_per_client: 17
  operations: [GetId=25]
  header_timeout: 100ms
  read_timeout: 1m30s
  request_timeout: 10m
  idle_timeout: 1h
  shutdown_timeout: 1s
cache: {identities: 10, tokens: 0}
fetch:
  allow: [10.20.0.0/16, "fd00::/8"]
  ca_files: [ca.pem, /etc/ca.pem]
  timeout: 1m
issuers:
- url: https://login.example.com/
  algorithms: [RS256, EdDSA]
  azp_replaces_audience: true
  expiry_grace: 1m
  max_token_life: 8760h
  ca_files: [login.pem, /etc/login.pem]
- url: http://127.0.0.1:8080
  azp_replaces_audience: false
  jwks_file: keys.json
login_providers:
  issuers:
  - accounts.google.com=http://127.0.0.1:9000
  - cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC=https://users.example.com/
  keys: ["graph.facebook.com=https://keys.example.com/jwks/"]
  endpoints: ["www.amazon.com=http://localhost:1/a", "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC=https://users.example.com/introspect"]
  secrets: ["12345=a=b", "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC=bearer"]
  checks_at_once: 3
  checks_per_second: 0
  checks_per_client: 7
classic_flow_when_unset: deny
trust_any_pool: allow
authorities:
  ceph-1:
    kind: ceph
    endpoint: https://s3.example.com:8443
    region: eu-west-1
    roles: ["arn:aws:iam:::role/*", "arn:aws:iam::tenant:role/one"]
    audience: idpool
    algorithm: ES256
    tags: flat
    session_policy: policies/user.json
    guest_session_policy: /etc/guest.json
    duration: 12h
    reuse: 50%
    allow: [10.20.0.0/16]
    ca_files: [storage.pem]
    timeout: 1s
    retries: 0
  aws:
    kind: aws
    endpoint: https://sts.eu-west-1.amazonaws.com
    roles: ["arn:aws:iam::999999999999:role/*"]
log: {events: events.d/log}
`), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "[::]:443", TLS: TLS{Certificate: "/etc/idpool/tls.crt", Key: "/run/secrets/tls.key"},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::1/128"),
		},
		Metrics: "localhost:9440", PublicURL: "https://id.example.com:8443", Issuer: "https://old.example.com/idp_1/x.y",
		Region: "ap-southeast-2", AccountID: "012345678901",
		Data: "/etc/lib", Store: NewStoreURL("sqlite:/etc/lib/idpool.db"), KeyFile: "/etc/idpool/kek",
		Limits: Limits{
			BodyBytes: 4096, HeaderBytes: 1 << 20, Connections: 10, ConnectionsPerClient: 10, Streams: 1, Verifications: 8,
			GuestsPerSecond: 7, GuestsBurst: 9, GuestsPerPool: 11, GuestsInAll: 13, RefusalsPerClient: 15, AuthorityCallsPerClient: 17, Operations: []Rate{{"GetId", 25}},
			HeaderTimeout: 100 * time.Millisecond, ReadTimeout: 90 * time.Second, RequestTimeout: 10 * time.Minute,
			IdleTimeout: time.Hour, ShutdownTimeout: time.Second,
		},
		Cache: Cache{Identities: 10},
		Fetch: Fetch{
			Allow:   []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd00::/8")},
			CAFiles: []string{"/etc/idpool/ca.pem", "/etc/ca.pem"}, Timeout: time.Minute,
		},
		Issuers: []Issuer{
			{
				URL: "https://login.example.com/", Algorithms: []string{"RS256", "EdDSA"}, AZPReplacesAudience: true,
				ExpiryGrace: time.Minute, MaxTokenLife: 365 * 24 * time.Hour, CAFiles: []string{"/etc/idpool/login.pem", "/etc/login.pem"},
			},
			{URL: "http://127.0.0.1:8080", JWKSFile: "/etc/idpool/keys.json"},
		},
		LoginProviders: LoginProviders{
			Issuers: []ProviderURL{
				{"accounts.google.com", "http://127.0.0.1:9000"},
				{"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", "https://users.example.com/"},
			},
			Keys: []ProviderURL{{"graph.facebook.com", "https://keys.example.com/jwks/"}},
			Endpoints: []ProviderURL{
				{"www.amazon.com", "http://localhost:1/a"},
				{"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", "https://users.example.com/introspect"},
			},
			Secrets: []ProviderSecret{
				{"12345", login.NewSecret("a=b")}, {"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", login.NewSecret("bearer")},
			},
			ChecksAtOnce: 3, ChecksPerClient: 7,
		},
		TrustAnyPool: true,
		Authorities: []Authority{{
			Name: "ceph-1", Kind: "ceph", Endpoint: "https://s3.example.com:8443", Region: "eu-west-1",
			Roles:    []authority.Pattern{mustPattern(t, "arn:aws:iam:::role/*"), mustPattern(t, "arn:aws:iam::tenant:role/one")},
			Audience: "idpool", Algorithm: "ES256", Tags: authority.Flat,
			SessionPolicy: "/etc/idpool/policies/user.json", GuestSessionPolicy: "/etc/guest.json", Duration: 12 * time.Hour, Reuse: 50,
			Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}, CAFiles: []string{"/etc/idpool/storage.pem"}, Timeout: time.Second,
		}, {
			Name: "aws", Kind: "aws", Endpoint: "https://sts.eu-west-1.amazonaws.com", Region: "us-east-1",
			Roles:     []authority.Pattern{mustPattern(t, "arn:aws:iam::999999999999:role/*")},
			Algorithm: "RS256", Duration: time.Hour, Timeout: 5 * time.Second, Retries: 2,
		}},
		Log: Log{Events: "/etc/idpool/events.d/log"},
	}
	if diff := cmp.Diff(got, want, same); diff != "" {
		t.Error(diff)
	}
	if !got.TLS.On() || mustParse(t, required).TLS.On() {
		t.Error("got TLS.On false with a certificate, or true without")
	}
}

// A key that is new must be in the test above, so that its reader is known to write to its own field.
func TestEveryKeyIsTested(t *testing.T) {
	if got, want := len(table)+len(authorityKeys), 76; got != want {
		t.Errorf("got %d keys and sections, want %d: add the new one to TestParseEveryKey", got, want)
	}
}

func TestRelativeEventsKeepTheirSlash(t *testing.T) {
	c := mustParse(t, required+"log: {events: ./stderr}\n")
	if got, want := c.Log.Events, "./stderr"; got != want {
		t.Errorf("got %q, want %q: a file, not the stream", got, want)
	}
}

func TestParseReportsAllMistakesInOrder(t *testing.T) {
	text := `# comment
trusted_proxy: [10.0.0.0/8]
region: [eu-west-1]
limits:
  read_timeout: 5
  body_byte: 1
listen: 0.0.0.0:80
account_id: 012345678901
listen: 0.0.0.0:80
tls: {certificate: a}
`
	want := `idpool.yaml:2: trusted_proxy: unknown key; did you mean trusted_proxies?
idpool.yaml:3: region: a list where text is expected; write text such as us-east-1, in quotes where YAML reads it otherwise
idpool.yaml:5: limits.read_timeout: a number where text is expected; write a number with its unit, such as 15s
idpool.yaml:6: limits.body_byte: unknown key; did you mean limits.body_bytes?
idpool.yaml:8: account_id: a number where text is expected; write it in quotes, such as "012345678901"
idpool.yaml:9: listen: repeated, it stands on line 7 already; keep one of them
idpool.yaml:10: tls: without key; write the path of the private key as tls.key, or remove tls
idpool.yaml: public_url: required, and not there; write public_url: https://id.example.com
idpool.yaml: store: required, and not there; write store: sqlite:idpool.db
idpool.yaml: key_file: required, and not there; write key_file: /etc/idpool/key`
	c, err := Parse("idpool.yaml", []byte(text), noEnv)
	if c != nil || err == nil {
		t.Fatalf("got %v and %v, want mistakes alone", c, err)
	}
	if diff := cmp.Diff(err.Error(), want); diff != "" {
		t.Error(diff)
	}
	found, ok := errors.AsType[Mistakes](err)
	if !ok || len(found) != 10 {
		t.Fatalf("got %#v, want 10 Mistakes", err)
	}
	first := Mistake{File: "idpool.yaml", Line: 2, Key: "trusted_proxy", Problem: "unknown key", Hint: "did you mean trusted_proxies?"}
	if found[0] != first {
		t.Errorf("got %#v, want %#v", found[0], first)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "idpool.yaml")
	write(t, path, required)
	c, err := Load(path, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.KeyFile, filepath.Join(dir, "key"); got != want {
		t.Errorf("got the key file %q, want %q", got, want)
	}
	if got, want := c.Store.Reveal(), "sqlite:"+filepath.Join(dir, "idpool.db"); got != want {
		t.Errorf("got the store %q, want %q", got, want)
	}
	if _, err := Load(filepath.Join(dir, "none.yaml"), noEnv); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a file that does not exist", err)
	}
	write(t, path, required+strings.Repeat("#", maxFile))
	if _, err := Load(path, noEnv); err == nil || !strings.Contains(err.Error(), "longer than 262144 bytes") {
		t.Errorf("got %v, want a file that is too long", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
