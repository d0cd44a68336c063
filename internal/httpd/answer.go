package httpd

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"idpool/internal/awsjson"
	"idpool/internal/fault"
)

// refusal is an answer of the frame's own: an AWS JSON error, whose status says more than that protocol's own 400. All of it
// is fixed; nothing of a request is ever reflected (requirement 43).
type refusal struct {
	status  int
	code    fault.Code
	message string
}

// describe sets the fields of the answer and returns its body.
func (r *refusal) describe(h http.Header) []byte {
	_, fields, body := awsjson.EncodeFault(fault.New(r.code, "%s", r.message))
	for _, f := range fields {
		h.Set(f.Name, f.Value)
	}
	h.Set("Content-Type", awsjson.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Connection", "close")
	return body
}

// stamp sets the fields that every answer has.
func stamp(h http.Header, requestID string, secure, browser bool) {
	// Names in canonical form, values in one piece of memory: every answer pays for them.
	values := [...]string{requestID, "no-store", "nosniff"}
	h["X-Amzn-Requestid"], h["Cache-Control"], h["X-Content-Type-Options"] = values[0:1:1], values[1:2:2], values[2:3:3]
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	if browser {
		allowOrigin(h)
	}
}

// writeBare writes a refusal onto a connection where net/http has no answer under way. Browsers may read it, whether or not
// this one is: the request's Origin is not known.
func writeBare(w io.Writer, refused *refusal, secure bool) error {
	h := http.Header{}
	stamp(h, newRequestID(), secure, true)
	body := refused.describe(h)
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var out bytes.Buffer
	out.WriteString("HTTP/1.1 " + strconv.Itoa(refused.status) + " " + http.StatusText(refused.status) + "\r\n")
	if err := h.Write(&out); err != nil {
		return err
	}
	out.WriteString("\r\n")
	out.Write(body)
	_, err := w.Write(out.Bytes())
	return err
}

// newRequestID returns a random UUID, version 4, in lower case. It is a name and no secret, so it need not come from the
// system.
func newRequestID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// answer is the ResponseWriter of one request. It knows whether an answer has begun, and keeps errors out of caches.
type answer struct {
	http.ResponseWriter
	conn  *strictConn // nil on HTTP/2
	began bool
}

func (a *answer) WriteHeader(status int) {
	if status >= 200 {
		a.began = true
	}
	h := a.Header()
	if status >= 400 {
		h.Set("Cache-Control", "no-store") // whatever a page allows its documents (security I7)
		h.Del("Expires")
	}
	h.Del("Access-Control-Allow-Credentials") // never, whoever asks for it (security I6)
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.finish()
	return a.ResponseWriter.Write(p)
}

// finish begins the answer where its handler left that to the server.
func (a *answer) finish() {
	if !a.began {
		a.WriteHeader(http.StatusOK)
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// refuse answers and lets the connection end: what follows on it is in doubt (security I4).
func (a *answer) refuse(r *refusal) {
	if a.conn != nil {
		a.conn.linger.Store(true) // the request's body may be unread
	}
	body := r.describe(a.Header())
	a.WriteHeader(r.status)
	_, _ = a.Write(body) // the client has gone, or not; there is nothing else to tell it
}
