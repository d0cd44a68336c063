package login

import (
	"crypto/x509"
	"time"
)

// NameIDAttribute is the name under which claims of a SAML login hold its NameID, whatever attributes it brings.
const NameIDAttribute = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

// Metadata is what the metadata document of a SAML identity provider says, as far as verifying needs it.
type Metadata struct {
	// EntityID is the provider's name: the Issuer of its assertions, compared byte for byte.
	EntityID string
	// Certificates hold its signing keys: two or more during a roll-over. Their own validity is not looked at, as in
	// all of SAML: what counts is that the document names them.
	Certificates []*x509.Certificate
	// ValidUntil is when the document ends; zero when it says nothing.
	ValidUntil time.Time
}

// Assertion is what a verified SAML assertion says. All of it was under the signature.
type Assertion struct {
	Issuer     string // the entity id
	NameFormat string // the Format of the NameID, a URN; empty when it has none
	Recipient  string // that of the SubjectConfirmationData
	// Attributes are the attributes by Name, with their values in order. FriendlyNames are not read: nothing says
	// that they are unique.
	Attributes map[string][]string
	// SessionEnds is SessionNotOnOrAfter; zero when there is none.
	SessionEnds time.Time
	// Issued is the assertion's IssueInstant.
	Issued time.Time
}
