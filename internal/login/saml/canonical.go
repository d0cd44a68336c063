package saml

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/beevik/etree"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// canonical returns the exclusive canonical form (W3C xml-exc-c14n) of an element where it stands, without the child
// skip. The prefixes of the list are treated as inclusive canonicalisation does; #default in it is not understood, so
// that a signature may fail to verify for it.
func canonical(e, skip *etree.Element, prefixes string) ([]byte, error) {
	alone := e.Copy()
	if skip != nil {
		alone.RemoveChildAt(skip.Index())
	}
	for p := e.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			if _, ok := declared(a.Space, a.Key); ok && !has(alone, a) {
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	if err := etreeutils.TransformExcC14n(alone, prefixes, false); err != nil {
		return nil, err
	}
	walk(alone, sortAttributes)
	doc := etree.NewDocumentWithRoot(alone)
	doc.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalEndTags: true, CanonicalText: true}
	return doc.WriteToBytes()
}

// sortAttributes puts declarations first, by prefix, then attributes by the names of their namespaces, wherever those
// are declared, which etreeutils does only for some.
func sortAttributes(e *etree.Element) {
	type keyed struct {
		kind        int // 0 for a declaration, 1 for all others
		name, local string
		attr        etree.Attr
	}
	all := make([]keyed, len(e.Attr))
	for i, a := range e.Attr {
		if prefix, ok := declared(a.Space, a.Key); ok {
			all[i] = keyed{0, "", prefix, a}
		} else {
			all[i] = keyed{1, namespaceOf(e, a.Space), a.Key, a}
		}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name), cmp.Compare(a.local, b.local))
	})
	for i, k := range all {
		e.Attr[i] = k.attr
	}
}

// namespaceOf returns what the prefix of an attribute stands for; "" for none.
func namespaceOf(e *etree.Element, prefix string) string {
	if prefix == "" {
		return ""
	}
	if prefix == "xml" {
		return xmlNamespace
	}
	for ; e != nil; e = e.Parent() {
		for _, a := range e.Attr {
			if a.Space == "xmlns" && a.Key == prefix {
				return a.Value
			}
		}
	}
	return ""
}

// reparse reads canonical bytes, and wants them to be the canonical form of what they say.
func reparse(signed []byte, prefixes string) (*etree.Element, error) {
	e, err := parse(signed, canonicalLimits)
	if err != nil {
		return nil, err
	}
	if again, err := canonical(e, nil, prefixes); err != nil || !bytes.Equal(again, signed) {
		return nil, errRoundTrip
	}
	return e, nil
}
