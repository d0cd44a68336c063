package sigv4

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
)

// The tests in this file follow section G of the threat model, row by row.

// A header that changes the meaning of a request and is not signed is refused, however right the signature is (G2).
func TestG2UnsignedHeaders(t *testing.T) {
	all := toSign(signedRequest(t))
	if len(all) != 5 {
		t.Fatalf("got %d headers to sign, want 5: %q", len(all), all)
	}
	for i, name := range all {
		t.Run(name, func(t *testing.T) {
			r := signedRequest(t)
			signAs(t, r, claim{names: slices.Delete(slices.Clone(all), i, i+1)})
			sentence := sentenceUnsigned
			if name == "host" {
				sentence = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
			}
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentence)
		})
	}
	for _, added := range []string{"X-Amz-Meta-Anything", "x-amz-content-sha256", "X-AMZ-USER-AGENT"} {
		t.Run("added "+added, func(t *testing.T) {
			r := signedRequest(t)
			r.Header[added] = []string{hash(r.Body)}
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceUnsigned)
		})
	}
	t.Run("Date in place of X-Amz-Date", func(t *testing.T) {
		r := dated(t, testNow.Format(http.TimeFormat))
		signAs(t, r, claim{names: []string{"content-type", "host", "x-amz-security-token", "x-amz-target"}})
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceUnsigned)
	})
	t.Run("other headers may stay unsigned", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["X-Amzn-Trace-Id"] = []string{"Root=1-67891233-abcdef012345678912345678"}
		r.Header["Accept"] = []string{"*/*", "text/xml"}
		if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
}

// dated returns a request with a Date header instead of X-Amz-Date, not signed yet.
func dated(t *testing.T, date string) *Request {
	r := signedRequest(t)
	delete(r.Header, "X-Amz-Date")
	r.Header["Date"] = []string{date}
	return r
}

// Headers that two readers could understand differently are refused (G3).
func TestG3Repeated(t *testing.T) {
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Target", "X-Amz-Content-Sha256",
		"Content-Type", "Content-Length", "Date"} {
		for _, second := range []string{name, strings.ToLower(name)} {
			t.Run(name+" and "+second, func(t *testing.T) {
				r := signedRequest(t)
				if r.Header[name] == nil {
					r.Header[name] = []string{map[string]string{
						"X-Amz-Content-Sha256": hash(r.Body), "Content-Length": fmt.Sprint(r.ContentLength), "Date": testStamp,
					}[name]}
				}
				r.Header[second] = append(slices.Clone(r.Header[second]), r.Header[name]...)
				if second == name && len(r.Header[name]) != 2 {
					t.Fatalf("got %d lines, want 2", len(r.Header[name]))
				}
				wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature,
					"The header '"+strings.ToLower(name)+"' must not be sent more than once.")
			})
		}
	}
	t.Run("Host", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["Host"] = []string{r.Host}
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature,
			"The header 'host' must not be sent more than once.")
	})
	t.Run("signed header under two names", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["X-Amz-Meta-A"] = []string{"1"}
		signAs(t, r, claim{})
		r.Header["x-amz-meta-a"] = []string{"2"}
		for range 50 { // a map gives its entries in any order
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
		}
	})
}

func TestG3Bytes(t *testing.T) {
	for _, name := range []string{"Authorization", "Host", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Target",
		"X-Amz-Content-Sha256", "Content-Type", "Content-Length", "Date"} {
		for _, bad := range []string{"\x00", "\t", "\r\n ", "\n", "\x1f", "\x7f", "\x80", "\xe9", "é"} {
			t.Run(fmt.Sprintf("%s %q", name, bad), func(t *testing.T) {
				r := signedRequest(t)
				if name == "Host" {
					r.Host += bad
				} else {
					value := strings.Join(r.Header[name], "")
					r.Header[name] = []string{value + bad + "x"}
				}
				wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature,
					"The header '"+strings.ToLower(name)+"' must consist of printable ASCII characters.")
			})
		}
	}
}

