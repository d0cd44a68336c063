package saml

import (
	"crypto"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

// reference is the one Reference of a signature: which bytes it covers. It was read from signed bytes.
type reference struct {
	prefixes string
	hash     crypto.Hash
	digest   []byte
}

// readReference reads the Reference, which must point to the element by its ID (requirement 17, security C10): an empty
// URI, or none, leaves open what is meant.
func (s *suite) readReference(info, e *etree.Element) (*reference, *login.Refusal) {
	r := info.ChildElements()[2]
	id, _ := attribute(e, "ID")
	if uri, ok := attribute(r, "URI"); !ok || !isNCName(id) || uri != "#"+id {
		return nil, malformed("a reference to the ID of the signed element", "another reference")
	}
	parts := r.ChildElements()
	if len(parts) != 3 || !bare(r) || !is(parts[0], nsSignature, "Transforms") || !is(parts[1], nsSignature, "DigestMethod") || !is(parts[2], nsSignature, "DigestValue") {
		return nil, malformed("a reference of Transforms, one DigestMethod and one DigestValue", "something else")
	}
	prefixes, refusal := readTransforms(parts[0])
	if refusal != nil {
		return nil, refusal
	}
	hash, ok := s.digests[algorithm(parts[1])]
	if !ok || len(parts[1].ChildElements()) > 0 {
		return nil, algorithmRefused("DigestMethod", "SHA-256, SHA-384 or SHA-512")
	}
	digest, ok := binary(parts[2])
	if !ok {
		return nil, malformed("a DigestValue in base64", "something else")
	}
	return &reference{prefixes, hash, digest}, nil
}

// readTransforms wants the two transforms that SAML allows (saml-core §5.4.4), in the only order that works: the
// signature taken out, then exclusive canonicalisation.
func readTransforms(transforms *etree.Element) (prefixes string, refusal *login.Refusal) {
	t := transforms.ChildElements()
	if len(t) != 2 || !bare(transforms) || !is(t[0], nsSignature, "Transform") || !is(t[1], nsSignature, "Transform") {
		return "", malformed("two transforms", "something else")
	}
	if algorithm(t[0]) != transformEnveloped || len(t[0].ChildElements()) > 0 || algorithm(t[1]) != nsExclusive {
		return "", algorithmRefused("Transform", "the enveloped signature, then exclusive canonicalisation")
	}
	return inclusivePrefixes(t[1])
}

// verify checks the digest of the element and returns what it covers.
func (r *reference) verify(e, signature *etree.Element) (*etree.Element, *login.Refusal) {
	signed, err := canonical(e, signature, r.prefixes)
	if err != nil || len(signed) == 0 {
		return nil, malformed("an element that can be made canonical", "another")
	}
	if !equal(sum(r.hash, signed), r.digest) {
		return nil, &login.Refusal{Reason: login.BadSignature, Expected: "the digest of what was signed", Found: "that of something else"}
	}
	verified, err := reparse(signed, r.prefixes)
	if err != nil {
		return nil, malformed("canonical bytes that can be read", err.Error())
	}
	return verified, nil
}
