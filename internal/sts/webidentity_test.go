package sts_test

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/client"
	"idpool/internal/idpooltest"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/testidp"
)

// assumed is an answer of AssumeRoleWithWebIdentity.
type assumed struct {
	Subject  string `xml:"AssumeRoleWithWebIdentityResult>SubjectFromWebIdentityToken"`
	Provider string `xml:"AssumeRoleWithWebIdentityResult>Provider"`
	Audience string `xml:"AssumeRoleWithWebIdentityResult>Audience"`
	ARN      string `xml:"AssumeRoleWithWebIdentityResult>AssumedRoleUser>Arn"`
	Key      string `xml:"AssumeRoleWithWebIdentityResult>Credentials>AccessKeyId"`
	Secret   string `xml:"AssumeRoleWithWebIdentityResult>Credentials>SecretAccessKey"`
	Token    string `xml:"AssumeRoleWithWebIdentityResult>Credentials>SessionToken"`
	Packed   int64  `xml:"AssumeRoleWithWebIdentityResult>PackedPolicySize"`
}

func (a *assumed) signer() *sigv4.Credentials {
	return &sigv4.Credentials{AccessKeyID: a.Key, Secret: a.Secret, Token: a.Token}
}

func assume(s *idpooltest.Server, roleARN, token string, more url.Values) (*assumed, error) {
	form := url.Values{"RoleArn": {roleARN}, "RoleSessionName": {"app"}, "WebIdentityToken": {token}}
	for k, v := range more {
		form[k] = v
	}
	out := &assumed{}
	return out, s.Client().Query(context.Background(), "sts", "2011-06-15", "AssumeRoleWithWebIdentity", form, nil, out)
}

// wantFault fails unless err is the fault, and that request minted nothing.
func wantFault(t *testing.T, s *idpooltest.Server, err error, status int, code, message string) {
	t.Helper()
	f, ok := errors.AsType[*client.Fault](err)
	if !ok || f.Status != status || f.Code != code || !strings.HasPrefix(f.Message, message) {
		t.Errorf("got %v; want %d %s: %s", err, status, code, message)
	}
	records := s.Records()
	if last := records[len(records)-1]; last.Minted != "" {
		t.Errorf("%s was minted", last.Minted)
	}
}

func openIDToken(s *idpooltest.Server, identity string, logins map[string]string) string {
	in := map[string]any{"IdentityId": identity}
	if logins != nil {
		in["Logins"] = logins
	}
	var out struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, in, &out)
	return out.Token
}

