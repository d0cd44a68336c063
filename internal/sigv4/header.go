package sigv4

import (
	"strconv"
	"strings"
)

// A single is a header that may be sent once at most, because two readers could take different ones of several
// (security G3).
const (
	authorization = iota
	host
	amzDate
	httpDate
	securityToken
	target
	contentHash
	contentType
	contentLength
	singles
)

var singleNames = [singles]string{
	authorization: "authorization",
	host:          "host",
	amzDate:       "x-amz-date",
	httpDate:      "date",
	securityToken: "x-amz-security-token",
	target:        "x-amz-target",
	contentHash:   "x-amz-content-sha256",
	contentType:   "content-type",
	contentLength: "content-length",
}

// line is one header name as received, with the values of all its lines in order.
type line struct {
	name   string
	values []string
}

// received is the header of a request, looked through once.
type received struct {
	lines []line
	count [singles]int
	value [singles]string // of the first line
}

// receive looks through the header. It refuses nothing: a request without a signature is none of our business.
func receive(r *Request) received {
	rc := received{lines: make([]line, 0, len(r.Header))}
	for name, values := range r.Header {
		if len(values) == 0 {
			continue
		}
		rc.lines = append(rc.lines, line{name, values})
		if i := singleIndex(name); i >= 0 {
			rc.count[i] += len(values)
			rc.value[i] = values[0]
		}
	}
	if r.Host != "" {
		rc.count[host]++
		rc.value[host] = r.Host
	}
	return rc
}

func singleIndex(name string) int {
	for i, lower := range singleNames {
		if len(lower) == len(name) && compareFold(lower, name) == 0 {
			return i
		}
	}
	return -1
}

// check refuses headers that two readers could understand differently.
func (rc *received) check(r *Request) error {
	if len(rc.lines) > maxHeaders {
		return incomplete("A signed request must not have more than " + strconv.Itoa(maxHeaders) + " headers.")
	}
	for i, n := range rc.count {
		if n > 1 {
			return incomplete("The header '" + singleNames[i] + "' must not be sent more than once.")
		}
		if !printable(rc.value[i]) {
			return incomplete("The header '" + singleNames[i] + "' must consist of printable ASCII characters.")
		}
	}
	if rc.count[contentLength] == 1 && rc.value[contentLength] != strconv.FormatInt(r.ContentLength, 10) {
		return incomplete("The header 'content-length' does not match the length of the request.")
	}
	return nil
}

// find returns the values of a header by its lower-case name. Two names that differ in case only are refused: a map has
// no order, so their values have none.
func (rc *received) find(lower string) (values []string, ok bool) {
	for _, l := range rc.lines {
		if len(l.name) != len(lower) || compareFold(lower, l.name) != 0 {
			continue
		}
		if ok {
			return nil, false
		}
		values, ok = l.values, true
	}
	return values, ok
}

// mustBeSigned reports whether a header changes what a request means, so that a signature has to cover it (security G2).
func mustBeSigned(name string) bool {
	const prefix = "x-amz-"
	if len(name) >= len(prefix) && compareFold(prefix, name[:len(prefix)]) == 0 {
		return true
	}
	return compareFold(singleNames[contentType], name) == 0
}

// appendHeaders appends the canonical headers: a line for each signed one (spec §4.1).
func (s *Signature) appendHeaders(b []byte, r *Request) ([]byte, error) {
	for _, name := range s.SignedHeaders {
		b = append(b, name...)
		b = append(b, ':')
		switch {
		case name == "host" && s.received.count[host] == 1:
			b = appendFolded(b, s.received.value[host])
		case name == "content-length" && r.ContentLength >= 0:
			b = strconv.AppendInt(b, r.ContentLength, 10)
		default:
			values, ok := s.received.find(name)
			if !ok {
				return nil, mismatch("a signed header is not in the request, or under two names: " + name)
			}
			b = appendValues(b, values)
		}
		b = append(b, '\n')
	}
	return b, nil
}

func appendValues(b []byte, values []string) []byte {
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFolded(b, v)
	}
	return b
}

// appendFolded appends a header value without white space at its ends and with one space for every run inside.
func appendFolded(b []byte, v string) []byte {
	if !hasSpace(v) {
		return append(b, v...)
	}
	start, gap := len(b), false
	for i := range len(v) {
		if isSpace(v[i]) {
			gap = true
			continue
		}
		if gap && len(b) > start {
			b = append(b, ' ')
		}
		gap = false
		b = append(b, v[i])
	}
	return b
}

// hasSpace looks for each kind on its own because that is fast over the kilobytes of a session token.
func hasSpace(v string) bool {
	return strings.IndexByte(v, ' ') >= 0 || strings.IndexByte(v, '\t') >= 0 ||
		strings.IndexByte(v, '\n') >= 0 || strings.IndexByte(v, '\r') >= 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func printable(v string) bool {
	for i := range len(v) {
		if v[i] < 0x20 || v[i] > 0x7e {
			return false
		}
	}
	return true
}

// compareFold compares lower, which is lower-case, with name in any case. ASCII only: no other letter folds into it.
func compareFold(lower, name string) int {
	for i := range min(len(lower), len(name)) {
		if c := toLower(name[i]); c != lower[i] {
			return int(lower[i]) - int(c)
		}
	}
	return len(lower) - len(name)
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
