package sts_test

import (
	"strings"
	"testing"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

// TestSessionToken: the session of a user is the user, but for IAM and most of STS (spec §1.4).
func TestSessionToken(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann")
	got := mustAsk(t, s, ann, "GetSessionToken")
	self := got.signer()
	if got.Body.Credentials.AccessKeyId[:4] != "ASIA" || got.Body.PackedPolicySize != 0 {
		t.Errorf("got %+v", got.Body)
	}
	who := mustAsk(t, s, self, "GetCallerIdentity").Body
	want := mustAsk(t, s, ann, "GetCallerIdentity").Body
	if who.Arn != "arn:aws:iam::"+accountID+":user/ann" || who.UserId != want.UserId || who.Account != accountID || who != want {
		t.Errorf("got %+v, want %+v", who, want)
	}
	list := func() bool { return s.Call("ListIdentityPools", self, map[string]any{"MaxResults": 1}, nil) == nil }
	grant := func(policies ...string) {
		mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(policies) })
	}
	if list() {
		t.Error("a user without permissions has some in his session")
	}
	for condition, want := range map[string]bool{
		``: true, `{"StringEquals":{"aws:username":"ann","aws:PrincipalType":"User"}}`: true,
		`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`: true, `{"Null":{"aws:TokenIssueTime":"false"}}`: true,
		`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`: false, `{"Null":{"aws:TokenIssueTime":"true"}}`: false,
		`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::` + accountID + `:user/ann"}}`: true,
		`{"StringEquals":{"aws:userid":"` + who.UserId + `"}}`:                         true,
	} {
		grant(identityPolicy("Allow", "*", "*", condition))
		if list() != want {
			t.Errorf("%s: allowed %v", condition, !want)
		}
	}
	grant(allow("*", "*"))
	barred(t, s, self, "arn:aws:iam::"+accountID+":user/ann", "GetSessionToken", "AssumeRole")
	putRole(t, s, "r", trusting(account12, "", ""), nil)
	if _, err := assumeRole(s, self, "r"); err != nil {
		t.Errorf("AssumeRole: %v", err)
	}
	for _, more := range [][]string{{"SerialNumber", "arn:aws:iam::111122223333:mfa/ann"}, {"TokenCode", "123456"}} {
		_, err := ask(s, ann, "GetSessionToken", more...)
		wantFault(t, s, err, 400, "ValidationError", "SerialNumber and TokenCode are for MFA devices")
	}
	for _, seconds := range []string{"899", "129601", "-1"} {
		_, err := ask(s, ann, "GetSessionToken", "DurationSeconds", seconds)
		wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	}
	mustAsk(t, s, ann, "GetSessionToken", "DurationSeconds", "129600")
	_, err := ask(s, nil, "GetSessionToken")
	wantFault(t, s, err, 403, "MissingAuthenticationToken", "")
}

