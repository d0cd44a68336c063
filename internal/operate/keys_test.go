package operate_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"idpool/internal/arn"
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
		if k["Use"] != use || k["KeyId"] != ring.Keys[0].ID || k["State"] != "active" || k["Created"] == nil || k["Algorithm"] != ring.Keys[0].Algorithm || k["Since"] != k["Created"] || len(k) != 6 {
			t.Errorf("%s: got %v", use, k)
		}
	}
	one := user(t, s, "other", allow("idpool:Revoke*", "*"))
	refuses(t, s, "another action", "AccessDeniedException", "User: arn:aws:iam::"+idpooltest.Account+":user/other is not authorized to perform: idpool:ListKeys on resource: * "+
		"because no identity-based policy allows the idpool:ListKeys action", "ListKeys", one, object{})
	refuses(t, s, "unsigned", "MissingAuthenticationTokenException", "Missing Authentication Token", "ListKeys", nil, object{})
}

// key is a key on the wire.
type key struct {
	Use, KeyId, State string
	Since, Due        float64
}

func keysOf(t *testing.T, s *idpooltest.Server) []key {
	t.Helper()
	var out struct{ Keys []key }
	must(t, s, "ListKeys", object{}, &out)
	return out.Keys
}

func rotate(t *testing.T, s *idpooltest.Server, in object) key {
	t.Helper()
	var out struct{ Key key }
	must(t, s, "RotateKeys", in, &out)
	return out.Key
}

// TestRotateKeys: a key goes through its states when it is due, and what the one before made goes on.
func TestRotateKeys(t *testing.T) {
	c := newClock()
	s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
	own := &operate.Service{Config: s.Source}
	advance := func(d time.Duration) {
		t.Helper()
		c.advance(t, d, s)
		if _, err := own.AdvanceKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	alice, token := s.MustVend("alice"), openID(t, s, "alice")
	for use, lead := range map[string]time.Duration{"sealing": time.Minute, "signing": 61 * time.Minute} {
		fresh := rotate(t, s, object{"Use": use})
		if fresh.State != "next" || int64(fresh.Due) != c.Now().Add(lead).Unix() {
			t.Errorf("%s: got %+v", use, fresh)
		}
		if again := rotate(t, s, object{"Use": use}); again != fresh {
			t.Errorf("%s: a second call makes another key: %+v", use, again)
		}
	}
	all := keysOf(t, s)
	state := func() string {
		var out []string
		for _, k := range keysOf(t, s) {
			out = append(out, k.State)
		}
		return strings.Join(out, " ")
	}
	if got := state(); got != "active next active next" {
		t.Fatalf("got %s", got)
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{59 * time.Second, "active next active next"}, {time.Second, "verify-only active active next"},
		{59 * time.Minute, "verify-only active active next"}, {time.Minute, "verify-only active verify-only active"},
	} {
		if advance(step.after); state() != step.want {
			t.Errorf("after %v: got %s, want %s", step.after, state(), step.want)
		}
	}
	if fresh := s.MustVend("alice"); refusedBy(t, s, "with the new key", fresh.Signer()) {
		t.Error("the new key seals nothing that opens")
	}
	_ = must1(assume(s, openID(t, s, "alice")))
	// Too early, the operator is told until when; a moment later the key retires by itself.
	old := all[0]
	sentence := "What this key made may be in use until 2026-03-03T01:01:00Z: retired before, it ends the sessions that it sealed."
	refuses(t, s, "too early", "InvalidParameterException", sentence, "RetireKey", s.Admin(), object{"Use": "sealing", "KeyId": old.KeyId})
	refuses(t, s, "the active one", "InvalidParameterException", "The active key cannot be retired: rotate first.", "RetireKey", s.Admin(),
		object{"Use": "sealing", "KeyId": all[1].KeyId, "Force": true})
	advance(25 * time.Hour)
	if got := state(); got != "verify-only active retired active" {
		t.Errorf("got %s", got)
	}
	advance(12 * time.Hour)
	if got := state(); got != "retired active retired active" {
		t.Errorf("got %s", got)
	}
	if ring := current(t, s).Ring("sealing"); ring.Keys[0].Sealed != nil {
		t.Error("a retired key keeps its secret")
	}
	if _, err := assume(s, token); err == nil {
		t.Error("a token of a retired key is taken")
	}
	_ = alice
}

// TestRetireByForce: what the key made is refused at once, as what is not ours.
func TestRetireByForce(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	alice, token := s.MustVend("alice"), openID(t, s, "alice")
	old := keysOf(t, s)
	for _, k := range old {
		if fresh := rotate(t, s, object{"Use": k.Use, "Now": true}); fresh.State != "active" || fresh.KeyId == k.KeyId {
			t.Errorf("got %+v", fresh)
		}
	}
	if _, err := s.WhoAmI(alice.Signer()); err != nil {
		t.Errorf("after a rotation at once: %v", err)
	}
	_ = must1(assume(s, token))
	for _, k := range old {
		must(t, s, "RetireKey", object{"Use": k.Use, "KeyId": k.KeyId, "Force": true}, nil)
		must(t, s, "RetireKey", object{"Use": k.Use, "KeyId": k.KeyId}, nil) // again is no mistake
	}
	_, err := s.WhoAmI(alice.Signer())
	wantFault(t, "a session of a retired key", err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	if _, err = assume(s, token); err == nil {
		t.Error("a token of a retired key is taken")
	}
	if fresh := s.MustVend("alice"); refusedBy(t, s, "of later", fresh.Signer()) {
		t.Error("nothing new works")
	}
	text, err := json.Marshal(s.Records())
	if err != nil || !strings.Contains(string(text), "sealing key "+old[0].KeyId) || !strings.Contains(string(text), "it is retired") {
		t.Errorf("the records do not say which key was retired: %v", err)
	}
}

func TestKeysRefusals(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	refuses(t, s, "the key of guests", "InvalidParameterException", "The key of sealed guests is kept for ever.", "RotateKeys", s.Admin(), object{"Use": "guests"})
	refuses(t, s, "the key of guests", "InvalidParameterException", "The key of sealed guests is kept for ever.", "RetireKey", s.Admin(),
		object{"Use": "guests", "KeyId": "k", "Force": true})
	refuses(t, s, "no such ring", "ResourceNotFoundException", "Keys 'other' not found.", "RotateKeys", s.Admin(), object{"Use": "other"})
	refuses(t, s, "no such ring", "ResourceNotFoundException", "Keys 'other' not found.", "RetireKey", s.Admin(), object{"Use": "other", "KeyId": "x"})
	refuses(t, s, "no such key", "ResourceNotFoundException", "Key 'x' not found.", "RetireKey", s.Admin(), object{"Use": "signing", "KeyId": "x"})
	one := user(t, s, "sealer", allow("idpool:*", arn.Own(idpooltest.Region, idpooltest.Account, "keys/sealing")))
	if err := s.Client().Operate(t.Context(), "RotateKeys", one, object{"Use": "sealing"}, nil); err != nil {
		t.Error(err)
	}
	for op, in := range map[string]object{"RotateKeys": {"Use": "signing"}, "RetireKey": {"Use": "signing", "KeyId": "x"}} {
		refuses(t, s, "another ring", "AccessDeniedException", "User: arn:aws:iam::"+idpooltest.Account+":user/sealer is not authorized to perform: idpool:"+op+
			" on resource: "+arn.Own(idpooltest.Region, idpooltest.Account, "keys/signing")+" because no identity-based policy allows the idpool:"+op+" action", op, one, in)
	}
}
