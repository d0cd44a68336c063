package operate_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"idpool/internal/arn"
	"idpool/internal/client"
	"idpool/internal/idpooltest"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/operate"
	"idpool/internal/revocation"
	"idpool/internal/sigv4"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

const ended = "The security token included in the request is expired"

// openID returns a token of ours for a user.
func openID(t *testing.T, s *idpooltest.Server, sub string) string {
	t.Helper()
	var out struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": s.MustGetID(sub), "Logins": s.Logins(s.MustToken(sub))}, &out)
	return out.Token
}

// assume takes a token to STS.
func assume(s *idpooltest.Server, token string) (*sigv4.Credentials, error) {
	var out struct {
		Key    string `xml:"AssumeRoleWithWebIdentityResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleWithWebIdentityResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleWithWebIdentityResult>Credentials>SessionToken"`
	}
	form := url.Values{"RoleArn": {s.Dev.AuthenticatedRoleARN}, "RoleSessionName": {"app"}, "WebIdentityToken": {token}}
	err := s.Client().Query(context.Background(), "sts", "2011-06-15", "AssumeRoleWithWebIdentity", form, nil, &out)
	return &sigv4.Credentials{AccessKeyID: out.Key, Secret: out.Secret, Token: out.Token}, err
}

// refusedBy reports whether a session is refused as one that has ended, by each protocol.
func refusedBy(t *testing.T, s *idpooltest.Server, name string, signer *sigv4.Credentials) bool {
	t.Helper()
	_, err := s.WhoAmI(signer)
	other := s.Call("DescribeIdentity", signer, object{"IdentityId": s.Dev.PoolID}, nil)
	if err == nil {
		if f, ok := errors.AsType[*client.Fault](other); !ok || f.Code == "ExpiredTokenException" {
			t.Errorf("%s: STS takes it, Cognito says %v", name, other)
		}
		return false
	}
	wantFault(t, name, err, "ExpiredToken", ended)
	wantFault(t, name, other, "ExpiredTokenException", ended)
	return true
}

// TestRevokeSessions: each way to revoke ends the sessions and tokens that it concerns, no others, and none of later.
func TestRevokeSessions(t *testing.T) {
	for _, row := range []struct {
		name string
		in   func(*idpooltest.Server, *idpooltest.Vended) object
		// Which of the others are concerned, and whether alice's OpenID token is.
		bob, guest, token bool
	}{
		{"identity", func(_ *idpooltest.Server, alice *idpooltest.Vended) object {
			return object{"IdentityId": alice.IdentityId}
		}, false, false, true},
		{"access key", func(_ *idpooltest.Server, alice *idpooltest.Vended) object {
			return object{"AccessKeyId": alice.Credentials.AccessKeyId}
		}, false, false, false},
		{"role", func(s *idpooltest.Server, _ *idpooltest.Vended) object {
			return object{"RoleArn": s.Dev.AuthenticatedRoleARN}
		}, true, false, false},
		{"pool", func(s *idpooltest.Server, _ *idpooltest.Vended) object { return object{"IdentityPoolId": s.Dev.PoolID} }, true, true, true},
		{"provider", func(s *idpooltest.Server, _ *idpooltest.Vended) object { return object{"ProviderName": s.IdP.Key} }, true, false, true},
		{"provider's ARN", func(s *idpooltest.Server, _ *idpooltest.Vended) object {
			return object{"ProviderName": arn.OIDCProvider(idpooltest.Account, s.IdP.Issuer())}
		}, true, false, true},
		{"our own issuer", func(*idpooltest.Server, *idpooltest.Vended) object {
			return object{"ProviderName": "cognito-identity.amazonaws.com"}
		}, true, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newClock()
			s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
			alice, bob, guest := s.MustVend("alice"), s.MustVend("bob"), s.MustVend("")
			token := openID(t, s, "alice")
			classic, err := assume(s, token)
			if err != nil {
				t.Fatal(err)
			}
			c.advance(t, time.Second, s)
			var out struct {
				Before, Until float64
				Known         bool
			}
			must(t, s, "RevokeSessions", row.in(s, alice), &out)
			if !out.Known || int64(out.Before) != c.Now().Unix() || out.Until != float64(c.Now().Add(37*time.Hour).UnixMilli())/1000 {
				t.Errorf("got %+v", out)
			}
			for _, who := range []struct {
				name   string
				signer *sigv4.Credentials
				want   bool
			}{
				{"alice", alice.Signer(), true}, {"alice's classic session", classic, row.name != "access key"},
				{"bob", bob.Signer(), row.bob}, {"the guest", guest.Signer(), row.guest}, {"the administrator", s.Admin(), false},
			} {
				if got := refusedBy(t, s, who.name, who.signer); got != who.want {
					t.Errorf("%s: refused %v, want %v", who.name, got, who.want)
				}
			}
			_, err = assume(s, token)
			again := s.Call("GetCredentialsForIdentity", nil, object{"IdentityId": alice.IdentityId, "Logins": object{"cognito-identity.amazonaws.com": token}}, nil)
			if row.token {
				wantFault(t, "its token at STS", err, "ExpiredTokenException", "The token was revoked.")
				wantFault(t, "its token", again, "NotAuthorizedException", "Invalid login token. Token was revoked.")
			}
			c.advance(t, time.Second, s)
			if s.MustVend("alice"); refusedBy(t, s, "alice again", s.MustVend("alice").Signer()) || refusedBy(t, s, "a new guest", s.MustVend("").Signer()) {
				t.Error("a session of later is revoked")
			}
			if refusedBy(t, s, "a new token's session", must1(assume(s, openID(t, s, "alice")))) {
				t.Error("a token of later is revoked")
			}
		})
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// What is minted in the second of a revocation would be revoked at once, and is not handed out.
func TestTheSecondOfARevocation(t *testing.T) {
	c := newClock()
	s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
	alice := s.MustVend("alice")
	must(t, s, "RevokeSessions", object{"IdentityId": alice.IdentityId}, nil)
	if !refusedBy(t, s, "of the same second", alice.Signer()) {
		t.Error("a session of the same second goes on")
	}
	in := object{"IdentityId": alice.IdentityId, "Logins": s.Logins(s.MustToken("alice"))}
	for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
		wantFault(t, op, s.Call(op, nil, in, nil), "TooManyRequestsException", "Rate exceeded")
	}
	c.advance(t, time.Second, s)
	for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken"} {
		s.MustCall(op, nil, in, nil)
	}
}

