package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// row is a key of the file, or a section of keys.
type row struct {
	key string // with its section: limits.body_bytes
	doc string // the comment above it in the files that we write
	// value is the default as YAML, and example is what may be written where there is no default; for a section both are
	// empty.
	value, example string
	required       bool
	read           reader // nil for a section
	// entries makes the section a list of sections: it begins the next one. item is what stands in front of the keys inside.
	entries func(*Config)
	item    string
	// each are the keys of every entry of a section whose entries are named by whoever writes them; example is a name.
	each []row
}

// split returns the section with its dot, or "", and the key inside it.
func (r row) split() (section, key string) {
	dot := strings.LastIndexByte(r.key, '.') + 1
	return r.key[:dot], r.key[dot:]
}

// table are all keys, in the order in which they are written. The rows of a section follow its own.
var table = slices.Concat(baseRows, issuerRows, providerRows, endRows)

var baseRows = []row{
	{
		key: "listen", value: "127.0.0.1:8440",
		doc: `The address of the main port: IP:PORT, or :PORT for all addresses of this machine. Without tls below it is
a loopback address, or trusted_proxies are set.`,
		read: oneOr(addressHint, func(c *Config) *string { return &c.Listen }, parseAddress),
	},
	{
		key: "tls",
		doc: `TLS of the main port. Without this section it is plain HTTP, for a proxy in front that speaks TLS.`,
	},
	{
		key: "tls.certificate", example: "/etc/idpool/tls.crt",
		doc:  `The certificate and its chain, a PEM file.`,
		read: one(func(c *Config) *string { return &c.TLS.Certificate }, parsePath),
	},
	{
		key: "tls.key", example: "/etc/idpool/tls.key",
		doc:  `Its private key, a PEM file.`,
		read: one(func(c *Config) *string { return &c.TLS.Key }, parsePath),
	},
	{
		key: "trusted_proxies", value: "[]", example: "[10.0.0.0/8, 192.0.2.7]",
		doc: `The proxies in front of idpool, as ranges or addresses. What they say of a client's address is believed; what
others say is not.`,
		read: many(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, parsePrefix),
	},
	{
		key: "metrics", example: "127.0.0.1:9440",
		doc:  `The address of a listener for metrics alone, in plain HTTP and for everybody who reaches it. Off by default.`,
		read: oneOr(addressHint, func(c *Config) *string { return &c.Metrics }, parseAddress),
	},
	{
		key: "public_url", example: "https://id.example.com", required: true,
		doc:  `Where clients reach idpool: scheme, host and port. http:// is for loopback hosts only. Required.`,
		read: one(func(c *Config) *string { return &c.PublicURL }, parsePublicURL),
	},
	{
		key: "issuer", example: "https://id.example.com",
		doc: `The issuer of the tokens that idpool signs. Default: public_url. All keys are bound to it: when public_url moves,
write the old one here.`,
		read: one(func(c *Config) *string { return &c.Issuer }, parseIssuer),
	},
	{
		key: "region", value: "us-east-1",
		doc:  `The region in the ids of pools and identities, and in ARNs.`,
		read: one(func(c *Config) *string { return &c.Region }, parseRegion),
	},
	{
		key: "account_id", example: `"123456789012"`, required: true,
		doc: `The account in all ARNs: 12 digits, in quotes, so that a zero in front is kept. Required.`,
		read: oneOr(`write it in quotes, such as "012345678901"`,
			func(c *Config) *string { return &c.AccountID }, parseAccount),
	},
	{
		key: "data", value: ".", example: "/var/lib/idpool",
		doc:  `The folder for the files that idpool makes.`,
		read: one(func(c *Config) *string { return &c.Data }, parsePath),
	},
	{
		key: "store", example: "sqlite:idpool.db", required: true,
		doc: `The database: sqlite:PATH, relative to data, or postgres://USER:PASSWORD@HOST/DATABASE, where the password is best
written as ${file:/run/secrets/NAME}. Required.`,
		read: one(func(c *Config) *StoreURL { return &c.Store }, parseStore),
	},
	{
		key: "key_file", example: "/etc/idpool/key", required: true,
		doc:  `The key under which everything secret in the database is encrypted. Only its owner may read it. Required.`,
		read: one(func(c *Config) *string { return &c.KeyFile }, parsePath),
	},
	{
		key: "limits",
		doc: `What clients may ask for, and how long it may take.`,
	},
	{
		key: "limits.body_bytes", value: "524288",
		doc:  `The size of a request body in bytes, 4096 to 16777216.`,
		read: whole(func(c *Config) *int64 { return &c.Limits.BodyBytes }, 4<<10, 16<<20),
	},
	{
		key: "limits.header_bytes", value: "16384",
		doc:  `The size of a request's headers in bytes, 4096 to 1048576.`,
		read: whole(func(c *Config) *int { return &c.Limits.HeaderBytes }, 4<<10, 1<<20),
	},
	{
		key: "limits.connections", value: "4096",
		doc:  `How many connections are open at once, 1 to 1000000.`,
		read: whole(func(c *Config) *int { return &c.Limits.Connections }, 1, 1_000_000),
	},
	{
		key: "limits.connections_per_client", value: "256",
		doc:  `How many of them one address may hold, 1 to 1000000. Trusted proxies may hold all.`,
		read: whole(func(c *Config) *int { return &c.Limits.ConnectionsPerClient }, 1, 1_000_000),
	},
	{
		key: "limits.streams", value: "100",
		doc:  `How many requests at once one HTTP/2 connection carries, 1 to 10000.`,
		read: whole(func(c *Config) *int { return &c.Limits.Streams }, 1, 10_000),
	},
	{
		key: "limits.verifications", value: "0",
		doc:  `How many login tokens are verified at once, up to 4096; 0 means one for each core.`,
		read: whole(func(c *Config) *int { return &c.Limits.Verifications }, 0, 4096),
	},
	{
		key: "limits.guests_per_second", value: "50",
		doc:  `How many guests one client address may make in one pool each second, up to 1000000; 0 limits nothing.`,
		read: whole(func(c *Config) *int { return &c.Limits.GuestsPerSecond }, 0, 1000000),
	},
	{
		key: "limits.guests_burst", value: "500",
		doc:  `How many it may make at once, 1 to 1000000.`,
		read: whole(func(c *Config) *int { return &c.Limits.GuestsBurst }, 1, 1000000),
	},
	{
		key: "limits.guests_per_pool", value: "500",
		doc: `How many guests all clients together may make in one pool each second on this server, up to 1000000, and ten times
as many at once; 0 limits nothing.`,
		read: whole(func(c *Config) *int { return &c.Limits.GuestsPerPool }, 0, 1000000),
	},
	{
		key: "limits.guests_in_all", value: "2000",
		doc:  `The same over all pools.`,
		read: whole(func(c *Config) *int { return &c.Limits.GuestsInAll }, 0, 1000000),
	},
	{
		key: "limits.refusals_per_client", value: "200",
		doc: `How often one client address may be refused each second, up to 1000000; the answers to more are held back, each for up
to half a second, so that who tries forged tokens waits and others do not. 0 holds none back. A proxy in front
belongs in trusted_proxies, or else all clients behind it are one.`,
		read: whole(func(c *Config) *int { return &c.Limits.RefusalsPerClient }, 0, 1000000),
	},
	{
		key: "limits.authority_calls_per_client", value: "5",
		doc: `How often one client address may have one of authorities asked for credentials each second, up to 1000000, and ten
times as often at once; 0 limits nothing.`,
		read: whole(func(c *Config) *int { return &c.Limits.AuthorityCallsPerClient }, 0, 1000000),
	},
	{
		key: "limits.operations", value: "[]", example: "[GetId=25, ListIdentities=5]",
		doc:  `How often each operation may be called in a second, by all clients together; what is not named is not limited.`,
		read: many(func(c *Config) *[]Rate { return &c.Limits.Operations }, parseRate),
	},
	{
		key: "limits.header_timeout", value: "5s",
		doc:  `How long the headers of a request may take to arrive, 100ms to 10m.`,
		read: duration(func(c *Config) *time.Duration { return &c.Limits.HeaderTimeout }, 10*time.Minute),
	},
	{
		key: "limits.read_timeout", value: "15s",
		doc:  `How long a whole request may take to arrive, 100ms to 10m.`,
		read: duration(func(c *Config) *time.Duration { return &c.Limits.ReadTimeout }, 10*time.Minute),
	},
	{
		key: "limits.request_timeout", value: "20s",
		doc:  `How long a request that has arrived may take to be answered, 100ms to 10m.`,
		read: duration(func(c *Config) *time.Duration { return &c.Limits.RequestTimeout }, 10*time.Minute),
	},
	{
		key: "limits.idle_timeout", value: "60s",
		doc:  `How long a connection stays open without a request, 100ms to 1h.`,
		read: duration(func(c *Config) *time.Duration { return &c.Limits.IdleTimeout }, time.Hour),
	},
	{
		key: "limits.shutdown_timeout", value: "30s",
		doc:  `How long requests under way may take to end when the server stops, 100ms to 10m.`,
		read: duration(func(c *Config) *time.Duration { return &c.Limits.ShutdownTimeout }, 10*time.Minute),
	},
	{
		key: "sealed_guests", value: "[]", example: "[us-east-1:11111111-2222-4333-8444-555555555555]",
		doc: `The pools whose guests take no row of the database until they log in or are deleted: their ids prove themselves.
All servers name the same pools. Guests of a pool that is taken away from here again are known no more.`,
		read: many(func(c *Config) *[]string { return &c.SealedGuests }, parsePoolID),
	},
	{
		key: "cache",
		doc: `What a server remembers of what it has just read or verified.`,
	},
	{
		key: "cache.identities", value: "50000",
		doc: `How many identities are remembered for up to 5 s, up to 10000000; about 600 bytes each. What another server
changes is seen that much later. 0 asks the store each time.`,
		read: whole(func(c *Config) *int { return &c.Cache.Identities }, 0, 10_000_000),
	},
	{
		key: "cache.tokens", value: "2048",
		doc: `How many verified login tokens of up to 4 KiB are remembered for up to a minute, up to 10000000; about 4 kB each. Their
times, audience and provider are judged each time, and a token ends with its key. 0 verifies each time.`,
		read: whole(func(c *Config) *int { return &c.Cache.Tokens }, 0, 10_000_000),
	},
	{
		key: "fetch",
		doc: `What idpool may get from identity providers: their keys and metadata.`,
	},
	{
		key: "fetch.allow", value: "[]", example: "[10.20.0.0/16]",
		doc: `Ranges that may be reached although they are not public, such as that of a provider of your own. Ranges that hold
a cloud's metadata address make it reachable.`,
		read: many(func(c *Config) *[]netip.Prefix { return &c.Fetch.Allow }, parsePrefix),
	},
	{
		key: "fetch.ca_files", value: "[]", example: "[/etc/idpool/company-ca.pem]",
		doc:  `PEM files with certificate authorities to trust beside the system's.`,
		read: many(func(c *Config) *[]string { return &c.Fetch.CAFiles }, parsePath),
	},
	{
		key: "fetch.timeout", value: "5s",
		doc:  `How long one fetch may take, 100ms to 1m.`,
		read: duration(func(c *Config) *time.Duration { return &c.Fetch.Timeout }, time.Minute),
	},
}

