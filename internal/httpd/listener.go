package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// listener is the net.Listener that net/http serves: connections past the gate, past the TLS handshake, and on HTTP/1
// behind a scanner. HTTP/2, which frames its messages itself, is passed on as it is.
type listener struct {
	net.Listener
	gate    *gate
	tls     *tls.Config // nil: plain HTTP
	timeout time.Duration
	head    int // limit of the scanner, bytes
	write   func(io.Writer, *refusal) error

	accepted chan accepted
	ctx      context.Context // ends when the listener is closed
	cancel   context.CancelFunc
	work     sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

// start takes connections in the background until Close.
func (l *listener) start() {
	l.accepted = make(chan accepted)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.work.Go(l.acceptAll)
}

// acceptAll passes errors on too. Accept's caller waits after a temporary one, such as too many open files; so do we then.
func (l *listener) acceptAll() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			l.pass(accepted{err: err})
			if l.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if c, ok := l.gate.enter(c); ok {
			l.work.Go(func() { l.admit(c) })
		}
	}
}

func (l *listener) admit(c net.Conn) {
	if l.tls == nil {
		l.pass(accepted{conn: l.strict(c)})
		return
	}
	encrypted := tls.Server(c, l.tls)
	if err := l.handshake(encrypted); err != nil {
		l.gate.metrics.refusedConnections.WithLabelValues("handshake").Inc()
		l.refusePlain(c, err)
		_ = c.Close() // the handshake's error is the one that counts
		return
	}
	if encrypted.ConnectionState().NegotiatedProtocol == "h2" {
		l.pass(accepted{conn: encrypted})
		return
	}
	l.pass(accepted{conn: strictTLSConn{l.strict(encrypted), encrypted}})
}

func (l *listener) handshake(c *tls.Conn) error {
	ctx, cancel := context.WithTimeout(l.ctx, l.timeout)
	defer cancel()
	return c.HandshakeContext(ctx)
}

// refusePlain answers who speaks plain HTTP to a TLS port, so that he learns it.
func (l *listener) refusePlain(c net.Conn, err error) {
	notTLS, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || notTLS.Conn == nil || !looksLikeHTTP(notTLS.RecordHeader) {
		return
	}
	// A client that does not take it in time has only itself to blame.
	if c.SetDeadline(time.Now().Add(lingerTime)) == nil && l.write(c, refusePlain) == nil {
		drain(c)
	}
}

func looksLikeHTTP(header [5]byte) bool {
	method, _, _ := strings.Cut(string(header[:]), " ")
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "OPTIO"} {
		if method == m {
			return true
		}
	}
	return false
}

func (l *listener) strict(c net.Conn) *strictConn {
	return &strictConn{Conn: c, write: l.write, scan: newScanner(l.head)}
}

// pass hands over a connection, or closes it where nobody takes it any more.
func (l *listener) pass(a accepted) {
	select {
	case l.accepted <- a:
	case <-l.ctx.Done():
		if a.conn != nil {
			_ = a.conn.Close() // we are closing; the client sees it
		}
	}
}

// Accept returns the next connection that may speak.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close stops taking connections and ends the handshakes under way. Connections handed over are their takers'.
func (l *listener) Close() error {
	l.cancel()
	err := l.Listener.Close()
	l.work.Wait()
	return err
}
