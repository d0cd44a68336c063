package sts

import (
	"crypto/sha1" // of names alone, as AWS defines them: nothing rests on it
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
)

// The attributes by which an assertion says what its session is like (spec sts-iam §1.8).
const (
	attributePrefix      = "https://aws.amazon.com/SAML/Attributes/"
	sessionNameAttribute = attributePrefix + "RoleSessionName"
	durationAttribute    = attributePrefix + "SessionDuration"
	sourceAttribute      = attributePrefix + "SourceIdentity"
	tagAttributePrefix   = attributePrefix + "PrincipalTag:"
	transitiveAttribute  = attributePrefix + "TransitiveTagKeys"

	leastDuration = 900 // seconds
	mostDuration  = 43200
)

var sessionName = regexp.MustCompile(`^[a-zA-Z_0-9+=,.@-]{2,64}$`)

// takeOverAssertion takes name, tags, source identity and the limits of the session from a verified assertion.
func takeOverAssertion(call *operation.Call, a *Assume) error {
	attributes := a.Login.Assertion.Attributes
	names := attributes[sessionNameAttribute]
	switch {
	case len(names) == 0:
		return fault.New(fault.InvalidIdentityToken, "RoleSessionName is required in AuthnResponse")
	case len(names) > 1 || !sessionName.MatchString(names[0]):
		return fault.New(fault.InvalidIdentityToken, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	}
	a.Name = names[0]
	if sources := attributes[sourceAttribute]; len(sources) > 0 {
		if len(sources) > 1 || !session.ValidSourceIdentity(sources[0]) {
			return fault.New(fault.InvalidIdentityToken, `Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`)
		}
		a.SourceIdentity = sources[0]
	}
	if err := takeOverTags(a, attributes); err != nil {
		return err
	}
	return takeOverLimits(call, a)
}

// takeOverTags reads the tags of a session: an attribute for each, with one value, and which of them are transitive.
func takeOverTags(a *Assume, attributes map[string][]string) error {
	tags := map[string]string{}
	for name, values := range attributes {
		key, ok := strings.CutPrefix(name, tagAttributePrefix)
		if !ok {
			continue
		}
		if len(values) != 1 {
			return badAssertionTags("PrincipalTag")
		}
		tags[key] = values[0]
	}
	if session.CheckTags(tags) != nil {
		return badAssertionTags("PrincipalTag")
	}
	var known bool
	if a.Transitive, known = session.TransitiveKeys(attributes[transitiveAttribute], tags); !known {
		return badAssertionTags("TransitiveTagKeys")
	}
	if len(tags) > 0 {
		a.Tags = tags
	}
	return nil
}

func badAssertionTags(attribute string) *fault.Error {
	return fault.New(fault.InvalidIdentityToken, "The assertion's attributes for session tags cannot be used: %s", attribute)
}

// takeOverLimits reads how long a session may be at the most. Both limits only shorten (spec §1.6).
func takeOverLimits(call *operation.Call, a *Assume) error {
	assertion := a.Login.Assertion
	if values := assertion.Attributes[durationAttribute]; len(values) > 0 {
		n, err := strconv.ParseUint(values[0], 10, 32)
		if err != nil || len(values) > 1 || n < leastDuration || n > mostDuration {
			return fault.Wrap(fault.InvalidIdentityToken, "SessionDuration in AuthnResponse must be one number of seconds from 900 to 43200", err)
		}
		a.limit(time.Duration(n) * time.Second)
	}
	if assertion.SessionEnds.IsZero() {
		return nil
	}
	left := assertion.SessionEnds.Sub(call.Now.UTC().Truncate(time.Second)).Truncate(time.Second)
	if left <= 0 { // it ends within this second, and sessions have whole ones
		return expired(call.Now.Unix(), assertion.SessionEnds.Unix())
	}
	a.limit(left)
	return nil
}

// limit makes the session no longer than d.
func (a *Assume) limit(d time.Duration) {
	if a.Most == 0 || d < a.Most {
		a.Most = d
	}
}

// defaultNameFormat is that of a NameID without one (saml-core §2.2.2); formatPrefix is left away from those that SAML 2.0
// defines.
const (
	defaultNameFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	formatPrefix      = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
)

// samlSubject is who an assertion is about, as condition keys, answers and sessions name it (spec §1.4).
func samlSubject(account string, l *login.Login) session.SAML {
	format := l.Assertion.NameFormat
	if format == "" {
		format = defaultNameFormat
	}
	sum := sha1.Sum([]byte(l.Assertion.Issuer + account + "/" + providerName(l.Provider)))
	return session.SAML{
		Subject: l.Subject, SubjectType: strings.TrimPrefix(format, formatPrefix), NameQualifier: base64.StdEncoding.EncodeToString(sum[:]),
	}
}

// providerName is the name of a provider without its ARN.
func providerName(p *login.Provider) string { return p.ARN[strings.LastIndexByte(p.ARN, '/')+1:] }

// samlKeys adds the condition keys of an assertion (spec §1.9).
func samlKeys(keys *policy.Context, account string, l *login.Login) {
	operation.SAMLSubject(keys, samlSubject(account, l))
	keys.Set("saml:aud", l.Assertion.Recipient)
	keys.Set("saml:iss", l.Assertion.Issuer)
	keys.Set("saml:doc", account+"/"+providerName(l.Provider))
	lists := map[string][]string{}
	for name, values := range l.Assertion.Attributes {
		if key, ok := attributeKeys[name]; ok {
			lists[key] = append(lists[key], values...)
		}
	}
	for key, values := range lists {
		switch {
		case len(values) == 0:
		case !singleKeys[key]:
			keys.SetList("saml:"+key, values...)
		case len(values) == 1:
			keys.Set("saml:"+key, values[0])
		}
	}
}

const (
	eduPerson = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
	eduOrg    = "urn:oid:1.3.6.1.4.1.5923.1.2.1."
	x500      = "urn:oid:2.5.4."
	cosine    = "urn:oid:0.9.2342.19200300.100.1."
	claims    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
)

// attributeKeys are the attributes that are condition keys, by their names: the object identifiers of eduPerson, eduOrg,
// X.500 and COSINE, and the URIs of Active Directory. Where two stand for one key, it has the values of both.
var attributeKeys = map[string]string{
	eduPerson + "1": "edupersonaffiliation", eduPerson + "2": "edupersonnickname", eduPerson + "3": "edupersonorgdn",
	eduPerson + "4": "edupersonorgunitdn", eduPerson + "5": "edupersonprimaryaffiliation", eduPerson + "6": "edupersonprincipalname",
	eduPerson + "7": "edupersonentitlement", eduPerson + "8": "edupersonprimaryorgunitdn", eduPerson + "9": "edupersonscopedaffiliation",
	eduPerson + "10": "edupersontargetedid", eduPerson + "11": "edupersonassurance",
	eduOrg + "2": "eduorghomepageuri", eduOrg + "3": "eduorgidentityauthnpolicyuri", eduOrg + "4": "eduorglegalname",
	eduOrg + "5": "eduorgsuperioruri", eduOrg + "6": "eduorgwhitepagesuri",
	x500 + "3": "cn", x500 + "4": "surname", x500 + "41": "name", x500 + "42": "givenName", x500 + "45": "x500UniqueIdentifier",
	cosine + "1": "uid", cosine + "3": "mail", cosine + "45": "organizationStatus",
	claims + "name": "name", claims + "givenname": "givenName", claims + "surname": "surname", claims + "emailaddress": "mail",
	"http://schemas.xmlsoap.org/claims/CommonName":                            "commonName",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": "primaryGroupSID",
}

// singleKeys are those that have one value; several make no key.
var singleKeys = map[string]bool{
	"edupersonorgdn": true, "edupersonprimaryaffiliation": true, "edupersonprimaryorgunitdn": true, "edupersonprincipalname": true,
}
