package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpool/internal/fault"
)

const (
	defaultSkew    = 5 * time.Minute
	defaultExpires = 15 * time.Minute
)

// Verifier verifies signatures. The zero value refuses every request, because it knows no service. Set the fields before
// the first use; then it serves any number of goroutines. It must not be copied.
type Verifier struct {
	Region   string   // the only region of a scope; "" allows any
	Services []string // the services of a scope, e.g. "sts"; the first one is named in refusals
	// MaxSkew is the greatest distance between the signature's time and ours, either way. 0 is 5 minutes.
	MaxSkew time.Duration
	// AllowQuery accepts signatures in the query, valid from MaxSkew before their time until X-Amz-Expires after it.
	AllowQuery bool
	// MaxExpires is the greatest X-Amz-Expires of a signature in the query. 0 is 15 minutes (security G8).
	MaxExpires time.Duration
	// DoNotNormalise takes the path as S3 does: encoded once, dots and slashes as they came; a "+" in the query is itself.
	DoNotNormalise bool
	// TokenAfterSigning accepts a session token that the signature does not cover, as a few services of AWS do. The
	// caller must then be sure that a token works with its own access key only.
	TokenAfterSigning bool

	keys keyCache
}

var errForeign = errors.New("verify signature: it was parsed from another request")

// Verify checks the signature s, which Parse returned for r, against the secret of its access key. Nil means that whoever
// holds the secret has signed this request for this time, region and service.
//
// Refusals are faults with the code InvalidSignature and the sentences of spec §4.3 and §4.4, or IncompleteSignature for a
// query signature where none is allowed. Another error is a mistake of the caller: a signature of another request, or a
// secret of less than 16 bytes.
func (v *Verifier) Verify(r *Request, s *Signature, secret string, now time.Time) error {
	if s == nil || s.request != r {
		return errForeign
	}
	if len(secret) < minSecret {
		return errors.New("verify signature: the secret is too short")
	}
	text, err := v.stringToSign(r, s, now)
	if err != nil {
		return err
	}
	id := s.keyID(secret)
	key, derived, ok := v.match(s, id, secret, text)
	if !ok {
		return mismatch("the signature differs")
	}
	if derived { // only now: nobody without the secret can fill the cache
		v.keys.put(id, key)
	}
	return nil
}

// decoySecret stands for the secret of an access key that does not exist. Anybody may know it: nothing signed with it is
// accepted.
const decoySecret = "no access key has this secret, see VerifyUnknown"

// VerifyUnknown does the work of Verify for a request whose access key is not known, so that time does not tell unknown
// keys from wrong signatures (security G9). It never accepts: the error is a fault with UnrecognizedClient, or as in Verify
// for a mistake of the caller.
func (v *Verifier) VerifyUnknown(r *Request, s *Signature, now time.Time) error {
	if s == nil || s.request != r {
		return errForeign
	}
	cause := errors.New("no such access key")
	if text, err := v.stringToSign(r, s, now); err != nil {
		cause = err
	} else {
		v.match(s, s.keyID(decoySecret), decoySecret, text)
	}
	return fault.Wrap(fault.UnrecognizedClient, sentenceUnknownKey, cause)
}

// stringToSign makes every check but that of the signature itself. The clock goes first: a client whose clock is wrong may
// also have the wrong day in its scope, and corrects itself when it reads the sentence about the time.
func (v *Verifier) stringToSign(r *Request, s *Signature, now time.Time) ([]byte, error) {
	if s.Query && !v.AllowQuery {
		return nil, incomplete("Signatures in the query string are not accepted here. Use the Authorization header.")
	}
	if err := v.checkTime(s, now); err != nil {
		return nil, err
	}
	if err := v.checkScope(s); err != nil {
		return nil, err
	}
	if err := v.checkCovered(s); err != nil {
		return nil, err
	}
	var hashSpace [digest]byte
	bodyHash := appendHash(hashSpace[:0], r.Body)
	if err := checkBody(s, bodyHash); err != nil {
		return nil, err
	}
	var space [2048]byte
	canonical, err := s.appendCanonical(space[:0], r, canon{v.DoNotNormalise, v.TokenAfterSigning}, bodyHash)
	if err != nil {
		return nil, err
	}
	return s.appendStringToSign(make([]byte, 0, 192), canonical), nil
}

