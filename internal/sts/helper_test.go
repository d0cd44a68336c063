package sts_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"testing"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

const accountID = idpooltest.Account

// result is what any operation of STS answers.
type result struct {
	Metadata struct{} `xml:"ResponseMetadata"`
	Body     struct {
		Credentials struct {
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}
		AssumedRoleUser  struct{ AssumedRoleId, Arn string }
		FederatedUser    struct{ FederatedUserId, Arn string }
		PackedPolicySize int64
		SourceIdentity   string
		Account          string
		Arn              string
		UserId           string
		DecodedMessage   string
		WebIdentityToken string
		Expiration       string
	} `xml:",any"`
}

func (r *result) signer() *sigv4.Credentials {
	c := r.Body.Credentials
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyId, Secret: c.SecretAccessKey, Token: c.SessionToken}
}

// ask calls an operation of STS; more are pairs of name and value.
func ask(s *idpooltest.Server, signer *sigv4.Credentials, action string, more ...string) (*result, error) {
	form := url.Values{}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	out := &result{}
	return out, s.Client().Query(context.Background(), "sts", "2011-06-15", action, form, signer, out)
}

// mustAsk is ask that must work.
func mustAsk(t *testing.T, s *idpooltest.Server, signer *sigv4.Credentials, action string, more ...string) *result {
	t.Helper()
	out, err := ask(s, signer, action, more...)
	if err != nil {
		t.Fatalf("%s %v: %v", action, more, err)
	}
	return out
}

// assumeRole asks for a session of a role of the account.
func assumeRole(s *idpooltest.Server, signer *sigv4.Credentials, role string, more ...string) (*result, error) {
	return ask(s, signer, "AssumeRole", append([]string{"RoleArn", roleARN(role), "RoleSessionName", "job"}, more...)...)
}

func roleARN(name string) string { return arn.Role(accountID, "/", name) }

// mustUser makes a user with policies and returns his key.
func mustUser(t *testing.T, s *idpooltest.Server, name string, policies ...string) *sigv4.Credentials {
	t.Helper()
	c, err := s.Setup.Administrator(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Source.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustChangeUser(t, s, name, func(u *account.User) { u.Inline = inline(policies) })
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey}
}

func mustChangeUser(t *testing.T, s *idpooltest.Server, name string, change func(*account.User)) {
	t.Helper()
	old := snapshotOf(t, s).UserNamed(name)
	changed := old.User
	change(&changed)
	if err := s.Source.Write(t.Context(), snapshot.PutUser(&changed, old.Version)); err != nil {
		t.Fatal(err)
	}
}

func inline(policies []string) map[string]string {
	out := map[string]string{}
	for i, text := range policies {
		out[fmt.Sprint("p", i)] = text
	}
	return out
}

// putRole makes a role, or makes it anew.
func putRole(t *testing.T, s *idpooltest.Server, name, trust string, change func(*account.Role), policies ...string) string {
	t.Helper()
	var random [11]byte
	_, _ = rand.Read(random[:])
	r := &account.Role{Name: name, Path: "/", ID: arn.UniqueID(arn.PrefixRole, random), MaxSession: 3600, Trust: trust, Inline: inline(policies)}
	if change != nil {
		change(r)
	}
	if err := r.Validate(); err != nil {
		t.Fatalf("%s: %v", trust, err)
	}
	var version int64
	if old := snapshotOf(t, s).RoleNamed(name); old != nil {
		version = old.Version
	}
	if err := s.Source.Write(t.Context(), snapshot.PutRole(r, version)); err != nil {
		t.Fatal(err)
	}
	return r.ARN(accountID)
}

// trusting is a trust policy of one statement; actions and condition are JSON, or empty for AssumeRole and none.
func trusting(principal, actions, condition string) string {
	if actions == "" {
		actions = `"sts:AssumeRole"`
	}
	return policyOf(trustStatement("Allow", principal, actions, condition))
}

func trustStatement(effect, principal, actions, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":%s%s}`, effect, principal, actions, condition)
}

func policyOf(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

// allow and deny are identity policies of one statement.
func allow(action, resource string) string { return identityPolicy("Allow", action, resource, "") }

func deny(action, resource string) string { return identityPolicy("Deny", action, resource, "") }

func identityPolicy(effect, action, resource, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return policyOf(fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q%s}`, effect, action, resource, condition))
}

// aws is a principal of type AWS.
func aws(name string) string { return fmt.Sprintf(`{"AWS":%q}`, name) }

const account12 = `{"AWS":"` + accountID + `"}`
