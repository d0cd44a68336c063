package sts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
)

// refusesRole checks that a role is not assumed, in the sentence that every refusal of AssumeRole has.
func refusesRole(t *testing.T, s *idpooltest.Server, name, who, action, role string, err error) {
	t.Helper()
	t.Log(name)
	wantFault(t, s, err, 403, "AccessDenied", "User: "+who+" is not authorized to perform: "+action+" on resource: "+roleARN(role))
	if err != nil && strings.Contains(err.Error(), "because") {
		t.Errorf("%s: the sentence says why: %v", name, err)
	}
}

// TestWhoMayAssume is the table of spec §1.9: what the trust policy says, what the caller's own policies say, and who it is.
func TestWhoMayAssume(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	const annARN, bobARN = "arn:aws:iam::" + accountID + ":user/ann", "arn:aws:iam::" + accountID + ":user/bob"
	const hopRole, hopSession = "arn:aws:iam::" + accountID + ":role/hop", "arn:aws:sts::" + accountID + ":assumed-role/hop/job"
	ann := mustUser(t, s, "ann")
	mustUser(t, s, "bob")
	putRole(t, s, "hop", trusting(aws(annARN), "", ""), nil)
	hop := mustAsk(t, s, ann, "AssumeRole", "RoleArn", hopRole, "RoleSessionName", "job").signer()
	cut := mustAsk(t, s, ann, "AssumeRole", "RoleArn", hopRole, "RoleSessionName", "job", "Policy", allow("s3:*", "*")).signer()
	self := mustAsk(t, s, ann, "GetSessionToken").signer()
	may, all := allow("sts:AssumeRole", roleARN("target")), allow("*", "*")
	callers := map[string]struct {
		arn    string
		signer *sigv4.Credentials
		grant  func(policies ...string)
	}{
		"user": {annARN, ann, func(p ...string) {
			mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(p) })
		}},
		"user's session": {annARN, self, func(p ...string) {
			mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(p) })
		}},
		"role session":     {hopSession, hop, func(p ...string) { regrant(t, s, "hop", p) }},
		"role session cut": {hopSession, cut, func(p ...string) { regrant(t, s, "hop", p) }},
	}
	type row struct {
		trust    string
		policies []string
		ok       bool
	}
	anyone := map[string]row{
		"the account, and he may not":             {trusting(account12, "", ""), nil, false},
		"the account's root, and he may not":      {trusting(aws("arn:aws:iam::"+accountID+":root"), "", ""), nil, false},
		"everybody, and he may not":               {trusting(aws("*"), "", ""), nil, false},
		"everybody as a star, and he may not":     {trusting(`"*"`, "", ""), nil, false},
		"the account, and he may another role":    {trusting(account12, "", ""), []string{allow("sts:AssumeRole", roleARN("other"))}, false},
		"the account, and he may something else":  {trusting(account12, "", ""), []string{allow("sts:TagSession", "*"), allow("iam:*", "*")}, false},
		"the account, and he is denied":           {trusting(account12, "", ""), []string{all, deny("sts:AssumeRole", "*")}, false},
		"another account":                         {trusting(aws("999999999999"), "", ""), []string{all}, false},
		"another user":                            {trusting(aws(bobARN), "", ""), []string{all}, false},
		"another role":                            {trusting(aws(roleARN("other")), "", ""), []string{all}, false},
		"another session of the role":             {trusting(aws(hopSession+"2"), "", ""), []string{all}, false},
		"a federated user of his name":            {trusting(aws("arn:aws:sts::"+accountID+":federated-user/ann"), "", ""), []string{all}, false},
		"a provider":                              {trusting(`{"Federated":"arn:aws:iam::`+accountID+`:oidc-provider/x.example"}`, `"sts:AssumeRole*"`, ""), []string{all}, false},
		"a service":                               {trusting(`{"Service":"ec2.amazonaws.com"}`, "", ""), []string{all}, false},
		"another action":                          {trusting(aws("*"), `["sts:TagSession","sts:AssumeRoleWithSAML"]`, ""), []string{all}, false},
		"a Deny in the trust policy":              {policyOf(trustStatement("Allow", account12, `"sts:AssumeRole"`, "") + "," + trustStatement("Deny", aws("*"), `"sts:AssumeRole"`, "")), []string{all}, false},
		"a condition that does not hold":          {trusting(account12, "", `{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}`), []string{all}, false},
		"an external id that is not given":        {trusting(account12, "", `{"StringEquals":{"sts:ExternalId":"x-1"}}`), []string{all}, false},
		"another name of the session":             {trusting(account12, "", `{"StringEquals":{"sts:RoleSessionName":"other"}}`), []string{all}, false},
		"MFA":                                     {trusting(account12, "", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), []string{all}, false},
		"no source identity":                      {trusting(account12, "", `{"StringLike":{"sts:SourceIdentity":"*"}}`), []string{all}, false},
		"nobody at all, and he is denied himself": {trusting(aws(annARN), "", ""), []string{deny("sts:*", "*")}, false},
	}
	for who, c := range callers {
		for name, r := range anyone {
			c.grant(r.policies...)
			putRole(t, s, "target", r.trust, nil)
			_, err := assumeRole(s, c.signer, "target")
			refusesRole(t, s, who+": "+name, c.arn, "sts:AssumeRole", "target", err)
		}
		c.grant(all)
		_, err := assumeRole(s, c.signer, "missing")
		refusesRole(t, s, who+": no such role", c.arn, "sts:AssumeRole", "missing", err)
	}
	for name, r := range map[string]struct {
		who string
		row
	}{
		"a user by name":                     {"user", row{trusting(aws(annARN), "", ""), nil, true}},
		"a user's session by the user's":     {"user's session", row{trusting(aws(annARN), "", ""), nil, true}},
		"a user by name, who is denied":      {"user", row{trusting(aws(annARN), "", ""), []string{deny("*", "*")}, false}},
		"a user by his account":              {"user", row{trusting(account12, "", ""), []string{may}, true}},
		"a user by root":                     {"user", row{trusting(aws("arn:aws:iam::"+accountID+":root"), "", ""), []string{may}, true}},
		"a user by a star":                   {"user", row{trusting(aws("*"), "", ""), []string{may}, true}},
		"a session by its role":              {"role session", row{trusting(aws(hopRole), "", ""), nil, true}},
		"a session by itself":                {"role session", row{trusting(aws(hopSession), "", ""), nil, true}},
		"a session by its account":           {"role session", row{trusting(account12, "", ""), []string{may}, true}},
		"a session by its role, denied":      {"role session", row{trusting(aws(hopRole), "", ""), []string{deny("*", "*")}, false}},
		"a cut session by its role":          {"role session cut", row{trusting(aws(hopRole), "", ""), []string{all}, false}},
		"a cut session by its account":       {"role session cut", row{trusting(account12, "", ""), []string{all}, false}},
		"a cut session by itself":            {"role session cut", row{trusting(aws(hopSession), "", ""), nil, true}},
		"a condition on who it is":           {"role session", row{trusting(account12, "", `{"ArnEquals":{"aws:PrincipalArn":"`+hopRole+`"}}`), []string{may}, true}},
		"a condition on who it is not":       {"user", row{trusting(account12, "", `{"ArnEquals":{"aws:PrincipalArn":"`+hopRole+`"}}`), []string{may}, false}},
		"a user by name and by his username": {"user", row{trusting(account12, "", `{"StringEquals":{"aws:username":"ann"}}`), []string{may}, true}},
	} {
		c := callers[r.who]
		c.grant(r.policies...)
		putRole(t, s, "target", r.trust, nil)
		got, err := assumeRole(s, c.signer, "target")
		if !r.ok {
			refusesRole(t, s, name, c.arn, "sts:AssumeRole", "target", err)
			continue
		}
		if err != nil || got.Body.AssumedRoleUser.Arn != "arn:aws:sts::"+accountID+":assumed-role/target/job" {
			t.Errorf("%s: got %+v, %v", name, got.Body.AssumedRoleUser, err)
		}
		if got.Body.PackedPolicySize != 0 || got.Body.SourceIdentity != "" {
			t.Errorf("%s: got %+v, want neither a size nor a source identity", name, got.Body)
		}
		if who, err := s.WhoAmI(got.signer()); err != nil || who != got.Body.AssumedRoleUser.Arn {
			t.Errorf("%s: he is %s, %v", name, who, err)
		}
	}
}

