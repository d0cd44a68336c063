package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

const (
	extensions = "<samlp:Extensions>%s</samlp:Extensions>"
	startTag   = "<samlp:Response "
	endTag     = "</samlp:Response>"
)

// insert puts XML into the unsigned response around a signed assertion: where Extensions stand.
func insert(document, xml string) string {
	return strings.Replace(document, "<samlp:Status>", fmt.Sprintf(extensions, xml)+"<samlp:Status>", 1)
}

// gates are documents that differ from a good one outside of what is signed (security C3, C4, C6, C7; requirement 15).
// Those with no error are good: they show that the others are refused for what they are there for.
var gates = []struct {
	name string
	edit func(d string) string
	want error // nil where it makes a login
}{
	{"nothing", func(d string) string { return d }, nil},
	{"an extension", func(d string) string { return insert(d, "<a></a>") }, nil},
	{"empty-element tags", func(d string) string { return insert(d, `<a/><b x = '1'  y="2"/>`) }, nil},
	{"a declaration", func(d string) string {
		return `<?xml version="1.0" encoding="utf-8" standalone='yes' ?>` + "\r\n" + d + "\r\n"
	}, nil},
	{"a byte order mark", func(d string) string { return "\ufeff" + `<?xml version="1.0"?>` + d }, nil},
	{"xml:lang", func(d string) string { return insert(d, `<a xml:lang="en"/>`) }, nil},
	{"two prefixes", func(d string) string { return insert(d, `<a xmlns:p="urn:p" xmlns:q="urn:q" q:y="1" p:x="2"/>`) }, nil},
	{"one prefix, two namespaces", func(d string) string { return insert(d, `<p:a xmlns:p="urn:a"><p:a xmlns:p="urn:b"/></p:a>`) }, nil},

	{"DOCTYPE", func(d string) string { return `<!DOCTYPE Response>` + d }, errMarkup},
	{"doctype", func(d string) string { return `<!doctype Response>` + d }, errMarkup},
	{"DOCTYPE with entities", func(d string) string { return `<!DOCTYPE r [<!ENTITY e "x">]>` + d }, errMarkup},
	{"DOCTYPE at the end", func(d string) string { return d + `<!DOCTYPE r>` }, errMarkup},
	{"entity in an attribute's declaration", func(d string) string { return `<?xml version="1.0"?><!DOCTYPE r [<!ATTLIST r ID CDATA "x">]>` + d }, errMarkup},
	{"processing instruction", func(d string) string { return `<?x y?>` + d }, errMarkup},
	{"processing instruction inside", func(d string) string { return insert(d, "<?x?>") }, errMarkup},
	{"style sheet", func(d string) string { return `<?xml-stylesheet href="x"?>` + d }, errMarkup},
	{"two declarations", func(d string) string { return `<?xml version="1.0"?><?xml version="1.0"?>` + d }, errMarkup},
	{"declaration after white space", func(d string) string { return ` <?xml version="1.0"?>` + d }, errMarkup},
	{"version 1.1", func(d string) string { return `<?xml version="1.1"?>` + d }, errMarkup},
	{"another encoding", func(d string) string { return `<?xml version="1.0" encoding="ISO-8859-1"?>` + d }, errMarkup},
	{"UTF-7", func(d string) string { return `<?xml version="1.0" encoding="UTF-7"?>` + d }, errMarkup},
	{"comment before", func(d string) string { return "<!-- x -->" + d }, errMarkup},
	{"comment after", func(d string) string { return d + "<!---->" }, errMarkup},
	{"comment inside", func(d string) string { return insert(d, "<!-- x -->") }, errMarkup},
	{"CDATA", func(d string) string { return insert(d, "<![CDATA[x]]>") }, errMarkup},

	{"UTF-16", func(d string) string { return "\xff\xfe" + strings.Join(strings.Split(d, ""), "\x00") }, errUTF8},
	{"Latin-1", func(d string) string { return insert(d, "\xe9") }, errUTF8},
	{"surrogate", func(d string) string { return insert(d, "\xed\xa0\x80") }, errUTF8},
	{"overlong", func(d string) string { return insert(d, "\xc0\xbc") }, errUTF8},

	{"two roots", func(d string) string { return d + "<a></a>" }, errRoots},
	{"itself twice", func(d string) string { return d + d }, errRoots},
	{"text after", func(d string) string { return d + "x" }, errRoots},
	{"text before", func(d string) string { return "x" + d }, errRoots},
	{"a character after", func(d string) string { return d + "&#32;x" }, errRoots},
	{"NUL after", func(d string) string { return d + "\x00" }, errXML},
	{"NUL", func(d string) string { return insert(d, "\x00") }, errXML},
	{"character 1", func(d string) string { return insert(d, "&#1;") }, errXML},
	{"character FFFE", func(d string) string { return insert(d, "\ufffe") }, errXML},
	{"an entity", func(d string) string { return insert(d, "&nbsp;") }, errXML},
	{"end of CDATA", func(d string) string { return insert(d, "]]>") }, errXML},
	{"an open attribute", func(d string) string { return insert(d, `<a x="<"/>`) }, errXML},
	{"an attribute without quotes", func(d string) string { return insert(d, "<a x=1/>") }, errXML},
	{"an attribute without a value", func(d string) string { return insert(d, "<a x/>") }, errXML},
	{"an element that is not closed", func(d string) string { return strings.TrimSuffix(d, endTag) }, errXML},
	{"crossed tags", func(d string) string { return insert(d, "<a><b></a></b>") }, errXML},
	{"another prefix at the end", func(d string) string { return insert(d, `<p:a xmlns:p="urn:a" xmlns:q="urn:a"></q:a>`) }, errXML},
	{"an end too many", func(d string) string { return d + endTag }, errXML},
	{"nothing at all", func(string) string { return " " }, errXML},

	{"an empty name after a prefix", func(d string) string { return insert(d, "<x:></x:>") }, errName},
	{"an empty prefix", func(d string) string { return insert(d, `<a :y="z"></a>`) }, errName},
	{"two colons", func(d string) string { return insert(d, `<a:b:c></a:b:c>`) }, errXML},
	{"two colons in an attribute", func(d string) string { return insert(d, `<a b:c:d="x"></a>`) }, errXML},
	{"a colon first", func(d string) string { return insert(d, `<:a></:a>`) }, errName},
	{"colons alone", func(d string) string { return insert(d, `<::></::>`) }, errXML},
	{"a colon last in an attribute", func(d string) string { return insert(d, `<a b:="x"></a>`) }, errName},
	{"an attribute of colons", func(d string) string { return insert(d, `<a ::b="x"></a>`) }, errXML},
	{"a directive in a directive", func(d string) string { return insert(d, `<! <<!-- -->!-->"--> " >`) }, errMarkup},
	{"a directive with quotes", func(d string) string { return insert(d, `<!"'>'"><a/>`) }, errMarkup},
	{"a name of letters that are no ASCII", func(d string) string { return insert(d, "<é/>") }, errName},
	{"an attribute of such", func(d string) string { return insert(d, `<a ſd="x"/>`) }, errXML},
	{"an element xmlns", func(d string) string { return insert(d, "<xmlns:a/>") }, errName},
	{"an element xml", func(d string) string { return insert(d, "<xml:a/>") }, errName},

	{"undeclared prefix", func(d string) string { return insert(d, "<x:a/>") }, errUndeclared},
	{"undeclared prefix of an attribute", func(d string) string { return insert(d, `<a x:b="c"/>`) }, errUndeclared},
	{"prefix declared beside", func(d string) string { return insert(d, `<a xmlns:x="urn:x"/><x:a/>`) }, errUndeclared},
	{"relative namespace", func(d string) string { return insert(d, `<a xmlns:x="../x"/>`) }, errNamespace},
	{"relative namespace without dots", func(d string) string { return insert(d, `<a xmlns="x"/>`) }, errNamespace},
	{"empty namespace", func(d string) string { return insert(d, `<a xmlns=""/>`) }, errNamespace},
	{"prefix taken back", func(d string) string { return insert(d, `<a xmlns:samlp=""/>`) }, errNamespace},
	{"the prefix xml", func(d string) string { return insert(d, `<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`) }, errNamespace},
	{"the prefix xmlns", func(d string) string { return insert(d, `<a xmlns:xmlns="urn:x"/>`) }, errNamespace},
	{"the namespace of xml", func(d string) string { return insert(d, `<a xmlns="http://www.w3.org/XML/1998/namespace"/>`) }, errNamespace},
	{"the namespace of xmlns", func(d string) string { return insert(d, `<a xmlns:x="http://www.w3.org/2000/xmlns/"/>`) }, errNamespace},
	{"namespace with a space", func(d string) string { return insert(d, `<a xmlns:x="urn:x "/>`) }, errNamespace},
	{"long namespace", func(d string) string { return insert(d, `<a xmlns:x="urn:`+strings.Repeat("x", 253)+`"/>`) }, errNamespace},

	{"attribute twice", func(d string) string { return insert(d, `<a x="1" x="1"/>`) }, errAttribute},
	{"attribute twice, by two prefixes", func(d string) string { return insert(d, `<a xmlns:p="urn:x" xmlns:q="urn:x" p:x="1" q:x="2"/>`) }, errAttribute},
	{"namespace twice", func(d string) string { return insert(d, `<a xmlns:p="urn:x" xmlns:p="urn:y"/>`) }, errAttribute},
	{"Version twice", func(d string) string { return strings.Replace(d, startTag, startTag+`Version="2.0" `, 1) }, errAttribute},
	{"ID twice on one", func(d string) string { return strings.Replace(d, startTag, startTag+`ID="r_1" `, 1) }, errAttribute},
	{"ID and Id", func(d string) string { return strings.Replace(d, startTag, startTag+`Id="r_2" `, 1) }, errID},
	{"ID and id", func(d string) string { return strings.Replace(d, startTag, startTag+`id="r_2" `, 1) }, errID},
	{"ID and xml:id", func(d string) string { return strings.Replace(d, startTag, startTag+`xml:id="r_2" `, 1) }, errID},
	{"ID of the assertion again", func(d string) string { return insert(d, `<a ID="_1"/>`) }, errID},
	{"ID of the assertion again, as Id", func(d string) string { return insert(d, `<a Id="_1"/>`) }, errID},
	{"ID of the assertion again, as xml:id", func(d string) string { return insert(d, `<a xml:id="_1"/>`) }, errID},

	{"32 deep", func(d string) string { return insert(d, strings.Repeat("<a>", 30)+strings.Repeat("</a>", 30)) }, nil},
	{"33 deep", func(d string) string { return insert(d, strings.Repeat("<a>", 31)+strings.Repeat("</a>", 31)) }, errDepth},
	{"4900 elements", func(d string) string { return insert(d, strings.Repeat("<a/>", 4900)) }, nil},
	{"5001 elements", func(d string) string { return insert(d, strings.Repeat("<a/>", 5001)) }, errElements},
	{"32 attributes", func(d string) string { return insert(d, "<a"+numbered(` a%d=""`, 32)+"/>") }, nil},
	{"33 attributes", func(d string) string { return insert(d, "<a"+numbered(` a%d=""`, 33)+"/>") }, errAttributes},
	{"31 namespaces more", func(d string) string { return insert(d, "<a"+numbered(` xmlns:a%d="urn:x"`, 31)+"/>") }, nil},
	{"32 namespaces more", func(d string) string {
		return insert(d, "<a"+numbered(` xmlns:a%d="urn:x"`, 16)+"><a"+numbered(` xmlns:b%d="urn:x"`, 16)+"/></a>")
	}, errAttributes},
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestGates(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	document := idp.Document(samltest.Options{Now: t0})
	for _, gate := range gates {
		t.Run(gate.name, func(t *testing.T) {
			l, err := v.Verify(t.Context(), p, encode(gate.edit(document)), t0)
			if gate.want == nil {
				if err != nil || l.Subject != samltest.NameID {
					t.Errorf("got %+v, %v, want the login", l, err)
				}
				return
			}
			wantRefusal(t, l, err, login.Malformed, "")
			if r, ok := err.(*login.Refusal); ok && r.Found != gate.want.Error() {
				t.Errorf("got %q found, want %q", r.Found, gate.want)
			}
		})
	}
}

// TestRoundTrip: the checks of names come first, so that no document is known that only this one refuses.
func TestRoundTrip(t *testing.T) {
	for name, token := range map[string]xml.Token{
		"an empty local name":     xml.StartElement{Name: xml.Name{Space: "x"}},
		"a space in a name":       xml.StartElement{Name: xml.Name{Local: "a b"}},
		"a space in an attribute": xml.StartElement{Name: xml.Name{Local: "a"}, Attr: []xml.Attr{{Name: xml.Name{Local: "b c"}}}},
		"a character 1":           xml.CharData("\x01"),
	} {
		if roundTrips(token) {
			t.Errorf("%s: got it taken for stable", name)
		}
	}
}

func encode(document string) string { return base64.StdEncoding.EncodeToString([]byte(document)) }

// TestEncoding: base64 as RFC 4648 §4 has it, in one line, and no more of it than AWS takes.
func TestEncoding(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	document := idp.Document(samltest.Options{Now: t0})
	document += strings.Repeat(" ", 3-len(document)%3+1) // so that there is padding, of two characters
	good := encode(document)
	mustVerify(t, v, p, good)
	most := document + strings.Repeat(" ", 75_000-len(document))
	mustVerify(t, v, p, encode(most))
	mustVerify(t, v, p, good[:76]+"\r\n"+good[76:152]+"\n"+good[152:]+"\r\n")
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(document))
	w.Close()
	for name, bad := range map[string]string{
		"empty":           "",
		"padding":         "====",
		"space":           good[:76] + " " + good[76:],
		"no padding":      strings.TrimRight(good, "="),
		"trailing bits":   strings.TrimRight(good, "=")[:len(good)-3] + "B==",
		"another at end":  good + good,
		"URL alphabet":    "-_" + good[2:],
		"XML":             document,
		"a token":         "eyJhbGciOiJub25lIn0.e30.",
		"compressed":      base64.StdEncoding.EncodeToString(deflated.Bytes()),
		"one byte more":   encode(most + " "),
		"10 MB":           strings.Repeat("A", 10<<20),
		"twice in base64": encode(good),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := v.Verify(t.Context(), p, bad, t0)
			wantRefusal(t, l, err, login.Malformed, "")
		})
	}
}

