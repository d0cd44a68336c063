package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// RefusedAddress is the error of a connection that was not made because of its address.
type RefusedAddress struct {
	Addr   netip.Addr
	Reason string
}

// Error names the address and the reason.
func (e *RefusedAddress) Error() string {
	return fmt.Sprintf("address %s is refused: %s", e.Addr, e.Reason)
}

// refused are the IPv4 ranges, and the IPv6 ranges inside global unicast, that are not the public internet (the IANA
// special-purpose registries, RFC 6890). All IPv6 outside 2000::/3 is refused without being listed.
var refused = []struct {
	prefix netip.Prefix
	reason string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by a carrier"}, // and a cloud's metadata, 100.100.100.200
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud's metadata"}, // public by its look only
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},           // and metadata, 169.254.169.254
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"}, // and a cloud's metadata, 192.0.0.192
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},

	{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo, benchmarking, ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "6to4"}, // it carries any IPv4 address
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
}

// special names the best known of the IPv6 ranges outside global unicast, for the message only.
var special = []struct {
	prefix netip.Prefix
	reason string
}{
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("64:ff9b::/96"), "NAT64"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "NAT64"},
	{netip.MustParsePrefix("fc00::/7"), "private"}, // and metadata, fd00:ec2::254
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var globalUnicast = netip.MustParsePrefix("2000::/3")

// guard judges addresses: public ones, and those of the configured ranges, may be dialled.
type guard struct {
	allow []netip.Prefix
}

// judge refuses an address that may not be dialled. The address is the one of the connection, so an IPv4 address inside
// an IPv6 one has to be taken out first: netip's own predicates do not see it (CVE-2024-24790).
func (g guard) judge(addr netip.Addr) error {
	addr = addr.Unmap()
	if addr.Zone() != "" {
		return &RefusedAddress{addr, "it names a zone"}
	}
	for _, p := range g.allow {
		if p.Contains(addr) {
			return nil
		}
	}
	for _, r := range refused {
		if r.prefix.Contains(addr) {
			return &RefusedAddress{addr, r.reason}
		}
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return &RefusedAddress{addr, specialReason(addr)}
	}
	return nil
}

func specialReason(addr netip.Addr) string {
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.reason
		}
	}
	return "not global unicast"
}

// judgeLoopback lets loopback addresses through and nothing else: what may be reached without TLS.
func judgeLoopback(addr netip.Addr) error {
	addr = addr.Unmap()
	if addr.Zone() == "" && addr.IsLoopback() {
		return nil
	}
	return &RefusedAddress{addr, "http is for loopback addresses only"}
}

// control returns the hook that a dialer calls with the address of every connection before it makes it.
func control(judge func(netip.Addr) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return errors.New("not a TCP connection")
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return errors.New("not an address and port")
		}
		return judge(ap.Addr())
	}
}