// What net/http makes of hostile bytes on the wire, where it does not refuse them itself (G3).
func TestG3Wire(t *testing.T) {
	r := signedRequest(t)
	head := func(change func(name, value string) string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Host, r.ContentLength)
		for name, values := range r.Header {
			b.WriteString(change(name, values[0]))
		}
		return b.String() + "\r\n" + string(r.Body)
	}
	plain := func(name, value string) string { return name + ": " + value + "\r\n" }
	at := func(where string, change func(name, value string) string) string {
		return head(func(name, value string) string {
			if name == where {
				return change(name, value)
			}
			return plain(name, value)
		})
	}
	twice := func(name, value string) string { return plain(name, value) + plain(strings.ToUpper(name), value) }
	folded := func(name, value string) string { return name + ": " + value[:8] + "\r\n " + value[8:] + "\r\n" }
	latin := func(name, value string) string { return name + ": " + value + "\xe9\r\n" }
	for _, tc := range []struct {
		name, raw string
		code      fault.Code
	}{
		{"plain", head(plain), ""},
		{"two Authorization", at("Authorization", twice), fault.IncompleteSignature},
		{"two X-Amz-Date", at("X-Amz-Date", twice), fault.IncompleteSignature},
		{"two X-Amz-Target", at("X-Amz-Target", twice), fault.IncompleteSignature},
		{"two Content-Type", at("Content-Type", twice), fault.IncompleteSignature},
		{"two tokens", at("X-Amz-Security-Token", twice), fault.IncompleteSignature},
		{"folded X-Amz-Date", at("X-Amz-Date", folded), fault.IncompleteSignature},
		{"folded X-Amz-Target", at("X-Amz-Target", folded), fault.InvalidSignature},
		{"folded Authorization", at("Authorization", folded), fault.IncompleteSignature},
		{"Latin-1 in X-Amz-Target", at("X-Amz-Target", latin), fault.IncompleteSignature},
		{"Latin-1 in Content-Type", at("Content-Type", latin), fault.IncompleteSignature},
		{"absolute form", strings.Replace(head(plain), "POST / ", "POST http://other.example/ ", 1), fault.InvalidSignature},
		{"other path", strings.Replace(head(plain), "POST / ", "POST /x ", 1), fault.InvalidSignature},
		{"encoded dots", strings.Replace(head(plain), "POST / ", "POST /%2e%2e/ ", 1), fault.InvalidSignature},
		{"encoded slash", strings.Replace(head(plain), "POST / ", "POST /%2F ", 1), fault.InvalidSignature},
		{"query", strings.Replace(head(plain), "POST / ", "POST /?Action=DeleteIdentityPool ", 1), fault.InvalidSignature},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := fromWire(t, tc.raw)
			s, err := Parse(got)
			if err == nil {
				err = testVerifier().Verify(got, s, testSecret, testNow)
			}
			if tc.code == "" {
				if err != nil {
					t.Fatalf("got %v, want none", err)
				}
				return
			}
			wantFault(t, err, tc.code, "")
		})
	}
}

func fromWire(t *testing.T, raw string) *Request {
	t.Helper()
	h, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatalf("net/http refuses this row itself: %v", err)
	}
	body, err := io.ReadAll(h.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	path, query, _ := strings.Cut(h.RequestURI, "?")
	if i := strings.Index(path, "://"); i >= 0 { // absolute form
		_, path, _ = strings.Cut(path[i+len("://"):], "/")
		path = "/" + path
	}
	return &Request{Method: h.Method, Path: path, Query: query, Host: h.Host, Header: h.Header, ContentLength: h.ContentLength, Body: body}
}

// Two kinds of signature at once are refused, in any spelling (G3).
func TestG3HeaderAndQuery(t *testing.T) {
	for _, query := range []string{
		"X-Amz-Signature=00", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=AKIA/20261122/r/s/aws4_request",
		"X-Amz-Security-Token=x", "X-Amz-Date=" + testStamp, "X-Amz-Expires=1", "X-Amz-SignedHeaders=host",
		"x-amz-signature=00", "a=b&X-AMZ-CREDENTIAL", "X%2DAmz%2dSignature=00", "%58-Amz-Signature=00", "&&X-Amz-Signature",
		"AWSAccessKeyId=AKIA&Signature=x", "awsaccesskeyid=AKIA",
	} {
		t.Run(query, func(t *testing.T) {
			r := signedRequest(t)
			r.Query = query
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, sentenceTwoKinds)
		})
	}
	for _, name := range []string{"X-Amz-Date", "X-Amz-Security-Token"} {
		t.Run("query signature with header "+name, func(t *testing.T) {
			r := presigned(t, 60, nil)
			r.Header[name] = []string{testStamp}
			wantFault(t, check(queryVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, sentenceTwoKinds)
		})
	}
}

