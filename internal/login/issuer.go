package login

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxIssuer is AWS's limit on the URL of an OpenID Connect provider, in bytes.
const maxIssuer = 255

// CheckIssuer says what is wrong with an issuer that somebody wants to configure, or nil (security A14).
//
// At run time `iss` is compared with the issuer byte for byte. So that two spellings of one issuer can never be two
// providers, only one spelling can be configured: https, a lower-case ASCII host in its canonical form, no user
// information, query or fragment, no port that is the default anyway, and a path that nothing would rewrite. With
// loopbackHTTP, for development, http is taken for localhost and loopback addresses.
func CheckIssuer(issuer string, loopbackHTTP bool) error {
	if len(issuer) > maxIssuer {
		return fmt.Errorf("the issuer is longer than %d bytes", maxIssuer)
	}
	for i := range len(issuer) {
		if c := issuer[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`?#@\%"<>^{}|`+"`", c) >= 0 {
			return errors.New("the issuer holds a character that it may not: write it in plain ASCII, without user information, query, fragment or escapes")
		}
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Opaque != "" || u.String() != issuer {
		return errors.New("the issuer is not a URL in its usual form, such as https://login.example.com/tenant")
	}
	host, port, err := splitHost(u.Host)
	if err != nil {
		return err
	}
	if err := checkScheme(u.Scheme, host, port, loopbackHTTP); err != nil {
		return err
	}
	return checkPath(u.Path)
}

// splitHost takes the host of a URL apart and checks both parts. Brackets stay on the host.
func splitHost(hostport string) (host, port string, err error) {
	host = hostport
	if i := strings.LastIndexByte(hostport, ':'); i > strings.LastIndexByte(hostport, ']') {
		host, port = hostport[:i], hostport[i+1:]
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", "", errors.New("the issuer's port is not a number from 1 to 65535")
		}
	}
	return host, port, checkHost(host)
}

// checkHost wants an IP address in its canonical form, or a name of lower-case letters, digits and hyphens.
func checkHost(host string) error {
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil || "["+addr.String()+"]" != host || addr.Is4In6() {
			return errors.New("the issuer's IPv6 address is not in its canonical form")
		}
		return nil
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if last != "" && '0' <= last[0] && last[0] <= '9' {
		// A name that ends in a number is read as an address by some and looked up by others.
		if addr, err := netip.ParseAddr(host); err != nil || addr.String() != host {
			return errors.New("the issuer's host ends in a number and is not an IPv4 address")
		}
		return nil
	}
	if len(host) > 253 {
		return errors.New("the issuer's host is too long")
	}
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(label string) error {
	if label == "" {
		return errors.New("the issuer names no host, or its host has an empty label; it must not end in a dot")
	}
	if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return errors.New("a label of the issuer's host is longer than 63 bytes or begins or ends with a hyphen")
	}
	for i := range len(label) {
		if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("the issuer's host must be of lower-case letters, digits, hyphens and dots")
		}
	}
	return nil
}

func checkScheme(scheme, host, port string, loopbackHTTP bool) error {
	switch {
	case scheme == "https" && port == "443", scheme == "http" && port == "80":
		return errors.New("the issuer spells out the default port: leave it away")
	case scheme == "https":
		return nil
	case scheme == "http" && loopbackHTTP && isLoopback(host):
		return nil
	}
	return errors.New("the issuer must begin with https://")
}

// isLoopback reports whether a checked host is this machine: localhost, or a loopback address.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func checkPath(path string) error {
	if path == "" {
		return nil
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		if s == "." || s == ".." || s == "" && !last {
			return errors.New("the issuer's path holds an empty or a dot segment")
		}
	}
	return nil
}
