package idpooltest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// The refusals of a signer, with their sentences (spec sts-iam §4.4).
const (
	unknownKey = "The security token included in the request is invalid."
	endedKey   = "The security token included in the request is expired"
	otherKey   = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// rejects checks that a signer is refused by STS and by Cognito Identity, each in its own words.
func (s *Server) rejects(t *testing.T, name, sentence string, signer *sigv4.Credentials) {
	t.Helper()
	codes := map[string][2]string{
		unknownKey: {"InvalidClientTokenId", "UnrecognizedClientException"},
		endedKey:   {"ExpiredToken", "ExpiredTokenException"},
		otherKey:   {"SignatureDoesNotMatch", "InvalidSignatureException"},
	}[sentence]
	s.refuses(t, name+", STS", http.StatusForbidden, refused{codes[0], sentence}, func() *answer { return s.query(signer, whoAmI) })
	record := s.refuses(t, name+", Cognito", http.StatusBadRequest, refused{codes[1], sentence},
		func() *answer { return s.call("ListIdentityPools", signer, object{"MaxResults": 1}) })
	if n := len(record.Steps); record.Caller != "" || n == 0 || record.Steps[n-1].OK || record.Steps[n-1].Name != "authenticate" {
		t.Errorf("%s: got the caller %q and the steps %+v, want nobody, refused at authenticate", name, record.Caller, record.Steps)
	}
}

// accepts checks that a signer is who he should be.
func (s *Server) accepts(t *testing.T, name, arn string, signer *sigv4.Credentials) {
	t.Helper()
	if got, err := s.WhoAmI(signer); err != nil || got != arn {
		t.Errorf("%s: got %s, %v, want %s", name, got, err, arn)
	}
}

const sessionARN = "arn:aws:sts::" + Account + ":assumed-role/dev-authenticated/CognitoIdentityCredentials"

// TestSessionTokens: a session token works as it was made, with its own key and secret, or not at all (security G10, H1).
func TestSessionTokens(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice, bob := s.MustVend("alice").Signer(), s.MustVend("bob").Signer()
	admin := s.Admin()
	s.accepts(t, "as it is", sessionARN, alice)
	foreign := Start(t, Options{}).MustVend("alice").Signer()
	with := func(token string) *sigv4.Credentials {
		return &sigv4.Credentials{AccessKeyID: alice.AccessKeyID, Secret: alice.Secret, Token: token}
	}
	s.MustGetID("")
	s.MustGetID("")
	var page struct{ NextToken string }
	s.MustCall("ListIdentities", admin, object{"IdentityPoolId": s.Dev.PoolID, "MaxResults": 1}, &page)
	var open struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": s.MustGetID("alice"), "Logins": s.logins("alice")}, &open)
	if page.NextToken == "" || open.Token == "" {
		t.Fatal("no page token, or no OpenID token")
	}
	for name, c := range map[string]struct {
		sentence string
		signer   *sigv4.Credentials
	}{
		"a wrong secret":           {otherKey, &sigv4.Credentials{AccessKeyID: alice.AccessKeyID, Secret: bob.Secret, Token: alice.Token}},
		"another's token":          {unknownKey, with(bob.Token)},
		"another's token, secret":  {unknownKey, &sigv4.Credentials{AccessKeyID: alice.AccessKeyID, Secret: bob.Secret, Token: bob.Token}},
		"another server's":         {unknownKey, foreign},
		"another server's token":   {unknownKey, with(foreign.Token)},
		"no token":                 {unknownKey, with("")},
		"a user's key with it":     {unknownKey, &sigv4.Credentials{AccessKeyID: admin.AccessKeyID, Secret: admin.Secret, Token: alice.Token}},
		"a user's key, its secret": {unknownKey, &sigv4.Credentials{AccessKeyID: admin.AccessKeyID, Secret: alice.Secret, Token: alice.Token}},
		"a user's key, any token":  {unknownKey, &sigv4.Credentials{AccessKeyID: admin.AccessKeyID, Secret: admin.Secret, Token: "x"}},
		"the key in lower case":    {unknownKey, &sigv4.Credentials{AccessKeyID: strings.ToLower(alice.AccessKeyID), Secret: alice.Secret, Token: alice.Token}},
		"the user's in lower case": {unknownKey, &sigv4.Credentials{AccessKeyID: strings.ToLower(admin.AccessKeyID), Secret: admin.Secret}},
		"the key as AKIA":          {unknownKey, &sigv4.Credentials{AccessKeyID: "AKIA" + alice.AccessKeyID[4:], Secret: alice.Secret, Token: alice.Token}},
		"twice":                    {unknownKey, with(alice.Token + alice.Token)},
		"one more letter":          {unknownKey, with(alice.Token + "A")},
		"padded":                   {unknownKey, with(alice.Token + "=")},
		"very long":                {unknownKey, with(strings.Repeat("A", 8000))},
		"a page token":             {unknownKey, with(page.NextToken)},
		"an OpenID token":          {unknownKey, with(open.Token)},
		"a login's token":          {unknownKey, with(s.token("alice", nil))},
	} {
		s.rejects(t, name, c.sentence, c.signer)
	}
	for cut := 1; cut <= 20; cut++ {
		s.rejects(t, fmt.Sprint("cut by ", cut), unknownKey, with(alice.Token[:len(alice.Token)-cut]))
	}
	for i := 0; i < len(alice.Token); i += 13 {
		flipped := []byte(alice.Token)
		flipped[i] = nextLetter(flipped[i])[0]
		s.rejects(t, fmt.Sprint("letter ", i), unknownKey, with(string(flipped)))
	}
	s.accepts(t, "after all that", sessionARN, alice)
}

// TestTokenMustBeSigned: a session token that the signature does not cover is none (security G2).
func TestTokenMustBeSigned(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice := s.MustVend("alice").Signer()
	const body = `{"MaxResults":1}`
	header := jsonHeader("ListIdentityPools")
	s.sign(&sigv4.Credentials{AccessKeyID: alice.AccessKeyID, Secret: alice.Secret}, "cognito-identity", header, body)
	header.Set("X-Amz-Security-Token", alice.Token)
	s.refuses(t, "added after signing", 400, refused{"InvalidSignatureException", "There were headers present in the request which were not signed."},
		func() *answer { return s.send("POST", "/", header, body) })
}

// TestSessionsEnd: with the second that was promised, and not a second earlier.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	vended := s.MustVend("alice")
	if got, want := int64(vended.Credentials.Expiration), noon.Unix()+3600; got != want {
		t.Errorf("expiration: got %d, want %d", got, want)
	}
	end := time.Unix(noon.Unix()+3600, 0) // the clock begins within a second
	s.mustAdvance(c, end.Sub(noon)-time.Millisecond)
	s.accepts(t, "in the last millisecond", sessionARN, vended.Signer())
	s.mustAdvance(c, time.Millisecond)
	s.rejects(t, "ended", endedKey, vended.Signer())
	s.mustAdvance(c, 365*24*time.Hour)
	s.rejects(t, "a year later", endedKey, vended.Signer())
}

