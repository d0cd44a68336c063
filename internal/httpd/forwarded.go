package httpd

import (
	"iter"
	"net/http"
	"net/netip"
	"strings"
)

// maxHop is the longest entry of X-Forwarded-For that can be an address: "[", 45 characters, "]:", a port.
const maxHop = 53

// proxies are the trusted ones.
type proxies []netip.Prefix

// newProxies returns the prefixes with IPv4 in IPv6 written as IPv4, as addresses are compared.
func newProxies(trusted []netip.Prefix) proxies {
	out := make(proxies, 0, len(trusted))
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out = append(out, p.Masked())
	}
	return out
}

func (p proxies) trust(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns the address of the client and whether it speaks TLS (security F2, requirement 45).
//
// The headers count only if the socket's peer is a trusted proxy. Then X-Forwarded-For is read from the right, where the
// nearest proxy wrote, up to the first address that is not a trusted proxy: what stands further left is only claimed. An
// entry that is no address ends the walk, at the last trusted hop.
func (p proxies) client(peer netip.Addr, secure bool, h http.Header) (netip.Addr, bool) {
	if !p.trust(peer) {
		return peer, secure
	}
	client, seen := peer, 0
	for entry := range fromRight(h["X-Forwarded-For"]) {
		addr, ok := parseHop(entry)
		if !ok {
			break
		}
		client = addr
		seen++
		if !p.trust(addr) {
			break
		}
	}
	protos := h["X-Forwarded-Proto"]
	if len(protos) == 0 {
		// A proxy that names a client but not its protocol leaves open whether that was TLS.
		return client, secure && seen == 0
	}
	return client, forwardedSecure(protos, max(seen-1, 0))
}

// forwardedSecure reads X-Forwarded-Proto at the client's place, counted from the right as in X-Forwarded-For, since each
// proxy appends to both. A single value stands for the client's whatever its place: such proxies replace or pass it on.
func forwardedSecure(values []string, place int) bool {
	var all []string
	for entry := range fromRight(values) {
		all = append(all, strings.Trim(entry, " \t"))
		if len(all) > place+1 {
			break
		}
	}
	if len(all) == 1 {
		return strings.EqualFold(all[0], "https")
	}
	return place < len(all) && strings.EqualFold(all[place], "https")
}

// fromRight yields the comma-separated entries of all lines of a header, the last one first.
func fromRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := len(lines) - 1; i >= 0; i-- {
			for line, more := lines[i], true; more; {
				comma := strings.LastIndexByte(line, ',')
				if !yield(line[comma+1:]) {
					return
				}
				if more = comma >= 0; more {
					line = line[:comma]
				}
			}
		}
	}
}

// parseHop reads an entry of X-Forwarded-For: an address, bare or with a port, IPv6 also in brackets. Zones and addresses
// that no client can have are refused.
func parseHop(entry string) (netip.Addr, bool) {
	entry = strings.Trim(entry, " \t")
	if entry == "" || len(entry) > maxHop {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(unbracket(entry))
	if err != nil {
		withPort, err := netip.ParseAddrPort(entry)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	if addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}

// unbracket takes the brackets from "[IPv6]"; anything else stays.
func unbracket(s string) string {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return s
	}
	inner, ok = strings.CutSuffix(inner, "]")
	if !ok || !strings.Contains(inner, ":") {
		return s
	}
	return inner
}

// peerAddress reads the address of a socket, without zone and with IPv4 as IPv4.
func peerAddress(hostPort string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
