package door

import (
	"iter"
	"net/http"
	"strings"

	"idpool/internal/fault"
	"idpool/internal/operation"
)

// protocol is one way to speak to us: where a request names its operation and how bytes become structs. A service has
// one; a request shows which it speaks before anything of it is believed.
type protocol interface {
	// find names the operation and sets the request's service.
	find(q *request, services []*service) (name string, err error)
	// unknown refuses an operation that the service does not have.
	unknown(q *request, name string) error
	decode(q *request, in any) error
	encode(q *request, out any) answer
	fault(q *request, f *fault.Error) answer
}

// protocolOf tells protocols apart: AWS JSON has a target, Query a form or a query. What is neither is answered in JSON.
func protocolOf(r *http.Request) protocol {
	if r.Header["X-Amz-Target"] != nil {
		return jsonProtocol{}
	}
	form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	if form || r.Method == http.MethodGet && r.URL.RawQuery != "" {
		return &queryProtocol{}
	}
	return jsonProtocol{}
}

// mediaType is the Content-Type without parameters, lower-case; empty where there is not exactly one.
func mediaType(r *http.Request) string {
	if len(r.Header["Content-Type"]) != 1 {
		return ""
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// speaks are the services of a protocol.
func speaks(services []*service, p operation.Protocol) iter.Seq[*service] {
	return func(yield func(*service) bool) {
		for _, s := range services {
			if s.Protocol == p && !yield(s) {
				return
			}
		}
	}
}
