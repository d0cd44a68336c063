package rolemap

import "idpool/internal/pool"

// The truth of this package, in two tables. They are published as docs/role-mapping.md, which TestDocument holds to them.
//
// <name> stands for the ARN of the role of that name. The providers are OIDC providers with the Logins keys a.example and
// b.example, the user pool users, whose tokens may carry roles, the social provider google, and the SAML provider corp. Of
// its assertions Role is the attribute that names roles, and [corp] the provider's ARN in it.

// match is one value of a claim, and which rules about it with one Value hold.
type match struct {
	claim                                  string // JSON; empty for a claim that the token does not have
	value                                  string
	equals, notEqual, startsWith, contains bool
}

const yes, no = true, false

var matches = []match{
	// Text, by its bytes.
	{`"IT"`, "IT", yes, no, yes, yes},
	{`"ITS"`, "IT", no, yes, yes, yes},
	{`"NOT-IT"`, "IT", no, yes, no, yes},
	{`"HR"`, "IT", no, yes, no, no},
	{`"I"`, "IT", no, yes, no, no},
	{`"it"`, "IT", no, yes, no, no},
	{`""`, "IT", no, yes, no, no},
	{`" IT"`, "IT", no, yes, no, yes},
	{`"IT\n"`, "IT", no, yes, yes, yes},
	{`"\u00e9"`, "e\u0301", no, yes, no, no}, // one letter in two spellings of Unicode
	{`"\u00e9"`, "\u00e9", yes, no, yes, yes},
	{`"[\"IT\"]"`, "IT", no, yes, no, yes}, // text that looks like an array is text
	// There are no patterns.
	{`"IT"`, "*", no, yes, no, no},
	{`"IT"`, "I*", no, yes, no, no},
	{`"IT"`, "I?", no, yes, no, no},
	{`"IT"`, ".*", no, yes, no, no},
	{`"*"`, "*", yes, no, yes, yes},
	// Numbers and booleans, as the token writes them.
	{`7`, "7", yes, no, yes, yes},
	{`17`, "7", no, yes, no, yes},
	{`70`, "7", no, yes, yes, yes},
	{`7.0`, "7", no, yes, yes, yes},
	{`"7"`, "7", yes, no, yes, yes},
	{`-7`, "7", no, yes, no, yes},
	{`1e3`, "1000", no, yes, no, no},
	{`12345678901234567890`, "12345678901234567890", yes, no, yes, yes},
	{`true`, "true", yes, no, yes, yes},
	{`false`, "true", no, yes, no, no},
	{`"true"`, "true", yes, no, yes, yes},
	{`true`, "1", no, yes, no, no},
	{`true`, "True", no, yes, no, no},
	// What is not there, or has no text, matches nothing: NotEqual does not hold either.
	{``, "IT", no, no, no, no},
	{`null`, "IT", no, no, no, no},
	{`null`, "null", no, no, no, no},
	{`{"name":"IT"}`, "IT", no, no, no, no},
	{`[]`, "IT", no, no, no, no},
	// Arrays: Contains holds for any element, the others where there is exactly one.
	{`["IT"]`, "IT", yes, no, yes, yes},
	{`["HR"]`, "IT", no, yes, no, no},
	{`["ITS"]`, "IT", no, yes, yes, yes},
	{`["IT","HR"]`, "IT", no, no, no, yes},
	{`["HR","IT"]`, "IT", no, no, no, yes},
	{`["HR","NOT-IT"]`, "IT", no, no, no, yes},
	{`["HR","OPS"]`, "IT", no, no, no, no},
	{`["I","T"]`, "IT", no, no, no, no},
	{`["HR","IT"]`, "HR,IT", no, no, no, no},
	{`[7]`, "7", yes, no, yes, yes},
	{`[true,7]`, "7", no, no, no, yes},
	{`["IT",null]`, "IT", no, no, no, yes},
	{`["IT",{"name":"HR"}]`, "IT", no, no, no, yes},
	{`[null]`, "IT", no, no, no, no},
	{`[["IT"]]`, "IT", no, no, no, no},
	{`[["IT"],"HR"]`, "IT", no, no, no, no},
}

