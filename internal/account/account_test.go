package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/fault"
)

const (
	allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	trustOwn = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"eu-west-1:pool"}}}}`
)

// wantFault fails unless err is a fault with the code, and its sentence where one is given; nil where code is empty.
func wantFault(t *testing.T, err error, code fault.Code, sentence string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("got %v, want none", err)
		}
		return
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code || sentence != "" && f.Message != sentence {
		t.Errorf("got %v, want %s: %s", err, code, sentence)
	}
}

func role(change func(*Role)) *Role {
	r := &Role{Name: "Auth", Path: "/", MaxSession: 3600, Trust: trustOwn}
	change(r)
	return r
}

const (
	badName    = "The name or its path is invalid."
	badSession = "The MaxSessionDuration must be from 3600 to 43200 seconds."
	badPolicy  = "The policy name is invalid."
)

// names are names and paths of roles and users, and whether they are valid.
var names = []struct {
	name, path string
	valid      bool
}{
	{"Auth", "/", true},
	{"a", "/", true},
	{"A_+=,.@-z09", "/", true},
	{strings.Repeat("a", 64), "/", true},
	{"Auth", "/a/", true},
	{"Auth", "/division/team/", true},
	{"Auth", "/" + strings.Repeat("a", 510) + "/", true},
	{"", "/", false},
	{strings.Repeat("a", 65), "/", false},
	{"a b", "/", false},
	{"a/b", "/", false},
	{"a*", "/", false},
	{"a:b", "/", false},
	{"Auth\n", "/", false},
	{"\nAuth", "/", false},
	{"Auth\x00", "/", false},
	{"Äuth", "/", false},
	{"Auth", "", false},
	{"Auth", "a", false},
	{"Auth", "/a", false},
	{"Auth", "a/", false},
	{"Auth", "/a b/", false},
	{"Auth", "/a/\n", false},
	{"Auth", "/ä/", false},
	{"Auth", "/" + strings.Repeat("a", 511) + "/", false},
}

func TestNames(t *testing.T) {
	for _, c := range names {
		code := fault.Validation
		if c.valid {
			code = ""
		}
		wantFault(t, role(func(r *Role) { r.Name, r.Path = c.name, c.path }).Validate(), code, badName)
		wantFault(t, (&User{Name: c.name, Path: c.path}).Validate(), code, badName)
		if t.Failed() {
			t.Fatalf("name %.70q, path %.70q", c.name, c.path)
		}
	}
}

func TestRoleValidate(t *testing.T) {
	for name, c := range map[string]struct {
		role     *Role
		code     fault.Code
		sentence string
	}{
		"plain":              {role(func(*Role) {}), "", ""},
		"longest session":    {role(func(r *Role) { r.MaxSession = 43200 }), "", ""},
		"session too short":  {role(func(r *Role) { r.MaxSession = 3599 }), fault.Validation, badSession},
		"session too long":   {role(func(r *Role) { r.MaxSession = 43201 }), fault.Validation, badSession},
		"no session":         {role(func(r *Role) { r.MaxSession = 0 }), fault.Validation, badSession},
		"negative session":   {role(func(r *Role) { r.MaxSession = -3600 }), fault.Validation, badSession},
		"no trust policy":    {role(func(r *Role) { r.Trust = "" }), fault.MalformedPolicyDocument, ""},
		"trust is no policy": {role(func(r *Role) { r.Trust = "{}" }), fault.MalformedPolicyDocument, ""},
		"trust is no trust":  {role(func(r *Role) { r.Trust = allowAll }), fault.MalformedPolicyDocument, ""},
		"inline":             {role(func(r *Role) { r.Inline = map[string]string{"p": allowAll} }), "", ""},
		"inline, bad name":   {role(func(r *Role) { r.Inline = map[string]string{"p/q": allowAll} }), fault.Validation, badPolicy},
		"inline, no policy":  {role(func(r *Role) { r.Inline = map[string]string{"p": ""} }), fault.MalformedPolicyDocument, ""},
		"inline, a trust":    {role(func(r *Role) { r.Inline = map[string]string{"p": trustOwn} }), fault.MalformedPolicyDocument, ""},
		"the longest name of a policy": {
			role(func(r *Role) { r.Inline = map[string]string{strings.Repeat("p", 128): allowAll} }), "", "",
		},
		"too long a name of a policy": {
			role(func(r *Role) { r.Inline = map[string]string{strings.Repeat("p", 129): allowAll} }), fault.Validation, badPolicy,
		},
	} {
		t.Run(name, func(t *testing.T) { wantFault(t, c.role.Validate(), c.code, c.sentence) })
	}
}

// TestTrustOfOurIssuer is security E5: a role that trusts our issuer must say which pools, with values that bind.
func TestTrustOfOurIssuer(t *testing.T) {
	const own, aud = `{"Federated":"cognito-identity.amazonaws.com"}`, `"cognito-identity.amazonaws.com:aud"`
	const unbound = "A role that trusts cognito-identity.amazonaws.com must limit cognito-identity.amazonaws.com:aud to the ids of identity pools."
	statement := func(effect, principal, action, condition string) string {
		return fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":%q,"Condition":{%s}}`, effect, principal, action, condition)
	}
	const web = "sts:AssumeRoleWithWebIdentity"
	pinned := statement("Allow", own, web, `"StringEquals":{`+aud+`:"eu-west-1:pool"}`)
	for _, c := range []struct {
		name       string
		statements string
		ok         bool
	}{
		{"one pool", pinned, true},
		{"two pools", statement("Allow", own, web, `"StringEquals":{`+aud+`:["eu-west-1:a","eu-west-1:b"]}`), true},
		{"StringLike without wildcards", statement("Allow", own, web, `"StringLike":{`+aud+`:"eu-west-1:pool"}`), true},
		{"a key in another case", statement("Allow", own, web, `"StringEquals":{"Cognito-Identity.amazonaws.com:AUD":"eu-west-1:pool"}`), true},
		{"with amr as well", statement("Allow", own, web, `"StringEquals":{`+aud+`:"eu-west-1:pool"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`), true},
		{"another issuer", statement("Allow", `{"Federated":"arn:aws:iam::111122223333:oidc-provider/login.example.com"}`, web, ""), true},
		{"an account", statement("Allow", `{"AWS":"111122223333"}`, "sts:AssumeRole", ""), true},
		{"another action", statement("Allow", own, "sts:TagSession", ""), true},
		{"Deny", pinned + "," + statement("Deny", own, web, ""), true},

		{"no condition", statement("Allow", own, web, ""), false},
		{"amr alone", statement("Allow", own, web, `"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}`), false},
		{"a wildcard", statement("Allow", own, web, `"StringLike":{`+aud+`:"eu-west-1:*"}`), false},
		{"a wildcard beside a pool", statement("Allow", own, web, `"StringLike":{`+aud+`:["eu-west-1:pool","*"]}`), false},
		{"all but a pool", statement("Allow", own, web, `"StringNotEquals":{`+aud+`:"eu-west-1:pool"}`), false},
		{"IfExists", statement("Allow", own, web, `"StringEqualsIfExists":{`+aud+`:"eu-west-1:pool"}`), false},
		{"ForAllValues", statement("Allow", own, web, `"ForAllValues:StringEquals":{`+aud+`:"eu-west-1:pool"}`), false},
		{"Null", statement("Allow", own, web, `"Null":{`+aud+`:"false"}`), false},
		{"a variable", statement("Allow", own, web, `"StringEquals":{`+aud+`:"${cognito-identity.amazonaws.com:aud}"}`), false},
		{"aud of another issuer", statement("Allow", own, web, `"StringEquals":{"login.example.com:aud":"eu-west-1:pool"}`), false},
		{"an action by wildcard", statement("Allow", own, "sts:*", ""), false},
		{"a second statement without", pinned + "," + statement("Allow", own, web, ""), false},
		{"one of two issuers", statement("Allow", `{"Federated":["login.example.com","cognito-identity.amazonaws.com"]}`, web, ""), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, sentence := fault.MalformedPolicyDocument, unbound
			if c.ok {
				code, sentence = "", ""
			}
			trust := `{"Version":"2012-10-17","Statement":[` + c.statements + `]}`
			r := role(func(r *Role) { r.Trust = trust })
			wantFault(t, r.PinsPools(), code, sentence)
			wantFault(t, r.Validate(), "", "")
		})
	}
}

