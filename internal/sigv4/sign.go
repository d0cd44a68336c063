package sigv4

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Credentials sign requests.
type Credentials struct {
	AccessKeyID string
	Secret      string // at least 16 bytes
	Token       string // session token; "" for long-term credentials
}

// String returns the access key id only.
func (c Credentials) String() string { return c.AccessKeyID + " [redacted]" }

// GoString is String: %#v must not print the secret.
func (c Credentials) GoString() string { return c.String() }

// MarshalText is String: a log or JSON encoder must not write the secret.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// unsigned stands in the Authorization header until the signature is known.
var unsigned = strings.Repeat("0", digest)

// Sign signs a request that is about to be sent: it sets X-Amz-Date, X-Amz-Security-Token when there is a token, and
// Authorization, in place of what was there. The signature covers the host, the content type and every x-amz- header.
// An error means that Parse would refuse the request, or that the secret is too short; then there is no Authorization.
func Sign(r *Request, c Credentials, region, service string, now time.Time) error {
	if len(c.Secret) < minSecret {
		return errors.New("sign request: the secret is too short")
	}
	stamp := now.UTC().Format(stampLayout)
	setHeaders(r, c.Token, stamp)
	names := toSign(r)
	prefix := fmt.Sprintf("%s Credential=%s/%s/%s/%s/%s, SignedHeaders=%s, Signature=",
		Algorithm, c.AccessKeyID, stamp[:8], region, service, terminator, strings.Join(names, ";"))
	r.Header["Authorization"] = []string{prefix + unsigned}
	signature, err := signature(r, c.Secret)
	if err != nil {
		delete(r.Header, "Authorization")
		return fmt.Errorf("sign request: %w", err)
	}
	r.Header["Authorization"] = []string{prefix + signature}
	return nil
}

func setHeaders(r *Request, token, stamp string) {
	if r.Header == nil {
		r.Header = make(map[string][]string)
	}
	for name := range r.Header {
		switch singleIndex(name) {
		case authorization, amzDate, securityToken:
			delete(r.Header, name)
		}
	}
	r.Header["X-Amz-Date"] = []string{stamp}
	if token != "" {
		r.Header["X-Amz-Security-Token"] = []string{token}
	}
}

func toSign(r *Request) []string {
	names := []string{"host"}
	for name, values := range r.Header {
		if len(values) > 0 && mustBeSigned(name) {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	return names
}

// signature reads the request back as the verifier does, so that both sign the same text.
func signature(r *Request, secret string) (string, error) {
	s, err := Parse(r)
	if err != nil {
		return "", err
	}
	var hashSpace [digest]byte
	bodyHash := appendHash(hashSpace[:0], r.Body)
	if err := checkBody(s, bodyHash); err != nil {
		return "", err
	}
	canonical, err := s.appendCanonical(make([]byte, 0, 1024), r, canon{}, bodyHash)
	if err != nil {
		return "", err
	}
	key := deriveKey(secret, s.Date, s.Region, s.Service)
	sum := sign(key, s.appendStringToSign(make([]byte, 0, 192), canonical))
	return string(sum[:]), nil
}