// Before says which sessions; an earlier one gives nothing back.
func TestRevokeBefore(t *testing.T) {
	c := newClock()
	s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
	first := s.MustVend("alice")
	c.advance(t, time.Minute, s)
	second := s.MustVend("alice")
	c.advance(t, time.Minute, s)
	revoke := func(at time.Time) float64 {
		var out struct{ Before float64 }
		must(t, s, "RevokeSessions", object{"IdentityPoolId": s.Dev.PoolID, "Before": at.Unix()}, &out)
		return out.Before
	}
	revoke(noon.Add(30 * time.Second))
	if !refusedBy(t, s, "first", first.Signer()) || refusedBy(t, s, "second", second.Signer()) {
		t.Error("not the sessions of before")
	}
	revoke(noon.Add(time.Minute))
	if !refusedBy(t, s, "second", second.Signer()) {
		t.Error("the second goes on")
	}
	if got := revoke(noon); int64(got) != noon.Add(time.Minute).Unix() || !refusedBy(t, s, "second", second.Signer()) {
		t.Error("an earlier revocation gives sessions back")
	}
	revoke(c.Now().Add(30 * time.Second)) // the clock of another node may be ahead
	refuses(t, s, "the future", "InvalidParameterException", "Before must not be in the future.", "RevokeSessions", s.Admin(),
		object{"IdentityPoolId": s.Dev.PoolID, "Before": c.Now().Add(32 * time.Second).Unix()})
}

