package operate_test

import (
	"testing"

	"idpool/internal/idpooltest"
	"idpool/internal/operate"
	"idpool/internal/operation"
)

// Nothing here is for everyone.
func TestPoliciesDecideEveryOperation(t *testing.T) {
	for _, row := range (&operate.Service{}).Table().Rows {
		if row.Access != operation.Authorised {
			t.Errorf("%s is decided by no policy", row.Name)
		}
	}
}

func TestListKeys(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	var out struct{ Keys []map[string]any }
	must(t, s, "ListKeys", object{}, &out)
	if len(out.Keys) != 2 {
		t.Fatalf("got %d keys, want one of each ring", len(out.Keys))
	}
	for i, use := range []string{"sealing", "signing"} {
		k := out.Keys[i]
		ring := current(t, s).Ring(use)
		if k["Use"] != use || k["KeyId"] != ring.Keys[0].ID || k["State"] != "active" || k["Created"] == nil || k["Algorithm"] != ring.Keys[0].Algorithm || len(k) != 5 {
			t.Errorf("%s: got %v", use, k)
		}
	}
	one := user(t, s, "other", allow("idpool:Revoke*", "*"))
	refuses(t, s, "another action", "AccessDeniedException", "User: arn:aws:iam::"+idpooltest.Account+":user/other is not authorized to perform: idpool:ListKeys on resource: * "+
		"because no identity-based policy allows the idpool:ListKeys action", "ListKeys", one, object{})
	refuses(t, s, "unsigned", "MissingAuthenticationTokenException", "Missing Authentication Token", "ListKeys", nil, object{})
}