func regrant(t *testing.T, s *idpooltest.Server, role string, policies []string) {
	t.Helper()
	old := snapshotOf(t, s).RoleNamed(role)
	putRole(t, s, role, old.Role.Trust, func(r *account.Role) { r.ID = old.ID }, policies...)
}

// TestDurations: what is asked for is given or refused, and never cut (spec §1.6, security E10).
func TestDurations(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	putRole(t, s, "long", trusting(account12, "", ""), func(r *account.Role) { r.MaxSession = 7200 }, allow("*", "*"))
	chained := mustAsk(t, s, ann, "AssumeRole", "RoleArn", roleARN("long"), "RoleSessionName", "job").signer()
	self := mustAsk(t, s, ann, "GetSessionToken").signer()
	const limit, chain = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
	for _, tc := range []struct {
		signer  *sigv4.Credentials
		seconds string
		want    string // the sentence, or none
	}{
		{ann, "900", ""}, {ann, "3600", ""}, {ann, "7200", ""}, {ann, "7201", limit}, {ann, "43200", limit},
		{chained, "3600", ""}, {chained, "3601", chain}, {chained, "7200", chain}, {self, "3600", ""}, {self, "3601", chain},
		{ann, "899", "1 validation error detected: "}, {ann, "43201", "1 validation error detected: "}, {ann, "-1", "1 validation error detected: "}, {ann, "0", "1 validation error detected: "},
	} {
		got, err := assumeRole(s, tc.signer, "long", "DurationSeconds", tc.seconds)
		if tc.want != "" {
			t.Log(tc.seconds)
			wantFault(t, s, err, 400, "ValidationError", tc.want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.seconds, err)
			continue
		}
		end, err := time.Parse(time.RFC3339, got.Body.Credentials.Expiration)
		if d := time.Until(end); err != nil || fmt.Sprint(int64((d+2*time.Second)/(3*time.Second))) != fmt.Sprint(mustSeconds(t, tc.seconds)/3) {
			t.Errorf("%s: ends in %v, %v", tc.seconds, d, err)
		}
	}
	for _, bad := range []string{"x", "1e3", "3600.0", "99999999999999999999", "+3600", "0x1000"} {
		_, err := assumeRole(s, ann, "long", "DurationSeconds", bad)
		wantFault(t, s, err, 400, "MalformedQueryString", "")
	}
}

