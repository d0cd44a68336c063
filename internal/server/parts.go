package server

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"

	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/httpd"
	"idpool/internal/operation"
)

// frameConfig is the frame's part of the configuration.
func frameConfig(c *config.Config) httpd.Config {
	out := httpd.Config{
		Listen: c.Listen, TrustedProxies: c.TrustedProxies, MetricsListen: c.Metrics, ShutdownGrace: c.Limits.ShutdownTimeout,
		Limits: httpd.Limits{
			BodyBytes: c.Limits.BodyBytes, HeaderBytes: c.Limits.HeaderBytes, ReadHeaderTimeout: c.Limits.HeaderTimeout,
			ReadTimeout: c.Limits.ReadTimeout, RequestTimeout: c.Limits.RequestTimeout, IdleTimeout: c.Limits.IdleTimeout,
			MaxConnections: c.Limits.Connections, ConnectionsPerClient: c.Limits.ConnectionsPerClient, Streams: c.Limits.Streams,
		},
	}
	if c.TLS.On() {
		out.TLS = &httpd.TLS{Certificate: c.TLS.Certificate, Key: c.TLS.Key}
	}
	return out
}

// operationRates are the limits of operations by name; a name that no service has is a mistake.
func operationRates(c *config.Config, services []operation.Service) (map[string]int, error) {
	out := map[string]int{}
	for _, r := range c.Limits.Operations {
		if !slices.ContainsFunc(services, func(s operation.Service) bool {
			return slices.ContainsFunc(s.Rows, func(row operation.Row) bool { return row.Name == r.Operation })
		}) {
			return nil, fmt.Errorf("limits.operations: there is no operation %s", r.Operation)
		}
		out[r.Operation] = r.PerSecond
	}
	return out, nil
}

// rootCAs are the system's authorities and those of the files; nil where there are no files.
func rootCAs(files []string) (*x509.CertPool, error) {
	if len(files) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the system's certificates: %w", err)
	}
	return pool, appendCAs(pool, files)
}

// onlyCAs are the authorities of the files and no others.
func onlyCAs(files []string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	return pool, appendCAs(pool, files)
}

func appendCAs(pool *x509.CertPool, files []string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !pool.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s holds no certificate in PEM", file)
		}
	}
	return nil
}

// stream writes without syncing: a terminal or a pipe has nothing to sync.
type stream struct{ f *os.File }

func (s stream) Write(b []byte) (int, error) { return s.f.Write(b) }

// openSink opens where records go. A file is appended to; only its owner can read it.
func openSink(where string) (event.Sink, func() error, error) {
	nothing := func() error { return nil }
	switch where {
	case config.Stderr:
		return event.NewLines(stream{os.Stderr}), nothing, nil
	case config.Stdout:
		return event.NewLines(stream{os.Stdout}), nothing, nil
	}
	f, err := os.OpenFile(where, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nothing, fmt.Errorf("log.events: %w", err)
	}
	return event.NewLines(f), f.Close, nil
}

// document serves a JSON document of our issuer. Relying parties may keep it for an hour.
func document(read func() ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		text, err := read()
		if err != nil {
			http.Error(w, "not available", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(text)
	})
}

// pathOf is the path of an issuer, which the configuration has validated.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}
