package httpd

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateAge is how long a certificate is used before its files are looked at again.
const certificateAge = time.Minute

// certificates is the key pair that the server shows, read again when its files change. A new pair that cannot be used is
// reported once, and the old one stays.
type certificates struct {
	files TLS
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	seen    [2]fileState
	checked time.Time
}

// fileState tells one state of a file from the next.
type fileState struct {
	modified time.Time
	size     int64
}

// newCertificates reads the pair; one that cannot be used is an error.
func newCertificates(files TLS, now func() time.Time, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, now: now, log: log}
	if err := c.reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// config returns the TLS settings: 1.2 at least (security K3), HTTP/2 and HTTP/1.1, Go's choice of ciphers.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: c.get,
	}
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.checked) < certificateAge {
		return c.pair, nil
	}
	c.checked = now
	seen, err := c.look()
	if err == nil && seen == c.seen {
		return c.pair, nil
	}
	if err == nil {
		err = c.readLocked(seen)
	}
	if err != nil {
		c.log.Error("the TLS certificate was not reloaded; the one before is still served", "error", err)
	}
	return c.pair, nil
}

// reload reads the pair now, whether or not its files have changed. On errors the one before stays.
func (c *certificates) reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked = c.now()
	seen, err := c.look()
	if err != nil {
		return err
	}
	return c.readLocked(seen)
}

func (c *certificates) look() ([2]fileState, error) {
	var seen [2]fileState
	for i, name := range []string{c.files.Certificate, c.files.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, fmt.Errorf("looking at the TLS certificate: %w", err)
		}
		seen[i] = fileState{info.ModTime(), info.Size()}
	}
	return seen, nil
}

// readLocked remembers the state of the files also when they are no pair, so that it is not tried again before one of
// them changes.
func (c *certificates) readLocked(seen [2]fileState) error {
	c.seen = seen
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		return fmt.Errorf("reading the TLS certificate %s with key %s: %w", c.files.Certificate, c.files.Key, err)
	}
	c.pair = &pair
	return nil
}
