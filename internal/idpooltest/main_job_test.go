package idpooltest

import (
	"strings"
	"testing"
)

// The main job over real HTTP; what the transcript of `idpool dev` shows, as a test.
func TestMainJob(t *testing.T) {
	s := Start(t, Options{})
	alice, bob := s.MustVend("alice"), s.MustVend("bob")
	if alice.IdentityId == bob.IdentityId || s.MustGetID("alice") != alice.IdentityId {
		t.Error("a user has not one identity of his own")
	}
	arn, err := s.WhoAmI(alice.Signer())
	if want := "arn:aws:sts::111122223333:assumed-role/dev-authenticated/CognitoIdentityCredentials"; err != nil || arn != want {
		t.Errorf("got %q, %v; want %q", arn, err, want)
	}
	var described struct{ Logins []string }
	s.MustCall("DescribeIdentity", alice.Signer(), map[string]string{"IdentityId": alice.IdentityId}, &described)
	if len(described.Logins) != 1 || described.Logins[0] != s.IdP.Key {
		t.Errorf("logins %v, want %s", described.Logins, s.IdP.Key)
	}
	message := s.MustRefuse("AccessDeniedException", "DescribeIdentity", alice.Signer(), map[string]string{"IdentityId": bob.IdentityId})
	if !strings.HasSuffix(message, "because no identity-based policy allows the cognito-identity:DescribeIdentity action") {
		t.Error(message)
	}
	s.MustRefuse("AccessDeniedException", "ListIdentities", alice.Signer(), map[string]any{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 1})
}
