package saml

import (
	"github.com/beevik/etree"

	"idpool/internal/login"
)

// The attributes under which claims hold the NameID (spec cognito-identity §12.1).
const (
	claimNameIdentifier = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
	claimName           = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
)

// readAttributes returns the attributes by Name, with their values as they are written. A name that comes twice could be
// read as the first, the last or both, so it is refused (security C14).
func readAttributes(assertion *etree.Element) (map[string][]string, *login.Refusal) {
	all := map[string][]string{}
	for _, s := range children(assertion, nsAssertion, "AttributeStatement") {
		for _, a := range children(s, nsAssertion, "Attribute") {
			name, _ := attribute(a, "Name")
			if name == "" {
				return nil, missing("Attribute Name")
			}
			if _, ok := all[name]; ok {
				return nil, invalid("Attribute", "attributes of different names")
			}
			values, refusal := readValues(a)
			if refusal != nil {
				return nil, refusal
			}
			all[name] = values
		}
	}
	return all, nil
}

func readValues(a *etree.Element) ([]string, *login.Refusal) {
	values := []string{}
	for _, e := range a.ChildElements() {
		s, ok := readValue(e)
		if !ok {
			return nil, invalid("Attribute", "values of text")
		}
		values = append(values, s)
	}
	return values, nil
}

// readValue returns a value: its text, or that of the one NameID in it, which eduPersonTargetedID has.
func readValue(e *etree.Element) (string, bool) {
	if !is(e, nsAssertion, "AttributeValue") {
		return "", false
	}
	if s, ok := text(e); ok {
		return s, true
	}
	parts := e.ChildElements()
	if len(parts) != 1 || !bare(e) || !is(parts[0], nsAssertion, "NameID") {
		return "", false
	}
	return text(parts[0])
}

// claims returns the attributes as claims: a string where there is one value, a list where there are more, nothing where
// there is none. The NameID is in them under the name that it has among attributes, whatever the provider sends under
// that; and as the name, where the provider sends none.
func claims(attributes map[string][]string, nameID string) map[string]any {
	out := make(map[string]any, len(attributes)+2)
	out[claimName] = nameID
	for name, values := range attributes {
		switch len(values) {
		case 0:
		case 1:
			out[name] = values[0]
		default:
			list := make([]any, len(values))
			for i, v := range values {
				list[i] = v
			}
			out[name] = list
		}
	}
	out[claimNameIdentifier] = nameID
	return out
}
