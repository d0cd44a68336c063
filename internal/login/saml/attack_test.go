package saml

import (
	"crypto/elliptic"
	"crypto/fips140"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

// sample is a valid response with what verifies it.
type sample struct {
	name     string
	v        *Verifier
	p        *login.Provider
	now      time.Time
	document string
}

// samples are our own, signed in each way, and three of other makers where there is a corpus.
func samples(t *testing.T) []sample {
	t.Helper()
	var out []sample
	for name, signed := range map[string]samltest.Signed{"assertion": samltest.AssertionSigned, "response": samltest.ResponseSigned, "both": samltest.BothSigned} {
		for kind, key := range map[string]samltest.Key{"RSA": samltest.RSA(t), "EC": samltest.NewEC(t, elliptic.P256())} {
			idp := &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{key}}
			out = append(out, sample{name + ", " + kind, New(Options{}), provider(t, idp), t0, idp.Document(samltest.Options{Now: t0, Signed: signed, Attributes: map[string][]string{"team": {"a"}}})})
		}
	}
	if os.Getenv("IDPOOL_CORPORA") == "" && os.Getenv("IDPOOL_REQUIRE") != "all" {
		return out
	}
	root := corpus(t)
	for _, f := range rubyResponses {
		if f.want != "" {
			continue
		}
		document := readFixture(t, filepath.Join(root, "ruby-saml/responses", f.file))
		v := New(Options{Audiences: f.of.audiences, Recipients: f.of.recipient})
		v.suite = weak()
		now, err := time.Parse(time.RFC3339, f.of.now)
		if err != nil {
			t.Fatal(err)
		}
		p := &login.Provider{Kind: login.SAML, SAML: &login.Metadata{EntityID: f.of.entity, Certificates: certificates(t, root, document)}}
		out = append(out, sample{f.file, v, p, now, string(document)})
	}
	return out
}

func (s *sample) verify(t *testing.T, document string) (l *login.Login, err error) {
	t.Helper()
	fips140.WithoutEnforcement(func() { // which has no SHA-1
		l, err = s.v.Verify(t.Context(), s.p, encode(document), s.now)
	})
	return l, err
}

// parts are the elements of a response that attacks move about.
type parts struct {
	doc                            *etree.Document
	response, assertion, signature *etree.Element // the signature of either
}

func take(t *testing.T, document string) *parts {
	t.Helper()
	p := &parts{doc: etree.NewDocument()}
	p.doc.ReadSettings.PreserveDuplicateAttrs = true
	if err := p.doc.ReadFromString(document); err != nil {
		t.Fatal(err)
	}
	p.response = p.doc.Root()
	p.assertion = p.response.SelectElement("Assertion")
	if p.signature = p.response.SelectElement("Signature"); p.signature == nil {
		p.signature = p.assertion.SelectElement("Signature")
	}
	return p
}

// evil returns a copy of an element in which somebody else is named, with another ID and without signatures.
func evil(e *etree.Element) *etree.Element {
	e = e.Copy()
	e.CreateAttr("ID", "_evil")
	for _, s := range e.FindElements(".//Signature") {
		s.Parent().RemoveChild(s)
	}
	if e.Tag == "Response" {
		e.SelectElement("Assertion").CreateAttr("ID", "_evil2")
	}
	e.FindElement(".//NameID").SetText("victim")
	return e
}

// under makes a child of a name in the element's own namespace.
func under(e *etree.Element, tag string, children ...etree.Token) *etree.Element {
	c := etree.NewElement(tag)
	c.Space = e.Space
	for _, child := range children {
		c.AddChild(child)
	}
	return c
}

// signed returns the element that the signature is of, without it.
func (p *parts) signed() *etree.Element {
	e := p.signature.Parent().Copy()
	e.RemoveChildAt(p.signature.Index())
	return e
}

