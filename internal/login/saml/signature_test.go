package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

const (
	c14nTransform = `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`
	envTransform  = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>`
	c14nMethod    = `<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`
	ecMethod      = `<ds:SignatureMethod Algorithm="` + samltest.ECDSASHA256 + `"></ds:SignatureMethod>`
)

// infos are changes to a SignedInfo that is signed then: its form is the provider's own (security C3, C5, C9, C10).
var infos = []field{
	{"no change", "", "", "", ""},
	{"an empty reference", `URI="#_1"`, `URI=""`, login.Malformed, ""},
	{"no reference", ` URI="#_1"`, ``, login.Malformed, ""},
	{"a reference without a name", `URI="#_1"`, `URI="#"`, login.Malformed, ""},
	{"a reference without a hash", `URI="#_1"`, `URI="_1"`, login.Malformed, ""},
	{"a reference to the response", `URI="#_1"`, `URI="#r_1"`, login.Malformed, ""},
	{"a reference with white space", `URI="#_1"`, `URI="#_1 "`, login.Malformed, ""},
	{"a reference in XPointer", `URI="#_1"`, `URI="#xpointer(id('_1'))"`, login.Malformed, ""},
	{"a reference to a file", `URI="#_1"`, `URI="file:///_1"`, login.Malformed, ""},
	{"no transforms", "<ds:Transforms>" + envTransform + c14nTransform + "</ds:Transforms>", "", login.Malformed, ""},
	{"no enveloped signature", envTransform, "", login.Malformed, ""},
	{"no canonicalisation", c14nTransform, "", login.Malformed, ""},
	{"the transforms the other way", envTransform + c14nTransform, c14nTransform + envTransform, login.AlgorithmRefused, "Transform"},
	{"the enveloped signature twice", envTransform, envTransform + envTransform, login.Malformed, ""},
	{"an XPath transform", envTransform, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"></ds:Transform>`, login.AlgorithmRefused, "Transform"},
	{"an XSLT transform", c14nTransform, strings.Replace(c14nTransform, nsExclusive, "http://www.w3.org/TR/1999/REC-xslt-19991116", 1), login.AlgorithmRefused, "Transform"},
	{"a base64 transform", c14nTransform, strings.Replace(c14nTransform, nsExclusive, nsSignature+"base64", 1), login.AlgorithmRefused, "Transform"},
	{"canonicalisation with comments", c14nTransform, strings.Replace(c14nTransform, nsExclusive, nsExclusive+"WithComments", 1), login.AlgorithmRefused, "Transform"},
	{"inclusive canonicalisation", c14nTransform, strings.Replace(c14nTransform, nsExclusive, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", 1), login.AlgorithmRefused, "Transform"},
	{"inclusive canonicalisation of SignedInfo", c14nMethod, strings.Replace(c14nMethod, nsExclusive, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", 1), login.AlgorithmRefused, "CanonicalizationMethod"},
	{"no canonicalisation of SignedInfo", c14nMethod, "", login.AlgorithmRefused, "CanonicalizationMethod"},
	{"a child of a transform", `enveloped-signature"></ds:Transform>`, `enveloped-signature"><ds:XPath>1</ds:XPath></ds:Transform>`, login.AlgorithmRefused, "Transform"},
	{"a child of canonicalisation", c14nTransform, strings.Replace(c14nTransform, "></", "><ds:x></ds:x></", 1), login.Malformed, ""},
	{"MD5", samltest.SHA256, "http://www.w3.org/2001/04/xmldsig-more#md5", login.AlgorithmRefused, "DigestMethod"},
	{"SHA-1", samltest.SHA256, nsSignature + "sha1", login.AlgorithmRefused, "DigestMethod"},
	{"a digest without an algorithm", ` Algorithm="` + samltest.SHA256 + `"`, "", login.AlgorithmRefused, "DigestMethod"},
	{"a shorter hash", samltest.ECDSASHA256, nsSignature + "ecdsa-sha1", login.AlgorithmRefused, "SignatureMethod"},
	{"DSA", samltest.ECDSASHA256, nsSignature + "dsa-sha1", login.AlgorithmRefused, "SignatureMethod"},
	{"HMAC", samltest.ECDSASHA256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", login.AlgorithmRefused, "SignatureMethod"},
	{"RSA-PSS", samltest.ECDSASHA256, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", login.AlgorithmRefused, "SignatureMethod"},
	{"no method", ecMethod, "", login.Malformed, ""},
	{"a method of another kind of key", samltest.ECDSASHA256, samltest.RSASHA256, login.KeyNotFound, ""},
	{"a method of another hash", samltest.ECDSASHA256, strings.Replace(samltest.ECDSASHA256, "256", "512", 1), login.BadSignature, ""},
	{"a truncated HMAC", ecMethod, strings.Replace(ecMethod, "></", "><ds:HMACOutputLength>0</ds:HMACOutputLength></", 1), login.AlgorithmRefused, "SignatureMethod"},
	{"an empty digest", "<ds:DigestValue>", "<ds:DigestValue></ds:DigestValue><ds:DigestValue>", login.Malformed, ""},
	{"another digest", "<ds:DigestValue>", "<ds:DigestValue>AAAA", login.BadSignature, ""},
	{"a digest that is none", "<ds:DigestValue>", "<ds:DigestValue>!", login.Malformed, ""},
	{"another reference first", "<ds:Reference ", `<ds:Reference URI="#_evil"></ds:Reference><ds:Reference `, login.Malformed, ""},
	{"another reference last", "</ds:Reference>", `</ds:Reference><ds:Reference URI="#_evil"></ds:Reference>`, login.Malformed, ""},
	{"an empty reference too", "</ds:Reference>", `</ds:Reference><ds:Reference URI=""></ds:Reference>`, login.Malformed, ""},
	{"a type", `<ds:Reference `, `<ds:Reference Type="http://www.w3.org/2000/09/xmldsig#Manifest" `, "", ""},
	{"text", "<ds:SignedInfo>", "<ds:SignedInfo>x", login.Malformed, ""},
	{"text in the reference", "<ds:Transforms>", "x<ds:Transforms>", login.Malformed, ""},
	{"text in the transforms", "<ds:Transforms>", "<ds:Transforms>x", login.Malformed, ""},
	{"another element", "<ds:SignedInfo>", "<ds:SignedInfo><ds:x></ds:x>", login.Malformed, ""},
	{"white space", "><ds:", ">\n <ds:", "", ""},
}

func TestSignedInfo(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	for _, f := range infos {
		t.Run(f.name, func(t *testing.T) {
			l, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{Now: t0, EditInfo: replace(t, f.old, f.new)}), t0)
			f.check(t, l, err)
		})
	}
}

// signatures are changes to a signature after it was made.
var signatures = []field{
	{"no KeyInfo", "", "", "", ""},
	{"an empty value", "<ds:SignatureValue>", "<ds:SignatureValue></ds:SignatureValue><ds:SignatureValue>", login.Malformed, ""},
	{"a value with white space", "<ds:SignatureValue>", "<ds:SignatureValue>\n  ", "", ""},
	{"a value with a CR", "<ds:SignatureValue>", "<ds:SignatureValue>&#13;\n", "", ""},
	{"a value of another alphabet", "<ds:SignatureValue>", "<ds:SignatureValue>-_-_", login.Malformed, ""},
	{"a longer value", "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", login.BadSignature, ""},
	{"a child of the value", "<ds:SignatureValue>", "<ds:SignatureValue><ds:x></ds:x>", login.Malformed, ""},
	{"an Object", "</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>", login.Malformed, ""},
	{"an Id", "<ds:Signature ", `<ds:Signature Id="s" `, "", ""},
	{"KeyInfo first", "<ds:SignedInfo>", "<ds:KeyInfo></ds:KeyInfo><ds:SignedInfo>", login.Malformed, ""},
	{"a key by name", "<ds:X509Data>", "<ds:KeyName>x</ds:KeyName><ds:X509Data>", "", ""},
	{"an encrypted key", "<ds:X509Data>", `<xenc:EncryptedKey xmlns:xenc="` + nsEncryption + `"></xenc:EncryptedKey><ds:X509Data>`, login.Encrypted, ""},
}

func TestSignature(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	for _, f := range signatures {
		t.Run(f.name, func(t *testing.T) {
			edit := replace(t, f.old, f.new)
			if f.name == "no KeyInfo" {
				edit = func(xml string) string {
					return regexp.MustCompile(`<ds:KeyInfo>.*</ds:KeyInfo>`).ReplaceAllString(xml, "")
				}
			}
			l, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{Now: t0, EditSignature: edit}), t0)
			f.check(t, l, err)
		})
	}
}

// value returns an edit that puts a value of ours in the place of SignatureValue, made from the canonical SignedInfo.
func value(t *testing.T, sign func(info []byte) []byte) func(string) string {
	return func(xml string) string {
		t.Helper()
		info := "<ds:SignedInfo xmlns:ds=\"" + nsSignature + "\">" + between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>") + "</ds:SignedInfo>"
		old := between(xml, "<ds:SignatureValue>", "<")
		return strings.Replace(xml, old, base64.StdEncoding.EncodeToString(sign([]byte(info))), 1)
	}
}

// TestValues: signatures that are not what their method says, whoever made them (security A7, C9).
func TestValues(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	key := idp.Keys[0].Private.(*ecdsa.PrivateKey)
	asn1 := func(b []byte) []byte {
		d := sha256.Sum256(b)
		s, err := ecdsa.SignASN1(rand.Reader, key, d[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	n := key.Params().N.FillBytes(make([]byte, 32))
	for name, sign := range map[string]func([]byte) []byte{
		"two numbers in DER": asn1,
		"zeros":              func([]byte) []byte { return make([]byte, 64) },
		"the order":          func([]byte) []byte { return append(n, n...) },
		"one byte":           func([]byte) []byte { return []byte{1} },
		"shorter":            func(b []byte) []byte { return asn1(b)[:63] },
		"a certificate's MAC": func(b []byte) []byte {
			h := hmac.New(sha256.New, idp.Keys[0].Certificate.Raw)
			h.Write(b)
			return h.Sum(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{Now: t0, EditSignature: value(t, sign)}), t0)
			wantRefusal(t, l, err, login.BadSignature, "")
		})
	}
}

// TestKeys: only keys of the metadata count, all of them, and only strong ones, whatever is in KeyInfo (security C9).
func TestKeys(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	attacker := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	l, err := v.Verify(t.Context(), p, attacker.Response(samltest.Options{Now: t0}), t0)
	wantRefusal(t, l, err, login.BadSignature, "")

	for name, key := range map[string]samltest.Key{
		"RSA of 1024 bits": weakRSA(t),
		"P-224":            samltest.NewEC(t, elliptic.P224()),
	} {
		t.Run(name, func(t *testing.T) {
			weak := &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{key}}
			p := *p
			p.SAML = &login.Metadata{EntityID: entityID, Certificates: append(p.SAML.Certificates[:0:0], key.Certificate)}
			var response string
			fips140.WithoutEnforcement(func() { response = weak.Response(samltest.Options{Now: t0}) })
			l, err := v.Verify(t.Context(), &p, response, t0)
			wantRefusal(t, l, err, login.KeyNotFound, "")
		})
	}
}

func weakRSA(t *testing.T) (key samltest.Key) {
	t.Helper()
	fips140.WithoutEnforcement(func() { // which has no keys as short as that
		private, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		key = samltest.NewKey(t, private)
	})
	return key
}

// TestRollOver: while the metadata has two keys, both sign; when the old one is gone, it signs no more.
func TestRollOver(t *testing.T) {
	old, fresh := samltest.RSA(t), samltest.NewEC(t, elliptic.P384())
	sender := func(key samltest.Key) *samltest.IdP {
		return &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{key}}
	}
	ecMethod := by("ecdsa-sha384", crypto.SHA384)
	v := New(Options{})
	for name, test := range map[string]struct {
		keys     []samltest.Key
		old, new login.Reason
	}{
		"before":        {[]samltest.Key{old}, "", login.KeyNotFound},
		"both":          {[]samltest.Key{old, fresh}, "", ""},
		"both, swapped": {[]samltest.Key{fresh, old}, "", ""},
		"after":         {[]samltest.Key{fresh}, login.KeyNotFound, ""},
		"three of one":  {[]samltest.Key{samltest.NewEC(t, elliptic.P256()), samltest.NewEC(t, elliptic.P384()), fresh}, login.KeyNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := provider(t, &samltest.IdP{EntityID: entityID, Keys: test.keys})
			l, err := v.Verify(t.Context(), p, sender(old).Response(samltest.Options{Now: t0}), t0)
			(&field{reason: test.old}).check(t, l, err)
			l, err = v.Verify(t.Context(), p, sender(fresh).Response(samltest.Options{Now: t0, Method: ecMethod}), t0)
			(&field{reason: test.new}).check(t, l, err)
		})
	}
}

