package pool

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

const account = "111122223333"

// wantFault fails unless err is the fault with code and sentence, or nil where the sentence is empty.
func wantFault(t *testing.T, err error, code fault.Code, sentence string) {
	t.Helper()
	if sentence == "" {
		if err != nil {
			t.Errorf("got %v, want none", err)
		}
		return
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code || f.Message != sentence {
		t.Errorf("got %v, want %s: %s", err, code, sentence)
	}
}

func tags(n int) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprintf("key-%d", i)] = "value"
	}
	return out
}

func TestValidate(t *testing.T) {
	const (
		issuer = "arn:aws:iam::111122223333:oidc-provider/login.example.com/tenant"
		saml   = "arn:aws:iam::111122223333:saml-provider/corp"
	)
	userPool := CognitoProvider{ProviderName: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", ClientID: "app"}
	otherApp := CognitoProvider{ProviderName: userPool.ProviderName, ClientID: "other"}
	social := func(keys ...string) map[string]string {
		out := map[string]string{}
		for _, k := range keys {
			out[k] = "app"
			if k == "api.twitter.com" {
				out[k] = "key;secret"
			}
		}
		return out
	}
	badARN := func(text string) string { return "Invalid identity provider ARN: " + text }
	for _, c := range []struct {
		name     string
		pool     Pool
		sentence string // of an InvalidParameter; empty for a valid pool
	}{
		{"nothing", Pool{}, ""},
		{"everything", Pool{
			LoginProviders: social("accounts.google.com", "api.twitter.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com", "www.digits.com"), DeveloperProvider: "login.mycompany", OIDCProviders: []string{issuer},
			CognitoProviders: []CognitoProvider{userPool, otherApp}, SAMLProviders: []string{saml}, Tags: tags(50),
		}, ""},

		{"unknown login provider", Pool{LoginProviders: social("login.example.com")}, "Invalid login provider: login.example.com"},
		{"login provider with a scheme", Pool{LoginProviders: social("https://accounts.google.com")}, "Invalid login provider: https://accounts.google.com"},
		{"login provider in upper case", Pool{LoginProviders: social("Accounts.google.com")}, "Invalid login provider: Accounts.google.com"},
		{"login provider without an app", Pool{LoginProviders: map[string]string{"www.amazon.com": ""}}, "Invalid login provider: www.amazon.com"},
		{"Twitter without its secret", Pool{LoginProviders: map[string]string{"api.twitter.com": "key"}}, "Invalid login provider: api.twitter.com"},
		{"Twitter with an empty secret", Pool{LoginProviders: map[string]string{"api.twitter.com": "key;"}}, "Invalid login provider: api.twitter.com"},
		{"Twitter with an empty key", Pool{LoginProviders: map[string]string{"api.twitter.com": ";secret"}}, "Invalid login provider: api.twitter.com"},
		{"Twitter with more", Pool{LoginProviders: map[string]string{"api.twitter.com": "a;b;c"}}, "Invalid login provider: api.twitter.com"},
		{"Twitter with its secret sealed", Pool{LoginProviders: map[string]string{"api.twitter.com": "key"}, AppSecrets: map[string][]byte{"api.twitter.com": {1}}}, ""},
		{"Google twice", Pool{LoginProviders: social("accounts.google.com"), OIDCProviders: []string{"arn:aws:iam::111122223333:oidc-provider/accounts.google.com"}}, "Invalid login provider: accounts.google.com"},
		{"our own issuer", Pool{LoginProviders: social("cognito-identity.amazonaws.com")}, "Invalid login provider: cognito-identity.amazonaws.com"},
		{"a bad one among good ones", Pool{LoginProviders: social("accounts.google.com", "x", "www.amazon.com")}, "Invalid login provider: x"},

		{"user pool without a name", Pool{CognitoProviders: []CognitoProvider{{ClientID: "app"}}}, "Invalid Cognito Identity Provider"},
		{"user pool without a client", Pool{CognitoProviders: []CognitoProvider{{ProviderName: userPool.ProviderName}}}, "Invalid Cognito Identity Provider"},
		{"user pool at another host", Pool{CognitoProviders: []CognitoProvider{{ProviderName: "login.example.com/eu-west-1_abc", ClientID: "app"}}}, "Invalid Cognito Identity Provider"},
		{"user pool by its URL", Pool{CognitoProviders: []CognitoProvider{{ProviderName: "https://" + userPool.ProviderName, ClientID: "app"}}}, "Invalid Cognito Identity Provider"},
		{"user pool twice", Pool{CognitoProviders: []CognitoProvider{userPool}, OIDCProviders: []string{"arn:aws:iam::111122223333:oidc-provider/" + userPool.ProviderName}}, "Invalid Cognito Identity Provider"},
		{"user pool without its id", Pool{CognitoProviders: []CognitoProvider{userPool, {ProviderName: "cognito-idp.eu-west-1.amazonaws.com", ClientID: "app"}}}, "Invalid Cognito Identity Provider"},

		{"OIDC: no ARN", Pool{OIDCProviders: []string{"https://login.example.com"}}, badARN("https://login.example.com")},
		{"OIDC: empty", Pool{OIDCProviders: []string{""}}, badARN("")},
		{"OIDC: another account", Pool{OIDCProviders: []string{"arn:aws:iam::999922223333:oidc-provider/x"}}, badARN("arn:aws:iam::999922223333:oidc-provider/x")},
		{"OIDC: no account", Pool{OIDCProviders: []string{"arn:aws:iam:::oidc-provider/x"}}, badARN("arn:aws:iam:::oidc-provider/x")},
		{"OIDC: another service", Pool{OIDCProviders: []string{"arn:aws:sts::111122223333:oidc-provider/x"}}, badARN("arn:aws:sts::111122223333:oidc-provider/x")},
		{"OIDC: another kind", Pool{OIDCProviders: []string{saml}}, badARN(saml)},
		{"OIDC: a role", Pool{OIDCProviders: []string{"arn:aws:iam::111122223333:role/oidc-provider/x"}}, badARN("arn:aws:iam::111122223333:role/oidc-provider/x")},
		{"OIDC: a wildcard", Pool{OIDCProviders: []string{"arn:aws:iam::111122223333:oidc-provider/*"}}, badARN("arn:aws:iam::111122223333:oidc-provider/*")},
		{"OIDC: a line feed", Pool{OIDCProviders: []string{issuer + "\n"}}, badARN(issuer + "\n")},
		{"OIDC: twice", Pool{OIDCProviders: []string{issuer, issuer}}, badARN(issuer)},
		{"OIDC: the second", Pool{OIDCProviders: []string{issuer, "x"}}, badARN("x")},
		{"SAML: another kind", Pool{SAMLProviders: []string{issuer}}, badARN(issuer)},
		{"SAML: another account", Pool{SAMLProviders: []string{"arn:aws:iam::999922223333:saml-provider/x"}}, badARN("arn:aws:iam::999922223333:saml-provider/x")},
		{"SAML: twice", Pool{SAMLProviders: []string{saml, saml}}, badARN(saml)},

		// Security D10: a developer provider must not pose as another.
		{"developer: Google", Pool{DeveloperProvider: "accounts.google.com"}, "Invalid developer provider name: accounts.google.com"},
		{"developer: Amazon", Pool{DeveloperProvider: "www.amazon.com"}, "Invalid developer provider name: www.amazon.com"},
		{"developer: Twitter", Pool{DeveloperProvider: "api.twitter.com"}, "Invalid developer provider name: api.twitter.com"},
		{"developer: Apple", Pool{DeveloperProvider: "appleid.apple.com"}, "Invalid developer provider name: appleid.apple.com"},
		{"developer: Facebook", Pool{DeveloperProvider: "graph.facebook.com"}, "Invalid developer provider name: graph.facebook.com"},
		{"developer: Digits", Pool{DeveloperProvider: "www.digits.com"}, "Invalid developer provider name: www.digits.com"},
		{"developer: ourselves", Pool{DeveloperProvider: "cognito-identity.amazonaws.com"}, "Invalid developer provider name: cognito-identity.amazonaws.com"},
		{"developer: an OIDC provider of the pool", Pool{DeveloperProvider: "login.example.com", OIDCProviders: []string{"arn:aws:iam::111122223333:oidc-provider/login.example.com"}}, "Invalid developer provider name: login.example.com"},
		{"developer: an OIDC provider of the pool, with its path", Pool{DeveloperProvider: "login.example.com/tenant", OIDCProviders: []string{issuer}}, "Invalid developer provider name: login.example.com/tenant"},
		{"developer: the end of an OIDC provider's name", Pool{DeveloperProvider: "example.com", OIDCProviders: []string{"arn:aws:iam::111122223333:oidc-provider/login.example.com"}}, ""},
		{"developer: a user pool of the pool", Pool{DeveloperProvider: userPool.ProviderName, CognitoProviders: []CognitoProvider{userPool}}, "Invalid developer provider name: " + userPool.ProviderName},

		{"51 tags", Pool{Tags: tags(51)}, "A pool can have at most 50 tags."},
		{"tags of all that is allowed", Pool{Tags: map[string]string{"Äß 中文 09 _.:/=+-@": "", "aws": "aws:", "xaws:": ""}}, ""},
		{"tag of AWS", Pool{Tags: map[string]string{"aws:x": ""}}, "Invalid tag: aws:x"},
		{"tag of AWS in another case", Pool{Tags: map[string]string{"AwS:x": ""}}, "Invalid tag: AwS:x"},
		{"tag of AWS with the long s", Pool{Tags: map[string]string{"awſ:x": ""}}, "Invalid tag: awſ:x"},
		{"tag key with a star", Pool{Tags: map[string]string{"a*": ""}}, "Invalid tag: a*"},
		{"tag key with a line feed", Pool{Tags: map[string]string{"a\n": ""}}, "Invalid tag: a\n"},
		{"tag value with a variable", Pool{Tags: map[string]string{"a": "${x}"}}, "Invalid tag: a"},
		{"tag value that is no UTF-8", Pool{Tags: map[string]string{"a": "\xff"}}, "Invalid tag: a"},
		{"tag value with a tab", Pool{Tags: map[string]string{"a": "\t"}}, "Invalid tag: a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantFault(t, c.pool.Validate(account), fault.InvalidParameter, c.sentence)
		})
	}
}