// wrappings are the ways to wrap a signed element (security C1): the eight of Somorovsky and others, "On Breaking SAML:
// Be Whoever You Want to Be" (2012), and some that were found later.
var wrappings = map[string]func(p *parts){
	"1: the original response in the signature": func(p *parts) {
		original := p.response.Copy()
		root := evil(p.response)
		sig := p.signature.Copy()
		sig.AddChild(original)
		root.InsertChildAt(1, sig)
		p.doc.SetRoot(root)
	},
	"2: the original response beside the signature": func(p *parts) {
		original := p.signed()
		root := evil(p.response)
		root.AddChild(original)
		root.AddChild(p.signature.Copy())
		p.doc.SetRoot(root)
	},
	"3: another assertion first": func(p *parts) { p.response.InsertChildAt(p.assertion.Index(), evil(p.assertion)) },
	"4: the original assertion in another": func(p *parts) {
		e := evil(p.assertion)
		i := p.assertion.Index()
		p.response.RemoveChild(p.assertion)
		e.AddChild(p.assertion)
		p.response.InsertChildAt(i, e)
	},
	"5: the signature in another assertion, the original last": func(p *parts) {
		original := p.assertion.Copy()
		if s := original.SelectElement("Signature"); s != nil {
			original.RemoveChild(s)
		}
		p.response.AddChild(original)
		p.assertion.CreateAttr("ID", "_evil")
		p.assertion.FindElement(".//NameID").SetText("victim")
	},
	"6: the original assertion in the signature in another": func(p *parts) {
		original, sig := p.assertion.Copy(), p.signature.Copy()
		e := evil(p.assertion)
		sig.AddChild(original)
		e.InsertChildAt(1, sig)
		i := p.assertion.Index()
		p.response.RemoveChild(p.assertion)
		p.response.InsertChildAt(i, e)
	},
	"7: another assertion in Extensions": func(p *parts) {
		p.response.InsertChildAt(0, under(p.response, "Extensions", evil(p.assertion)))
	},
	"7, the original in Extensions": func(p *parts) {
		e := evil(p.assertion)
		i := p.assertion.Index()
		p.response.RemoveChild(p.assertion)
		p.response.InsertChildAt(i, e)
		p.response.InsertChildAt(0, under(p.response, "Extensions", p.assertion))
	},
	"8: the original assertion in an Object of the signature": func(p *parts) {
		original := p.signed()
		sig := p.signature.Copy()
		sig.AddChild(under(sig, "Object", original))
		e := evil(p.signature.Parent())
		e.InsertChildAt(1, sig)
		if p.signature.Parent() == p.response {
			p.doc.SetRoot(e)
			return
		}
		i := p.assertion.Index()
		p.response.RemoveChild(p.assertion)
		p.response.InsertChildAt(i, e)
	},
	"9: the original response in the status": func(p *parts) {
		original := p.response.Copy()
		root := evil(p.response)
		root.SelectElement("Status").AddChild(under(root, "StatusDetail", original))
		root.InsertChildAt(1, p.signature.Copy())
		p.doc.SetRoot(root)
	},
	"the original assertion in the advice of another": func(p *parts) {
		e := evil(p.assertion)
		i := p.assertion.Index()
		p.response.RemoveChild(p.assertion)
		e.AddChild(under(e, "Advice", p.assertion))
		p.response.InsertChildAt(i, e)
	},
	"another assertion in the advice": func(p *parts) {
		p.assertion.AddChild(under(p.assertion, "Advice", evil(p.assertion)))
	},
	"another assertion in the KeyInfo": func(p *parts) {
		p.signature.SelectElement("KeyInfo").AddChild(evil(p.assertion))
	},
	"another assertion in an attribute": func(p *parts) {
		p.assertion.AddChild(under(p.assertion, "AttributeStatement", under(p.assertion, "AttributeValue", evil(p.assertion))))
	},
	"another assertion with the same ID": func(p *parts) {
		e := evil(p.assertion)
		e.CreateAttr("ID", p.assertion.SelectAttrValue("ID", ""))
		p.response.InsertChildAt(p.assertion.Index(), e)
	},
	"another assertion last": func(p *parts) { p.response.AddChild(evil(p.assertion)) },
	"another assertion of another namespace": func(p *parts) {
		e := evil(p.assertion)
		e.Space = "evil"
		e.CreateAttr("xmlns:evil", "urn:oasis:names:tc:SAML:1.0:assertion")
		p.response.AddChild(e)
	},
	"an encrypted assertion too": func(p *parts) {
		e := under(p.assertion, "EncryptedAssertion")
		for _, a := range p.assertion.Attr {
			if a.Space == "xmlns" || a.Key == "xmlns" {
				e.CreateAttr(a.FullKey(), a.Value)
			}
		}
		p.response.AddChild(e)
	},
	"a response in a response": func(p *parts) {
		root := evil(p.response)
		root.RemoveChild(root.SelectElement("Assertion"))
		root.AddChild(p.response.Copy())
		p.doc.SetRoot(root)
	},
	"the assertion alone": func(p *parts) { p.doc.SetRoot(p.assertion.Copy()) },
	"no signature": func(p *parts) {
		for _, e := range p.response.FindElements(".//Signature") {
			e.Parent().RemoveChild(e)
		}
	},
	"the signature twice":           func(p *parts) { p.signature.Parent().InsertChildAt(1, p.signature.Copy()) },
	"the signature in the status":   func(p *parts) { p.response.SelectElement("Status").AddChild(p.signature) },
	"the signature last":            func(p *parts) { p.signature.Parent().AddChild(p.signature) },
	"the signature of the other":    func(p *parts) { p.other().InsertChildAt(1, p.signature) },
	"another ID":                    func(p *parts) { p.signature.Parent().CreateAttr("ID", "_evil") },
	"another ID, the reference too": func(p *parts) { p.rename("_evil") },
	"an empty reference":            func(p *parts) { p.signature.FindElement(".//Reference").CreateAttr("URI", "") },
	"no reference":                  func(p *parts) { p.signature.FindElement(".//Reference").RemoveAttr("URI") },
	"another subject":               func(p *parts) { p.assertion.FindElement(".//NameID").SetText("victim") },
	"a comment in the subject": func(p *parts) {
		n := p.assertion.FindElement(".//NameID")
		name := n.Text()
		n.SetText(name[:1])
		n.CreateComment("")
		n.CreateText(name[1:])
	},
	"CDATA in the subject":               func(p *parts) { n := p.assertion.FindElement(".//NameID"); n.SetCData(n.Text()) },
	"an instruction in the subject":      func(p *parts) { p.assertion.FindElement(".//NameID").CreateProcInst("x", "y") },
	"a comment in DigestValue":           func(p *parts) { p.signature.FindElement(".//DigestValue").CreateComment("x") },
	"a comment in SignatureValue":        func(p *parts) { p.signature.FindElement(".//SignatureValue").CreateComment("x") },
	"a comment before DigestValue":       func(p *parts) { p.signature.FindElement(".//DigestMethod").CreateComment("x") },
	"DigestValue in parts":               func(p *parts) { p.signature.FindElement(".//DigestValue").CreateElement("x") },
	"two DigestValues":                   func(p *parts) { twice(p.signature.FindElement(".//DigestValue")) },
	"two References":                     func(p *parts) { twice(p.signature.FindElement(".//Reference")) },
	"two SignedInfos":                    func(p *parts) { twice(p.signature.FindElement(".//SignedInfo")) },
	"two SignatureValues":                func(p *parts) { twice(p.signature.FindElement(".//SignatureValue")) },
	"two SignatureMethods":               func(p *parts) { twice(p.signature.FindElement(".//SignatureMethod")) },
	"two KeyInfos":                       func(p *parts) { twice(p.signature.FindElement(".//KeyInfo")) },
	"an Object":                          func(p *parts) { p.signature.AddChild(under(p.signature, "Object")) },
	"text in the signature":              func(p *parts) { p.signature.CreateText("x") },
	"text in SignedInfo":                 func(p *parts) { p.signature.FindElement(".//SignedInfo").CreateText("x") },
	"a SignedInfo that is not signed":    func(p *parts) { p.info(0) },
	"a SignedInfo that is not signed, 2": func(p *parts) { p.info(1) },
	"an element of the response, signed": func(p *parts) { p.other().CreateAttr("ID", p.signature.Parent().SelectAttrValue("ID", "")) },
}

