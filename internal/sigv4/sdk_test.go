package sigv4

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

// What the signer of the SDK signs, we accept; after a change of one bit in what it covers, we refuse.
func TestSDKSigns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawRequest(t)
		c := drawCredentials(t)
		body := drawBody(t, h)
		if err := sdk.NewSigner().SignHTTP(t.Context(), sdkCredentials(c), h, hash(body), "cognito-identity", testRegion, testNow); err != nil {
			t.Fatalf("the SDK: %v", err)
		}
		compareWithSDK(t, testVerifier(), fromSDK(h, h.URL, h.Header, body), c)
	})
}

func TestSDKSignsPresigned(t *testing.T) {
	v := testVerifier()
	v.AllowQuery = true
	rapid.Check(t, func(t *rapid.T) {
		h := drawRequest(t)
		q := h.URL.Query()
		q.Set("X-Amz-Expires", fmt.Sprint(rapid.IntRange(1, 900).Draw(t, "expires")))
		h.URL.RawQuery = q.Encode()
		c := drawCredentials(t)
		body := drawBody(t, h)
		signed, headers, err := sdk.NewSigner().PresignHTTP(t.Context(), sdkCredentials(c), h, hash(body), "cognito-identity", testRegion, testNow)
		if err != nil {
			t.Fatalf("the SDK: %v", err)
		}
		u, err := url.Parse(signed)
		if err != nil {
			t.Fatalf("its URL: %v", err)
		}
		compareWithSDK(t, v, fromSDK(h, u, headers, body), c)
	})
}

// S3's way: no normalisation, encoded once.
func TestSDKSignsAsS3(t *testing.T) {
	v := testVerifier()
	v.DoNotNormalise = true
	once := func(o *sdk.SignerOptions) { o.DisableURIPathEscaping = true }
	rapid.Check(t, func(t *rapid.T) {
		h := drawRequest(t)
		path := "/" + rapid.StringMatching(`[a-zA-Z0-9._~/ -]{0,20}`).Draw(t, "key")
		h.URL = &url.URL{Scheme: "https", Host: h.URL.Host, Path: path}
		c := drawCredentials(t)
		body := drawBody(t, h)
		if err := sdk.NewSigner().SignHTTP(t.Context(), sdkCredentials(c), h, hash(body), "cognito-identity", testRegion, testNow, once); err != nil {
			t.Fatalf("the SDK: %v", err)
		}
		compareWithSDK(t, v, fromSDK(h, h.URL, h.Header, body), c)
	})
}

func compareWithSDK(t *rapid.T, v *Verifier, r *Request, c Credentials) {
	if err := check(v, r, c, testNow); err != nil {
		t.Fatalf("got %v for %+v, want none", err, r)
	}
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	bad := clone(r)
	where, same := flipBit(t, bad, s)
	if err := check(v, bad, c, testNow); err == nil && !same {
		t.Fatalf("a bit of %s is changed: got no refusal of %+v", where, bad)
	}
}

func drawRequest(t *rapid.T) *http.Request {
	segment := rapid.StringMatching(`[a-zA-Z0-9 !$&'()*+,:;=@~_-]{1,8}[%/a-z]?`)
	var path strings.Builder
	for _, s := range rapid.SliceOfN(segment, 0, 3).Draw(t, "path") {
		path.WriteString("/" + strings.ReplaceAll(s, "/", "\u1234"))
	}
	query := url.Values{}
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		name := rapid.StringMatching(`[a-dA-D./ -]{0,3}`).Draw(t, "name")
		query.Add(name, rapid.StringMatching(`[a-z0-9 +/=&%;~\x{1234}]{0,6}`).Draw(t, "value"))
	}
	u := &url.URL{Scheme: "https", Host: "idpool.example:8443", Path: "/" + strings.TrimPrefix(path.String(), "/"), RawQuery: query.Encode()}
	return &http.Request{
		Method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
		URL:    u, Host: u.Host, Header: drawHeader(t),
	}
}

func drawHeader(t *rapid.T) http.Header {
	h := http.Header{"User-Agent": {"aws-sdk-go-v2/1.47.7"}}
	names := []string{"Content-Type", "X-Amz-Target", "X-Amz-Meta-A", "X-Amz-User-Agent", "My-Header", "Accept", "Date"}
	value := rapid.StringMatching(`[a-zA-Z0-9 ,;="/.-]{0,12}`)
	for _, name := range names {
		if !rapid.Bool().Draw(t, "with "+name) {
			continue
		}
		n := 1
		if name == "My-Header" || name == "X-Amz-Meta-A" {
			n = rapid.IntRange(1, 3).Draw(t, "lines")
		}
		for range n {
			h.Add(name, value.Draw(t, name))
		}
	}
	return h
}

func drawBody(t *rapid.T, h *http.Request) []byte {
	body := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "body")
	h.ContentLength = int64(len(body))
	if rapid.Bool().Draw(t, "with hash") {
		h.Header.Set("X-Amz-Content-Sha256", hash(body))
	}
	return body
}

func drawCredentials(t *rapid.T) Credentials {
	c := Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: rapid.StringMatching(`[A-Za-z0-9+/]{40}`).Draw(t, "secret")}
	if rapid.Bool().Draw(t, "temporary") {
		c.AccessKeyID, c.Token = "ASIAEXAMPLE", rapid.StringMatching(`[A-Za-z0-9+/]{1,100}={0,2}`).Draw(t, "token")
	}
	return c
}

func sdkCredentials(c Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.Secret, SessionToken: c.Token}
}

func fromSDK(h *http.Request, u *url.URL, header http.Header, body []byte) *Request {
	header = header.Clone()
	header.Del("Host") // a presigned request lists it among its headers
	header.Del("Content-Length")
	return &Request{
		Method: h.Method, Path: u.EscapedPath(), Query: u.RawQuery, Host: h.Host, Header: header,
		ContentLength: int64(len(body)), Body: body,
	}
}

// flipBit changes one bit in a part of the request that the signature covers, or in the signature. same reports that the
// change is one of spelling only, so that it may be accepted: a hexadecimal digit of an escape in its other case.
func flipBit(t *rapid.T, r *Request, s *Signature) (where string, same bool) {
	parts := map[string]*string{"method": &r.Method, "path": &r.Path, "query": &r.Query, "host": &r.Host}
	body := string(r.Body)
	parts["body"] = &body
	for name, values := range r.Header {
		if name == "Authorization" || slices.Contains(s.SignedHeaders, strings.ToLower(name)) {
			for i := range values {
				parts[fmt.Sprint("header ", name, i)] = &values[i]
			}
		}
	}
	var names []string
	for name, part := range parts {
		if *part != "" && strings.Trim(*part, " ") == *part { // spaces at the ends mean nothing
			names = append(names, name)
		}
	}
	slices.Sort(names)
	where = rapid.SampledFrom(names).Draw(t, "where")
	before := *parts[where]
	b := []byte(before)
	i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
	b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	*parts[where] = string(b)
	r.Body = []byte(body)
	return where, (where == "query" || where == "path") && inEscape(before, i) && bytes.EqualFold([]byte(before), b)
}

// inEscape reports whether the byte at i is a digit of a percent escape.
func inEscape(v string, i int) bool {
	return i >= 1 && v[i-1] == '%' || i >= 2 && v[i-2] == '%'
}
