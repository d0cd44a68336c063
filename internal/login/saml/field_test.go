package saml

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

// replace returns an edit that replaces the first old by new, and fails the test where there is none.
func replace(t testing.TB, old, new string) func(string) string {
	return func(xml string) string {
		t.Helper()
		if !strings.Contains(xml, old) {
			t.Errorf("there is no %q to be replaced", old)
		}
		return strings.Replace(xml, old, new, 1)
	}
}

const (
	issuerElement = "<saml:Issuer>" + entityID + "</saml:Issuer>"
	nameElement   = `<saml:NameID Format="` + samltest.Persistent + `">` + samltest.NameID + "</saml:NameID>"
	dataElement   = `<saml:SubjectConfirmationData NotOnOrAfter="2026-01-02T03:09:05Z" Recipient="` + samltest.Recipient + `"></saml:SubjectConfirmationData>`
	conditions    = `<saml:Conditions NotBefore="2026-01-02T03:04:05Z" NotOnOrAfter="2026-01-02T03:09:05Z">`
	restriction   = "<saml:AudienceRestriction><saml:Audience>" + samltest.Audience + "</saml:Audience></saml:AudienceRestriction>"
	confirmation  = `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` + dataElement + "</saml:SubjectConfirmation>"
	authnStart    = `<saml:AuthnStatement AuthnInstant="2026-01-02T03:04:05Z">`
	authnRest     = `<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
	attributesEnd = "</saml:AttributeStatement>"
	statusElement = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>`
	destination   = ` Destination="` + samltest.Recipient + `"`
)

// field is one change to the text of a signed assertion, and what comes of it: a login where there is no reason.
type field struct {
	name     string
	old, new string
	reason   login.Reason
	claim    string
}

