// Package fetch is the only outgoing HTTP client of idpool: it gets small public documents, such as the keys of an
// identity provider, and asks small questions, such as whether an access token is genuine (ask.go), at addresses that
// somebody configured.
//
// It is built for addresses that may turn against us: a provider's discovery document names the next address, and its
// DNS may answer differently each time. So the address that is dialled is judged, not the name (address.go); there are
// no redirects, no proxy, no compression; and time, headers and body are bounded (answer.go). It knows nothing of what
// the documents mean and keeps none of them.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// The limits of one fetch (security B4, requirement 12).
const (
	DefaultTimeout        = 5 * time.Second // from the look-up of the name to the last byte
	DefaultConnectTimeout = 3 * time.Second // for the connection, and again for its TLS handshake
	MaxBody               = 256 << 10       // bytes
	MaxHeader             = 16 << 10        // bytes
	maxURL                = 2048            // bytes
)

const userAgent = "idpool"

// Config says what a Client may reach. The zero value reaches public addresses over https, by the system's certificates.
type Config struct {
	// Allow are address ranges that may be dialled although they are not public, such as 10.20.0.0/16.
	Allow []netip.Prefix
	// LoopbackHTTP lets http:// through to loopback addresses, for development. Default: https only.
	LoopbackHTTP bool
	// RootCAs are the certificate authorities to trust; nil means the system's.
	RootCAs *x509.CertPool
	// Resolver looks names up; nil means the system's resolver.
	Resolver *net.Resolver
	// Timeout bounds a whole fetch; 0 means DefaultTimeout.
	Timeout time.Duration
	// ConnectTimeout bounds the connecting, and again the TLS handshake; 0 means DefaultConnectTimeout.
	ConnectTimeout time.Duration
}

// Client gets documents. It is safe for concurrent use and keeps a few connections open for half a minute.
type Client struct {
	timeout time.Duration
	https   *http.Transport
	http    *http.Transport // nil unless Config.LoopbackHTTP
}

// New returns a client.
func New(cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	public := guard{allow: cfg.Allow}
	c := &Client{timeout: cfg.Timeout, https: newTransport(cfg, public.judge)}
	if cfg.LoopbackHTTP {
		c.http = newTransport(cfg, judgeLoopback)
	}
	return c
}

// newTransport returns a transport that dials only what judge lets through. It speaks HTTP/1.1 only: two small documents
// an hour need nothing more, and the limits are the simpler to trust.
func newTransport(cfg Config, judge func(netip.Addr) error) *http.Transport {
	dialer := &net.Dialer{
		Timeout:        cfg.ConnectTimeout,
		Resolver:       cfg.Resolver,
		ControlContext: control(judge),
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, where no address is judged
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		DisableCompression:     true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: MaxHeader,
		Protocols:              protocols,
	}
}

// Get returns the document at the URL, which must answer 200 within the limits. It waits for ctx or the timeout,
// whichever ends first. Its errors are for operators: they say what went wrong and repeat nothing of the answer.
func (c *Client) Get(ctx context.Context, rawURL string) (*Document, error) {
	u, transport, err := c.accept(rawURL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	setHeader(req)
	// RoundTrip and not http.Client: it follows no redirect and sends no cookie, by construction.
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", u.Host, plain(err))
	}
	defer resp.Body.Close()
	doc, err := read(resp)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", u.Host, err)
	}
	return doc, nil
}

func setHeader(req *http.Request) {
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
}

// accept judges the form of a URL and returns the transport for its scheme.
func (c *Client) accept(rawURL string) (*url.URL, *http.Transport, error) {
	if len(rawURL) > maxURL {
		return nil, nil, fmt.Errorf("the URL is longer than %d bytes", maxURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, errors.New("the URL cannot be read")
	}
	switch {
	case u.Hostname() == "":
		return nil, nil, errors.New("the URL names no host")
	case u.User != nil:
		return nil, nil, errors.New("the URL holds user information")
	case u.Scheme == "https":
		return u, c.https, nil
	case u.Scheme == "http" && c.http != nil:
		return u, c.http, nil
	}
	return nil, nil, errors.New("the URL is not https")
}

// Close closes the connections that are kept open. Fetches under way go on, and later ones open new connections.
func (c *Client) Close() {
	c.https.CloseIdleConnections()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}
