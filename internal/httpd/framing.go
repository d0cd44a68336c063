package httpd

import (
	"bytes"
	"net/http"
	"strings"

	"idpool/internal/fault"
)

// scanner reads the bytes of an HTTP/1 connection and finds the first one that makes the framing of a message doubtful:
// something that a proxy in front may have understood in another way (security I4, RFC 9112 §11.2).
//
// It wants lines that end in CRLF, no continued lines, no control characters, an origin-form target, at most one
// Content-Length of digits, no Transfer-Encoding; and it bounds the head. It remembers how much body follows, to find the
// next head. It is the strict half only: net/http, behind it, still parses.
type scanner struct {
	limit  int    // bytes of a head
	line   []byte // what is read of the current line
	head   int    // bytes read of the current head
	fields bool   // the request line is behind us
	length int64  // Content-Length; -1 where absent
	body   int64  // bytes of the body still to come
}

func newScanner(limit int) scanner { return scanner{limit: limit, length: -1} }

// feed takes the next bytes. It returns how many may be passed on, and why the rest may not. The line that is refused is
// never passed on with its end, so nobody behind can act on it. After a refusal the scanner must not be fed again.
func (s *scanner) feed(p []byte) (int, *refusal) {
	n := 0
	for n < len(p) {
		if s.body > 0 {
			k := min(s.body, int64(len(p)-n))
			s.body -= k
			n += int(k)
			continue
		}
		part, ended := p[n:], false
		if i := bytes.IndexByte(part, '\n'); i >= 0 {
			part, ended = part[:i+1], true
		}
		if refused := s.take(part, ended); refused != nil {
			return n, refused
		}
		n += len(part)
	}
	return n, nil
}

// take adds bytes to the current line and reads it when it has ended.
func (s *scanner) take(part []byte, ended bool) *refusal {
	if s.head += len(part); s.head > s.limit {
		return refuseHead
	}
	if hasControls(part) {
		return refuseControls
	}
	s.line = append(s.line, part...)
	if !ended {
		return nil
	}
	line, crlf := bytes.CutSuffix(s.line, []byte("\r\n"))
	if !crlf || bytes.IndexByte(line, '\r') >= 0 {
		return refuseLineEnd
	}
	refused := s.read(string(line))
	s.line = s.line[:0]
	return refused
}

// hasControls finds what no line of a head may hold. Bytes from 0x80 on are left to whoever reads the field's value.
func hasControls(part []byte) bool {
	for _, c := range part {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return true
		}
	}
	return false
}

func (s *scanner) read(line string) *refusal {
	switch {
	case !s.fields:
		s.fields = true
		return checkRequestLine(line)
	case line == "":
		*s = scanner{limit: s.limit, line: s.line, length: -1, body: max(s.length, 0)}
		return nil
	}
	return s.readField(line)
}

// checkRequestLine wants "METHOD /target HTTP/1.1". HTTP/1.0 is taken too: reverse proxies speak it by default.
func checkRequestLine(line string) *refusal {
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || !isToken(method) || !strings.HasPrefix(version, "HTTP/") || len(version) != len("HTTP/1.1") {
		return refuseRequestLine
	}
	if version != "HTTP/1.1" && version != "HTTP/1.0" {
		return refuseVersion
	}
	if !strings.HasPrefix(target, "/") {
		return refuseTarget
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f {
			return refuseRequestLine
		}
	}
	return nil
}

func (s *scanner) readField(line string) *refusal {
	if line[0] == ' ' || line[0] == '\t' {
		return refuseFolded // obs-fold, RFC 9112 §5.2
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) {
		return refuseField
	}
	value = strings.Trim(value, " \t")
	switch {
	case strings.EqualFold(name, "Transfer-Encoding"):
		return refuseTransferEncoding
	case strings.EqualFold(name, "Content-Length"):
		return s.readLength(value)
	case strings.EqualFold(name, "Expect") && !strings.EqualFold(value, "100-continue"):
		return refuseExpect
	case strings.EqualFold(name, "Upgrade") && strings.Contains(strings.ToLower(value), "h2c"):
		return refuseUpgrade
	}
	return nil
}

// readLength wants digits, once. Equal duplicates are refused too: who sends them is not sure of himself.
func (s *scanner) readLength(value string) *refusal {
	if s.length >= 0 || value == "" || len(value) > 18 {
		return refuseLength
	}
	s.length = 0
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return refuseLength
		}
		s.length = s.length*10 + int64(value[i]-'0')
	}
	return nil
}

// isToken reports whether s is a token of RFC 9110 §5.6.2, as methods and field names are.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// The refusals of framing. Connections end with them.
var (
	refuseHead             = &refusal{http.StatusRequestHeaderFieldsTooLarge, fault.Serialization, "The request's headers are too large."}
	refuseControls         = &refusal{http.StatusBadRequest, fault.Serialization, "The request's head holds control characters."}
	refuseLineEnd          = &refusal{http.StatusBadRequest, fault.Serialization, "Lines of the request's head must end in CR LF."}
	refuseRequestLine      = &refusal{http.StatusBadRequest, fault.Serialization, "The request line is not valid."}
	refuseVersion          = &refusal{http.StatusHTTPVersionNotSupported, fault.Serialization, "Only HTTP/1.1 is spoken here, and HTTP/2 over TLS."}
	refuseTarget           = &refusal{http.StatusBadRequest, fault.Serialization, "The request line must name a path."}
	refuseFolded           = &refusal{http.StatusBadRequest, fault.Serialization, "Header lines must not be folded."}
	refuseField            = &refusal{http.StatusBadRequest, fault.Serialization, "A header line is not valid."}
	refuseTransferEncoding = &refusal{http.StatusLengthRequired, fault.Serialization, "Transfer-Encoding is not supported; send Content-Length."}
	refuseLength           = &refusal{http.StatusBadRequest, fault.Serialization, "Content-Length must be given once, in digits."}
	refuseExpect           = &refusal{http.StatusExpectationFailed, fault.Serialization, "Only Expect: 100-continue is supported."}
	refuseUpgrade          = &refusal{http.StatusBadRequest, fault.Serialization, "Upgrading to h2c is not supported; speak HTTP/1.1, or HTTP/2 over TLS."}
	refuseHTTP             = &refusal{http.StatusBadRequest, fault.Serialization, "The request is not valid HTTP/1.1."}
	refusePlain            = &refusal{http.StatusBadRequest, fault.Serialization, "This port speaks TLS; use https."}
)
