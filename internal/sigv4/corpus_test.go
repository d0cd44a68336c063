package sigv4

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
)

// The corpus is the signing suite of awslabs/aws-c-auth: one directory for each case, with the request signed in the
// header and in the query.
const (
	corpusCases    = 38
	corpusRequests = 2 * corpusCases
)

type corpusContext struct {
	Credentials struct {
		AccessKeyID string `json:"access_key_id"`
		Secret      string `json:"secret_access_key"`
		Token       string `json:"token"`
	} `json:"credentials"`
	Region           string    `json:"region"`
	Service          string    `json:"service"`
	Timestamp        time.Time `json:"timestamp"`
	Normalize        bool      `json:"normalize"`
	OmitSessionToken bool      `json:"omit_session_token"`
}

func (c *corpusContext) verifier() *Verifier {
	return &Verifier{
		Region: c.Region, Services: []string{c.Service}, AllowQuery: true, MaxExpires: time.Hour,
		DoNotNormalise: !c.Normalize, TokenAfterSigning: c.OmitSessionToken,
	}
}

func corpusFolder(t testing.TB) string {
	t.Helper()
	root := os.Getenv("IDPOOL_CORPORA")
	if root == "" {
		if os.Getenv("IDPOOL_REQUIRE") == "all" {
			t.Fatal("IDPOOL_CORPORA is not set, and IDPOOL_REQUIRE=all wants the corpus")
		}
		t.Skip("IDPOOL_CORPORA is not set: the signing suite is not in this repository")
	}
	return filepath.Join(root, "sigv4")
}

func corpusNames(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "context.json"))
	if err != nil {
		t.Fatalf("listing the corpus: %v", err)
	}
	if len(files) != corpusCases {
		t.Fatalf("got %d cases in %s, want %d", len(files), folder, corpusCases)
	}
	for i := range files {
		files[i] = filepath.Base(filepath.Dir(files[i]))
	}
	return files
}

func readText(t testing.TB, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatalf("reading the corpus: %v", err)
	}
	return string(b)
}

func readContext(t testing.TB, folder, name string) *corpusContext {
	t.Helper()
	var c corpusContext
	if err := json.Unmarshal([]byte(readText(t, folder, name, "context.json")), &c); err != nil {
		t.Fatalf("context.json: %v", err)
	}
	return &c
}

// parseRaw reads a request of the corpus as it stands, which includes what net/http would refuse: spaces and UTF-8 in the
// path, folded header lines.
func parseRaw(t testing.TB, raw string) *Request {
	t.Helper()
	head, body, _ := strings.Cut(raw, "\n\n")
	lines := strings.Split(head, "\n")
	first, ok := strings.CutSuffix(lines[0], " HTTP/1.1")
	if !ok {
		t.Fatalf("no request line: %q", lines[0])
	}
	r := &Request{Header: make(map[string][]string), Body: []byte(body)}
	r.Method, first, _ = strings.Cut(first, " ")
	r.Path, r.Query, _ = strings.Cut(first, "?")
	last := ""
	for _, l := range lines[1:] {
		if strings.HasPrefix(l, " ") { // a folded line goes on from the one before
			values := r.Header[last]
			values[len(values)-1] += "\n" + l
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			t.Fatalf("no header line: %q", l)
		}
		if name == "Host" {
			r.Host = value
			continue
		}
		last = name
		r.Header[name] = append(r.Header[name], value)
	}
	if n := r.Header["Content-Length"]; n != nil {
		length, err := strconv.ParseInt(n[0], 10, 64)
		if err != nil {
			t.Fatalf("Content-Length: %v", err)
		}
		r.ContentLength = length
	}
	return r
}

func TestCorpus(t *testing.T) {
	folder := corpusFolder(t)
	ran := 0
	for _, name := range corpusNames(t, folder) {
		c := readContext(t, folder, name)
		for _, form := range []string{"header", "query"} {
			ran++
			t.Run(name+"/"+form, func(t *testing.T) { verifyCase(t, c, filepath.Join(folder, name), form) })
		}
	}
	if ran != corpusRequests {
		t.Errorf("got %d requests, want %d", ran, corpusRequests)
	}
}