// The classic flow: GetId, GetOpenIdToken, AssumeRoleWithWebIdentity.
func TestClassicFlow(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	alice := s.MustGetID("alice")
	token := openIDToken(s, alice, s.Logins(s.MustToken("alice")))
	got, err := assume(s, s.Dev.AuthenticatedRoleARN, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != alice || got.Audience != s.Dev.PoolID || got.Provider != "cognito-identity.amazonaws.com" {
		t.Errorf("got %s, %s, %s", got.Subject, got.Audience, got.Provider)
	}
	if arn, err := s.WhoAmI(got.signer()); err != nil || arn != got.ARN || !strings.HasSuffix(arn, "assumed-role/dev-authenticated/app") {
		t.Errorf("WhoAmI = %s, %v", arn, err)
	}
	s.MustCall("DescribeIdentity", got.signer(), map[string]string{"IdentityId": alice}, nil)

	guestToken := openIDToken(s, s.MustGetID(""), nil)
	if _, err := assume(s, s.Dev.GuestRoleARN, guestToken, nil); err != nil {
		t.Errorf("a guest: %v", err)
	}
	_, err = assume(s, s.Dev.AuthenticatedRoleARN, guestToken, nil)
	wantFault(t, s, err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	_, err = assume(s, "arn:aws:iam::111122223333:role/missing", token, nil)
	wantFault(t, s, err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
}

func TestOwnTokensThatAreRefused(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	s := idpooltest.Start(t, idpooltest.Options{Clock: clock})
	token := openIDToken(s, s.MustGetID("alice"), s.Logins(s.MustToken("alice")))
	other := idpooltest.Start(t, idpooltest.Options{Clock: clock})
	foreign := openIDToken(other, other.MustGetID("alice"), other.Logins(other.MustToken("alice")))
	const noKey = "Couldn't retrieve verification key from your identity provider"
	_, err := assume(s, s.Dev.AuthenticatedRoleARN, foreign, nil) // the same issuer, another key
	wantFault(t, s, err, 400, "InvalidIdentityToken", noKey)
	flipped := []byte(token)
	flipped[len(flipped)-10] ^= 1
	_, err = assume(s, s.Dev.AuthenticatedRoleARN, string(flipped), nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "")
	_, err = assume(s, s.Dev.AuthenticatedRoleARN, "x.y.z", nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
	ahead.Store(int64(10 * time.Minute))
	if err := s.Source.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = assume(s, s.Dev.AuthenticatedRoleARN, token, nil)
	wantFault(t, s, err, 400, "ExpiredTokenException", "Token expired: ")
}

// mustRole stores a role that trusts the test server's provider with a condition on sub.
func mustRole(t *testing.T, s *idpooltest.Server, name, actions, condition, inline string) string {
	t.Helper()
	r := &account.Role{
		Name: name, Path: "/", ID: "AROA" + strings.Repeat("A", 17), MaxSession: 3600,
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/` +
			s.IdP.Key + `"},"Action":` + actions + `,"Condition":` + condition + `}]}`,
		Inline: map[string]string{"p": inline},
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := s.Source.Write(t.Context(), snapshot.PutRole(r, 0)); err != nil {
		t.Fatal(err)
	}
	return r.ARN("111122223333")
}

const listPools = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cognito-identity:*","Resource":"*"}]}`

// A provider's own token at STS: what the SDKs' web-identity provider does.
func TestProviderToken(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	role := mustRole(t, s, "app", `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`,
		`{"StringEquals":{"`+s.IdP.Key+`:sub":"alice","`+s.IdP.Key+`:aud":"dev-app"}}`, listPools)
	got, err := assume(s, role, s.MustToken("alice"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "alice" || got.Audience != setup.DevAudience || got.Provider != s.IdP.Issuer() {
		t.Errorf("got %s, %s, %s", got.Subject, got.Audience, got.Provider)
	}
	s.MustCall("ListIdentityPools", got.signer(), map[string]any{"MaxResults": 1}, nil)

	_, err = assume(s, role, s.MustToken("bob"), nil)
	wantFault(t, s, err, 403, "AccessDenied", "Not authorized")
	// A claim that differs from sub in case alone does not stand in for it.
	for _, name := range []string{"SUB", "Sub", "suB"} {
		_, err = assume(s, role, s.MustMint(testidp.TokenRequest{Sub: "bob", Aud: setup.DevAudience, Claims: map[string]any{name: "alice"}}), nil)
		wantFault(t, s, err, 403, "AccessDenied", "Not authorized")
	}
	_, err = assume(s, role, s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: "another"}), nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "Incorrect token audience")
	ended := int64(-60)
	_, err = assume(s, role, s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience, TTLSeconds: &ended}), nil)
	wantFault(t, s, err, 400, "ExpiredTokenException", "Token expired: ")
	stranger := idpooltest.StartIdP(t, time.Now)
	token, err := stranger.Mint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience})
	if err != nil {
		t.Fatal(err)
	}
	_, err = assume(s, role, token, nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for http://127.0.0.1:")
	_, err = assume(s, role, s.MustToken("alice"), url.Values{"DurationSeconds": {"3601"}})
	wantFault(t, s, err, 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	_, err = assume(s, role, s.MustToken("alice"), url.Values{"DurationSeconds": {"899"}})
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
}

// Of two claims that differ in case alone neither decides.
func TestClaimsThatDifferInCase(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	byTeam := mustRole(t, s, "red", `"sts:AssumeRoleWithWebIdentity"`, `{"StringEquals":{"`+s.IdP.Key+`:team":"red"}}`, listPools)
	byClass := mustRole(t, s, "class", `"sts:AssumeRoleWithWebIdentity"`, `{"StringEquals":{"`+s.IdP.Key+`:class":"red"}}`, listPools)
	for _, tc := range []struct {
		claims map[string]any
		want   bool
	}{
		{map[string]any{"team": "red"}, true},
		{map[string]any{"team": "blue"}, false},
		{map[string]any{"team": "blue", "TEAM": "red"}, false},
		{map[string]any{"team": "red", "TEAM": "blue"}, false},
		{map[string]any{"team": "blue", "Team": "red", "TEAM": "red"}, false},
		{map[string]any{"class": "red"}, true},
		{map[string]any{"class": "blue", "claſs": "red"}, false},
		{map[string]any{"class": "red", "claſs": "blue"}, false},
	} {
		role := byTeam
		if _, ok := tc.claims["class"]; ok {
			role = byClass
		}
		_, err := assume(s, role, s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience, Claims: tc.claims}), nil)
		if tc.want && err != nil {
			t.Errorf("%v: %v", tc.claims, err)
		}
		if !tc.want {
			wantFault(t, s, err, 403, "AccessDenied", "Not authorized")
		}
	}
}

func TestSessionPolicyAndTags(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	anybody := `{"StringLike":{"` + s.IdP.Key + `:sub":"*"}}`
	tagging := mustRole(t, s, "tagging", `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, anybody,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}}]}`)
	plain := mustRole(t, s, "plain", `"sts:AssumeRoleWithWebIdentity"`, anybody, listPools)
	tagged := func(team any) string {
		return s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience, Claims: map[string]any{
			"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": team}},
		}})
	}
	list := func(c *sigv4.Credentials) error {
		return s.Call("ListIdentityPools", c, map[string]any{"MaxResults": 1}, nil)
	}

	blue, err := assume(s, tagging, tagged([]string{"blue"}), nil)
	if err != nil || list(blue.signer()) != nil {
		t.Errorf("blue: %v, %v", err, list(blue.signer()))
	}
	star, err := assume(s, tagging, tagged([]string{"red"}), nil)
	if err != nil || list(star.signer()) == nil {
		t.Errorf("red is let in: %v", err)
	}
	_, err = assume(s, plain, tagged([]string{"blue"}), nil)
	wantFault(t, s, err, 403, "AccessDenied", "Not authorized")
	for _, bad := range []any{[]string{"a", "b"}, 7, "*", []string{}} {
		_, err = assume(s, tagging, tagged(bad), nil)
		wantFault(t, s, err, 400, "InvalidIdentityToken", "The token's claims for session tags cannot be used")
	}

	nothing := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	cut, err := assume(s, plain, s.MustToken("alice"), url.Values{"Policy": {nothing}})
	if err != nil || list(cut.signer()) == nil {
		t.Errorf("a session policy does not cut: %v", err)
	}
	_, err = assume(s, plain, s.MustToken("alice"), url.Values{"Policy": {`{"Version":"2012-10-17"}`}})
	wantFault(t, s, err, 400, "MalformedPolicyDocument", "")
}