var endRows = []row{
	{
		key: "classic_flow_when_unset", value: "allow",
		doc: `Whether a pool that never said so has the classic flow, in which a client takes a token to the STS and chooses the
role itself: allow, as AWS has it, or deny.`,
		read: one(func(c *Config) *bool { return &c.ClassicWhenUnset }, parsePermission),
	},
	{
		key: "trust_any_pool", value: "deny",
		doc: `Whether a role may trust cognito-identity.amazonaws.com without limiting cognito-identity.amazonaws.com:aud to pools,
so that the identities of every pool can assume it: deny, or allow, as AWS has older roles.`,
		read: one(func(c *Config) *bool { return &c.TrustAnyPool }, parsePermission),
	},
	{
		key: "authorities", example: "storage", each: authorityKeys,
		doc: `Other authorities whose roles a pool may give: an AWS account, or a storage cluster with an STS of its own. Each
has a name, in a-z, 0-9 and -, which is part of its issuer: public_url/authority/NAME.`,
	},
	{
		key: "log",
		doc: `Where records go.`,
	},
	{
		key: "log.events", value: Stderr, example: "/var/log/idpool/events.jsonl",
		doc:  `The record of each request, as a line of JSON: stderr, stdout, or the path of a file, with a slash in it.`,
		read: one(func(c *Config) *string { return &c.Log.Events }, parseEvents),
	},
}

// duration is a reader of a duration of up to most.
func duration(at func(*Config) *time.Duration, most time.Duration) reader {
	return oneOr(durationHint, at, durationUpTo(most))
}
