package httpd

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"strconv"
	"strings"

	"idpool/internal/deadline"
	"idpool/internal/door"
	"idpool/internal/fault"
)

var refuseInternal = &refusal{http.StatusInternalServerError, fault.Internal, "Internal error."}

// frame is the http.Handler of the main port.
type frame struct {
	limits  Limits
	secure  bool // we speak TLS ourselves
	proxies proxies
	door    Door
	pages   map[string]http.Handler // exact paths
	below   map[string]http.Handler // paths that end in "/", for all that lies below
	health  *health
	memory  *memory
	metrics *Metrics
	log     *slog.Logger
}

// split sorts the pages into exact paths and prefixes.
func (f *frame) split(pages map[string]http.Handler) error {
	f.pages, f.below = map[string]http.Handler{}, map[string]http.Handler{}
	for p, handler := range pages {
		switch {
		case !strings.HasPrefix(p, "/") || p == "/" || p == "/livez" || p == "/readyz" || handler == nil:
			return fmt.Errorf("page %q: the path is taken, or is none", p)
		case strings.HasSuffix(p, "/"):
			f.below[p] = handler
		default:
			f.pages[p] = handler
		}
	}
	return nil
}

func (f *frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(*strictConn)
	a := &answer{ResponseWriter: w, conn: conn}
	id := newRequestID()
	f.stamp(a, r, id)
	if f.health.draining.Load() {
		a.Header().Set("Connection", "close") // none shall be idle, and cut, when we stop listening
	}
	defer f.recover(a, r, id)
	f.route(a, r, id)
	a.finish()
}

func (f *frame) stamp(a *answer, r *http.Request, id string) {
	stamp(a.Header(), id, f.secure, r.Header.Get("Origin") != "")
}

func (f *frame) route(a *answer, r *http.Request, id string) {
	if !strings.HasPrefix(r.RequestURI, "/") {
		f.refuse(a, refuseTarget) // absolute-form would replace Host; also CONNECT of HTTP/2
		return
	}
	dropUnderscored(r.Header)
	sent, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case sent == "/livez":
		f.health.serveLive(a, r)
	case sent == "/readyz":
		f.health.serveReady(a, r)
	case r.Method == http.MethodOptions:
		answerOptions(a, r)
	default:
		f.call(a, r, sent, id)
	}
}

// call reads the body and hands the request to its page, or else to the door.
func (f *frame) call(a *answer, r *http.Request, sent, id string) {
	if refused := checkBody(r, f.limits.BodyBytes); refused != nil {
		f.refuse(a, refused)
		return
	}
	body, refused := f.readBody(a, r)
	if refused != nil {
		f.refuse(a, refused)
		return
	}
	defer f.memory.give(cap(body))
	ctx, cancel := deadline.In(r.Context(), f.limits.RequestTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	if page := f.page(sent); page != nil {
		a.Header().Set("Vary", "Origin") // a page may be cached, and CORS is only sent to who asks
		r.Body = io.NopCloser(bytes.NewReader(body))
		page.ServeHTTP(a, r)
		return
	}
	r.Body = http.NoBody
	client, secure := f.proxies.client(peerAddress(r.RemoteAddr), f.secure, r.Header)
	f.door.Serve(a, r, body, door.Origin{RequestID: id, Client: client, Secure: secure})
}

func (f *frame) readBody(a *answer, r *http.Request) ([]byte, *refusal) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	// It needs the server's own ResponseWriter, to end the connection cleanly at the limit.
	limited := http.MaxBytesReader(a.ResponseWriter, r.Body, f.limits.BodyBytes)
	return readBody(limited, r.ContentLength, f.limits.BodyBytes, f.memory)
}

// page finds the page of a path as it was sent: the exact one, or the longest prefix.
func (f *frame) page(sent string) http.Handler {
	if page := f.pages[sent]; page != nil {
		return page
	}
	for end := strings.LastIndexByte(sent, '/'); end > 0; end = strings.LastIndexByte(sent[:end], '/') {
		if page := f.below[sent[:end+1]]; page != nil {
			return page
		}
	}
	return nil
}

func (f *frame) refuse(a *answer, refused *refusal) {
	f.metrics.refusals.WithLabelValues(strconv.Itoa(refused.status)).Inc()
	a.refuse(refused)
}

// dropUnderscored removes fields with "_" in their names: some proxies and gateways take "_" for "-", and would have
// checked another header than we read (security I10).
func dropUnderscored(h http.Header) {
	for name := range h {
		if strings.Contains(name, "_") {
			delete(h, name)
		}
	}
}

// recover is deferred: it answers a request whose handler panicked, or cuts the connection if an answer had begun.
// http.ErrAbortHandler goes on to net/http, which cuts the connection and says nothing.
func (f *frame) recover(a *answer, r *http.Request, id string) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	f.metrics.panics.Inc()
	f.log.Error("panic", "request_id", id, "panic", describePanic(v), "stack", stack())
	if a.began {
		panic(http.ErrAbortHandler)
	}
	clear(a.Header())
	f.stamp(a, r, id)
	a.refuse(refuseInternal)
}

// describePanic tells what panicked without values of the request (security I9): the runtime's own errors hold only types
// and numbers; of anything else it returns the type.
func describePanic(v any) string {
	if err, ok := v.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", v)
}

// stack returns where the panic happened, innermost first. debug.Stack would print arguments, and so bytes of keys.
func stack() []string {
	var counters [64]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters[:])])
	var out []string
	for {
		at, more := frames.Next()
		out = append(out, at.Function+" "+path.Base(at.File)+":"+strconv.Itoa(at.Line))
		if !more {
			return out
		}
	}
}
