package idpooltest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"idpool/internal/account"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/shape"
	"idpool/internal/sigv4"
)

// fence is an administrator of one pool, and what lies on either side of the fence around it.
type fence struct {
	s          *Server
	own, other string // pools
	mayPass    string // the ARN of the role that the administrator may pass
	admin      *sigv4.Credentials
	signers    []*sigv4.Credentials // nil, the administrator, and everything that was vended on the way
	identities []string             // of either pool
	roles      []string
	logins     map[string]string
}

// fenced makes the pools and the roles, and limits the administrator to one of them.
func (s *Server) fenced(admin *sigv4.Credentials, round int) *fence {
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + s.IdP.Key
	open := object{"AllowUnauthenticatedIdentities": true, "OpenIdConnectProviderARNs": []string{provider}, "DeveloperProviderName": developer}
	f := &fence{s: s, own: s.mustPool(open), other: s.mustPool(open), admin: admin, logins: s.Logins(s.MustToken("alice"))}
	name := func(kind string) string { return fmt.Sprintf("%s-%d", kind, round) }
	f.mayPass = s.mustRole(name("pass"), trust(f.own, "authenticated"), allow("cognito-identity:DescribeIdentityPool", "*", ""))
	f.roles = []string{
		f.mayPass,
		s.mustRole(name("power"), trust(f.own, "authenticated"), allow("*", "*", "")),
		s.mustRole(name("others"), trust(f.other, "authenticated"), allow("*", "*", "")),
	}
	s.mustChangeUser("erin", func(u *account.User) {
		u.Inline = inline([]string{allow("cognito-identity:*", poolARN(f.own), ""), allow("iam:PassRole", f.mayPass, "")})
	})
	s.mustChangePool(f.other, func(p *pool.Pool) { p.Roles = map[string]string{pool.Authenticated: f.roles[2]} })
	f.signers = []*sigv4.Credentials{nil, admin}
	for _, id := range []string{f.own, f.other} {
		in := object{"IdentityPoolId": id, "Logins": object{developer: "bob"}}
		var vouched struct{ IdentityId string }
		s.MustCall("GetOpenIdTokenForDeveloperIdentity", s.Admin(), in, &vouched)
		f.identities = append(f.identities, s.mustIdentity("GetId", object{"IdentityPoolId": id}), vouched.IdentityId)
	}
	return f
}

// input makes a call of an operation of Cognito Identity from what is at hand; concerned is the pool that it names.
func (f *fence) input(t *rapid.T) (in object, concerned string) {
	one := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	concerned = one("pool", f.own, f.other)
	identity := one("identity", f.identities...)
	roles := object{"authenticated": one("role", f.roles...), "unauthenticated": one("role", f.roles...)}
	logins := rapid.SampledFrom([]any{f.logins, object{developer: one("user", "bob", "eve")}, object{}}).Draw(t, "logins")
	in = object{
		"IdentityPoolId": concerned, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": rapid.Bool().Draw(t, "guests"),
		"AllowClassicFlow": false, "DeveloperProviderName": developer,
		"OpenIdConnectProviderARNs": []string{"arn:aws:iam::" + Account + ":oidc-provider/" + f.s.IdP.Key},
		"IdentityId":                identity, "IdentityIdsToDelete": []string{identity}, "ResourceArn": poolARN(concerned),
		"Roles": roles, "CustomRoleArn": one("role", f.roles...), "Logins": logins, "LoginsToRemove": []string{developer, f.s.IdP.Key},
		"MaxResults": 5, "Tags": object{"team": "a"}, "TagKeys": []string{"team"}, "PrincipalTags": object{"team": "sub"},
		"IdentityProviderName": f.s.IdP.Key, "DeveloperUserIdentifier": one("user", "bob", "eve"),
		"SourceUserIdentifier": "bob", "DestinationUserIdentifier": "eve",
	}
	if rapid.Bool().Draw(t, "mapped") {
		in["RoleMappings"] = object{"arn:aws:iam::" + Account + ":oidc-provider/" + f.s.IdP.Key: object{
			"Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole", "RulesConfiguration": object{"Rules": []object{
				{"Claim": "sub", "MatchType": "Equals", "Value": "alice", "RoleARN": one("role", f.roles...)},
			}},
		}}
	}
	if rapid.Bool().Draw(t, "any role") {
		delete(in, "CustomRoleArn")
	}
	return in, concerned
}

// pick keeps of the members those that the operation has, and leaves optional ones away now and then.
func pick(t *rapid.T, in object, members []shape.Member) object {
	out := object{}
	for _, m := range members {
		if v, ok := in[m.Name]; ok && (m.Required || rapid.IntRange(0, 3).Draw(t, m.Name) > 0) {
			out[m.Name] = v
		}
	}
	return out
}

// beyond is everything on the other side of the fence, as text.
func (f *fence) beyond() string {
	now := f.s.mustSnapshot()
	text, err := json.Marshal([]any{
		now.Pool(f.other).Pool, f.s.MustIdentities(f.other), len(now.Roles()), now.Roles(), len(now.Users()), now.Users(), now.Policies(), now.OIDCProviders(),
	})
	if err != nil {
		f.s.t.Fatal(err)
	}
	return string(text)
}

