package cognito_test

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/session"
)

// tagMap sets which claims of an issuer become principal tags.
func (w *world) tagMap(issuer int, in object) reply {
	w.t.Helper()
	body := object{"IdentityPoolId": w.pool, "IdentityProviderName": w.idp.arn(issuer)}
	maps.Copy(body, in)
	return w.ok("SetPrincipalTagAttributeMap", body)
}

// taggable lets the pool's authenticated identities bring tags, and gives them a policy.
func (w *world) taggable(policy string) {
	w.t.Helper()
	w.role("dev-authenticated", trustTags(w.pool, "authenticated"), policy)
}

func (w *world) tagsOf(token string) map[string][]string {
	w.t.Helper()
	var claims struct {
		Tags struct {
			Principal map[string][]string `json:"principal_tags"`
		} `json:"https://aws.amazon.com/tags"`
	}
	if err := json.Unmarshal(w.verified(token), &claims); err != nil {
		w.t.Fatal(err)
	}
	return claims.Tags.Principal
}

func sessionTags(s *session.Session) map[string]string {
	out := map[string]string{}
	for _, t := range s.Tags {
		out[t.Key] = t.Value
	}
	return out
}

// TestPrincipalTags: default and custom maps, in the token and in the session; a policy on a tag decides.
func TestPrincipalTags(t *testing.T) {
	w := newWorld(t, options{})
	w.taggable(allow("cognito-identity:DescribeIdentity", "*", ""))
	alice, bob := w.getID(w.idp.login(0, "alice")), w.getID(w.idp.login(0, "bob"))
	for name, row := range map[string]struct {
		set    object
		claims object
		want   map[string]string
		shown  reply
	}{
		"nothing set":   {object{}, nil, map[string]string{}, reply{PrincipalTags: map[string]string{}}},
		"defaults":      {object{"UseDefaults": true}, nil, map[string]string{"client": "dev-app", "username": "alice"}, reply{PrincipalTags: map[string]string{}}},
		"defaults win":  {object{"UseDefaults": true, "PrincipalTags": object{"team": "team"}}, object{"team": "red"}, map[string]string{"client": "dev-app", "username": "alice"}, reply{PrincipalTags: map[string]string{}}},
		"custom":        {object{"PrincipalTags": object{"team": "t", "who": "sub"}}, object{"t": "red"}, map[string]string{"team": "red", "who": "alice"}, reply{PrincipalTags: map[string]string{"team": "t", "who": "sub"}}},
		"custom, false": {object{"UseDefaults": false, "PrincipalTags": object{"team": "t"}}, object{"t": "red"}, map[string]string{"team": "red"}, reply{PrincipalTags: map[string]string{"team": "t"}}},
		"absent":        {object{"PrincipalTags": object{"team": "t", "none": "none"}}, object{"t": "red"}, map[string]string{"team": "red"}, reply{PrincipalTags: map[string]string{"team": "t", "none": "none"}}},
		"numbers and booleans": {object{"PrincipalTags": object{"n": "n", "b": "b", "l": "l"}}, object{"n": 7, "b": true, "l": []string{"one"}},
			map[string]string{"n": "7", "b": "true", "l": "one"}, reply{PrincipalTags: map[string]string{"n": "n", "b": "b", "l": "l"}}},
	} {
		want := w.tagMap(0, row.set)
		got := w.ok("GetPrincipalTagAttributeMap", object{"IdentityPoolId": w.pool, "IdentityProviderName": w.idp.arn(0)})
		if d := cmp.Diff(got, want); d != "" {
			t.Errorf("%s: read and set (-got +want):\n%s", name, d)
		}
		if d := cmp.Diff(got.PrincipalTags, row.shown.PrincipalTags); d != "" || got.UseDefaults == nil || *got.UseDefaults != strings.HasPrefix(name, "defaults") {
			t.Errorf("%s: map (-got +want):\n%s", name, d)
		}
		in := object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", row.claims)}}
		vended, token := w.ok("GetCredentialsForIdentity", in), w.ok("GetOpenIdToken", in).Token
		if d := cmp.Diff(sessionTags(w.opened(vended)), row.want); d != "" {
			t.Errorf("%s: tags of the session (-got +want):\n%s", name, d)
		}
		var inToken map[string][]string
		for k, v := range row.want {
			if inToken == nil {
				inToken = map[string][]string{}
			}
			inToken[k] = []string{v}
		}
		if d := cmp.Diff(w.tagsOf(token), inToken); d != "" {
			t.Errorf("%s: tags of the token (-got +want):\n%s", name, d)
		}
	}

	// A policy decides on the tag: alice may describe, bob not.
	w.taggable(allow("cognito-identity:DescribeIdentity", "*", `{"StringEquals":{"aws:PrincipalTag/username":"alice"}}`))
	w.tagMap(0, object{"UseDefaults": true})
	for sub, id := range map[string]string{"alice": alice, "bob": bob} {
		out := w.vend(id, w.idp.login(0, sub))
		if sub == "alice" {
			if _, err := w.as(out.signer(), "DescribeIdentity", object{"IdentityId": bob}); err != nil {
				t.Errorf("alice: got %v", err)
			}
			continue
		}
		w.refuse(t, sub, denied, "", ask{out.signer(), "DescribeIdentity", object{"IdentityId": bob}})
	}

	// A developer says his user's tags himself; the map of a provider says nothing about them.
	dev := w.developerToken(object{"Logins": user("dev"), "PrincipalTags": object{"username": "alice"}})
	if _, err := w.as(ptr(w.vend(dev.IdentityId, map[string]string{own: dev.Token})).signer(), "DescribeIdentity", object{"IdentityId": bob}); err != nil {
		t.Errorf("a developer's user with the tag: got %v", err)
	}

	// Who does not trust tags does not get them.
	w.role("dev-authenticated", trust(w.pool, "authenticated"))
	w.refuse(t, "no sts:TagSession", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}})
	w.refuse(t, "no sts:TagSession, developer", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": dev.IdentityId, "Logins": object{own: dev.Token}}})
	w.tagMap(0, object{})
	w.vend(alice, w.idp.login(0, "alice"))
	// And the trust policy may look at them.
	w.role("dev-authenticated", strings.Replace(trustTags(w.pool, "authenticated"), `"StringEquals":{`, `"StringEquals":{"aws:RequestTag/team":"red",`, 1))
	w.tagMap(0, object{"PrincipalTags": object{"team": "team"}})
	for team, allowed := range map[string]bool{"red": true, "blue": false} {
		in := object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", object{"team": team})}}
		if got := w.roleOf(t, in); (got == "dev-authenticated") != allowed {
			t.Errorf("team %s: got %s", team, got)
		}
	}
	// Guests have no tags.
	w.vend(w.getID(nil), nil)
}

