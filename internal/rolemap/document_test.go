package rolemap

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/pool"
)

var update = flag.Bool("update", false, "write docs/role-mapping.md again from the tables")

// TestDocument holds docs/role-mapping.md to the tables that the code is held to.
func TestDocument(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "role-mapping.md")
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(strings.Split(string(got), "\n"), strings.Split(want, "\n")); d != "" {
		t.Errorf("%s differs from the tables; write it again with: go test ./internal/rolemap -run TestDocument -update (-got +want):\n%s", path, d)
	}
}

// TestTableIsLarge counts what security E2, E3 and E6 ask for, and looks for rows that say the same twice.
func TestTableIsLarge(t *testing.T) {
	seen := map[string]bool{}
	choices, custom := 0, 0
	for _, s := range sections {
		for _, c := range s.choices {
			choices++
			if c.custom != "" {
				custom++
			}
			c.says = ""
			key := fmt.Sprintf("%+v", c)
			if seen[key] {
				t.Errorf("%s: twice %s", s.heading, key)
			}
			seen[key] = true
		}
	}
	for _, m := range matches {
		key := fmt.Sprintf("%q of %q", m.value, m.claim)
		if seen[key] {
			t.Errorf("twice %s", key)
		}
		seen[key] = true
	}
	if choices < 60 || custom < 20 || len(matches) < 40 {
		t.Errorf("got %d choices, %d with CustomRoleArn, %d matches, want at least 60, 20, 40", choices, custom, len(matches))
	}
}

const introduction = `# Role mapping

Which role a call of GetCredentialsForIdentity gets. The tables of this page are those that the tests of ` + "`internal/rolemap`" + `
check, so they cannot say anything else than what idpool does. To change the page, change them and run
` + "`go test ./internal/rolemap -run TestDocument -update`" + `.

The rules in short:

- A guest gets the pool's role for ` + "`unauthenticated`" + ` identities and no other; a call with a login never gets that one by default.
- A call with logins gets the role of the mapping of its provider; without a mapping, the pool's role for ` + "`authenticated`" + ` identities.
  Of several logins the first that has a mapping, or whose assertion names roles, decides, in the order of their ` + "`Logins`" + ` keys.
- Type Token takes the role from the verified token: ` + "`cognito:preferred_role`" + `, or what ` + "`CustomRoleArn`" + ` picks among
  ` + "`cognito:roles`" + `. SetIdentityPoolRoles takes this type only for user pools and SAML providers.
- A SAML assertion brings its roles along, in the attribute ` + "`https://aws.amazon.com/SAML/Attributes/Role`" + `: each value is the ARN of a
  role and that of the provider, with a comma between, in either order. The only role is taken; of several ` + "`CustomRoleArn`" + ` says which.
  Without it the provider's mapping of Type Token decides by AmbiguousRoleResolution, and without a mapping the call is refused. Pairs with
  other providers are passed over; one value that is no pair, or a pair that is there twice, and the attribute gives no role at all.
- Type Rules takes the first rule that matches, in the order in which they are stored.
- Where neither gives a role, AmbiguousRoleResolution decides: ` + "`AuthenticatedRole`" + ` or ` + "`Deny`" + `.
- ` + "`CustomRoleArn`" + ` picks among the roles that the call could have, compared byte for byte. It never adds one.
- A claim that is missing matches no rule, NotEqual included. There are no patterns.

In the tables ` + "`<admin>`" + ` stands for the ARN of the role admin, and so on. The pool's default roles are ` + "`<auth>`" + ` and
` + "`<guest>`" + `. ` + "`a.example`" + ` and ` + "`b.example`" + ` are OpenID Connect providers, ` + "`users`" + ` is a user pool, ` + "`google`" + ` a social provider, and
` + "`corp`" + ` a SAML provider: ` + "`Role`" + ` is the attribute of its assertions that names roles, ` + "`[corp]`" + ` its ARN, and ` + "`[other]`" + ` that of another.

| Refusal | Error | Message |
| --- | --- | --- |
`

// document returns the page.
func document() string {
	var b strings.Builder
	b.WriteString(introduction)
	for _, r := range []struct{ outcome, name string }{{forbidden, "forbidden"}, {noRole, "no role"}, {denied + "a.example", "denied"}} {
		f := refusal(r.outcome, "<admin>")
		message := strings.ReplaceAll(f.Message, providers["a.example"].ARN, "PROVIDER")
		line(&b, r.name, code(string(f.Code)+"Exception"), code(message))
	}
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n", s.heading)
		line(&b, "Case", "Default roles", "Mappings", "Logins and their claims", "CustomRoleArn", "Outcome")
		line(&b, "---", "---", "---", "---", "---", "---")
		for _, c := range s.choices {
			line(&b, c.says, defaults(c.roles), mappingsInWords(c.mappings), loginsInWords(c.logins), orDash(c.custom), outcomeInWords(c.want))
		}
	}
	b.WriteString("\n## When a rule matches\n\nThe claim as it is in the token, and whether a rule about it with the value holds.\n\n")
	line(&b, append([]string{"Claim", "Value"}, matchTypes...)...)
	line(&b, "---", "---", "---", "---", "---", "---")
	for _, m := range matches {
		cells := []string{"absent", code(strconv.QuoteToASCII(m.value))}
		if m.claim != "" {
			cells[0] = code(m.claim)
		}
		for _, matchType := range matchTypes {
			cells = append(cells, map[bool]string{true: "yes", false: "no"}[m.by(matchType)])
		}
		line(&b, cells...)
	}
	return b.String()
}

func line(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		if strings.ContainsAny(c, "|\n") {
			panic("a cell breaks the table: " + c)
		}
	}
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func code(s string) string { return "`" + s + "`" }

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return code(s)
}

func defaults(roles string) string {
	return map[string]string{"": "none", "a": "`<auth>`", "g": "`<guest>`", "ag": "both"}[roles]
}

func mappingsInWords(mappings []mapping) string {
	var out []string
	for _, m := range mappings {
		says := code(m.provider) + ": Token"
		if m.Type == pool.TypeRules {
			var rules []string
			for _, r := range m.Rules {
				rules = append(rules, fmt.Sprintf("`%s` %s `%s` gives `%s`", r.Claim, r.MatchType, r.Value, r.RoleARN))
			}
			says = code(m.provider) + ": " + strings.Join(rules, ", then ")
		}
		otherwise := m.Ambiguous
		if otherwise == "" {
			otherwise = "nothing"
		}
		out = append(out, says+"; else "+otherwise)
	}
	if len(out) == 0 {
		return "–"
	}
	return strings.Join(out, ". ")
}

func loginsInWords(logins []claimed) string {
	var out []string
	for _, l := range logins {
		out = append(out, code(l.provider)+" "+code(l.claims))
	}
	if len(out) == 0 {
		return "–"
	}
	return strings.Join(out, ", ")
}

func outcomeInWords(want string) string {
	if strings.HasPrefix(want, "<") {
		return code(want)
	}
	return want
}