func TestUserValidate(t *testing.T) {
	for name, c := range map[string]struct {
		inline   map[string]string
		code     fault.Code
		sentence string
	}{
		"none":      {nil, "", ""},
		"one":       {map[string]string{"p": allowAll}, "", ""},
		"bad name":  {map[string]string{"p*": allowAll}, fault.Validation, badPolicy},
		"no name":   {map[string]string{"": allowAll}, fault.Validation, badPolicy},
		"no policy": {map[string]string{"p": "[]"}, fault.MalformedPolicyDocument, ""},
	} {
		u := User{Name: "ann", Path: "/", Inline: c.inline}
		t.Run(name, func(t *testing.T) { wantFault(t, u.Validate(), c.code, c.sentence) })
	}
}

func TestManagedPolicyValidate(t *testing.T) {
	const badName, noDefault = "The policy name or its path is invalid.", "The default version does not exist."
	for name, c := range map[string]struct {
		policy   ManagedPolicy
		code     fault.Code
		sentence string
	}{
		"plain":               {ManagedPolicy{Name: "P", Path: "/", Default: "v1", Versions: map[string]string{"v1": allowAll}}, "", ""},
		"two versions":        {ManagedPolicy{Name: "P", Path: "/p/", Default: "v2", Versions: map[string]string{"v1": allowAll, "v2": allowAll}}, "", ""},
		"the longest name":    {ManagedPolicy{Name: strings.Repeat("P", 128), Path: "/", Default: "v1", Versions: map[string]string{"v1": allowAll}}, "", ""},
		"too long a name":     {ManagedPolicy{Name: strings.Repeat("P", 129), Path: "/", Default: "v1", Versions: map[string]string{"v1": allowAll}}, fault.Validation, badName},
		"no name":             {ManagedPolicy{Path: "/", Default: "v1", Versions: map[string]string{"v1": allowAll}}, fault.Validation, badName},
		"no path":             {ManagedPolicy{Name: "P", Default: "v1", Versions: map[string]string{"v1": allowAll}}, fault.Validation, badName},
		"too long a path":     {ManagedPolicy{Name: "P", Path: "/" + strings.Repeat("p", 511) + "/", Default: "v1", Versions: map[string]string{"v1": allowAll}}, fault.Validation, badName},
		"no versions":         {ManagedPolicy{Name: "P", Path: "/", Default: "v1"}, fault.Validation, noDefault},
		"no default":          {ManagedPolicy{Name: "P", Path: "/", Versions: map[string]string{"v1": allowAll}}, fault.Validation, noDefault},
		"default of another":  {ManagedPolicy{Name: "P", Path: "/", Default: "v2", Versions: map[string]string{"v1": allowAll}}, fault.Validation, noDefault},
		"no policy":           {ManagedPolicy{Name: "P", Path: "/", Default: "v1", Versions: map[string]string{"v1": "x"}}, fault.MalformedPolicyDocument, ""},
		"no policy, not used": {ManagedPolicy{Name: "P", Path: "/", Default: "v1", Versions: map[string]string{"v1": allowAll, "v2": "x"}}, fault.MalformedPolicyDocument, ""},
	} {
		t.Run(name, func(t *testing.T) { wantFault(t, c.policy.Validate(), c.code, c.sentence) })
	}
}

