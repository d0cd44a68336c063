package iam_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idpool/internal/arn"
	"idpool/internal/idpooltest"
	"idpool/internal/snapshot"
)

// The life of an access key: its secret is shown once, it works while it is active, and is refused at once when not.
func TestAccessKeys(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	root.must("CreateUser", "UserName", "ann")
	made := root.must("CreateAccessKey", "UserName", "ann")
	id, secret := root.only(made, "AccessKeyId"), root.only(made, "SecretAccessKey")
	if of, ok := arn.AccountOf(id); !ok || of != idpooltest.Account || !strings.HasPrefix(id, "AKIA") || len(secret) != 40 {
		t.Errorf("got key %s of account %s, and a secret of %d characters", id, of, len(secret))
	}
	if status, of := root.only(made, "Status"), root.only(made, "UserName"); status != "Active" || of != "ann" {
		t.Errorf("got a key of %s with status %s", of, status)
	}
	ann := *root.signer
	ann.AccessKeyID, ann.Secret = id, secret
	who := func() string {
		t.Helper()
		arn, err := s.WhoAmI(&ann)
		if err != nil {
			return strings.SplitN(err.Error(), ":", 2)[0]
		}
		return arn
	}
	update := func(status string) {
		root.must("UpdateAccessKey", "UserName", "ann", "AccessKeyId", id, "Status", status)
	}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, account + "user/ann"},
		{func() { update("Inactive") }, "InvalidClientTokenId"},
		{func() { update("Active") }, account + "user/ann"},
		{func() { root.must("UpdateUser", "UserName", "ann", "NewUserName", "anna", "NewPath", "/people/") }, account + "user/people/anna"},
		{func() { root.must("UpdateUser", "UserName", "anna", "NewUserName", "ann", "NewPath", "/") }, account + "user/ann"},
		{func() { root.must("DeleteAccessKey", "UserName", "ann", "AccessKeyId", id) }, "InvalidClientTokenId"},
	} {
		step.do()
		if got := who(); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
	if strings.Contains(s.Output(), secret) {
		t.Error("the secret is in an event or the log")
	}
	if got := s.Records(); !strings.Contains(mustJSON(t, got), id) {
		t.Errorf("no event names the key %s", id)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A user has two keys at most, lists them without secrets, and the store has none in the clear.
func TestAccessKeysAreSealed(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	root.must("CreateUser", "UserName", "ann")
	first, second := root.mustKey("ann"), root.mustKey("ann")
	root.refused(409, "LimitExceeded", "CreateAccessKey", "UserName", "ann")
	root.must("UpdateAccessKey", "UserName", "ann", "AccessKeyId", second.AccessKeyID, "Status", "Inactive")
	listed := root.must("ListAccessKeys", "UserName", "ann")
	states := map[string]string{}
	for i, id := range between(listed, "AccessKeyId") {
		states[id] = between(listed, "Status")[i]
	}
	if len(states) != 2 || states[first.AccessKeyID] != "Active" || states[second.AccessKeyID] != "Inactive" {
		t.Errorf("got %v, want one active and one inactive", states)
	}
	d, err := s.Store.Documents.Get(t.Context(), snapshot.KindUser, "ann")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{first.Secret, second.Secret} {
		if strings.Contains(listed, secret) || strings.Contains(string(d.Body), secret) {
			t.Error("a secret is listed or stored in the clear")
		}
	}
	root.must("DeleteAccessKey", "UserName", "ann", "AccessKeyId", second.AccessKeyID)
	root.must("CreateAccessKey", "UserName", "ann")
}

// Without a name a user works on himself.
func TestOwnKeys(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	own := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:*AccessKey*","iam:GetUser"],"Resource":"` + account + `user/${aws:username}"}}`
	ann := as(t, s, root.mustUser("ann", own))
	root.must("CreateUser", "UserName", "bob")
	if got := ann.only(ann.must("GetUser"), "Arn"); got != account+"user/ann" {
		t.Errorf("got %s, want ann", got)
	}
	made := ann.only(ann.must("CreateAccessKey"), "AccessKeyId")
	if got := between(ann.must("ListAccessKeys"), "AccessKeyId"); len(got) != 2 {
		t.Errorf("got keys %v, want two", got)
	}
	ann.must("UpdateAccessKey", "AccessKeyId", made, "Status", "Inactive")
	ann.must("DeleteAccessKey", "AccessKeyId", made)
	for _, action := range []string{"GetUser", "CreateAccessKey", "ListAccessKeys"} {
		ann.refused(403, "AccessDenied", action, "UserName", "bob")
	}
	root.refused(404, "NoSuchEntity", "DeleteAccessKey", "UserName", "bob", "AccessKeyId", ann.signer.AccessKeyID)
	ann.must("DeleteAccessKey", "AccessKeyId", ann.signer.AccessKeyID)
	ann.refused(403, "InvalidClientTokenId", "GetUser")
}
