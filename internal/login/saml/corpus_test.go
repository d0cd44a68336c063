package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/fips140"
	_ "crypto/sha1" // for weak
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
)

// weak is a suite for fixtures of others, which are signed with SHA-1 and by keys of 1024 bits. With it, everything but
// the algorithms can be held against them.
func weak() *suite {
	w := suite{methods: maps.Clone(strong.methods), digests: maps.Clone(strong.digests), minRSA: 1024}
	w.methods["http://www.w3.org/2000/09/xmldsig#rsa-sha1"] = method{familyRSA, crypto.SHA1}
	w.digests["http://www.w3.org/2000/09/xmldsig#sha1"] = crypto.SHA1
	return &w
}

// world is what a fixture was made for.
type world struct {
	entity    string
	audiences []string
	recipient []string
	now       string
}

var (
	madness    = world{"https://evil-corp.com", nil, []string{"https://evil-corp.madness.com/sso/callback"}, "2020-09-25T16:30:00Z"}
	onelogin   = world{"https://app.onelogin.com/saml2", []string{"https://someone.example.com/audience"}, []string{"recipient", "http://app.muda.no/sso/consume"}, "2014-06-04T02:23:00Z"}
	undefined  = world{"https://app.onelogin.com/saml/metadata/13590", []string{"{audience}"}, []string{"{recipient}"}, "2010-11-18T21:58:00Z"}
	stuff      = world{"http://idp.example.com/", []string{"http://stuff.com/endpoints/metadata.php", "hello.com"}, []string{"http://stuff.com/endpoints/endpoints/acs.php", "http://app.muda.no/sso/consume"}, "2011-06-18T00:00:00Z"}
	pitbulk    = world{"https://pitbulk.no-ip.org/simplesaml/saml2/idp/metadata.php", []string{"https://pitbulk.no-ip.org/newonelogin/demo1/metadata.php", "http://localhost:8080/java-saml-jspsample/metadata.jsp"}, []string{"https://pitbulk.no-ip.org/newonelogin/demo1/index.php?acs", "http://localhost:8080/java-saml-jspsample/acs.jsp"}, "2014-02-19T02:00:00Z"}
	demo1      = world{"http://idp.example.com/metadata.php", []string{"http://sp.example.com/demo1/metadata.php"}, []string{"http://sp.example.com/demo1/index.php?acs"}, "2014-07-17T02:00:00Z"}
	wellspring = world{"https://sso.wellspringworldwide.com/simplesaml/saml2/idp/metadata.php", []string{"rpm.newrelic.com"}, []string{"https://rpm.newrelic.com/accounts/136857/sso/saml/finalize"}, "2013-03-25T15:36:30Z"}
	okta       = world{"http://www.okta.com/k7xkhq0jUHUPQAXVMUAN", []string{"https://auth0145.auth0.com"}, []string{"https://auth0145.auth0.com", "https://someone.example.com/endpoint"}, "2013-08-03T21:55:00Z"}
	myexample  = world{"idp.myexample.org", []string{"example.com"}, []string{"https://example.com/endpoint"}, "2012-04-04T07:33:30Z"}
)

// fixture is a response of somebody's test suite, and what we say to it with the suite weak: nothing where it makes a
// login, else the reason. Where that is not what its suite says, why tells why.
type fixture struct {
	file string
	of   world
	want string
	why  string
}

// TestCorpus: no fixture makes a login, because not one is signed with SHA-2, by a key of 2048 bits, with only one
// assertion in it; and with weak algorithms allowed, each gets the answer in the table.
func TestCorpus(t *testing.T) {
	root := corpus(t)
	logins := 0
	for dir, fixtures := range map[string][]fixture{
		"node-saml/signatures/valid": nodeValid, "node-saml/signatures/invalid": nodeInvalid,
		"ruby-saml/responses": rubyResponses, "ruby-saml/responses/invalids": rubyInvalids,
	} {
		good := !strings.HasSuffix(dir, "/invalid") && !strings.HasSuffix(dir, "/invalids")
		for _, f := range fixtures {
			if good != (f.want == "") != (f.why != "") {
				t.Errorf("%s/%s: got the reason %q for an exception, want one where the suite says something else, and only there", dir, f.file, f.why)
			}
			t.Run(dir+"/"+f.file, func(t *testing.T) {
				document := readFixture(t, filepath.Join(root, dir, f.file))
				if got := f.verify(t, root, document, &strong); got == "" {
					t.Error("got a login, want none: see whether the fixture is strong")
				}
				var got string
				fips140.WithoutEnforcement(func() { got = f.verify(t, root, document, weak()) }) // which has no SHA-1
				if got == "" {
					logins++
				}
				if got != f.want {
					t.Errorf("with weak algorithms: got %q, want %q", got, f.want)
				}
			})
		}
		checkComplete(t, filepath.Join(root, dir), fixtures)
	}
	if logins != 9 {
		t.Errorf("%d fixtures made a login with weak algorithms, want 9", logins)
	}
}

