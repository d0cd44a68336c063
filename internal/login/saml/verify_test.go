package saml

import (
	"crypto"
	"crypto/elliptic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
)

const entityID = "https://idp.example.com/saml"

// t0 is the present in tests.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestVerify(t *testing.T) {
	methods := map[string]struct {
		key    samltest.Key
		method samltest.Method
	}{
		"RSA with SHA-256":   {key: samltest.RSA(t)},
		"RSA with SHA-384":   {samltest.RSA(t), by("rsa-sha384", crypto.SHA384)},
		"RSA with SHA-512":   {samltest.RSA(t), by("rsa-sha512", crypto.SHA512)},
		"P-256 with SHA-256": {key: samltest.NewEC(t, elliptic.P256())},
		"P-384 with SHA-384": {samltest.NewEC(t, elliptic.P384()), by("ecdsa-sha384", crypto.SHA384)},
		"P-521 with SHA-512": {samltest.NewEC(t, elliptic.P521()), by("ecdsa-sha512", crypto.SHA512)},
		"P-521 with SHA-256": {key: samltest.NewEC(t, elliptic.P521())},
	}
	for name, m := range methods {
		for signed, what := range map[samltest.Signed]string{samltest.AssertionSigned: "assertion", samltest.ResponseSigned: "response", samltest.BothSigned: "both"} {
			t.Run(name+", "+what, func(t *testing.T) {
				idp := &samltest.IdP{EntityID: entityID, Keys: []samltest.Key{m.key}}
				got := mustVerify(t, New(Options{}), provider(t, idp), idp.Response(samltest.Options{
					Now: t0, Signed: signed, Method: m.method, SessionEnds: t0.Add(time.Hour),
					Attributes: map[string][]string{"team": {"a"}, "groups": {"x", "y"}, "none": nil},
				}))
				if got.Provider.SAML.EntityID != entityID {
					t.Errorf("got the provider %+v, want the one asked for", got.Provider)
				}
				got.Provider = nil
				if diff := cmp.Diff(got, wantLogin()); diff != "" {
					t.Errorf("the login (-got +want):\n%s", diff)
				}
			})
		}
	}
}

func wantLogin() *login.Login {
	return &login.Login{
		Subject: samltest.NameID, Audience: samltest.Audience, Expires: t0.Add(5 * time.Minute),
		Claims: map[string]any{"team": "a", "groups": []any{"x", "y"}, claimName: samltest.NameID, claimNameIdentifier: samltest.NameID},
		Assertion: &login.Assertion{
			Issuer: entityID, NameFormat: samltest.Persistent, Recipient: samltest.Recipient, Issued: t0, SessionEnds: t0.Add(time.Hour),
			Attributes: map[string][]string{"team": {"a"}, "groups": {"x", "y"}, "none": {}},
		},
	}
}
