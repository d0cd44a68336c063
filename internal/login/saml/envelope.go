package saml

import (
	"slices"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

const (
	version       = "2.0"
	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
	formatEntity  = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
)

// checkResponse checks the Response around the assertion. Where it is signed, signed is what the signature covers, and
// sent is not looked at. Where only the assertion is signed, all that sent can do is to be refused: nothing of it goes
// into a login.
func (v *Verifier) checkResponse(signed, sent *etree.Element, entityID string) *login.Refusal {
	r := signed
	if r == nil {
		r = sent
	}
	if got, _ := attribute(r, "Version"); got != version {
		return malformed("a Response of version 2.0", "another version")
	}
	if to, ok := attribute(r, "Destination"); ok && !slices.Contains(v.opts.Recipients, to) {
		return &login.Refusal{Reason: login.RecipientMismatch, Claim: "Destination", Expected: v.recipients(), Found: "another destination"}
	}
	// saml-profiles §4.1.4.2: a signed Response names its issuer.
	if signed != nil || len(children(r, nsAssertion, "Issuer")) > 0 {
		if refusal := checkIssuer(r, entityID); refusal != nil {
			return refusal
		}
	}
	return checkStatus(r)
}

// checkIssuer compares the Issuer of an element with the provider's entity id, byte for byte.
func checkIssuer(e *etree.Element, entityID string) *login.Refusal {
	issuer, ok := only(e, nsAssertion, "Issuer")
	if !ok {
		return missing("Issuer")
	}
	if format, ok := attribute(issuer, "Format"); ok && format != formatEntity {
		return &login.Refusal{Reason: login.IssuerMismatch, Claim: "Issuer", Expected: "the entity id " + entityID, Found: "a name of another format"}
	}
	if got, ok := text(issuer); !ok || got != entityID {
		return &login.Refusal{Reason: login.IssuerMismatch, Claim: "Issuer", Expected: "the entity id " + entityID, Found: "another issuer"}
	}
	return nil
}

// checkStatus wants the one status Success.
func checkStatus(r *etree.Element) *login.Refusal {
	status, ok := only(r, nsProtocol, "Status")
	if !ok {
		return missing("Status")
	}
	code, ok := only(status, nsProtocol, "StatusCode")
	if !ok {
		return missing("StatusCode")
	}
	if got, _ := attribute(code, "Value"); got != statusSuccess {
		return &login.Refusal{Reason: login.Unsuccessful, Claim: "StatusCode", Expected: "the status Success", Found: "another status"}
	}
	return nil
}

func missing(name string) *login.Refusal {
	return &login.Refusal{Reason: login.MissingClaim, Claim: name, Expected: "one " + name, Found: "none, an empty one or several"}
}

func invalid(name, expected string) *login.Refusal {
	return &login.Refusal{Reason: login.InvalidClaim, Claim: name, Expected: expected, Found: "something else"}
}