// other is the one of response and assertion that the signature is not of.
func (p *parts) other() *etree.Element {
	if p.signature.Parent() == p.response {
		return p.assertion
	}
	return p.response
}

func (p *parts) rename(id string) {
	p.signature.Parent().CreateAttr("ID", id)
	p.signature.FindElement(".//Reference").CreateAttr("URI", "#"+id)
}

// info puts a SignedInfo with another digest beside the signed one (CVE-2025-29774).
func (p *parts) info(at int) {
	e := p.signature.SelectElement("SignedInfo").Copy()
	e.FindElement(".//DigestValue").SetText("AAAA")
	p.signature.InsertChildAt(at, e)
}

func twice(e *etree.Element) { e.Parent().InsertChildAt(e.Index(), e.Copy()) }

// differentials are attacks on text, by which two parsers come to read two documents. Each rewrites a response into one
// that some library took, with the original inside.
var differentials = map[string]func(document string) string{
	"CVE-2025-23369: an ID through an entity": func(d string) string {
		id := between(d, `URI="#`, `"`)
		return "<!DOCTYPE r [<!ENTITY id \"" + id + "\">]>" + strings.Replace(d, ` ID="`+id+`"`, ` ID="&id;"`, 1)
	},
	"CVE-2025-25291: a DOCTYPE that one parser ends early": func(d string) string {
		return `<!DOCTYPE x [<!NOTATION y PUBLIC "]>` + "<!--" + `" ""> ]>` + strings.ReplaceAll(d, "user-1", "victim") + "<!-- --><?x " + d + "?>"
	},
	"CVE-2025-25292: a namespace that the DTD declares": func(d string) string {
		return `<!DOCTYPE x [<!ATTLIST Signature xmlns CDATA #FIXED "` + nsSignature + `">]>` + d
	},
	"CVE-2025-25292: a signature by a prefix declared elsewhere": func(d string) string {
		return strings.Replace(d, "<ds:Signature xmlns:ds=", "<ds:Signature xmlns:dsx=", 1)
	},
	"CVE-2020-15216: a directive that changes when it is written": func(d string) string {
		return `<!x "--><!-- '<x>'"<!-- -->>` + d
	},
	"CVE-2020-29509: attributes with empty prefixes": func(d string) string { return strings.Replace(d, " ID=", ` :ID="_evil" ID=`, 1) },
	"CVE-2020-29511: elements with empty names": func(d string) string {
		return strings.Replace(d, "<saml:Subject>", "<x:><saml:Subject>", 1)
	},
	"CVE-2022-41912: another assertion first": func(d string) string {
		return strings.Replace(d, "<saml:Assertion", `<saml:Assertion xmlns:saml="`+nsAssertion+`"><saml:Subject><saml:NameID>victim</saml:NameID></saml:Subject></saml:Assertion><saml:Assertion`, 1)
	},
	"VU#475445: a comment in the subject": func(d string) string { return strings.Replace(d, "user-1", "user<!---->-1", 1) },
	"two documents":                       func(d string) string { return strings.ReplaceAll(d, "user-1", "victim") + d },
	"the original in the declaration":     func(d string) string { return `<?xml version="1.0" x='` + d + `'?>` + d },
}

