package sts_test

import (
	"testing"

	"idpool/internal/idpooltest"
)

// A token of ours is refused once its pool is gone, although it has not ended.
func TestTokenOfADeletedPool(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	token := openIDToken(s, s.MustGetID("alice"), s.Logins(s.MustToken("alice")))
	if _, err := assume(s, s.Dev.AuthenticatedRoleARN, token, nil); err != nil {
		t.Fatal(err)
	}
	s.MustCall("DeleteIdentityPool", s.Admin(), map[string]string{"IdentityPoolId": s.Dev.PoolID}, nil)
	_, err := assume(s, s.Dev.AuthenticatedRoleARN, token, nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "")
}
