package idpooltest

import (
	"idpool/internal/account"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/snapshot"
)

// MustTrustSAML stores an identity provider's metadata as the SAML provider of a name, new or in the place of the one that
// is there, and returns its ARN.
func (s *Server) MustTrustSAML(name string, idp *samltest.IdP) string {
	s.t.Helper()
	now, err := s.Source.Current()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &account.SAMLProvider{Name: name, ID: "TEST" + name, Created: s.Clock(), Metadata: string(idp.Metadata())}
	version := int64(0)
	if old := now.SAMLProviderNamed(name); old != nil {
		version = old.Version
	}
	if err := s.Source.Write(s.t.Context(), snapshot.PutSAMLProvider(p, version)); err != nil {
		s.t.Fatal(err)
	}
	return p.ARN(Account)
}
