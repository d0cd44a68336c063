package idpooltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idpool/internal/account"
	"idpool/internal/keyring"
	"idpool/internal/pool"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/testidp"
)

// canaries are values that must not be found where they do not belong.
type canaries struct {
	// secret are what gives somebody power: keys, tokens. They belong into the answer that hands them out, alone.
	secret map[string]string
	// private are who somebody is, or, for a guest, the id that makes one him: they are stored, but not logged.
	private map[string]string
}

func (c *canaries) hide(name, value string) string {
	c.secret[name] = value
	return value
}

// hideToken hides a token, whole and in its parts.
func (c *canaries) hideToken(name, token string) string {
	for i, part := range strings.Split(token, ".") {
		if i > 0 { // headers are alike, and say nothing
			c.hide(name+", part "+string(rune('0'+i)), part)
		}
	}
	return token
}

func (c *canaries) session(name string, v *sigv4.Credentials) *sigv4.Credentials {
	c.hide(name+"'s secret", v.Secret)
	if v.Token != "" {
		c.hide(name+"'s session token", v.Token)
	}
	return v
}

// find returns the names of the canaries that a text holds, as they are, escaped, or decoded.
func find(in map[string]string, text string) []string {
	var out []string
	for name, value := range in {
		escaped, _ := json.Marshal(value)
		raw, err := base64.StdEncoding.DecodeString(value)
		switch {
		case strings.Contains(text, value), strings.Contains(text, strings.Trim(string(escaped), `"`)), strings.Contains(text, url.QueryEscape(value)):
			out = append(out, name)
		case err == nil && len(raw) > 16 && strings.Contains(text, string(raw)):
			out = append(out, name+", decoded")
		}
	}
	return out
}

// job is a server with everything done that handles secrets: what goes well, and what is refused.
type job struct {
	*Server
	t *testing.T
	canaries
	refusals []*answer
}

const subject, claim, user = "canary-subject-7c2f", "canary-claim-91ab", "canary-developer-user-5d0e"

func doEverything(t *testing.T) *job {
	j := &job{Server: Start(t, Options{}), t: t, canaries: canaries{map[string]string{}, map[string]string{}}}
	j.private["subject"], j.private["claim"], j.private["developer's user"] = subject, claim, user
	j.session("administrator", j.Admin())
	j.mustChangePool(j.Dev.PoolID, func(p *pool.Pool) { p.DeveloperProvider = developer })
	j.mainJob()
	j.administration()
	j.wrongPlaces()
	j.keys()
	return j
}

func (j *job) idToken(name string, claims object) string {
	all := object{"email": claim + "@example.com", "custom:note": claim, "groups": []string{claim}}
	for k, v := range claims {
		all[k] = v
	}
	return j.hideToken(name, j.MustMint(testidp.TokenRequest{Sub: subject, Aud: "dev-app", Alg: "ES256", Claims: all}))
}

func (j *job) refuse(a *answer) {
	j.t.Helper()
	if a.status == 200 {
		j.t.Errorf("got %s, want a refusal", a.body)
	}
	j.refusals = append(j.refusals, a)
}

