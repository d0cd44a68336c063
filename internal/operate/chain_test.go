package operate_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

// sts calls an operation that answers credentials.
func sts(t *testing.T, s *idpooltest.Server, action string, signer *sigv4.Credentials, form url.Values) *sigv4.Credentials {
	t.Helper()
	type credentials struct {
		AccessKeyId, SecretAccessKey, SessionToken string
	}
	var out struct {
		Assumed credentials `xml:"AssumeRoleResult>Credentials"`
		Session credentials `xml:"GetSessionTokenResult>Credentials"`
	}
	if err := s.Client().Query(context.Background(), "sts", "2011-06-15", action, form, signer, &out); err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	c := out.Assumed
	if action == "GetSessionToken" {
		c = out.Session
	}
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyId, Secret: c.SecretAccessKey, Token: c.SessionToken}
}

// role makes a role that everybody of the account may assume whose policies say so.
func role(t *testing.T, s *idpooltest.Server, name string) string {
	t.Helper()
	r := &account.Role{
		Name: name, Path: "/", ID: arn.UniqueID(arn.PrefixRole, [11]byte{name[0]}), MaxSession: 3600, Inline: map[string]string{"all": allow("*", "*")},
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + idpooltest.Account + `"},"Action":"sts:AssumeRole"}]}`,
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	write(t, s, snapshot.PutRole(r, 0))
	return r.ARN(idpooltest.Account)
}

// TestRevokeChains: who revokes a key or a role means what was made with it, however often it was handed on.
func TestRevokeChains(t *testing.T) {
	for _, row := range []struct {
		name                  string
		in                    func(s *idpooltest.Server, first *sigv4.Credentials, roles []string) object
		first, second, direct bool
	}{
		{"the user's key", func(s *idpooltest.Server, _ *sigv4.Credentials, _ []string) object {
			return object{"AccessKeyId": s.Dev.Administrator.AccessKeyID}
		}, true, true, true},
		{"the first session", func(_ *idpooltest.Server, first *sigv4.Credentials, _ []string) object {
			return object{"AccessKeyId": first.AccessKeyID}
		}, true, true, false},
		{"the first role", func(_ *idpooltest.Server, _ *sigv4.Credentials, roles []string) object {
			return object{"RoleArn": roles[0]}
		}, true, true, false},
		{"the second role", func(_ *idpooltest.Server, _ *sigv4.Credentials, roles []string) object {
			return object{"RoleArn": roles[1]}
		}, false, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newClock()
			s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
			roles := []string{role(t, s, "first"), role(t, s, "second")}
			direct := sts(t, s, "GetSessionToken", s.Admin(), nil)
			first := sts(t, s, "AssumeRole", s.Admin(), url.Values{"RoleArn": {roles[0]}, "RoleSessionName": {"one"}})
			c.advance(t, time.Minute, s)
			second := sts(t, s, "AssumeRole", first, url.Values{"RoleArn": {roles[1]}, "RoleSessionName": {"two"}})
			// Revoked is what was issued before the second one: it came of that.
			in := row.in(s, first, roles)
			in["Before"] = noon.Add(time.Second).Unix()
			must(t, s, "RevokeSessions", in, nil)
			for _, who := range []struct {
				name   string
				signer *sigv4.Credentials
				want   bool
			}{{"first", first, row.first}, {"second", second, row.second}, {"the user's session", direct, row.direct}} {
				_, err := s.WhoAmI(who.signer)
				if got := err != nil; got != who.want {
					t.Errorf("%s: refused %v (%v), want %v", who.name, got, err, who.want)
				}
				if err != nil {
					wantFault(t, who.name, err, "ExpiredToken", ended)
				}
			}
			if _, err := s.WhoAmI(s.Admin()); err != nil {
				t.Errorf("the user's own key: %v", err)
			}
		})
	}
}
