package saml

import (
	"strings"

	"github.com/beevik/etree"
)

// The namespaces that we know.
const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
	nsProtocol     = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion    = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata     = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature    = "http://www.w3.org/2000/09/xmldsig#"
	nsEncryption   = "http://www.w3.org/2001/04/xmlenc#"
	nsExclusive    = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// is reports whether an element has the name.
func is(e *etree.Element, namespace, name string) bool {
	return e.Tag == name && e.NamespaceURI() == namespace
}

// children returns the direct children with the name.
func children(e *etree.Element, namespace, name string) []*etree.Element {
	var out []*etree.Element
	for _, c := range e.ChildElements() {
		if is(c, namespace, name) {
			out = append(out, c)
		}
	}
	return out
}

// only returns the one direct child with the name; ok is false when there are none or several.
func only(e *etree.Element, namespace, name string) (child *etree.Element, ok bool) {
	all := children(e, namespace, name)
	if len(all) != 1 {
		return nil, false
	}
	return all[0], true
}

// attribute returns the attribute of this name without a prefix.
func attribute(e *etree.Element, name string) (value string, ok bool) {
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value, true
		}
	}
	return "", false
}

// has reports whether an element has an attribute written as that one is.
func has(e *etree.Element, attr etree.Attr) bool {
	for _, a := range e.Attr {
		if a.Space == attr.Space && a.Key == attr.Key {
			return true
		}
	}
	return false
}

// text returns the text of an element; ok is false when it has children.
func text(e *etree.Element) (s string, ok bool) {
	var b strings.Builder
	for _, c := range e.Child {
		t, ok := c.(*etree.CharData)
		if !ok {
			return "", false
		}
		b.WriteString(t.Data)
	}
	return b.String(), true
}

// bare reports whether an element has no text of its own beside white space.
func bare(e *etree.Element) bool {
	for _, c := range e.Child {
		if t, ok := c.(*etree.CharData); ok && !isSpace(t.Data) {
			return false
		}
	}
	return true
}

// walk visits an element and all below it.
func walk(e *etree.Element, visit func(*etree.Element)) {
	visit(e)
	for _, c := range e.ChildElements() {
		walk(c, visit)
	}
}