// TestPrefixes: namespaces that are declared around the assertion, and used by it, are in what is signed as exclusive
// canonicalisation has it, with a list of prefixes and without.
func TestPrefixes(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	const xs, list = ` xmlns:xs="http://www.w3.org/2001/XMLSchema"`, `<ec:InclusiveNamespaces xmlns:ec="` + nsExclusive + `" PrefixList="xs"></ec:InclusiveNamespaces></ds:Transform>`
	for name, o := range map[string]samltest.Options{
		"declared around, not used": {},
		"declared around, listed": {
			Edit:     replace(t, ` ID="_1"`, xs+` ID="_1"`),
			EditInfo: replace(t, `xml-exc-c14n#"></ds:Transform>`, `xml-exc-c14n#">`+list),
		},
	} {
		t.Run(name, func(t *testing.T) {
			o.Now = t0
			document := idp.Document(o)
			mustVerify(t, v, p, encode(document))
			document = strings.Replace(strings.Replace(document, xs, "", 1), "<samlp:Response ", "<samlp:Response"+xs+" ", 1)
			mustVerify(t, v, p, encode(document))
			if o.Edit == nil {
				return
			}
			l, err := v.Verify(t.Context(), p, encode(strings.Replace(document, xs, strings.Replace(xs, "2001", "2002", 1), 1)), t0)
			wantRefusal(t, l, err, login.BadSignature, "")
		})
	}
}

// TestRefusalsSayNothing: what a refusal tells an operator has nothing in it that a response says.
func TestRefusalsSayNothing(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	const secret = "s3cr3t"
	for _, f := range assertionFields {
		_, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{
			Now: t0, ID: "_" + secret, Edit: replace(t, strings.ReplaceAll(f.old, `"_1"`, `"_`+secret+`"`), f.new), Attributes: map[string][]string{"team": {secret}},
		}), t0)
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), samltest.NameID)) {
			t.Errorf("%s: got %q, want nothing of the response in it", f.name, err)
		}
	}
}
