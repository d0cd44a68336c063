package saml

import (
	"crypto/x509"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

// response is a document as it was sent, with its parts found. Nothing of it is believed.
type response struct {
	root, assertion *etree.Element
	// The signatures, as direct children of the two; at least one is there.
	rootSignature, assertionSignature *etree.Element
}

// census is what there may be only one of, wherever it stands.
type census struct {
	responses, assertions, encrypted int
	signatures                       []*etree.Element
}

// locate finds the parts of a response. Exactly one assertion may be in the whole of it, as a child of the root, and no
// signature but those of the root and of the assertion: so that there is nothing that could be mistaken for them
// (security C1, C2). Names are counted whatever their namespace.
func locate(root *etree.Element) (*response, *login.Refusal) {
	if !is(root, nsProtocol, "Response") {
		return nil, malformed("a SAML 2.0 Response", "another element")
	}
	var n census
	walk(root, n.count)
	if n.encrypted > 0 {
		return nil, &login.Refusal{Reason: login.Encrypted, Expected: "a response in plain text", Found: "an encrypted part"}
	}
	assertion, ok := only(root, nsAssertion, "Assertion")
	if !ok || n.assertions != 1 || n.responses != 1 {
		return nil, malformed("one Response with one Assertion as its child, and no other in it", "something else")
	}
	r := &response{root: root, assertion: assertion}
	return r, r.sign(n.signatures)
}

func (n *census) count(e *etree.Element) {
	switch {
	case e.Tag == "Response":
		n.responses++
	case e.Tag == "Assertion":
		n.assertions++
	case e.Tag == "EncryptedAssertion", e.Tag == "EncryptedID", e.Tag == "EncryptedAttribute", e.NamespaceURI() == nsEncryption:
		n.encrypted++
	case e.Tag == "Signature":
		n.signatures = append(n.signatures, e)
	}
}

// sign gives the signatures their places.
func (r *response) sign(signatures []*etree.Element) *login.Refusal {
	if len(signatures) == 0 {
		return &login.Refusal{Reason: login.BadSignature, Expected: "a signature of the Response or of the Assertion", Found: "none"}
	}
	for _, s := range signatures {
		switch {
		case s.NamespaceURI() != nsSignature:
			return malformed("signatures of XML Signature", "another element of that name")
		case !inPlace(s):
			return malformed("a signature that follows the Issuer", "one that stands elsewhere")
		case s.Parent() == r.root && r.rootSignature == nil:
			r.rootSignature = s
		case s.Parent() == r.assertion && r.assertionSignature == nil:
			r.assertionSignature = s
		default:
			return malformed("at most one signature of the Response and one of the Assertion", "another")
		}
	}
	return nil
}

// inPlace reports whether a signature stands where the schemas of a Response and an Assertion have it.
func inPlace(s *etree.Element) bool {
	siblings := s.Parent().ChildElements()
	return siblings[0] == s || siblings[1] == s && is(siblings[0], nsAssertion, "Issuer")
}

// verified is what signatures cover of a response.
type verified struct {
	response  *etree.Element // nil where only the assertion is signed
	assertion *etree.Element
}

// verify checks every signature that is there, and returns what the outermost covers.
func (r *response) verify(s *suite, certificates []*x509.Certificate) (*verified, *login.Refusal) {
	v := new(verified)
	var refusal *login.Refusal
	if r.assertionSignature != nil {
		if v.assertion, refusal = s.verify(r.assertion, r.assertionSignature, certificates); refusal != nil {
			return nil, refusal
		}
	}
	if r.rootSignature == nil {
		if !is(v.assertion, nsAssertion, "Assertion") {
			return nil, malformed("a signed Assertion", "something else")
		}
		return v, nil
	}
	if v.response, refusal = s.verify(r.root, r.rootSignature, certificates); refusal != nil {
		return nil, refusal
	}
	assertion, ok := only(v.response, nsAssertion, "Assertion")
	if !ok || !is(v.response, nsProtocol, "Response") {
		return nil, malformed("a signed Response with one Assertion", "something else")
	}
	v.assertion = assertion
	return v, nil
}
