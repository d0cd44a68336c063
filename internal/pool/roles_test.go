package pool

import (
	"slices"
	"testing"

	"idpool/internal/fault"
)

const (
	roleA = "arn:aws:iam::111122223333:role/A"
	roleB = "arn:aws:iam::111122223333:role/path/B"
	roleC = "arn:aws:iam::111122223333:role/C"
)

func TestRoleARNs(t *testing.T) {
	rules := func(arns ...string) RoleMapping {
		var out RoleMapping
		for _, a := range arns {
			out.Rules = append(out.Rules, Rule{RoleARN: a})
		}
		return out
	}
	for name, c := range map[string]struct {
		pool Pool
		want []string
	}{
		"none":     {Pool{RoleMappings: map[string]RoleMapping{"x": {Type: TypeToken}}}, nil},
		"defaults": {Pool{Roles: map[string]string{Unauthenticated: roleA, Authenticated: roleC}}, []string{roleA, roleC}},
		"rules":    {Pool{RoleMappings: map[string]RoleMapping{"x": rules(roleC, roleB), "y": rules(roleA)}}, []string{roleA, roleC, roleB}},
		"each once": {Pool{
			Roles:        map[string]string{Unauthenticated: roleA, Authenticated: roleA},
			RoleMappings: map[string]RoleMapping{"x": rules(roleC, roleA, roleC), "y": rules(roleC)},
		}, []string{roleA, roleC}},
	} {
		if got := c.pool.RoleARNs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func forbiddenRole(text string) string { return "Access to Role '" + text + "' is forbidden." }

// TestValidateRoleARNs: roles are refused alike wherever they stand (spec §7.17, security E4).
func TestValidateRoleARNs(t *testing.T) {
	for name, c := range map[string]struct {
		role     string
		sentence string
	}{
		"plain":              {roleA, ""},
		"with a path":        {roleB, ""},
		"of Ceph":            {"arn:aws:iam:::role/A", ""},
		"of SeaweedFS":       {"arn:aws:iam::role/A", ""},
		"of MinIO":           {"arn:minio:iam:::role/A", ""},
		"empty":              {"", forbiddenRole("")},
		"a name":             {"A", forbiddenRole("A")},
		"a user":             {"arn:aws:iam::111122223333:user/A", forbiddenRole("arn:aws:iam::111122223333:user/A")},
		"a session":          {"arn:aws:sts::111122223333:assumed-role/A/s", forbiddenRole("arn:aws:sts::111122223333:assumed-role/A/s")},
		"another service":    {"arn:aws:s3::111122223333:role/A", forbiddenRole("arn:aws:s3::111122223333:role/A")},
		"in upper case":      {"arn:aws:iam::111122223333:ROLE/A", forbiddenRole("arn:aws:iam::111122223333:ROLE/A")},
		"ARN in upper case":  {"ARN:aws:iam::111122223333:role/A", forbiddenRole("ARN:aws:iam::111122223333:role/A")},
		"all roles":          {"arn:aws:iam::111122223333:role/*", forbiddenRole("arn:aws:iam::111122223333:role/*")},
		"all accounts":       {"arn:aws:iam::*:role/A", forbiddenRole("arn:aws:iam::*:role/A")},
		"a question mark":    {"arn:aws:iam::111122223333:role/?", forbiddenRole("arn:aws:iam::111122223333:role/?")},
		"a line feed":        {roleA + "\n", forbiddenRole(roleA + "\n")},
		"a space before":     {" " + roleA, forbiddenRole(" " + roleA)},
		"a zero byte":        {roleA + "\x00", forbiddenRole(roleA + "\x00")},
		"a letter like A":    {"arn:aws:iam::111122223333:role/\u0410", forbiddenRole("arn:aws:iam::111122223333:role/\u0410")},
		"a format directive": {"%s%d", forbiddenRole("%s%d")},
	} {
		inRule := RoleMapping{Type: TypeRules, Ambiguous: Deny, Rules: []Rule{{RoleARN: roleA}, {RoleARN: c.role}}}
		for where, p := range map[string]Pool{
			"authenticated":   {Roles: map[string]string{Authenticated: c.role}},
			"unauthenticated": {Roles: map[string]string{Authenticated: roleA, Unauthenticated: c.role}},
			"rule":            {LoginProviders: map[string]string{"www.amazon.com": "app"}, RoleMappings: map[string]RoleMapping{"www.amazon.com": inRule}},
		} {
			t.Run(name+"/"+where, func(t *testing.T) {
				wantFault(t, p.ValidateRoles(), fault.NotAuthorized, c.sentence)
			})
		}
	}
}

func TestValidateRoleMappings(t *testing.T) {
	const (
		google   = "accounts.google.com"
		issuer   = "arn:aws:iam::111122223333:oidc-provider/login.example.com"
		saml     = "arn:aws:iam::111122223333:saml-provider/corp"
		userPool = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"
		unknown  = " is not a valid RoleMapping ProviderName or is not a configured provider."
	)
	p := Pool{
		LoginProviders: map[string]string{google: "app"}, OIDCProviders: []string{issuer}, SAMLProviders: []string{saml},
		CognitoProviders: []CognitoProvider{{ProviderName: userPool, ClientID: "app"}}, DeveloperProvider: "login.mycompany",
	}
	rules := func(n int) RoleMapping {
		return RoleMapping{Type: TypeRules, Ambiguous: Deny, Rules: slices.Repeat([]Rule{{Claim: "c", MatchType: Equals, Value: "v", RoleARN: roleA}}, n)}
	}
	token := RoleMapping{Type: TypeToken, Ambiguous: AuthenticatedRole}
	for _, c := range []struct {
		name, key string
		mapping   RoleMapping
		sentence  string
	}{
		{"social", google, rules(1), ""},
		{"OIDC", issuer, rules(1), ""},
		{"SAML", saml, rules(1), ""},
		{"user pool", userPool + ":app", rules(1), ""},
		{"25 rules", issuer, rules(25), ""},
		{"Token for a user pool", userPool + ":app", token, ""},
		{"Token for SAML", saml, token, ""},

		{"social that is not configured", "www.amazon.com", rules(1), "www.amazon.com" + unknown},
		{"OIDC by its issuer", "login.example.com", rules(1), "login.example.com" + unknown},
		{"OIDC by its URL", "https://login.example.com", rules(1), "https://login.example.com" + unknown},
		{"OIDC that is not configured", issuer + "/x", rules(1), issuer + "/x" + unknown},
		{"SAML that is not configured", saml + "x", rules(1), saml + "x" + unknown},
		{"user pool without a client", userPool, rules(1), userPool + unknown},
		{"user pool with another client", userPool + ":other", rules(1), userPool + ":other" + unknown},
		{"developer provider", "login.mycompany", rules(1), "login.mycompany" + unknown},
		{"empty key", "", rules(1), unknown},

		{"26 rules", issuer, rules(26), "A role mapping can have at most 25 rules."},
		{"no resolution, Rules", issuer, RoleMapping{Type: TypeRules, Rules: rules(1).Rules}, "AmbiguousRoleResolution is required for the role mapping of " + issuer + "."},
		{"no resolution, Token", saml, RoleMapping{Type: TypeToken}, "AmbiguousRoleResolution is required for the role mapping of " + saml + "."},
		{"Rules without rules", issuer, rules(0), "RulesConfiguration is required for the role mapping of " + issuer + "."},
		{"Token with rules", saml, RoleMapping{Type: TypeToken, Ambiguous: Deny, Rules: rules(1).Rules}, "RulesConfiguration is not allowed with Type Token for the role mapping of " + saml + "."},
		// Security E1: roles come from a token only where its user cannot write them.
		{"Token for OIDC", issuer, token, "Type Token is not supported for the role mapping of " + issuer + "."},
		{"Token for social", google, token, "Type Token is not supported for the role mapping of " + google + "."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.RoleMappings = map[string]RoleMapping{c.key: c.mapping}
			wantFault(t, p.ValidateRoles(), fault.InvalidParameter, c.sentence)
		})
	}
}

func TestValidateNoRoles(t *testing.T) {
	for name, p := range map[string]Pool{
		"none":  {},
		"empty": {Roles: map[string]string{}, RoleMappings: map[string]RoleMapping{}}, // how Terraform takes them away
	} {
		if err := p.ValidateRoles(); err != nil {
			t.Errorf("%s: got %v, want none", name, err)
		}
	}
}

// TestHasProvider: as the key of a mapping, but a user pool without its client id (spec §7.11).
func TestHasProvider(t *testing.T) {
	p := Pool{
		LoginProviders:   map[string]string{"accounts.google.com": "app"},
		OIDCProviders:    []string{"arn:aws:iam::111122223333:oidc-provider/login.example.com"},
		SAMLProviders:    []string{"arn:aws:iam::111122223333:saml-provider/corp"},
		CognitoProviders: []CognitoProvider{{ProviderName: "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", ClientID: "app"}},
	}
	for name, want := range map[string]bool{
		"accounts.google.com": true,
		"arn:aws:iam::111122223333:oidc-provider/login.example.com": true,
		"arn:aws:iam::111122223333:saml-provider/corp":              true,
		"cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc":         true,
		"cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc:app":     false,
		"cognito-idp.eu-west-1.amazonaws.com/eu-west-1_ab":          false,
		"login.example.com":   false,
		"www.amazon.com":      false,
		"Accounts.google.com": false,
		"":                    false,
	} {
		if got := p.HasProvider(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
