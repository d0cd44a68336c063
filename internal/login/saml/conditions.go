package saml

import (
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"idpool/internal/login"
)

const methodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

// readConfirmations wants a bearer confirmation whose every condition holds; which of several, does not matter
// (saml-core §2.4.1). The refusal is that of the last one.
func (v *Verifier) readConfirmations(a *assertion, subject *etree.Element, now time.Time) *login.Refusal {
	refusal := missing("SubjectConfirmation")
	for _, c := range children(subject, nsAssertion, "SubjectConfirmation") {
		if method, _ := attribute(c, "Method"); method != methodBearer {
			refusal = invalid("SubjectConfirmation", "the method bearer")
			continue
		}
		if refusal = v.readConfirmation(a, c, now); refusal == nil {
			return nil
		}
	}
	return refusal
}

// readConfirmation reads the data of one bearer confirmation (saml-profiles §4.1.4.3). InResponseTo is not read: nobody
// asked us to ask.
func (v *Verifier) readConfirmation(a *assertion, confirmation *etree.Element, now time.Time) *login.Refusal {
	data, ok := only(confirmation, nsAssertion, "SubjectConfirmationData")
	if !ok {
		return missing("SubjectConfirmationData")
	}
	recipient, ok := attribute(data, "Recipient")
	if !ok {
		return missing("Recipient")
	}
	if !slices.Contains(v.opts.Recipients, recipient) {
		return &login.Refusal{Reason: login.RecipientMismatch, Claim: "Recipient", Expected: v.recipients(), Found: "another recipient"}
	}
	ends, refusal := v.checkWindow(data, "SubjectConfirmationData", now)
	if refusal != nil {
		return refusal
	}
	if ends.IsZero() {
		return missing("SubjectConfirmationData NotOnOrAfter")
	}
	a.Recipient, a.ends = recipient, ends
	return nil
}

// readConditions wants conditions that we all know and that all hold (saml-core §2.5.1).
func (v *Verifier) readConditions(a *assertion, e *etree.Element, now time.Time) *login.Refusal {
	conditions, ok := only(e, nsAssertion, "Conditions")
	if !ok {
		return missing("Conditions")
	}
	ends, refusal := v.checkWindow(conditions, "Conditions", now)
	if refusal != nil {
		return refusal
	}
	a.ends = first(a.ends, ends)
	for _, c := range conditions.ChildElements() {
		switch {
		case is(c, nsAssertion, "AudienceRestriction"):
			if a.audience, ok = v.audience(c); !ok {
				return &login.Refusal{Reason: login.AudienceMismatch, Claim: "Audience", Expected: "one of the " + strconv.Itoa(len(v.opts.Audiences)) + " configured audiences", Found: "none of them"}
			}
		case is(c, nsAssertion, "OneTimeUse"), is(c, nsAssertion, "ProxyRestriction"):
		default:
			return invalid("Conditions", "conditions that are understood")
		}
	}
	if a.audience == "" {
		return missing("AudienceRestriction")
	}
	return nil
}

// audience returns the audience of the restriction that we are.
func (v *Verifier) audience(restriction *etree.Element) (string, bool) {
	for _, e := range children(restriction, nsAssertion, "Audience") {
		if s, ok := text(e); ok && slices.Contains(v.opts.Audiences, s) {
			return s, true
		}
	}
	return "", false
}

// checkWindow judges NotBefore and NotOnOrAfter, and returns the latter; zero when there is none.
func (v *Verifier) checkWindow(e *etree.Element, name string, now time.Time) (ends time.Time, refusal *login.Refusal) {
	starts, refusal := readTime(e, "NotBefore")
	if refusal != nil {
		return ends, refusal
	}
	if ends, refusal = readTime(e, "NotOnOrAfter"); refusal != nil {
		return ends, refusal
	}
	if starts.After(now.Add(v.opts.Skew)) {
		return ends, early(name+" NotBefore", starts, now, v.opts.Skew)
	}
	if !ends.IsZero() && !now.Before(ends) {
		return ends, expired(name+" NotOnOrAfter", ends, now)
	}
	return ends, nil
}

// readTime reads a time (saml-core §1.3.3) from an attribute; zero when it is not there. A time without a zone could
// mean any of a day's hours, so it is refused.
func readTime(e *etree.Element, name string) (time.Time, *login.Refusal) {
	s, ok := attribute(e, name)
	if !ok {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 {
		return time.Time{}, invalid(name, "a time with its zone")
	}
	return t.UTC(), nil
}

// first returns the earlier of two times, of those that are set.
func first(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func expired(name string, ends, now time.Time) *login.Refusal {
	return &login.Refusal{Reason: login.Expired, Claim: name, Now: now.Unix(), Exp: ends.Unix(), Expected: "a time after now", Found: ago(now, ends)}
}

func early(name string, starts, now time.Time, skew time.Duration) *login.Refusal {
	return &login.Refusal{Reason: login.NotYetValid, Claim: name, Expected: "at most " + skew.String() + " ahead", Found: starts.Sub(now).String() + " ahead"}
}

func ago(now, then time.Time) string { return now.Sub(then).String() + " ago" }

func (v *Verifier) recipients() string {
	return "one of the " + strconv.Itoa(len(v.opts.Recipients)) + " configured recipients"
}
