// Package config reads the configuration of `idpool serve --config FILE`: one YAML file, read strictly.
//
// A Config is what the file says with the defaults filled in; whoever gets one need not check it again. All keys stand in
// one table (table.go) with their comment, default and reader; the text of `idpool config defaults` and of `idpool init`
// is written from the same rows. Parse reports all mistakes at once, each with its file, line and key and with what to
// write instead. An unknown key is a mistake: a setting that is silently not there is worse than a server that does not
// start (security K3). Messages repeat no value, since a value may be a secret in the wrong place.
//
// Text may hold ${env:NAME} and ${file:PATH}. They are replaced in values that YAML has already been read from, so that
// what they bring in is never read as YAML.
//
// Whether the named files are there is asked by Config.Check; who may read the key file, and what the files hold, is the
// business of the packages that open them.
package config

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Config is a configuration. Relative paths of the file have been joined to the folder that the file is in, and that of
// a SQLite store to Data.
type Config struct {
	// Listen is the address of the main port: IP:PORT, localhost:PORT, or :PORT for all addresses of the machine. Port 0
	// takes a free one. Default: 127.0.0.1:8440. Without TLS it is a loopback address, or TrustedProxies are set.
	Listen string
	// TLS holds the certificate of the main port. Default: none, plain HTTP.
	TLS TLS
	// TrustedProxies are the peers whose forwarding headers are believed for the client's address. Single addresses are
	// prefixes of full length. Default: none, the client is the peer. Example: 10.0.0.0/8.
	TrustedProxies []netip.Prefix
	// Metrics is the address of a listener for metrics alone, in the form of Listen; it is plain HTTP and knows no
	// callers. Default: empty, no such listener. Example: 127.0.0.1:9440.
	Metrics string

	// PublicURL is where clients reach idpool: scheme, host and port, without path or last slash. Required. It is https
	// except on loopback hosts. Example: https://id.example.com.
	PublicURL string
	// Issuer is the `iss` of the tokens that we sign, in the form of PublicURL but possibly with a path. Default:
	// PublicURL. It is bound into all keys: a running system must keep it.
	Issuer string

	// Region is the region in pool ids, identity ids and ARNs, at most 18 bytes. Default: us-east-1.
	Region string
	// AccountID is the account in all ARNs, 12 digits. Required. Example: 123456789012.
	AccountID string

	// Data is the folder for the files that idpool makes. Default: the folder of the configuration. Example:
	// /var/lib/idpool.
	Data string
	// Store is the database, sqlite:PATH or postgres://USER@HOST/DATABASE. Required.
	Store StoreURL
	// KeyFile is the path of the key-encryption key, under which everything secret is sealed. Required.
	// `idpool init` makes one. Example: /etc/idpool/key.
	KeyFile string

	// Limits bound what clients may ask for and how long.
	Limits Limits
	// SealedGuests are the ids of pools whose guests have no row until they log in. Default: none.
	SealedGuests []string
	// Cache bounds what a server remembers.
	Cache Cache
	// Fetch says what idpool may get from identity providers, and how.
	Fetch Fetch
	// Issuers are what holds for single issuers of login tokens. Default: none, the defaults hold for all.
	Issuers []Issuer
	// LoginProviders are other places, secrets and limits of login providers.
	LoginProviders LoginProviders

	// Authorities are other authorities whose roles a pool may give, in the order of the file. Default: none.
	Authorities []Authority

	// ClassicWhenUnset says whether a pool that never set AllowClassicFlow has the classic flow: `allow` or `deny`.
	// Default: allow, as AWS has it. `idpool init` writes deny.
	ClassicWhenUnset bool
	// TrustAnyPool says whether IAM takes roles that trust cognito-identity.amazonaws.com without limiting its `aud` to pools:
	// `allow` or `deny`. Default: deny.
	TrustAnyPool bool
	// Log says where records go.
	Log Log

	source source
}

// TLS are the files of the certificate: both are set, or neither.
type TLS struct {
	// Certificate is the path of a PEM file with the certificate and its chain. Example: /etc/idpool/tls.crt.
	Certificate string
	// Key is the path of a PEM file with the private key. Example: /etc/idpool/tls.key.
	Key string
}

// On reports whether the main port speaks TLS.
func (t TLS) On() bool { return t.Certificate != "" }

