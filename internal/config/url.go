package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// maxURL is the longest issuer that AWS takes for a provider, so that ours can be one.
const maxURL = 255

const urlHint = "write one such as https://id.example.com"

// parsePublicURL reads where clients reach us. Clients send to the path / and sign it, so there is no other.
func parsePublicURL(s string) (string, *complaint) {
	u, wrong := parseURL(s)
	if wrong == nil && u.Path != "" {
		wrong = &complaint{"has a path, and clients send to / alone", "write scheme, host and port only"}
	}
	return s, wrong
}

var issuerPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// parseIssuer reads an issuer. It is compared byte for byte wherever it is used, so it must have one form only
// (security A14).
func parseIssuer(s string) (string, *complaint) {
	u, wrong := parseURL(s)
	if wrong == nil && !issuerPath.MatchString(u.EscapedPath()) {
		wrong = &complaint{"the path has characters that have more than one form", "use letters, digits and - . _ ~ between single slashes"}
	}
	return s, wrong
}

// parseURL reads an absolute URL in its only form: no user information, query or fragment, no last slash, host in lower
// case, no default port. It is https except on loopback hosts.
func parseURL(s string) (*url.URL, *complaint) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, &complaint{"not an absolute URL", urlHint}
	case u.Scheme != "https" && u.Scheme != "http" || !strings.HasPrefix(s, u.Scheme+"://"):
		return nil, &complaint{"neither https:// nor http://", urlHint}
	case u.User != nil:
		return nil, &complaint{"holds user information", "write it without what stands before the @"}
	case strings.ContainsAny(s, "?#"):
		return nil, &complaint{"has a query or a fragment", "write it without ? and # and what follows"}
	case strings.HasSuffix(s, "/"):
		return nil, &complaint{"ends in a slash", "write it without the last slash"}
	case len(s) > maxURL:
		return nil, &complaint{"longer than 255 characters", urlHint}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, &complaint{"http is for loopback hosts only", "write https://"}
	}
	return u, judgeHost(u)
}

// hostName is a name of labels in lower case, international ones in their ASCII form (xn--…).
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// judgeHost refuses hosts and ports that could be written otherwise. The last label begins with a letter: what ends in a
// number is read as an IPv4 address by some (127.1, 0x7f000001), so it must be one.
func judgeHost(u *url.URL) *complaint {
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" || addr.String() != host {
			return &complaint{"the address has a shorter or plainer form", "write it without zone, leading zeros and capitals"}
		}
	} else if !hostName.MatchString(host) {
		return &complaint{"the host is neither an address nor a name in small letters", "write it in a-z, 0-9, - and ., an international name as xn--"}
	}
	return judgePort(u)
}

func judgePort(u *url.URL) *complaint {
	port := u.Port()
	switch {
	case port == "" && !strings.HasSuffix(u.Host, ":"):
		return nil
	case u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80":
		return &complaint{"names the port that is meant anyway", "write it without :" + port}
	case !validPort(port, 1):
		return &complaint{"the port is not a number from 1 to 65535", urlHint}
	}
	return nil
}
