package idpooltest

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"idpool/internal/client"
	"idpool/internal/identity"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
	"idpool/internal/testidp"
)

// Client returns a client of the server.
func (s *Server) Client() *client.Client {
	return &client.Client{Endpoint: s.URL, Region: Region, HTTP: http.DefaultClient, Now: s.Clock}
}

// Admin signs as the administrator.
func (s *Server) Admin() *sigv4.Credentials {
	return &sigv4.Credentials{AccessKeyID: s.Dev.Administrator.AccessKeyID, Secret: s.Dev.Administrator.SecretAccessKey}
}

// Call calls an operation of Cognito Identity; unsigned where signer is nil.
func (s *Server) Call(operation string, signer *sigv4.Credentials, in, out any) error {
	return s.Client().JSON(context.Background(), operation, signer, in, out)
}

// MustCall calls an operation that must succeed.
func (s *Server) MustCall(operation string, signer *sigv4.Credentials, in, out any) {
	s.t.Helper()
	if err := s.Call(operation, signer, in, out); err != nil {
		s.t.Fatalf("%s: %v", operation, err)
	}
}

// MustRefuse calls an operation that must be refused with the code, and returns its sentence.
func (s *Server) MustRefuse(code, operation string, signer *sigv4.Credentials, in any) string {
	s.t.Helper()
	err := s.Call(operation, signer, in, nil)
	f, ok := errors.AsType[*client.Fault](err)
	if !ok || f.Code != code {
		s.t.Fatalf("%s: got %v, want %s", operation, err, code)
	}
	return f.Message
}

// WhoAmI asks STS who signed.
func (s *Server) WhoAmI(signer *sigv4.Credentials) (arn string, err error) {
	var out struct {
		ARN string `xml:"GetCallerIdentityResult>Arn"`
	}
	err = s.Client().Query(context.Background(), "sts", "2011-06-15", "GetCallerIdentity", url.Values{}, signer, &out)
	return out.ARN, err
}

// MustToken returns an ID token for sub and the pool's client id.
func (s *Server) MustToken(sub string) string {
	s.t.Helper()
	return s.MustMint(testidp.TokenRequest{Sub: sub, Aud: setup.DevAudience})
}

// MustMint returns an ID token.
func (s *Server) MustMint(req testidp.TokenRequest) string {
	s.t.Helper()
	token, err := s.IdP.Mint(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// Logins is a Logins map with one token of the identity provider.
func (s *Server) Logins(token string) map[string]string { return map[string]string{s.IdP.Key: token} }

// MustGetID returns the identity of a user; a new guest where sub is empty.
func (s *Server) MustGetID(sub string) string {
	s.t.Helper()
	in := map[string]any{"IdentityPoolId": s.Dev.PoolID}
	if sub != "" {
		in["Logins"] = s.Logins(s.MustToken(sub))
	}
	var out struct{ IdentityId string }
	s.MustCall("GetId", nil, in, &out)
	return out.IdentityId
}

// Vended are an identity and credentials for it.
type Vended struct {
	IdentityId  string
	Credentials struct {
		AccessKeyId, SecretKey, SessionToken string
		Expiration                           float64
	}
}

// Signer signs with the credentials.
func (v *Vended) Signer() *sigv4.Credentials {
	return &sigv4.Credentials{AccessKeyID: v.Credentials.AccessKeyId, Secret: v.Credentials.SecretKey, Token: v.Credentials.SessionToken}
}

// MustVend does the main job for a user; for a new guest where sub is empty.
func (s *Server) MustVend(sub string) *Vended {
	s.t.Helper()
	in := map[string]any{"IdentityId": s.MustGetID(sub)}
	if sub != "" {
		in["Logins"] = s.Logins(s.MustToken(sub))
	}
	out := &Vended{}
	s.MustCall("GetCredentialsForIdentity", nil, in, out)
	return out
}

// MustIdentities returns all identities of a pool, from the store.
func (s *Server) MustIdentities(poolID string) []identity.Identity {
	s.t.Helper()
	var out []identity.Identity
	for after := ""; ; after = out[len(out)-1].ID {
		page, err := s.Store.Identities.List(context.Background(), poolID, after, 1000, false)
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, page...)
		if len(page) < 1000 {
			return out
		}
	}
}
