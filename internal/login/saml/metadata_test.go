package saml

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpool/internal/login/saml/samltest"
)

func TestParseMetadata(t *testing.T) {
	until := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	idp := &samltest.IdP{EntityID: "urn:x:é&", Keys: []samltest.Key{samltest.RSA(t), samltest.NewEC(t, elliptic.P521())}, ValidUntil: until}
	for name, edit := range map[string]func(string) string{
		"as it is":           func(d string) string { return d },
		"a byte order mark":  func(d string) string { return "\ufeff" + d },
		"comments":           func(d string) string { return strings.Replace(d, "    <md:", "<!-- a <b> --><md:", 2) + "<!-- x -->" },
		"no declaration":     func(d string) string { return d[strings.Index(d, "\n")+1:] },
		"another role":       replace(t, "  <md:IDP", "  <md:SPSSODescriptor/><md:IDP"),
		"more protocols":     replace(t, `Enumeration="`, `Enumeration="urn:oasis:names:tc:SAML:1.1:protocol `),
		"keys of any use":    func(d string) string { return strings.ReplaceAll(d, ` use="signing"`, "") },
		"a key to encrypt":   replace(t, "    <md:Key", `<md:KeyDescriptor use="encryption"/><md:Key`),
		"an earlier end":     replace(t, "2030-01-01", "2031-01-01"),
		"an end of the role": func(d string) string { return strings.Replace(d, ` validUntil="2030-01-01T00:00:00Z"`, "", 1) },
		"wrapped base64":     func(d string) string { return strings.ReplaceAll(d, "MII", "\r\n MI\tI") },
		"a signature":        replace(t, "  <md:IDP", `<ds:Signature xmlns:ds="`+nsSignature+`"><ds:SignedInfo/></ds:Signature><md:IDP`),
	} {
		t.Run(name, func(t *testing.T) {
			document := edit(string(idp.Metadata()))
			if name == "an earlier end" || name == "an end of the role" {
				document = strings.Replace(document, "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="2030-01-01T01:00:00+01:00" `, 1)
			}
			m, err := ParseMetadata([]byte(document))
			if err != nil {
				t.Fatal(err)
			}
			if m.EntityID != idp.EntityID || !m.ValidUntil.Equal(until) || len(m.Certificates) != 2 {
				t.Fatalf("got %+v, want the entity id, its end and two certificates", m)
			}
			for i, k := range idp.Keys {
				if !m.Certificates[i].Equal(k.Certificate) {
					t.Errorf("certificate %d is another", i)
				}
			}
		})
	}
}

// TestParseMetadataEnds: metadata that has ended is read, and one without an end has none.
func TestParseMetadataEnds(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	if m, err := ParseMetadata(idp.Metadata()); err != nil || !m.ValidUntil.IsZero() {
		t.Errorf("got %+v, %v, want no end", m, err)
	}
	idp.ValidUntil = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if m, err := ParseMetadata(idp.Metadata()); err != nil || !m.ValidUntil.Equal(idp.ValidUntil) {
		t.Errorf("got %+v, %v, want the end", m, err)
	}
}

func TestParseMetadataRefuses(t *testing.T) {
	idp := samltest.NewIdP(t, entityID)
	good := string(idp.Metadata())
	if _, err := ParseMetadata([]byte(good)); err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`(?s)    <md:KeyDescriptor.*</md:KeyDescriptor>\n`)
	without := key.ReplaceAllString(good, "")
	with := func(k samltest.Key) string {
		return string((&samltest.IdP{EntityID: entityID, Keys: []samltest.Key{idp.Keys[0], k}}).Metadata())
	}
	body := good[strings.Index(good, "\n")+1:]
	certificate := base64.StdEncoding.EncodeToString(idp.Keys[0].Certificate.Raw)
	for name, test := range map[string]struct{ document, want string }{
		"nothing":                 {"", "not well-formed"},
		"text":                    {"x", "beside the outermost"},
		"JSON":                    {"{}", "beside the outermost"},
		"a response":              {idp.Document(samltest.Options{Now: t0}), "EntityDescriptor"},
		"DOCTYPE":                 {"<!DOCTYPE md>" + body, "DOCTYPE"},
		"entities":                {`<!DOCTYPE md [<!ENTITY a "b">]>` + body, "DOCTYPE"},
		"an instruction":          {"<?x?>" + body, "DOCTYPE"},
		"CDATA":                   {strings.Replace(good, certificate, "<![CDATA["+certificate+"]]>", 1), "DOCTYPE"},
		"a comment in text":       {strings.Replace(good, certificate, certificate[:8]+"<!-- -->"+certificate[8:], 1), "comment inside text"},
		"another encoding":        {strings.Replace(good, "UTF-8", "ISO-8859-1", 1), "DOCTYPE"},
		"two documents":           {good + body, "beside the outermost"},
		"trailing text":           {good + "x", "beside the outermost"},
		"an attribute twice":      {strings.Replace(good, " entityID=", ` entityID="x" entityID=`, 1), "named twice"},
		"an undeclared prefix":    {strings.Replace(good, "  <md:IDP", "<x:a/><md:IDP", 1), "not declared"},
		"more than 1 MiB":         {good + strings.Repeat(" ", 1<<20), "too long"},
		"too many elements":       {strings.Replace(good, "  <md:IDP", strings.Repeat("<a/>", 20_000)+"<md:IDP", 1), "too many elements"},
		"too deep":                {strings.Replace(good, "  <md:IDP", strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)+"<md:IDP", 1), "nested too deep"},
		"several entities":        {`<md:EntitiesDescriptor xmlns:md="` + nsMetadata + `">` + body + "</md:EntitiesDescriptor>", "EntityDescriptor"},
		"another namespace":       {strings.Replace(good, nsMetadata, "urn:x", 1), "EntityDescriptor"},
		"no entityID":             {strings.Replace(good, ` entityID="`+entityID+`"`, "", 1), "entityID"},
		"an empty entityID":       {strings.Replace(good, entityID, "", 1), "entityID"},
		"a prefixed entityID":     {strings.Replace(good, " entityID=", " md:entityID=", 1), "entityID"},
		"a long entityID":         {strings.Replace(good, entityID, strings.Repeat("é", 1025), 1), "entityID"},
		"a space in the entityID": {strings.Replace(good, entityID, entityID+" ", 1), "entityID"},
		"no IdP":                  {strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), "IDPSSODescriptor"},
		"two IdPs":                {strings.Replace(good, "</md:EntityDescriptor>", `<md:IDPSSODescriptor protocolSupportEnumeration="`+nsProtocol+`"/></md:EntityDescriptor>`, 1), "IDPSSODescriptor"},
		"an IdP of SAML 1":        {strings.Replace(good, nsProtocol, "urn:oasis:names:tc:SAML:1.1:protocol", 1), "IDPSSODescriptor"},
		"an IdP of no protocol":   {strings.Replace(good, ` protocolSupportEnumeration="`+nsProtocol+`"`, "", 1), "IDPSSODescriptor"},
		"an IdP in an extension":  {strings.Replace(strings.Replace(good, "  <md:IDP", "<md:Extensions><md:IDP", 1), "</md:IDPSSODescriptor>", "</md:IDPSSODescriptor></md:Extensions>", 1), "IDPSSODescriptor"},
		"an end that is none":     {strings.Replace(good, " entityID=", ` validUntil="tomorrow" entityID=`, 1), "validUntil"},
		"an end without a zone":   {strings.Replace(good, " entityID=", ` validUntil="2030-01-01T00:00:00" entityID=`, 1), "validUntil"},
		"no keys":                 {without, "0 certificates"},
		"a key to encrypt alone":  {strings.Replace(good, `use="signing"`, `use="encryption"`, 1), "0 certificates"},
		"a key for something":     {strings.Replace(good, `use="signing"`, `use="x"`, 1), "another use"},
		"a key of no use":         {strings.Replace(good, `use="signing"`, `use=""`, 1), "another use"},
		"no KeyInfo":              {strings.Replace(without, "<md:SingleSign", `<md:KeyDescriptor use="signing"/><md:SingleSign`, 1), "KeyInfo"},
		"a key by name":           {regexp.MustCompile(`<ds:X509Data>.*</ds:X509Data>`).ReplaceAllString(good, "<ds:KeyName>x</ds:KeyName>"), "0 certificates"},
		"base64 that is none":     {strings.Replace(good, certificate, "!"+certificate, 1), "base64"},
		"a cut certificate":       {strings.Replace(good, certificate, certificate[:len(certificate)-16], 1), "cannot be read"},
		"an empty certificate":    {strings.Replace(good, certificate, "", 1), "base64"},
		"17 certificates":         {strings.Replace(good, "<md:SingleSign", strings.Repeat(key.FindString(good), 16)+"<md:SingleSign", 1), "17 certificates"},
		"RSA of 1024 bits":        {with(weakRSA(t)), "neither RSA"},
		"P-224":                   {with(samltest.NewEC(t, elliptic.P224())), "neither RSA"},
		"Ed25519":                 {with(samltest.NewKey(t, ed)), "neither RSA"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseMetadata([]byte(test.document))
			if m != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, %v, want an error with %q", m, err, test.want)
			}
		})
	}
}
