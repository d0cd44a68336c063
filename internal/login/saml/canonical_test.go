package saml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

// equivalents are other ways to write a signed assertion, with the same canonical form.
var equivalents = map[string]func(string) string{
	"single quotes":      func(d string) string { return strings.ReplaceAll(d, `"`, `'`) },
	"empty-element tags": func(d string) string { return strings.ReplaceAll(d, "></ds:Transform>", "/>") },
	"attributes in disorder": func(d string) string {
		return strings.Replace(strings.Replace(d, ` Version="2.0"><saml:Issuer>`, "><saml:Issuer>", 1), ` ID="_1"`, ` Version="2.0" ID="_1"`, 1)
	},
	"space in tags": func(d string) string {
		return strings.ReplaceAll(strings.ReplaceAll(d, `" `, "\"\n\t"), "</saml:Issuer>", "</saml:Issuer >")
	},
	"character references": func(d string) string { return strings.ReplaceAll(d, "user-1", "&#x75;ser&#45;1") },
	"predefined entities":  func(d string) string { return strings.ReplaceAll(d, "'s", "&apos;s") },
	"an unused namespace": func(d string) string {
		return strings.Replace(d, "<saml:Subject>", `<saml:Subject xmlns:xs="http://www.w3.org/2001/XMLSchema">`, 1)
	},
	"a namespace twice": func(d string) string {
		return strings.Replace(d, "<saml:Subject>", `<saml:Subject xmlns:saml="`+nsAssertion+`">`, 1)
	},
	"a namespace further out": func(d string) string {
		return strings.Replace(d, startTag, startTag+`xmlns:saml="`+nsAssertion+`" `, 1)
	},
	"ds further out": func(d string) string {
		return strings.Replace(strings.Replace(d, startTag, startTag+`xmlns:ds="`+nsSignature+`" `, 1), `<ds:Signature xmlns:ds="`+nsSignature+`">`, "<ds:Signature>", 1)
	},
	"greater-than signs": func(d string) string { return strings.Replace(d, "&gt;b", ">b", 1) },
}

// TestCanonical has what W3C xml-exc-c14n and c14n say of order and namespaces: of an element where it stands.
func TestCanonical(t *testing.T) {
	for _, test := range []struct{ name, document, prefixes, want string }{
		{"attributes by namespace, then name", `<a xmlns:p="urn:z" xmlns:q="urn:b" q:y="1" p:x="2" z="3" q:x="4" b="5"/>`, "", `<a xmlns:p="urn:z" xmlns:q="urn:b" b="5" z="3" q:x="4" q:y="1" p:x="2"></a>`},
		{"case of namespaces", `<a xmlns:p="urn:x" xmlns:q="Urn:x" p:x="1" q:x="2"/>`, "", `<a xmlns:p="urn:x" xmlns:q="Urn:x" q:x="2" p:x="1"></a>`},
		{"a prefix and an attribute of one name", `<a xmlns:p="urn:z" xmlns:q="urn:b" p="0" p:x="1" q:x="2"/>`, "", `<a xmlns:p="urn:z" xmlns:q="urn:b" p="0" q:x="2" p:x="1"></a>`},
		{"xml:lang", `<a xmlns:p="urn:z" xmlns:q="ftp:b" p:x="1" q:x="2" xml:lang="en"/>`, "", `<a xmlns:p="urn:z" xmlns:q="ftp:b" q:x="2" xml:lang="en" p:x="1"></a>`},
		{"namespaces where they are used", `<a xmlns="urn:d" xmlns:p="urn:p"><p:b/><c p:x=""/><d><p:e><p:f/></p:e></d></a>`, "", `<a xmlns="urn:d"><p:b xmlns:p="urn:p"></p:b><c xmlns:p="urn:p" p:x=""></c><d><p:e xmlns:p="urn:p"><p:f></p:f></p:e></d></a>`},
		{"namespaces of the list", `<a xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q"><b/></a>`, "p z", `<a xmlns="urn:d" xmlns:p="urn:p"><b></b></a>`},
		{"a prefix that changes", `<p:a xmlns:p="urn:p"><p:b xmlns:p="urn:q"><p:c xmlns:p="urn:p"/></p:b></p:a>`, "", `<p:a xmlns:p="urn:p"><p:b xmlns:p="urn:q"><p:c xmlns:p="urn:p"></p:c></p:b></p:a>`},
		{"text", "<a>&quot;&apos;&#62;&#9;&#13;\r\n</a>", "", "<a>\"'&gt;\t&#xD;\n</a>"},
		{"attributes' text", `<a b='"&apos;&lt;>&#9;&#10;&#13;&amp;'/>`, "", `<a b="&quot;'&lt;>&#x9;&#xA;&#xD;&amp;"></a>`},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, around := range []string{"%s", `<r xmlns:unused="urn:u">%s</r>`} {
				e, err := parse([]byte(strings.Replace(around, "%s", test.document, 1)), responseLimits)
				if err != nil {
					t.Fatal(err)
				}
				if around != "%s" {
					e = e.ChildElements()[0]
				}
				got, err := canonical(e, nil, test.prefixes)
				if err != nil || string(got) != test.want {
					t.Errorf("got %s, %v, want %s", got, err, test.want)
				}
				if _, err := reparse(got, test.prefixes); err != nil {
					t.Errorf("the form is not its own: %v", err)
				}
			}
		})
	}
}

