package saml

import (
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"strings"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

const transformEnveloped = nsSignature + "enveloped-signature"

// verify checks the signature of an element and returns the element that was signed: parsed from the very bytes whose
// digest the signature covers (requirement 16). Nothing that is not in those bytes is in it, whatever the document that
// the element came from looked like.
func (s *suite) verify(e, signature *etree.Element, certificates []*x509.Certificate) (*etree.Element, *login.Refusal) {
	value, refusal := checkShape(signature)
	if refusal != nil {
		return nil, refusal
	}
	info, refusal := s.verifyInfo(signature, value, certificates)
	if refusal != nil {
		return nil, refusal
	}
	ref, refusal := s.readReference(info, e)
	if refusal != nil {
		return nil, refusal
	}
	return ref.verify(e, signature)
}

// checkShape wants SignedInfo, SignatureValue and at most one KeyInfo, in this order, and returns the value. KeyInfo is
// not read: what a message says of its own key is worth nothing (security C9).
func checkShape(signature *etree.Element) ([]byte, *login.Refusal) {
	parts := signature.ChildElements()
	names := []string{"SignedInfo", "SignatureValue", "KeyInfo"}
	if len(parts) < 2 || len(parts) > len(names) || !bare(signature) {
		return nil, malformed("a signature of one SignedInfo, one SignatureValue and at most one KeyInfo", "something else")
	}
	for i, p := range parts {
		if !is(p, nsSignature, names[i]) {
			return nil, malformed("a signature of one SignedInfo, one SignatureValue and at most one KeyInfo", "something else")
		}
	}
	value, ok := binary(parts[1])
	if !ok {
		return nil, malformed("a SignatureValue in base64", "something else")
	}
	return value, nil
}

// binary returns what the text of an element stands for in base64, in which white space means nothing.
func binary(e *etree.Element) ([]byte, bool) {
	s, ok := text(e)
	if !ok {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(s), ""))
	return b, err == nil && len(b) > 0
}

// verifyInfo checks that one of the keys signed SignedInfo, and returns it parsed from the bytes that were signed.
func (s *suite) verifyInfo(signature *etree.Element, value []byte, certificates []*x509.Certificate) (*etree.Element, *login.Refusal) {
	sent := signature.ChildElements()[0]
	method, ok := only(sent, nsSignature, "CanonicalizationMethod")
	if !ok || algorithm(method) != nsExclusive {
		return nil, algorithmRefused("CanonicalizationMethod", "exclusive canonicalisation")
	}
	prefixes, refusal := inclusivePrefixes(method)
	if refusal != nil {
		return nil, refusal
	}
	signed, err := canonical(sent, nil, prefixes)
	if err != nil {
		return nil, malformed("a SignedInfo that can be made canonical", "another")
	}
	info, err := reparse(signed, prefixes)
	if err != nil {
		return nil, malformed("a SignedInfo that can be made canonical", err.Error())
	}
	return info, s.checkKeys(info, signed, value, certificates)
}

// checkKeys wants a signature by one of the certificates' keys, with a method that we take.
func (s *suite) checkKeys(info *etree.Element, signed, value []byte, certificates []*x509.Certificate) *login.Refusal {
	parts := info.ChildElements()
	if len(parts) != 3 || !bare(info) || !is(parts[0], nsSignature, "CanonicalizationMethod") || !is(parts[1], nsSignature, "SignatureMethod") || !is(parts[2], nsSignature, "Reference") {
		return malformed("a SignedInfo with one reference", "something else")
	}
	m, ok := s.methods[algorithm(parts[1])]
	if !ok || len(parts[1].ChildElements()) > 0 {
		return algorithmRefused("SignatureMethod", "RSA or ECDSA with SHA-256, SHA-384 or SHA-512")
	}
	keys := s.keys(certificates, m.family)
	if len(keys) == 0 {
		return &login.Refusal{Reason: login.KeyNotFound, Expected: "a key of the metadata that fits the signature", Found: "none"}
	}
	if !m.verifies(keys, signed, value) {
		return &login.Refusal{Reason: login.BadSignature, Expected: "a signature by a key of the metadata", Found: "another"}
	}
	return nil
}

func algorithm(e *etree.Element) string {
	uri, _ := attribute(e, "Algorithm")
	return uri
}

// inclusivePrefixes returns the prefixes that exclusive canonicalisation shall treat as inclusive does.
func inclusivePrefixes(e *etree.Element) (string, *login.Refusal) {
	parts := e.ChildElements()
	if len(parts) == 0 && bare(e) {
		return "", nil
	}
	if len(parts) == 1 && bare(e) && is(parts[0], nsExclusive, "InclusiveNamespaces") {
		prefixes, _ := attribute(parts[0], "PrefixList")
		return prefixes, nil
	}
	return "", malformed("canonicalisation with at most a list of prefixes", "something else")
}

// malformed refuses a response that cannot be read. Both become descriptions, so they must quote nothing.
func malformed(expected, found string) *login.Refusal {
	return &login.Refusal{Reason: login.Malformed, Expected: expected, Found: found}
}

func algorithmRefused(what, expected string) *login.Refusal {
	return &login.Refusal{Reason: login.AlgorithmRefused, Claim: what, Expected: expected, Found: "another algorithm"}
}

// equal compares digests.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
