package sts_test

import (
	"testing"

	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
)

// TestTokensOfAllKinds: whatever made a session, its token works whole, with its own key and secret, here — or the answer
// is the one that says nothing (security H1, G10).
func TestTokensOfAllKinds(t *testing.T) {
	s, other := idpooltest.Start(t, idpooltest.Options{}), idpooltest.Start(t, idpooltest.Options{})
	vend := func(s *idpooltest.Server) map[string]*sigv4.Credentials {
		ann := mustUser(t, s, "ann", allow("*", "*"))
		putRole(t, s, "job", trusting(account12, everything, ""), nil)
		return map[string]*sigv4.Credentials{
			"role": mustAsk(t, s, ann, "AssumeRole", join([]string{"RoleArn", roleARN("job"), "RoleSessionName", "job", "Policy", allow("*", "*")}, tagged("team", "blue"))...).signer(),
			"user": mustAsk(t, s, ann, "GetSessionToken").signer(), "federated": mustAsk(t, s, ann, "GetFederationToken", "Name", "bob").signer(),
		}
	}
	kinds, foreign := vend(s), vend(other)
	refuse := func(name string, c *sigv4.Credentials) {
		t.Helper()
		_, err := ask(s, c, "GetCallerIdentity")
		t.Log(name)
		wantFault(t, s, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	for kind, c := range kinds {
		with := func(token string) *sigv4.Credentials {
			return &sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.Secret, Token: token}
		}
		if _, err := s.WhoAmI(c); err != nil {
			t.Errorf("%s as it is: %v", kind, err)
		}
		refuse(kind+" of another server", foreign[kind])
		refuse(kind+" with another server's token", with(foreign[kind].Token))
		refuse(kind+" without its token", with(""))
		refuse(kind+" longer", with(c.Token+"A"))
		for other, o := range kinds {
			if other != kind {
				refuse(kind+" with the token of "+other, with(o.Token))
			}
		}
		for i := 0; i < len(c.Token); i += 7 {
			refuse(kind+" with a letter changed", with(flip(c.Token, i)))
		}
		for cut := 1; cut < len(c.Token); cut += 11 {
			refuse(kind+" cut", with(c.Token[:len(c.Token)-cut]))
		}
	}
}