// TestEquivalents: what means the same makes the same login.
func TestEquivalents(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	document := idp.Document(samltest.Options{Now: t0, Attributes: map[string][]string{"team": {"Bob's"}, "x": {"a>b"}}})
	want := mustVerify(t, v, p, encode(document))
	for name, edit := range equivalents {
		t.Run(name, func(t *testing.T) {
			other := edit(document)
			if other == document {
				t.Fatal("got the same document, want another")
			}
			if diff := cmp.Diff(summary(mustVerify(t, v, p, encode(other))), summary(want)); diff != "" {
				t.Errorf("the login differs:\n%s", diff)
			}
		})
	}
}

// TestDefaultNamespaces: providers that write no prefixes are read as those that do.
func TestDefaultNamespaces(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	plain := func(xml string) string {
		return strings.ReplaceAll(strings.ReplaceAll(xml, "xmlns:saml=", "xmlns="), "saml:", "")
	}
	for what, signed := range map[string]samltest.Signed{"assertion": samltest.AssertionSigned, "response": samltest.ResponseSigned, "both": samltest.BothSigned} {
		t.Run(what, func(t *testing.T) {
			l := mustVerify(t, v, p, idp.Response(samltest.Options{Now: t0, Signed: signed, Edit: plain}))
			if l.Subject != samltest.NameID {
				t.Errorf("got %+v, want the login", l)
			}
		})
	}
}

// TestBothSignatures: where both are signed, both signatures must hold, though one alone would do.
func TestBothSignatures(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	l, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{
		Now: t0, Signed: samltest.BothSigned, EditResponse: replace(t, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
	}), t0)
	wantRefusal(t, l, err, login.BadSignature, "")
	document := idp.Document(samltest.Options{Now: t0, Signed: samltest.BothSigned})
	l, err = v.Verify(t.Context(), p, encode(strings.Replace(document, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1)), t0)
	wantRefusal(t, l, err, login.BadSignature, "")
}

func BenchmarkVerify(b *testing.B) {
	for name, key := range map[string]samltest.Key{"RSA": samltest.RSA(b), "EC": samltest.NewIdP(b, entityID).Keys[0]} {
		idp := &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{key}}
		v, p, response := New(Options{}), provider(b, idp), idp.Response(samltest.Options{Now: t0})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustVerify(b, v, p, response)
			}
		})
	}
}
