package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// canon are the ways in which services differ in what they sign.
type canon struct {
	asS3              bool // the path is encoded once and not normalised, a "+" in the query is itself
	tokenAfterSigning bool // the session token was added after signing
}

const digest = 2 * sha256.Size // characters of a hexadecimal SHA-256

// appendCanonical appends the canonical request (spec §4.1).
func (s *Signature) appendCanonical(b []byte, r *Request, c canon, bodyHash []byte) ([]byte, error) {
	if !isMethod(r.Method) {
		return nil, mismatch("the method is not one of HTTP")
	}
	b = append(b, r.Method...)
	b = append(b, '\n')
	b, err := appendPath(b, r.Path, c.asS3)
	if err != nil {
		return nil, mismatch("path: " + err.Error())
	}
	b = append(b, '\n')
	if b, err = s.appendQuery(b, r.Query, c); err != nil {
		return nil, mismatch("query: " + err.Error())
	}
	b = append(b, '\n')
	if b, err = s.appendHeaders(b, r); err != nil {
		return nil, err
	}
	b = append(b, '\n')
	for i, name := range s.SignedHeaders {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(b, '\n')
	return append(b, bodyHash...), nil
}

// appendStringToSign appends the text under the HMAC, which holds the canonical request as a hash.
func (s *Signature) appendStringToSign(b, canonical []byte) []byte {
	b = append(b, Algorithm+"\n"...)
	b = append(b, s.stamp...)
	b = append(b, '\n')
	b = append(b, s.Date...)
	b = append(b, '/')
	b = append(b, s.Region...)
	b = append(b, '/')
	b = append(b, s.Service...)
	b = append(b, "/"+terminator+"\n"...)
	return appendHash(b, canonical)
}

func appendHash(b, data []byte) []byte {
	sum := sha256.Sum256(data)
	return hex.AppendEncode(b, sum[:])
}

// isMethod keeps anything out of the first line that could be taken for the second.
func isMethod(v string) bool {
	const longest = 32
	for i := range len(v) {
		if c := toLower(v[i]); (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return v != "" && len(v) <= longest
}

var (
	errNoSlash  = errors.New("it does not begin with a slash")
	errLongPath = errors.New("it is too long")
)

func appendPath(b []byte, raw string, asS3 bool) ([]byte, error) {
	switch {
	case raw == "" || raw == "/":
		return append(b, '/'), nil
	case raw[0] != '/':
		return nil, errNoSlash
	case len(raw) > maxPath:
		return nil, errLongPath
	case asS3:
		return appendRecoded(b, raw, true, true)
	default:
		return appendNormalised(b, raw), nil
	}
}

// appendNormalised removes dot segments (RFC 3986 §5.2.4) and empty ones, and encodes what is left as it is: "%20" on the
// wire becomes "%2520".
func appendNormalised(b []byte, raw string) []byte {
	start, last := len(b), ""
	for segment := range strings.SplitSeq(raw[1:], "/") {
		last = segment
		switch segment {
		case "", ".":
		case "..":
			if i := bytes.LastIndexByte(b[start:], '/'); i >= 0 {
				b = b[:start+i]
			}
		default:
			b = append(b, '/')
			for i := range len(segment) {
				b = appendByte(b, segment[i], false)
			}
		}
	}
	if last == "" || last == "." || last == ".." {
		b = append(b, '/')
	}
	return b
}