// between returns what stands between two texts, the first time.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestWrapping(t *testing.T) {
	all := samples(t)
	for _, s := range all {
		if _, err := s.verify(t, s.document); err != nil {
			t.Errorf("%s: got %v, want a login", s.name, err)
		}
		for name, wrap := range wrappings {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				p := take(t, s.document)
				if e := p.signature.SelectElement("KeyInfo"); e == nil {
					p.signature.AddChild(under(p.signature, "KeyInfo"))
				}
				wrap(p)
				document, err := p.doc.WriteToString()
				if err != nil || document == s.document {
					t.Fatalf("got %v and the same document, want another", err)
				}
				l, err := s.verify(t, document)
				if _, ok := err.(*login.Refusal); l != nil || !ok {
					t.Errorf("got %+v, %v, want a refusal", l, err)
				}
			})
		}
	}
}

// TestTaking: taking a sample apart and writing it again is no reason to refuse it, so that TestWrapping shows something.
func TestTaking(t *testing.T) {
	for _, s := range samples(t) {
		document, err := take(t, s.document).doc.WriteToString()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.verify(t, document); err != nil {
			t.Errorf("%s: got %v, want a login", s.name, err)
		}
	}
}

func TestDifferentials(t *testing.T) {
	for _, s := range samples(t) {
		if strings.Contains(s.document, "<?xml") || !strings.Contains(s.document, "user-1") {
			continue // the texts are those of our own samples
		}
		for name, attack := range differentials {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				document := attack(s.document)
				if document == s.document {
					t.Fatal("got the same document, want another")
				}
				l, err := s.verify(t, document)
				if _, ok := err.(*login.Refusal); l != nil || !ok {
					t.Errorf("got %+v, %v, want a refusal", l, err)
				}
			})
		}
	}
}