// TestNothingIsFetched: no document causes a connection (security C7).
func TestNothingIsFetched(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hits := make(chan struct{}, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				close(hits)
				return
			}
			c.Close()
			hits <- struct{}{}
		}
	}()
	url := "http://" + listener.Addr().String() + "/x"
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	document := idp.Document(samltest.Options{Now: t0})
	for name, bad := range map[string]string{
		"external entity":    `<!DOCTYPE r [<!ENTITY e SYSTEM "` + url + `">]>` + insert(document, "&e;"),
		"parameter entity":   `<!DOCTYPE r [<!ENTITY % e SYSTEM "` + url + `"> %e;]>` + document,
		"external subset":    `<!DOCTYPE r SYSTEM "` + url + `">` + document,
		"public subset":      `<!DOCTYPE r PUBLIC "x" "` + url + `">` + document,
		"style sheet":        `<?xml-stylesheet type="text/xsl" href="` + url + `"?>` + document,
		"XSLT transform":     strings.Replace(document, `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:include href="`+url+`"/></xsl:stylesheet></ds:Transform>`, 1),
		"reference to a URL": strings.Replace(document, `URI="#_1"`, `URI="`+url+`"`, 1),
		"retrieval method":   strings.Replace(document, "<ds:X509Data>", `<ds:RetrievalMethod URI="`+url+`"/><ds:X509Data>`, 1) + "x",
	} {
		l, err := v.Verify(t.Context(), p, encode(bad), t0)
		if r, ok := err.(*login.Refusal); l != nil || !ok || r.Kind != login.SAML {
			t.Errorf("%s: got %v, %v, want a refusal", name, l, err)
		}
	}
	// An XInclude is an element like any other.
	mustVerify(t, v, p, encode(insert(document, `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="`+url+`" parse="text"/>`)))
	if _, err := ParseMetadata([]byte(`<!DOCTYPE r SYSTEM "` + url + `">` + string(idp.Metadata()))); err == nil {
		t.Error("metadata with a DOCTYPE: got no error")
	}
	listener.Close()
	for range hits {
		t.Error("got a connection, want none")
	}
}