// The outcomes of a choice other than a role. denied is followed by the provider whose mapping denied.
const (
	forbidden = "forbidden"
	noRole    = "no role"
	denied    = "denied by "
)

// choice is one call: what the pool says, what the call brings, and the role, or the refusal.
type choice struct {
	says     string
	roles    string // which default roles the pool has: a, authenticated, as <auth>; g, unauthenticated, as <guest>
	mappings []mapping
	logins   []claimed // none for a guest
	custom   string    // CustomRoleArn
	want     string
}

type mapping struct {
	provider string // see providers
	pool.RoleMapping
}

type claimed struct{ provider, claims string }

// section is a heading and its choices.
type section struct {
	heading string
	choices []choice
}

func with(provider, claims string) []claimed { return []claimed{{provider, claims}} }

func byTokenElse(ambiguous string) []mapping {
	return []mapping{{"users", pool.RoleMapping{Type: pool.TypeToken, Ambiguous: ambiguous}}}
}

func byAssertionElse(ambiguous string) []mapping {
	return []mapping{{"corp", pool.RoleMapping{Type: pool.TypeToken, Ambiguous: ambiguous}}}
}

func byAttributesElse(ambiguous string, rules ...pool.Rule) []mapping {
	return []mapping{{"corp", pool.RoleMapping{Type: pool.TypeRules, Ambiguous: ambiguous, Rules: rules}}}
}

func fromTokenOf(provider string) []mapping {
	return []mapping{{provider, pool.RoleMapping{Type: pool.TypeToken, Ambiguous: pool.Deny}}}
}

func byRulesElse(ambiguous string, rules ...pool.Rule) []mapping {
	return []mapping{{"a.example", pool.RoleMapping{Type: pool.TypeRules, Ambiguous: ambiguous, Rules: rules}}}
}

func rule(claim, matchType, value, role string) pool.Rule {
	return pool.Rule{Claim: claim, MatchType: matchType, Value: value, RoleARN: role}
}

var (
	isAdmin   = rule("job", pool.Equals, "admin", "<admin>")
	isStaff   = rule("groups", pool.Contains, "staff", "<staff>")
	notIntern = rule("job", pool.NotEqual, "intern", "<staff>")
	onB       = []mapping{{"b.example", pool.RoleMapping{Type: pool.TypeRules, Ambiguous: pool.Deny, Rules: []pool.Rule{isAdmin}}}}
	onAAndB   = append(byRulesElse(pool.AuthenticatedRole, isStaff), onB...)
)

