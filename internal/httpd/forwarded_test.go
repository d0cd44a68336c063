package httpd

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// The client's address (security F2, I10, requirement 45). The trusted proxies are 10.0.0.0/8, 192.0.2.7 and fd00::/8.
func TestClientAddress(t *testing.T) {
	p := newProxies(prefixes("10.0.0.0/8", "::ffff:192.0.2.7/128", "fd00::/8"))
	tests := []struct {
		name, peer string
		secure     bool
		fields     []string // "Name: value"
		want       string
		wantSecure bool
	}{
		{"direct", "203.0.113.9", false, nil, "203.0.113.9", false},
		{"direct over TLS", "203.0.113.9", true, nil, "203.0.113.9", true},
		{"spoof by a stranger", "203.0.113.9", false, []string{"X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https"}, "203.0.113.9", false},
		{"spoofed loopback by a stranger", "203.0.113.9", false, []string{"X-Forwarded-For: 127.0.0.1"}, "203.0.113.9", false},
		{"stranger over TLS says http", "203.0.113.9", true, []string{"X-Forwarded-Proto: http"}, "203.0.113.9", true},
		{"one proxy", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4"}, "198.51.100.4", false},
		{"one proxy, https", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: https"}, "198.51.100.4", true},
		{"one proxy, HTTPS in capitals", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: HTTPS"}, "198.51.100.4", true},
		{"prefix given as 4in6", "192.0.2.7", false, []string{"X-Forwarded-For: 198.51.100.4"}, "198.51.100.4", false},
		{"neighbour of a trusted host", "192.0.2.8", false, []string{"X-Forwarded-For: 198.51.100.4"}, "192.0.2.8", false},
		{"client prepends a lie", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8, 198.51.100.4"}, "198.51.100.4", false},
		{"client claims to be a proxy", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8, 10.9.9.9, 198.51.100.4"}, "198.51.100.4", false},
		{"lie on a line of its own", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8", "X-Forwarded-For: 198.51.100.4"}, "198.51.100.4", false},
		{"two proxies", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8, 198.51.100.4, 10.0.0.2"}, "198.51.100.4", false},
		{"two proxies over two lines", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8, 198.51.100.4", "X-Forwarded-For: 10.0.0.2"}, "198.51.100.4", false},
		{"only proxies", "10.0.0.1", false, []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3", false},
		{"no header", "10.0.0.1", false, nil, "10.0.0.1", false},
		{"no header, TLS to us", "10.0.0.1", true, nil, "10.0.0.1", true},
		{"empty header", "10.0.0.1", false, []string{"X-Forwarded-For: "}, "10.0.0.1", false},
		{"garbage nearest to us", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4, unknown"}, "10.0.0.1", false},
		{"garbage behind a proxy", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8, _hidden, 10.0.0.2"}, "10.0.0.2", false},
		{"empty entry", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8,, 10.0.0.2"}, "10.0.0.2", false},
		{"comma at the end", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4,"}, "10.0.0.1", false},
		{"a name", "10.0.0.1", false, []string{"X-Forwarded-For: localhost"}, "10.0.0.1", false},
		{"octal", "10.0.0.1", false, []string{"X-Forwarded-For: 0198.51.100.4"}, "10.0.0.1", false},
		{"one number", "10.0.0.1", false, []string{"X-Forwarded-For: 3325256708"}, "10.0.0.1", false},
		{"zone", "10.0.0.1", false, []string{"X-Forwarded-For: fe80::1%eth0"}, "10.0.0.1", false},
		{"unspecified", "10.0.0.1", false, []string{"X-Forwarded-For: 0.0.0.0"}, "10.0.0.1", false},
		{"multicast", "10.0.0.1", false, []string{"X-Forwarded-For: 224.0.0.1"}, "10.0.0.1", false},
		{"quoted", "10.0.0.1", false, []string{`X-Forwarded-For: "198.51.100.4"`}, "10.0.0.1", false},
		{"two addresses with a space", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8 198.51.100.4"}, "10.0.0.1", false},
		{"with a port", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4:5555"}, "198.51.100.4", false},
		{"with an impossible port", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4:99999"}, "10.0.0.1", false},
		{"4in6 client", "10.0.0.1", false, []string{"X-Forwarded-For: ::ffff:198.51.100.4"}, "198.51.100.4", false},
		{"4in6 proxy in the list", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4, ::ffff:10.0.0.2"}, "198.51.100.4", false},
		{"IPv6", "fd00::1", false, []string{"X-Forwarded-For: 2001:db8::5"}, "2001:db8::5", false},
		{"IPv6 in brackets", "fd00::1", false, []string{"X-Forwarded-For: [2001:db8::5]"}, "2001:db8::5", false},
		{"IPv6 with a port", "fd00::1", false, []string{"X-Forwarded-For: [2001:db8::5]:443"}, "2001:db8::5", false},
		{"IPv4 in brackets", "fd00::1", false, []string{"X-Forwarded-For: [198.51.100.4]"}, "fd00::1", false},
		{"tabs", "10.0.0.1", false, []string{"X-Forwarded-For: 8.8.8.8,\t198.51.100.4\t"}, "198.51.100.4", false},
		{"other headers do not count", "10.0.0.1", false, []string{"X-Real-Ip: 8.8.8.8", "Forwarded: for=8.8.8.8;proto=https",
			"X-Forwarded: 8.8.8.8", "True-Client-Ip: 8.8.8.8", "X_Forwarded_For: 8.8.8.8", "X-Forwarded-Ssl: on"}, "10.0.0.1", false},
		{"named in Connection", "10.0.0.1", false, []string{"Connection: X-Forwarded-For", "X-Forwarded-For: 198.51.100.4"}, "198.51.100.4", false},

		{"lie about the protocol before an appending proxy", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: https, http"}, "198.51.100.4", false},
		{"the same the other way round", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: http, https"}, "198.51.100.4", true},
		{"two proxies, plain between them", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 198.51.100.4, 10.0.0.2", "X-Forwarded-Proto: https, http"}, "198.51.100.4", true},
		{"two proxies, a lie first", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 8.8.8.8, 198.51.100.4, 10.0.0.2", "X-Forwarded-Proto: https, http, https"}, "198.51.100.4", false},
		{"two proxies, the second passes the value on", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 198.51.100.4, 10.0.0.2", "X-Forwarded-Proto: https"}, "198.51.100.4", true},
		{"fewer protocols than hops", "10.0.0.1", false,
			[]string{"X-Forwarded-For: 198.51.100.4, 10.0.0.3, 10.0.0.2", "X-Forwarded-Proto: https, https"}, "198.51.100.4", false},
		{"not a protocol", "10.0.0.1", false, []string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: httpss"}, "198.51.100.4", false},
		{"a client named, its protocol not", "10.0.0.1", true, []string{"X-Forwarded-For: 198.51.100.4"}, "198.51.100.4", false},
		{"TLS to us, plain to the proxy", "10.0.0.1", true, []string{"X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: http"}, "198.51.100.4", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for _, f := range tt.fields {
				name, value, _ := strings.Cut(f, ": ")
				h[name] = append(h[name], value)
			}
			got, secure := p.client(netip.MustParseAddr(tt.peer), tt.secure, h)
			if got.String() != tt.want || secure != tt.wantSecure {
				t.Errorf("got %s secure %t, want %s secure %t", got, secure, tt.want, tt.wantSecure)
			}
		})
	}
}

func TestNoProxiesTrustNobody(t *testing.T) {
	h := http.Header{"X-Forwarded-For": {"8.8.8.8"}, "X-Forwarded-Proto": {"https"}}
	for _, peer := range []string{"127.0.0.1", "::1", "10.0.0.1"} {
		got, secure := newProxies(nil).client(netip.MustParseAddr(peer), false, h)
		if got.String() != peer || secure {
			t.Errorf("peer %s: got %s secure %t", peer, got, secure)
		}
	}
}

func TestPeerAddress(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"127.0.0.1:80", "127.0.0.1"},
		{"[::1]:80", "::1"},
		{"[::ffff:10.0.0.1]:80", "10.0.0.1"},
		{"[fe80::1%eth0]:80", "fe80::1"},
		{"nonsense", "invalid IP"},
		{"", "invalid IP"},
	} {
		if got := peerAddress(tt.in).String(); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

// A long list must cost no more than reading it.
func BenchmarkForwardedFor(b *testing.B) {
	p := newProxies(prefixes("10.0.0.0/8"))
	h := http.Header{"X-Forwarded-For": {strings.Repeat("10.0.0.2, ", 1600) + "10.0.0.2"}}
	for b.Loop() {
		p.client(netip.MustParseAddr("10.0.0.1"), false, h)
	}
}

// Whatever the header says: no panic, an address that the header or the socket has, and nothing left of the first
// untrusted entry has any say.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"", "198.51.100.4", "8.8.8.8, 198.51.100.4", "10.0.0.3,10.0.0.2", "[2001:db8::1]:80", ",,", "x, 10.0.0.2",
		"::ffff:10.0.0.1", "fe80::1%a", "[", "[]", "[::1", strings.Repeat(",", 100)} {
		f.Add(seed, "https", "1.2.3.4")
	}
	p := newProxies(prefixes("10.0.0.0/8"))
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, forwarded, proto, lie string) {
		h := http.Header{"X-Forwarded-For": {forwarded}, "X-Forwarded-Proto": {proto}}
		got, _ := p.client(peer, false, h)
		if !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%q: got %s", forwarded, got)
		}
		if stranger, _ := p.client(netip.MustParseAddr("203.0.113.1"), false, h); stranger.String() != "203.0.113.1" {
			t.Fatalf("%q: a stranger became %s", forwarded, stranger)
		}
		h["X-Forwarded-For"] = []string{lie, forwarded + ", 198.51.100.4"}
		if got, _ := p.client(peer, false, h); got.String() != "198.51.100.4" {
			t.Fatalf("%q before %q: got %s, want the untrusted hop", lie, forwarded, got)
		}
		if !p.trust(got) && got != peer {
			h["X-Forwarded-For"] = []string{lie, forwarded}
			if again, _ := p.client(peer, false, h); again != got {
				t.Fatalf("%q before %q: got %s, want %s", lie, forwarded, again, got)
			}
		}
	})
}
