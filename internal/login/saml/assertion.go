package saml

import (
	"slices"
	"time"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

// assertion is what a verified assertion says, with every check passed.
type assertion struct {
	login.Assertion
	nameID   string
	audience string
	ends     time.Time // when the first of its windows ends
}

// readAssertion reads and judges an assertion that a signature covers (security C11).
func (v *Verifier) readAssertion(e *etree.Element, entityID string, now time.Time) (*assertion, *login.Refusal) {
	if got, _ := attribute(e, "Version"); got != version {
		return nil, malformed("an Assertion of version 2.0", "another version")
	}
	if refusal := checkIssuer(e, entityID); refusal != nil {
		return nil, refusal
	}
	a := &assertion{Assertion: login.Assertion{Issuer: entityID}}
	for _, read := range []func(*assertion, *etree.Element, time.Time) *login.Refusal{
		v.readInstant, v.readSubject, v.readConditions, v.readStatements,
	} {
		if refusal := read(a, e, now); refusal != nil {
			return nil, refusal
		}
	}
	return a, nil
}

// readInstant reads when the assertion was issued.
func (v *Verifier) readInstant(a *assertion, e *etree.Element, now time.Time) *login.Refusal {
	issued, refusal := readTime(e, "IssueInstant")
	if refusal != nil {
		return refusal
	}
	if issued.IsZero() {
		return missing("IssueInstant")
	}
	if issued.After(now.Add(v.opts.Skew)) {
		return early("IssueInstant", issued, now, v.opts.Skew)
	}
	if v.opts.MaxAge > 0 {
		if ends := issued.Add(v.opts.MaxAge); !now.Before(ends) {
			return expired("IssueInstant", ends, now)
		}
	}
	a.Issued = issued
	return nil
}

// readSubject reads who the assertion is about, and wants the bearer to be confirmed as that subject.
func (v *Verifier) readSubject(a *assertion, e *etree.Element, now time.Time) *login.Refusal {
	subject, ok := only(e, nsAssertion, "Subject")
	if !ok {
		return missing("Subject")
	}
	nameID, ok := only(subject, nsAssertion, "NameID")
	if !ok {
		return missing("NameID")
	}
	if a.nameID, ok = text(nameID); !ok || !login.IsSubject(a.nameID) {
		return invalid("NameID", "1 to 255 bytes without control characters")
	}
	if q, ok := attribute(nameID, "SPNameQualifier"); ok && !slices.Contains(v.opts.Audiences, q) {
		return &login.Refusal{Reason: login.AudienceMismatch, Claim: "SPNameQualifier", Expected: "none, or a configured audience", Found: "another"}
	}
	a.NameFormat, _ = attribute(nameID, "Format")
	return v.readConfirmations(a, subject, now)
}

// readStatements wants that somebody was authenticated, and reads when that session ends and the attributes.
func (v *Verifier) readStatements(a *assertion, e *etree.Element, now time.Time) *login.Refusal {
	statements := children(e, nsAssertion, "AuthnStatement")
	if len(statements) == 0 {
		return missing("AuthnStatement")
	}
	for _, s := range statements {
		ends, refusal := readTime(s, "SessionNotOnOrAfter")
		if refusal != nil {
			return refusal
		}
		if !ends.IsZero() && !now.Before(ends) {
			return expired("SessionNotOnOrAfter", ends, now)
		}
		a.SessionEnds = first(a.SessionEnds, ends)
	}
	var refusal *login.Refusal
	a.Attributes, refusal = readAttributes(e)
	return refusal
}

// login returns the login that the assertion proves. It ends with the first of the assertion's windows.
func (a *assertion) login(p *login.Provider) *login.Login {
	return &login.Login{
		Provider: p, Subject: a.nameID, Audience: a.audience, Claims: claims(a.Attributes, a.nameID),
		Expires: first(a.ends, a.SessionEnds), Assertion: &a.Assertion,
	}
}
