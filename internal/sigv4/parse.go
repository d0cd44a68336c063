package sigv4

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// claims are the parts of a signature as text, from either place. They stand in the order in which AWS misses them.
type claims [claimCount]string

const (
	claimCredential = iota
	claimSignature
	claimSignedHeaders
	claimCount
)

var claimNames = [claimCount]string{
	claimCredential:    "Credential",
	claimSignature:     "Signature",
	claimSignedHeaders: "SignedHeaders",
}

// Parse reads the signature of a request and verifies nothing.
//
// Errors: ErrUnsigned without any signature, in the header or in the query; a fault with IncompleteSignature for one that
// cannot be read, or that could be read in two ways, and for a query that is too long to be searched for one.
// The request must not change until Verify has returned.
func Parse(r *Request) (*Signature, error) {
	if len(r.Query) > maxQuery {
		return nil, incomplete("The query of a signed request must not be longer than " + strconv.Itoa(maxQuery) + " bytes.")
	}
	if strings.Count(r.Query, "&") >= maxParams {
		return nil, incomplete("The query of a signed request must not have more than " + strconv.Itoa(maxParams) + " parameters.")
	}
	rc := receive(r)
	q := scanQuery(r.Query)
	inHeader := rc.count[authorization] > 0
	if !inHeader && !q.present {
		return nil, ErrUnsigned
	}
	if inHeader && q.present {
		return nil, incomplete(sentenceTwoKinds)
	}
	if err := rc.check(r); err != nil {
		return nil, err
	}
	s := &Signature{request: r, received: rc}
	var err error
	if inHeader {
		err = s.parseHeader()
	} else {
		err = s.parseQuery(&q)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// parseHeader reads the form "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…" (spec §4.2).
func (s *Signature) parseHeader() error {
	text := s.received.value[authorization]
	if len(text) > maxAuthorization {
		return incomplete("The Authorization header must not be longer than " + strconv.Itoa(maxAuthorization) + " bytes.")
	}
	algorithm, rest, _ := strings.Cut(text, " ")
	if algorithm != Algorithm {
		return s.refuseAlgorithm(algorithm)
	}
	c, err := splitParameters(rest)
	if err != nil {
		return err
	}
	if missing := s.missing(c); missing != "" {
		return incomplete(missing)
	}
	s.Token = s.received.value[securityToken]
	if err := s.parseDate(); err != nil {
		return err
	}
	return s.setClaims(c)
}

// refuseAlgorithm names an algorithm of the AWS4 family; any other scheme has none of our parameters.
func (s *Signature) refuseAlgorithm(algorithm string) error {
	const longest = 40
	if strings.HasPrefix(algorithm, "AWS4-") && len(algorithm) <= longest && isScopePart(algorithm) {
		return incomplete("Unsupported AWS 'algorithm': '" + algorithm + "'.")
	}
	return incomplete(s.missing(claims{}))
}

// splitParameters reads name=value pairs with commas between them, in any order, each name once.
func splitParameters(text string) (claims, error) {
	var c claims
	var seen [claimCount]bool
	text = strings.Trim(text, " ")
	if text == "" {
		return c, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.Trim(pair, " "), "=")
		i := slices.Index(claimNames[:], name)
		if !ok || i < 0 || seen[i] {
			return c, incomplete("The Authorization header must consist of the parameters 'Credential', 'SignedHeaders' and " +
				"'Signature', each as name=value and once.")
		}
		c[i], seen[i] = value, true
	}
	return c, nil
}

// missing returns a sentence for each part that a header signature lacks.
func (s *Signature) missing(c claims) string {
	var b []string
	for i, value := range c {
		if value == "" {
			b = append(b, "Authorization header requires '"+claimNames[i]+"' parameter.")
		}
	}
	if s.received.count[amzDate] == 0 && s.received.count[httpDate] == 0 {
		b = append(b, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return strings.Join(b, " ")
}

// parseDate takes X-Amz-Date, else Date, which may also have the form of RFC 9110 §5.6.7.
func (s *Signature) parseDate() error {
	if s.received.count[amzDate] == 1 {
		s.dateHeader = singleNames[amzDate]
		return s.setStamp(s.received.value[amzDate])
	}
	s.dateHeader = singleNames[httpDate]
	text := s.received.value[httpDate]
	if t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", text); err == nil {
		text = t.Format(stampLayout)
	}
	return s.setStamp(text)
}

func (s *Signature) setStamp(text string) error {
	t, err := time.Parse(stampLayout, text)
	if err != nil || len(text) != len(stampLayout) { // the length keeps out fractions of a second
		return incomplete(sentenceDate)
	}
	s.Time, s.stamp = t, text
	return nil
}

func (s *Signature) setClaims(c claims) error {
	s.signature = c[claimSignature]
	if err := s.setCredential(c[claimCredential]); err != nil {
		return err
	}
	return s.setSignedHeaders(c[claimSignedHeaders])
}

// setCredential reads keyid/date/region/service/terminator. A wrong scope is not refused here, but its characters are
// few, because its sentences repeat it.
func (s *Signature) setCredential(text string) error {
	var parts [5]string
	rest := text
	for i := range parts[:4] {
		var ok bool
		if parts[i], rest, ok = strings.Cut(rest, "/"); !ok {
			return incomplete(sentenceCredential)
		}
	}
	parts[4] = rest
	if !isAccessKeyID(parts[0]) {
		return incomplete(sentenceCredential)
	}
	for _, p := range parts[1:] {
		if !isScopePart(p) {
			return incomplete(sentenceCredential)
		}
	}
	s.AccessKeyID, s.Date, s.Region, s.Service, s.terminator = parts[0], parts[1], parts[2], parts[3], parts[4]
	return nil
}

// setSignedHeaders reads names with semicolons between them. Their order is part of what was signed, and only one order
// is canonical.
func (s *Signature) setSignedHeaders(text string) error {
	n := strings.Count(text, ";") + 1
	if n > maxSigned {
		return incomplete("SignedHeaders must not have more than " + strconv.Itoa(maxSigned) + " names.")
	}
	names := make([]string, 0, n)
	last := ""
	for name := range strings.SplitSeq(text, ";") {
		if !isLowerToken(name) || name <= last {
			return incomplete("SignedHeaders must be lower-case header names, sorted, each once, with ';' between them.")
		}
		names = append(names, name)
		last = name
	}
	s.SignedHeaders = names
	return nil
}

func isAccessKeyID(v string) bool {
	const longest = 128
	if v == "" || len(v) > longest {
		return false
	}
	for i := range len(v) {
		if !isAlphanumeric(v[i]) && strings.IndexByte("_+=.@-", v[i]) < 0 {
			return false
		}
	}
	return true
}

func isScopePart(v string) bool {
	const longest = 64
	for i := range len(v) {
		if !isAlphanumeric(v[i]) && strings.IndexByte("_.-", v[i]) < 0 {
			return false
		}
	}
	return len(v) <= longest
}

// isLowerToken reports whether v is a token of RFC 9110 §5.6.2 without capital letters.
func isLowerToken(v string) bool {
	for i := range len(v) {
		if c := v[i]; 'A' <= c && c <= 'Z' || !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return v != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