// TestSignaturesEnd: a signature is good five minutes before and after (security G6).
func TestSignaturesEnd(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	admin := s.Admin()
	for skew, want := range map[time.Duration]string{
		0: "", 5 * time.Minute: "", -5 * time.Minute: "",
		5*time.Minute + time.Second:  "Signature expired: ",
		-5*time.Minute - time.Second: "Signature not yet current: ",
		24 * time.Hour:               "Signature expired: ",
	} {
		header := jsonHeader("ListIdentityPools")
		const body = `{"MaxResults":1}`
		r := &sigv4.Request{Method: "POST", Path: "/", Host: s.URL[len("http://"):], Header: header, ContentLength: int64(len(body)), Body: []byte(body)}
		if err := sigv4.Sign(r, *admin, Region, "cognito-identity", c.Now().Truncate(time.Second).Add(-skew)); err != nil {
			t.Fatal(err)
		}
		c.millis.Store(c.Now().Truncate(time.Second).UnixMilli())
		got := s.send("POST", "/", header, body)
		if want == "" && got.status != 200 || want != "" && (got.status != 400 || got.refusal().code != "InvalidSignatureException" || !strings.HasPrefix(got.refusal().sentence, want)) {
			t.Errorf("signed %v ago: got %d %s, want %q", skew, got.status, got.body, want)
		}
	}
}