func ptr[T any](v T) *T { return &v }

// TestE9: the value of a claim is text in a policy and never a pattern or a variable; what cannot be a tag refuses the
// login, as a tag that is silently missing could open a policy.
func TestE9(t *testing.T) {
	w := newWorld(t, options{})
	alice := w.getID(w.idp.login(0, "alice"))
	w.taggable(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"cognito-identity:DescribeIdentityPool","Resource":"arn:aws:cognito-identity:*:*:identitypool/${aws:PrincipalTag/team}"},
		{"Effect":"Allow","Action":"cognito-identity:ListIdentities","Resource":"*","Condition":{"StringLike":{"aws:PrincipalTag/team":"${aws:PrincipalTag/team}"}}}]}`)
	w.tagMap(0, object{"PrincipalTags": object{"team": "team", "other": "other"}})
	in := func(claims object) object {
		return object{"IdentityId": alice, "Logins": object{w.idp.key(0): w.idp.token(0, "alice", claims)}}
	}
	for name, team := range map[string]string{
		"a star": "*", "a question mark": "?", "a variable": "${aws:username}", "a variable's end": "}", "a comma": "a,b", "a quote": `"`, "a backslash": `\`,
		"too long": strings.Repeat("a", 257), "a line break": "a\nb", "a percent sign": "%2a", "an exclamation mark": "!",
	} {
		w.refuse(t, name, refused, "", ask{op: "GetCredentialsForIdentity", in: in(object{"team": team})})
		w.refuse(t, name, refused, "", ask{op: "GetOpenIdToken", in: in(object{"team": team})})
	}
	for name, row := range map[string]struct {
		claims         object
		describe, list bool
	}{
		"the pool's id":       {object{"team": w.pool}, true, true},
		"a part of it":        {object{"team": w.pool[:20]}, false, true},
		"letters of any kind": {object{"team": "équipe 日本 _.:/=+-@"}, false, true},
		"as long as may be":   {object{"team": strings.Repeat("é", 256)}, false, true},
		"absent":              {nil, false, false},
		"several":             {object{"team": []string{w.pool, "x"}}, false, false},
		"an object":           {object{"team": object{"a": w.pool}}, false, false},
	} {
		out := w.ok("GetCredentialsForIdentity", in(row.claims))
		for op, c := range map[string]struct {
			in   object
			want bool
		}{"DescribeIdentityPool": {object{"IdentityPoolId": w.pool}, row.describe}, "ListIdentities": {object{"IdentityPoolId": w.pool, "MaxResults": 1}, row.list}} {
			if _, err := w.as(out.signer(), op, c.in); (err == nil) != c.want {
				t.Errorf("%s: %s: got %v, want allowed %v", name, op, err, c.want)
			}
		}
	}
	// Many tags: fifty may be mapped, and fit into a session or are refused for that.
	fifty, fiftyOne := object{}, object{}
	for n := range 51 {
		fiftyOne[fmt.Sprint("t", n)] = "sub"
		if n < 50 {
			fifty[fmt.Sprint("t", n)] = "sub"
		}
	}
	w.refuse(t, "fifty-one", badValue, "", ask{op: "SetPrincipalTagAttributeMap", in: object{"IdentityPoolId": w.pool, "IdentityProviderName": w.idp.arn(0), "PrincipalTags": fiftyOne}})
	w.tagMap(0, object{"PrincipalTags": fifty})
	if got := len(w.opened(w.ok("GetCredentialsForIdentity", in(nil))).Tags); got != 50 {
		t.Errorf("got %d tags, want 50", got)
	}
	claims := object{}
	for n := range 50 {
		fifty[fmt.Sprint("t", n)] = fmt.Sprint("c", n)
		sum := sha512.Sum512([]byte{byte(n)})
		claims[fmt.Sprint("c", n)] = hex.EncodeToString(sum[:])
	}
	w.tagMap(0, object{"PrincipalTags": fifty})
	w.refuse(t, "fifty of 128 bytes that hardly deflate", badPool, badRoles, ask{op: "GetCredentialsForIdentity", in: in(claims)})
}