// TestBombs: what is made to cost much costs little, whether it is refused or not (security C8).
func TestBombs(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	document := idp.Document(samltest.Options{Now: t0})
	space := 74_000 - len(document)
	fill := func(xml string) string { return strings.Repeat(xml, space/len(xml)) }
	signature := document[strings.Index(document, "<ds:Signature") : strings.Index(document, "</ds:Signature>")+len("</ds:Signature>")]
	for name, bomb := range map[string]string{
		"billion laughs":   `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>` + insert(document, "&b;"),
		"depth":            insert(document, fill("<a>")),
		"elements":         insert(document, fill("<a/>")),
		"attributes":       insert(document, "<a"+numbered(` a%d=""`, space/11)+"/>"),
		"namespaces":       insert(document, "<a"+numbered(` xmlns:a%d="urn:x"`, space/22)+"/>"),
		"deep namespaces":  insert(document, numbered(`<a xmlns:a%d="urn:x">`, 25)+strings.Repeat("<a25:b/>", 4000)+strings.Repeat("</a>", 25)),
		"long namespaces":  strings.Replace(document, "<ds:SignedInfo>", `<ds:SignedInfo>`+"<x:a"+` xmlns:x="urn:`+strings.Repeat("x", 250)+`"/>`+strings.Repeat("<x:a/>", 4000), 1),
		"text":             insert(document, fill("x")),
		"references":       insert(document, fill("&lt;")),
		"signatures":       insert(document, strings.Repeat(signature, space/len(signature))),
		"assertions":       insert(document, fill(`<saml:Assertion xmlns:saml="`+nsAssertion+`"/>`)),
		"info":             strings.Replace(document, "<ds:SignedInfo>", "<ds:SignedInfo>"+strings.Repeat("<a/>", 4800), 1),
		"prefixes":         strings.Replace(document, `xml-exc-c14n#"></ds:CanonicalizationMethod>`, `xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="`+nsExclusive+`" PrefixList="`+fill("a ")+`"/></ds:CanonicalizationMethod>`, 1),
		"unclosed":         fill("<"),
		"signature value":  strings.Replace(document, "<ds:SignatureValue>", "<ds:SignatureValue>"+fill("A"), 1),
		"elements of info": strings.Replace(document, "<ds:SignedInfo>", "<ds:SignedInfo>"+strings.Repeat("<a><b>", 2), 1),
	} {
		t.Run(name, func(t *testing.T) {
			encoded := encode(bomb)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			l, err := v.Verify(t.Context(), p, encoded, t0)
			runtime.ReadMemStats(&after)
			if r, ok := err.(*login.Refusal); err != nil && (l != nil || !ok || r.Reason == "") {
				t.Errorf("got %v, %v, want a login or a refusal", l, err)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 64 {
				t.Errorf("got %d MB allocated for %d bytes, want at most 64", mb, len(encoded))
			}
		})
	}
}