// barred checks what no session that stands on a user may call, whatever its policies say.
func barred(t *testing.T, s *idpooltest.Server, signer *sigv4.Credentials, who, kind string, except ...string) {
	t.Helper()
	for _, call := range [][]string{
		{"AssumeRole", "RoleArn", roleARN("r"), "RoleSessionName", "job"},
		{"GetAccessKeyInfo", "AccessKeyId", signer.AccessKeyID},
		{"AssumeRoot", "TargetPrincipal", accountID, "TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
		{"GetDelegatedAccessToken", "TradeInToken", "x"},
	} {
		if len(except) > 0 && call[0] == except[0] {
			continue
		}
		_, err := ask(s, signer, call[0], call[1:]...)
		wantFault(t, s, err, 403, "AccessDenied", "Cannot call sts:"+call[0]+" with the credentials of "+kind)
	}
	for _, action := range []string{"GetSessionToken", "GetFederationToken"} {
		_, err := ask(s, signer, action, "Name", "bob")
		wantFault(t, s, err, 403, "AccessDenied", "Cannot call "+action+" with session credentials")
	}
	for _, action := range []string{"GetUser", "ListUsers", "CreateAccessKey"} {
		err := s.Client().Query(t.Context(), "iam", "2010-05-08", action, nil, signer, &struct{}{})
		wantFault(t, s, err, 403, "AccessDenied", "Cannot call iam:"+action+" with the credentials of "+kind)
	}
	if got, err := s.WhoAmI(signer); err != nil || got != who {
		t.Errorf("he is %s, %v; want %s", got, err, who)
	}
}

// TestFederationToken: what both the user and the session policies allow; without any, nothing (spec §1.4).
func TestFederationToken(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	grant := func(policies ...string) {
		mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(policies) })
	}
	const bob = "arn:aws:sts::" + accountID + ":federated-user/bob"
	const list, get = "cognito-identity:ListIdentityPools", "cognito-identity:DescribeIdentityPool"
	works := func(c *sigv4.Credentials) bool {
		return s.Call("ListIdentityPools", c, map[string]any{"MaxResults": 1}, nil) == nil
	}
	for name, tc := range map[string]struct {
		policies []string
		more     []string
		want     bool
	}{
		"no session policy":        {[]string{allow("*", "*")}, nil, false},
		"one that allows":          {[]string{allow("*", "*")}, []string{"Policy", allow(list, "*")}, true},
		"one by ARN":               {[]string{allow("*", "*")}, []string{"PolicyArns.member.1.arn", readOnly}, true},
		"one that does not":        {[]string{allow("*", "*")}, []string{"Policy", allow(get, "*")}, false},
		"one that denies":          {[]string{allow("*", "*")}, []string{"Policy", deny(list, "*"), "PolicyArns.member.1.arn", readOnly}, false},
		"more than the user has":   {[]string{allow("sts:*", "*")}, []string{"Policy", allow("*", "*")}, false},
		"what the user is denied":  {[]string{allow("*", "*"), deny(list, "*")}, []string{"Policy", allow("*", "*")}, false},
		"by his type":              {[]string{identityPolicy("Allow", list, "*", `{"StringEquals":{"aws:PrincipalType":"FederatedUser","aws:userid":"`+accountID+`:bob"}}`), allow("sts:*", "*")}, []string{"Policy", allow("*", "*")}, true},
		"by his ARN":               {[]string{identityPolicy("Allow", list, "*", `{"ArnEquals":{"aws:PrincipalArn":"`+bob+`"}}`), allow("sts:*", "*")}, []string{"Policy", allow("*", "*")}, true},
		"by the user's name":       {[]string{identityPolicy("Allow", list, "*", `{"StringEquals":{"aws:username":"ann"}}`), allow("sts:*", "*")}, []string{"Policy", allow("*", "*")}, false},
		"by a tag":                 {[]string{identityPolicy("Allow", list, "*", `{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`), allow("sts:*", "*")}, append([]string{"Policy", allow("*", "*")}, tagged("Team", "blue")...), true},
		"by a tag of another team": {[]string{identityPolicy("Allow", list, "*", `{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`), allow("sts:*", "*")}, append([]string{"Policy", allow("*", "*")}, tagged("Team", "red")...), false},
	} {
		grant(tc.policies...)
		got, err := ask(s, ann, "GetFederationToken", append([]string{"Name", "bob"}, tc.more...)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Body.FederatedUser.Arn != bob || got.Body.FederatedUser.FederatedUserId != accountID+":bob" || (got.Body.PackedPolicySize > 0) != (len(tc.more) > 0) {
			t.Errorf("%s: got %+v", name, got.Body)
		}
		if works(got.signer()) != tc.want {
			t.Errorf("%s: allowed %v", name, !tc.want)
		}
		who := mustAsk(t, s, got.signer(), "GetCallerIdentity").Body
		if who.Arn != bob || who.UserId != accountID+":bob" || who.Account != accountID {
			t.Errorf("%s: he is %+v", name, who)
		}
	}
	grant(allow("*", "*"))
	// The user's own tags are behind the session's.
	mustChangeUser(t, s, "ann", func(u *account.User) {
		u.Tags = map[string]string{"team": "blue", "cost": "7"}
		u.Inline = inline([]string{allow("sts:*", "*"), identityPolicy("Allow", list, "*", `{"StringEquals":{"aws:PrincipalTag/team":"red","aws:PrincipalTag/cost":"7"}}`)})
	})
	if got := mustAsk(t, s, ann, "GetFederationToken", append([]string{"Name", "bob", "Policy", allow("*", "*")}, tagged("TEAM", "red")...)...); !works(got.signer()) {
		t.Error("a session tag does not take the place of the user's, or his others are gone")
	}
	grant(allow("*", "*"))
	barred(t, s, mustAsk(t, s, ann, "GetFederationToken", "Name", "bob", "Policy", allow("*", "*")).signer(), bob, "GetFederationToken")

	for name, tc := range map[string]struct {
		policies []string
		more     []string
		action   string
	}{
		"nothing allowed":      {nil, nil, "sts:GetFederationToken"},
		"another name allowed": {[]string{allow("sts:GetFederationToken", "arn:aws:sts::"+accountID+":federated-user/eve")}, nil, "sts:GetFederationToken"},
		"denied":               {[]string{allow("*", "*"), deny("sts:GetFederationToken", "*")}, nil, "sts:GetFederationToken"},
		"tags not allowed":     {[]string{allow("sts:GetFederationToken", "*")}, tagged("a", "b"), "sts:TagSession"},
		"these tags not":       {[]string{identityPolicy("Allow", "sts:*", "*", `{"StringEquals":{"aws:RequestTag/a":"c"}}`)}, tagged("a", "b"), "sts:GetFederationToken"},
	} {
		grant(tc.policies...)
		_, err := ask(s, ann, "GetFederationToken", append([]string{"Name", "bob"}, tc.more...)...)
		t.Log(name)
		wantFault(t, s, err, 403, "AccessDenied", "User: arn:aws:iam::"+accountID+":user/ann is not authorized to perform: "+tc.action+" on resource: "+bob)
	}
	grant(allow("*", "*"))
	for _, more := range [][]string{{"Name", "b"}, {"Name", strings.Repeat("b", 33)}, {"Name", "b/c"}, {"Name", "b:c"}, {"Name", "b*"}, {"Name", "bob", "DurationSeconds", "899"}, {"Name", "bob", "Policy", strings.Repeat(" ", 2049)}} {
		_, err := ask(s, ann, "GetFederationToken", more...)
		wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	}
	_, err := ask(s, ann, "GetFederationToken", "Name", "bob", "Policy", "{}")
	wantFault(t, s, err, 400, "MalformedPolicyDocument", "")
	_, err = ask(s, ann, "GetFederationToken", "Name", "bob", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/Missing")
	wantFault(t, s, err, 400, "ValidationError", "Policy arn:aws:iam::aws:policy/Missing does not exist or is not attachable.")
}

// TestSessionsOfRolesCannotFederate: a session of a role makes roles' sessions alone.
func TestSessionsOfRolesCannotFederate(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	putRole(t, s, "r", trusting(account12, "", ""), nil, allow("*", "*"))
	session, err := assumeRole(s, ann, "r")
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"GetSessionToken", "GetFederationToken"} {
		_, err := ask(s, session.signer(), action, "Name", "bob")
		wantFault(t, s, err, 403, "AccessDenied", "Cannot call "+action+" with session credentials")
	}
}