const (
	noCredential = "Authorization header requires 'Credential' parameter."
	noSignature  = "Authorization header requires 'Signature' parameter."
	noSigned     = "Authorization header requires 'SignedHeaders' parameter."
	noDate       = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
)

// Nothing but a complete signature of the one algorithm passes for a signature (G4).
func TestG4Authorization(t *testing.T) {
	const good = "Credential=ASIAEXAMPLE/20261122/eu-central-1/cognito-identity/aws4_request"
	const names = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
	sig := "Signature=" + unsigned
	structure := "The Authorization header must consist of the parameters 'Credential', 'SignedHeaders' and 'Signature', each as name=value and once."
	order := "SignedHeaders must be lower-case header names, sorted, each once, with ';' between them."
	missing := strings.Join([]string{noCredential, noSignature, noSigned}, " ")
	for _, tc := range []struct{ name, value, sentence string }{
		{"empty", "", missing},
		{"Bearer", "Bearer abc", missing},
		{"Basic", "Basic QUtJRDpTRUNSRVQ=", missing},
		{"version 2", "AWS AKIAEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", missing},
		{"version 3", "AWS3-HTTPS AWSAccessKeyId=AKIA,Algorithm=HmacSHA256,Signature=x", missing},
		{"version 4A", "AWS4-ECDSA-P256-SHA256 " + good + ", " + names + ", " + sig, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."},
		{"SHA-1", "AWS4-HMAC-SHA1 " + good + ", " + names + ", " + sig, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'."},
		{"certificate", "AWS4-X509-RSA-SHA256 " + good + ", " + names + ", " + sig, "Unsupported AWS 'algorithm': 'AWS4-X509-RSA-SHA256'."},
		{"lower case", "aws4-hmac-sha256 " + good + ", " + names + ", " + sig, missing},
		{"hostile algorithm", "AWS4-<script> " + good, missing},
		{"long algorithm", "AWS4-" + strings.Repeat("A", 100) + " x", missing},
		{"algorithm only", "AWS4-HMAC-SHA256", missing},
		{"algorithm and spaces", "AWS4-HMAC-SHA256   ", missing},
		{"no signature", "AWS4-HMAC-SHA256 " + good + ", " + names, noSignature},
		{"empty signature", "AWS4-HMAC-SHA256 " + good + ", " + names + ", Signature=", noSignature},
		{"no names", "AWS4-HMAC-SHA256 " + good + ", " + sig, noSigned},
		{"no credential", "AWS4-HMAC-SHA256 " + names + ", " + sig, noCredential},
		{"only a credential", "AWS4-HMAC-SHA256 " + good, noSignature + " " + noSigned},
		{"credential twice", "AWS4-HMAC-SHA256 " + good + ", " + good + ", " + names + ", " + sig, structure},
		{"empty, then again", "AWS4-HMAC-SHA256 Credential=, " + good + ", " + names + ", " + sig, structure},
		{"signature twice", "AWS4-HMAC-SHA256 " + good + ", " + names + ", " + sig + ", " + sig, structure},
		{"unknown parameter", "AWS4-HMAC-SHA256 " + good + ", " + names + ", " + sig + ", x=y", structure},
		{"lower-case parameter", "AWS4-HMAC-SHA256 credential=x, " + names + ", " + sig, structure},
		{"no equals sign", "AWS4-HMAC-SHA256 Credential", structure},
		{"comma at the end", "AWS4-HMAC-SHA256 " + good + ", " + names + ", " + sig + ",", structure},
		{"no commas", "AWS4-HMAC-SHA256 " + good + " " + names + " " + sig, noSignature + " " + noSigned},
		{"four elements", "AWS4-HMAC-SHA256 Credential=AKIA/20261122/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"six elements", "AWS4-HMAC-SHA256 Credential=A/B/20261122/r/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"empty key id", "AWS4-HMAC-SHA256 Credential=/20261122/r/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"key id with space", "AWS4-HMAC-SHA256 Credential=A B/20261122/r/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"long key id", "AWS4-HMAC-SHA256 Credential=" + strings.Repeat("A", 129) + "/20261122/r/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"hostile region", "AWS4-HMAC-SHA256 Credential=A/20261122/<b>/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"long region", "AWS4-HMAC-SHA256 Credential=A/20261122/" + strings.Repeat("r", 65) + "/sts/aws4_request, " + names + ", " + sig, sentenceCredential},
		{"names unsorted", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=x-amz-date;host, " + sig, order},
		{"names twice", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=host;host;x-amz-date, " + sig, order},
		{"names in capitals", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=Host;x-amz-date, " + sig, order},
		{"name empty", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=;host;x-amz-date, " + sig, order},
		{"name with colon", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=a:b;host;x-amz-date, " + sig, order},
		{"name with space", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=host; x-amz-date, " + sig, order},
		{"too many names", "AWS4-HMAC-SHA256 " + good + ", SignedHeaders=" + manyNames(101) + ", " + sig, "SignedHeaders must not have more than 100 names."},
		{"too long", "AWS4-HMAC-SHA256 " + good + ", " + names + ", Signature=" + strings.Repeat("0", 4096), "The Authorization header must not be longer than 4096 bytes."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := signedRequest(t)
			r.Header["Authorization"] = []string{tc.value}
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, tc.sentence)
		})
	}
	t.Run("everything is missing", func(t *testing.T) {
		r := newRequest()
		r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256"}
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, missing+" "+noDate)
	})
	t.Run("other order and spaces are fine", func(t *testing.T) {
		r := signedRequest(t)
		p := strings.Split(strings.TrimPrefix(r.Header["Authorization"][0], Algorithm+" "), ", ")
		r.Header["Authorization"] = []string{Algorithm + "  " + p[2] + "," + p[0] + " ,   " + p[1] + " "}
		if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("h%05d", i)
	}
	return strings.Join(names, ";")
}

func TestSizes(t *testing.T) {
	r := signedRequest(t)
	for i := range 257 {
		r.Header[fmt.Sprintf("X-%d", i)] = []string{"1"}
	}
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, "A signed request must not have more than 256 headers.")
	r = signedRequest(t)
	r.Query = strings.Repeat("a", maxQuery+1)
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, "The query of a signed request must not be longer than 65536 bytes.")
	r = signedRequest(t)
	r.Query = strings.Repeat("a&", maxParams)
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, "The query of a signed request must not have more than 1000 parameters.")
	r = signedRequest(t)
	r.Path = "/" + strings.Repeat("a", maxPath)
	wantUnsignable(t, r)
	r = signedRequest(t)
	for i := range 95 {
		r.Header[fmt.Sprintf("X-Amz-Meta-%d", i)] = []string{"1"}
	}
	signAs(t, r, claim{})
	if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
		t.Errorf("100 signed headers: got %v, want none", err)
	}
}

// The hash of the body is ours; a declared one must be the same, and no word stands for it (G4, G5).
func TestG5BodyHash(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		code        fault.Code
	}{
		{"right", hash(newRequest().Body), ""},
		{"unsigned", "UNSIGNED-PAYLOAD", fault.InvalidSignature},
		{"streaming", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", fault.InvalidSignature},
		{"streaming, trailer", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", fault.InvalidSignature},
		{"streaming, unsigned", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", fault.InvalidSignature},
		{"streaming, ECDSA", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", fault.InvalidSignature},
		{"of nothing", hash(nil), fault.InvalidSignature},
		{"capitals", strings.ToUpper(hash(newRequest().Body)), fault.InvalidSignature},
		{"short", hash(newRequest().Body)[:63], fault.InvalidSignature},
		{"empty", "", fault.InvalidSignature},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := signedRequest(t)
			r.Header["X-Amz-Content-Sha256"] = []string{tc.value}
			// A client that trusts its own header would put the value where the hash belongs.
			signWithHash(t, r, tc.value)
			err := check(testVerifier(), r, testCredentials, testNow)
			if tc.code == "" {
				if err != nil {
					t.Fatalf("got %v, want none", err)
				}
				return
			}
			wantFault(t, err, tc.code, sentenceMismatch)
		})
	}
	t.Run("the header lies, the signature does not", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["X-Amz-Content-Sha256"] = []string{hash([]byte("another body"))}
		signWithHash(t, r, hash(r.Body))
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	})
	t.Run("no body, no header", func(t *testing.T) {
		r := signedRequest(t)
		r.Body = nil
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	})
}

// signWithHash signs with any text in place of the hash of the body.
func signWithHash(t *testing.T, r *Request, bodyHash string) {
	t.Helper()
	prefix := "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261122/eu-central-1/cognito-identity/aws4_request, SignedHeaders=" +
		strings.Join(toSign(r), ";") + ", Signature="
	r.Header["Authorization"] = []string{prefix + unsigned}
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	canonical, err := s.appendCanonical(nil, r, canon{}, []byte(bodyHash))
	if err != nil {
		t.Fatalf("canonical request: %v", err)
	}
	sum := sign(deriveKey(testSecret, s.Date, s.Region, s.Service), s.appendStringToSign(nil, canonical))
	r.Header["Authorization"] = []string{prefix + string(sum[:])}
}

func TestG6Clock(t *testing.T) {
	const minute = time.Minute
	expired := "Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T120501Z - 5 min.)"
	early := "Signature not yet current: 20261122T120000Z is still later than 20261122T115959Z (20261122T115459Z + 5 min.)"
	for _, tc := range []struct {
		name     string
		now      time.Time
		sentence string
	}{
		{"same", testNow, ""},
		{"five minutes old", testNow.Add(5 * minute), ""},
		{"five minutes ahead", testNow.Add(-5 * minute), ""},
		{"other time zone", testNow.In(time.FixedZone("x", 7200)), ""},
		{"older by a second", testNow.Add(5*minute + time.Second), expired},
		{"older by a nanosecond", testNow.Add(5*minute + 1), expired},
		{"other time zone, older", testNow.Add(5*minute + 1).In(time.FixedZone("x", 7200)), expired},
		{"ahead by a second more", testNow.Add(-5*minute - time.Second), early},
		{"ahead by a nanosecond more", testNow.Add(-5*minute - 1), early},
		{"ten minutes old", testNow.Add(15 * minute), "Signature expired: 20261122T120000Z is now earlier than 20261122T121000Z (20261122T121500Z - 5 min.)"},
		{"a day old", testNow.Add(24 * time.Hour), "Signature expired: 20261122T120000Z is now earlier than 20261123T115500Z (20261123T120000Z - 5 min.)"},
		{"centuries", testNow.AddDate(900, 0, 0), "Signature expired: 20261122T120000Z is now earlier than 29261122T115500Z (29261122T120000Z - 5 min.)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := check(testVerifier(), signedRequest(t), testCredentials, tc.now)
			if tc.sentence == "" {
				if err != nil {
					t.Fatalf("got %v, want none", err)
				}
				return
			}
			wantFault(t, err, fault.InvalidSignature, tc.sentence)
		})
	}
	t.Run("other skew", func(t *testing.T) {
		v := testVerifier()
		v.MaxSkew = 90 * time.Second
		wantFault(t, check(v, signedRequest(t), testCredentials, testNow.Add(91*time.Second)), fault.InvalidSignature,
			"Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T120131Z - 90 sec.)")
	})
}

func TestG6Scope(t *testing.T) {
	badRegion := "Credential should be scoped to a valid region, not 'us-east-1'."
	badService := "Credential should be scoped to correct service: 'cognito-identity'."
	badTerm := "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
	badDate := "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T120000Z'."
	for _, tc := range []struct {
		name     string
		claim    claim
		sentence string
	}{
		{"region", claim{region: "us-east-1"}, badRegion},
		{"region in capitals", claim{region: "EU-CENTRAL-1"}, "Credential should be scoped to a valid region, not 'EU-CENTRAL-1'."},
		{"service", claim{service: "sts"}, badService},
		{"service in capitals", claim{service: "Cognito-Identity"}, badService},
		{"terminator", claim{term: "aws5_request"}, badTerm},
		{"date", claim{date: "20261121"}, badDate},
		{"all", claim{region: "us-east-1", service: "s3", term: "aws5_request", date: "20261121"},
			strings.Join([]string{badRegion, badService, badTerm, badDate}, " ")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := signedRequest(t)
			signAs(t, r, tc.claim)
			wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, tc.sentence)
		})
	}
	t.Run("empty region where any is fine", func(t *testing.T) {
		v := testVerifier()
		v.Region = ""
		r := signedRequest(t)
		auth := r.Header["Authorization"][0]
		r.Header["Authorization"] = []string{strings.Replace(auth, testRegion, "", 1)}
		wantFault(t, check(v, r, testCredentials, testNow), fault.InvalidSignature, "Credential should be scoped to a valid region, not ''.")
	})
	t.Run("any region", func(t *testing.T) {
		v := testVerifier()
		v.Region = ""
		r := signedRequest(t)
		signAs(t, r, claim{region: "mars-1"})
		if err := check(v, r, testCredentials, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
	t.Run("second service", func(t *testing.T) {
		v := testVerifier()
		v.Services = append(v.Services, "iam")
		r := signedRequest(t)
		signAs(t, r, claim{service: "iam"})
		if err := check(v, r, testCredentials, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
	t.Run("the clock goes first", func(t *testing.T) {
		r := signedRequest(t)
		signAs(t, r, claim{date: "20261121"})
		err := check(testVerifier(), r, testCredentials, testNow.Add(time.Hour))
		wantFault(t, err, fault.InvalidSignature, "Signature expired: 20261122T120000Z is now earlier than 20261122T125500Z (20261122T130000Z - 5 min.)")
	})
}

func TestG6Date(t *testing.T) {
	for _, tc := range []struct {
		header, value string
		ok            bool
	}{
		{"X-Amz-Date", "20261122T120000Z", true},
		{"X-Amz-Date", "", false},
		{"X-Amz-Date", "2026-11-22T12:00:00Z", false},
		{"X-Amz-Date", "20261122T120000", false},
		{"X-Amz-Date", "20261122T120000z", false},
		{"X-Amz-Date", "20261122T120000+0000", false},
		{"X-Amz-Date", "20261122T120000.5Z", false},
		{"X-Amz-Date", "20261122T12000.Z", false},
		{"X-Amz-Date", "20261122T1200,5Z", false},
		{"X-Amz-Date", "20261322T120000Z", false},
		{"X-Amz-Date", "20261131T120000Z", false},
		{"X-Amz-Date", "20261122T240000Z", false},
		{"X-Amz-Date", "20261122T115960Z", false},
		{"X-Amz-Date", " 20261122T120000Z", false},
		{"X-Amz-Date", "20261122T120000Z 20261122T120000Z", false},
		{"X-Amz-Date", "Sun, 22 Nov 2026 12:00:00 GMT", false},
		{"X-Amz-Date", "1795348800", false},
		{"X-Amz-Date", "-0261122T120000Z", false},
		{"Date", "Sun, 22 Nov 2026 12:00:00 GMT", true},
		{"Date", "20261122T120000Z", true},
		{"Date", "Sun, 22 Nov 2026 12:00:00 PST", false},
		{"Date", "Sun, 22 Nov 2026 12:00:00 +0000", false},
		{"Date", "Sunday, 22-Nov-26 12:00:00 GMT", false},
		{"Date", "", false},
	} {
		t.Run(tc.header+" "+tc.value, func(t *testing.T) {
			r := dated(t, "")
			delete(r.Header, "Date")
			r.Header[tc.header] = []string{tc.value}
			if !tc.ok {
				wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature, sentenceDate)
				return
			}
			names := toSign(r)
			if tc.header == "Date" {
				names = append(names, "date")
				slices.Sort(names)
			}
			signAs(t, r, claim{names: names})
			if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
				t.Errorf("got %v, want none", err)
			}
		})
	}
	t.Run("X-Amz-Date rules over Date", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["Date"] = []string{"Sun, 22 Nov 2020 12:00:00 GMT"}
		if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
}

// Replay inside the window is the door's to stop, outside of it nothing passes (G7).
func TestG7ReplayAfterWindow(t *testing.T) {
	v, r := testVerifier(), signedRequest(t)
	if err := check(v, r, testCredentials, testNow); err != nil {
		t.Fatalf("got %v, want none", err)
	}
	err := check(v, r, testCredentials, testNow.Add(6*time.Minute)) // the key is in the cache by now
	wantFault(t, err, fault.InvalidSignature, "")
}