func TestOIDCProviderValidate(t *testing.T) {
	const badURL, tooLarge, badClient = "Invalid Open ID Connect Provider URL",
		"Invalid Open ID Connect Provider: at most 255 characters and 100 client ids.",
		"Invalid client id: it must have 1 to 255 characters."
	clients := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("app-%d", i)
		}
		return out
	}
	for name, c := range map[string]struct {
		provider OIDCProvider
		loopback bool
		code     fault.Code
		sentence string
	}{
		"plain":                   {OIDCProvider{Issuer: "https://login.example.com/tenant", ClientIDs: clients(1)}, false, "", ""},
		"no clients yet":          {OIDCProvider{Issuer: "https://login.example.com"}, false, "", ""},
		"100 clients":             {OIDCProvider{Issuer: "https://login.example.com", ClientIDs: clients(100)}, false, "", ""},
		"101 clients":             {OIDCProvider{Issuer: "https://login.example.com", ClientIDs: clients(101)}, false, fault.Validation, tooLarge},
		"the longest client":      {OIDCProvider{Issuer: "https://login.example.com", ClientIDs: []string{strings.Repeat("a", 255)}}, false, "", ""},
		"too long a client":       {OIDCProvider{Issuer: "https://login.example.com", ClientIDs: []string{strings.Repeat("a", 256)}}, false, fault.Validation, badClient},
		"an empty client":         {OIDCProvider{Issuer: "https://login.example.com", ClientIDs: []string{"app", ""}}, false, fault.Validation, badClient},
		"no issuer":               {OIDCProvider{}, false, fault.Validation, badURL},
		"http":                    {OIDCProvider{Issuer: "http://login.example.com"}, false, fault.Validation, badURL},
		"http, loopback allowed":  {OIDCProvider{Issuer: "http://login.example.com"}, true, fault.Validation, badURL},
		"loopback":                {OIDCProvider{Issuer: "http://127.0.0.1:8080"}, false, fault.Validation, badURL},
		"loopback, allowed":       {OIDCProvider{Issuer: "http://127.0.0.1:8080"}, true, "", ""},
		"too long an issuer":      {OIDCProvider{Issuer: "https://login.example.com/" + strings.Repeat("a", 255)}, false, fault.Validation, badURL},
		"an issuer with a secret": {OIDCProvider{Issuer: "https://me:secret@login.example.com"}, false, fault.Validation, badURL},
	} {
		t.Run(name, func(t *testing.T) { wantFault(t, c.provider.Validate(c.loopback), c.code, c.sentence) })
	}
}