// TestSessionsEndWithTheirUser: with the user, with the key that made them, and with neither coming back under its name.
func TestSessionsEndWithTheirUser(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	const invalid = "The security token included in the request is invalid."
	for name, end := range map[string]func(u *account.User) bool{
		"the key is deactivated": func(u *account.User) bool { u.Keys[0].Active = false; return true },
		"the key is deleted":     func(u *account.User) bool { u.Keys = nil; return true },
		"the user is made again": func(u *account.User) bool { u.ID = "AIDA" + strings.Repeat("B", 17); return true },
		"the user is deleted":    func(*account.User) bool { return false },
		"the key is another's":   nil,
	} {
		ann := mustUser(t, s, "ann", allow("*", "*"))
		signers := map[string]*sigv4.Credentials{
			"self":      mustAsk(t, s, ann, "GetSessionToken").signer(),
			"federated": mustAsk(t, s, ann, "GetFederationToken", "Name", "bob", "Policy", allow("*", "*")).signer(),
		}
		for who, c := range signers {
			if _, err := s.WhoAmI(c); err != nil {
				t.Fatalf("%s, %s: %v", name, who, err)
			}
		}
		old := snapshotOf(t, s).UserNamed("ann")
		changed := old.User
		changed.Keys = append([]account.AccessKey{}, old.Keys...)
		switch {
		case end == nil:
			mustUser(t, s, "eve")
			mustChangeUser(t, s, "eve", func(u *account.User) { u.Keys = append(u.Keys, old.Keys...) })
			changed.Keys = nil
			fallthrough
		case end(&changed):
			if err := s.Source.Write(t.Context(), snapshot.PutUser(&changed, old.Version)); err != nil {
				t.Fatal(err)
			}
		default:
			if err := s.Source.Write(t.Context(), snapshot.DeleteUser("ann", old.Version)); err != nil {
				t.Fatal(err)
			}
		}
		for who, c := range signers {
			_, err := ask(s, c, "GetCallerIdentity")
			t.Log(name, who)
			wantFault(t, s, err, 403, "InvalidClientTokenId", invalid)
		}
		if now := snapshotOf(t, s).UserNamed("ann"); now != nil {
			if err := s.Source.Write(t.Context(), snapshot.DeleteUser("ann", now.Version)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAccessKeyInfo: the account is in the key's id, whether or not there is such a key.
func TestAccessKeyInfo(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("sts:GetAccessKeyInfo", "*"))
	for key, want := range map[string]string{ann.AccessKeyID: accountID, "ASIAY34FZKBOKMUTVV7A": "609629065308", "ASIAQNZGKIQY56JQ7WML": "029608264753"} {
		if got := mustAsk(t, s, ann, "GetAccessKeyInfo", "AccessKeyId", key); got.Body.Account != want {
			t.Errorf("%s: got %s, want %s", key, got.Body.Account, want)
		}
	}
	for _, key := range []string{"AKIAIOSFODNN7EXAMPLE", "asiay34fzkbokmutvv7a", strings.Repeat("A", 128), "ASIAY34FZKBOKMUT"} {
		_, err := ask(s, ann, "GetAccessKeyInfo", "AccessKeyId", key)
		wantFault(t, s, err, 400, "ValidationError", "The access key id does not carry an account.")
	}
	for _, key := range []string{"ASIA", "ASIAY34FZKBOKMUTVV7-", strings.Repeat("A", 129)} {
		_, err := ask(s, ann, "GetAccessKeyInfo", "AccessKeyId", key)
		wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	}
	_, err := ask(s, mustUser(t, s, "bob"), "GetAccessKeyInfo", "AccessKeyId", ann.AccessKeyID)
	wantFault(t, s, err, 403, "AccessDenied", "User: arn:aws:iam::"+accountID+":user/bob is not authorized to perform: sts:GetAccessKeyInfo on resource: *")
}

// TestWhatIsNotHere: operations for organizations and product providers are refused by name.
func TestWhatIsNotHere(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	const who = "User: arn:aws:iam::" + accountID + ":user/ann is not authorized to perform: sts:"
	_, err := ask(s, ann, "AssumeRoot", "TargetPrincipal", accountID, "TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy")
	wantFault(t, s, err, 403, "AccessDenied", who+"AssumeRoot: there is no organization")
	_, err = ask(s, ann, "AssumeRoot", "TargetPrincipal", accountID, "TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy", "DurationSeconds", "901")
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	_, err = ask(s, ann, "AssumeRoot", "TargetPrincipal", accountID)
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	_, err = ask(s, ann, "GetDelegatedAccessToken", "TradeInToken", "x")
	wantFault(t, s, err, 403, "AccessDenied", who+"GetDelegatedAccessToken: there are no delegations")
}
