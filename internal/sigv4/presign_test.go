package sigv4

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
)

func queryVerifier() *Verifier {
	return &Verifier{Region: testRegion, Services: []string{"sts"}, AllowQuery: true}
}

// presigned returns a request with a right signature in the query. change may alter it before it is signed.
func presigned(t *testing.T, expires any, change func(*Request)) *Request {
	t.Helper()
	r := &Request{Method: "GET", Path: "/", Host: "sts.example", Header: map[string][]string{"X-K8s-Aws-Id": {"cluster"}}}
	r.Query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&" +
		"X-Amz-Credential=ASIAEXAMPLE%2F20261122%2Feu-central-1%2Fsts%2Faws4_request&X-Amz-Date=" + testStamp +
		fmt.Sprintf("&X-Amz-Expires=%v", expires) + "&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id" +
		"&X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLETOKEN%2F%2F%2B%3D"
	if change != nil {
		change(r)
	}
	sum := [digest]byte{}
	hex.Encode(sum[:], make([]byte, digest/2))
	bare := r.Query
	r.Query = bare + "&X-Amz-Signature=" + string(sum[:])
	if s, err := Parse(r); err == nil { // a row that is meant to be unreadable stays unsigned
		canonical, err := s.appendCanonical(nil, r, canon{}, []byte(hash(r.Body)))
		if err != nil {
			t.Fatalf("canonical request: %v", err)
		}
		sum = sign(deriveKey(testSecret, s.Date, s.Region, s.Service), s.appendStringToSign(nil, canonical))
	}
	r.Query = bare + "&X-Amz-Signature=" + string(sum[:])
	return r
}

func TestG8QuerySignature(t *testing.T) {
	r := presigned(t, 60, nil)
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if !s.Query || s.Expires != time.Minute || s.Token != testCredentials.Token || s.AccessKeyID != "ASIAEXAMPLE" {
		t.Errorf("got Query %v, Expires %v, key %q, token %q", s.Query, s.Expires, s.AccessKeyID, s.Token)
	}
	if err := queryVerifier().Verify(r, s, testSecret, testNow); err != nil {
		t.Errorf("got %v, want none", err)
	}
	v := queryVerifier()
	v.AllowQuery = false
	wantFault(t, v.Verify(r, s, testSecret, testNow), fault.IncompleteSignature,
		"Signatures in the query string are not accepted here. Use the Authorization header.")
}

