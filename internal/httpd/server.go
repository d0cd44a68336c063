package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Server is the frame, listening. Its methods may be called from any goroutine.
type Server struct {
	cfg     Config
	frame   *frame
	certs   *certificates // nil: plain HTTP
	main    *http.Server
	metrics *http.Server // nil: not served

	listening        *listener // set by Listen
	metricsListening net.Listener
}

// New returns a server that does not listen yet. It refuses what CheckListen refuses, and a certificate that cannot be used.
func New(cfg Config, parts Parts) (*Server, error) {
	if err := CheckListen(cfg); err != nil {
		return nil, err
	}
	if parts.Door == nil || parts.Ready == nil || parts.Log == nil {
		return nil, errors.New("httpd: a server needs a door, a readiness check and a log")
	}
	if parts.Metrics == nil {
		parts.Metrics = NewMetrics()
	}
	return newServer(cfg.withDefaults(), parts, time.Now)
}

func newServer(cfg Config, parts Parts, now func() time.Time) (*Server, error) {
	s := &Server{cfg: cfg}
	s.frame = &frame{
		limits: cfg.Limits, secure: cfg.TLS != nil, proxies: newProxies(cfg.TrustedProxies), door: parts.Door,
		health: &health{ready: parts.Ready, degraded: parts.Degraded, now: now, log: parts.Log},
		memory: newMemory(cfg.Limits.BodyMemory), metrics: parts.Metrics, log: parts.Log,
	}
	if err := s.frame.split(parts.Pages); err != nil {
		return nil, err
	}
	s.main = newHTTPServer(s.frame, cfg.Limits, parts.Log)
	if cfg.MetricsListen != "" {
		s.metrics = newHTTPServer(parts.Metrics.handler(), cfg.Limits, parts.Log)
	}
	if cfg.TLS == nil {
		return s, nil
	}
	certs, err := newCertificates(*cfg.TLS, now, parts.Log)
	if err != nil {
		return nil, err
	}
	s.certs = certs
	s.main.TLSConfig = certs.config() // net/http learns from it that h2 is spoken; the listener does the handshakes
	return s, nil
}

func newHTTPServer(h http.Handler, limits Limits, log *slog.Logger) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true) // over TLS only
	return &http.Server{
		Handler:                      h,
		ConnContext:                  withConn,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            limits.ReadHeaderTimeout,
		ReadTimeout:                  limits.ReadTimeout,
		WriteTimeout:                 limits.WriteTimeout,
		IdleTimeout:                  limits.IdleTimeout,
		MaxHeaderBytes:               limits.HeaderBytes,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: limits.Streams, WriteByteTimeout: limits.WriteTimeout},
		Protocols:                    protocols,
		ErrorLog:                     debugLog(log),
	}
}

// debugLog takes what net/http has to say about connections, which anybody can make it say.
func debugLog(to *slog.Logger) *log.Logger { return slog.NewLogLogger(to.Handler(), slog.LevelDebug) }

// Listen binds the addresses, so that Addr and URL are known and what is wrong with them is, too. It must be called once,
// before Serve.
func (s *Server) Listen() error {
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.cfg.Listen, err)
	}
	if s.metrics != nil {
		s.metricsListening, err = config.Listen(context.Background(), "tcp", s.cfg.MetricsListen)
		if err != nil {
			_ = l.Close() // the first error says it all
			return fmt.Errorf("listening for metrics on %s: %w", s.cfg.MetricsListen, err)
		}
	}
	s.listening = &listener{
		Listener: l, gate: newGate(s.cfg.Limits, s.frame.proxies, s.frame.metrics),
		timeout: s.cfg.Limits.ReadHeaderTimeout, head: s.cfg.Limits.HeaderBytes, write: s.writeBare,
	}
	if s.certs != nil {
		s.listening.tls = s.certs.config()
	}
	return nil
}

func (s *Server) writeBare(w io.Writer, refused *refusal) error {
	s.frame.metrics.refusals.WithLabelValues(strconv.Itoa(refused.status)).Inc()
	return writeBare(w, refused, s.frame.secure)
}

// Addr is the address of the main port. It is nil before Listen.
func (s *Server) Addr() net.Addr {
	if s.listening == nil {
		return nil
	}
	return s.listening.Addr()
}

// MetricsAddr is the address of the metrics; nil before Listen, or where they are not served.
func (s *Server) MetricsAddr() net.Addr {
	if s.metricsListening == nil {
		return nil
	}
	return s.metricsListening.Addr()
}

// URL is scheme, address and port of the main port, without a slash at the end. It is "" before Listen.
func (s *Server) URL() string {
	if s.listening == nil {
		return ""
	}
	if s.frame.secure {
		return "https://" + s.Addr().String()
	}
	return "http://" + s.Addr().String()
}

// Reload reads the TLS certificate again, now. On an error the one before is served on.
func (s *Server) Reload() error {
	if s.certs == nil {
		return nil
	}
	return s.certs.reload()
}

// Serve serves until ctx ends, then shuts down: readiness turns false; after Config.ShutdownDelay no more connections are
// taken; requests under way have Config.ShutdownGrace to finish. It returns nil when all of them did, and otherwise an error
// that wraps context.DeadlineExceeded, with the rest cut off. An error of a listener ends it too.
func (s *Server) Serve(ctx context.Context) error {
	if s.listening == nil {
		return errors.New("httpd: Serve was called before Listen")
	}
	s.listening.start()
	failed := make(chan error, 2)
	go func() { failed <- s.main.Serve(s.listening) }()
	if s.metrics != nil {
		go func() { failed <- s.metrics.Serve(s.metricsListening) }()
	}
	var cause error
	select {
	case <-ctx.Done():
	case err := <-failed:
		cause = fmt.Errorf("serving: %w", err)
	}
	return errors.Join(cause, s.shutDown(context.WithoutCancel(ctx), cause == nil))
}

func (s *Server) shutDown(ctx context.Context, delay bool) error {
	s.frame.health.draining.Store(true)
	if delay && s.cfg.ShutdownDelay > 0 {
		time.Sleep(s.cfg.ShutdownDelay)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownGrace)
	defer cancel()
	err := s.main.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("requests under way were cut off after %s: %w", s.cfg.ShutdownGrace, err)
		_ = s.main.Close() // the error before says it
	}
	_ = s.listening.Close() // net/http closed it, unless ctx ended before it served
	if s.metrics != nil {
		_ = s.metrics.Close() // scraping ends whenever we do
	}
	return err
}