func TestRevokeRefusals(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	const one = "Exactly one of IdentityId, AccessKeyId, RoleArn, IdentityPoolId and ProviderName is needed."
	const ours = "RoleArn is not the ARN of a role of this account."
	unknown := "arn:aws:iam::" + idpooltest.Account + ":role/nobody"
	for name, row := range map[string]struct {
		code, sentence string
		in             object
	}{
		"nothing":            {"InvalidParameterException", one, object{}},
		"two":                {"InvalidParameterException", one, object{"IdentityPoolId": s.Dev.PoolID, "ProviderName": "x"}},
		"a role not there":   {"ResourceNotFoundException", "Role '" + unknown + "' not found.", object{"RoleArn": unknown}},
		"another account's":  {"InvalidParameterException", ours, object{"RoleArn": "arn:aws:iam::999999999999:role/dev-guest"}},
		"an ARN of no role":  {"InvalidParameterException", ours, object{"RoleArn": "arn:aws:iam::" + idpooltest.Account + ":user/dev-admin"}},
		"no ARN":             {"InvalidParameterException", ours, object{"RoleArn": "dev-authenticated-and-more"}},
		"a key of no form":   {"ValidationException", "1 validation error detected: Value 'ASIA000000000000000 ' at 'accessKeyId' failed to satisfy constraint: Member must satisfy regular expression pattern: (AKIA|ASIA)[A-Z2-7]+", object{"AccessKeyId": "ASIA000000000000000 "}},
		"no id of a pool":    {"ValidationException", "1 validation error detected: Value 'dev' at 'identityPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+", object{"IdentityPoolId": "dev"}},
		"a key with a space": {"ValidationException", "1 validation error detected: Value 'a b' at 'providerName' failed to satisfy constraint: Member must satisfy regular expression pattern: [!-~]+", object{"ProviderName": "a b"}},
	} {
		refuses(t, s, name, row.code, row.sentence, "RevokeSessions", s.Admin(), row.in)
	}
	// What is unknown may have existed, and is revoked.
	for name, in := range map[string]object{
		"pool": {"IdentityPoolId": "us-east-1:00000000-0000-4000-8000-000000000000"}, "identity": {"IdentityId": "us-east-1:00000000-0000-4000-8000-000000000000"},
		"provider": {"ProviderName": "login.example.com"},
	} {
		var out struct{ Known *bool }
		if must(t, s, "RevokeSessions", in, &out); out.Known == nil || *out.Known {
			t.Errorf("%s: known %v", name, out.Known)
		}
	}
	var out struct{ Known bool } // of a provider that is in no pool, STS takes logins
	corp := s.MustTrustSAML("corp", samltest.NewIdP(t, "https://saml.example.com/metadata"))
	if must(t, s, "RevokeSessions", object{"ProviderName": corp}, &out); !out.Known {
		t.Error("a SAML provider of the account is not known")
	}
}

// TestWhoMayRevoke: policies decide for each pool, identity, role and provider.
func TestWhoMayRevoke(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	alice := s.MustGetID("alice")
	var other struct{ IdentityPoolId string }
	s.MustCall("CreateIdentityPool", s.Admin(), object{"IdentityPoolName": "other", "AllowUnauthenticatedIdentities": true}, &other)
	var stranger struct{ IdentityId string }
	s.MustCall("GetId", nil, object{"IdentityPoolId": other.IdentityPoolId}, &stranger)
	own := func(path string) string { return arn.Own(idpooltest.Region, idpooltest.Account, path) }
	signer := user(t, s, "erin", allow("idpool:RevokeSessions", own("pool/"+s.Dev.PoolID)+"*"))
	for _, in := range []object{{"IdentityPoolId": s.Dev.PoolID}, {"IdentityId": alice}} {
		if err := s.Client().Operate(t.Context(), "RevokeSessions", signer, in, nil); err != nil {
			t.Errorf("%v: %v", in, err)
		}
	}
	for shown, in := range map[string]object{
		"pool/" + other.IdentityPoolId:                  {"IdentityPoolId": other.IdentityPoolId},
		"pool/-/identity/" + stranger.IdentityId:        {"IdentityId": stranger.IdentityId},
		"pool/-/identity/" + other.IdentityPoolId:       {"IdentityId": other.IdentityPoolId},
		"role/dev-guest":                                {"RoleArn": s.Dev.GuestRoleARN},
		"provider/" + s.IdP.Key:                         {"ProviderName": s.IdP.Key},
		"access-key/" + s.Dev.Administrator.AccessKeyID: {"AccessKeyId": s.Dev.Administrator.AccessKeyID},
	} {
		refuses(t, s, shown, "AccessDeniedException", "User: arn:aws:iam::"+idpooltest.Account+":user/erin is not authorized to perform: idpool:RevokeSessions on resource: "+
			own(shown)+" because no identity-based policy allows the idpool:RevokeSessions action", "RevokeSessions", signer, in)
	}
}

// The record of a revocation says who, what and until when, and no guest's id.
func TestRecordOfARevocation(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	guest := s.MustVend("")
	must(t, s, "RevokeSessions", object{"IdentityId": guest.IdentityId}, nil)
	if _, err := s.WhoAmI(guest.Signer()); err == nil {
		t.Fatal("the session goes on")
	}
	records := s.Records()
	made, used := records[len(records)-2], records[len(records)-1]
	step := made.Steps[len(made.Steps)-1]
	if made.Operation != "RevokeSessions" || made.Caller != s.Dev.Administrator.UserARN || made.Pool != s.Dev.PoolID || step.Name != "revoke" ||
		!strings.HasPrefix(step.Subject, "identity us-east-1:") || !strings.HasPrefix(step.Found, "sessions issued until 20") {
		t.Errorf("got %+v", made)
	}
	if !strings.HasPrefix(used.Cause, "revoked by identity us-east-1:") || used.Outcome != "ExpiredToken" {
		t.Errorf("got the outcome %s, cause %q", used.Outcome, used.Cause)
	}
	if strings.Contains(s.Output(), guest.IdentityId) {
		t.Error("the guest's id is on record")
	}
}

