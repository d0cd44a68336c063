package saml

import (
	"crypto"
	"testing"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

// by returns a way to sign, with one hash for both.
func by(name string, h crypto.Hash) samltest.Method {
	digest := map[crypto.Hash]string{crypto.SHA256: samltest.SHA256, crypto.SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384", crypto.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512"}
	return samltest.Method{URI: "http://www.w3.org/2001/04/xmldsig-more#" + name, Hash: h, DigestURI: digest[h], Digest: h}
}

// provider returns the configured provider of an IdP, through its metadata.
func provider(t testing.TB, idp *samltest.IdP) *login.Provider {
	t.Helper()
	m, err := ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:iam::111122223333:saml-provider/corp"
	return &login.Provider{Kind: login.SAML, Key: arn, ARN: arn, SAML: m}
}

func mustVerify(t testing.TB, v *Verifier, p *login.Provider, response string) *login.Login {
	t.Helper()
	l, err := v.Verify(t.Context(), p, response, t0)
	if err != nil {
		t.Fatalf("got %v, want a login", err)
	}
	return l
}

// wantRefusal checks the reason, and the claim where one is wanted.
func wantRefusal(t testing.TB, l *login.Login, err error, reason login.Reason, claim string) {
	t.Helper()
	r, ok := err.(*login.Refusal)
	switch {
	case err == nil:
		t.Errorf("got a login, want a refusal: %s", reason)
	case !ok:
		t.Errorf("got error %T, want *login.Refusal", err)
	case l != nil:
		t.Errorf("got a login beside the refusal %v", r)
	case r.Reason != reason || r.Claim != claim:
		t.Errorf("got %v, want %s (%s)", r, reason, claim)
	case r.Expected == "" || r.Found == "" || r.Kind != login.SAML:
		t.Errorf("got %+v, want it to say what was expected and found, of SAML", r)
	}
}