// match compares the signature with the right one. A refusal costs the same whether the key was in the cache or not:
// one comparison with the cache's key or with zeros, one derivation, one more comparison.
func (v *Verifier) match(s *Signature, id keyID, secret string, text []byte) (key signingKey, derived, ok bool) {
	key, known := v.keys.get(id)
	if equal := s.equals(key, text); equal && known {
		return key, false, true
	}
	key = deriveKey(secret, s.Date, s.Region, s.Service)
	return key, true, s.equals(key, text)
}

func (s *Signature) equals(key signingKey, text []byte) bool {
	want := sign(key, text)
	return hmac.Equal(want[:], []byte(s.signature))
}

func sign(key signingKey, text []byte) (signature [digest]byte) {
	var space [sha256.Size]byte
	h := hmac.New(sha256.New, key[:])
	h.Write(text)
	hex.Encode(signature[:], h.Sum(space[:0]))
	return signature
}

// checkTime wants the time within MaxSkew of now, both ends included (security G6); a query signature lives as long as it
// says instead.
func (v *Verifier) checkTime(s *Signature, now time.Time) error {
	skew := orDefault(v.MaxSkew, defaultSkew)
	life := skew
	if s.Query {
		life = s.Expires
		if limit := orDefault(v.MaxExpires, defaultExpires); life > limit {
			return invalid("X-Amz-Expires must be at most "+seconds(limit)+" seconds.", "X-Amz-Expires is "+seconds(life))
		}
	}
	if now.Sub(s.Time) > life {
		// Rounded up, so that the sentence is true of the seconds that it shows.
		shown := now.UTC().Add(time.Second - 1).Truncate(time.Second)
		return invalid(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)",
			s.stamp, shown.Add(-life).Format(stampLayout), shown.Format(stampLayout), span(life)), "clock")
	}
	if s.Time.Sub(now) > skew {
		shown := now.UTC()
		return invalid(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %s)",
			s.stamp, shown.Add(skew).Format(stampLayout), shown.Format(stampLayout), span(skew)), "clock")
	}
	return nil
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func span(d time.Duration) string {
	if d%time.Minute == 0 {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min."
	}
	return seconds(d) + " sec."
}

// checkScope names everything that is wrong with the scope, in the order of AWS.
func (v *Verifier) checkScope(s *Signature) error {
	var wrong []string
	if s.Region == "" || v.Region != "" && s.Region != v.Region {
		wrong = append(wrong, "Credential should be scoped to a valid region, not '"+s.Region+"'.")
	}
	if !slices.Contains(v.Services, s.Service) || s.Service == "" {
		wrong = append(wrong, "Credential should be scoped to correct service: '"+v.service()+"'.")
	}
	if s.terminator != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: '"+terminator+"', not '"+s.terminator+"'.")
	}
	if day := s.stamp[:len("YYYYMMDD")]; s.Date != day {
		wrong = append(wrong, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"'%s' != '%s', from '%s'.", s.Date, day, s.stamp))
	}
	if wrong == nil {
		return nil
	}
	return invalid(strings.Join(wrong, " "), "scope")
}

func (v *Verifier) service() string {
	if len(v.Services) == 0 {
		return ""
	}
	return v.Services[0]
}

// checkCovered wants the signature to cover host, date, type of the body and every x-amz- header (security G2).
func (v *Verifier) checkCovered(s *Signature) error {
	if !s.covers("host") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.", "host is not signed")
	}
	if !s.Query && !s.covers(s.dateHeader) {
		return invalid(sentenceUnsigned, s.dateHeader+" is not signed")
	}
	for _, l := range s.received.lines {
		if !mustBeSigned(l.name) || s.covers(l.name) {
			continue
		}
		if v.TokenAfterSigning && singleIndex(l.name) == securityToken {
			continue
		}
		return invalid(sentenceUnsigned, fmt.Sprintf("%.64q is not signed", l.name))
	}
	return nil
}

func (s *Signature) covers(name string) bool {
	_, ok := slices.BinarySearchFunc(s.SignedHeaders, name, compareFold)
	return ok
}

// checkBody wants X-Amz-Content-Sha256, where it is sent, to be the hash of the body. UNSIGNED-PAYLOAD and STREAMING-…
// are no hash of any body (security G4, G5).
func checkBody(s *Signature, bodyHash []byte) error {
	if s.received.count[contentHash] == 0 || hmac.Equal(bodyHash, []byte(s.received.value[contentHash])) {
		return nil
	}
	return mismatch("x-amz-content-sha256 is not the SHA-256 of the body")
}
