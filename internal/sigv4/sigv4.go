// Package sigv4 verifies requests signed with AWS Signature Version 4, and signs them for our own clients.
//
// A signature names an access key, a scope (day/region/service/aws4_request), the headers it covers and a time, and holds
// 64 hexadecimal digits: an HMAC-SHA256, under a key derived from the secret and the scope, of a canonical text of the
// request. It comes in the Authorization header or, where the caller of this package allows it, in the query.
//
// Work goes in two steps, because the secret is found by what the signature claims: Parse reads the claims, then
// Verifier.Verify checks them against the secret. Everything is computed from the bytes received; nothing comes from a
// parsed URL. What could be read in two ways is refused: repeated or folded security headers, two kinds of signature at
// once, a "+" in the query, headers that matter but are not covered.
//
// Finding the secret, session tokens and their expiry, replay protection and permissions are left to the caller.
package sigv4

import (
	"errors"
	"time"

	"idpool/internal/fault"
)

// Algorithm is the only algorithm accepted.
const Algorithm = "AWS4-HMAC-SHA256"

const (
	terminator  = "aws4_request"
	stampLayout = "20060102T150405Z" // ISO 8601 basic format, UTC

	maxAuthorization = 4 << 10  // bytes of the Authorization header
	maxQuery         = 64 << 10 // bytes of the raw query
	maxParams        = 1000     // parameters in the query
	maxPath          = 8 << 10  // bytes of the raw path
	maxSigned        = 100      // names in SignedHeaders
	maxHeaders       = 256      // different header names in a signed request
	maxExpires       = 7 * 24 * time.Hour
)

// Request is a request as it was received: bytes, not a parsed URL.
type Request struct {
	Method string
	Path   string // of the request line, still percent-encoded; "" is "/"
	Query  string // of the request line, still percent-encoded, without "?"
	Host   string // the Host line, with its port if it had one
	// Header holds the other lines: names in any case, one value for each line, in order. An http.Header fits.
	Header        map[string][]string
	ContentLength int64 // -1 when unknown
	Body          []byte
}

// Signature is what a request claims about its signature. Nothing of it is verified.
type Signature struct {
	AccessKeyID   string   // 1–128 characters, letters, digits and "_+=.@-"
	Date          string   // of the scope: YYYYMMDD when it is right
	Region        string   // of the scope
	Service       string   // of the scope
	SignedHeaders []string // lower-case, ascending, without repetition; 1–100
	Time          time.Time
	Expires       time.Duration // 1 s to 7 days for a query signature, else 0
	Token         string        // X-Amz-Security-Token, "" when there is none
	Query         bool          // the signature came in the query

	request    *Request
	terminator string
	stamp      string // Time as it stands in the string to sign
	dateHeader string // "x-amz-date" or "date"; "" for a query signature
	signature  string // as sent; not known to be hexadecimal
	received   received
}

// String returns the access key id and the scope, never the token or the signature.
func (s Signature) String() string {
	return s.AccessKeyID + "/" + s.Date + "/" + s.Region + "/" + s.Service
}

// GoString is String: %#v must not print the token.
func (s Signature) GoString() string { return s.String() }

// MarshalText is String: a log or JSON encoder must not write the token.
func (s Signature) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ErrUnsigned is what Parse returns for a request without any signature. It is a fault, so that a caller that forgets
// to look for it still refuses the request.
var ErrUnsigned error = fault.New(fault.MissingAuthentication, "Missing Authentication Token")

// Sentences of AWS that tools and people look for (spec §4.3, §4.4).
const (
	sentenceMismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	sentenceUnknownKey = "The security token included in the request is invalid."
	sentenceCredential = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
	sentenceDate       = "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601"
	sentenceUnsigned   = "There were headers present in the request which were not signed."
	sentenceTwoKinds   = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string " +
		"parameter or the Authorization header should be specified"
)

// incomplete is the refusal of a signature that cannot be read.
func incomplete(sentence string) error { return fault.New(fault.IncompleteSignature, "%s", sentence) }

// invalid is the refusal of a signature that was read and is wrong.
func invalid(sentence, cause string) error {
	return fault.Wrap(fault.InvalidSignature, sentence, errors.New(cause))
}

// mismatch is the refusal that says no more than that the signature is wrong; cause is for the operator.
func mismatch(cause string) error { return invalid(sentenceMismatch, cause) }