var sections = []section{
	{"Guests", []choice{
		{"the guests' role", "ag", nil, nil, "", "<guest>"},
		{"the guests' role, without one for others", "g", nil, nil, "", "<guest>"},
		{"no guests' role: never that of others", "a", nil, nil, "", noRole},
		{"no roles at all", "", nil, nil, "", noRole},
		{"mappings are not for guests", "ag", byRulesElse(pool.AuthenticatedRole, notIntern), nil, "", "<guest>"},
		{"asking for the guests' role", "ag", nil, nil, "<guest>", "<guest>"},
		{"asking for the others' role", "ag", nil, nil, "<auth>", forbidden},
		{"asking for any role", "ag", nil, nil, "<admin>", forbidden},
		{"asking for the role of a rule", "ag", byRulesElse(pool.Deny, isAdmin), nil, "<admin>", forbidden},
		{"asking, without a guests' role", "a", nil, nil, "<auth>", noRole},
		{"asking with another spelling", "ag", nil, nil, "<guest> ", forbidden},
	}},
	{"Logins without a mapping", []choice{
		{"the default role", "ag", nil, with("a.example", `{}`), "", "<auth>"},
		{"the default role, without one for guests", "a", nil, with("a.example", `{}`), "", "<auth>"},
		{"no default role: never that of guests", "g", nil, with("a.example", `{}`), "", noRole},
		{"no roles at all", "", nil, with("a.example", `{}`), "", noRole},
		{"a mapping of another provider", "ag", onB, with("a.example", `{"job":"admin"}`), "", "<auth>"},
		{"roles in the token of a provider without a mapping", "ag", nil, with("users", `{"cognito:roles":["<admin>"],"cognito:preferred_role":"<admin>"}`), "", "<auth>"},
		{"asking for the default role", "ag", nil, with("a.example", `{}`), "<auth>", "<auth>"},
		{"asking for the guests' role", "ag", nil, with("a.example", `{}`), "<guest>", forbidden},
		{"asking for any role", "ag", nil, with("a.example", `{}`), "<admin>", forbidden},
		{"asking for a role that the token names", "ag", nil, with("users", `{"cognito:roles":["<admin>"]}`), "<admin>", forbidden},
		{"asking, without a default role", "g", nil, with("a.example", `{}`), "<guest>", noRole},
	}},
	{"Roles in the token (Type Token)", []choice{
		{"the preferred role", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:preferred_role":"<admin>"}`), "", "<admin>"},
		{"the preferred role among several", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>","<admin>"],"cognito:preferred_role":"<admin>"}`), "", "<admin>"},
		{"the preferred role, without default roles", "", byTokenElse(pool.Deny), with("users", `{"cognito:preferred_role":"<admin>"}`), "", "<admin>"},
		{"an OpenID Connect provider's tokens are not believed", "ag", fromTokenOf("a.example"), with("a.example", `{"cognito:preferred_role":"<admin>"}`), "", denied + "a.example"},
		{"nor when asking", "ag", fromTokenOf("a.example"), with("a.example", `{"cognito:roles":["<admin>"]}`), "<admin>", denied + "a.example"},
		{"nor a social provider's", "ag", fromTokenOf("google"), with("google", `{"cognito:preferred_role":"<admin>"}`), "", denied + "google"},
		{"nor attributes of these names in an assertion", "ag", fromTokenOf("corp"), with("corp", `{"cognito:roles":["<admin>"],"cognito:preferred_role":["<admin>"]}`), "", denied + "corp"},
		{"several, none preferred: Deny", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>","<admin>"]}`), "", denied + "users"},
		{"several, none preferred: AuthenticatedRole", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{"cognito:roles":["<staff>","<admin>"]}`), "", "<auth>"},
		{"one, not preferred: still ambiguous", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<admin>"]}`), "", denied + "users"},
		{"none: Deny", "ag", byTokenElse(pool.Deny), with("users", `{}`), "", denied + "users"},
		{"none: AuthenticatedRole", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{}`), "", "<auth>"},
		{"none: AuthenticatedRole, which is not set", "g", byTokenElse(pool.AuthenticatedRole), with("users", `{}`), "", noRole},
		{"an empty preferred role is none", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:preferred_role":""}`), "", denied + "users"},
		{"a preferred role that is no text", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:preferred_role":["<admin>"]}`), "", denied + "users"},
		{"a preferred role of null", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{"cognito:preferred_role":null}`), "", "<auth>"},
		{"asking for one of an array", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>","<admin>"]}`), "<admin>", "<admin>"},
		{"asking for one of a list with commas", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":"<staff>,<admin>"}`), "<admin>", "<admin>"},
		{"asking for the only one", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":"<admin>"}`), "<admin>", "<admin>"},
		{"asking for another than the preferred", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>","<admin>"],"cognito:preferred_role":"<admin>"}`), "<staff>", "<staff>"},
		{"asking for a role that is not there", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>"]}`), "<admin>", forbidden},
		{"asking for a role that is not there, beside a preferred one", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{"cognito:roles":["<staff>"],"cognito:preferred_role":"<staff>"}`), "<admin>", forbidden},
		{"asking for what is only preferred", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:preferred_role":"<admin>"}`), "<admin>", forbidden},
		{"asking for the default role", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{"cognito:roles":["<staff>"]}`), "<auth>", forbidden},
		{"asking for the guests' role", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{"cognito:roles":["<staff>"]}`), "<guest>", forbidden},
		{"asking, without roles in the token", "ag", byTokenElse(pool.AuthenticatedRole), with("users", `{}`), "<auth>", forbidden},
		{"asking for a part of one", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<admin>-of-printers"]}`), "<admin>", forbidden},
		{"asking in a list with spaces", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":"<staff>, <admin>"}`), "<admin>", forbidden},
		{"asking for a whole list with commas", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":"<staff>,<admin>"}`), "<staff>,<admin>", forbidden},
		{"a comma inside an array separates nothing", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":["<staff>,<admin>"]}`), "<admin>", forbidden},
		{"roles inside an array inside the array", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":[["<admin>"]]}`), "<admin>", forbidden},
		{"roles inside an object", "ag", byTokenElse(pool.Deny), with("users", `{"cognito:roles":{"<admin>":"<admin>"}}`), "<admin>", forbidden},
	}},
	{"Roles in the assertion (SAML, without a mapping)", []choice{
		{"the only role", "ag", nil, with("corp", `{"Role":["<admin>,[corp]"]}`), "", "<admin>"},
		{"the only role, in the other order", "ag", nil, with("corp", `{"Role":["[corp],<admin>"]}`), "", "<admin>"},
		{"the only role, without default roles", "", nil, with("corp", `{"Role":["<admin>,[corp]"]}`), "", "<admin>"},
		{"the only role of this provider", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>,[other]"]}`), "", "<admin>"},
		{"several: CustomRoleArn must say which", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "", denied + "corp"},
		{"asking for the first", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "<admin>", "<admin>"},
		{"asking for the second", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "<staff>", "<staff>"},
		{"asking, without default roles", "", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "<staff>", "<staff>"},
		{"asking for the only one", "ag", nil, with("corp", `{"Role":["<admin>,[corp]"]}`), "<admin>", "<admin>"},
		{"asking for another than the only one", "ag", nil, with("corp", `{"Role":["<staff>,[corp]"]}`), "<admin>", forbidden},
		{"asking for the default role", "ag", nil, with("corp", `{"Role":["<staff>,[corp]"]}`), "<auth>", forbidden},
		{"asking for the guests' role", "ag", nil, with("corp", `{"Role":["<staff>,[corp]"]}`), "<guest>", forbidden},
		{"asking with another spelling", "ag", nil, with("corp", `{"Role":["<admin>,[corp]"]}`), "<admin> ", forbidden},
		{"asking for a pair", "ag", nil, with("corp", `{"Role":["<admin>,[corp]"]}`), "<admin>,[corp]", forbidden},
		{"asking for a part of one", "ag", nil, with("corp", `{"Role":["<admin>-of-printers,[corp]"]}`), "<admin>", forbidden},
		{"asking for another provider's", "ag", nil, with("corp", `{"Role":["<staff>,[corp]","<admin>,[other]"]}`), "<admin>", forbidden},
		{"another provider's alone: never the default", "ag", nil, with("corp", `{"Role":["<admin>,[other]"]}`), "", denied + "corp"},
		{"the same twice gives nothing", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<admin>,[corp]"]}`), "", denied + "corp"},
		{"nor when asking", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","[corp],<admin>"]}`), "<admin>", denied + "corp"},
		{"one value that is no pair spoils all", "ag", nil, with("corp", `{"Role":["<admin>,[corp]","<staff>"]}`), "<admin>", denied + "corp"},
		{"two pairs in one value", "ag", nil, with("corp", `{"Role":["<admin>,[corp],<staff>,[corp]"]}`), "<admin>", denied + "corp"},
		{"a line feed in a value", "ag", nil, with("corp", `{"Role":["<admin>,[corp]\n<staff>,[corp]"]}`), "<admin>", denied + "corp"},
		{"a space after the comma", "ag", nil, with("corp", `{"Role":["<admin>, [corp]"]}`), "<admin>", denied + "corp"},
		{"no role attribute: the default role", "ag", nil, with("corp", `{"groups":["staff"]}`), "", "<auth>"},
		{"no role attribute, nor a default role", "g", nil, with("corp", `{}`), "", noRole},
		{"no role attribute, asking", "ag", nil, with("corp", `{}`), "<admin>", forbidden},
	}},
	{"Roles in the assertion (SAML, Type Token)", []choice{
		{"the only role", "ag", byAssertionElse(pool.Deny), with("corp", `{"Role":["<admin>,[corp]"]}`), "", "<admin>"},
		{"several: Deny", "ag", byAssertionElse(pool.Deny), with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "", denied + "corp"},
		{"several: AuthenticatedRole", "ag", byAssertionElse(pool.AuthenticatedRole), with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "", "<auth>"},
		{"several: AuthenticatedRole, which is not set", "g", byAssertionElse(pool.AuthenticatedRole), with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "", noRole},
		{"asking for one of several", "", byAssertionElse(pool.Deny), with("corp", `{"Role":["<admin>,[corp]","<staff>,[corp]"]}`), "<staff>", "<staff>"},
		{"asking for a role that is not there", "ag", byAssertionElse(pool.AuthenticatedRole), with("corp", `{"Role":["<staff>,[corp]"]}`), "<admin>", forbidden},
		{"asking for the default role", "ag", byAssertionElse(pool.AuthenticatedRole), with("corp", `{"Role":["<staff>,[corp]"]}`), "<auth>", forbidden},
		{"none: Deny", "ag", byAssertionElse(pool.Deny), with("corp", `{}`), "", denied + "corp"},
		{"none: AuthenticatedRole", "ag", byAssertionElse(pool.AuthenticatedRole), with("corp", `{}`), "", "<auth>"},
		{"a value that is no pair: never the default", "ag", byAssertionElse(pool.AuthenticatedRole), with("corp", `{"Role":["<admin>"]}`), "", denied + "corp"},
	}},
	{"Rules (Type Rules)", []choice{
		{"a rule that matches", "ag", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"job":"admin"}`), "", "<admin>"},
		{"a rule that matches, without default roles", "", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"job":"admin"}`), "", "<admin>"},
		{"the first of two that match", "ag", byRulesElse(pool.Deny, isAdmin, notIntern), with("a.example", `{"job":"admin"}`), "", "<admin>"},
		{"the first of two that match, in the other order", "ag", byRulesElse(pool.Deny, notIntern, isAdmin), with("a.example", `{"job":"admin"}`), "", "<staff>"},
		{"the second, where the first does not match", "ag", byRulesElse(pool.Deny, isAdmin, isStaff), with("a.example", `{"job":"clerk","groups":["staff"]}`), "", "<staff>"},
		{"none matches: Deny", "ag", byRulesElse(pool.Deny, isAdmin, isStaff), with("a.example", `{"job":"clerk"}`), "", denied + "a.example"},
		{"none matches: AuthenticatedRole", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin, isStaff), with("a.example", `{"job":"clerk"}`), "", "<auth>"},
		{"none matches: AuthenticatedRole, which is not set", "g", byRulesElse(pool.AuthenticatedRole, isAdmin), with("a.example", `{"job":"clerk"}`), "", noRole},
		{"NotEqual of a claim that is missing", "ag", byRulesElse(pool.Deny, notIntern), with("a.example", `{}`), "", denied + "a.example"},
		{"a claim of another case", "ag", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"Job":"admin"}`), "", denied + "a.example"},
		{"roles in the token count for nothing", "ag", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"cognito:roles":["<admin>"],"cognito:preferred_role":"<admin>"}`), "", denied + "a.example"},
		{"an unknown match type never matches", "ag", byRulesElse(pool.Deny, rule("job", "Matches", "admin", "<admin>")), with("a.example", `{"job":"admin"}`), "", denied + "a.example"},
		{"an unknown resolution denies", "ag", byRulesElse("Allow", isAdmin), with("a.example", `{"job":"clerk"}`), "", denied + "a.example"},
		{"no resolution denies", "ag", byRulesElse("", isAdmin), with("a.example", `{"job":"clerk"}`), "", denied + "a.example"},
		{"asking for the role of the rule", "ag", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"job":"admin"}`), "<admin>", "<admin>"},
		{"asking for the role of a later rule that matches", "ag", byRulesElse(pool.Deny, isAdmin, notIntern), with("a.example", `{"job":"admin"}`), "<staff>", "<staff>"},
		{"asking for the role of a rule that does not match", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin, notIntern), with("a.example", `{"job":"clerk"}`), "<admin>", forbidden},
		{"asking for a role of no rule", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin), with("a.example", `{"job":"admin"}`), "<staff>", forbidden},
		{"asking for the default role", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin), with("a.example", `{"job":"admin"}`), "<auth>", forbidden},
		{"asking for the default role, where no rule matches", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin), with("a.example", `{"job":"clerk"}`), "<auth>", forbidden},
		{"asking for the guests' role", "ag", byRulesElse(pool.AuthenticatedRole, isAdmin), with("a.example", `{"job":"admin"}`), "<guest>", forbidden},
		{"asking for a role that the token names", "ag", byRulesElse(pool.Deny, isAdmin), with("a.example", `{"job":"clerk","cognito:roles":["<admin>"]}`), "<admin>", forbidden},
		{"an attribute of an assertion", "ag", byAttributesElse(pool.Deny, isStaff), with("corp", `{"groups":["it","staff"]}`), "", "<staff>"},
		{"an attribute of one value", "ag", byAttributesElse(pool.Deny, isAdmin), with("corp", `{"job":["admin"]}`), "", "<admin>"},
		{"an attribute of two values", "ag", byAttributesElse(pool.Deny, isAdmin), with("corp", `{"job":["admin","clerk"]}`), "", denied + "corp"},
		{"roles in the assertion count for nothing", "ag", byAttributesElse(pool.Deny, isStaff), with("corp", `{"job":["clerk"],"Role":["<admin>,[corp]"]}`), "", denied + "corp"},
		{"nor when asking", "ag", byAttributesElse(pool.AuthenticatedRole, isStaff), with("corp", `{"groups":["staff"],"Role":["<admin>,[corp]"]}`), "<admin>", forbidden},
	}},
	{"Several logins", []choice{
		{"the login that has a mapping", "ag", onB, []claimed{{"a.example", `{"job":"admin"}`}, {"b.example", `{"job":"admin"}`}}, "", "<admin>"},
		{"its claims alone", "ag", onB, []claimed{{"a.example", `{"job":"admin"}`}, {"b.example", `{}`}}, "", denied + "b.example"},
		{"two mappings: the first provider by key", "ag", onAAndB, []claimed{{"a.example", `{"groups":"staff"}`}, {"b.example", `{"job":"admin"}`}}, "", "<staff>"},
		{"two mappings: in another order of the call", "ag", onAAndB, []claimed{{"b.example", `{"job":"admin"}`}, {"a.example", `{"groups":"staff"}`}}, "", "<staff>"},
		{"two mappings: the first decides, also by its default", "ag", onAAndB, []claimed{{"b.example", `{"job":"admin"}`}, {"a.example", `{}`}}, "", "<auth>"},
		{"two mappings: asking for what the second would give", "ag", onAAndB, []claimed{{"a.example", `{"groups":"staff"}`}, {"b.example", `{"job":"admin"}`}}, "<admin>", forbidden},
		{"an assertion with roles counts as a mapping", "ag", nil, []claimed{{"a.example", `{}`}, {"corp", `{"Role":["<admin>,[corp]"]}`}}, "", "<admin>"},
		{"an assertion with roles, and the mapping of a provider before it", "ag", byRulesElse(pool.Deny, isAdmin), []claimed{{"corp", `{"Role":["<staff>,[corp]"]}`}, {"a.example", `{"job":"admin"}`}}, "", "<admin>"},
		{"an assertion with roles, and the mapping of a provider after it", "ag", fromTokenOf("users"), []claimed{{"users", `{"cognito:preferred_role":"<admin>"}`}, {"corp", `{"Role":["<staff>,[corp]"]}`}}, "", "<staff>"},
		{"an assertion without roles, and the mapping of a provider after it", "ag", fromTokenOf("users"), []claimed{{"users", `{"cognito:preferred_role":"<admin>"}`}, {"corp", `{}`}}, "", "<admin>"},
		{"none with a mapping", "ag", byTokenElse(pool.Deny), []claimed{{"a.example", `{}`}, {"b.example", `{}`}}, "", "<auth>"},
	}},
}
