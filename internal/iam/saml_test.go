package iam_test

import (
	"strings"
	"testing"
	"time"

	"idpool/internal/idpooltest"
)

// The keys of a provider: certificates that signed themselves, whose private keys are nowhere.
const (
	firstKey  = "MIIBCzCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcNMDEwMTAxMDAwMDAwWhcNMDEwMTAyMDAwMDAwWjAPMQ0wCwYDVQQDEwR0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVw3quGxLk/klCed3XFNuHu2kcI7MS/YWJnPlUpBnRzrYQS5AL2/OaaBdfB5mPODrisukW0DdRpmADPszhnLujDAKBggqhkjOPQQDAgNJADBGAiEAwYqJrC8SnI1kTuFM4Nb374tuTA7gm/FIp9pR6LBWmP0CIQDjD4tkRjE+f1s5RfEtgdfB8lF1IvSFhYzMSxDAoOu3KQ=="
	secondKey = "MIIBCjCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcNMDEwMTAxMDAwMDAwWhcNMDEwMTAyMDAwMDAwWjAPMQ0wCwYDVQQDEwR0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOUIBycE468y2NP066FPyzuqGbzI+btevq3HaT831IVU9UJP9XKNbotsRWQL2DNPvDDVbLXSSZGHPwDDL0w3UDzAKBggqhkjOPQQDAgNIADBFAiEAgAmO/bpROHE19NTB0nrZeknaZzMSSaOFHQLPb3VlOhcCIFQZrMcDCGvVQUGE0RYyjV7h2CTn6awh3mf+8ZNkm6ME"
)

// metadata is the document of the provider with such further attributes of its EntityDescriptor and such keys. It holds
// what a reader would like to change: a byte order mark aside, bytes of every kind that XML has.
func metadata(attributes string, keys ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example.com/a?b=1&amp;c=é"` + attributes +
		`><md:IDPSSODescriptor WantAuthnRequestsSigned='false' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`)
	for _, k := range keys {
		b.WriteString(`<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + k + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`)
	}
	b.WriteString(`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/slo"/><md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`)
	return b.String()
}

const (
	samlARN     = account + "saml-provider/corp"
	noSAML      = account + "saml-provider/none"
	noEncrypted = "Encrypted assertions are not supported: AssertionEncryptionMode and private keys cannot be set."
)

// The document comes back byte for byte, white space and line ends included.
func TestMetadataByteForByte(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{Clock: func() time.Time { return noon }})
	c := as(t, s, nil)
	document := strings.NewReplacer("><", ">\r\n\t <", "WantAuthn", "\n WantAuthn").Replace(metadata("", firstKey)) + "\n\n"
	c.must("CreateSAMLProvider", "Name", "corp", "SAMLMetadataDocument", document)
	got := c.must("GetSAMLProvider", "SAMLProviderArn", samlARN)
	if text := c.only(got, "SAMLMetadataDocument"); text != document {
		t.Errorf("got %q, want %q", text, document)
	}
	if until := c.only(got, "ValidUntil"); until != "2126-03-01T12:00:00Z" {
		t.Errorf("got %s, want a hundred years", until)
	}
	id := c.only(got, "SAMLProviderUUID")
	c.must("UpdateSAMLProvider", "SAMLProviderArn", samlARN, "SAMLMetadataDocument", metadata(` validUntil="2026-04-01T00:00:00Z"`, firstKey, secondKey))
	got = c.must("GetSAMLProvider", "SAMLProviderArn", samlARN)
	if until := c.only(got, "ValidUntil"); until != "2026-04-01T00:00:00Z" {
		t.Errorf("got %s, want what the document says", until)
	}
	if again := c.only(got, "SAMLProviderUUID"); again != id {
		t.Errorf("got the id %s, want %s as before", again, id)
	}
	if listed := c.only(c.must("ListSAMLProviders"), "ValidUntil"); listed != "2026-04-01T00:00:00Z" {
		t.Errorf("got %s in the list", listed)
	}
	c.must("UpdateSAMLProvider", "SAMLProviderArn", samlARN) // nothing to change
	if after := c.must("GetSAMLProvider", "SAMLProviderArn", samlARN); body(after) != body(got) {
		t.Errorf("got %s, want %s", after, got)
	}
	c.must("DeleteSAMLProvider", "SAMLProviderArn", samlARN)
	c.must("CreateSAMLProvider", "Name", "corp", "SAMLMetadataDocument", document)
	if again := c.only(c.must("GetSAMLProvider", "SAMLProviderArn", samlARN), "SAMLProviderUUID"); again == id {
		t.Errorf("another provider under the same name has the id %s of the first", id)
	}
}