func mustSeconds(t *testing.T, text string) int64 {
	t.Helper()
	d, err := time.ParseDuration(text + "s")
	if err != nil {
		t.Fatal(err)
	}
	return int64(d / time.Second)
}

// TestAssumeRoleRefusesWhatIsNotHere, in sentences of their own.
func TestAssumeRoleRefusesWhatIsNotHere(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	putRole(t, s, "r", trusting(account12, "", ""), nil)
	const mfa = "SerialNumber and TokenCode are for MFA devices, which are not supported."
	for name, tc := range map[string]struct {
		more    []string
		message string
	}{
		"a device":         {[]string{"SerialNumber", "arn:aws:iam::" + accountID + ":mfa/ann", "TokenCode", "123456"}, mfa},
		"a code alone":     {[]string{"TokenCode", "123456"}, mfa},
		"a context":        {[]string{"ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/IdentityCenter", "ProvidedContexts.member.1.ContextAssertion", "abcd"}, "ProvidedContexts are for context providers"},
		"no role's ARN":    {[]string{"RoleArn", "arn:aws:iam::" + accountID + ":user/ann"}, "arn:aws:iam::" + accountID + ":user/ann is invalid"},
		"no ARN":           {[]string{"RoleArn", "this is no ARN at all"}, "this is no ARN at all is invalid"},
		"a wildcard":       {[]string{"RoleArn", roleARN("*")}, roleARN("*") + " is invalid"},
		"a trailing space": {[]string{"RoleArn", roleARN("r") + " "}, roleARN("r") + "  is invalid"},
		"a slash":          {[]string{"RoleSessionName", "a/b"}, "1 validation error detected: Value 'a/b' at 'roleSessionName'"},
		"dots and slashes": {[]string{"RoleSessionName", "../../x"}, "1 validation error detected: "},
		"a line break":     {[]string{"RoleSessionName", "a\nb"}, "1 validation error detected: "},
		"a colon":          {[]string{"RoleSessionName", "a:b"}, "1 validation error detected: "},
		"a star":           {[]string{"RoleSessionName", "a*"}, "1 validation error detected: "},
		"a variable":       {[]string{"RoleSessionName", "${aws:userid}"}, "1 validation error detected: "},
		"a short name":     {[]string{"RoleSessionName", "a"}, "1 validation error detected: "},
		"a long name":      {[]string{"RoleSessionName", strings.Repeat("a", 65)}, "1 validation error detected: "},
		"a source of aws":  {[]string{"SourceIdentity", "aws:ann"}, "1 validation error detected: "},
		"a source's slash": {[]string{"SourceIdentity", "a/b"}, "1 validation error detected: "},
		"an external id":   {[]string{"ExternalId", "a b"}, "1 validation error detected: "},
		"a short code":     {[]string{"TokenCode", "12345"}, "2 validation errors"},
	} {
		_, err := assumeRole(s, ann, "r", tc.more...)
		t.Log(name)
		if name == "a short code" {
			wantFault(t, s, err, 400, "ValidationError", "")
			continue
		}
		wantFault(t, s, err, 400, "ValidationError", tc.message)
	}
	_, err := assumeRole(s, ann, "r", "Policy", `{"Version":"2012-10-17","Statement":[]}`)
	wantFault(t, s, err, 400, "MalformedPolicyDocument", "")
	_, err = assumeRole(s, ann, "r", "Policy", policyOf(strings.Repeat(`{"Effect":"Deny","Action":"s3:*","Resource":"*"},`, 400)+`{"Effect":"Allow","Action":"*","Resource":"*"}`))
	wantFault(t, s, err, 400, "PackedPolicyTooLarge", "Packed size of session policies consumes 1")
	_, err = ask(s, nil, "AssumeRole", "RoleArn", roleARN("r"), "RoleSessionName", "job")
	wantFault(t, s, err, 403, "MissingAuthenticationToken", "")
}