// mainJob are logins and guests, by both flows, with refusals of each kind.
func (j *job) mainJob() {
	guest := j.MustVend("")
	j.private["guest"] = guest.IdentityId[len("us-east-1:"):]
	j.session("guest", guest.Signer())
	j.accepts(j.t, "guest", "arn:aws:sts::"+Account+":assumed-role/dev-guest/CognitoIdentityCredentials", guest.Signer())
	in := object{"IdentityPoolId": j.Dev.PoolID, "Logins": j.Logins(j.idToken("ID token", nil))}
	id := j.mustIdentity("GetId", in)
	vended := &Vended{}
	j.MustCall("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": in["Logins"]}, vended)
	j.session("login", vended.Signer())
	var open struct{ Token string }
	j.MustCall("GetOpenIdToken", nil, object{"IdentityId": id, "Logins": in["Logins"]}, &open)
	j.hideToken("OpenID token", open.Token)
	j.session("classic", j.mustAssume(open.Token, j.Dev.AuthenticatedRoleARN))
	j.MustCall("GetOpenIdTokenForDeveloperIdentity", j.Admin(), object{"IdentityPoolId": j.Dev.PoolID, "Logins": object{developer: user}}, &open)
	j.hideToken("developer's token", open.Token)

	past := int64(-60)
	expired := j.hideToken("expired token", j.MustMint(testidp.TokenRequest{Sub: subject, Aud: "dev-app", TTLSeconds: &past}))
	for _, token := range []string{
		expired, j.idToken("token for another client", object{"aud": claim}), j.idToken("token of another issuer", object{"iss": "https://other.example"}),
		j.idToken("token with a bad claim", object{"exp": claim}), j.idToken("cut token", nil) + "x", claim,
	} {
		j.refuse(j.call("GetId", nil, object{"IdentityPoolId": j.Dev.PoolID, "Logins": j.Logins(token)}))
		j.refuse(j.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": j.Logins(token)}))
		j.refuse(j.query(nil, url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {j.Dev.GuestRoleARN}, "RoleSessionName": {"app1"}, "WebIdentityToken": {token + "x"}}.Encode()))
	}
	j.refuse(j.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": object{"cognito-identity.amazonaws.com": open.Token}}))
	merged := j.MustGetID("")
	j.private["merged guest"] = merged[len("us-east-1:"):]
	j.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": merged, "Logins": in["Logins"]})
}

// administration is what administrators do with secrets, and what they are refused.
func (j *job) administration() {
	j.session("user", j.mustUser("ann", allow("cognito-identity:Describe*", "*", "")))
	ann := &sigv4.Credentials{AccessKeyID: j.mustSnapshot().UserNamed("ann").Keys[0].ID, Secret: j.secret["user's secret"]}
	var page struct{ NextToken string }
	j.MustGetID("")
	j.MustCall("ListIdentities", j.Admin(), object{"IdentityPoolId": j.Dev.PoolID, "MaxResults": 1}, &page)
	j.hide("page token", page.NextToken)
	guest := "us-east-1:" + j.private["guest"]
	for _, signer := range []*sigv4.Credentials{ann, j.Admin()} {
		_ = j.call("DescribeIdentity", signer, object{"IdentityId": guest})
		_ = j.call("DeleteIdentities", signer, object{"IdentityIdsToDelete": []string{"us-east-1:" + j.private["merged guest"]}})
		_ = j.call("LookupDeveloperIdentity", signer, object{"IdentityPoolId": j.Dev.PoolID, "DeveloperUserIdentifier": user})
		for _, operation := range []string{"ListIdentities", "DescribeIdentityPool", "GetIdentityPoolRoles", "DeleteIdentityPool"} {
			_ = j.call(operation, signer, object{"IdentityPoolId": guest, "MaxResults": 1, "NextToken": page.NextToken + "x"}) // an identity's id for a pool's
		}
		_ = j.call("ListTagsForResource", signer, object{"ResourceArn": poolARN(guest)})
	}
	j.refuse(j.call("ListIdentities", j.Admin(), object{"IdentityPoolId": j.Dev.PoolID, "MaxResults": 1, "NextToken": page.NextToken + "x"}))
	j.refuse(j.call("LookupDeveloperIdentity", j.Admin(), object{"IdentityPoolId": j.Dev.PoolID, "DeveloperUserIdentifier": user + "2"}))
	j.refuse(j.call("GetId", nil, object{"IdentityPoolId": guest}))
}