// TestKeysOfUsers: a key works while it is there and active, and while its user is there.
func TestKeysOfUsers(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	key := s.mustUser("ann", allow("*", "*", ""))
	const arn = "arn:aws:iam::" + Account + ":user/ann"
	s.accepts(t, "new", arn, key)
	s.mustChangeUser("ann", func(u *account.User) { u.Keys = []account.AccessKey{inactive(u.Keys[0])} })
	s.rejects(t, "deactivated", unknownKey, key)
	s.mustChangeUser("ann", func(u *account.User) {
		again := u.Keys[0]
		again.Active = true
		u.Keys = []account.AccessKey{again}
	})
	s.accepts(t, "activated", arn, key)
	// A sealed secret opens under its own key id alone, wherever it was copied to.
	other := s.mustUser("bea")
	s.mustChangeUser("bea", func(u *account.User) {
		swapped := u.Keys[0]
		swapped.SealedSecret = s.mustSnapshot().UserNamed("ann").Keys[0].SealedSecret
		u.Keys = []account.AccessKey{swapped}
	})
	got := s.query(&sigv4.Credentials{AccessKeyID: other.AccessKeyID, Secret: key.Secret}, whoAmI)
	if got.status == 200 {
		t.Errorf("a copied secret: got %s", got.body)
	}
	s.mustWrite(store.Write{Kind: snapshot.KindUser, ID: "ann", Expect: s.mustSnapshot().UserNamed("ann").Version})
	s.rejects(t, "user deleted", unknownKey, key)
}

func inactive(k account.AccessKey) account.AccessKey {
	k.Active = false
	return k
}

// TestSessionsOfRoles: a session has what its role has today, and ends with its role: one that is made again under the
// same name is another (security H5).
func TestSessionsOfRoles(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	alice := s.MustVend("alice").Signer()
	describe := func() string {
		return s.call("DescribeIdentityPool", alice, object{"IdentityPoolId": s.Dev.PoolID}).refusal().code
	}
	if got := describe(); got != "AccessDeniedException" {
		t.Errorf("as made: got %q", got)
	}
	s.mustChangeRole("dev-authenticated", func(r *account.Role) { r.Inline = inline([]string{allow("cognito-identity:*", "*", "")}) })
	if got := describe(); got != "" {
		t.Errorf("with more rights: got %q", got)
	}
	s.mustChangeRole("dev-authenticated", func(r *account.Role) { r.Inline = nil })
	if got := describe(); got != "AccessDeniedException" {
		t.Errorf("with none: got %q", got)
	}
	old := s.mustSnapshot().RoleNamed("dev-authenticated")
	s.mustWrite(store.Write{Kind: snapshot.KindRole, ID: "dev-authenticated", Expect: old.Version})
	s.rejects(t, "role deleted", unknownKey, alice)
	s.mustRole("dev-authenticated", trust(s.Dev.PoolID, "authenticated"), allow("*", "*", ""))
	s.rejects(t, "role made again", unknownKey, alice)
	s.accepts(t, "a new session of it", sessionARN, s.MustVend("alice").Signer())
}

// TestRestart: what was handed out and what was stored is good after the server was started again.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := Start(t, Options{Dir: dir})
	alice, guest := first.MustVend("alice"), first.MustGetID("")
	admin := *first.Admin()
	var open struct{ Token string }
	first.MustCall("GetOpenIdToken", nil, object{"IdentityId": alice.IdentityId, "Logins": first.logins("alice")}, &open)
	keys := first.send("GET", "/.well-known/jwks_uri", http.Header{}, "").body
	first.Stop()

	second := Start(t, Options{Dir: dir, IdP: first.IdP})
	second.accepts(t, "a session of before", sessionARN, alice.Signer())
	second.accepts(t, "a user of before", "arn:aws:iam::"+Account+":user/dev-admin", &admin)
	if second.Dev.PoolID != first.Dev.PoolID || second.MustGetID("alice") != alice.IdentityId {
		t.Error("pool or identity differ after a restart")
	}
	if got := second.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": guest}); got != guest {
		t.Errorf("got %s, want the guest of before", got)
	}
	if got := second.send("GET", "/.well-known/jwks_uri", http.Header{}, "").body; got != keys {
		t.Errorf("keys: got %s, want %s", got, keys)
	}
}