func verifyCase(t *testing.T, c *corpusContext, folder, form string) {
	r := parseRaw(t, readText(t, folder, form+"-signed-request.txt"))
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if s.AccessKeyID != c.Credentials.AccessKeyID || s.Token != c.Credentials.Token || s.Query != (form == "query") {
		t.Errorf("got key %q, token %q, query %v", s.AccessKeyID, s.Token, s.Query)
	}
	canonical, err := s.appendCanonical(nil, r, canon{!c.Normalize, c.OmitSessionToken}, []byte(hash(r.Body)))
	if err != nil {
		t.Fatalf("canonical request: %v", err)
	}
	if want := readText(t, folder, form+"-canonical-request.txt"); string(canonical) != want {
		t.Errorf("got canonical request\n%s\nwant\n%s", canonical, want)
	}
	if got, want := string(s.appendStringToSign(nil, canonical)), readText(t, folder, form+"-string-to-sign.txt"); got != want {
		t.Errorf("got string to sign\n%s\nwant\n%s", got, want)
	}
	if want := strings.TrimSpace(readText(t, folder, form+"-signature.txt")); s.signature != want {
		t.Errorf("got signature %s, want %s", s.signature, want)
	}
	v := c.verifier()
	if err := v.Verify(r, s, c.Credentials.Secret, c.Timestamp); err != nil {
		t.Errorf("Verify: %v", err)
	}
	strict := c.verifier()
	strict.TokenAfterSigning = false
	if err := strict.Verify(r, s, c.Credentials.Secret, c.Timestamp); (err != nil) != c.OmitSessionToken {
		t.Errorf("where the token must be signed: got %v, want a refusal: %v", err, c.OmitSessionToken)
	}
}

