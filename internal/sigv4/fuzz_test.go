package sigv4

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
)

// wantRefusal fails unless err is a fault with a code that refuses.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault", err)
	}
	switch f.Code {
	case fault.IncompleteSignature, fault.InvalidSignature, fault.MissingAuthentication:
	default:
		t.Fatalf("got code %s, want a refusal", f.Code)
	}
	if strings.Contains(f.Message, "<") || !printable(f.Message) || len(f.Message) > 1000 {
		t.Fatalf("got sentence %q, want nothing hostile in it", f.Message)
	}
}

func seedRequests(f *testing.F, add func(r *Request)) {
	add(newRequest())
	add(signedRequest(f))
	files, err := filepath.Glob(filepath.Join(os.Getenv("IDPOOL_CORPORA"), "sigv4", "*", "*-signed-request.txt"))
	if err != nil {
		f.Fatalf("listing the corpus: %v", err)
	}
	for _, file := range files {
		add(parseRaw(f, readText(f, file)))
	}
}

// FuzzParse: any text is read or refused, and what is read is within its bounds.
func FuzzParse(f *testing.F) {
	seedRequests(f, func(r *Request) {
		f.Add(strings.Join(r.Header["Authorization"], ""), strings.Join(r.Header["X-Amz-Date"], ""), r.Query)
	})
	f.Add("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature=", "20261122T120000Z", "")
	f.Add("AWS4-HMAC-SHA256 Credential=A/B/C/D/E,SignedHeaders=a,Signature=b", "20261122T120000Z", "%")
	f.Fuzz(func(t *testing.T, authorization, date, query string) {
		r := &Request{Method: "POST", Host: "h", Query: query, Header: map[string][]string{"X-Amz-Date": {date}}}
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		} else {
			delete(r.Header, "X-Amz-Date")
		}
		s, err := Parse(r)
		if err != nil {
			if s != nil {
				t.Fatal("got a signature and an error")
			}
			wantRefusal(t, err)
			return
		}
		if s.AccessKeyID == "" || len(s.AccessKeyID) > 128 || len(s.Region) > 64 || len(s.SignedHeaders) == 0 || len(s.SignedHeaders) > 100 {
			t.Fatalf("got %#v with %d headers, want it within bounds", s, len(s.SignedHeaders))
		}
		if !slices.IsSorted(s.SignedHeaders) || len(slices.Compact(slices.Clone(s.SignedHeaders))) != len(s.SignedHeaders) {
			t.Fatalf("got headers %q, want them ascending", s.SignedHeaders)
		}
		if s.Query != (authorization == "") || s.Query != (s.Expires > 0) || s.Expires > maxExpires {
			t.Fatalf("got Query %v, Expires %v", s.Query, s.Expires)
		}
		wantRefusal(t, testVerifier().Verify(r, s, testSecret, testNow))
	})
}

// FuzzVerify: any request that can be signed is accepted as it was signed, and refused by another secret, at another
// time, or with the signature that came with it.
func FuzzVerify(f *testing.F) {
	seedRequests(f, func(r *Request) {
		for name, values := range r.Header {
			f.Add(r.Method, r.Path, r.Query, r.Host, name, values[0], string(r.Body))
		}
		f.Add(r.Method, r.Path, r.Query, r.Host, "", "", string(r.Body))
	})
	v := &Verifier{Services: []string{"sts", "service", "cognito-identity"}, AllowQuery: true, MaxExpires: 7 * 24 * time.Hour}
	f.Fuzz(func(t *testing.T, method, path, query, host, name, value, body string) {
		r := &Request{Method: method, Path: path, Query: query, Host: host, Body: []byte(body), ContentLength: int64(len(body)),
			Header: map[string][]string{"X-Amz-Date": {testStamp}, name: {value}}}
		s, err := Parse(r)
		if err == nil {
			err = v.Verify(r, s, testSecret, testNow)
		}
		wantRefusal(t, err)

		if err := Sign(r, testCredentials, testRegion, "sts", testNow); err != nil {
			return
		}
		if err := check(v, r, testCredentials, testNow); err != nil {
			t.Fatalf("signed by us: got %v", err)
		}
		s, err = Parse(r)
		if err != nil {
			t.Fatalf("signed by us: got %v", err)
		}
		wantRefusal(t, v.Verify(r, s, strings.Repeat("x", 40), testNow))
		wantRefusal(t, v.Verify(r, s, testSecret, testNow.Add(time.Hour)))
		if err := v.VerifyUnknown(r, s, testNow); !fault.Is(err, fault.UnrecognizedClient) {
			t.Fatalf("unknown: got %v", err)
		}
	})
}

// FuzzCanonical: a canonical query or S3 path is its own canonical form, and consists of a few characters.
func FuzzCanonical(f *testing.F) {
	seedRequests(f, func(r *Request) { f.Add(r.Path, r.Query) })
	f.Add("/a/../b//./c/..", "b=2&a=1&a=%2f&&=&c")
	f.Fuzz(func(t *testing.T, path, query string) {
		var s Signature
		for _, c := range []canon{{}, {asS3: true}} {
			once, err := s.appendQuery(nil, query, c)
			if err != nil || len(once) > maxQuery {
				continue
			}
			twice, err := s.appendQuery(nil, string(once), c)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("query %q: got %q, %v, then %q", query, once, err, twice)
			}
			wantPlain(t, once, "%&=")
		}
		// Escapes are longer than what they stand for: a canonical path may be too long to be a path itself.
		if once, err := appendPath(nil, path, true); err == nil && len(once) <= maxPath {
			twice, err := appendPath(nil, string(once), true)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("path %q: got %q, %v, then %q", path, once, err, twice)
			}
			wantPlain(t, once, "%/")
		}
		if b, err := appendPath(nil, path, false); err == nil {
			wantPlain(t, b, "%/")
			if strings.Contains(string(b)+"/", "//") && string(b) != "/" && !strings.HasSuffix(string(b), "/") ||
				strings.Contains(string(b)+"/", "/../") || strings.Contains(string(b)+"/", "/./") || b[0] != '/' {
				t.Fatalf("path %q: got %q, want it normal", path, b)
			}
		}
	})
}

func wantPlain(t *testing.T, b []byte, besides string) {
	t.Helper()
	for _, c := range b {
		if !isAlphanumeric(c) && !strings.ContainsRune("-._~"+besides, rune(c)) {
			t.Fatalf("got %q, want only unreserved characters and %s", b, besides)
		}
	}
}