// TestValidateSaysTheSame: of several faults the same is reported each time, though maps have no order.
func TestValidateSaysTheSame(t *testing.T) {
	bad := map[string]string{}
	for i := range 20 {
		bad[fmt.Sprintf("bad*%02d", i)] = "app"
	}
	mappings := map[string]RoleMapping{}
	for key := range bad {
		mappings[key] = RoleMapping{}
	}
	for name, c := range map[string]struct {
		validate func() error
		sentence string
	}{
		"login providers": {func() error { return (&Pool{LoginProviders: bad}).Validate(account) }, "Invalid login provider: bad*00"},
		"tags":            {func() error { return (&Pool{Tags: bad}).Validate(account) }, "Invalid tag: bad*00"},
		"role mappings": {
			func() error { return (&Pool{RoleMappings: mappings}).ValidateRoles() },
			"bad*00 is not a valid RoleMapping ProviderName or is not a configured provider.",
		},
	} {
		for range 20 {
			wantFault(t, c.validate(), fault.InvalidParameter, c.sentence)
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

func TestHasProviders(t *testing.T) {
	for name, c := range map[string]struct {
		pool Pool
		want bool
	}{
		"none":      {Pool{AllowUnauthenticated: true, Roles: map[string]string{Authenticated: "x"}, LoginProviders: map[string]string{}}, false},
		"social":    {Pool{LoginProviders: map[string]string{"accounts.google.com": "app"}}, true},
		"developer": {Pool{DeveloperProvider: "login.mycompany"}, true},
		"OIDC":      {Pool{OIDCProviders: []string{"x"}}, true},
		"user pool": {Pool{CognitoProviders: []CognitoProvider{{}}}, true},
		"SAML":      {Pool{SAMLProviders: []string{"x"}}, true},
	} {
		if got := c.pool.HasProviders(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// full is a pool with every field set.
func full() Pool {
	return Pool{
		ID: "eu-west-1:11111111-1111-4111-8111-111111111111", Name: "shop", Created: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
		AllowUnauthenticated: true, AllowClassic: new(false),
		LoginProviders: map[string]string{"accounts.google.com": "app"}, DeveloperProvider: "login.mycompany",
		OIDCProviders:    []string{"arn:aws:iam::111122223333:oidc-provider/login.example.com"},
		CognitoProviders: []CognitoProvider{{ProviderName: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", ClientID: "app", ServerSideCheck: new(true)}},
		SAMLProviders:    []string{"arn:aws:iam::111122223333:saml-provider/corp"},
		Tags:             map[string]string{"team": "a<b"},
		Roles:            map[string]string{Authenticated: "arn:aws:iam::111122223333:role/Auth"},
		RoleMappings: map[string]RoleMapping{"accounts.google.com": {Type: TypeRules, Ambiguous: Deny, Rules: []Rule{
			{Claim: "job", MatchType: NotEqual, Value: "intern", RoleARN: "arn:aws:iam::111122223333:role/Staff"},
		}}},
		PrincipalTags: map[string]TagMap{"a": {Defaults: true}, "b": {Tags: map[string]string{"team": "department"}}},
	}
}

// TestJSON: what is stored reads back as it was, and the names in the store stay what they are.
func TestJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		pool Pool
		want []string // the JSON, a member a line
	}{
		{"nothing", Pool{}, []string{
			`{"id":"","name":"","created":"0001-01-01T00:00:00Z","allow_unauthenticated":false}`,
		}},
		{"everything", full(), []string{
			`{"id":"eu-west-1:11111111-1111-4111-8111-111111111111","name":"shop","created":"2026-01-02T03:04:05.678Z",`,
			`"allow_unauthenticated":true,"allow_classic":false,"login_providers":{"accounts.google.com":"app"},`,
			`"developer_provider":"login.mycompany","oidc_providers":["arn:aws:iam::111122223333:oidc-provider/login.example.com"],`,
			`"cognito_providers":[{"provider_name":"cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc","client_id":"app","server_side_check":true}],`,
			`"saml_providers":["arn:aws:iam::111122223333:saml-provider/corp"],"tags":{"team":"a\u003cb"},`,
			`"roles":{"authenticated":"arn:aws:iam::111122223333:role/Auth"},`,
			`"role_mappings":{"accounts.google.com":{"type":"Rules","ambiguous":"Deny","rules":[`,
			`{"claim":"job","match_type":"NotEqual","value":"intern","role_arn":"arn:aws:iam::111122223333:role/Staff"}]}},`,
			`"principal_tags":{"a":{"defaults":true},"b":{"tags":{"team":"department"}}}}`,
		}},
	} {
		text, err := json.Marshal(c.pool)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if d := gocmp.Diff(string(text), strings.Join(c.want, "")); d != "" {
			t.Errorf("%s: JSON (-got +want):\n%s", c.name, d)
		}
		var back Pool
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if d := gocmp.Diff(back, c.pool); d != "" {
			t.Errorf("%s: read back (-got +want):\n%s", c.name, d)
		}
	}
}

// TestClassicHasThreeStates: false and never set are told apart also in the store (spec §11.1).
func TestClassicHasThreeStates(t *testing.T) {
	for text, want := range map[string]*bool{`{}`: nil, `{"allow_classic":true}`: new(true), `{"allow_classic":false}`: new(false)} {
		var p Pool
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(p.AllowClassic, want); d != "" || strings.Contains(string(again), "allow_classic") != (want != nil) {
			t.Errorf("%s: got %v, %s (-got +want):\n%s", text, p.AllowClassic, again, d)
		}
	}
}

func TestTagMapEffective(t *testing.T) {
	defaults := map[string]string{"client": "aud", "username": "sub"}
	for name, c := range map[string]struct {
		tags TagMap
		want map[string]string
	}{
		"none":     {TagMap{}, nil},
		"own":      {TagMap{Tags: map[string]string{"team": "department"}}, map[string]string{"team": "department"}},
		"defaults": {TagMap{Defaults: true}, defaults},
	} {
		if d := gocmp.Diff(c.tags.Effective(), c.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", name, d)
		}
	}
}

// TestSplitApp: Twitter's app has its secret in the value of the wire.
func TestSplitApp(t *testing.T) {
	for _, c := range []struct{ key, value, app, secret string }{
		{"api.twitter.com", "key;secret", "key", "secret"},
		{"api.twitter.com", "key", "key", ""},
		{"accounts.google.com", "a;b", "a;b", ""},
		{"www.digits.com", "key;secret", "key;secret", ""},
	} {
		app, secret := SplitApp(c.key, c.value)
		if app != c.app || secret != c.secret || JoinApp(app, secret) != c.value {
			t.Errorf("%s %s: got %s and %s, and %s again", c.key, c.value, app, secret, JoinApp(app, secret))
		}
	}
}
