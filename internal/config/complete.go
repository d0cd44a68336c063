package config

import (
	"net"
	"path/filepath"
	"strings"
)

// complete fills in what follows from other keys: paths become relative to where idpool runs, and the issuer is the
// public URL.
func (p *parser) complete() {
	c := p.config
	for _, path := range []*string{&c.TLS.Certificate, &c.TLS.Key, &c.Data, &c.KeyFile} {
		if *path != "" {
			*path = p.join(*path)
		}
	}
	for i, path := range c.Fetch.CAFiles {
		c.Fetch.CAFiles[i] = p.join(path)
	}
	p.completeIssuers()
	for i := range c.Authorities {
		a := &c.Authorities[i]
		for _, path := range []*string{&a.SessionPolicy, &a.GuestSessionPolicy} {
			if *path != "" {
				*path = p.join(*path)
			}
		}
		for j, path := range a.CAFiles {
			a.CAFiles[j] = p.join(path)
		}
	}
	if c.Log.Events != Stderr && c.Log.Events != Stdout {
		c.Log.Events = withSlash(p.join(c.Log.Events))
	}
	if path, found := strings.CutPrefix(c.Store.Reveal(), sqliteScheme); found {
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Data, path)
		}
		c.Store = NewStoreURL(sqliteScheme + filepath.Clean(path))
	}
	if c.Issuer == "" {
		c.Issuer = c.PublicURL
	}
}

// withSlash keeps the path of a file apart from the words stderr and stdout.
func withSlash(path string) string {
	if strings.ContainsRune(path, filepath.Separator) {
		return path
	}
	return "." + string(filepath.Separator) + path
}

// compare notes keys that do not go together. Keys that have a mistake of their own are left out.
func (p *parser) compare() {
	p.compareTLS()
	p.compareListeners()
	p.compareURLs()
	p.compareIssuers()
	p.compareProviders()
	p.compareAuthorities()
}

func (p *parser) compareTLS() {
	if !p.usable("tls") || !p.has("tls") {
		return
	}
	if p.config.TLS.Certificate == "" {
		p.clash("tls", "without certificate", "write the path of the certificate as tls.certificate, or remove tls")
	}
	if p.config.TLS.Key == "" {
		p.clash("tls", "without key", "write the path of the private key as tls.key, or remove tls")
	}
}

func (p *parser) compareListeners() {
	c := p.config
	if !p.usable("listen", "tls") {
		return
	}
	if host, _, _ := net.SplitHostPort(c.Listen); p.usable("trusted_proxies") && !p.has("tls") &&
		len(c.TrustedProxies) == 0 && !loopback(host) {
		p.clash("listen", "plain HTTP on an address that others reach", "set tls; or listen on 127.0.0.1; or name the proxies in front, which speak TLS, as trusted_proxies")
	}
	if p.usable("metrics") && samePort(c.Listen, c.Metrics) {
		p.clash("metrics", "on the port of listen", "write another port")
	}
}

// samePort reports whether two listeners would want the same port of the same address.
func samePort(a, b string) bool {
	if b == "" {
		return false
	}
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	return portA == portB && portA != "0" && (hostA == hostB || everywhere(hostA) || everywhere(hostB))
}

func everywhere(host string) bool {
	return host == "" || host == "0.0.0.0" || host == "::"
}

func (p *parser) compareURLs() {
	c := p.config
	if !p.usable("public_url") {
		return
	}
	plain := strings.HasPrefix(c.PublicURL, "http:")
	if plain && p.has("tls") {
		p.clash("public_url", "http, while tls is set", "write https://")
	}
	if p.usable("issuer") && !plain && strings.HasPrefix(c.Issuer, "http:") {
		p.clash("issuer", "http, while public_url is https", "write https://")
	}
}

// usable reports whether none of the keys has a mistake. A section has those of its keys.
func (p *parser) usable(keys ...string) bool {
	for _, key := range keys {
		if p.bad[key] {
			return false
		}
	}
	return true
}

// has reports whether the file has the key or section.
func (p *parser) has(key string) bool { return p.config.source.line[key] > 0 }

// clash notes a mistake at the line of a key, if it has one.
func (p *parser) clash(key, problem, hint string) {
	p.blame(p.config.source.line[key], key, problem, hint)
}
