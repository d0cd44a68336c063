package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
)

const (
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testRegion = "eu-central-1"
	testStamp  = "20261122T120000Z"
)

var (
	testNow         = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	testCredentials = Credentials{AccessKeyID: "ASIAEXAMPLE", Secret: testSecret, Token: "FwoGZXIvYXdzEXAMPLETOKEN//+="}
)

func testVerifier() *Verifier {
	return &Verifier{Region: testRegion, Services: []string{"cognito-identity"}}
}

// newRequest returns an unsigned JSON request.
func newRequest() *Request {
	body := []byte(`{"IdentityPoolId":"eu-central-1:2bd5b8a8-7c4f-4b2c-9d7e-0b6f3f2f7a11"}`)
	return &Request{
		Method: "POST", Path: "/", Host: "idpool.example:8443",
		Header: map[string][]string{
			"Content-Type": {"application/x-amz-json-1.1"},
			"X-Amz-Target": {"AWSCognitoIdentityService.DescribeIdentityPool"},
			"User-Agent":   {"aws-cli/2.31"},
		},
		ContentLength: int64(len(body)), Body: body,
	}
}

func signedRequest(t testing.TB) *Request {
	t.Helper()
	r := newRequest()
	if err := Sign(r, testCredentials, testRegion, "cognito-identity", testNow); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	return r
}

// check is what a door does: parse, find the secret by the access key, verify.
func check(v *Verifier, r *Request, c Credentials, now time.Time) error {
	s, err := Parse(r)
	if err != nil {
		return err
	}
	if s.AccessKeyID != c.AccessKeyID || s.Token != c.Token {
		return v.VerifyUnknown(r, s, now)
	}
	return v.Verify(r, s, c.Secret, now)
}

// claim is a signature made by hand, right or wrong.
type claim struct {
	akid, date, region, service, term string
	names                             []string // SignedHeaders; nil: all that must be signed
}

// signAs puts an Authorization header on the request whose signature is right for exactly what the claim says.
func signAs(t *testing.T, r *Request, c claim) {
	t.Helper()
	or := func(v, fallback string) string {
		if v == "" {
			return fallback
		}
		return v
	}
	if c.names == nil {
		c.names = toSign(r)
	}
	date, region, service := or(c.date, testStamp[:8]), or(c.region, testRegion), or(c.service, "cognito-identity")
	prefix := fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/%s, SignedHeaders=%s, Signature=", or(c.akid, "ASIAEXAMPLE"),
		date, region, service, or(c.term, "aws4_request"), strings.Join(c.names, ";"))
	r.Header["Authorization"] = []string{prefix + unsigned}
	sig, err := signature(r, testSecret)
	if err != nil {
		t.Fatalf("signing by hand: %v", err)
	}
	r.Header["Authorization"] = []string{prefix + sig}
}

func wantFault(t *testing.T, err error, code fault.Code, sentence string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got error %v, want a fault %s", err, code)
	}
	if f.Code != code {
		t.Fatalf("got code %s (%v), want %s", f.Code, err, code)
	}
	if sentence != "" && f.Message != sentence {
		t.Fatalf("got sentence %q, want %q", f.Message, sentence)
	}
}

func TestVerifyAcceptsWhatSignSigned(t *testing.T) {
	v := testVerifier()
	r := signedRequest(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if err := v.Verify(r, s, testSecret, testNow); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if err := v.Verify(r, s, testSecret, testNow); err != nil { // now with a cached key
		t.Fatalf("Verify again: %v", err)
	}
	got := []string{s.AccessKeyID, s.Date, s.Region, s.Service, s.Token, s.Time.Format(stampLayout), strings.Join(s.SignedHeaders, ";")}
	want := []string{"ASIAEXAMPLE", "20261122", testRegion, "cognito-identity", testCredentials.Token, testStamp,
		"content-type;host;x-amz-date;x-amz-security-token;x-amz-target"}
	if !slices.Equal(got, want) {
		t.Errorf("got claims %q, want %q", got, want)
	}
	if s.Query || s.Expires != 0 {
		t.Errorf("got Query %v, Expires %v, want a header signature", s.Query, s.Expires)
	}
}

func TestSignReplacesWhatWasThere(t *testing.T) {
	r := signedRequest(t)
	r.Header["authorization"] = []string{"Bearer x"}
	r.Header["x-amz-date"] = []string{"20200101T000000Z"}
	long := Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: testSecret}
	if err := Sign(r, long, testRegion, "cognito-identity", testNow.Add(time.Minute)); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if err := check(testVerifier(), r, long, testNow); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if _, ok := r.Header["X-Amz-Security-Token"]; ok {
		t.Error("the token of the credentials before is still there")
	}
}

func TestSignRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change      func(*Request)
		credentials Credentials
		region      string
	}{
		"short secret":      {func(*Request) {}, Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: "short"}, testRegion},
		"no access key":     {func(*Request) {}, Credentials{Secret: testSecret}, testRegion},
		"token with LF":     {func(*Request) {}, Credentials{AccessKeyID: "A", Secret: testSecret, Token: "a\nb"}, testRegion},
		"region with slash": {func(*Request) {}, testCredentials, "eu/central"},
		"no host":           {func(r *Request) { r.Host = "" }, testCredentials, testRegion},
		"two types":         {func(r *Request) { r.Header["content-type"] = []string{"text/xml"} }, testCredentials, testRegion},
		"query plus":        {func(r *Request) { r.Query = "a=b+c" }, testCredentials, testRegion},
		"query signature":   {func(r *Request) { r.Query = "X-Amz-Signature=00" }, testCredentials, testRegion},
		"other hash":        {func(r *Request) { r.Header["X-Amz-Content-Sha256"] = []string{"UNSIGNED-PAYLOAD"} }, testCredentials, testRegion},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRequest()
			tc.change(r)
			if err := Sign(r, tc.credentials, tc.region, "sts", testNow); err == nil {
				t.Error("got no error, want one")
			}
			if _, ok := r.Header["Authorization"]; ok {
				t.Error("got an Authorization header, want none")
			}
		})
	}
}

// The signature from the specification of the suite, so that this test does not need the corpus.
func TestSignKnownAnswer(t *testing.T) {
	r := &Request{Method: "GET", Path: "/", Host: "example.amazonaws.com"}
	c := Credentials{AccessKeyID: "AKIDEXAMPLE", Secret: testSecret}
	if err := Sign(r, c, "us-east-1", "service", time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	got := r.Header["Authorization"][0]
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	r := signedRequest(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	for _, v := range []any{*s, s, testCredentials, &testCredentials} {
		inJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("Marshal: %v", err)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, got := range []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprint(v), string(inJSON), log.String()} {
			if strings.Contains(got, testSecret) || strings.Contains(got, "EXAMPLETOKEN") || strings.Contains(got, s.signature) {
				t.Errorf("got %q, want neither secret nor token nor signature", got)
			}
			if !strings.Contains(got, "ASIAEXAMPLE") {
				t.Errorf("got %q, want the access key id in it", got)
			}
		}
	}
}

func TestParseUnsigned(t *testing.T) {
	for name, r := range map[string]*Request{
		"plain":            newRequest(),
		"empty":            {},
		"query":            {Method: "GET", Query: "Action=GetCallerIdentity&Version=2011-06-15"},
		"unreadable query": {Method: "GET", Query: "%zz=%"},
		"twice the type":   {Header: map[string][]string{"Content-Type": {"a", "b"}}},
		"no value":         {Header: map[string][]string{"Authorization": {}}},
		"only a token":     {Header: map[string][]string{"X-Amz-Security-Token": {"x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(r)
			if s != nil || err != ErrUnsigned {
				t.Errorf("got %v, %v, want nil, ErrUnsigned", s, err)
			}
		})
	}
	wantFault(t, ErrUnsigned, fault.MissingAuthentication, "")
}

func TestVerifyWantsItsOwnRequest(t *testing.T) {
	r, other := signedRequest(t), signedRequest(t)
	s, err := Parse(other)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	v := testVerifier()
	for name, err := range map[string]error{
		"other":         v.Verify(r, s, testSecret, testNow),
		"other unknown": v.VerifyUnknown(r, s, testNow),
		"nil":           v.Verify(r, nil, testSecret, testNow),
		"literal":       v.Verify(r, &Signature{AccessKeyID: "ASIAEXAMPLE", Time: testNow}, testSecret, testNow),
		"no secret":     v.Verify(other, s, "", testNow),
		"short secret":  v.Verify(other, s, "fifteen-bytes..", testNow),
	} {
		if err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
		if _, ok := errors.AsType[*fault.Error](err); ok {
			t.Errorf("%s: got the fault %v, want an error that is none: the caller is wrong, not the client", name, err)
		}
	}
}

func TestZeroVerifierRefuses(t *testing.T) {
	var v Verifier
	wantFault(t, check(&v, signedRequest(t), testCredentials, testNow), fault.InvalidSignature,
		"Credential should be scoped to correct service: ''.")
}

// wantUnsignable checks that no signature fits a request: nobody can make one, and the one it has is refused.
func wantUnsignable(t *testing.T, r *Request) {
	t.Helper()
	wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	_, err := signature(r, testSecret)
	wantFault(t, err, fault.InvalidSignature, sentenceMismatch)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func clone(r *Request) *Request {
	c := *r
	c.Header = make(map[string][]string, len(r.Header))
	for name, values := range maps.All(r.Header) {
		c.Header[name] = slices.Clone(values)
	}
	c.Body = slices.Clone(r.Body)
	return &c
}
