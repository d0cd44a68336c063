package saml

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

const (
	maxEntityID     = 1024 // characters (saml-core §8.3.6)
	maxCertificates = 16
)

// ParseMetadata reads the metadata document of an identity provider (saml-metadata §2): one EntityDescriptor with one
// IDPSSODescriptor that speaks SAML 2.0, and at least one certificate to sign with. The document is believed because
// whoever configures the provider gave it to us: a signature in it is not looked at.
//
// It is refused as a whole when it has a key that we would not verify with, when it is no plain XML, or longer than
// 1 MiB. That it has ended is no reason: a login is refused then. The errors are sentences for whoever gave it, and
// quote nothing of it.
func ParseMetadata(document []byte) (*login.Metadata, error) {
	root, err := parse(document, metadataLimits)
	if err != nil {
		return nil, fmt.Errorf("the metadata is not plain XML: %w", err)
	}
	if !is(root, nsMetadata, "EntityDescriptor") {
		return nil, errors.New("the metadata is not of one EntityDescriptor of SAML 2.0")
	}
	idp, ok := only(root, nsMetadata, "IDPSSODescriptor")
	if !ok || !speaksSAML2(idp) {
		return nil, errors.New("the metadata has not exactly one IDPSSODescriptor for the SAML 2.0 protocol")
	}
	m := &login.Metadata{}
	if m.EntityID, _ = attribute(root, "entityID"); !isEntityID(m.EntityID) {
		return nil, errors.New("the metadata has no entityID of 1 to 1024 printable characters")
	}
	if m.ValidUntil, err = validUntil(root, idp); err != nil {
		return nil, err
	}
	if m.Certificates, err = readKeys(idp); err != nil {
		return nil, err
	}
	return m, nil
}

func speaksSAML2(idp *etree.Element) bool {
	protocols, _ := attribute(idp, "protocolSupportEnumeration")
	for p := range strings.FieldsSeq(protocols) {
		if p == nsProtocol {
			return true
		}
	}
	return false
}

func isEntityID(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return false
		}
	}
	return s != "" && len([]rune(s)) <= maxEntityID
}

// validUntil returns when the first of the elements ends.
func validUntil(elements ...*etree.Element) (until time.Time, err error) {
	for _, e := range elements {
		t, refusal := readTime(e, "validUntil")
		if refusal != nil {
			return until, errors.New("the metadata has a validUntil that is not a time with its zone")
		}
		until = first(until, t)
	}
	return until, nil
}

// readKeys returns the certificates of all keys to sign with: those of which the use is signing or not said.
func readKeys(idp *etree.Element) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, k := range children(idp, nsMetadata, "KeyDescriptor") {
		use, ok := attribute(k, "use")
		if ok && use == "encryption" {
			continue
		}
		if ok && use != "signing" {
			return nil, errors.New("the metadata has a KeyDescriptor for another use than signing and encryption")
		}
		certificates, err := readCertificates(k)
		if err != nil {
			return nil, err
		}
		out = append(out, certificates...)
	}
	if len(out) == 0 || len(out) > maxCertificates {
		return nil, fmt.Errorf("the metadata has %d certificates to sign with, and not 1 to %d", len(out), maxCertificates)
	}
	return out, nil
}

func readCertificates(descriptor *etree.Element) ([]*x509.Certificate, error) {
	info, ok := only(descriptor, nsSignature, "KeyInfo")
	if !ok {
		return nil, errors.New("the metadata has a KeyDescriptor without one KeyInfo")
	}
	var out []*x509.Certificate
	for _, data := range children(info, nsSignature, "X509Data") {
		for _, e := range children(data, nsSignature, "X509Certificate") {
			c, err := readCertificate(e)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func readCertificate(e *etree.Element) (*x509.Certificate, error) {
	der, ok := binary(e)
	if !ok {
		return nil, errors.New("the metadata has a certificate that is not in base64")
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("the metadata has a certificate that cannot be read")
	}
	if strong.family(c.PublicKey) == 0 {
		return nil, errors.New("the metadata has a key to sign with that is neither RSA of 2048 to 8192 bits nor EC on P-256, P-384 or P-521")
	}
	return c, nil
}