// wrongPlaces sends secrets where they do not belong: by mistake people do.
func (j *job) wrongPlaces() {
	token, session, secret := j.idToken("misplaced token", nil), j.secret["login's session token"], j.secret["user's secret"]
	guest := j.MustGetID("")
	for _, value := range []string{token, session, secret} {
		_ = j.call("GetId", nil, object{"IdentityPoolId": j.Dev.PoolID, "Logins": object{cut128(value): "x"}})
		_ = j.call("GetId", nil, object{"IdentityPoolId": j.Dev.PoolID, "Logins": object{"accounts.google.com": value}})
		_ = j.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest, "CustomRoleArn": value})
		_ = j.call("GetId", nil, object{"IdentityPoolId": value, "AccountId": value})
		_ = j.call("UnlinkIdentity", nil, object{"IdentityId": value, "Logins": j.Logins(token), "LoginsToRemove": []string{cut128(value)}})
		_ = j.call("SetIdentityPoolRoles", j.Admin(), object{"IdentityPoolId": j.Dev.PoolID, "Roles": object{"authenticated": value}})
		_ = j.post("GetId", nil, value)
		_ = j.post("GetId", nil, `{"IdentityPoolId":"`+j.Dev.PoolID+`"}`, "Authorization", "Bearer "+value)
		_ = j.post("ListIdentityPools", nil, `{"MaxResults":1}`, "Authorization", "Bearer "+value)
		_ = j.post("ListIdentityPools", nil, `{"MaxResults":1}`, "X-Amz-Security-Token", value, "Authorization", value)
		_ = j.post("GetId/"+value, nil, "{}")
		_ = j.send("POST", "/"+url.PathEscape(value), jsonHeader("GetId"), "{}")
		_ = j.send("GET", "/?token="+url.QueryEscape(value), http.Header{}, "")
		_ = j.query(nil, whoAmI+"&"+url.QueryEscape(value)+"=1")
		_ = j.query(nil, "Action="+url.QueryEscape(value)+"&Version=2011-06-15")
		_ = j.query(&sigv4.Credentials{AccessKeyID: j.Admin().AccessKeyID, Secret: secret, Token: value}, whoAmI)
		_ = j.query(nil, url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {value}, "RoleSessionName": {"app1"}, "WebIdentityToken": {token}}.Encode())
		_ = j.query(nil, url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {j.Dev.GuestRoleARN}, "RoleSessionName": {value}, "WebIdentityToken": {token}}.Encode())
	}
	id := strings.Map(func(r rune) rune {
		if r == '/' || r == '+' || r == '=' {
			return '_'
		}
		return r
	}, secret)
	j.hide("secret as a key id", id)
	_ = j.query(&sigv4.Credentials{AccessKeyID: id, Secret: secret}, whoAmI)
}

func cut128(s string) string { return s[:min(len(s), 128)] }

// keys hides what the server keeps for itself: the key-encryption key, and what it seals.
func (j *job) keys() {
	text, err := os.ReadFile(filepath.Join(j.Dir, "key"))
	if err != nil {
		j.t.Fatal(err)
	}
	for i, line := range strings.Fields(string(text)) {
		if len(line) > 20 {
			j.hide("key file, word "+string(rune('0'+i)), line)
		}
	}
}

// TestNoSecretIsWritten: events and log, at debug level, hold nothing that gives power or says who somebody is
// (security I9, requirement 41), and no refusal repeats it.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	j := doEverything(t)
	if len(j.secret) < 25 || len(j.private) != 5 || len(j.Records()) < 80 || len(j.refusals) < 15 {
		t.Fatalf("got %d secrets, %d private values, %d events, %d refusals: something was not done", len(j.secret), len(j.private), len(j.Records()), len(j.refusals))
	}
	for _, of := range []map[string]string{j.secret, j.private} {
		for name := range of {
			for line := range strings.Lines(j.Output()) {
				if found := find(map[string]string{name: of[name]}, line); len(found) > 0 {
					t.Errorf("%v: written in %s", found, line)
					break
				}
			}
		}
	}
	for _, a := range j.refusals {
		text := a.body + a.header.Get("X-Amzn-Errormessage")
		if found := find(j.secret, text); len(found) > 0 {
			t.Errorf("%v: repeated in the refusal %s", found, text)
		}
		if found := find(map[string]string{"subject": subject, "claim": claim, "user": user}, text); len(found) > 0 {
			t.Errorf("%v: repeated in the refusal %s", found, text)
		}
	}
}

