package iam_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"idpool/internal/idpooltest"
)

// strange is a policy with every kind of character that a document may hold.
const strange = "\t{\r\n \"Version\":\"2012-10-17\",\n\n\"Statement\" : [ {\"Sid\":\"\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":" +
	"\"arn:aws:s3:::b/a+b %20&<>'`~-._!\\\"\\u00e9é${aws:username}÷ÿ\"}]}  "

// Documents come back byte for byte, percent-encoded so that both ways to decode give the same (spec §3.1).
func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	strangeTrust := "\t" + strings.ReplaceAll(trustRoot, ",", " ,\r\n ")
	c.must("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", strangeTrust)
	c.must("PutRolePolicy", "RoleName", "app", "PolicyName", "own", "PolicyDocument", strange)
	c.must("CreateUser", "UserName", "ann")
	c.must("PutUserPolicy", "UserName", "ann", "PolicyName", "own", "PolicyDocument", strange)
	c.must("CreatePolicy", "PolicyName", "shared", "PolicyDocument", strange)
	shared := account + "policy/shared"
	c.must("CreatePolicyVersion", "PolicyArn", shared, "PolicyDocument", strange+"\n", "SetAsDefault", "true")

	for _, r := range []struct {
		want, element, action string
		pairs                 []string
	}{
		{strangeTrust, "AssumeRolePolicyDocument", "GetRole", []string{"RoleName", "app"}},
		{strangeTrust, "AssumeRolePolicyDocument", "UpdateRoleDescription", []string{"RoleName", "app", "Description", "x"}},
		{strange, "PolicyDocument", "GetRolePolicy", []string{"RoleName", "app", "PolicyName", "own"}},
		{strange, "PolicyDocument", "GetUserPolicy", []string{"UserName", "ann", "PolicyName", "own"}},
		{strange, "Document", "GetPolicyVersion", []string{"PolicyArn", shared, "VersionId", "v1"}},
		{strange + "\n", "Document", "GetPolicyVersion", []string{"PolicyArn", shared, "VersionId", "v2"}},
		{strange, "PolicyDocument", "GetAccountAuthorizationDetails", []string{"Filter.member.1", "User", "MaxItems", "1"}},
	} {
		checkDocument(t, r.action, c.only(c.must(r.action, r.pairs...), r.element), r.want)
	}
	details := c.must("GetAccountAuthorizationDetails", "Filter.member.1", "LocalManagedPolicy")
	versions := between(details, "Document")
	if len(versions) != 2 {
		t.Fatalf("got %d versions, want 2", len(versions))
	}
	checkDocument(t, "the default version", versions[0], strange+"\n")
	if got := between(c.must("ListRoles"), "AssumeRolePolicyDocument"); len(got) != 3 {
		t.Errorf("got %d roles, want 3", len(got))
	} else {
		checkDocument(t, "ListRoles", got[0], strangeTrust)
	}
}

var unreserved = regexp.MustCompile(`^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$`)

func checkDocument(t *testing.T, what, got, want string) {
	t.Helper()
	if !unreserved.MatchString(got) {
		t.Errorf("%s: got %q, want nothing but unreserved characters and escapes", what, got)
	}
	for _, decode := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
		if plain, err := decode(got); err != nil || plain != want {
			t.Errorf("%s: got %q, %v; want %q", what, plain, err, want)
		}
	}
}

