package httpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"idpool/internal/fault"
)

const (
	readyTimeout = 2 * time.Second
	readyAge     = time.Second // how long an answer of Parts.Ready is good for
)

// health answers /livez, whether the process serves, and /readyz, whether requests can be. Both are on the main port, where
// balancers look. Who asks needs no rights, so readiness is found out at most once a second.
type health struct {
	ready    func(context.Context) error
	degraded func() string // nil where nothing can be
	now      func() time.Time
	log      *slog.Logger

	draining atomic.Bool // the server is going away; it will not be ready again

	mu      sync.Mutex
	checked time.Time
	last    error
}

func (h *health) serveLive(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, nil, "") }

// serveReady answers 200 also where something is degraded: no balancer is to take a node away for what ails all of them.
func (h *health) serveReady(w http.ResponseWriter, r *http.Request) {
	err, more := h.check(r.Context()), ""
	if h.degraded != nil {
		more = h.degraded()
	}
	answerHealth(w, r, err, more)
}

// check keeps the lock while it asks: those who ask meanwhile want the same answer.
func (h *health) check(ctx context.Context) error {
	if h.draining.Load() {
		return fault.New(fault.Internal, "Shutting down.")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && h.now().Sub(h.checked) < readyAge {
		return h.last
	}
	// One client that hangs up must not make the answer of others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	err := h.ready(ctx)
	if err != nil && (h.last == nil || h.last.Error() != err.Error()) {
		h.log.Warn("not ready", "error", err)
	}
	h.last, h.checked = err, h.now()
	return err
}

// answerHealth answers "ok", on a line of its own, and more.
func answerHealth(w http.ResponseWriter, r *http.Request, err error, more string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	status, line := http.StatusOK, "ok\n"
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		status, line = http.StatusMethodNotAllowed, "Only GET and HEAD.\n"
	case err != nil:
		status, line = http.StatusServiceUnavailable, notReady(err)+"\n"
	case isLine(more):
		line += more + "\n"
	}
	header.Set("Content-Length", strconv.Itoa(len(line)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line) // the client has gone, or not
}

// notReady returns what may be told. The text of an error that is no fault may name hosts or users.
func notReady(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && isLine(f.Message) {
		return f.Message
	}
	return "Not ready; the log says why."
}

// isLine reports whether s is one short line of printable ASCII.
func isLine(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= 200
}
