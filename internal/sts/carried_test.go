package sts_test

import (
	"fmt"
	"strings"
	"testing"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
)

// tagged are the parameters of tags: pairs of key and value.
func tagged(pairs ...string) []string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		n := fmt.Sprintf("Tags.member.%d.", i/2+1)
		out = append(out, n+"Key", pairs[i], n+"Value", pairs[i+1])
	}
	return out
}

func transitive(keys ...string) []string {
	var out []string
	for i, k := range keys {
		out = append(out, fmt.Sprintf("TransitiveTagKeys.member.%d", i+1), k)
	}
	return out
}

func join(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

const everything = `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`

// TestTaggingIsDecided: tags and source identities need sts:TagSession and sts:SetSourceIdentity of the trust policy, and
// of the caller unless the trust policy names him (spec §1.8).
func TestTaggingIsDecided(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	const annARN = "arn:aws:iam::" + accountID + ":user/ann"
	ann := mustUser(t, s, "ann")
	may := func(actions ...string) []string {
		var out []string
		for _, a := range actions {
			out = append(out, allow(a, "*"))
		}
		return out
	}
	const tag, source = "sts:TagSession", "sts:SetSourceIdentity"
	tags, identity := tagged("team", "blue"), []string{"SourceIdentity", "Ann"}
	for name, tc := range map[string]struct {
		trust    string
		policies []string
		more     []string
		refused  string // the action that is not allowed, or empty
	}{
		"tags, both allow":                       {trusting(account12, everything, ""), may("sts:AssumeRole", tag), tags, ""},
		"tags, the trust policy does not":        {trusting(account12, `"sts:AssumeRole"`, ""), may("sts:*"), tags, tag},
		"tags, the caller may not":               {trusting(account12, everything, ""), may("sts:AssumeRole", source), tags, tag},
		"tags, the caller is denied":             {trusting(account12, everything, ""), append(may("*"), deny(tag, "*")), tags, tag},
		"tags, named":                            {trusting(aws(annARN), everything, ""), nil, tags, ""},
		"tags, named for the role alone":         {trusting(aws(annARN), `"sts:AssumeRole"`, ""), may("*"), tags, tag},
		"tags, named and denied":                 {trusting(aws(annARN), everything, ""), []string{deny(tag, "*")}, tags, tag},
		"tags, not these":                        {trusting(account12, everything, `{"StringEquals":{"aws:RequestTag/team":"red"}}`), may("*"), tags, "sts:AssumeRole"},
		"tags, these in another case of the key": {trusting(account12, everything, `{"StringEquals":{"aws:RequestTag/TEAM":"blue"}}`), may("*"), tags, ""},
		"tags, these keys":                       {trusting(account12, everything, `{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`), may("*"), tags, ""},
		"tags, other keys":                       {trusting(account12, everything, `{"ForAllValues:StringEquals":{"aws:TagKeys":["cost"]}}`), may("*"), tags, "sts:AssumeRole"},
		"transitive tags, not to be":             {trusting(account12, everything, `{"Null":{"sts:TransitiveTagKeys":"true"}}`), may("*"), join(tags, transitive("team")), "sts:AssumeRole"},
		"transitive tags, to be":                 {trusting(account12, everything, `{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"team"}}`), may("*"), join(tags, transitive("TEAM")), ""},
		"a source, both allow":                   {trusting(account12, everything, ""), may("sts:AssumeRole", source), identity, ""},
		"a source, the trust policy does not":    {trusting(account12, `["sts:AssumeRole","sts:TagSession"]`, ""), may("*"), identity, source},
		"a source, the caller may not":           {trusting(account12, everything, ""), may("sts:AssumeRole", tag), identity, source},
		"a source, not this":                     {trusting(account12, everything, `{"StringEquals":{"sts:SourceIdentity":"Bob"}}`), may("*"), identity, "sts:AssumeRole"},
		"a source, this":                         {trusting(account12, everything, `{"StringEquals":{"sts:SourceIdentity":"Ann"}}`), may("*"), identity, ""},
		"an external id":                         {trusting(account12, "", `{"StringEquals":{"sts:ExternalId":"x-1"}}`), may("*"), []string{"ExternalId", "x-1"}, ""},
		"another external id":                    {trusting(account12, "", `{"StringEquals":{"sts:ExternalId":"x-1"}}`), may("*"), []string{"ExternalId", "x-2"}, "sts:AssumeRole"},
		"neither":                                {trusting(account12, `"sts:AssumeRole"`, ""), may("sts:AssumeRole"), nil, ""},
	} {
		mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(tc.policies) })
		putRole(t, s, "target", tc.trust, nil)
		got, err := assumeRole(s, ann, "target", tc.more...)
		if tc.refused != "" {
			refusesRole(t, s, name, annARN, tc.refused, "target", err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if passed := strings.HasPrefix(name, "t"); (got.Body.PackedPolicySize == 1) != passed {
			t.Errorf("%s: PackedPolicySize %d", name, got.Body.PackedPolicySize)
		}
		if want := strings.HasPrefix(name, "a source"); (got.Body.SourceIdentity == "Ann") != want {
			t.Errorf("%s: source identity %q", name, got.Body.SourceIdentity)
		}
	}
}

// TestChain: transitive tags and the source identity go down a chain of roles, and nothing takes their place; other tags
// do not; those of the role stand behind all (spec §1.8).
func TestChain(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	role := func(name string, tags map[string]string) {
		putRole(t, s, name, trusting(account12, everything, ""), func(r *account.Role) { r.Tags = tags }, allow("*", "*"))
	}
	role("first", nil)
	role("second", map[string]string{"Team": "role", "cost": "role", "Stage": "role"})
	first, err := assumeRole(s, ann, "first", join(tagged("team", "blue", "cost", "7"), transitive("team"), []string{"SourceIdentity", "Ann"})...)
	if err != nil {
		t.Fatal(err)
	}
	second, err := assumeRole(s, first.signer(), "second", tagged("STAGE", "prod")...)
	if err != nil {
		t.Fatal(err)
	}
	if second.Body.SourceIdentity != "Ann" || second.Body.PackedPolicySize != 2 {
		t.Errorf("got %+v", second.Body)
	}
	third, err := assumeRole(s, second.signer(), "first")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		of   *result
		has  []string // conditions that hold
		lack []string
	}{
		"first": {first, []string{`"StringEquals":{"aws:PrincipalTag/team":"blue","aws:PrincipalTag/cost":"7","aws:SourceIdentity":"Ann"}`}, []string{`"StringEquals":{"aws:PrincipalTag/stage":"prod"}`}},
		"second": {second, []string{`"StringEquals":{"aws:PrincipalTag/team":"blue","aws:PrincipalTag/cost":"role","aws:PrincipalTag/stage":"prod","aws:SourceIdentity":"Ann"}`},
			[]string{`"StringEquals":{"aws:PrincipalTag/team":"role"}`, `"StringEquals":{"aws:PrincipalTag/cost":"7"}`, `"StringEquals":{"aws:PrincipalTag/stage":"role"}`}},
		"third": {third, []string{`"StringEquals":{"aws:PrincipalTag/team":"blue","aws:SourceIdentity":"Ann"}`, `"Null":{"aws:PrincipalTag/stage":"true","aws:PrincipalTag/cost":"true"}`}, nil},
	} {
		role := "first"
		if name == "second" {
			role = "second"
		}
		old := snapshotOf(t, s).RoleNamed(role).Role
		try := func(condition string) bool {
			putRole(t, s, role, old.Trust, func(r *account.Role) { r.ID, r.Tags = old.ID, old.Tags }, identityPolicy("Allow", "*", "*", "{"+condition+"}"))
			return s.Call("ListIdentityPools", tc.of.signer(), map[string]any{"MaxResults": 1}, nil) == nil
		}
		for _, c := range tc.has {
			if !try(c) {
				t.Errorf("%s: %s does not hold", name, c)
			}
		}
		for _, c := range tc.lack {
			if try(c) {
				t.Errorf("%s: %s holds", name, c)
			}
		}
		putRole(t, s, role, old.Trust, func(r *account.Role) { r.ID, r.Tags = old.ID, old.Tags }, allow("*", "*"))
	}
	// Nothing takes the place of what is handed on.
	for _, key := range []string{"team", "TEAM", "Team"} {
		_, err = assumeRole(s, first.signer(), "second", tagged(key, "red")...)
		wantFault(t, s, err, 400, "ValidationError", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
	}
	_, err = assumeRole(s, first.signer(), "second", "SourceIdentity", "Bob")
	refusesRole(t, s, "another source identity", "arn:aws:sts::"+accountID+":assumed-role/first/job", "sts:SetSourceIdentity", "second", err)
	if got, err := assumeRole(s, first.signer(), "second", "SourceIdentity", "Ann"); err != nil || got.Body.SourceIdentity != "Ann" {
		t.Errorf("the same source identity: %v", err)
	}
	// What is handed on needs the same permissions as what is passed.
	for action, actions := range map[string]string{"sts:TagSession": `["sts:AssumeRole","sts:SetSourceIdentity"]`, "sts:SetSourceIdentity": `["sts:AssumeRole","sts:TagSession"]`} {
		putRole(t, s, "closed", trusting(account12, actions, ""), nil)
		_, err = assumeRole(s, first.signer(), "closed")
		refusesRole(t, s, "inherited, "+action, "arn:aws:sts::"+accountID+":assumed-role/first/job", action, "closed", err)
	}
	// An inherited tag stands in the place of the role's own, and of none that the role has not.
	for condition, want := range map[string]bool{
		`{"StringEquals":{"aws:ResourceTag/team":"blue"}}`:   true,
		`{"StringEquals":{"iam:ResourceTag/team":"blue"}}`:   true,
		`{"StringEquals":{"aws:ResourceTag/team":"role"}}`:   false,
		`{"StringEquals":{"aws:ResourceTag/cost":"role"}}`:   true,
		`{"StringEquals":{"aws:ResourceTag/absent":"blue"}}`: false,
	} {
		putRole(t, s, "tagged", trusting(account12, everything, condition), func(r *account.Role) { r.Tags = map[string]string{"Team": "role", "cost": "role"} })
		if _, err := assumeRole(s, first.signer(), "tagged"); (err == nil) != want {
			t.Errorf("%s: got %v", condition, err)
		}
		putRole(t, s, "tagged", trusting(account12, everything, strings.Replace(condition, "/team", "/other", 1)), nil)
		if _, err := assumeRole(s, first.signer(), "tagged"); err == nil {
			t.Errorf("%s: a role without the tag is assumed", condition)
		}
	}
}

// TestTagsThatAreNone: what cannot be a session tag is refused in STS's words, whoever asks (spec §1.3).
func TestTagsThatAreNone(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	putRole(t, s, "r", trusting(account12, everything, ""), nil)
	many := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprint("k", i), "v")
		}
		return out
	}
	for name, tc := range map[string]struct {
		tags    []string
		message string // or none
	}{
		"letters of any kind":     {[]string{"équipe 日本 _.:/=+-@", "équipe 日本 _.:/=+-@"}, ""},
		"an empty value":          {[]string{"k", ""}, ""},
		"the longest":             {[]string{strings.Repeat("k", 128), strings.Repeat("v", 256)}, ""},
		"fifty":                   {many(50), ""},
		"fifty-one":               {many(51), "1 validation error detected: "},
		"too long a key":          {[]string{strings.Repeat("k", 129), "v"}, "1 validation error detected: "},
		"too long a value":        {[]string{"k", strings.Repeat("v", 257)}, "1 validation error detected: "},
		"no key":                  {[]string{"", "v"}, ""},
		"a star":                  {[]string{"k", "*"}, "1 validation error detected: "},
		"a question mark":         {[]string{"k", "?"}, "1 validation error detected: "},
		"a variable":              {[]string{"k", "${aws:userid}"}, "1 validation error detected: "},
		"a line break":            {[]string{"k", "a\nb"}, "1 validation error detected: "},
		"a star as key":           {[]string{"*", "v"}, "1 validation error detected: "},
		"twice":                   {[]string{"k", "a", "k", "b"}, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"twice, another case":     {[]string{"k", "a", "K", "b"}, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"twice, the long s":       {[]string{"class", "admin", "claſs", "user"}, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"of AWS":                  {[]string{"aws:team", "a"}, "Tag keys must not begin with aws:."},
		"of AWS, in another case": {[]string{"AWS:team", "a"}, "Tag keys must not begin with aws:."},
	} {
		_, err := assumeRole(s, ann, "r", tagged(tc.tags...)...)
		_, federated := ask(s, ann, "GetFederationToken", append([]string{"Name", "bob"}, tagged(tc.tags...)...)...)
		t.Log(name)
		switch {
		case name == "no key":
			if err == nil || federated == nil {
				t.Error("a tag without a key is taken")
			}
		case tc.message == "":
			if err != nil || federated != nil {
				t.Errorf("got %v, %v", err, federated)
			}
		default:
			wantFault(t, s, err, 400, "ValidationError", tc.message)
			wantFault(t, s, federated, 400, "ValidationError", tc.message)
		}
	}
	_, err := assumeRole(s, ann, "r", join(tagged("a", "b"), transitive("c"))...)
	wantFault(t, s, err, 400, "ValidationError", "The specified transitive tag key must be included in the requested tags.")
	_, err = assumeRole(s, ann, "r", transitive("a")...)
	wantFault(t, s, err, 400, "ValidationError", "The specified transitive tag key must be included in the requested tags.")
}