// A trust policy that names who is not there is refused with the sentence that Terraform waits on (spec §2.7, §3.2).
func TestPrincipals(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	world(c)
	userID, roleID := c.only(c.must("GetUser", "UserName", "ann"), "UserId"), c.only(c.must("GetRole", "RoleName", "app"), "RoleId")
	other := strings.Replace(account, idpooltest.Account, "999999999999", 1)
	for principal, there := range map[string]bool{
		"*": true, idpooltest.Account: true, "999999999999": true, account + "root": true, other + "root": true,
		account + "user/people/ann": true, account + "role/service/app": true, userID: true, roleID: true,
		"arn:aws:sts::" + idpooltest.Account + ":assumed-role/app/s": true,

		account + "user/ann": false, account + "user/people/Ann": false, account + "user/none": false, account + "role/app": false,
		account + "role/none": false, "AIDAAAAAAAAAAAAAAAAAA": false, "AROAAAAAAAAAAAAAAAAAA": false,
		other + "user/people/ann": false, other + "role/service/app": false,
		"arn:aws:sts::" + idpooltest.Account + ":assumed-role/none/s":   false,
		"arn:aws:sts::" + idpooltest.Account + ":federated-user/ann":    false,
		"arn:aws:sts::999999999999:assumed-role/app/s":                  false,
		"arn:aws:iam::" + idpooltest.Account + ":user/people/ann' OR '": false,
	} {
		document := strings.Replace(trust, account+"user/people/ann", principal, 1)
		for _, r := range [][]string{
			{"CreateRole", "RoleName", "new", "AssumeRolePolicyDocument", document},
			{"UpdateAssumeRolePolicy", "RoleName", "app", "PolicyDocument", document},
		} {
			if there {
				c.must(r[0], r[1:]...)
				continue
			}
			if got, want := c.refused(400, "MalformedPolicyDocument", r[0], r[1:]...), `Invalid principal in policy: "AWS":"`+principal+`"`; got != want {
				t.Errorf("%s: got %q, want %q", r[0], got, want)
			}
		}
		if there {
			c.must("DeleteRole", "RoleName", "new")
		}
	}
}

// A user who is made again under the name of one that was trusted is not trusted (spec §2.2); one who was renamed is.
func TestTrustIsInTheUserAndNotInHisName(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	c.must("CreateUser", "UserName", "ann", "Path", "/people/")
	id := c.only(c.must("GetUser", "UserName", "ann"), "UserId")
	c.must("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", trust)
	names := func() string {
		t.Helper()
		current, err := s.Source.Current()
		if err != nil {
			t.Fatal(err)
		}
		return current.RoleNamed("app").Trust.Statements()[0].Principals[0].Name
	}
	if got := names(); got != id {
		t.Errorf("the engine trusts %s, want %s", got, id)
	}
	c.must("DeleteUser", "UserName", "ann")
	c.must("CreateUser", "UserName", "ann", "Path", "/people/")
	c.must("UpdateRole", "RoleName", "app", "MaxSessionDuration", "7200") // writes the role again
	if got := names(); got != id {
		t.Errorf("the engine trusts %s, want %s", got, id)
	}
	checkDocument(t, "GetRole", c.only(c.must("GetRole", "RoleName", "app"), "AssumeRolePolicyDocument"), trust)
	c.must("UpdateAssumeRolePolicy", "RoleName", "app", "PolicyDocument", trust)
	if got, want := names(), c.only(c.must("GetUser", "UserName", "ann"), "UserId"); got != want || got == id {
		t.Errorf("the engine trusts %s, want %s", got, want)
	}
}

// Security E5: a role that trusts our issuer says which pools; one that does not say which kind of login leaves a note.
func TestTrustOfOurIssuer(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	trusting := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},` +
			`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` + condition + `}}}`
	}
	const want = "A role that trusts cognito-identity.amazonaws.com must limit cognito-identity.amazonaws.com:aud to the ids of identity pools."
	aud := `"StringEquals":{"cognito-identity.amazonaws.com:aud":"` + s.Dev.PoolID + `"}`
	amr := `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`
	for _, condition := range []string{"", amr, `"StringLike":{"cognito-identity.amazonaws.com:aud":"us-east-1:*"}`} {
		for _, r := range [][]string{
			{"CreateRole", "RoleName", "new", "AssumeRolePolicyDocument", trusting(condition)},
			{"UpdateAssumeRolePolicy", "RoleName", "dev-authenticated", "PolicyDocument", trusting(condition)},
		} {
			if got := c.refused(400, "MalformedPolicyDocument", r[0], r[1:]...); got != want {
				t.Errorf("%s with %s: got %q, want %q", r[0], condition, got, want)
			}
		}
	}
	c.must("CreateRole", "RoleName", "any", "AssumeRolePolicyDocument", trusting(aud))
	c.must("CreateRole", "RoleName", "one", "AssumeRolePolicyDocument", trusting(aud+","+amr))
	notes := map[string]int{}
	for _, r := range s.Records() {
		for _, step := range r.Steps {
			if step.Name == "lint" && r.Outcome == "ok" {
				notes[step.Subject]++
			}
		}
	}
	if len(notes) != 1 || notes[account+"role/any"] != 1 {
		t.Errorf("got notes on %v, want one on the role any", notes)
	}
}
