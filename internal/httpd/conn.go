package httpd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// lingerTime is how long a connection waits for its client to read a refusal and hang up (RFC 9112 §9.6): closing at once,
// with bytes unread, would reset it and lose the refusal.
const lingerTime = 500 * time.Millisecond

var errFraming = errors.New("the framing of an HTTP/1 request is refused")

// strictConn is an HTTP/1 connection as net/http sees it: what the scanner lets through, then an error. net/http answers
// that error, and what it refuses by itself, with a few bytes of plain text; in their place goes an answer like all others.
type strictConn struct {
	net.Conn
	write func(io.Writer, *refusal) error
	scan  scanner // used by Read only, which net/http never calls twice at a time
	// refused is what the scanner found. It is written by Read while another goroutine may Write.
	refused atomic.Pointer[refusal]
	// linger makes Close wait a little for the client, who was refused and may still be sending.
	linger atomic.Bool
}

// connKey is that of an HTTP/1 request's connection in its context.
type connKey struct{}

// withConn is http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	switch c := c.(type) {
	case *strictConn:
		return context.WithValue(ctx, connKey{}, c)
	case strictTLSConn:
		return context.WithValue(ctx, connKey{}, c.strictConn)
	}
	return ctx
}

// strictTLSConn is a strictConn under TLS. net/http takes the state of the connection from it.
type strictTLSConn struct {
	*strictConn
	tls *tls.Conn
}

func (c strictTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

func (c *strictConn) Read(p []byte) (int, error) {
	if c.refused.Load() != nil {
		return 0, errFraming
	}
	n, err := c.Conn.Read(p)
	good, refused := c.scan.feed(p[:n])
	if refused != nil {
		c.refused.Store(refused)
		return good, errFraming
	}
	return good, err
}

func (c *strictConn) Write(p []byte) (int, error) {
	if !isBareRefusal(p) {
		return c.Conn.Write(p)
	}
	refused := c.refused.Load()
	if refused == nil {
		refused = refuseHTTP // net/http found something itself
	}
	c.linger.Store(true)
	return len(p), c.write(c.Conn, refused)
}

func (c *strictConn) Close() error {
	if c.linger.Swap(false) {
		drain(c.Conn)
	}
	return c.Conn.Close()
}

// CloseWrite ends our half of the connection; net/http looks for it.
func (c *strictConn) CloseWrite() error { return closeWrite(c.Conn) }

// drain tells the client that nothing more comes and throws away what it sends, for a while.
func drain(c net.Conn) {
	if closeWrite(c) != nil || c.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	// What is read means nothing, nor how it ends.
	_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
}

func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// isBareRefusal recognises net/http's own refusals: a status line and then just these fields. Answers of the frame always
// have more.
func isBareRefusal(p []byte) bool {
	const fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	if !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return false
	}
	_, rest, _ := bytes.Cut(p, []byte("\r\n"))
	return bytes.HasPrefix(rest, []byte(fields))
}
