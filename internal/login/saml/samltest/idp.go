// Package samltest is a SAML identity provider for tests: it writes metadata and signed responses.
//
// It shares nothing with the package that it tests: what it signs, it writes in canonical form from the start, and signs
// with the standard library alone.
package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

// What responses say unless their Options say otherwise.
const (
	Audience   = "urn:amazon:webservices"
	Recipient  = "https://signin.aws.amazon.com/saml"
	NameID     = "user-1"
	Persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
)

// Key is a private key with its certificate.
type Key struct {
	Private     crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	Certificate *x509.Certificate
}

// NewKey returns a certificate, signed by itself, for the private key. It is valid for one day of 2001: nobody looks.
func NewKey(t testing.TB, private crypto.Signer) Key {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2001, 1, 2, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Key{private, c}
}

// NewEC returns a new key on the curve.
func NewEC(t testing.TB, curve elliptic.Curve) Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return NewKey(t, private)
}

// RSA returns one key of 2048 bits, the same one for the whole run: making one is slow.
func RSA(t testing.TB) Key {
	t.Helper()
	private, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return NewKey(t, private)
}

var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// IdP is an identity provider.
type IdP struct {
	EntityID string
	// Keys are those in its metadata. The first one signs.
	Keys []Key
	// ValidUntil goes into the metadata, where it is set.
	ValidUntil time.Time
}

// NewIdP returns a provider with a new key on P-256.
func NewIdP(t testing.TB, entityID string) *IdP {
	t.Helper()
	return &IdP{EntityID: entityID, Keys: []Key{NewEC(t, elliptic.P256())}}
}

// Metadata returns the metadata document.
func (p *IdP) Metadata() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + escape(p.EntityID) + `"`)
	if !p.ValidUntil.IsZero() {
		b.WriteString(` validUntil="` + instant(p.ValidUntil) + `"`)
	}
	b.WriteString(">\n  " + `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + "\n")
	for _, k := range p.Keys {
		fmt.Fprintf(&b, `    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`+"\n",
			base64.StdEncoding.EncodeToString(k.Certificate.Raw))
	}
	b.WriteString(`    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>` +
		"\n  </md:IDPSSODescriptor>\n</md:EntityDescriptor>\n")
	return []byte(b.String())
}