// Limits of the main port.
type Limits struct {
	// BodyBytes is the size of the largest request body, in bytes. Default: 524288; 4096 to 16777216.
	BodyBytes int64
	// HeaderBytes is the size of a request's headers, in bytes. Default: 16384; 4096 to 1048576.
	HeaderBytes int
	// Connections is how many connections are open at once. Default: 4096; 1 to 1000000.
	Connections int
	// ConnectionsPerClient is how many of them one address may hold; trusted proxies may hold all. Default: 256; 1 to
	// 1000000.
	ConnectionsPerClient int
	// Streams is how many requests at once one HTTP/2 connection carries. Default: 100; 1 to 10000.
	Streams int
	// Verifications is how many login tokens are verified at once; 0 means one for each core. Default: 0; up to 4096.
	Verifications int
	// GuestsPerSecond is how many guests one client address may make in one pool each second; 0 limits nothing.
	// Default: 50; up to 1000000.
	GuestsPerSecond int
	// GuestsBurst is how many it may make at once. Default: 500; 1 to 1000000.
	GuestsBurst int
	// GuestsPerPool is how many guests all clients together may make in one pool each second on one server, and ten times as
	// many at once; 0 limits nothing. Default: 500; up to 1000000.
	GuestsPerPool int
	// GuestsInAll is the same over all pools. Default: 2000.
	GuestsInAll int
	// RefusalsPerClient is how often one client address may be refused each second; the answers to more are held back, each for
	// up to half a second. 0 holds none back. Default: 200; up to 1000000.
	RefusalsPerClient int
	// AuthorityCallsPerClient is how often one client address may have another authority asked for credentials each second,
	// and ten times as often at once; 0 limits nothing. Default: 5; up to 1000000.
	AuthorityCallsPerClient int
	// Operations are how often operations may be called in a second, by all clients together. Default: none is limited.
	// Example: GetId=25.
	Operations []Rate
	// HeaderTimeout is how long the headers of a request may take to arrive. Default: 5s; 100ms to 10m.
	HeaderTimeout time.Duration
	// ReadTimeout is how long a whole request may take to arrive. Default: 15s; 100ms to 10m.
	ReadTimeout time.Duration
	// RequestTimeout is how long a request that has arrived may take to be answered. Default: 20s; 100ms to 10m.
	RequestTimeout time.Duration
	// IdleTimeout is how long a connection stays open without a request. Default: 60s; 100ms to 1h.
	IdleTimeout time.Duration
	// ShutdownTimeout is how long requests under way may take to end when the server stops. Default: 30s; 100ms to 10m.
	ShutdownTimeout time.Duration
}

// Cache says how much a server remembers, so that it need not be read or verified again.
type Cache struct {
	// Identities is how many are remembered, for less than 5 s; 0 means none. Default: 50000; up to 10000000.
	Identities int
	// Tokens is how many verified login tokens are remembered, for at most a minute; 0 means none. Default: 2048; up to
	// 10000000.
	Tokens int
}

// Rate is how often an operation may be called.
type Rate struct {
	Operation string
	PerSecond int // 1 to 1000000
}

// parseRate reads OPERATION=NUMBER. Whether there is such an operation is asked where they are known.
func parseRate(s string) (Rate, *complaint) {
	name, number, found := strings.Cut(s, "=")
	n, err := strconv.Atoi(number)
	if !found || name == "" || err != nil || n < 1 || n > 1000000 {
		return Rate{}, &complaint{"not a rate", "write OPERATION=NUMBER with a number from 1 to 1000000, such as GetId=25"}
	}
	return Rate{name, n}, nil
}

// parsePoolID wants REGION:GUID. Whether there is such a pool changes with time.
func parsePoolID(s string) (string, *complaint) {
	if !poolID.MatchString(s) {
		return "", &complaint{"not the id of a pool", "write REGION:GUID as CreateIdentityPool returned it"}
	}
	return s, nil
}

var poolID = regexp.MustCompile(`^[a-z0-9-]{1,18}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Fetch bounds outgoing requests for keys and metadata.
type Fetch struct {
	// Allow are ranges that may be reached although they are not public. Single addresses are prefixes of full length.
	// Default: none. Example: 10.20.0.0/16.
	Allow []netip.Prefix
	// CAFiles are paths of PEM files with certificate authorities to trust beside the system's. Default: none.
	CAFiles []string
	// Timeout is how long one fetch may take, from the look-up of the name to the last byte. Default: 5s; 100ms to 1m.
	Timeout time.Duration
}

// The places of Log.Events that are no files.
const (
	Stderr = "stderr"
	Stdout = "stdout"
)

// Log says where records go.
type Log struct {
	// Events is where the record of each request goes: Stderr, Stdout, or the path of a file, which always holds a
	// slash. Default: Stderr. Example: /var/log/idpool/events.jsonl.
	Events string
}

// source is where a configuration came from, for the messages of Check.
type source struct {
	file string
	line map[string]int // of each key that the file has
}
