package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for methods
	_ "crypto/sha512"
	"encoding/base64"
	"strings"
)

// Method is how a response is signed.
type Method struct {
	URI       string // of the SignatureMethod
	Hash      crypto.Hash
	DigestURI string // of the DigestMethod
	Digest    crypto.Hash
}

// The URIs of what the providers of this package sign with (RFC 6931).
const (
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	SHA256      = "http://www.w3.org/2001/04/xmlenc#sha256"
)

func (k Key) method() Method {
	m := Method{ECDSASHA256, crypto.SHA256, SHA256, crypto.SHA256}
	if _, ok := k.Private.(*rsa.PrivateKey); ok {
		m.URI = RSASHA256
	}
	return m
}

// sign puts a signature into an element that is written in canonical form: after its Issuer, where it has one.
func (p *IdP) sign(element, id string, o *Options) string {
	const end = "</saml:Issuer>"
	i := strings.IndexByte(element, '>') + 1
	if strings.HasPrefix(element[i:], "<saml:Issuer") {
		i += strings.Index(element[i:], end) + len(end)
	}
	return element[:i] + p.signature(element, id, o) + element[i:]
}

// signature returns the signature by the first key of an element that is written in canonical form. The element holds
// none of its own yet.
func (p *IdP) signature(element, id string, o *Options) string {
	m := o.Method
	info := `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + m.URI + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="#` + id + `"><ds:Transforms>` +
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="` + m.DigestURI + `"></ds:DigestMethod>` +
		`<ds:DigestValue>` + base64.StdEncoding.EncodeToString(sum(m.Digest, element)) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	info = edited(o.EditInfo, info)
	const ds = ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	canonical := strings.Replace(info, "<ds:SignedInfo", "<ds:SignedInfo"+ds, 1)
	return edited(o.EditSignature, `<ds:Signature`+ds+`>`+info+
		`<ds:SignatureValue>`+base64.StdEncoding.EncodeToString(p.Keys[0].sign(m.Hash, canonical))+`</ds:SignatureValue>`+
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>`+base64.StdEncoding.EncodeToString(p.Keys[0].Certificate.Raw)+
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`)
}

// sign signs text: PKCS #1 v1.5 for RSA, two numbers of the curve's length for EC. It panics where it cannot: only a
// test's mistake makes it.
func (k Key) sign(h crypto.Hash, s string) []byte {
	digest := sum(h, s)
	switch private := k.Private.(type) {
	case *rsa.PrivateKey:
		b, err := rsa.SignPKCS1v15(nil, private, h, digest)
		if err != nil {
			panic(err)
		}
		return b
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest)
		if err != nil {
			panic(err)
		}
		size := (private.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	panic("a key that cannot sign")
}

func sum(h crypto.Hash, s string) []byte {
	f := h.New()
	f.Write([]byte(s))
	return f.Sum(nil)
}