// Our own signer makes the same signature where the suite signs what we sign.
func TestCorpusSign(t *testing.T) {
	folder := corpusFolder(t)
	for _, name := range []string{"get-vanilla", "get-vanilla-query-order-encoded", "get-vanilla-utf8-query", "get-slashes-normalized",
		"get-vanilla-with-session-token", "post-vanilla", "post-sts-header-before"} {
		t.Run(name, func(t *testing.T) {
			c := readContext(t, folder, name)
			r := parseRaw(t, readText(t, folder, name, "request.txt")+"\n")
			credentials := Credentials{c.Credentials.AccessKeyID, c.Credentials.Secret, c.Credentials.Token}
			if err := Sign(r, credentials, c.Region, c.Service, c.Timestamp); err != nil {
				t.Fatalf("Sign: %v", err)
			}
			want := parseRaw(t, readText(t, folder, name, "header-signed-request.txt")).Header["Authorization"][0]
			if got := r.Header["Authorization"][0]; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// Every request of the suite with one thing changed is refused, by a verifier that would take any region and service.
func TestCorpusMutants(t *testing.T) {
	folder := corpusFolder(t)
	requests, mutants := 0, 0
	for _, name := range corpusNames(t, folder) {
		c := readContext(t, folder, name)
		for _, form := range []string{"header", "query"} {
			raw := readText(t, folder, name, form+"-signed-request.txt")
			mutations := corpusMutations(t, parseRaw(t, raw))
			requests++
			mutants += len(mutations)
			t.Run(name+"/"+form, func(t *testing.T) {
				for what, change := range mutations {
					r := parseRaw(t, raw)
					change(t, r)
					refuseMutant(t, c, r, what)
				}
			})
		}
	}
	if least := requests * (digest + 10); requests != corpusRequests || mutants < least {
		t.Errorf("got %d mutants of %d requests, want at least %d of %d", mutants, requests, least, corpusRequests)
	}
}

func refuseMutant(t *testing.T, c *corpusContext, r *Request, what string) {
	t.Helper()
	v := c.verifier()
	v.Region, v.Services = "", []string{c.Service, "sts"}
	s, err := Parse(r)
	if err == nil {
		err = v.Verify(r, s, c.Credentials.Secret, c.Timestamp)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.InvalidSignature && f.Code != fault.IncompleteSignature {
		t.Errorf("%s: got %v, want a refusal", what, err)
	}
}

func corpusMutations(t *testing.T, signed *Request) map[string]func(*testing.T, *Request) {
	s, err := Parse(signed)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	m := map[string]func(*testing.T, *Request){
		"method":      func(t *testing.T, r *Request) { r.Method = "PUT" },
		"path":        func(t *testing.T, r *Request) { r.Path += "x" },
		"query":       func(t *testing.T, r *Request) { r.Query = strings.TrimPrefix(r.Query+"&zz=1", "&") },
		"query value": func(t *testing.T, r *Request) { r.Query = strings.TrimPrefix("Param1=other&"+r.Query, "&") },
		"body":        func(t *testing.T, r *Request) { r.Body = append(r.Body, 'x') },
		"region":      func(t *testing.T, r *Request) { replaceAuth(t, r, "us-east-1", "us-east-2") },
		"service":     func(t *testing.T, r *Request) { replaceAuth(t, r, "/service/", "/sts/") },
		"terminator":  func(t *testing.T, r *Request) { replaceAuth(t, r, "aws4_request", "aws5_request") },
		"scope date":  func(t *testing.T, r *Request) { replaceAuth(t, r, "/20150830/", "/20150831/") },
		"both dates": func(t *testing.T, r *Request) {
			replaceAuth(t, r, "/20150830/", "/20150831/")
			replaceDate(t, r, "20150831T000000Z")
		},
		"time":          func(t *testing.T, r *Request) { replaceDate(t, r, "20150830T123601Z") },
		"host unsigned": func(t *testing.T, r *Request) { replaceAuth(t, r, "host", "hosu") },
	}
	for i := range digest {
		m["signature digit "+strconv.Itoa(i)] = func(t *testing.T, r *Request) {
			b := []byte(s.signature)
			b[i] ^= 1
			replaceAuth(t, r, s.signature, string(b))
		}
	}
	for _, name := range s.SignedHeaders {
		m["header "+name] = func(t *testing.T, r *Request) { changeHeader(t, r, name) }
	}
	return m
}

// replaceAuth changes the signature's own text, where it stands; "/" is "%2F" in the query.
func replaceAuth(t *testing.T, r *Request, old, replacement string) {
	t.Helper()
	if a := r.Header["Authorization"]; a != nil {
		mustReplace(t, &a[0], old, replacement)
		return
	}
	mustReplace(t, &r.Query, strings.ReplaceAll(old, "/", "%2F"), strings.ReplaceAll(replacement, "/", "%2F"))
}

func replaceDate(t *testing.T, r *Request, stamp string) {
	t.Helper()
	if d := r.Header["X-Amz-Date"]; d != nil {
		d[0] = stamp
		return
	}
	mustReplace(t, &r.Query, "20150830T123600Z", stamp)
}

func mustReplace(t *testing.T, s *string, old, replacement string) {
	t.Helper()
	if !strings.Contains(*s, old) {
		t.Fatalf("no %q to change in %q", old, *s)
	}
	*s = strings.Replace(*s, old, replacement, 1)
}

func changeHeader(t *testing.T, r *Request, name string) {
	t.Helper()
	switch name {
	case "host":
		r.Host += "x"
		return
	case "content-length":
		r.ContentLength++
		r.Header["Content-Length"] = []string{strconv.FormatInt(r.ContentLength, 10)}
		return
	}
	for have, values := range r.Header {
		if strings.EqualFold(have, name) {
			values[len(values)-1] += "x"
			return
		}
	}
	t.Fatalf("no header %q to change", name)
}
