package authority

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"idpool/internal/policy"
)

const alice = "us-east-1:11111111-2222-3333-4444-555555555555"

func mustTemplate(t testing.TB, kind, text string, guest bool) *Template {
	t.Helper()
	out, err := ParseTemplate([]byte(text), DialectOf(kind), guest)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// statements is a policy of the new version.
func statements(all ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(all, ", ") + `]}`
}

func allow(action, resource string) string {
	return `{"Effect": "Allow", "Action": ` + action + `, "Resource": ` + resource + `}`
}

func TestFill(t *testing.T) {
	prefix := allow(`"s3:*"`, `"arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*"`)
	guidPrefix := allow(`"s3:*"`, `"arn:aws:s3:::b/${idpool:GUID}/?/*"`)
	team := allow(`["s3:GetObject"]`, `["arn:aws:s3:::b/${aws:PrincipalTag/Team}/*", "arn:aws:s3:::b/all/*"]`)
	listing := `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": {
		"StringLike": {"s3:prefix": ["${idpool:guid}/*", "x"]}, "Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}}`
	deny := `{"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}`
	for name, c := range map[string]struct {
		kind, text string
		tags       map[string]string
		want       string
	}{
		"AWS": {"aws", statements(prefix), nil,
			`[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/us-east-1:11111111-2222-3333-4444-555555555555/*"]}]`},
		"Ceph": {"ceph", statements(guidPrefix), nil,
			`[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/11111111-2222-3333-4444-555555555555/?/*"]}]`},
		"tag": {"ceph", statements(team), map[string]string{"team": "red & blue"},
			`[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/red & blue/*","arn:aws:s3:::b/all/*"]}]`},
		"no tag": {"ceph", statements(team), nil, `[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/all/*"]}]`},
		"only the tag is missing": {"ceph", statements(guidPrefix, allow(`"s3:*"`, `"arn:aws:s3:::${aws:PrincipalTag/Team}/*"`)), nil,
			`[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/11111111-2222-3333-4444-555555555555/?/*"]}]`},
		"condition": {"ceph", statements(listing), nil,
			`[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::b"],"Condition":{"Bool":{"aws:SecureTransport":["true"]},"NumericLessThan":{"s3:max-keys":["10"]},"StringLike":{"s3:prefix":["11111111-2222-3333-4444-555555555555/*","x"]}}}]`},
		"deny": {"minio", statements(prefix, deny), nil,
			`[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/us-east-1:11111111-2222-3333-4444-555555555555/*"]},{"Effect":"Deny","Action":["s3:DeleteObject"],"Resource":["*"]}]`},
		"characters that stand for others, on AWS": {"aws", statements(team), map[string]string{"team": "a*b?c$d"},
			`[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::b/a${*}b${?}c${$}d/*","arn:aws:s3:::b/all/*"]}]`},
		"a default": {"ceph", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${aws:PrincipalTag/Team, 'none'}/*"`)), nil,
			`[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/none/*"]}]`},
	} {
		got, err := mustTemplate(t, c.kind, c.text, false).Fill(Keys(alice, "us-east-1:p", c.tags))
		if want := `{"Version":"2012-10-17","Statement":` + c.want + `}`; err != nil || got != want {
			t.Errorf("%s: got\n%s\n%v, want\n%s", name, got, err, want)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	team := statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"`))
	denied := statements(allow(`"s3:*"`, `"*"`), `{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}`)
	unless := statements(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}}`)
	for name, c := range map[string]struct {
		kind, text string
		tags       map[string]string
		want       string
	}{
		"nothing is left":              {"ceph", team, nil, "permits nothing"},
		"a prohibition without value":  {"ceph", denied, nil, "has no value"},
		"an exception without value":   {"ceph", unless, nil, "permits nothing"},
		"an empty tag":                 {"ceph", team, map[string]string{"team": ""}, "permits nothing"},
		"a star":                       {"ceph", team, map[string]string{"team": "a*"}, "cannot be written"},
		"a question mark":              {"minio", team, map[string]string{"team": "?"}, "cannot be written"},
		"a variable of the store":      {"minio", team, map[string]string{"team": "${jwt:sub}"}, "cannot be written"},
		"a backslash":                  {"aws", team, map[string]string{"team": `a\b`}, "cannot be written"},
		"a colon":                      {"ceph", team, map[string]string{"team": "a:b"}, "takes no colon"},
		"a character outside Latin-1":  {"aws", team, map[string]string{"team": "日本"}, "cannot be written"},
		"a control character":          {"aws", team, map[string]string{"team": "a\x00"}, "cannot be written"},
		"too long":                     {"aws", team, map[string]string{"team": strings.Repeat("x", maxPolicy)}, "more than the 2048"},
		"too long where it is escaped": {"aws", team, map[string]string{"team": strings.Repeat("*", maxPolicy/3)}, "more than the 2048"},
	} {
		got, err := mustTemplate(t, c.kind, c.text, false).Fill(Keys(alice, "us-east-1:p", c.tags))
		if err == nil || got != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v, want a refusal: %s", name, got, err, c.want)
		}
		for _, v := range c.tags {
			if err != nil && len(v) > 4 && strings.Contains(err.Error(), v) {
				t.Errorf("%s: the refusal repeats a value: %v", name, err)
			}
		}
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	for name, c := range map[string]struct{ kind, text, want string }{
		"no policy":            {"aws", `{`, "MalformedPolicyDocument"},
		"the old version":      {"aws", `{"Version":"2008-10-17","Statement":[` + allow(`"s3:*"`, `"*"`) + `]}`, "2012-10-17"},
		"NotAction":            {"aws", statements(`{"Effect":"Deny","NotAction":"s3:*","Resource":"*"}`), "NotAction"},
		"NotResource":          {"ceph", statements(`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}`), "NotAction"},
		"an unknown variable":  {"aws", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${aws:userid}/*"`)), "not known"},
		"one of the store":     {"minio", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${jwt:sub}/*"`)), "not known"},
		"an unknown service":   {"ceph", statements(allow(`["s3:*", "logs:*"]`, `"*"`)), "does not have"},
		"a colon for Ceph":     {"ceph", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*"`)), "write ${idpool:guid}"},
		"a variable as a date": {"aws", statements(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"${aws:PrincipalTag/ip}"}}}`), ""},
		"too long":             {"aws", statements(allow(`"s3:*"`, `"arn:aws:s3:::`+strings.Repeat("x", 2000)+`"`)), "more than"},
		"prohibitions alone":   {"aws", statements(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`), "permits nothing"},
	} {
		if got, err := ParseTemplate([]byte(c.text), DialectOf(c.kind), false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want a refusal: %s", name, got, err, c.want)
		}
	}
}

// What guests get is what the template and the scope-down both allow.
func TestGuestTemplates(t *testing.T) {
	for _, c := range []struct{ kind, actions, want string }{
		{"ceph", `"*"`, `["s3:*"]`},
		{"ceph", `"s3:*"`, `["s3:*"]`},
		{"ceph", `["s3:GetObject", "S3:Put*"]`, `["s3:GetObject","S3:Put*"]`},
		{"aws", `["s3:GetObject", "iam:*", "ec2:RunInstances"]`, `["s3:GetObject"]`},
		{"aws", `["kms:Encrypt", "kms:DisableKey"]`, `["kms:Encrypt"]`},
		{"aws", `"sagemaker:*"`, `["sagemaker:InvokeEndpoint"]`},
		{"aws", `"geo:*Geofence*"`, ""}, // crosses geo:*Geofence
		{"aws", `"iam:*"`, ""},          // nothing left
	} {
		tpl, err := ParseTemplate([]byte(statements(allow(c.actions, `"*"`))), DialectOf(c.kind), true)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s %s: is taken for guests: %+v", c.kind, c.actions, tpl)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", c.actions, err)
		}
		got, err := tpl.Fill(Keys(alice, "us-east-1:p", nil))
		if want := statementsOf(c.want); err != nil || got != want {
			t.Errorf("%s %s: got\n%s, %v, want\n%s", c.kind, c.actions, got, err, want)
		}
	}
	for _, kind := range Kinds() {
		text, err := GuestTemplate(DialectOf(kind)).Fill(Keys(alice, "us-east-1:p", nil))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if decide(t, text, "s3:GetObject", "arn:aws:s3:::b/x") != true || decide(t, text, "iam:CreateUser", "*") {
			t.Errorf("%s: guests may do what they may not, or the other way about: %s", kind, text)
		}
	}
}

func statementsOf(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":["*"]}]}`
}

// decide asks our engine what a filled session policy says, beside a role that may do everything.
func decide(t testing.TB, text, action, resource string) bool {
	t.Helper()
	session, err := policy.Parse(policy.KindSession, []byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	everything, err := policy.Parse(policy.KindIdentity, []byte(statements(allow(`"*"`, `"*"`))))
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Policies{Identity: []policy.Named{{Name: "role", Document: everything}}, Session: []policy.Named{{Name: "session", Document: session}}}
	return p.Decide(&policy.Request{Action: action, Resource: resource, Context: new(policy.Context)}).Allowed
}

// A substituted session policy allows nothing outside its identity's own prefixes, whatever the values are: it is refused,
// or what it allows begins with the prefix byte for byte.
func TestSessionPoliciesStayInside(t *testing.T) {
	seed := rand.Int63()
	r := rand.New(rand.NewSource(seed))
	t.Logf("seed %d", seed)
	const letters = `abAB01-_./:=+@ *?$\{}"'<>&é日` + "\x00\n"
	value := func() string {
		runes := []rune(letters)
		var b strings.Builder
		for range 1 + r.Intn(8) {
			b.WriteRune(runes[r.Intn(len(runes))])
		}
		return b.String()
	}
	hex := func() string {
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", r.Uint32(), r.Intn(1<<16), r.Intn(1<<16), r.Intn(1<<16), r.Int63n(1<<48))
	}
	text := statements(allow(`["s3:GetObject", "s3:PutObject"]`, `["arn:aws:s3:::b/home/${idpool:guid}/*", "arn:aws:s3:::b/team/${aws:PrincipalTag/team}/*"]`))
	filled, refused, inside := 0, 0, 0
	for range 4000 {
		kind := Kinds()[r.Intn(len(dialects))]
		id, team := "us-east-1:"+hex(), value()
		policyText, err := mustTemplate(t, kind, text, r.Intn(2) == 0).Fill(Keys(id, "us-east-1:p", map[string]string{"team": team}))
		if err != nil {
			refused++
			continue
		}
		filled++
		own := []string{"home/" + id[10:] + "/", "team/" + team + "/"}
		for range 20 {
			name := mutate(r, own[r.Intn(2)], value())
			allowed := decide(t, policyText, "s3:GetObject", "arn:aws:s3:::b/"+name)
			if begins := strings.HasPrefix(name, own[0]) || strings.HasPrefix(name, own[1]); allowed != begins {
				t.Fatalf("%s, team %q: %q: got %v, want %v\n%s", kind, team, name, allowed, begins, policyText)
			}
			if allowed {
				inside++
			}
		}
		for _, elsewhere := range []string{"arn:aws:s3:::b", "arn:aws:s3:::c/" + own[0] + "x", "arn:aws:s3:::b/x", "*"} {
			if decide(t, policyText, "s3:GetObject", elsewhere) {
				t.Fatalf("%s: %s is allowed by %s", kind, elsewhere, policyText)
			}
		}
		if decide(t, policyText, "s3:DeleteObject", "arn:aws:s3:::b/"+own[0]+"x") {
			t.Fatalf("%s: another action is allowed by %s", kind, policyText)
		}
	}
	if filled < 500 || refused < 500 || inside < 500 {
		t.Errorf("got %d policies, %d refusals and %d names inside, which proves little", filled, refused, inside)
	}
}

// mutate returns a name in the prefix, or one that almost is.
func mutate(r *rand.Rand, prefix, tail string) string {
	at := r.Intn(len(prefix))
	switch r.Intn(6) {
	case 0:
		return prefix[:at] + tail
	case 1:
		return prefix[:at] + "x" + prefix[at+1:] + tail
	case 2:
		return prefix[:at] + tail + prefix[at:] + "a"
	case 3:
		return strings.ToUpper(prefix) + tail
	}
	return prefix + tail
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		by, p string
		want  bool
	}{
		{"s3:*", "s3:Get*", true}, {"s3:*", "S3:*", true}, {"s3:Get*", "s3:*", false}, {"*", "s3:?et", true},
		{"geo:*Geofence", "geo:PutGeofence", true}, {"geo:*Geofence", "geo:*Geofences", false}, {"geo:*Geofence", "geo:Put*Geofence", false},
		{"s3:G?t", "s3:Get", true}, {"s3:G?t", "s3:Gt", false}, {"s3:Get", "s3:GetObject", false},
	} {
		if got := holds(c.by, c.p); got != c.want {
			t.Errorf("%s holds %s: got %v", c.by, c.p, got)
		}
	}
}
