package saml

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

// fixed returns a provider whose key is the same in every process, so that what one found, another can check.
func fixed(t testing.TB) *samltest.IdP {
	t.Helper()
	d := sha256.Sum256([]byte("the key of the fuzzers"))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{samltest.NewKey(t, private)}}
}

var keyInfo = regexp.MustCompile(`<ds:KeyInfo>.*?</ds:KeyInfo>`)

// fixedDocuments are all that the fixed provider ever signed: one login, signed in each way. Their lengths never change.
func fixedDocuments(idp *samltest.IdP) []string {
	var out []string
	for _, signed := range []samltest.Signed{samltest.AssertionSigned, samltest.ResponseSigned, samltest.BothSigned} {
		out = append(out, idp.Document(samltest.Options{
			Now: t0, Signed: signed, Attributes: map[string][]string{"team": {"a"}, "groups": {"x", "y"}},
			EditSignature: func(s string) string { return keyInfo.ReplaceAllString(s, "") },
		}))
	}
	return out
}

// FuzzVerify: whatever becomes of a signed document, the login that comes out is the one that was signed, or none.
func FuzzVerify(f *testing.F) {
	idp := fixed(f)
	documents := fixedDocuments(idp)
	v, p := New(Options{}), provider(f, idp)
	want := mustVerify(f, v, p, encode(documents[0]))
	for i, d := range documents {
		got := mustVerify(f, v, p, encode(d))
		if diff := cmp.Diff(summary(got), summary(want)); diff != "" {
			f.Fatalf("document %d is of another login:\n%s", i, diff)
		}
		evil := strings.ReplaceAll(d, "user-1", "victim")
		for _, at := range []string{"<saml:Issuer>", "<ds:Signature", "<ds:SignedInfo", "<ds:SignatureValue>", "<saml:Assertion", "</saml:NameID>", "<samlp:Status>", "</samlp:Response>"} {
			for _, insert := range []string{"", " ", "<a/>", "<!---->", "<!DOCTYPE a>", "<![CDATA[x]]>", "&#32;", "<saml:NameID>victim</saml:NameID>", evil[strings.Index(evil, "<saml:Assertion"):strings.Index(evil, "</samlp:Response>")], d, evil} {
				f.Add(byte(i), uint16(strings.Index(d, at)), uint16(0), []byte(insert))
			}
		}
		f.Add(byte(i), uint16(strings.Index(d, "user-1")), uint16(6), []byte("victim"))
		f.Add(byte(i), uint16(0), uint16(len(d)), []byte(evil))
		for _, attack := range differentials {
			f.Add(byte(i), uint16(0), uint16(len(d)), []byte(attack(d)))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, at, remove uint16, insert []byte) {
		d := documents[int(which)%len(documents)]
		i := min(int(at), len(d))
		document := d[:i] + string(insert) + d[min(i+int(remove), len(d)):]
		l, err := v.Verify(t.Context(), p, encode(document), t0)
		if err != nil {
			if r, ok := err.(*login.Refusal); !ok || l != nil || r.Reason == "" || r.Kind != login.SAML {
				t.Fatalf("got %v and %v, want a refusal alone", l, err)
			}
			return
		}
		if diff := cmp.Diff(summary(l), summary(want)); diff != "" {
			t.Fatalf("%q makes another login than the one that was signed (-got +want):\n%s", document, diff)
		}
	})
}

// summary is all of a login but for its provider.
func summary(l *login.Login) login.Login {
	s := *l
	s.Provider = nil
	return s
}

// FuzzGate: a document that we take, encoding/xml and etree take for the same tree; and its canonical form is one that
// we take for the same tree again.
func FuzzGate(f *testing.F) {
	idp := fixed(f)
	documents := fixedDocuments(idp)
	for _, gate := range gates {
		if d := gate.edit(documents[0]); len(d) < 20_000 {
			f.Add([]byte(d))
		}
	}
	for _, d := range []string{
		"<a/>", `<a b='"&#9;&#10;&#13;&lt;&gt;&amp;' xmlns="urn:a"/>`, "<a>&#13;\r\n\r&gt;]]&gt;</a>", `<p:a xmlns:p="urn:p"><b xmlns="urn:b"><p:c p:d="1"/></b></p:a>`,
		`<a xmlns:p="urn:p"><p:b/><p:b xmlns:p="urn:q"><p:c xmlns:p="urn:p"/></p:b></a>`, string(idp.Metadata()),
	} {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		root, err := parse(document, responseLimits)
		if err != nil {
			if root != nil || err.Error() == "" {
				t.Fatalf("got a tree beside the error %v", err)
			}
			return
		}
		form, err := canonical(root, nil, "")
		if err != nil {
			t.Fatalf("%q has no canonical form: %v", document, err)
		}
		other := etree.NewDocument()
		if err := other.ReadFromBytes(bytes.TrimPrefix(document, []byte("\ufeff"))); err != nil {
			t.Fatalf("%q: etree refuses it: %v", document, err)
		}
		if theirs, err := canonical(other.Root(), nil, ""); err != nil || !bytes.Equal(theirs, form) {
			t.Fatalf("%q is %q for us, and %q, %v for etree", document, form, theirs, err)
		}
		if err := xml.Unmarshal(document, new(struct{})); err != nil && !bytes.HasPrefix(document, []byte("\ufeff")) {
			t.Fatalf("%q: encoding/xml refuses it: %v", document, err)
		}
		if _, err := reparse(form, ""); err != nil {
			t.Fatalf("the canonical form of %q is %q, which is none: %v", document, form, err)
		}
	})
}

// FuzzMetadata: what is taken for metadata keeps its limits, and encoding/xml finds the same entity id in it.
func FuzzMetadata(f *testing.F) {
	idp := fixed(f)
	good := string(idp.Metadata())
	idp.ValidUntil = t0
	for _, d := range []string{
		good, string(idp.Metadata()), "\ufeff" + good, strings.Replace(good, `use="signing"`, "", 1), strings.Replace(good, "signing", "encryption", 1),
		strings.Replace(good, "  <md", "<!-- x --><md", 1), strings.Replace(good, "X509Certificate>", "X509Certificate><!-- x -->", 1), "<a/>", "",
	} {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := ParseMetadata(document)
		if err != nil {
			if m != nil {
				t.Fatalf("got metadata beside the error %v", err)
			}
			return
		}
		if !isEntityID(m.EntityID) || len(m.Certificates) == 0 || len(m.Certificates) > maxCertificates {
			t.Fatalf("got %+v", m)
		}
		for _, c := range m.Certificates {
			if strong.family(c.PublicKey) == 0 {
				t.Fatalf("got a key of type %T that is not strong", c.PublicKey)
			}
		}
		if got := rootAttribute(t, document, "entityID"); got != m.EntityID {
			t.Fatalf("%q: got %q, encoding/xml has %q", document, m.EntityID, got)
		}
	})
}

// rootAttribute returns an attribute of the outermost element, as encoding/xml reads it.
func rootAttribute(t *testing.T, document []byte, name string) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(document, []byte("\ufeff"))))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%q: encoding/xml refuses it: %v", document, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if a.Name == (xml.Name{Local: name}) {
				return a.Value
			}
		}
		return ""
	}
}
