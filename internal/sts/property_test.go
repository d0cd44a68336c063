package sts_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/testidp"
)

// hostile are values that would mean something in a pattern, a path or a variable if they were taken for more than text.
func hostile() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"*", "?", "$", "{", "}", "${aws:userid}", "${*}", "/", "..", "../", ":", ",", "'", `"`, `\`, "\x00", "\n", " ", "é", "日", "\u202e", "a", "blue", "x-1", "%2a", "＊"})
	return rapid.OneOf(
		rapid.Map(rapid.SliceOfN(piece, 0, 4), func(p []string) string { return strings.Join(p, "") }),
		rapid.StringN(0, 12, 40), rapid.Just(""), rapid.Just("*"), rapid.Just("blue"),
	)
}

const fence = "arn:aws:s3:::b/"

// fenced are policies that hold a caller to what carries his own value, in a resource and in a condition.
func fenced(t rapid.TB, variable string) *policy.Policies {
	text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:GetObject","Resource":"%[1]s${%[2]s}/*"},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"StringLike":{"aws:RequestTag/owner":"${%[2]s}"}}},
		{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*","Condition":{"StringEquals":{"%[2]s":"blue"}}}]}`, fence, variable)
	d, err := policy.Parse(policy.KindIdentity, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Policies{Identity: []policy.Named{{Name: "fenced", Document: d}}}
}

// TestValuesNeverWiden: whatever a session carries — tags, its name, a source identity, ids of a pool — matches itself
// and nothing more, also what no front door would have let in (security E9, 29).
func TestValuesNeverWiden(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	rapid.Check(t, func(t *rapid.T) {
		value, other := hostile().Draw(t, "value"), hostile().Draw(t, "other")
		made := &session.Session{
			Account: accountID, RoleName: "r", RolePath: "/", RoleID: "AROA1", Name: value, Issued: now, Expires: now.Add(time.Hour),
			Tags: []session.Tag{{Key: "team", Value: value}}, SourceIdentity: value, PoolID: value, IdentityID: value,
		}
		caller := &operation.Caller{ARN: made.ARN(), Account: accountID, UserID: made.UserID(), Session: made, Role: &snapshot.Role{Role: account.Role{Name: "r"}, ARN: made.RoleARN()}}
		keys := new(policy.Context)
		caller.Describe(keys)
		keys.Set("aws:RequestTag/owner", other)
		for variable, own := range map[string]string{
			"aws:PrincipalTag/team": value, "aws:SourceIdentity": value, "aws:userid": "AROA1:" + value,
			"cognito-identity.amazonaws.com:sub": value, "cognito-identity.amazonaws.com:aud": value,
		} {
			p := fenced(t, variable)
			decide := func(action, resource string) bool {
				return p.Decide(&policy.Request{Action: action, Resource: resource, Principal: policy.Principal{AWS: []string{caller.ARN}, Account: accountID}, Context: keys}).Allowed
			}
			literal := strings.HasPrefix(other+"/x", own+"/") // what stands in the fence is text; behind it is a star
			if decide("s3:GetObject", fence+other+"/x") && (own == "" || !literal) {
				t.Fatalf("%s = %q reaches %q", variable, own, other)
			}
			if decide("s3:PutObject", fence+"x") && (own == "" || own != other) {
				t.Fatalf("%s = %q is like %q", variable, own, other)
			}
			if decide("s3:DeleteObject", fence+"x") != (own == "blue") {
				t.Fatalf("%s = %q equals blue: %v", variable, own, own != "blue")
			}
		}
	})
}

// TestMintedValuesNeverWiden is the same over the whole path: tokens of a provider with such claims and tags, roles
// assumed with such names, and requests with what came of it.
func TestMintedValuesNeverWiden(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	iss := s.IdP.Key
	own := policyOf(`{"Effect":"Allow","Action":"cognito-identity:DescribeIdentityPool","Resource":"arn:aws:cognito-identity:*:*:identitypool/${aws:PrincipalTag/team}"},` +
		`{"Effect":"Allow","Action":"cognito-identity:DescribeIdentityPool","Resource":"arn:aws:cognito-identity:*:*:identitypool/${aws:SourceIdentity}"},` +
		`{"Effect":"Allow","Action":"cognito-identity:ListIdentityPools","Resource":"*","Condition":{"StringLike":{"aws:PrincipalTag/team":"red-*"}}}`)
	self := putRole(t, s, "self", trusting(`{"Federated":"arn:aws:iam::`+accountID+`:oidc-provider/`+iss+`"}`,
		`["sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"]`, `{"StringLike":{"`+iss+`:sub":"${`+iss+`:team}"}}`), nil, own)
	free := putRole(t, s, "free", trusting(`{"Federated":"arn:aws:iam::`+accountID+`:oidc-provider/`+iss+`"}`,
		`["sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"]`, ""), nil, own)
	rapid.Check(t, func(rt *rapid.T) {
		team := strings.ToValidUTF8(hostile().Draw(rt, "team"), "")
		sub := rapid.SampledFrom([]string{"alice", "blue", team, "a"}).Draw(rt, "sub")
		if sub == "" || len(sub) > 64 {
			sub = "alice"
		}
		token, err := s.IdP.Mint(testidp.TokenRequest{Sub: sub, Aud: setup.DevAudience, Claims: map[string]any{
			"team": team, "https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{team}}},
			"https://aws.amazon.com/source_identity": "src",
		}})
		if err != nil {
			rt.Skip("the provider does not say that")
		}
		if _, err := assume(s, self, token, nil); err == nil && (team == "" || sub != team) {
			rt.Fatalf("sub %q is like team %q", sub, team)
		}
		name := hostile().Draw(rt, "name")
		got, err := assume(s, free, token, url.Values{"RoleSessionName": {name}})
		if err != nil {
			return
		}
		if !session.TagText(team) || strings.ContainsAny(name, "*?${}/\\:\"\n ") {
			rt.Fatalf("a session named %q with the tag %q", name, team)
		}
		if s.Call("DescribeIdentityPool", got.signer(), map[string]any{"IdentityPoolId": s.Dev.PoolID}, nil) == nil {
			rt.Fatalf("the tag %q is the pool %s", team, s.Dev.PoolID)
		}
		listed := s.Call("ListIdentityPools", got.signer(), map[string]any{"MaxResults": 1}, nil) == nil
		if listed != strings.HasPrefix(team, "red-") {
			rt.Fatalf("the tag %q is like red-*: %v", team, listed)
		}
	})
}
