package httpd

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"idpool/internal/fault"
)

var (
	refuseEncoding = &refusal{http.StatusUnsupportedMediaType, fault.UnsupportedMediaType, "Content-Encoding is not supported; send the body as it is."}
	refuseNoLength = &refusal{http.StatusLengthRequired, fault.Serialization, "Content-Length is required."}
	refuseTooLarge = &refusal{http.StatusRequestEntityTooLarge, fault.RequestTooLarge, "The request's body is too large."}
	refuseSlow     = &refusal{http.StatusRequestTimeout, fault.Serialization, "The request's body did not arrive in time."}
	refuseShort    = &refusal{http.StatusBadRequest, fault.Serialization, "The request's body ended early."}
	// Throttling has status 400 everywhere: SDKs wait and try again because of the code (security F5).
	refuseMemory = &refusal{http.StatusBadRequest, fault.TooManyRequests, "Rate exceeded"}
)

const firstRead = 4 << 10 // bytes; most requests are smaller

// memory is what is left for bodies, in bytes. A body is charged as it arrives, not as it is announced: an announcement
// costs its sender nothing.
type memory struct{ left atomic.Int64 }

func newMemory(bytes int64) *memory {
	m := &memory{}
	m.left.Store(bytes)
	return m
}

func (m *memory) take(n int) bool {
	if m.left.Add(int64(-n)) >= 0 {
		return true
	}
	m.left.Add(int64(n))
	return false
}

func (m *memory) give(n int) { m.left.Add(int64(n)) }

// checkBody refuses what its head already shows to be no body for us (requirement 42).
func checkBody(r *http.Request, limit int64) *refusal {
	if len(r.TransferEncoding) > 0 {
		return refuseTransferEncoding // the scanner has seen it; it stays refused without one
	}
	for _, encoding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(encoding, "identity") {
			return refuseEncoding
		}
	}
	if r.ContentLength > limit {
		return refuseTooLarge
	}
	carries := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	if carries && r.ProtoMajor < 2 && len(r.Header["Content-Length"]) == 0 {
		return refuseNoLength
	}
	return nil
}

// readBody reads the whole body from a reader that ends with an error after limit bytes. The capacity of what it returns is
// charged to m; the caller gives it back. On refusals nothing stays charged.
//
// announced is the Content-Length, or -1: a small body that keeps to it needs no more room than that.
func readBody(r io.Reader, announced, limit int64, m *memory) ([]byte, *refusal) {
	var body []byte
	first := firstRead
	if announced >= 0 && announced < firstRead {
		first = int(announced) + 1 // one more, to find the end
	}
	for {
		if len(body) == cap(body) {
			size := min(max(2*cap(body), first), int(limit)+1)
			if !m.take(size - cap(body)) {
				m.give(cap(body))
				return nil, refuseMemory
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			m.give(cap(body))
			return nil, refuseRead(err)
		}
	}
}

func refuseRead(err error) *refusal {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuseTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuseSlow
	}
	return refuseShort
}
