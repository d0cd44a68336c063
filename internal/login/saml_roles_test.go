package login

import (
	"slices"
	"strings"
	"testing"
)

const (
	corp  = "arn:aws:iam::111122223333:saml-provider/corp"
	admin = "arn:aws:iam::111122223333:role/admin"
	staff = "arn:aws:iam::111122223333:role/team/staff"
)

// TestAssertionRoles: only what the attribute says exactly is a role (security C14).
func TestAssertionRoles(t *testing.T) {
	const other = "arn:aws:iam::999999999999:"
	for name, c := range map[string]struct {
		values []string
		want   []string
		bad    bool
	}{
		"none":                           {nil, nil, false},
		"one":                            {[]string{admin + "," + corp}, []string{admin}, false},
		"the other order":                {[]string{corp + "," + admin}, []string{admin}, false},
		"several":                        {[]string{staff + "," + corp, corp + "," + admin}, []string{staff, admin}, false},
		"a role with commas in its name": {[]string{admin + ",b,c," + corp, corp + "," + admin + ",d"}, []string{admin + ",b,c", admin + ",d"}, false},
		"another account's":              {[]string{other + "role/admin," + other + "saml-provider/corp"}, nil, false},
		"another account's among ours":   {[]string{other + "role/admin," + other + "saml-provider/corp", admin + "," + corp}, []string{admin}, false},
		"another provider's":             {[]string{admin + "," + corp + "2", staff + "," + corp}, []string{staff}, false},
		"a provider in another case":     {[]string{admin + ",arn:aws:iam::111122223333:saml-provider/Corp"}, nil, false},
		"another partition's":            {[]string{strings.ReplaceAll(admin+","+corp, ":aws:", ":aws-cn:")}, nil, false},

		"another account's role for our provider": {[]string{other + "role/admin," + corp}, nil, true},
		"another partition's role":                {[]string{"arn:aws-cn:iam::111122223333:role/admin," + corp}, nil, true},
		"the same twice":                          {[]string{admin + "," + corp, admin + "," + corp}, nil, true},
		"the same twice, in both orders":          {[]string{admin + "," + corp, corp + "," + admin}, nil, true},
		"a role alone":                            {[]string{admin}, nil, true},
		"a provider alone":                        {[]string{corp}, nil, true},
		"two roles":                               {[]string{admin + "," + staff}, nil, true},
		"two providers":                           {[]string{corp + "," + corp}, nil, true},
		"three ARNs":                              {[]string{admin + "," + staff + "," + corp}, nil, true},
		"a pair inside a name":                    {[]string{admin + "," + corp + "," + staff}, nil, true},
		"two pairs in one value":                  {[]string{admin + "," + corp + "," + staff + "," + corp}, nil, true},
		"a line feed between":                     {[]string{admin + "," + corp + "\n" + staff + "," + corp}, nil, true},
		"a line feed at the end":                  {[]string{admin + "," + corp + "\n"}, nil, true},
		"a space after the comma":                 {[]string{admin + ", " + corp}, nil, true},
		"a space before":                          {[]string{" " + admin + "," + corp}, nil, true},
		"a semicolon":                             {[]string{admin + ";" + corp}, nil, true},
		"a wildcard":                              {[]string{"arn:aws:iam::111122223333:role/*," + corp}, nil, true},
		"every account":                           {[]string{"arn:aws:iam::*:role/admin," + corp}, nil, true},
		"a session":                               {[]string{"arn:aws:sts::111122223333:assumed-role/admin/x," + corp}, nil, true},
		"a user":                                  {[]string{"arn:aws:iam::111122223333:user/admin," + corp}, nil, true},
		"a region":                                {[]string{"arn:aws:iam:us-east-1:111122223333:role/admin," + corp}, nil, true},
		"a role without a name":                   {[]string{"arn:aws:iam::111122223333:role/," + corp}, nil, true},
		"a provider without a name":               {[]string{admin + ",arn:aws:iam::111122223333:saml-provider/"}, nil, true},
		"an OpenID Connect provider":              {[]string{admin + ",arn:aws:iam::111122223333:oidc-provider/corp"}, nil, true},
		"a letter like a":                         {[]string{"arn:aws:iam::111122223333:role/\u0430dmin," + corp}, nil, true},
		"upper case":                              {[]string{strings.ToUpper(admin) + "," + corp}, nil, true},
		"an empty value":                          {[]string{""}, nil, true},
		"one bad value among good ones":           {[]string{admin + "," + corp, staff + ", " + corp}, nil, true},
	} {
		a := Assertion{Attributes: map[string][]string{RoleAttribute: c.values, "Role": {admin + "," + corp}}}
		got, err := a.Roles(corp)
		if (err != nil) != c.bad || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q, refused %v", name, got, err, c.want, c.bad)
		}
	}
}

// FuzzAssertionRoles: a role that is taken stands in the value beside its provider, whole, and is nobody else's.
func FuzzAssertionRoles(f *testing.F) {
	for _, seed := range []string{admin + "," + corp, corp + "," + admin + ",x", admin + "," + corp + "," + staff, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		a := Assertion{Attributes: map[string][]string{RoleAttribute: {value}}}
		roles, err := a.Roles(corp)
		if err != nil || len(roles) == 0 {
			return
		}
		if len(roles) != 1 || value != roles[0]+","+corp && value != corp+","+roles[0] {
			t.Errorf("%q gives %q", value, roles)
		}
		if !strings.HasPrefix(roles[0], "arn:aws:iam::111122223333:role/") || strings.ContainsAny(roles[0], " \t\r\n*?") {
			t.Errorf("%q gives the role %q", value, roles[0])
		}
	})
}