// take keeps the credentials and the identity of an answer for later calls, and checks whose they are.
func (f *fence) take(t *rapid.T, said *answer) {
	var out struct {
		IdentityId  string
		Credentials struct{ AccessKeyId, SecretKey, SessionToken string }
	}
	if err := json.Unmarshal([]byte(said.body), &out); err != nil || out.Credentials.AccessKeyId == "" {
		return
	}
	signer := &sigv4.Credentials{AccessKeyID: out.Credentials.AccessKeyId, Secret: out.Credentials.SecretKey, Token: out.Credentials.SessionToken}
	who, err := f.s.WhoAmI(signer)
	if err != nil {
		t.Fatal(err)
	}
	role := f.mayPass[strings.LastIndexByte(f.mayPass, '/')+1:]
	if !strings.Contains(who, ":assumed-role/"+role+"/") {
		t.Fatalf("the administrator of one pool came to be %s", who)
	}
	f.signers = append(f.signers, signer)
}

// TestFence: an administrator who is limited to one pool reaches, by no sequence of calls with his own key and with what
// they hand out, another pool, a role that he may not pass, or IAM.
func TestFence(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	admin, round := s.mustUser("erin"), 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		f := s.fenced(admin, round)
		before := f.beyond()
		for range rapid.IntRange(5, 25).Draw(t, "calls") {
			f.step(t)
			if p := s.mustSnapshot().Pool(f.own); p != nil {
				f.wantOwnRoles(t, &p.Pool)
			}
		}
		if after := f.beyond(); after != before {
			t.Fatalf("beyond the fence something changed:\n%s\n%s", before, after)
		}
	})
}

// step makes one call. Public operations on another pool are left out: who has a login may enter any pool that takes it,
// and that is no administrator's right.
func (f *fence) step(t *rapid.T) {
	signer := rapid.SampledFrom(f.signers).Draw(t, "signer")
	all := services()
	if rapid.IntRange(0, 9).Draw(t, "service") == 0 {
		f.tryIAM(t, rapid.SampledFrom(rowNames(all[2].Rows)).Draw(t, "operation"), signer)
		return
	}
	row := &all[0].Rows[rapid.IntRange(0, len(all[0].Rows)-1).Draw(t, "operation")]
	drawn, concerned := f.input(t)
	in := pick(t, drawn, row.In.Members)
	id, _ := in["IdentityId"].(string)
	if row.Access == operation.Anonymous {
		if signer = nil; concerned == f.other || f.of(id) == f.other {
			return
		}
	}
	said := f.s.call(row.Name, signer, in)
	if said.status >= http.StatusInternalServerError {
		t.Fatalf("%s: got %d %s", row.Name, said.status, said.body)
	}
	if f.concernsOther(in) && said.status == http.StatusOK {
		t.Fatalf("%s of another pool was answered: %s", row.Name, said.body)
	}
	f.take(t, said)
}

func rowNames(rows []operation.Row) []string {
	var out []string
	for i := range rows {
		out = append(out, rows[i].Name)
	}
	return out
}

// concernsOther reports whether a call names the other pool, or an identity of it.
func (f *fence) concernsOther(in object) bool {
	id, _ := in["IdentityId"].(string)
	return in["IdentityPoolId"] == f.other || in["ResourceArn"] == poolARN(f.other) || f.of(id) == f.other
}

// of is the pool of an identity.
func (f *fence) of(identity string) string {
	for i, id := range f.identities {
		if id == identity && i >= 2 {
			return f.other
		}
	}
	return f.own
}

// wantOwnRoles checks that the pool gives no role but the one that may be passed.
func (f *fence) wantOwnRoles(t *rapid.T, p *pool.Pool) {
	text, err := json.Marshal([]any{p.Roles, p.RoleMappings})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range f.roles[1:] {
		if strings.Contains(string(text), role) {
			t.Fatalf("the pool got the role %s, which may not be passed", role)
		}
	}
}

// tryIAM calls an operation of IAM on what there is: everybody here is refused.
func (f *fence) tryIAM(t *rapid.T, name string, signer *sigv4.Credentials) {
	form := "Action=" + name + "&Version=2010-05-08&RoleName=power&UserName=erin&PolicyName=p&PolicyDocument=%7B%7D&AssumeRolePolicyDocument=%7B%7D" +
		"&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess&PermissionsBoundary=arn:aws:iam::aws:policy/AdministratorAccess&VersionId=v1"
	header := formHeader()
	if signer != nil {
		f.s.sign(signer, "iam", header, form)
	}
	if said := f.s.send(http.MethodPost, "/", header, form); said.status == http.StatusOK || said.status >= http.StatusInternalServerError {
		t.Fatalf("IAM's %s: got %d %s, want a refusal", name, said.status, said.body)
	}
}
