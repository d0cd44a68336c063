package rolemap

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/pool"
)

// providers are those of the table, by the name that it gives them.
var providers = map[string]*login.Provider{
	"a.example": oidc("a.example"),
	"b.example": oidc("b.example"),
	"corp":      {Kind: login.SAML, Key: "arn:aws:iam::111122223333:saml-provider/corp", ARN: "arn:aws:iam::111122223333:saml-provider/corp"},
	"users":     {Kind: login.UserPool, Key: "cognito-idp.us-east-1.amazonaws.com/us-east-1_users"},
	"google":    {Kind: login.Social, Key: "accounts.google.com"},
}

// client is the client id that every login here came through.
const client = "app"

// keyOf is how role mappings name the provider.
func keyOf(name string) string {
	return (&login.Login{Provider: providers[name], Audience: client}).MappingKey()
}

func TestMappingKey(t *testing.T) {
	for name, want := range map[string]string{
		"a.example": "arn:aws:iam::111122223333:oidc-provider/a.example",
		"corp":      "arn:aws:iam::111122223333:saml-provider/corp",
		"users":     "cognito-idp.us-east-1.amazonaws.com/us-east-1_users:app",
		"google":    "accounts.google.com",
	} {
		if got := keyOf(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func oidc(issuer string) *login.Provider {
	return &login.Provider{Kind: login.OIDC, Key: issuer, ARN: "arn:aws:iam::111122223333:oidc-provider/" + issuer, Issuer: "https://" + issuer}
}

var (
	shortRole = regexp.MustCompile(`<(\w+)>`)
	samlName  = regexp.MustCompile(`\[(corp|other)\]`)
)

// long writes role names as ARNs, and those of SAML providers.
func long(s string) string {
	s = samlName.ReplaceAllString(s, "arn:aws:iam::111122223333:saml-provider/$1")
	return shortRole.ReplaceAllString(s, "arn:aws:iam::111122223333:role/$1")
}

// decode reads claims as a verifier does.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(long(text)))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// pool returns the pool that the choice is made in.
func (c *choice) pool() *pool.Pool {
	p := &pool.Pool{Roles: map[string]string{}, RoleMappings: map[string]pool.RoleMapping{}}
	if strings.Contains(c.roles, "a") {
		p.Roles[pool.Authenticated] = long("<auth>")
	}
	if strings.Contains(c.roles, "g") {
		p.Roles[pool.Unauthenticated] = long("<guest>")
	}
	for _, m := range c.mappings {
		one := m.RoleMapping
		one.Rules = nil
		for _, r := range m.Rules {
			r.RoleARN = long(r.RoleARN)
			one.Rules = append(one.Rules, r)
		}
		p.RoleMappings[keyOf(m.provider)] = one
	}
	return p
}

func (c *choice) verified(t testing.TB) []*login.Login {
	t.Helper()
	var out []*login.Login
	for _, l := range c.logins {
		one := &login.Login{Provider: providers[l.provider], Subject: "me", Audience: client, Claims: decode(t, l.claims)}
		if one.Provider.Kind == login.SAML {
			one.Assertion = asserted(one.Claims)
		}
		out = append(out, one)
	}
	return out
}

// asserted is the assertion with the claims as attributes.
func asserted(claims map[string]any) *login.Assertion {
	out := &login.Assertion{Attributes: map[string][]string{}}
	for name, values := range claims {
		if name == "Role" {
			name = login.RoleAttribute
		}
		list, _ := values.([]any)
		for _, v := range list {
			if text, ok := v.(string); ok {
				out.Attributes[name] = append(out.Attributes[name], text)
			}
		}
	}
	return out
}

// refusal returns the fault that an outcome stands for; nil for a role.
func refusal(outcome, custom string) *fault.Error {
	provider, isDenied := strings.CutPrefix(outcome, denied)
	switch {
	case outcome == forbidden:
		return fault.New(fault.NotAuthorized, "Access to Role '%s' is forbidden.", custom)
	case outcome == noRole:
		return fault.New(fault.InvalidIdentityPoolConfiguration, "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	case isDenied:
		return fault.New(fault.NotAuthorized, "The ambiguous role mapping rules for: %s denied this request.", keyOf(provider))
	}
	return nil
}

func wantOutcome(t *testing.T, got Choice, err error, want, custom string) {
	t.Helper()
	refused := refusal(want, long(custom))
	if refused == nil {
		if err != nil || got.RoleARN != long(want) || got.Why == "" {
			t.Errorf("got %+v, %v, want %s", got, err, want)
		}
		return
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != refused.Code || f.Message != refused.Message || got != (Choice{}) {
		t.Errorf("got %+v, %v, want %v", got, err, refused)
	}
}

func TestChoose(t *testing.T) {
	for _, s := range sections {
		for _, c := range s.choices {
			t.Run(s.heading+"/"+c.says, func(t *testing.T) {
				p, logins := c.pool(), c.verified(t)
				got, err := Choose(p, logins, long(c.custom))
				wantOutcome(t, got, err, c.want, c.custom)
				if d := gocmp.Diff(p, c.pool()) + gocmp.Diff(logins, c.verified(t)); d != "" {
					t.Errorf("Choose changed its input (-got +want):\n%s", d)
				}
			})
		}
	}
}

// by returns whether a rule of the match type holds.
func (m *match) by(matchType string) bool {
	return map[string]bool{pool.Equals: m.equals, pool.NotEqual: m.notEqual, pool.StartsWith: m.startsWith, pool.Contains: m.contains}[matchType]
}

var matchTypes = []string{pool.Equals, pool.NotEqual, pool.StartsWith, pool.Contains}

// TestMatches asks every row of the table, as a rule alone and as the only rule of a pool.
func TestMatches(t *testing.T) {
	for _, m := range matches {
		claims := `{"claim":` + m.claim + `}`
		if m.claim == "" {
			claims = `{"other":"` + m.value + `"}`
		}
		for _, matchType := range matchTypes {
			t.Run(matchType+" "+m.value+" of "+m.claim, func(t *testing.T) {
				r := rule("claim", matchType, m.value, "<admin>")
				if got := Matches(&r, decode(t, claims)); got != m.by(matchType) {
					t.Errorf("Matches: got %v, want %v", got, m.by(matchType))
				}
				c := choice{roles: "ag", mappings: byRulesElse(pool.Deny, r), logins: with("a.example", claims), want: denied + "a.example"}
				if m.by(matchType) {
					c.want = "<admin>"
				}
				got, err := Choose(c.pool(), c.verified(t), "")
				wantOutcome(t, got, err, c.want, "")
			})
		}
	}
}

// TestUnknownClaimTypes: what no verifier returns has no text, so it matches nothing.
func TestUnknownClaimTypes(t *testing.T) {
	for _, value := range []any{7, 7.0, []string{"7"}, map[string]string{"7": "7"}, []byte("7"), struct{}{}} {
		for _, matchType := range append(matchTypes, "", "equals") {
			r := rule("claim", matchType, "7", "<admin>")
			if Matches(&r, map[string]any{"claim": value}) {
				t.Errorf("%s of %T %v: got a match", matchType, value, value)
			}
		}
	}
	if r := rule("claim", pool.NotEqual, "7", "<admin>"); Matches(&r, nil) {
		t.Error("NotEqual without any claims: got a match")
	}
}

// TestLongClaims: size changes nothing but time (security E2).
func TestLongClaims(t *testing.T) {
	text := strings.Repeat("a", 10_000) + "IT"
	elements := make([]any, 10_000)
	for i := range elements {
		elements[i] = "HR"
	}
	elements[len(elements)-1] = "IT"
	for _, c := range []struct {
		name      string
		matchType string
		claim     any
		want      bool
	}{
		{"text", pool.Contains, text, true},
		{"text", pool.Equals, text, false},
		{"text", pool.StartsWith, text, false},
		{"text", pool.NotEqual, text, true},
		{"array", pool.Contains, elements, true},
		{"array", pool.Equals, elements, false},
		{"array", pool.StartsWith, elements, false},
		{"array", pool.NotEqual, elements, false},
	} {
		r := rule("claim", c.matchType, "IT", "<admin>")
		if got := Matches(&r, map[string]any{"claim": c.claim}); got != c.want {
			t.Errorf("%s of a long %s: got %v, want %v", c.matchType, c.name, got, c.want)
		}
	}
}

func TestNoRoleKeepsItsCause(t *testing.T) {
	cause := errors.New("trust policy says no")
	if got := NoRole(cause); !errors.Is(got, cause) || strings.Contains(got.Message, cause.Error()) {
		t.Errorf("got %v, want the cause kept and not said", got)
	}
}

func anyClaims() *rapid.Generator[map[string]any] {
	role := rapid.SampledFrom([]string{"<admin>", "<staff>", "<guest>", "<auth>", ""})
	value := rapid.OneOf(
		rapid.Map(role, func(r string) any { return long(r) }),
		rapid.Map(rapid.SliceOfN(role, 0, 3), func(rs []string) any {
			out := []any{}
			for _, r := range rs {
				out = append(out, long(r))
			}
			return out
		}),
		rapid.SampledFrom([]any{nil, true, json.Number("1"), "admin", "intern"}),
	)
	return rapid.MapOfN(rapid.SampledFrom([]string{"cognito:roles", "cognito:preferred_role", "job", "groups"}), value, 0, 4)
}

// TestChooseKeepsGuestsApart draws pools whose mappings can only give <admin> and <staff>, and tokens that ask for
// anything in their texts, and looks for what must never be.
func TestChooseKeepsGuestsApart(t *testing.T) {
	mappingsOf := [][]mapping{
		nil, onB, onAAndB,
		byRulesElse(pool.Deny, notIntern, isAdmin), byRulesElse(pool.AuthenticatedRole, isStaff),
	}
	rapid.Check(t, func(t *rapid.T) {
		c := choice{
			roles:    rapid.SampledFrom([]string{"", "a", "g", "ag"}).Draw(t, "roles"),
			mappings: rapid.SampledFrom(mappingsOf).Draw(t, "mappings"),
			custom:   rapid.SampledFrom([]string{"", "<auth>", "<guest>", "<admin>", "<staff>", "*"}).Draw(t, "custom"),
		}
		var logins []*login.Login
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a.example", "b.example", "corp"}), 0, 3, rapid.ID).Draw(t, "logins") {
			l := &login.Login{Provider: providers[key], Claims: anyClaims().Draw(t, key)}
			if key == "corp" {
				l.Assertion = asserted(l.Claims)
			}
			logins = append(logins, l)
		}
		got, err := Choose(c.pool(), logins, long(c.custom))
		isGuest := len(logins) == 0
		switch {
		case err != nil && (got != Choice{} || fault.From(err).Code == fault.Internal):
			t.Fatalf("got %+v with %v, want a refusal alone", got, err)
		case err != nil:
		case isGuest && got.RoleARN != long("<guest>"), !isGuest && got.RoleARN == long("<guest>"):
			t.Fatalf("got %+v for %d logins", got, len(logins))
		case c.custom != "" && got.RoleARN != long(c.custom):
			t.Fatalf("got %+v, asked for %s", got, c.custom)
		}
		again, againErr := Choose(c.pool(), rapid.Permutation(logins).Draw(t, "order"), long(c.custom))
		if again != got || (err == nil) != (againErr == nil) || err != nil && err.Error() != againErr.Error() {
			t.Fatalf("in another order: got %+v, %v, want %+v, %v", again, againErr, got, err)
		}
	})
}