// assertionFields change an assertion before it is signed (security C11, C14).
var assertionFields = []field{
	{"version 1.1", ` Version="2.0"`, ` Version="1.1"`, login.Malformed, ""},
	{"version 2.00", ` Version="2.0"`, ` Version="2.00"`, login.Malformed, ""},
	{"no version", ` Version="2.0"`, ``, login.Malformed, ""},

	{"another issuer", issuerElement, "<saml:Issuer>https://idp.example.org/saml</saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer with a slash more", issuerElement, "<saml:Issuer>" + entityID + "/</saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer in upper case", issuerElement, "<saml:Issuer>" + strings.ToUpper(entityID) + "</saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer and white space", issuerElement, "<saml:Issuer>" + entityID + "\n</saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"empty issuer", issuerElement, "<saml:Issuer></saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer in a child", issuerElement, "<saml:Issuer>" + entityID + "<saml:x></saml:x></saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer of another format", issuerElement, `<saml:Issuer Format="urn:x">` + entityID + "</saml:Issuer>", login.IssuerMismatch, "Issuer"},
	{"issuer of its format", issuerElement, `<saml:Issuer Format="` + formatEntity + `">` + entityID + "</saml:Issuer>", "", ""},

	{"no instant", ` IssueInstant="2026-01-02T03:04:05Z"`, "", login.MissingClaim, "IssueInstant"},
	{"instant in 60 s", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="2026-01-02T03:05:05Z"`, "", ""},
	{"instant in 61 s", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="2026-01-02T03:05:06Z"`, login.NotYetValid, "IssueInstant"},
	{"instant without a zone", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="2026-01-02T03:04:05"`, login.InvalidClaim, "IssueInstant"},
	{"instant that is none", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="now"`, login.InvalidClaim, "IssueInstant"},
	{"instant in the year 1", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="0001-01-01T00:00:00Z"`, login.InvalidClaim, "IssueInstant"},
	{"instant of another zone", ` IssueInstant="2026-01-02T03:04:05Z"`, ` IssueInstant="2026-01-02T05:04:05.000000001+02:00"`, "", ""},

	{"no subject", "<saml:Subject>" + nameElement + confirmation + "</saml:Subject>", "", login.MissingClaim, "Subject"},
	{"two subjects", "<saml:Subject>", "<saml:Subject>" + nameElement + "</saml:Subject><saml:Subject>", login.MissingClaim, "Subject"},
	{"no NameID", nameElement, "", login.MissingClaim, "NameID"},
	{"two NameIDs", nameElement, nameElement + nameElement, login.MissingClaim, "NameID"},
	{"a BaseID", nameElement, "<saml:BaseID></saml:BaseID>", login.MissingClaim, "NameID"},
	{"encrypted NameID", nameElement, "<saml:EncryptedID></saml:EncryptedID>", login.Encrypted, ""},
	{"empty NameID", nameElement, "<saml:NameID></saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID of 255 bytes", nameElement, "<saml:NameID>" + strings.Repeat("a", 255) + "</saml:NameID>", "", ""},
	{"NameID of 256 bytes", nameElement, "<saml:NameID>" + strings.Repeat("a", 256) + "</saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID of 256 bytes, 128 characters", nameElement, "<saml:NameID>" + strings.Repeat("é", 128) + "</saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID with a line break", nameElement, "<saml:NameID>user-1\n</saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID with a tab", nameElement, "<saml:NameID>user\t1</saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID with a child", nameElement, "<saml:NameID>user<saml:x></saml:x>-1</saml:NameID>", login.InvalidClaim, "NameID"},
	{"NameID of another namespace", nameElement, `<x:NameID xmlns:x="urn:x">user-1</x:NameID>`, login.MissingClaim, "NameID"},
	{"NameID without a format", nameElement, "<saml:NameID>user-1</saml:NameID>", "", ""},
	{"NameID for us", nameElement, `<saml:NameID SPNameQualifier="` + samltest.Audience + `">user-1</saml:NameID>`, "", ""},
	{"NameID for somebody else", nameElement, `<saml:NameID SPNameQualifier="urn:x">user-1</saml:NameID>`, login.AudienceMismatch, "SPNameQualifier"},

	{"no confirmation", confirmation, "", login.MissingClaim, "SubjectConfirmation"},
	{"holder of key", ":cm:bearer", ":cm:holder-of-key", login.InvalidClaim, "SubjectConfirmation"},
	{"sender vouches", ":cm:bearer", ":cm:sender-vouches", login.InvalidClaim, "SubjectConfirmation"},
	{"no method", ` Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"`, "", login.InvalidClaim, "SubjectConfirmation"},
	{"another confirmation first", confirmation, strings.Replace(confirmation, "bearer", "sender-vouches", 1) + confirmation, "", ""},
	{"another recipient's confirmation first", confirmation, strings.Replace(confirmation, samltest.Recipient, "https://x.example", 1) + confirmation, "", ""},
	{"another confirmation last", confirmation, confirmation + strings.Replace(confirmation, "bearer", "sender-vouches", 1), "", ""},
	{"no data", dataElement, "", login.MissingClaim, "SubjectConfirmationData"},
	{"data twice", dataElement, dataElement + dataElement, login.MissingClaim, "SubjectConfirmationData"},
	{"no recipient", ` Recipient="` + samltest.Recipient + `"`, "", login.MissingClaim, "Recipient"},
	{"empty recipient", samltest.Recipient, "", login.RecipientMismatch, "Recipient"},
	{"another recipient", samltest.Recipient, "https://signin.example.com/saml", login.RecipientMismatch, "Recipient"},
	{"recipient with more", samltest.Recipient, samltest.Recipient + "/", login.RecipientMismatch, "Recipient"},
	{"recipient in upper case", samltest.Recipient, strings.ToUpper(samltest.Recipient), login.RecipientMismatch, "Recipient"},
	{"data without an end", `Data NotOnOrAfter="2026-01-02T03:09:05Z"`, `Data`, login.MissingClaim, "SubjectConfirmationData NotOnOrAfter"},
	{"data that ended now", `Data NotOnOrAfter="2026-01-02T03:09:05Z"`, `Data NotOnOrAfter="2026-01-02T03:04:05Z"`, login.Expired, "SubjectConfirmationData NotOnOrAfter"},
	{"data that ends in 1 s", `Data NotOnOrAfter="2026-01-02T03:09:05Z"`, `Data NotOnOrAfter="2026-01-02T03:04:06Z"`, "", ""},
	{"data with an end that is none", `Data NotOnOrAfter="2026-01-02T03:09:05Z"`, `Data NotOnOrAfter=""`, login.InvalidClaim, "NotOnOrAfter"},
	{"data from 60 s on", `Data NotOnOrAfter`, `Data NotBefore="2026-01-02T03:05:05Z" NotOnOrAfter`, "", ""},
	{"data from 61 s on", `Data NotOnOrAfter`, `Data NotBefore="2026-01-02T03:05:06Z" NotOnOrAfter`, login.NotYetValid, "SubjectConfirmationData NotBefore"},
	{"an answer to a question", `Data NotOnOrAfter`, `Data InResponseTo="_x" NotOnOrAfter`, "", ""},

	{"no conditions", conditions + restriction + "</saml:Conditions>", "", login.MissingClaim, "Conditions"},
	{"conditions twice", conditions, conditions + restriction + "</saml:Conditions>" + conditions, login.MissingClaim, "Conditions"},
	{"conditions from 60 s on", conditions, strings.Replace(conditions, "03:04:05", "03:05:05", 1), "", ""},
	{"conditions from 61 s on", conditions, strings.Replace(conditions, "03:04:05", "03:05:06", 1), login.NotYetValid, "Conditions NotBefore"},
	{"conditions that ended now", conditions, strings.Replace(conditions, "03:09:05", "03:04:05", 1), login.Expired, "Conditions NotOnOrAfter"},
	{"conditions with a start that is none", conditions, strings.Replace(conditions, "2026-01-02T03:04:05Z", "x", 1), login.InvalidClaim, "NotBefore"},
	{"conditions without times", conditions, "<saml:Conditions>", "", ""},
	{"no restriction", restriction, "", login.MissingClaim, "AudienceRestriction"},
	{"restriction to nobody", restriction, "<saml:AudienceRestriction></saml:AudienceRestriction>", login.AudienceMismatch, "Audience"},
	{"another audience", restriction, strings.Replace(restriction, samltest.Audience, "urn:x", 1), login.AudienceMismatch, "Audience"},
	{"audience with more", restriction, strings.Replace(restriction, samltest.Audience, samltest.Audience+":x", 1), login.AudienceMismatch, "Audience"},
	{"audience and white space", restriction, strings.Replace(restriction, samltest.Audience, samltest.Audience+" ", 1), login.AudienceMismatch, "Audience"},
	{"one of two audiences", restriction, strings.Replace(restriction, "<saml:Audience>", "<saml:Audience>urn:x</saml:Audience><saml:Audience>", 1), "", ""},
	{"another restriction too", restriction, restriction + strings.Replace(restriction, samltest.Audience, "urn:x", 1), login.AudienceMismatch, "Audience"},
	{"another restriction first", restriction, strings.Replace(restriction, samltest.Audience, "urn:x", 1) + restriction, login.AudienceMismatch, "Audience"},
	{"an unknown condition", restriction, restriction + "<saml:Condition></saml:Condition>", login.InvalidClaim, "Conditions"},
	{"a condition of others", restriction, restriction + `<x:Delegate xmlns:x="urn:x"></x:Delegate>`, login.InvalidClaim, "Conditions"},
	{"to be used once", restriction, restriction + "<saml:OneTimeUse></saml:OneTimeUse>", "", ""},
	{"not to be passed on", restriction, restriction + `<saml:ProxyRestriction Count="0"></saml:ProxyRestriction>`, "", ""},

	{"nobody authenticated", authnStart + authnRest, "", login.MissingClaim, "AuthnStatement"},
	{"a session that ended now", authnStart, strings.Replace(authnStart, ">", ` SessionNotOnOrAfter="2026-01-02T03:04:05Z">`, 1), login.Expired, "SessionNotOnOrAfter"},
	{"a session that ends in 1 s", authnStart, strings.Replace(authnStart, ">", ` SessionNotOnOrAfter="2026-01-02T03:04:06Z">`, 1), "", ""},
	{"a session with an end that is none", authnStart, strings.Replace(authnStart, ">", ` SessionNotOnOrAfter="x">`, 1), login.InvalidClaim, "SessionNotOnOrAfter"},

	{"an attribute without a name", `<saml:Attribute Name="team">`, "<saml:Attribute>", login.MissingClaim, "Attribute Name"},
	{"an attribute with an empty name", `<saml:Attribute Name="team">`, `<saml:Attribute Name="">`, login.MissingClaim, "Attribute Name"},
	{"an attribute twice", attributesEnd, `<saml:Attribute Name="team"></saml:Attribute>` + attributesEnd, login.InvalidClaim, "Attribute"},
	{"an attribute twice, by another format", attributesEnd, `<saml:Attribute Name="team" NameFormat="urn:x"></saml:Attribute>` + attributesEnd, login.InvalidClaim, "Attribute"},
	{"an attribute twice, in two statements", attributesEnd, attributesEnd + `<saml:AttributeStatement><saml:Attribute Name="team"></saml:Attribute></saml:AttributeStatement>`, login.InvalidClaim, "Attribute"},
	{"two statements", attributesEnd, attributesEnd + `<saml:AttributeStatement><saml:Attribute Name="x"></saml:Attribute></saml:AttributeStatement>`, "", ""},
	{"a value with a child", "<saml:AttributeValue>", "<saml:AttributeValue><saml:x></saml:x>", login.InvalidClaim, "Attribute"},
	{"a value with a NameID and text", "<saml:AttributeValue>", "<saml:AttributeValue><saml:NameID></saml:NameID>", login.InvalidClaim, "Attribute"},
	{"a value of another name", `<saml:Attribute Name="team">`, `<saml:Attribute Name="team"><saml:x></saml:x>`, login.InvalidClaim, "Attribute"},
	{"an encrypted attribute", attributesEnd, "<saml:EncryptedAttribute></saml:EncryptedAttribute>" + attributesEnd, login.Encrypted, ""},
}

// responseFields change the response around the assertion. signed is what comes of it where the response is signed too.
var responseFields = []struct {
	field
	signed login.Reason
}{
	{field{"version 1.1", ` Version="2.0"`, ` Version="1.1"`, login.Malformed, ""}, login.Malformed},
	{field{"no destination", destination, "", "", ""}, ""},
	{field{"empty destination", destination, ` Destination=""`, login.RecipientMismatch, "Destination"}, login.RecipientMismatch},
	{field{"another destination", destination, ` Destination="https://x.example/saml"`, login.RecipientMismatch, "Destination"}, login.RecipientMismatch},
	{field{"an answer to a question", ` ID="r_1"`, ` ID="r_1" InResponseTo="_x"`, "", ""}, ""},
	{field{"another issuer", ">" + entityID, ">https://x.example", login.IssuerMismatch, "Issuer"}, login.IssuerMismatch},
	{field{"two issuers", statusElement, `<saml:Issuer xmlns:saml="` + nsAssertion + `">` + entityID + "</saml:Issuer>" + statusElement, login.MissingClaim, "Issuer"}, login.MissingClaim},
	{field{"no issuer", `<saml:Issuer xmlns:saml="` + nsAssertion + `">` + entityID + "</saml:Issuer>", "", "", ""}, login.MissingClaim},
	{field{"no status", statusElement, "", login.MissingClaim, "Status"}, login.MissingClaim},
	{field{"two statuses", statusElement, statusElement + statusElement, login.MissingClaim, "Status"}, login.MissingClaim},
	{field{"no code", statusElement, "<samlp:Status></samlp:Status>", login.MissingClaim, "StatusCode"}, login.MissingClaim},
	{field{"no value", ` Value="` + statusSuccess + `"`, "", login.Unsuccessful, "StatusCode"}, login.Unsuccessful},
	{field{"a failure", "status:Success", "status:Responder", login.Unsuccessful, "StatusCode"}, login.Unsuccessful},
	{field{"a success inside a failure", statusElement,
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="` + statusSuccess + `"></samlp:StatusCode></samlp:StatusCode></samlp:Status>`,
		login.Unsuccessful, "StatusCode"}, login.Unsuccessful},
	{field{"two codes", "</samlp:Status>", `<samlp:StatusCode Value="` + statusSuccess + `"></samlp:StatusCode></samlp:Status>`, login.MissingClaim, "StatusCode"}, login.MissingClaim},
	{field{"an encrypted assertion too", statusElement, statusElement + `<saml:EncryptedAssertion xmlns:saml="` + nsAssertion + `"></saml:EncryptedAssertion>`, login.Encrypted, ""}, login.Encrypted},
}

func TestAssertionFields(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	for _, f := range assertionFields {
		for what, signed := range map[string]samltest.Signed{"assertion": samltest.AssertionSigned, "response": samltest.ResponseSigned, "both": samltest.BothSigned} {
			t.Run(f.name+", "+what, func(t *testing.T) {
				l, err := v.Verify(t.Context(), p, idp.Response(samltest.Options{
					Now: t0, Signed: signed, Edit: replace(t, f.old, f.new), Attributes: map[string][]string{"team": {"a"}},
				}), t0)
				f.check(t, l, err)
			})
		}
	}
}

func TestResponseFields(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	for _, row := range responseFields {
		t.Run(row.name, func(t *testing.T) {
			o := samltest.Options{Now: t0, EditResponse: replace(t, row.old, row.new)}
			l, err := v.Verify(t.Context(), p, idp.Response(o), t0)
			row.check(t, l, err)
			o.Signed = samltest.ResponseSigned
			l, err = v.Verify(t.Context(), p, idp.Response(o), t0)
			f := row.field
			if f.reason = row.signed; f.claim == "" && row.signed == login.MissingClaim {
				f.claim = "Issuer"
			}
			f.check(t, l, err)
		})
	}
}

func (f *field) check(t *testing.T, l *login.Login, err error) {
	t.Helper()
	if f.reason != "" {
		wantRefusal(t, l, err, f.reason, f.claim)
		return
	}
	if err != nil || l == nil || l.Subject == "" || !l.Expires.After(t0) || l.Audience != samltest.Audience || l.Assertion.Recipient != samltest.Recipient {
		t.Errorf("got %+v, %v, want a login", l, err)
	}
}

// TestClaims: a value is a string, several are a list, a NameID in a value is its text, and the NameID of the subject is
// a claim whatever the attribute of that name says.
func TestClaims(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	l := mustVerify(t, New(Options{}), provider(t, idp), idp.Response(samltest.Options{
		Now: t0, NameID: "a & <b> é",
		Attributes: map[string][]string{claimName: {"A. B."}, claimNameIdentifier: {"victim"}, "x": {" y\n"}, "e": {""}},
		Edit:       replace(t, "<saml:AttributeValue> y\n", `<saml:AttributeValue><saml:NameID>z</saml:NameID></saml:AttributeValue><saml:AttributeValue> y`+"\n"),
	}))
	if l.Subject != "a & <b> é" || l.Claims[claimNameIdentifier] != l.Subject || l.Claims[claimName] != "A. B." || l.Claims["e"] != "" {
		t.Errorf("got the subject %q and the claims %q", l.Subject, l.Claims)
	}
	if x, ok := l.Claims["x"].([]any); !ok || len(x) != 2 || x[0] != "z" || x[1] != " y\n" {
		t.Errorf("got %q, want two values as they were written", l.Claims["x"])
	}
	if got := l.Assertion.Attributes[claimNameIdentifier]; len(got) != 1 || got[0] != "victim" {
		t.Errorf("got the attribute %q, want it as it was sent", got)
	}
}

// TestOptions: the skew has bounds, ages may be limited, and audiences and recipients can be others.
func TestOptions(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	p := provider(t, idp)
	for name, test := range map[string]struct {
		opts   Options
		sent   samltest.Options
		reason login.Reason
		claim  string
	}{
		"no skew, now":        {Options{Skew: -1}, samltest.Options{Now: t0}, "", ""},
		"no skew, in 1 s":     {Options{Skew: -1}, samltest.Options{Now: t0.Add(time.Second)}, login.NotYetValid, "IssueInstant"},
		"10 s, in 11 s":       {Options{Skew: 10 * time.Second}, samltest.Options{Now: t0.Add(11 * time.Second)}, login.NotYetValid, "IssueInstant"},
		"an hour, in 61 s":    {Options{Skew: time.Hour}, samltest.Options{Now: t0.Add(61 * time.Second)}, login.NotYetValid, "IssueInstant"},
		"5 min, 299 s old":    {Options{MaxAge: STSMaxAge}, samltest.Options{Now: t0.Add(-299 * time.Second), Expires: t0.Add(time.Hour)}, "", ""},
		"5 min, 300 s old":    {Options{MaxAge: STSMaxAge}, samltest.Options{Now: t0.Add(-300 * time.Second), Expires: t0.Add(time.Hour)}, login.Expired, "IssueInstant"},
		"a day old":           {Options{}, samltest.Options{Now: t0.Add(-24 * time.Hour), Expires: t0.Add(time.Hour)}, "", ""},
		"our own recipient":   {Options{Recipients: []string{"https://x.example/saml", DefaultRecipient}}, samltest.Options{Now: t0, Recipient: "https://x.example/saml"}, "", ""},
		"of the region":       {Options{Recipients: Recipients("eu-west-1")}, samltest.Options{Now: t0, Recipient: "https://eu-west-1.signin.aws.amazon.com/saml"}, "", ""},
		"of another region":   {Options{Recipients: Recipients("eu-west-1")}, samltest.Options{Now: t0, Recipient: "https://us-east-1.signin.aws.amazon.com/saml"}, login.RecipientMismatch, "Destination"},
		"not AWS's recipient": {Options{Recipients: []string{"https://x.example/saml"}}, samltest.Options{Now: t0}, login.RecipientMismatch, "Destination"},
		"our own audience":    {Options{Audiences: []string{"urn:x"}}, samltest.Options{Now: t0, Audience: "urn:x"}, "", ""},
		"not AWS's audience":  {Options{Audiences: []string{"urn:x"}}, samltest.Options{Now: t0}, login.AudienceMismatch, "Audience"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := New(test.opts).Verify(t.Context(), p, idp.Response(test.sent), t0)
			if test.reason != "" {
				wantRefusal(t, l, err, test.reason, test.claim)
			} else if err != nil {
				t.Errorf("got %v, want a login", err)
			}
		})
	}
}

// TestReuse: a response may be used again inside its own window, and not a second longer.
func TestReuse(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	v, p := New(Options{}), provider(t, idp)
	response := idp.Response(samltest.Options{Now: t0})
	for range 2 {
		mustVerify(t, v, p, response)
	}
	if _, err := v.Verify(t.Context(), p, response, t0.Add(5*time.Minute-1)); err != nil {
		t.Errorf("at the end of the window: got %v, want a login", err)
	}
	l, err := v.Verify(t.Context(), p, response, t0.Add(5*time.Minute))
	wantRefusal(t, l, err, login.Expired, "SubjectConfirmationData NotOnOrAfter")
	if r := err.(*login.Refusal); r.Now != t0.Unix()+300 || r.Exp != t0.Unix()+300 {
		t.Errorf("got %d >= %d, want both %d", r.Now, r.Exp, t0.Unix()+300)
	}
}

func TestProviders(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	response := idp.Response(samltest.Options{Now: t0})
	good := provider(t, idp)
	ended := *good.SAML
	ended.ValidUntil = t0
	ends := ended
	ends.ValidUntil = t0.Add(time.Second)
	for name, test := range map[string]struct {
		p      login.Provider
		reason login.Reason
		claim  string
	}{
		"of another kind":      {login.Provider{Kind: login.OIDC, SAML: good.SAML}, login.IssuerUnreachable, ""},
		"without metadata":     {login.Provider{Kind: login.SAML}, login.IssuerUnreachable, ""},
		"without an entity id": {login.Provider{Kind: login.SAML, SAML: &login.Metadata{Certificates: good.SAML.Certificates}}, login.IssuerUnreachable, ""},
		"without certificates": {login.Provider{Kind: login.SAML, SAML: &login.Metadata{EntityID: entityID}}, login.KeyNotFound, ""},
		"that has ended":       {login.Provider{Kind: login.SAML, SAML: &ended}, login.MetadataExpired, "validUntil"},
		"that ends in 1 s":     {login.Provider{Kind: login.SAML, SAML: &ends}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := New(Options{}).Verify(t.Context(), &test.p, response, t0)
			if test.reason != "" {
				wantRefusal(t, l, err, test.reason, test.claim)
			} else if err != nil {
				t.Errorf("got %v, want a login", err)
			}
		})
	}
}

// TestAdmit: what costs something runs in its turn, and what is no base64 does not ask for one.
func TestAdmit(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	p, response := provider(t, idp), idp.Response(samltest.Options{Now: t0})
	turns := 0
	full := errors.New("full")
	var err error
	v := New(Options{Admit: func(_ context.Context, work func()) error {
		turns++
		if err == nil {
			work()
		}
		return err
	}})
	mustVerify(t, v, p, response)
	err = full
	l, got := v.Verify(t.Context(), p, response, t0)
	wantRefusal(t, l, got, login.Busy, "")
	if !errors.Is(got, full) || turns != 2 {
		t.Errorf("got %v after %d turns, want its cause after 2", got, turns)
	}
	l, got = v.Verify(t.Context(), p, "!", t0)
	wantRefusal(t, l, got, login.Malformed, "")
	if turns != 2 {
		t.Errorf("got %d turns, want none for what cannot be decoded", turns)
	}
}