const (
	readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	s3Only   = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
)

// mustPolicy stores a managed policy.
func mustPolicy(t *testing.T, s *idpooltest.Server, name, text string) string {
	t.Helper()
	p := &account.ManagedPolicy{Name: name, Path: "/", ID: "ANPA" + strings.Repeat("A", 17), Default: "v1", Versions: map[string]string{"v1": text}}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	var version int64
	if old := snapshotOf(t, s).PolicyNamed(name); old != nil {
		version = old.Version
	}
	if err := s.Source.Write(t.Context(), snapshot.PutPolicy(p, version)); err != nil {
		t.Fatal(err)
	}
	return p.ARN("111122223333")
}

func snapshotOf(t *testing.T, s *idpooltest.Server) *snapshot.Snapshot {
	t.Helper()
	now, err := s.Source.Current()
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// Managed session policies cut a session as inline ones do, and are united with them. They count as they are when the
// session is used; one that is gone denies everything.
func TestManagedSessionPolicies(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	role := mustRole(t, s, "app", `"sts:AssumeRoleWithWebIdentity"`, `{"StringLike":{"`+s.IdP.Key+`:sub":"*"}}`, listPools)
	nothing := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	own := mustPolicy(t, s, "own", listPools)
	list := func(c *sigv4.Credentials) bool {
		return s.Call("ListIdentityPools", c, map[string]any{"MaxResults": 1}, nil) == nil
	}
	for name, tc := range map[string]struct {
		form url.Values
		want bool
	}{
		"one that allows":           {url.Values{"PolicyArns.member.1.arn": {readOnly}}, true},
		"one that does not":         {url.Values{"PolicyArns.member.1.arn": {s3Only}}, false},
		"either":                    {url.Values{"PolicyArns.member.1.arn": {s3Only}, "PolicyArns.member.2.arn": {readOnly}}, true},
		"inline or managed":         {url.Values{"PolicyArns.member.1.arn": {readOnly}, "Policy": {nothing}}, true},
		"neither":                   {url.Values{"PolicyArns.member.1.arn": {s3Only}, "Policy": {nothing}}, false},
		"the account's own":         {url.Values{"PolicyArns.member.1.arn": {own}}, true},
		"an empty list":             {url.Values{"PolicyArns": {""}}, true},
		"the session cannot extend": {url.Values{"PolicyArns.member.1.arn": {"arn:aws:iam::aws:policy/AdministratorAccess"}}, true},
	} {
		got, err := assume(s, role, s.MustToken("alice"), tc.form)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if may := list(got.signer()); may != tc.want {
			t.Errorf("%s: got %v", name, may)
		}
		if passed := name != "an empty list"; passed != (got.Packed > 0 && got.Packed < 20) {
			t.Errorf("%s: PackedPolicySize %d", name, got.Packed)
		}
		if s.Call("DeleteIdentityPool", got.signer(), map[string]any{"IdentityPoolId": s.Dev.PoolID[:10] + "11111111-1111-4111-8111-111111111111"}, nil) == nil {
			t.Errorf("%s: deletes", name)
		}
	}
	got, err := assume(s, role, s.MustToken("alice"), url.Values{"PolicyArns.member.1.arn": {own}})
	if err != nil || !list(got.signer()) {
		t.Fatalf("the account's own: %v", err)
	}
	mustPolicy(t, s, "own", nothing)
	if list(got.signer()) {
		t.Error("a policy that was changed still allows what it did")
	}
	mustPolicy(t, s, "own", listPools)
	if !list(got.signer()) {
		t.Error("a policy that was changed back does not allow what it did")
	}
	if err := s.Source.Write(t.Context(), snapshot.DeletePolicy("own", snapshotOf(t, s).PolicyNamed("own").Version)); err != nil {
		t.Fatal(err)
	}
	if list(got.signer()) {
		t.Error("a policy that is gone allows")
	}
	for name, tc := range map[string]struct {
		form          url.Values
		code, message string
	}{
		"gone":          {url.Values{"PolicyArns.member.1.arn": {own}}, "ValidationError", "Policy " + own + " does not exist or is not attachable."},
		"another's":     {url.Values{"PolicyArns.member.1.arn": {"arn:aws:iam::999999999999:policy/own"}}, "ValidationError", "Policy arn:aws:iam::999999999999:policy/own does not"},
		"a wildcard":    {url.Values{"PolicyArns.member.1.arn": {"arn:aws:iam::aws:policy/*"}}, "ValidationError", "Policy arn:aws:iam::aws:policy/* does not"},
		"too short":     {url.Values{"PolicyArns.member.1.arn": {"arn"}}, "ValidationError", "1 validation error detected: "},
		"eleven":        {eleven(readOnly), "ValidationError", "1 validation error detected: "},
		"a long policy": {url.Values{"Policy": {strings.Repeat("x", 2049)}}, "ValidationError", "1 validation error detected: "},
		"no policy":     {url.Values{"Policy": {"x"}, "PolicyArns.member.1.arn": {readOnly}}, "MalformedPolicyDocument", ""},
	} {
		_, err := assume(s, role, s.MustToken("alice"), tc.form)
		t.Log(name)
		wantFault(t, s, err, 400, tc.code, tc.message)
	}
}

func eleven(arn string) url.Values {
	out := url.Values{}
	for i := range 11 {
		out.Set(fmt.Sprintf("PolicyArns.member.%d.arn", i+1), arn)
	}
	return out
}

// Tags that do not fit are refused with STS's sentence.
func TestTagsThatDoNotFit(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	role := mustRole(t, s, "app", `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, `{"StringLike":{"`+s.IdP.Key+`:sub":"*"}}`, listPools)
	tags := map[string]any{}
	for i := range 50 { // nearly as long as tags may be, and hardly to deflate
		a, b := sha512.Sum512([]byte{byte(i)}), sha512.Sum512([]byte{byte(i), 1})
		tags[hex.EncodeToString(a[:16])] = hex.EncodeToString(a[:]) + hex.EncodeToString(b[:32])
	}
	_, err := assume(s, role, s.MustMint(testidp.TokenRequest{Sub: "alice", Aud: setup.DevAudience, Claims: map[string]any{
		"https://aws.amazon.com/tags": map[string]any{"principal_tags": tags},
	}}), nil)
	wantFault(t, s, err, 400, "PackedPolicyTooLarge", "Packed size of session tags consumes 2")
}
