package samltest

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// Signed says which elements of a response are signed.
type Signed int

// What may be signed.
const (
	AssertionSigned Signed = iota
	ResponseSigned
	BothSigned
	NothingSigned
)

// Options are what a response says. Only Now must be set.
type Options struct {
	Now         time.Time // IssueInstant of both elements
	ID          string    // of the assertion; the response's has an r in front. Default _1
	NameID      string    // default NameID
	NameFormat  string    // default Persistent
	Audience    string    // default Audience
	Recipient   string    // and Destination; default Recipient
	NotBefore   time.Time // default Now
	Expires     time.Time // NotOnOrAfter of conditions and confirmation; default five minutes after Now
	SessionEnds time.Time // SessionNotOnOrAfter; default none
	Attributes  map[string][]string

	Signed Signed
	Method Method // default SHA-256 with the kind of the provider's key
	// Edit, where set, changes the text of the assertion before it is signed, and EditResponse that of the response around
	// the signed assertion, before it may be signed in its turn. What they return must be canonical.
	Edit, EditResponse func(xml string) string
	// EditInfo, where set, changes each SignedInfo before it is signed, and EditSignature each signature after that. A
	// SignedInfo must stay canonical, its namespace aside.
	EditInfo, EditSignature func(xml string) string
}

// Response returns a response as clients send it: in base64.
func (p *IdP) Response(o Options) string {
	return base64.StdEncoding.EncodeToString([]byte(p.Document(o)))
}

// Document returns a response as XML.
func (p *IdP) Document(o Options) string {
	o.setDefaults(p)
	assertion := edited(o.Edit, p.assertion(&o))
	if o.Signed == AssertionSigned || o.Signed == BothSigned {
		assertion = p.sign(assertion, o.ID, &o)
	}
	response := edited(o.EditResponse, p.response(&o, assertion))
	if o.Signed == ResponseSigned || o.Signed == BothSigned {
		response = p.sign(response, "r"+o.ID, &o)
	}
	return response
}

func edited(f func(string) string, xml string) string {
	if f == nil {
		return xml
	}
	return f(xml)
}

func (o *Options) setDefaults(p *IdP) {
	for _, d := range []struct {
		to    *string
		value string
	}{{&o.ID, "_1"}, {&o.NameID, NameID}, {&o.NameFormat, Persistent}, {&o.Audience, Audience}, {&o.Recipient, Recipient}} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	if o.NotBefore.IsZero() {
		o.NotBefore = o.Now
	}
	if o.Expires.IsZero() {
		o.Expires = o.Now.Add(5 * time.Minute)
	}
	if o.Method == (Method{}) {
		o.Method = p.Keys[0].method()
	}
}

// assertion and response write canonical XML: attributes in order of their names, no empty-element tags, each namespace
// declared where the element of its prefix first stands.
func (p *IdP) assertion(o *Options) string {
	session := ""
	if !o.SessionEnds.IsZero() {
		session = ` SessionNotOnOrAfter="` + instant(o.SessionEnds) + `"`
	}
	return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + o.ID + `" IssueInstant="` + instant(o.Now) + `" Version="2.0">` +
		`<saml:Issuer>` + escape(p.EntityID) + `</saml:Issuer>` +
		`<saml:Subject><saml:NameID Format="` + o.NameFormat + `">` + escape(o.NameID) + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` +
		`<saml:SubjectConfirmationData NotOnOrAfter="` + instant(o.Expires) + `" Recipient="` + escape(o.Recipient) + `"></saml:SubjectConfirmationData>` +
		`</saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + instant(o.NotBefore) + `" NotOnOrAfter="` + instant(o.Expires) + `">` +
		`<saml:AudienceRestriction><saml:Audience>` + escape(o.Audience) + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + instant(o.Now) + `"` + session + `>` +
		`<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
		attributes(o.Attributes) + `</saml:Assertion>`
}

func attributes(all map[string][]string) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("<saml:AttributeStatement>")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(`<saml:Attribute Name="` + escape(name) + `">`)
		for _, v := range all[name] {
			b.WriteString("<saml:AttributeValue>" + escape(v) + "</saml:AttributeValue>")
		}
		b.WriteString("</saml:Attribute>")
	}
	b.WriteString("</saml:AttributeStatement>")
	return b.String()
}

func (p *IdP) response(o *Options, assertion string) string {
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="` + escape(o.Recipient) + `" ID="r` + o.ID + `" IssueInstant="` + instant(o.Now) + `" Version="2.0">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + escape(p.EntityID) + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>` +
		assertion + `</samlp:Response>`
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999Z") }

// escape writes text as canonical XML has it, good for attributes and for text without quotes and line breaks.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
