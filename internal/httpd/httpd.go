// Package httpd is the HTTP frame around the door: listeners, TLS, request ids, limits, the client's address, CORS,
// health, metrics, shutdown.
//
// A connection is admitted (gate.go), speaks TLS where that is configured (listener.go, certificate.go), and on HTTP/1 is
// read through a scanner that passes on nothing but strict message framing (framing.go, conn.go), because net/http reads
// more than is safe behind a proxy. A request then gets its id and the headers of every answer, is routed by its exact
// path (frame.go) and comes to the door with its whole body and its Origin.
//
// What a request means is left to the door; who may call, and how often, too. The frame answers by itself only what never
// becomes a call: broken framing, preflights, health. Those refusals have the body of an AWS JSON error.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"idpool/internal/door"
)

// Config says where to listen and how much to take. Only Listen is required; zero values mean the defaults named below.
type Config struct {
	// Listen is host:port of the API, health and the pages, such as "127.0.0.1:8080". Port 0 takes a free one.
	Listen string
	// TLS is the certificate to serve with; nil means plain HTTP, which CheckListen limits.
	TLS *TLS
	// TrustedProxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed. Default: none.
	TrustedProxies []netip.Prefix
	// MetricsListen is host:port of GET /metrics, in plain HTTP and without authentication. Default: not served.
	MetricsListen string
	Limits        Limits
	// ShutdownDelay is how long requests are still taken after readiness turned false, so that balancers can notice.
	// Default: 0.
	ShutdownDelay time.Duration
	// ShutdownGrace is how long requests under way may take to finish at shutdown. Default: 30 s.
	ShutdownGrace time.Duration
}

// TLS names the files of a certificate chain and its key, in PEM. They are read again when they change.
type TLS struct {
	Certificate string
	Key         string
}

// Limits bound what clients can make us hold (security I5, requirement 42). None can be switched off: 0 is the default.
type Limits struct {
	BodyBytes            int64         // of one request; default 512 KiB
	BodyMemory           int64         // bytes of all bodies held at one time; default 256 MiB
	HeaderBytes          int           // request line and fields; default 16 KiB
	ReadHeaderTimeout    time.Duration // also of the TLS handshake; default 5 s
	ReadTimeout          time.Duration // of a whole request; default 15 s
	RequestTimeout       time.Duration // for the door, as the deadline of its context; default 15 s
	WriteTimeout         time.Duration // from the end of the head to the end of the answer; default: the two above and 5 s
	IdleTimeout          time.Duration // of a kept connection; default 90 s, longer than proxies keep theirs
	MaxConnections       int           // default 10,000
	ConnectionsPerClient int           // per IPv4 address or IPv6 /64, trusted proxies apart; default 500
	Streams              int           // requests under way on one HTTP/2 connection; default 100
}

// Door is the API: everything that is not health, a preflight or a page.
type Door interface {
	// Serve answers a request. The body is whole, within Limits.BodyBytes, and must not be kept: r.Body is empty. The
	// context of r ends after Limits.RequestTimeout. The headers that every answer has are set already.
	Serve(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin)
}

// Parts are what the frame stands around. Door, Ready and Log are required.
type Parts struct {
	Door Door
	// Pages are other handlers by exact path, such as "/.well-known/openid-configuration"; a key that ends in "/" stands
	// for all paths below it. Paths are compared as sent, without decoding. A page's errors are never cacheable; its other
	// answers are where it sets Cache-Control. Its r.Body is read already.
	Pages map[string]http.Handler
	// Ready returns nil when requests can be served. The message of a *fault.Error is shown to who asks; of other errors,
	// nothing is. It is asked at most once a second, with 2 s time, and must end when its context does.
	Ready func(context.Context) error
	// Degraded, where set, returns one line on what is impaired while requests are served, or "". It is shown to who asks.
	Degraded func() string
	// Metrics are what GET /metrics shows; nil means new ones.
	Metrics *Metrics
	Log     *slog.Logger
}

const defaultGrace = 30 * time.Second

func (c Config) withDefaults() Config {
	c.ShutdownGrace = or(c.ShutdownGrace, defaultGrace)
	c.Limits = c.Limits.withDefaults()
	return c
}

func (l Limits) withDefaults() Limits {
	l.BodyBytes = or(l.BodyBytes, 512<<10)
	l.BodyMemory = or(l.BodyMemory, 256<<20)
	l.HeaderBytes = or(l.HeaderBytes, 16<<10)
	l.ReadHeaderTimeout = or(l.ReadHeaderTimeout, 5*time.Second)
	l.ReadTimeout = or(l.ReadTimeout, 15*time.Second)
	l.RequestTimeout = or(l.RequestTimeout, 15*time.Second)
	l.WriteTimeout = or(l.WriteTimeout, l.ReadTimeout+l.RequestTimeout+5*time.Second)
	l.IdleTimeout = or(l.IdleTimeout, 90*time.Second)
	l.MaxConnections = or(l.MaxConnections, 10_000)
	l.ConnectionsPerClient = or(l.ConnectionsPerClient, 500)
	l.Streams = or(l.Streams, 100)
	return l
}

// or is value, or the default where value is not positive.
func or[T int | int64 | time.Duration](value, byDefault T) T {
	if value > 0 {
		return value
	}
	return byDefault
}

// CheckListen refuses to serve credentials in the clear (security K3): without TLS, Config.Listen must be a loopback
// address, or trusted proxies must be named, which then speak TLS. Its errors say what to write instead.
func CheckListen(cfg Config) error {
	if _, _, err := net.SplitHostPort(cfg.Listen); err != nil {
		return fmt.Errorf("listen %q is not host:port; write for example 127.0.0.1:8080", cfg.Listen)
	}
	for _, p := range newProxies(cfg.TrustedProxies) {
		if p.Bits() <= 0 {
			return fmt.Errorf("trusted proxy %s would believe every client about its address; name the proxies' own addresses, for example 10.0.0.0/8", p)
		}
	}
	if _, _, err := net.SplitHostPort(cfg.MetricsListen); cfg.MetricsListen != "" && err != nil {
		return fmt.Errorf("metrics listen %q is not host:port; write for example 127.0.0.1:9090", cfg.MetricsListen)
	}
	if cfg.TLS != nil {
		if cfg.TLS.Certificate == "" || cfg.TLS.Key == "" {
			return errors.New("tls needs two files, certificate and key")
		}
		return nil
	}
	if Loopback(cfg.Listen) || len(cfg.TrustedProxies) > 0 {
		return nil
	}
	return fmt.Errorf("listen %q would send credentials over the network unencrypted; give tls a certificate and a key, "+
		"or listen on 127.0.0.1, or name in trusted_proxies the proxies that speak TLS in front", cfg.Listen)
}

// Loopback reports whether host:port can be reached from this machine alone: "localhost" or a loopback address.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
