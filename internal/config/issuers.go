package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"idpool/internal/login"
	"idpool/internal/login/oidc"
)

// Issuer is what holds for the tokens of one OpenID Connect issuer, whatever pools and roles they are for. Except for URL,
// what is not set has the default.
type Issuer struct {
	// URL is the issuer, byte for byte as in `iss`. Required. Example: https://login.example.com.
	URL string
	// Algorithms are the JOSE algorithms that its tokens may be signed with. Default: all that there are.
	Algorithms []string
	// AZPReplacesAudience is AWS's rule: where a token has `azp`, that is looked at instead of `aud`. Default: both must be
	// client ids.
	AZPReplacesAudience bool
	// ExpiryGrace is for how long after `exp` a token is still taken. Default: 0; 100ms to 5m.
	ExpiryGrace time.Duration
	// MaxTokenLife is the longest time from `iat` to `exp`. Default: 0, which means 720h; 100ms to 8760h.
	MaxTokenLife time.Duration
	// CAFiles are paths of PEM files with the only authorities that are trusted for its documents. Default: none, those
	// of all.
	CAFiles []string
	// JWKSFile is the path of a file with its keys, of which nothing is fetched then. Default: none.
	JWKSFile string
}

// maxTokenLife is the longest life of a token that can be allowed.
const maxTokenLife = 365 * 24 * time.Hour

// issuerRows are the keys of an entry of issuers.
var issuerRows = []row{
	{
		key: "issuers", entries: newIssuer,
		doc: `What holds for the tokens of one OpenID Connect issuer, in all pools and roles; issuers that are not named here have
the defaults. A list, with an entry for each issuer.`,
	},
	{
		key: "issuers.url", item: "- ", example: "https://login.example.com",
		doc:  `The issuer, byte for byte as in the claim iss. Every entry has it.`,
		read: one(func(c *Config) *string { return &c.issuer().URL }, parseTokenIssuer),
	},
	{
		key: "issuers.algorithms", item: "  ", example: "[RS256, ES256]",
		doc:  `The algorithms that it may sign with. Without: ` + strings.Join(oidc.Algorithms(), ", ") + `.`,
		read: many(func(c *Config) *[]string { return &c.issuer().Algorithms }, parseAlgorithm),
	},
	{
		key: "issuers.azp_replaces_audience", item: "  ", example: "true",
		doc:  `AWS's rule: where a token has azp, that must be a client id, and aud is not looked at. Without: both must.`,
		read: truth(func(c *Config) *bool { return &c.issuer().AZPReplacesAudience }),
	},
	{
		key: "issuers.expiry_grace", item: "  ", example: "1m",
		doc:  `How long after exp a token is still taken, 100ms to 5m. Without: not at all.`,
		read: duration(func(c *Config) *time.Duration { return &c.issuer().ExpiryGrace }, oidc.MaxExpiryGrace),
	},
	{
		key: "issuers.max_token_life", item: "  ", example: "24h",
		doc:  `The longest time from iat to exp, 100ms to 8760h. Without: 720h.`,
		read: duration(func(c *Config) *time.Duration { return &c.issuer().MaxTokenLife }, maxTokenLife),
	},
	{
		key: "issuers.ca_files", item: "  ", example: "[/etc/idpool/login-ca.pem]",
		doc:  `PEM files with the only certificate authorities to trust for its documents, instead of the system's and fetch.ca_files.`,
		read: many(func(c *Config) *[]string { return &c.issuer().CAFiles }, parsePath),
	},
	{
		key: "issuers.jwks_file", item: "  ", example: "/etc/idpool/login-keys.json",
		doc: `Its keys, a JSON Web Key Set in a file, for sites that reach no provider: nothing is fetched. A file that is replaced is
read within five minutes.`,
		read: one(func(c *Config) *string { return &c.issuer().JWKSFile }, parsePath),
	},
}

// newIssuer begins an entry; the readers of its keys write to the last one.
func newIssuer(c *Config) { c.Issuers = append(c.Issuers, Issuer{}) }