func TestARN(t *testing.T) {
	const account = "111122223333"
	for _, c := range []struct{ got, want string }{
		{(&Role{Name: "R", Path: "/"}).ARN(account), "arn:aws:iam::111122223333:role/R"},
		{(&Role{Name: "R", Path: "/a/b/"}).ARN(account), "arn:aws:iam::111122223333:role/a/b/R"},
		{(&User{Name: "U", Path: "/a/"}).ARN(account), "arn:aws:iam::111122223333:user/a/U"},
		{(&ManagedPolicy{Name: "P", Path: "/a/"}).ARN(account), "arn:aws:iam::111122223333:policy/a/P"},
		{(&OIDCProvider{Issuer: "https://login.example.com/x"}).ARN(account), "arn:aws:iam::111122223333:oidc-provider/login.example.com/x"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

var (
	made    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	someMap = map[string]string{"k": "v"}
)

// TestJSON: what is stored reads back as it was, and the names in the store stay what they are.
func TestJSON(t *testing.T) {
	testJSON(t, Role{"R", "/", "AROA1", made, "{}", someMap, "d", 3600, someMap, []string{"a"}, "b", someMap},
		`{"name":"R","path":"/","id":"AROA1","created":"2026-01-02T03:04:05Z","trust":"{}","principals":{"k":"v"},"description":"d","max_session":3600,`+
			`"inline":{"k":"v"},"attached":["a"],"boundary":"b","tags":{"k":"v"}}`)
	testJSON(t, Role{}, `{"name":"","path":"","id":"","created":"0001-01-01T00:00:00Z","trust":"","max_session":0}`)
	testJSON(t, User{"U", "/", "AIDA1", made, someMap, []string{"a"}, "b", someMap, []AccessKey{{"AKIA1", true, made, []byte{0, 255}}}},
		`{"name":"U","path":"/","id":"AIDA1","created":"2026-01-02T03:04:05Z","inline":{"k":"v"},"attached":["a"],"boundary":"b","tags":{"k":"v"},`+
			`"keys":[{"id":"AKIA1","active":true,"created":"2026-01-02T03:04:05Z","sealed_secret":"AP8="}]}`)
	testJSON(t, User{}, `{"name":"","path":"","id":"","created":"0001-01-01T00:00:00Z"}`)
	testJSON(t, ManagedPolicy{"P", "/", "ANPA1", made, "v1", someMap, someMap, "d", made, map[string]time.Time{"v1": made}, 5},
		`{"name":"P","path":"/","id":"ANPA1","created":"2026-01-02T03:04:05Z","default":"v1","versions":{"k":"v"},"tags":{"k":"v"},`+
			`"description":"d","updated":"2026-01-02T03:04:05Z","dates":{"v1":"2026-01-02T03:04:05Z"},"latest":5}`)
	testJSON(t, ManagedPolicy{}, `{"name":"","path":"","id":"","created":"0001-01-01T00:00:00Z","default":"","versions":null}`)
	testJSON(t, OIDCProvider{"https://login.example.com", []string{"c"}, []string{"t"}, made, someMap},
		`{"issuer":"https://login.example.com","client_ids":["c"],"thumbprints":["t"],"created":"2026-01-02T03:04:05Z","tags":{"k":"v"}}`)
}

func testJSON[T any](t *testing.T, document T, want string) {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(string(text), want); d != "" {
		t.Errorf("JSON (-got +want):\n%s", d)
	}
	var back T
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(back, document); d != "" {
		t.Errorf("read back (-got +want):\n%s", d)
	}
}