// TestTags: tags from the beginning, added, removed and listed, and what policies make of them.
func TestTags(t *testing.T) {
	w := newWorld(t, options{})
	id := w.newPool(object{"IdentityPoolTags": object{"env": "dev", "empty": ""}})
	in := func(more object) object {
		out := object{"ResourceArn": poolARN(id)}
		maps.Copy(out, more)
		return out
	}
	has := func(name string, want map[string]string) {
		t.Helper()
		if d := cmp.Diff(w.ok("ListTagsForResource", in(nil)).Tags, want); d != "" {
			t.Errorf("%s: tags (-got +want):\n%s", name, d)
		}
		if d := cmp.Diff(w.ok("DescribeIdentityPool", object{"IdentityPoolId": id}).IdentityPoolTags, want); d != "" {
			t.Errorf("%s: tags of the pool (-got +want):\n%s", name, d)
		}
	}
	has("made", map[string]string{"env": "dev", "empty": ""})
	w.ok("TagResource", in(object{"Tags": object{"env": "prod", "a b": "_.:/=+-@ é"}}))
	has("added", map[string]string{"env": "prod", "empty": "", "a b": "_.:/=+-@ é"})
	w.ok("UntagResource", in(object{"TagKeys": []string{"ENV", "empty", "a b", "never", "never"}}))
	has("removed", map[string]string{"env": "prod"})
	// Keys of conditions have no case: two such tags could not be told apart in a policy.
	w.refuse(t, "a key in another case", invalid, "", ask{op: "TagResource", in: in(object{"Tags": object{"Env": "x"}})})
	update := object{"IdentityPoolId": id, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
	w.ok("UpdateIdentityPool", update)
	has("updated without tags", map[string]string{"env": "prod"})
	update["IdentityPoolTags"] = object{"team": "red"}
	w.ok("UpdateIdentityPool", update)
	has("updated with tags", map[string]string{"team": "red"})
	w.ok("UntagResource", in(object{"TagKeys": []string{"team"}}))
	has("none", map[string]string{})
	for n := range 50 {
		w.ok("TagResource", in(object{"Tags": object{fmt.Sprint("k", n): "v"}}))
	}
	w.refuse(t, "fifty-one", invalid, "A pool can have at most 50 tags.", ask{op: "TagResource", in: in(object{"Tags": object{"k50": "v"}})})
	w.ok("TagResource", in(object{"Tags": object{"k49": "w"}}))
}

// TestTagConditions: policies look at a pool's tags, and at those that a request would give it, on every road by which
// tags can be given (spec §14.2).
func TestTagConditions(t *testing.T) {
	w := newWorld(t, options{})
	dev := w.newPool(object{"IdentityPoolTags": object{"env": "dev"}})
	prod := w.newPool(object{"IdentityPoolTags": object{"env": "prod"}})
	onDev := w.user("on-dev", allow("cognito-identity:*", "*", `{"StringEquals":{"aws:ResourceTag/env":"dev"}}`))
	for op, in := range map[string]func(id string) object{
		"DescribeIdentityPool": func(id string) object { return object{"IdentityPoolId": id} },
		"ListIdentities":       func(id string) object { return object{"IdentityPoolId": id, "MaxResults": 1} },
		"ListTagsForResource":  func(id string) object { return object{"ResourceArn": poolARN(id)} },
		"UpdateIdentityPool": func(id string) object {
			return object{"IdentityPoolId": id, "IdentityPoolName": "q", "AllowUnauthenticatedIdentities": false}
		},
	} {
		if _, err := w.as(onDev, op, in(dev)); err != nil {
			t.Errorf("%s: got %v for a pool with the tag", op, err)
		}
		w.refuse(t, "another tag", denied, "", ask{onDev, op, in(prod)})
		w.refuse(t, "no such pool", denied, "", ask{onDev, op, in(unknownID)})
	}
	// Tags that a request brings.
	careful := w.user("careful",
		allow("cognito-identity:CreateIdentityPool", "*", `{"StringEquals":{"aws:RequestTag/env":"dev"},"ForAllValues:StringEquals":{"aws:TagKeys":["env","team"]}}`),
		allow("cognito-identity:TagResource", "*", `{"StringEquals":{"aws:RequestTag/env":"dev"},"ForAllValues:StringEquals":{"aws:TagKeys":["env","team"]}}`),
		allow("cognito-identity:UntagResource", "*", `{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`),
		allow("cognito-identity:UpdateIdentityPool", "*", ""))
	create := func(tags object) object {
		return object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false, "IdentityPoolTags": tags}
	}
	tag := func(tags object) object { return object{"ResourceArn": poolARN(dev), "Tags": tags} }
	update := func(tags object) object {
		return object{"IdentityPoolId": dev, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false, "IdentityPoolTags": tags}
	}
	for _, row := range []struct {
		name    string
		op      string
		in      object
		allowed bool
	}{
		{"made with the tag", "CreateIdentityPool", create(object{"env": "dev"}), true},
		{"made with it and another", "CreateIdentityPool", create(object{"env": "dev", "team": "red"}), true},
		{"made without", "CreateIdentityPool", create(nil), false},
		{"made with another value", "CreateIdentityPool", create(object{"env": "prod"}), false},
		{"made with a key too many", "CreateIdentityPool", create(object{"env": "dev", "x": "y"}), false},
		{"tagged", "TagResource", tag(object{"env": "dev", "team": "red"}), true},
		{"tagged otherwise", "TagResource", tag(object{"env": "prod"}), false},
		{"tagged with a key too many", "TagResource", tag(object{"env": "dev", "x": "y"}), false},
		{"updated, tags as they are", "UpdateIdentityPool", update(object{"env": "dev", "team": "red"}), true},
		{"updated, tags left out", "UpdateIdentityPool", update(nil), true},
		{"updated, a tag that may go", "UpdateIdentityPool", update(object{"env": "dev"}), true},
		{"updated, a value that may not be", "UpdateIdentityPool", update(object{"env": "prod"}), false},
		{"updated, a key too many", "UpdateIdentityPool", update(object{"env": "dev", "x": "y"}), false},
		{"updated, a tag that may not go", "UpdateIdentityPool", update(object{}), false},
		{"untagged", "UntagResource", object{"ResourceArn": poolARN(dev), "TagKeys": []string{"team"}}, true},
		{"untagged what may not go", "UntagResource", object{"ResourceArn": poolARN(dev), "TagKeys": []string{"team", "env"}}, false},
	} {
		if !row.allowed {
			w.refuse(t, row.name, denied, "", ask{careful, row.op, row.in})
		} else if _, err := w.as(careful, row.op, row.in); err != nil {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}
