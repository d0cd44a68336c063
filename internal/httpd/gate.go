package httpd

import (
	"net"
	"net/netip"
	"sync"
)

// gate counts connections, all and per client. A client is an IPv4 address or an IPv6 /64, which is what one customer of a
// provider has; a trusted proxy stands for many clients and is counted in the sum only.
type gate struct {
	limits  Limits
	trusted proxies
	metrics *Metrics

	mu    sync.Mutex
	total int
	by    map[netip.Addr]int
}

func newGate(limits Limits, trusted proxies, m *Metrics) *gate {
	return &gate{limits: limits, trusted: trusted, metrics: m, by: map[netip.Addr]int{}}
}

// enter returns the connection, counted until it is closed; or false, with the connection closed.
func (g *gate) enter(c net.Conn) (net.Conn, bool) {
	peer := peerAddress(c.RemoteAddr().String())
	key := clientKey(peer)
	if reason := g.count(key, g.trusted.trust(peer)); reason != "" {
		g.metrics.refusedConnections.WithLabelValues(reason).Inc()
		abort(c)
		return nil, false
	}
	return &countedConn{Conn: c, leave: sync.OnceFunc(func() { g.discount(key) })}, true
}

// abort closes a connection without the exchange by which two sides part: a flood of connections would leave one of us behind
// for a minute each.
func abort(c net.Conn) {
	if c, ok := c.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // it is closed one way or the other
	}
	_ = c.Close() // there is nobody to tell
}

// count returns which limit is reached, or "" after counting.
func (g *gate) count(key netip.Addr, trusted bool) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total >= g.limits.MaxConnections {
		return "all"
	}
	if g.by[key] >= g.limits.ConnectionsPerClient && !trusted {
		return "client"
	}
	g.total++
	g.by[key]++
	g.metrics.connections.Set(float64(g.total))
	return ""
}

func (g *gate) discount(key netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.by[key]--; g.by[key] <= 0 {
		delete(g.by, key)
	}
	g.metrics.connections.Set(float64(g.total))
}

func clientKey(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}

// countedConn leaves the gate when it is closed.
type countedConn struct {
	net.Conn
	leave func()
}

func (c *countedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

func (c *countedConn) CloseWrite() error { return closeWrite(c.Conn) }
