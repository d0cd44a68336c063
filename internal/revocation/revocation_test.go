package revocation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/revocation"
	"idpool/internal/session"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 999_000_000, time.UTC)

// The second of a revocation is revoked whole, and none of later.
func TestConcerns(t *testing.T) {
	r := revocation.New(revocation.Pool, "p", now, now, "me", nil)
	for issued, want := range map[time.Time]bool{
		now.Truncate(time.Second): true, now: true, now.Add(-time.Hour): true, now.Add(time.Millisecond): false, now.Add(time.Hour): false,
	} {
		if got := r.Concerns(issued); got != want {
			t.Errorf("issued %v: got %v, want %v", issued, got, want)
		}
	}
}

// A later revocation of the same gives nothing back and is kept at least as long.
func TestNewGivesNothingBack(t *testing.T) {
	first := revocation.New(revocation.Role, "r", now, now, "one", nil)
	second := revocation.New(revocation.Role, "r", now.Add(-time.Hour), now.Add(-time.Minute), "two", first)
	want := &revocation.Revocation{Of: revocation.Role, Value: "r", Before: first.Before, Made: now.Add(-time.Minute), Until: first.Until, By: "two"}
	if d := cmp.Diff(second, want); d != "" {
		t.Error(d)
	}
	third := revocation.New(revocation.Role, "r", now.Add(time.Hour), now.Add(time.Hour), "three", second)
	if !third.Before.Equal(now.Add(time.Hour).Truncate(time.Second)) || !third.Until.Equal(now.Add(time.Hour+revocation.Kept)) {
		t.Errorf("got %+v", third)
	}
}

func TestNames(t *testing.T) {
	s := &session.Session{
		AccessKeyID: "ASIA1", Account: "111122223333", RolePath: "/p/", RoleName: "R", PoolID: "us-east-1:p", IdentityID: "us-east-1:i",
		Federated: "cognito-identity.amazonaws.com", AMR: []string{"authenticated", "a.example", "a.example:OIDC:1", "login.corp.app", "login.corp.app:p:u"},
	}
	want := []string{
		"access-key ASIA1", "identity us-east-1:i", "pool us-east-1:p", "provider a.example", "provider cognito-identity.amazonaws.com",
		"provider login.corp.app", "role arn:aws:iam::111122223333:role/p/R",
	}
	if d := cmp.Diff(slices.Sorted(revocation.Session(s)), want); d != "" {
		t.Error(d)
	}
	direct := &session.Session{AccessKeyID: "ASIA2", Account: "111122223333", RolePath: "/", RoleName: "R", Federated: "arn:aws:iam::111122223333:oidc-provider/a.example/x"}
	want = []string{"access-key ASIA2", "provider a.example/x", "role arn:aws:iam::111122223333:role/R"}
	if d := cmp.Diff(slices.Sorted(revocation.Session(direct)), want); d != "" {
		t.Error(d)
	}
	made := &session.Session{Kind: session.OfUser, AccessKeyID: "ASIA3", User: session.User{Name: "ann", ID: "AIDA1", KeyID: "AKIA1"}}
	if d := cmp.Diff(slices.Sorted(revocation.Session(made)), []string{"access-key AKIA1", "access-key ASIA3"}); d != "" {
		t.Error(d)
	}
	want = []string{"identity us-east-1:i", "pool us-east-1:p"}
	if d := cmp.Diff(slices.Sorted(revocation.Token("us-east-1:p", "us-east-1:i", []string{"unauthenticated"})), want); d != "" {
		t.Error(d)
	}
}

func TestProviderKey(t *testing.T) {
	for in, want := range map[string]string{
		"a.example/x": "a.example/x", "arn:aws:iam::1:oidc-provider/a.example/x": "a.example/x",
		"arn:aws:iam::1:saml-provider/corp": "arn:aws:iam::1:saml-provider/corp", "localhost:1/idp": "localhost:1/idp",
	} {
		if got := revocation.ProviderKey(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// A session inherits what its parents could be revoked by, each once. Of many access keys the first stays, which began it all:
// nobody escapes its revocation by going through role after role.
func TestLineage(t *testing.T) {
	if d := cmp.Diff(revocation.Lineage("AKIA1", nil), []string{"access-key AKIA1"}); d != "" {
		t.Error(d)
	}
	parent := &session.Session{AccessKeyID: "ASIA0", Account: "111122223333", RolePath: "/", RoleName: "R", IdentityID: "us-east-1:i", Lineage: []string{"access-key AKIA1"}}
	want := []string{"access-key AKIA1", "access-key ASIA0", "role arn:aws:iam::111122223333:role/R", "identity us-east-1:i"}
	if d := cmp.Diff(revocation.Lineage("ASIA0", parent), want); d != "" {
		t.Error(d)
	}
	for n := range 40 {
		lineage := revocation.Lineage(parent.AccessKeyID, parent)
		parent = &session.Session{AccessKeyID: fmt.Sprint("ASIA", n+1), Account: "111122223333", RolePath: "/", RoleName: "R", Lineage: lineage}
	}
	got := revocation.Lineage(parent.AccessKeyID, parent)
	if len(got) != 18 || got[0] != "access-key AKIA1" || got[1] != "role arn:aws:iam::111122223333:role/R" || got[2] != "identity us-east-1:i" ||
		got[3] != "access-key ASIA26" || got[17] != "access-key ASIA40" {
		t.Errorf("got %q", got)
	}
}