func TestG8Expires(t *testing.T) {
	format := "X-Amz-Expires must be a number of seconds from 1 to 604800."
	tooMuch := "X-Amz-Expires must be at most 900 seconds."
	for _, tc := range []struct {
		expires  any
		age      time.Duration
		code     fault.Code
		sentence string
	}{
		{1, 0, "", ""},
		{1, time.Second, "", ""},
		{900, 900 * time.Second, "", ""},
		{900, -5 * time.Minute, "", ""},
		{1, 2 * time.Second, fault.InvalidSignature, "Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T120002Z - 1 sec.)"},
		{900, 901 * time.Second, fault.InvalidSignature, "Signature expired: 20261122T120000Z is now earlier than 20261122T120001Z (20261122T121501Z - 15 min.)"},
		{900, -301 * time.Second, fault.InvalidSignature, "Signature not yet current: 20261122T120000Z is still later than 20261122T115959Z (20261122T115459Z + 5 min.)"},
		{901, 0, fault.InvalidSignature, tooMuch},
		{604800, 0, fault.InvalidSignature, tooMuch},
		{604801, 0, fault.IncompleteSignature, format},
		{0, 0, fault.IncompleteSignature, format},
		{-1, 0, fault.IncompleteSignature, format},
		{"%2B1", 0, fault.IncompleteSignature, format},
		{"1e3", 0, fault.IncompleteSignature, format},
		{"0x10", 0, fault.IncompleteSignature, format},
		{"060", 0, fault.IncompleteSignature, format},
		{"60.0", 0, fault.IncompleteSignature, format},
		{"6_0", 0, fault.IncompleteSignature, format},
		{"18446744073709551617", 0, fault.IncompleteSignature, format},
		{strings.Repeat("9", 1000), 0, fault.IncompleteSignature, format},
		{"", 0, fault.IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters."},
	} {
		t.Run(fmt.Sprintf("%.40v after %v", tc.expires, tc.age), func(t *testing.T) {
			err := check(queryVerifier(), presigned(t, tc.expires, nil), testCredentials, testNow.Add(tc.age))
			if tc.code == "" {
				if err != nil {
					t.Fatalf("got %v, want none", err)
				}
				return
			}
			wantFault(t, err, tc.code, tc.sentence)
		})
	}
	t.Run("a longer limit", func(t *testing.T) {
		v := queryVerifier()
		v.MaxExpires = 7 * 24 * time.Hour
		if err := check(v, presigned(t, 604800, nil), testCredentials, testNow.Add(6*24*time.Hour)); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
}

func TestG8Parameters(t *testing.T) {
	replace := func(old, new string) func(*Request) {
		return func(r *Request) {
			if !strings.Contains(r.Query, old) {
				panic("the row does not change the query: " + old)
			}
			r.Query = strings.Replace(r.Query, old, new, 1)
		}
	}
	add := func(s string) func(*Request) { return func(r *Request) { r.Query += s } }
	absent := func(name string) string {
		return "AWS query-string parameters must include '" + name + "'. Re-examine the query-string parameters."
	}
	twice := func(name string) string { return "The query parameter '" + name + "' must not be sent more than once." }
	strange := "The query holds a parameter of a signature that is not one of version 4."
	for _, tc := range []struct {
		name     string
		change   func(*Request)
		code     fault.Code
		sentence string
	}{
		{"no algorithm", replace("X-Amz-Algorithm", "Y"), fault.IncompleteSignature, absent("X-Amz-Algorithm")},
		{"no credential", replace("X-Amz-Credential", "Y"), fault.IncompleteSignature, absent("X-Amz-Credential")},
		{"no date", replace("X-Amz-Date", "Y"), fault.IncompleteSignature, absent("X-Amz-Date")},
		{"no expiry", replace("X-Amz-Expires", "Y"), fault.IncompleteSignature, absent("X-Amz-Expires")},
		{"no names", replace("X-Amz-SignedHeaders", "Y"), fault.IncompleteSignature, absent("X-Amz-SignedHeaders")},
		{"other algorithm", replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), fault.IncompleteSignature, "Unsupported AWS 'algorithm'."},
		{"credential twice", add("&X-Amz-Credential=x"), fault.IncompleteSignature, twice("X-Amz-Credential")},
		{"credential twice, encoded", add("&X-Amz%2DCredential=x"), fault.IncompleteSignature, twice("X-Amz-Credential")},
		{"signature twice", add("&X-Amz-Signature=x"), fault.IncompleteSignature, twice("X-Amz-Signature")},
		{"token twice", add("&X-Amz-Security-Token=x"), fault.IncompleteSignature, twice("X-Amz-Security-Token")},
		{"lower case", add("&x-amz-credential=x"), fault.IncompleteSignature, strange},
		{"version 2", add("&AWSAccessKeyId=x"), fault.IncompleteSignature, strange},
		{"bad escape", replace("ASIAEXAMPLE%2F", "ASIAEXAMPLE%2G"), fault.IncompleteSignature, "The query parameter 'X-Amz-Credential' is not encoded properly."},
		{"plus in the token", replace("%2B%3D", "+%3D"), fault.IncompleteSignature, "The query parameter 'X-Amz-Security-Token' is not encoded properly."},
		{"line feed in the credential", replace("ASIAEXAMPLE", "ASIA%0AEXAMPLE"), fault.IncompleteSignature, "The query parameter 'X-Amz-Credential' is not encoded properly."},
		{"bad date", replace(testStamp, "20261122"), fault.IncompleteSignature, sentenceDate},
		{"bad credential", replace("%2Fsts%2F", "%2F"), fault.IncompleteSignature, sentenceCredential},
		{"host not signed", replace("host%3B", ""), fault.InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"target not signed", func(r *Request) { r.Header["X-Amz-Target"] = []string{"x"} }, fault.InvalidSignature, sentenceUnsigned},
		{"type not signed", func(r *Request) { r.Header["Content-Type"] = []string{"x"} }, fault.InvalidSignature, sentenceUnsigned},
		{"region", replace("eu-central-1", "us-east-1"), fault.InvalidSignature, "Credential should be scoped to a valid region, not 'us-east-1'."},
		{"service", replace("%2Fsts%2F", "%2Fs3%2F"), fault.InvalidSignature, "Credential should be scoped to correct service: 'sts'."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := check(queryVerifier(), presigned(t, 60, tc.change), testCredentials, testNow)
			wantFault(t, err, tc.code, tc.sentence)
		})
	}
}

// Any change of the query after signing is refused; another spelling of the same values is not a change (G1).
func TestG1Query(t *testing.T) {
	for _, tc := range []struct {
		name, signed, sent string
		ok                 bool
	}{
		{"same", "a=1&b=2", "a=1&b=2", true},
		{"other order of names", "a=1&b=2", "b=2&a=1", true},
		{"needless escape", "a=1", "%61=%31", true},
		{"lower-case escape", "a=%2F", "a=%2f", true},
		{"raw slash", "a=%2F", "a=/", true},
		{"raw UTF-8", "a=%E1%88%B4", "a=\u1234", true},
		{"no equals sign", "a=", "a", true},
		{"empty piece", "a=1&b=2", "a=1&&b=2&", true},
		{"equals sign in value", "a=b%3Dc", "a=b=c", true},
		{"plus for space", "a=b%20c", "a=b+c", false},
		{"plus for plus", "a=b%2Bc", "a=b+c", false},
		{"name twice", "a=1", "a=1&a=1", false},
		{"other case of name", "a=1", "A=1", false},
		{"value of the other", "a=1&b=2", "a=2&b=1", false},
		{"moved equals sign", "a=1", "a1=", false},
		{"ampersand encoded", "a=1&b=2", "a=1%26b=2", false},
		{"equals sign encoded", "a=1", "a%3D1", false},
		{"escaped twice", "a=%2F", "a=%252F", false},
		{"bad escape", "a=1", "a=1&%", false},
		{"bad escape digits", "a=1", "a=1&b=%zz", false},
		{"empty name added", "a=1", "a=1&=", false},
		{"none", "a=1", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRequest()
			r.Query = tc.signed
			if err := Sign(r, testCredentials, testRegion, "cognito-identity", testNow); err != nil {
				t.Fatalf("Sign: %v", err)
			}
			r.Query = tc.sent
			err := check(testVerifier(), r, testCredentials, testNow)
			if tc.ok {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			wantFault(t, err, fault.InvalidSignature, sentenceMismatch)
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                  "",
		"&":                 "",
		"a":                 "a=",
		"=":                 "=",
		"=v":                "=v",
		"a=2&a=1&a=":        "a=&a=1&a=2",
		"a=b-c&a=b/c":       "a=b%2Fc&a=b-c",
		"ab=1&a=2&a-=3":     "a=2&a-=3&ab=1",
		"b=1&B=1&%C3=1&~=1": "%C3=1&B=1&b=1&~=1",
		"a=b=c":             "a=b%3Dc",
		"a=%7e;%7E*":        "a=~%3B~%2A",
	} {
		var s Signature
		got, err := s.appendQuery([]byte("x"), raw, canon{})
		if err != nil || string(got) != "x"+want {
			t.Errorf("%q: got %q, %v, want %q", raw, got, err, "x"+want)
		}
	}
}

func TestCanonicalPath(t *testing.T) {
	for _, tc := range []struct{ raw, normalised, asS3 string }{
		{"", "/", "/"},
		{"/", "/", "/"},
		{"//", "/", "//"},
		{"/a/../b", "/b", "/a/../b"},
		{"/a/..", "/", "/a/.."},
		{"/a/b/..", "/a/", "/a/b/.."},
		{"/..", "/", "/.."},
		{"/../../a", "/a", "/../../a"},
		{"/./a/./", "/a/", "/./a/./"},
		{"/a/.", "/a/", "/a/."},
		{"/...", "/...", "/..."},
		{"/a//b//", "/a/b/", "/a//b//"},
		{"/a b", "/a%20b", "/a%20b"},
		{"/a%20b", "/a%2520b", "/a%20b"},
		{"/a%2fb", "/a%252fb", "/a/b"},
		{"/%2e%2e/a", "/%252e%252e/a", "/../a"},
		{"/a+b", "/a%2Bb", "/a%2Bb"},
		{"/a:b@c=d", "/a%3Ab%40c%3Dd", "/a%3Ab%40c%3Dd"},
		{"/~-._", "/~-._", "/~-._"},
		{"/\xff", "/%FF", "/%FF"},
		{"a", "error", "error"},
		{"*", "error", "error"},
		{"http://x/", "error", "error"},
		{"/%", "/%25", "error"},
		{"/%2", "/%252", "error"},
		{"/%zz", "/%25zz", "error"},
	} {
		for asS3, want := range map[bool]string{false: tc.normalised, true: tc.asS3} {
			b, err := appendPath([]byte("x"), tc.raw, asS3)
			got := strings.TrimPrefix(string(b), "x")
			if err != nil {
				got = "error"
			}
			if got != want {
				t.Errorf("%q, as S3 %v: got %q, want %q", tc.raw, asS3, got, want)
			}
		}
	}
}

func TestCanonicalHeaderValue(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", " ": "", "a": "a", " a ": "a", "a  b": "a b", "\ta\r\n b\t": "a b", `"a   b"`: `"a b"`, "a \t \n c": "a c", "\u00a0a": "\u00a0a",
	} {
		if got := string(appendFolded([]byte("x "), raw)); got != "x "+want {
			t.Errorf("%q: got %q, want %q", raw, got, "x "+want)
		}
	}
}

// A signed header that is not there is refused; it does not count as an empty one.
func TestSignedHeaderAbsent(t *testing.T) {
	r := signedRequest(t)
	r.Header["X-Extra"] = []string{""}
	names := []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target", "x-extra"}
	signAs(t, r, claim{names: names})
	if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
		t.Fatalf("with the header: got %v, want none", err)
	}
	delete(r.Header, "X-Extra")
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	r.Header["X-Extra"] = []string{}
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
}

func TestContentLength(t *testing.T) {
	names := []string{"content-length", "content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
	r := signedRequest(t)
	signAs(t, r, claim{names: names})
	if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
		t.Fatalf("got %v, want none", err)
	}
	r.Header["Content-Length"] = []string{fmt.Sprint(r.ContentLength)}
	if err := check(testVerifier(), r, testCredentials, testNow); err != nil {
		t.Fatalf("with the header itself: got %v, want none", err)
	}
	r.Header["Content-Length"] = []string{"1"}
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.IncompleteSignature,
		"The header 'content-length' does not match the length of the request.")
	delete(r.Header, "Content-Length")
	for _, n := range []int64{0, r.ContentLength + 1, -1} {
		r.ContentLength = n
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	}
	wantUnsignable(t, r) // of unknown length
}

func TestMethodCannotHoldLines(t *testing.T) {
	for _, method := range []string{"", "POST\n", "POST /", "GET\n/\n", "P\x00", strings.Repeat("A", 33)} {
		r := signedRequest(t)
		r.Method = method
		wantUnsignable(t, r)
	}
}