// A revocation outlives a restart, ends when it has nothing left to do, and is deleted then.
func TestLifeOfARevocation(t *testing.T) {
	c := newClock()
	s := idpooltest.Start(t, idpooltest.Options{Clock: c.Now})
	alice := s.MustVend("alice")
	must(t, s, "RevokeSessions", object{"IdentityId": alice.IdentityId}, nil)
	s.Stop()
	s = idpooltest.Start(t, idpooltest.Options{Clock: c.Now, Dir: s.Dir, IdP: s.IdP})
	if !refusedBy(t, s, "after a restart", alice.Signer()) {
		t.Error("a restart forgets it")
	}
	own := &operate.Service{Config: s.Source}
	name := revocation.Name(revocation.Identity, alice.IdentityId)
	for _, step := range []struct {
		after time.Duration
		kept  bool
	}{{0, true}, {revocation.Kept - time.Second, true}, {time.Second, false}} {
		c.advance(t, step.after, s)
		if err := own.CleanRevocations(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := current(t, s).Revocation(name) != nil; got != step.kept {
			t.Errorf("after %v: kept %v", step.after, got)
		}
	}
}

// A revocation that cannot be read revokes everything of its name.
func TestBrokenRevocation(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	alice, bob := s.MustVend("alice"), s.MustVend("bob")
	write(t, s, store.Write{Kind: "revocation", ID: revocation.Name(revocation.Identity, alice.IdentityId), Body: []byte(`{"of":1}`)})
	if !refusedBy(t, s, "alice", alice.Signer()) || refusedBy(t, s, "bob", bob.Signer()) {
		t.Error("not alice alone is refused")
	}
}

// TestRevocationReachesEveryNode: what one node revokes is refused by another when it looks next; one that cannot look
// accepts nothing after five seconds, and neither mints.
func TestRevocationReachesEveryNode(t *testing.T) {
	c := newClock()
	url := storetest.PostgresURL(t)
	var net *network
	one := idpooltest.Start(t, idpooltest.Options{Clock: c.Now, Store: url})
	two := idpooltest.Start(t, idpooltest.Options{Clock: c.Now, Store: url, Dir: one.Dir, IdP: one.IdP, WrapStore: func(inner *store.Store) *store.Store {
		out := *inner
		net = &network{Documents: inner.Documents}
		out.Documents = net
		return &out
	}})
	c.advance(t, 0, one, two)
	alice, bob := two.MustVend("alice"), two.MustVend("bob")
	c.advance(t, time.Second, one, two)
	must(t, one, "RevokeSessions", object{"IdentityId": alice.IdentityId}, nil)
	if !refusedBy(t, one, "at once", alice.Signer()) {
		t.Error("the node that revoked takes it")
	}
	c.advance(t, time.Second, two)
	if !refusedBy(t, two, "at the next look", alice.Signer()) || refusedBy(t, two, "bob", bob.Signer()) {
		t.Error("the other node takes it")
	}
	// Now the other node is cut off. What it still makes of a token that was revoked does not live on.
	token := openID(t, two, "bob")
	c.advance(t, time.Second, one, two)
	net.down.Store(true)
	must(t, one, "RevokeSessions", object{"IdentityId": bob.IdentityId}, nil)
	c.advance(t, 5*time.Second, one)
	if refusedBy(t, two, "bob", bob.Signer()) {
		t.Error("a node that was cut off knows what it cannot")
	}
	late, err := assume(two, token)
	if err != nil {
		t.Fatal(err)
	}
	if !refusedBy(t, one, "a session of a revoked token", late) {
		t.Error("a session of a revoked token is taken")
	}
	c.advance(t, time.Second, one)
	for name, err := range map[string]error{
		"bob's session": func() error { _, err := two.WhoAmI(bob.Signer()); return err }(),
		"a new session": two.Call("GetCredentialsForIdentity", nil, object{"IdentityId": bob.IdentityId, "Logins": two.Logins(two.MustToken("bob"))}, nil),
	} {
		if f, ok := errors.AsType[*client.Fault](err); !ok || f.Status != 500 {
			t.Errorf("%s at a node that was cut off: got %v, want a fault of ours", name, err)
		}
	}
	net.down.Store(false)
	c.advance(t, 0, two)
	if !refusedBy(t, two, "bob, once it is back", bob.Signer()) || !refusedBy(t, two, "the late session", late) {
		t.Error("the other node does not catch up")
	}
}
