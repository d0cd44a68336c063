package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestAddresses: security B3. Literals that must not be dialled, with the reason given.
func TestAddresses(t *testing.T) {
	c := New(Config{})
	for literal, want := range map[string]string{
		"0.0.0.0":                         "unspecified",
		"0.1.2.3":                         "unspecified",
		"10.0.0.1":                        "private",
		"10.255.255.255":                  "private",
		"100.64.0.1":                      "carrier",
		"100.100.100.200":                 "carrier",
		"100.127.255.255":                 "carrier",
		"127.0.0.1":                       "loopback",
		"127.255.255.254":                 "loopback",
		"168.63.129.16":                   "metadata",
		"169.254.0.1":                     "link-local",
		"169.254.169.254":                 "link-local",
		"172.16.0.1":                      "private",
		"172.31.255.255":                  "private",
		"192.0.0.192":                     "reserved",
		"192.0.2.1":                       "documentation",
		"192.88.99.1":                     "6to4",
		"192.168.1.1":                     "private",
		"198.18.0.1":                      "benchmarking",
		"198.19.255.255":                  "benchmarking",
		"198.51.100.1":                    "documentation",
		"203.0.113.1":                     "documentation",
		"224.0.0.1":                       "multicast",
		"239.255.255.255":                 "multicast",
		"240.0.0.1":                       "reserved",
		"255.255.255.255":                 "reserved",
		"[::]":                            "unspecified",
		"[::1]":                           "loopback",
		"[::127.0.0.1]":                   "not global unicast",
		"[::ffff:127.0.0.1]":              "loopback",
		"[::ffff:169.254.169.254]":        "link-local",
		"[::ffff:a00:1]":                  "private",
		"[64:ff9b::7f00:1]":               "NAT64",
		"[64:ff9b::169.254.169.254]":      "NAT64",
		"[64:ff9b:1::a00:1]":              "NAT64",
		"[100::1]":                        "not global unicast",
		"[2001::1]":                       "reserved",
		"[2001:10::1]":                    "reserved",
		"[2001:db8::1]":                   "documentation",
		"[2002:7f00:1::]":                 "6to4",
		"[2002:a9fe:a9fe::1]":             "6to4",
		"[3fff::1]":                       "documentation",
		"[4000::1]":                       "not global unicast",
		"[5f00::1]":                       "not global unicast",
		"[fc00::1]":                       "private",
		"[fd00:ec2::254]":                 "private",
		"[fe80::1]":                       "link-local",
		"[fe80::1%25lo]":                  "zone",
		"[fec0::1]":                       "not global unicast",
		"[ff02::1]":                       "multicast",
		"[0:0:0:0:0:ffff:7f00:0001]":      "loopback",
		"[0000:0000:0000:0000:0:0:0:001]": "loopback",
	} {
		_, err := c.Get(t.Context(), "https://"+literal+":9/")
		refused, ok := errors.AsType[*RefusedAddress](err)
		if !ok || !strings.Contains(refused.Reason, want) {
			t.Errorf("%s: got %v, want a refused address: %s", literal, err, want)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, addr := range []string{"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
		"168.63.129.17", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8",
		"2001:4860:4860::8888", "2600::1", "2003::1", "3ffe::1"} {
		if err := (guard{}).judge(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("%s: got %v, want no error", addr, err)
		}
	}
}

func TestAllow(t *testing.T) {
	g := guard{allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fe80::/10")}}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": false,
		"fe80::1": true, "fe80::1%eth0": false, "::1": false, "8.8.8.8": true,
	} {
		if got := g.judge(netip.MustParseAddr(addr)) == nil; got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}

// TestNames: whatever a name looks like, the address that it leads to is judged. (Some resolvers read numbers as
// addresses, others find no such host. Neither may end in a connection.)
func TestNames(t *testing.T) {
	c := New(Config{Resolver: mustResolve(t, []string{"127.0.0.1"})})
	for _, host := range []string{"example.com", "2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1", "localhost", "127.0.0.1.nip.example"} {
		_, err := c.Get(t.Context(), "https://"+host+":9/")
		_, refused := errors.AsType[*RefusedAddress](err)
		_, unknown := errors.AsType[*net.DNSError](err)
		if !refused && !(unknown && strings.Trim(host, "0123456789.") == "") {
			t.Errorf("%s: got %v, want a refused address", host, err)
		}
	}
}

// TestRebinding: the name first leads to a permitted address and then to another. 127.0.0.2 stands for the public one.
func TestRebinding(t *testing.T) {
	ca := mustAuthority(t)
	cert := ca.mustIssue(t, func(*x509.Certificate) {})
	port := netip.MustParseAddrPort(strings.TrimPrefix(mustServeTLS(t, "127.0.0.2:0", &tls.Config{Certificates: []tls.Certificate{cert}}), "https://")).Port()
	c := New(Config{
		Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
		RootCAs:  ca.pool,
		Resolver: mustResolve(t, []string{"127.0.0.2"}, []string{"127.0.0.1", "127.0.0.2"}, []string{"127.0.0.1"}),
	})
	url := "https://" + netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port).String()
	url = strings.Replace(url, "127.0.0.2", "example.com", 1)
	for i, want := range []bool{true, true, false, false} {
		_, err := c.Get(t.Context(), url)
		if got := err == nil; got != want {
			t.Errorf("fetch %d: got %v, want success %v", i, err, want)
		}
		if _, refused := errors.AsType[*RefusedAddress](err); refused == want {
			t.Errorf("fetch %d: got %v, want a refused address: %v", i, err, !want)
		}
		c.Close()
	}
}

// TestLoopbackHTTP: http reaches loopback addresses only, even where a range is allowed for https.
func TestLoopbackHTTP(t *testing.T) {
	c := New(Config{LoopbackHTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, Resolver: mustResolve(t, []string{"10.0.0.1"})})
	for _, host := range []string{"10.0.0.1", "169.254.169.254", "example.com", "[::ffff:10.0.0.1]", "0.0.0.0"} {
		_, err := c.Get(t.Context(), "http://"+host+":9/")
		if _, ok := errors.AsType[*RefusedAddress](err); !ok {
			t.Errorf("%s: got %v, want a refused address", host, err)
		}
	}
}