// TestFindFinds: the search of these tests sees what it looks for.
func TestFindFinds(t *testing.T) {
	t.Parallel()
	secret := base64.StdEncoding.EncodeToString([]byte("twenty-two bytes here/"))
	for _, text := range []string{"x" + secret + "y", "x" + url.QueryEscape(secret), "xtwenty-two bytes here/y"} {
		if len(find(map[string]string{"s": secret}, text)) != 1 {
			t.Errorf("%q: found nothing", text)
		}
	}
	if found := find(map[string]string{"s": secret, "q": `a"b`}, `x a\"b`); len(found) != 1 || found[0] != "q" {
		t.Errorf("got %v, want q", found)
	}
	if found := find(map[string]string{"s": secret}, "nothing"); found != nil {
		t.Errorf("got %v, want nothing", found)
	}
}

// TestNoSecretIsStored: the files of the database hold no secret, sealed keys and users' secrets included (security H2,
// H8, requirement 40).
func TestNoSecretIsStored(t *testing.T) {
	t.Parallel()
	j := doEverything(t)
	for range 15 {
		j.session("session of "+j.MustVend("").IdentityId, j.MustVend("alice").Signer())
	}
	files, err := filepath.Glob(filepath.Join(j.Dir, "idpool.db*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("got %v, %v, want a database and its log", files, err)
	}
	var all bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	if !bytes.Contains(all.Bytes(), []byte(subject)) || !bytes.Contains(all.Bytes(), []byte(j.Dev.PoolID)) {
		t.Fatal("the files do not hold what is stored: the search is in the wrong place")
	}
	if found := find(j.secret, all.String()); len(found) > 0 {
		t.Errorf("%v: stored as they are", found)
	}
	for _, word := range []string{"PRIVATE KEY", `"d":`, `\"d\":`} {
		if strings.Contains(all.String(), word) {
			t.Errorf("the database holds %s", word)
		}
	}
	user := j.mustSnapshot().UserNamed("ann")
	if len(user.Keys) != 1 || len(user.Keys[0].SealedSecret) < 40 {
		t.Errorf("got the keys %+v, want one sealed secret", user.Keys)
	}
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		for _, k := range j.mustSnapshot().Ring(use).Keys {
			if len(k.Sealed) < 40 {
				t.Errorf("%s: got the key %+v, want it sealed", use, k)
			}
		}
	}
}

// TestStolenDatabase: a copy of the database opens nothing without the key file (security H8).
func TestStolenDatabase(t *testing.T) {
	t.Parallel()
	victim := Start(t, Options{})
	alice := victim.MustVend("alice").Signer()
	secret := victim.mustUser("ann", allow("*", "*", ""))
	sealed := victim.mustSnapshot().UserNamed("ann").User
	ring := victim.mustSnapshot().Ring(keyring.Sealing).Ring
	thief := Start(t, Options{})
	if _, err := thief.Setup.Holder.Open([]keyring.Ring{ring}); err == nil {
		t.Error("a ring of keys opened under another key file")
	}
	thief.mustWrite(snapshot.PutUser(&account.User{Name: sealed.Name, Path: "/", ID: sealed.ID, Created: sealed.Created, Keys: sealed.Keys}, 0))
	for name, signer := range map[string]*sigv4.Credentials{"session": alice, "user": secret} {
		if got := thief.query(signer, whoAmI); got.status == 200 {
			t.Errorf("%s: got %s at another server", name, got.body)
		}
	}
}
