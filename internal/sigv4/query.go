package sigv4

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The parameters of a query signature (spec §4.2).
const (
	paramAlgorithm = iota
	paramCredential
	paramDate
	paramExpires
	paramSignedHeaders
	paramSignature
	paramToken
	paramCount
)

var paramNames = [paramCount]string{
	paramAlgorithm:     "X-Amz-Algorithm",
	paramCredential:    "X-Amz-Credential",
	paramDate:          "X-Amz-Date",
	paramExpires:       "X-Amz-Expires",
	paramSignedHeaders: "X-Amz-SignedHeaders",
	paramSignature:     "X-Amz-Signature",
	paramToken:         "X-Amz-Security-Token",
}

// queryAuth is what a query says about a signature. Values are as received.
type queryAuth struct {
	present bool // there is any sign of a signature
	strange bool // a name in another case, or of signature version 2
	count   [paramCount]int
	value   [paramCount]string
}

// scanQuery looks for a signature. Names count in any case and however they are encoded, so that no spelling of one
// passes for its absence.
func scanQuery(raw string) queryAuth {
	var q queryAuth
	if raw == "" {
		return q
	}
	for piece := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(piece, "=")
		const longest = 3 * len("X-Amz-Security-Token")
		if len(name) <= longest {
			q.note(name, value)
		}
	}
	return q
}

func (q *queryAuth) note(rawName, value string) {
	name, err := unescape(rawName)
	if err != nil {
		return // the canonical query refuses it
	}
	for i, want := range paramNames {
		if strings.EqualFold(name, want) {
			q.present = true
			q.strange = q.strange || name != want
			q.count[i]++
			q.value[i] = value
		}
	}
	if strings.EqualFold(name, "AWSAccessKeyId") {
		q.present, q.strange = true, true
	}
}

// parseQuery reads the signature from the query.
func (s *Signature) parseQuery(q *queryAuth) error {
	if s.received.count[amzDate] > 0 || s.received.count[securityToken] > 0 {
		return incomplete(sentenceTwoKinds)
	}
	if err := q.check(); err != nil {
		return err
	}
	var v [paramCount]string
	for i, raw := range q.value {
		text, err := unescape(raw)
		if err != nil || !printable(text) {
			return incomplete("The query parameter '" + paramNames[i] + "' is not encoded properly.")
		}
		v[i] = text
	}
	if v[paramAlgorithm] != Algorithm {
		return incomplete("Unsupported AWS 'algorithm'.")
	}
	s.Query, s.Token = true, v[paramToken]
	if err := s.setStamp(v[paramDate]); err != nil {
		return err
	}
	if err := s.setExpires(v[paramExpires]); err != nil {
		return err
	}
	return s.setClaims(claims{v[paramCredential], v[paramSignature], v[paramSignedHeaders]})
}

// check wants every parameter but the token, each once.
func (q *queryAuth) check() error {
	if q.strange {
		return incomplete("The query holds a parameter of a signature that is not one of version 4.")
	}
	var missing []string
	for i, n := range q.count {
		if n > 1 {
			return incomplete("The query parameter '" + paramNames[i] + "' must not be sent more than once.")
		}
		if q.value[i] == "" && i != paramToken {
			missing = append(missing, "AWS query-string parameters must include '"+paramNames[i]+"'.")
		}
	}
	if missing != nil {
		return incomplete(strings.Join(missing, " ") + " Re-examine the query-string parameters.")
	}
	return nil
}

func (s *Signature) setExpires(text string) error {
	n, err := strconv.ParseUint(text, 10, 20)
	if err != nil || n == 0 || n > uint64(maxExpires/time.Second) || text != strconv.FormatUint(n, 10) {
		return incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800.")
	}
	s.Expires = time.Duration(n) * time.Second
	return nil
}

var (
	errEscape = errors.New("a percent sign without two hexadecimal digits")
	errPlus   = errors.New("a plus sign, which some readers take for a space")
)

// param is one parameter, encoded, in a buffer: its name from start to value, its value from value to end.
type param struct{ start, value, end int }

// appendQuery appends the canonical query: every name and value decoded and encoded again, sorted (spec §4.1).
func (s *Signature) appendQuery(b []byte, raw string, c canon) ([]byte, error) {
	if raw == "" {
		return b, nil
	}
	var bufferSpace [512]byte
	var paramSpace [16]param
	buffer, params := bufferSpace[:0], paramSpace[:0]
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		p, grown, err := appendParam(buffer, piece, c.asS3)
		if err != nil {
			return nil, err
		}
		if s.Query && leftOut(grown[p.start:p.value], c) {
			continue
		}
		buffer, params = grown, append(params, p)
	}
	slices.SortFunc(params, func(x, y param) int {
		if n := bytes.Compare(buffer[x.start:x.value], buffer[y.start:y.value]); n != 0 {
			return n
		}
		return bytes.Compare(buffer[x.value:x.end], buffer[y.value:y.end])
	})
	for i, p := range params {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, buffer[p.start:p.value]...)
		b = append(b, '=')
		b = append(b, buffer[p.value:p.end]...)
	}
	return b, nil
}

func appendParam(b []byte, piece string, asS3 bool) (p param, grown []byte, err error) {
	name, value, _ := strings.Cut(piece, "=")
	p.start = len(b)
	if b, err = appendRecoded(b, name, asS3, false); err != nil {
		return p, nil, err
	}
	p.value = len(b)
	if b, err = appendRecoded(b, value, asS3, false); err != nil {
		return p, nil, err
	}
	p.end = len(b)
	return p, b, nil
}

// leftOut reports whether a parameter of a query signature is not part of what is signed.
func leftOut(name []byte, c canon) bool {
	return string(name) == paramNames[paramSignature] || c.tokenAfterSigning && string(name) == paramNames[paramToken]
}

// appendRecoded decodes v once and encodes it again, everything but unreserved characters (RFC 3986 §2.3) and, where
// slash is true, "/".
//
// A "+" means a space to readers of forms and itself to others: unless plus is true it is refused, else a request signed
// with "%2B" could be sent on as "+" and change its meaning under the same signature.
func appendRecoded(b []byte, v string, plus, slash bool) ([]byte, error) {
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '+' && !plus:
			return nil, errPlus
		case c == '%':
			var ok bool
			if c, ok = unhex(v[i+1:]); !ok {
				return nil, errEscape
			}
			i += 2
		}
		b = appendByte(b, c, slash)
	}
	return b, nil
}

func appendByte(b []byte, c byte, slash bool) []byte {
	if isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~' || slash && c == '/' {
		return append(b, c)
	}
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[c>>4], digits[c&15])
}

// unescape decodes a name or value of the query.
func unescape(v string) (string, error) {
	if strings.IndexByte(v, '+') >= 0 {
		return "", errPlus
	}
	if strings.IndexByte(v, '%') < 0 {
		return v, nil
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '%' {
			var ok bool
			if c, ok = unhex(v[i+1:]); !ok {
				return "", errEscape
			}
			i += 2
		}
		b = append(b, c)
	}
	return string(b), nil
}

// unhex returns the byte that the first two characters of v stand for.
func unhex(v string) (byte, bool) {
	if len(v) < 2 {
		return 0, false
	}
	high, ok1 := hexDigit(v[0])
	low, ok2 := hexDigit(v[1])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}
