package shape_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"idpool/internal/fault"
	"idpool/internal/shape"
	"idpool/internal/shape/shapetest"
)

func check[T any](t *testing.T, in *T) string {
	t.Helper()
	s, err := shape.Of(identityTable, reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Check(in)
	if err == nil {
		return ""
	}
	if !fault.Is(err, fault.Validation) {
		t.Fatalf("got %v, want a fault of code Validation", err)
	}
	return fault.From(err).Message
}

const (
	goodARN = "arn:aws:iam::123456789012:role/Name"
	goodID  = "us-east-1:1cf667a2-49a6-454b-9e45-23199e000000"
)

// The sentences are those of cognito-identity spec §3.1, and of the services whose captures it cites.
func TestSentences(t *testing.T) {
	const one = "1 validation error detected: "
	pools := func(name string) *createPool {
		return &createPool{IdentityPoolName: &name, AllowUnauthenticatedIdentities: new(true)}
	}
	with := func(change func(*createPool)) *createPool {
		p := pools("name")
		change(p)
		return p
	}
	for name, c := range map[string]struct{ got, want string }{
		"nothing wrong": {check(t, pools("a pool, named so")), ""},
		"pattern": {check(t, pools("what?")),
			one + `Value 'what?' at 'identityPoolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+`},
		"missing": {check(t, &createPool{AllowUnauthenticatedIdentities: new(true)}),
			one + `Value null at 'identityPoolName' failed to satisfy constraint: Member must not be null`},
		"two missing": {check(t, &createPool{}),
			`2 validation errors detected: Value null at 'identityPoolName' failed to satisfy constraint: Member must not be null; ` +
				`Value null at 'allowUnauthenticatedIdentities' failed to satisfy constraint: Member must not be null`},
		"length and pattern": {check(t, pools("")),
			`2 validation errors detected: Value '' at 'identityPoolName' failed to satisfy constraint: Member must have length greater than or equal to 1; ` +
				`Value '' at 'identityPoolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+`},
		"too long": {check(t, pools(strings.Repeat("n", 129))),
			one + `Value '` + strings.Repeat("n", 129) + `' at 'identityPoolName' failed to satisfy constraint: Member must have length less than or equal to 128`},
		"list index": {check(t, with(func(p *createPool) {
			p.CognitoIdentityProviders = []identityProvider{{ClientId: new("fine")}, {ClientId: new("not-fine")}}
		})), one + `Value 'not-fine' at 'cognitoIdentityProviders.2.member.clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w_]+`},
		"scalar in a list": {check(t, with(func(p *createPool) {
			p.OpenIdConnectProviderARNs = []string{goodARN, "arn:short"}
		})), one + `Value '[` + goodARN + `, arn:short]' at 'openIdConnectProviderARNs' failed to satisfy constraint: ` +
			`Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 20]`},
		"map value": {check(t, with(func(p *createPool) {
			p.SupportedLoginProviders = map[string]string{"graph.facebook.com": "7 ", "accounts.google.com": "8"}
		})), one + `Value '{accounts.google.com=8, graph.facebook.com=7 }' at 'supportedLoginProviders' failed to satisfy constraint: ` +
			`Map value must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ` +
			`Member must satisfy regular expression pattern: [\w.;_/-]+]`},
		"map key": {check(t, with(func(p *createPool) {
			p.IdentityPoolTags = map[string]string{"": ""}
		})), one + `Value '{=}' at 'identityPoolTags' failed to satisfy constraint: Map keys must satisfy constraint: ` +
			`[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]`},
		"range, low": {check(t, &listPools{MaxResults: new(int64(0))}),
			one + `Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1`},
		"range, high": {check(t, &listPools{MaxResults: new(int64(61))}),
			one + `Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60`},
		"empty list": {check(t, &deleteIdentities{IdentityIdsToDelete: []string{}}),
			one + `Value '[]' at 'identityIdsToDelete' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		"no list": {check(t, &deleteIdentities{}),
			one + `Value null at 'identityIdsToDelete' failed to satisfy constraint: Member must not be null`},
		"structure in a map": {check(t, &setRoles{
			IdentityPoolId: new(goodID), Roles: map[string]string{},
			RoleMappings: map[string]roleMapping{"accounts.google.com": {Type: new("token")}},
		}), one + `Value 'token' at 'roleMappings.accounts.google.com.member.type' failed to satisfy constraint: Member must satisfy enum value set: [Token, Rules]`},
		"list in a structure in a map": {check(t, &setRoles{
			IdentityPoolId: new(goodID), Roles: map[string]string{"authenticated": goodARN},
			RoleMappings: map[string]roleMapping{"g": {Type: new("Rules"), RulesConfiguration: &rulesConfiguration{
				Rules: []mappingRule{{Claim: new("aud"), MatchType: new("Equals"), Value: new("x")}},
			}}},
		}), one + `Value null at 'roleMappings.g.member.rulesConfiguration.rules.1.member.roleARN' failed to satisfy constraint: Member must not be null`},
		"sensitive map value": {check(t, &getCredentials{IdentityId: new(goodID), Logins: map[string]string{"a": "secret", "b": ""}}),
			one + `Value at 'logins' failed to satisfy constraint: Map value must satisfy constraint: ` +
				`[Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, c.got, c.want)
		}
	}
}

// The constraints of items and of a map's halves are listed whole, the permitted values last.
func TestSentencesOnParts(t *testing.T) {
	type in struct {
		Modes []string          `shape:"modes"`
		Sizes []int64           `shape:"sizes"`
		Rules map[string]string `shape:"rules"`
		Many  map[string]int64  `shape:"many"`
	}
	s := shape.MustOf(shape.Table{
		"mode": shape.Text{Enum: []string{"x", "y"}}, "modes": shape.List{Of: "mode"},
		"size": shape.Integer{Min: 0, Max: 9}, "sizes": shape.List{Of: "size"}, "least": shape.Text{Min: 2},
		"rules": shape.Map{Key: "mode", Value: "least"}, "many": shape.Map{Max: 1, Value: "size"},
	}, reflect.TypeFor[in]())
	got := s.Check(&in{
		Modes: []string{"x", "z"}, Sizes: []int64{9, 10, 11}, Rules: map[string]string{"a": "é"}, Many: map[string]int64{"b": -1, "a": 1},
	})
	const want = `Validation: 6 validation errors detected: ` +
		`Value '[x, z]' at 'modes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x, y]]; ` +
		`Value '[9, 10, 11]' at 'sizes' failed to satisfy constraint: Member must satisfy constraint: ` +
		`[Member must have value less than or equal to 9, Member must have value greater than or equal to 0]; ` +
		`Value '{a=é}' at 'rules' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy enum value set: [x, y]]; ` +
		`Value '{a=é}' at 'rules' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length greater than or equal to 2]; ` +
		`Value '{a=1, b=-1}' at 'many' failed to satisfy constraint: Member must have length less than or equal to 1; ` +
		`Value '{a=1, b=-1}' at 'many' failed to satisfy constraint: Map value must satisfy constraint: ` +
		`[Member must have value less than or equal to 9, Member must have value greater than or equal to 0]`
	if got == nil || got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if err := s.Check(&in{Modes: []string{"y", "x"}, Sizes: []int64{0, 9}, Rules: map[string]string{"x": "ab"}, Many: map[string]int64{"": 0}}); err != nil {
		t.Errorf("got %v, want it to pass", err)
	}
}

// Java counts UTF-16 units: a character outside the basic plane counts twice.
func TestLengthCountsUTF16Units(t *testing.T) {
	const shortest = 20
	for arn, permitted := range map[string]bool{
		strings.Repeat("a", shortest):     true,
		strings.Repeat("é", shortest):     true,
		strings.Repeat("€", shortest):     true,
		strings.Repeat("€", shortest-1):   false,
		strings.Repeat("😀", shortest/2):   true,
		strings.Repeat("😀", shortest/2-1): false,
		strings.Repeat("😀", 1024):         true,
		strings.Repeat("😀", 1024) + "a":   false,
		strings.Repeat("€", 2048):         true,
		strings.Repeat("€", 2049):         false,
	} {
		got := check(t, &getCredentials{IdentityId: new(goodID), CustomRoleArn: &arn}) == ""
		if got != permitted {
			t.Errorf("%d bytes: got %v, want %v", len(arn), got, permitted)
		}
	}
}

// What a caller sends is repeated only up to a bound, never inside a character, and never often.
func TestEchoIsBounded(t *testing.T) {
	long := check(t, &createPool{IdentityPoolName: new("a" + strings.Repeat("é", 600)), AllowUnauthenticatedIdentities: new(true)})
	if want := "Value 'a" + strings.Repeat("é", 511) + "…' at"; !strings.Contains(long, want) {
		t.Errorf("got %q, want at most 1,024 bytes and an ellipsis", long)
	}
	key := strings.Repeat("k", 5000)
	path := check(t, &setRoles{IdentityPoolId: new(goodID), Roles: map[string]string{},
		RoleMappings: map[string]roleMapping{key: {}}})
	if len(path) > 3000 {
		t.Errorf("got %d bytes for a long map key, want a bound", len(path))
	}
	many := createPool{IdentityPoolName: new("n"), AllowUnauthenticatedIdentities: new(true)}
	for i := range 500 {
		many.CognitoIdentityProviders = append(many.CognitoIdentityProviders, identityProvider{ClientId: new(fmt.Sprintf("%d-", i))})
	}
	got := check(t, &many)
	if !strings.HasPrefix(got, "500 validation errors detected: ") || strings.Count(got, "failed to satisfy") != 20 {
		t.Errorf("got %q, want all counted and 20 spelled out", got)
	}
}

func TestEveryRowByItsEdges(t *testing.T) {
	const want = 223
	if got := shapetest.Boundaries(t, identityTable); got != want {
		t.Errorf("got %d values tried, want %d", got, want)
	}
}

func TestCheckWantsItsOwnType(t *testing.T) {
	s := shape.MustOf(identityTable, reflect.TypeFor[listPools]())
	for _, v := range []any{nil, listPools{}, (*listPools)(nil), &getCredentials{}, "text"} {
		err := s.Check(v)
		if err == nil || fault.Is(err, fault.Validation) {
			t.Errorf("%T: got %v, want an error that is no refusal of the caller", v, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := shape.MustOf(identityTable, reflect.TypeFor[getCredentials]())
	in := &getCredentials{IdentityId: new(goodID), Logins: map[string]string{"accounts.google.com": strings.Repeat("t", 1300)}}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Check(in); err != nil {
			b.Fatal(err)
		}
	}
}