func (c *Config) issuer() *Issuer { return &c.Issuers[len(c.Issuers)-1] }

// parseTokenIssuer reads an issuer as IAM takes it for a provider. http is for loopback addresses, as in development.
func parseTokenIssuer(s string) (string, *complaint) {
	if err := login.CheckIssuer(s, true); err != nil {
		return "", &complaint{strings.TrimPrefix(err.Error(), "the issuer "), "write the issuer of the provider, such as https://login.example.com"}
	}
	return s, nil
}

func parseAlgorithm(s string) (string, *complaint) {
	if known := oidc.Algorithms(); !slices.Contains(known, s) {
		return "", &complaint{"not an algorithm that a token may be signed with", "write some of " + strings.Join(known, ", ")}
	}
	return s, nil
}

// list reads the entries of a row that is a list of sections.
func (p *parser) list(r row, n *yaml.Node) {
	if !p.is(yaml.SequenceNode, r.key, n, "a list", "write an entry that begins with - for each, and its keys below, indented alike") {
		return
	}
	lines := p.config.source.line
	for i, item := range n.Content {
		if !p.is(yaml.MappingNode, r.key, item, "a section", "begin each entry with - and a KEY: VALUE line") {
			continue
		}
		r.entries(p.config)
		p.section(scope{table, ""}, r.key+".", item)
		// The lines of an entry's keys are its own.
		for _, inner := range table {
			if section, _ := inner.split(); section == r.key+"." && lines[inner.key] > 0 {
				lines[entryKey(i, inner.key)] = lines[inner.key]
				delete(lines, inner.key)
			}
		}
		lines[entryKey(i, r.key)] = item.Line
	}
}

// entryKey names a key of the i-th entry of a list among the lines.
func entryKey(i int, key string) string { return fmt.Sprintf("%s#%d", key, i) }

// compareIssuers notes entries that lack their issuer, or that contradict themselves or each other.
func (p *parser) compareIssuers() {
	if !p.usable("issuers") {
		return
	}
	seen := map[string]bool{}
	for i, one := range p.config.Issuers {
		line := p.config.source.line[entryKey(i, "issuers")]
		switch {
		case one.URL == "":
			p.blame(line, "issuers.url", "required, and not in this entry", "write url: https://login.example.com")
		case seen[one.URL]:
			p.blame(line, "issuers.url", "an issuer that has an entry already", "keep one of them")
		}
		seen[one.URL] = true
		if p.config.source.line[entryKey(i, "issuers.algorithms")] > 0 && len(one.Algorithms) == 0 {
			p.blame(line, "issuers.algorithms", "empty, so that no token could be taken", "name some, or remove it")
		}
		if one.JWKSFile != "" && len(one.CAFiles) > 0 {
			p.blame(line, "issuers.ca_files", "beside jwks_file, with which nothing is fetched", "keep one of them")
		}
	}
}

// completeIssuers makes their paths relative to where idpool runs.
func (p *parser) completeIssuers() {
	for i := range p.config.Issuers {
		one := &p.config.Issuers[i]
		for k, path := range one.CAFiles {
			one.CAFiles[k] = p.join(path)
		}
		if one.JWKSFile != "" {
			one.JWKSFile = p.join(one.JWKSFile)
		}
	}
}

// issuerFiles are the files that the issuers name.
func (c *Config) issuerFiles() []named {
	const hint = "write the path of a file"
	var out []named
	for i, one := range c.Issuers {
		for _, path := range one.CAFiles {
			out = append(out, named{key: "issuers.ca_files", line: c.source.line[entryKey(i, "issuers.ca_files")], path: path, hint: hint})
		}
		if one.JWKSFile != "" {
			out = append(out, named{key: "issuers.jwks_file", line: c.source.line[entryKey(i, "issuers.jwks_file")], path: one.JWKSFile, hint: hint})
		}
	}
	return out
}