// TestCorpusSignatures: the fixtures that are signed with SHA-2 by a strong key verify with the strong suite, all three
// signatures of each; they are refused for a second assertion in the advice of the first.
func TestCorpusSignatures(t *testing.T) {
	root := corpus(t)
	n := 0
	for _, file := range []string{"root-signed.assertion-signed.1advice-signed", "root-unsigned.assertion-signed.1advice-signed"} {
		document := readFixture(t, filepath.Join(root, "node-saml/signatures/valid/response."+file+".xml"))
		tree, err := parse(document, responseLimits)
		if err != nil {
			t.Fatal(err)
		}
		var all census
		walk(tree, all.count)
		for _, s := range all.signatures {
			signed, refusal := strong.verify(s.Parent(), s, certificates(t, root, document))
			if refusal != nil || signed.Tag != s.Parent().Tag {
				t.Errorf("%s: got %v, want the signature of the %s to verify", file, refusal, s.Parent().Tag)
			}
			n++
		}
	}
	if n != 5 {
		t.Errorf("got %d signatures, want 5", n)
	}
}

// verify returns the reason for which the fixture is refused, or nothing.
func (f *fixture) verify(t *testing.T, root string, document []byte, s *suite) string {
	t.Helper()
	now, err := time.Parse(time.RFC3339, f.of.now)
	if f.of.now != "" && err != nil {
		t.Fatal(err)
	}
	v := New(Options{Audiences: f.of.audiences, Recipients: f.of.recipient})
	v.suite = s
	entity := f.of.entity
	if entity == "" {
		entity = "nobody"
	}
	p := &login.Provider{Kind: login.SAML, SAML: &login.Metadata{EntityID: entity, Certificates: certificates(t, root, document)}}
	l, err := v.Verify(t.Context(), p, base64.StdEncoding.EncodeToString(document), now)
	if err == nil {
		if l.Subject == "" || l.Assertion.Issuer != entity {
			t.Errorf("got the login %+v, want a subject and the issuer", l)
		}
		return ""
	}
	r := err.(*login.Refusal)
	if r.Claim != "" {
		return string(r.Reason) + ": " + r.Claim
	}
	return string(r.Reason)
}

// checkComplete wants a row for each file of a folder.
func checkComplete(t *testing.T, dir string, fixtures []fixture) {
	t.Helper()
	rows := map[string]bool{}
	for _, f := range fixtures {
		rows[f.file] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && !rows[e.Name()] {
			t.Errorf("%s/%s has no row", dir, e.Name())
		}
	}
	if len(rows) != len(fixtures) {
		t.Errorf("%s: a file has two rows", dir)
	}
}

func corpus(t *testing.T) string {
	t.Helper()
	root := os.Getenv("IDPOOL_CORPORA")
	if root == "" {
		if os.Getenv("IDPOOL_REQUIRE") == "all" {
			t.Fatal("IDPOOL_CORPORA is not set, and IDPOOL_REQUIRE=all wants the corpus")
		}
		t.Skip("IDPOOL_CORPORA is not set")
	}
	return filepath.Join(root, "saml")
}

// readFixture reads a response: as XML, or in base64, of which some are compressed.
func readFixture(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.IndexByte(b, '<') >= 0 {
		return b
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(b)), ""))
	if err != nil {
		t.Fatal(err)
	}
	if inflated, err := io.ReadAll(flate.NewReader(bytes.NewReader(decoded))); err == nil {
		return inflated
	}
	return decoded
}

var embedded = regexp.MustCompile(`X509Certificate[^>]*>([^<]+)</`)

// certificates returns those of the suite, and for ruby-saml those in the fixture: it has no others for most. Many are
// doctored and cannot be read.
func certificates(t *testing.T, root string, document []byte) []*x509.Certificate {
	t.Helper()
	if bytes.Contains(document, []byte("evil-corp.com")) {
		return []*x509.Certificate{readPEM(t, filepath.Join(root, "node-saml/cert.pem"))}
	}
	var out []*x509.Certificate
	for _, name := range []string{"certificate1", "ruby-saml.crt", "ruby-saml-2.crt"} {
		out = append(out, readPEM(t, filepath.Join(root, "ruby-saml/certificates", name)))
	}
	for _, m := range embedded.FindAllSubmatch(document, -1) {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
		if err != nil {
			continue
		}
		if c, err := x509.ParseCertificate(der); err == nil {
			out = append(out, c)
		}
	}
	return out
}

func readPEM(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatalf("%s is not in PEM", file)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
