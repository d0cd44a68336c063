package sts_test

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/login"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/snapshot"
)

const (
	samlARN   = "arn:aws:iam::" + accountID + ":saml-provider/corp"
	awsPrefix = "https://aws.amazon.com/SAML/Attributes/"
	entityID  = "https://idp.example.com/saml"
)

// asserted is an answer of AssumeRoleWithSAML.
type asserted struct {
	Subject        string `xml:"AssumeRoleWithSAMLResult>Subject"`
	SubjectType    string `xml:"AssumeRoleWithSAMLResult>SubjectType"`
	Issuer         string `xml:"AssumeRoleWithSAMLResult>Issuer"`
	Audience       string `xml:"AssumeRoleWithSAMLResult>Audience"`
	NameQualifier  string `xml:"AssumeRoleWithSAMLResult>NameQualifier"`
	SourceIdentity string `xml:"AssumeRoleWithSAMLResult>SourceIdentity"`
	Packed         string `xml:"AssumeRoleWithSAMLResult>PackedPolicySize"`
	ARN            string `xml:"AssumeRoleWithSAMLResult>AssumedRoleUser>Arn"`
	ID             string `xml:"AssumeRoleWithSAMLResult>AssumedRoleUser>AssumedRoleId"`
	Key            string `xml:"AssumeRoleWithSAMLResult>Credentials>AccessKeyId"`
	Secret         string `xml:"AssumeRoleWithSAMLResult>Credentials>SecretAccessKey"`
	Token          string `xml:"AssumeRoleWithSAMLResult>Credentials>SessionToken"`
	Expiration     string `xml:"AssumeRoleWithSAMLResult>Credentials>Expiration"`
}

// samlWorld is a server whose clock stands, with the SAML provider corp and the role app, which trusts it.
type samlWorld struct {
	*idpooltest.Server
	t   *testing.T
	idp *samltest.IdP
	now atomic.Int64
}

func (w *samlWorld) clock() time.Time { return time.Unix(w.now.Load(), 0).UTC() }

// trustSAML is a trust policy for the provider; condition is JSON, or empty.
func trustSAML(actions, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + samlARN + `"},"Action":` + actions + condition + `}]}`
}

const allSAML = `["sts:AssumeRoleWithSAML","sts:TagSession","sts:SetSourceIdentity"]`

func newSAMLWorld(t *testing.T) *samlWorld {
	w := &samlWorld{t: t, idp: samltest.NewIdP(t, entityID)}
	w.now.Store(1_800_000_000)
	w.Server = idpooltest.Start(t, idpooltest.Options{Clock: w.clock})
	if got := w.MustTrustSAML("corp", w.idp); got != samlARN {
		t.Fatalf("got the provider %s", got)
	}
	w.mustRole("app", trustSAML(allSAML, ""), listPools)
	return w
}

// mustRole stores a role, new or in the place of the one that is there, and returns its ARN.
func (w *samlWorld) mustRole(name, trust, inline string) string {
	w.t.Helper()
	r := &account.Role{
		Name: name, Path: "/", ID: "AROA" + strings.Repeat("S", 17), MaxSession: 7200, Trust: trust,
		Inline: map[string]string{"p": inline}, Tags: map[string]string{"stage": "test"},
	}
	if err := r.Validate(); err != nil {
		w.t.Fatal(err)
	}
	now, err := w.Source.Current()
	if err != nil {
		w.t.Fatal(err)
	}
	version := int64(0)
	if old := now.RoleNamed(name); old != nil {
		version = old.Version
	}
	if err := w.Source.Write(w.t.Context(), snapshot.PutRole(r, version)); err != nil {
		w.t.Fatal(err)
	}
	return r.ARN(accountID)
}

// attributes are those of an ordinary assertion for the role app, with changes: nil takes one away.
func attributes(changes map[string][]string) map[string][]string {
	all := map[string][]string{
		login.RoleAttribute:           {roleARN("app") + "," + samlARN},
		awsPrefix + "RoleSessionName": {"alice"},
	}
	for name, values := range changes {
		if strings.HasPrefix(name, "+") {
			name = awsPrefix + name[1:]
		}
		if all[name] = values; values == nil {
			delete(all, name)
		}
	}
	return all
}

func (w *samlWorld) response(changes map[string][]string) string {
	return w.idp.Response(samltest.Options{Now: w.clock(), Attributes: attributes(changes)})
}

// assume asks for a session of the role app; more are further parameters, or others.
func (w *samlWorld) assume(response string, more ...string) (*asserted, error) {
	form := url.Values{"RoleArn": {roleARN("app")}, "PrincipalArn": {samlARN}, "SAMLAssertion": {response}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	out := &asserted{}
	return out, w.Client().Query(context.Background(), "sts", "2011-06-15", "AssumeRoleWithSAML", form, nil, out)
}

func (w *samlWorld) mustAssume(response string, more ...string) *asserted {
	w.t.Helper()
	out, err := w.assume(response, more...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *samlWorld) refused(err error, status int, code, message string) {
	w.t.Helper()
	wantFault(w.t, w.Server, err, status, code, message)
}

func TestAssumeRoleWithSAML(t *testing.T) {
	w := newSAMLWorld(t)
	got := w.mustAssume(w.response(nil))
	want := asserted{
		Subject: samltest.NameID, SubjectType: "persistent", Issuer: entityID, Audience: samltest.Recipient,
		// base64(SHA-1("https://idp.example.com/saml" + "111122223333" + "/corp"))
		NameQualifier: "q9cKCJk6vpTW1u2/xwTUYDemF2k=",
		ARN:           "arn:aws:sts::" + accountID + ":assumed-role/app/alice", ID: "AROA" + strings.Repeat("S", 17) + ":alice",
		Expiration: w.clock().Add(time.Hour).Format(time.RFC3339),
		Key:        got.Key, Secret: got.Secret, Token: got.Token,
	}
	if *got != want {
		t.Errorf("got %+v\nwant %+v", *got, want)
	}
	signer := (&assumed{Key: got.Key, Secret: got.Secret, Token: got.Token}).signer()
	if arn, err := w.WhoAmI(signer); err != nil || arn != got.ARN {
		t.Errorf("WhoAmI = %s, %v", arn, err)
	}
	// An assertion can be used again within its window, for another role that it names too, in either order.
	w.mustRole("other", trustSAML(allSAML, ""), listPools)
	both := w.response(map[string][]string{login.RoleAttribute: {roleARN("app") + "," + samlARN, samlARN + "," + roleARN("other")}})
	w.mustAssume(both)
	if second := w.mustAssume(both, "RoleArn", roleARN("other")); !strings.HasSuffix(second.ARN, "assumed-role/other/alice") {
		t.Errorf("got %s", second.ARN)
	}
}

// What an assertion leaves in a session: who it was about, tags, source identity.
func TestSAMLSessions(t *testing.T) {
	w := newSAMLWorld(t)
	allowIf := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":` + condition + `}}]}`
	}
	rich := map[string][]string{
		"+PrincipalTag:team": {"blue"}, "+PrincipalTag:Stage": {"live"}, "+TransitiveTagKeys": {"team"}, "+SourceIdentity": {"Admin@corp"},
	}
	for condition, want := range map[string]bool{
		`{"saml:sub":"user-1"}`:                                 true,
		`{"saml:sub":"user-2"}`:                                 false,
		`{"saml:sub_type":"persistent"}`:                        true,
		`{"saml:namequalifier":"q9cKCJk6vpTW1u2/xwTUYDemF2k="}`: true,
		`{"aws:FederatedProvider":"` + samlARN + `"}`:           true,
		`{"aws:PrincipalTag/team":"blue"}`:                      true,
		`{"aws:PrincipalTag/stage":"live"}`:                     true, // in the place of the role's
		`{"aws:PrincipalTag/stage":"test"}`:                     false,
		`{"aws:SourceIdentity":"Admin@corp"}`:                   true,
		`{"saml:aud":"` + samltest.Recipient + `"}`:             false, // these do not survive
		`{"saml:iss":"` + entityID + `"}`:                       false,
		`{"saml:doc":"` + accountID + `/corp"}`:                 false,
	} {
		w.mustRole("app", trustSAML(allSAML, ""), allowIf(condition))
		got := w.mustAssume(w.response(rich))
		if got.SourceIdentity != "Admin@corp" || got.Packed == "" {
			t.Errorf("got the source identity %q and the packed size %q", got.SourceIdentity, got.Packed)
		}
		signer := (&assumed{Key: got.Key, Secret: got.Secret, Token: got.Token}).signer()
		err := w.Call("ListIdentityPools", signer, map[string]any{"MaxResults": 1}, nil)
		if (err == nil) != want {
			t.Errorf("%s: got %v, want it allowed: %v", condition, err, want)
		}
	}
}

// TestSAMLTrust has the condition keys of spec sts-iam §1.9 in trust policies.
func TestSAMLTrust(t *testing.T) {
	w := newSAMLWorld(t)
	rich := map[string][]string{
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.1": {"staff", "member"}, "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": {"alice@corp"}, "urn:oid:1.3.6.1.4.1.5923.1.1.1.3": {"a", "b"},
		"urn:oid:2.5.4.3": {"Alice"}, "urn:oid:0.9.2342.19200300.100.1.3": {"a@corp"},
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": {"a@other"},
		"http://schemas.xmlsoap.org/claims/CommonName":                       {"Alice C"}, "groups": {"staff"}, "cn": {"Bob"}, "sub": {"user-2"}, "saml:iss": {"x"},
		"+PrincipalTag:team": {"blue"}, "+TransitiveTagKeys": {"team"}, "+SourceIdentity": {"Admin"},
	}
	for condition, want := range map[string]bool{
		`{"StringEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"}}`:                                     true,
		`{"StringEquals":{"saml:aud":"urn:amazon:webservices"}}`:                                                 false,
		`{"StringEquals":{"saml:iss":"https://idp.example.com/saml"}}`:                                           true,
		`{"StringEquals":{"saml:iss":"x"}}`:                                                                      false,
		`{"StringEquals":{"saml:sub":"user-1"}}`:                                                                 true,
		`{"StringEquals":{"saml:sub":"user-2"}}`:                                                                 false,
		`{"StringEquals":{"saml:sub_type":"persistent"}}`:                                                        true,
		`{"StringEquals":{"saml:doc":"111122223333/corp"}}`:                                                      true,
		`{"StringEquals":{"saml:namequalifier":"q9cKCJk6vpTW1u2/xwTUYDemF2k="}}`:                                 true,
		`{"StringEquals":{"aws:FederatedProvider":"` + samlARN + `"}}`:                                           true,
		`{"StringEquals":{"sts:RoleSessionName":"alice","sts:SourceIdentity":"Admin"}}`:                          true,
		`{"StringEquals":{"aws:RequestTag/team":"blue","iam:ResourceTag/stage":"test"}}`:                         true,
		`{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"Null":{"aws:TagKeys":"false"}}`:                  true,
		`{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"team"}}`:                                          true,
		`{"ForAnyValue:StringEquals":{"saml:edupersonaffiliation":"staff"}}`:                                     true,
		`{"ForAllValues:StringEquals":{"saml:edupersonaffiliation":"staff"}}`:                                    false,
		`{"StringEquals":{"saml:edupersonprincipalname":"alice@corp"}}`:                                          true,
		`{"Null":{"saml:edupersonorgdn":"true"}}`:                                                                true, // two values of what has one
		`{"ForAnyValue:StringEquals":{"saml:cn":"Alice"}}`:                                                       true,
		`{"ForAnyValue:StringEquals":{"saml:cn":"Bob"}}`:                                                         false, // names alone mean nothing
		`{"ForAnyValue:StringEquals":{"saml:commonName":"Alice C"}}`:                                             true,
		`{"ForAnyValue:StringEquals":{"saml:mail":"a@corp"}}`:                                                    true,
		`{"ForAnyValue:StringEquals":{"saml:mail":"a@other"}}`:                                                   true,
		`{"ForAnyValue:StringEquals":{"saml:uid":"x"}}`:                                                          false,
		`{"ForAnyValue:StringEquals":{"saml:groups":"staff"}}`:                                                   false,
		`{"ForAnyValue:StringEquals":{"` + samlARN + `:groups":"staff"}}`:                                        false,
		`{"StringLike":{"cognito-identity.amazonaws.com:sub":"*"}}`:                                              false,
		`{"StringNotEquals":{"saml:aud":"https://signin.aws.amazon.com/saml"},"StringEquals":{"saml:sub":"me"}}`: false,
	} {
		w.mustRole("app", trustSAML(allSAML, condition), listPools)
		_, err := w.assume(w.response(rich))
		if want && err != nil {
			t.Errorf("%s: %v", condition, err)
		}
		if !want {
			w.refused(err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
		}
	}
	// What is brought along must be allowed too, and another operation is not this one.
	for actions, brings := range map[string]map[string][]string{
		`["sts:AssumeRoleWithSAML","sts:SetSourceIdentity"]`: {"+PrincipalTag:team": {"blue"}},
		`["sts:AssumeRoleWithSAML","sts:TagSession"]`:        {"+SourceIdentity": {"Admin"}},
		`"sts:AssumeRoleWithWebIdentity"`:                    nil,
		`"sts:AssumeRole"`:                                   nil,
	} {
		w.mustRole("app", trustSAML(actions, ""), listPools)
		_, err := w.assume(w.response(brings))
		w.refused(err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
	}
	w.mustRole("app", strings.Replace(trustSAML(allSAML, ""), "saml-provider/corp", "saml-provider/Corp", 1), listPools)
	_, err := w.assume(w.response(nil))
	w.refused(err, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
}

// Each thing that an assertion says wrongly is refused, and nothing is minted.
func TestSAMLAttributesThatAreRefused(t *testing.T) {
	w := newSAMLWorld(t)
	const (
		needsName = "RoleSessionName is required in AuthnResponse"
		badName   = "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"
		badSource = `Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`
		badTag    = "The assertion's attributes for session tags cannot be used: PrincipalTag"
		badKeys   = "The assertion's attributes for session tags cannot be used: TransitiveTagKeys"
		badTime   = "SessionDuration in AuthnResponse must be one number of seconds from 900 to 43200"
		denied    = "Not authorized to perform sts:AssumeRoleWithSAML"
	)
	many := map[string][]string{}
	for i := range 51 {
		many["+PrincipalTag:k"+strings.Repeat("x", i)] = []string{"v"}
	}
	for _, c := range []struct {
		changes map[string][]string
		message string
	}{
		{map[string][]string{"+RoleSessionName": nil}, needsName},
		{map[string][]string{"+RoleSessionName": {}}, needsName},
		{map[string][]string{"+RoleSessionName": {"alice", "bob"}}, badName},
		{map[string][]string{"+RoleSessionName": {"a"}}, badName},
		{map[string][]string{"+RoleSessionName": {strings.Repeat("a", 65)}}, badName},
		{map[string][]string{"+RoleSessionName": {"a b"}}, badName},
		{map[string][]string{"+RoleSessionName": {"a/b"}}, badName},
		{map[string][]string{"+RoleSessionName": {"a:b"}}, badName},
		{map[string][]string{"+RoleSessionName": {"alice\n"}}, badName},
		{map[string][]string{"+RoleSessionName": {"älice"}}, badName},
		{map[string][]string{"+SourceIdentity": {"aws:alice"}}, badSource},
		{map[string][]string{"+SourceIdentity": {"AWS:alice"}}, badSource},
		{map[string][]string{"+SourceIdentity": {"a"}}, badSource},
		{map[string][]string{"+SourceIdentity": {"alice", "bob"}}, badSource},
		{map[string][]string{"+SourceIdentity": {"a b"}}, badSource},
		{map[string][]string{"+PrincipalTag:team": {"a", "b"}}, badTag},
		{map[string][]string{"+PrincipalTag:team": {}}, badTag},
		{map[string][]string{"+PrincipalTag:team": {"*"}}, badTag},
		{map[string][]string{"+PrincipalTag:": {"a"}}, badTag},
		{map[string][]string{"+PrincipalTag:aws:team": {"a"}}, badTag},
		{map[string][]string{"+PrincipalTag:team": {"a"}, "+PrincipalTag:TEAM": {"a"}}, badTag},
		{map[string][]string{"+PrincipalTag:team": {strings.Repeat("a", 257)}}, badTag},
		{many, badTag},
		{map[string][]string{"+TransitiveTagKeys": {"team"}}, badKeys},
		{map[string][]string{"+PrincipalTag:team": {"a"}, "+TransitiveTagKeys": {"team,stage"}}, badKeys},
		{map[string][]string{"+SessionDuration": {"899"}}, badTime},
		{map[string][]string{"+SessionDuration": {"43201"}}, badTime},
		{map[string][]string{"+SessionDuration": {"-900"}}, badTime},
		{map[string][]string{"+SessionDuration": {"3600.0"}}, badTime},
		{map[string][]string{"+SessionDuration": {"1h"}}, badTime},
		{map[string][]string{"+SessionDuration": {""}}, badTime},
		{map[string][]string{"+SessionDuration": {"3600", "3600"}}, badTime},
		{map[string][]string{"+SessionDuration": {"99999999999999999999"}}, badTime},
		{map[string][]string{login.RoleAttribute: nil}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("other") + "," + samlARN}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app") + "," + samlARN + "2"}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app")}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app") + "," + samlARN, roleARN("app") + "," + samlARN}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app") + ", " + samlARN}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app") + "," + samlARN + "\n" + roleARN("x") + "," + samlARN}}, denied},
		{map[string][]string{login.RoleAttribute: {roleARN("app") + "," + samlARN, "something else"}}, denied},
		{map[string][]string{login.RoleAttribute: nil, "Role": {roleARN("app") + "," + samlARN}}, denied},
		{map[string][]string{login.RoleAttribute: nil, strings.ToLower(login.RoleAttribute): {roleARN("app") + "," + samlARN}}, denied},
	} {
		_, err := w.assume(w.response(c.changes))
		status, code := 400, "InvalidIdentityToken"
		if c.message == denied {
			status, code = 403, "AccessDenied"
		}
		if err == nil {
			t.Errorf("%v is not refused", slices.Collect(maps.Values(c.changes)))
			continue
		}
		w.refused(err, status, code, c.message)
	}
	for _, role := range []string{"other", "none"} { // named, and not there
		_, err := w.assume(w.response(map[string][]string{login.RoleAttribute: {roleARN(role) + "," + samlARN}}), "RoleArn", roleARN(role))
		w.refused(err, 403, "AccessDenied", denied)
	}
}

// TestSAMLResponsesThatAreRefused has a row for each kind of refusal; what makes a response valid is tested where it is
// verified.
func TestSAMLResponsesThatAreRefused(t *testing.T) {
	w := newSAMLWorld(t)
	good := attributes(nil)
	stranger := samltest.NewIdP(t, entityID)
	document := func(o samltest.Options) string {
		if o.Now.IsZero() {
			o.Now = w.clock()
		}
		o.Attributes = good
		return w.idp.Response(o)
	}
	flipped, err := base64.StdEncoding.DecodeString(w.response(nil))
	if err != nil {
		t.Fatal(err)
	}
	flipped = []byte(strings.Replace(string(flipped), "alice", "admin", 1))
	for name, c := range map[string]struct {
		response      string
		status        int
		code, message string
	}{
		"no base64":          {"<Response/>", 400, "InvalidIdentityToken", "Not a valid SAML response."},
		"no XML":             {base64.StdEncoding.EncodeToString([]byte("hello")), 400, "InvalidIdentityToken", "Not a valid SAML response."},
		"unsigned":           {document(samltest.Options{Signed: samltest.NothingSigned}), 400, "InvalidIdentityToken", "Response signature invalid"},
		"changed":            {base64.StdEncoding.EncodeToString(flipped), 400, "InvalidIdentityToken", "Response signature invalid"},
		"of another key":     {stranger.Response(samltest.Options{Now: w.clock(), Attributes: good}), 400, "InvalidIdentityToken", "Response signature invalid"},
		"for somebody else":  {document(samltest.Options{Audience: "https://app.example.com"}), 400, "InvalidIdentityToken", "Response does not contain the required audience."},
		"to somebody else":   {document(samltest.Options{Recipient: "https://app.example.com"}), 400, "InvalidIdentityToken", "Response does not contain the required audience."},
		"of another issuer":  {(&samltest.IdP{EntityID: entityID + "2", Keys: w.idp.Keys}).Response(samltest.Options{Now: w.clock(), Attributes: good}), 400, "InvalidIdentityToken", "Issuer not present in specified provider"},
		"ended":              {document(samltest.Options{Now: w.clock().Add(-time.Minute), Expires: w.clock()}), 400, "ExpiredTokenException", "Token expired: current date/time 1800000000 must be before the expiration date/time 1800000000"},
		"five minutes old":   {document(samltest.Options{Now: w.clock().Add(-5 * time.Minute), Expires: w.clock().Add(time.Hour)}), 400, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance"},
		"of a session ended": {document(samltest.Options{SessionEnds: w.clock()}), 400, "ExpiredTokenException", "Token expired: "},
		"of the future":      {document(samltest.Options{Now: w.clock().Add(time.Hour)}), 400, "InvalidIdentityToken", "Not a valid SAML response."},
		"a denial": {document(samltest.Options{Signed: samltest.ResponseSigned, EditResponse: func(xml string) string {
			return strings.Replace(xml, "status:Success", "status:Responder", 1)
		}}), 403, "IDPRejectedClaim", "The identity provider did not authenticate the user."},
	} {
		_, err := w.assume(c.response)
		if err == nil {
			t.Errorf("%s is not refused", name)
			continue
		}
		w.refused(err, c.status, c.code, c.message)
	}
	_, err = w.assume(w.response(nil), "PrincipalArn", samlARN+"2")
	w.refused(err, 400, "InvalidIdentityToken", "Specified provider doesn't exist.")
	_, err = w.assume(w.response(nil), "PrincipalArn", strings.ToUpper(samlARN))
	w.refused(err, 400, "InvalidIdentityToken", "Specified provider doesn't exist.")
	_, err = w.assume("abc")
	w.refused(err, 400, "ValidationError", "1 validation error detected: ")

	w.idp.ValidUntil = w.clock().Add(time.Minute)
	w.MustTrustSAML("corp", w.idp)
	w.mustAssume(w.response(nil))
	w.now.Add(60)
	if err := w.Source.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = w.assume(w.response(nil))
	w.refused(err, 400, "InvalidIdentityToken", "The metadata of the specified provider has expired.")
}

// How long a session is: what was asked for, and never longer than role, SessionDuration and SessionNotOnOrAfter allow.
func TestSAMLDurations(t *testing.T) {
	w := newSAMLWorld(t)
	for _, c := range []struct {
		asked, attribute string
		ends             time.Duration
		want             time.Duration // 0: more than the role's 7200 s
	}{
		{"", "", 0, time.Hour},
		{"900", "", 0, 15 * time.Minute},
		{"7200", "", 0, 2 * time.Hour},
		{"7201", "", 0, 0},
		{"7201", "900", 0, 0},
		{"", "43200", 0, time.Hour},
		{"", "1800", 0, 30 * time.Minute},
		{"7200", "1800", 0, 30 * time.Minute},
		{"900", "1800", 0, 15 * time.Minute},
		{"", "", 10 * time.Minute, 10 * time.Minute},
		{"", "", 24 * time.Hour, time.Hour},
		{"7200", "3600", 40 * time.Minute, 40 * time.Minute},
		{"7200", "1800", 40 * time.Minute, 30 * time.Minute},
		{"", "", time.Second, time.Second},
	} {
		o := samltest.Options{Now: w.clock(), Attributes: attributes(nil)}
		if c.attribute != "" {
			o.Attributes = attributes(map[string][]string{"+SessionDuration": {c.attribute}})
		}
		if c.ends != 0 {
			o.SessionEnds = w.clock().Add(c.ends)
		}
		var more []string
		if c.asked != "" {
			more = []string{"DurationSeconds", c.asked}
		}
		got, err := w.assume(w.idp.Response(o), more...)
		if c.want == 0 {
			w.refused(err, 400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
			continue
		}
		if want := w.clock().Add(c.want).Format(time.RFC3339); err != nil || got.Expiration != want {
			t.Errorf("%+v: got %s, %v, want %s", c, got.Expiration, err, want)
		}
	}
	// What ends within this second has no session.
	_, err := w.assume(w.idp.Response(samltest.Options{Now: w.clock(), Attributes: attributes(nil), SessionEnds: w.clock().Add(900 * time.Millisecond)}))
	w.refused(err, 400, "ExpiredTokenException", "Token expired: ")
}

// Session policies cut, and the response is taken from a body alone.
func TestSAMLParameters(t *testing.T) {
	w := newSAMLWorld(t)
	list := func(a *asserted) error {
		return w.Call("ListIdentityPools", (&assumed{Key: a.Key, Secret: a.Secret, Token: a.Token}).signer(), map[string]any{"MaxResults": 1}, nil)
	}
	if err := list(w.mustAssume(w.response(nil))); err != nil {
		t.Errorf("without a session policy: %v", err)
	}
	nothing := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	if got := w.mustAssume(w.response(nil), "Policy", nothing); list(got) == nil || got.Packed == "" {
		t.Errorf("a session policy does not cut, or has no size: %q", got.Packed)
	}
	if got := w.mustAssume(w.response(nil), "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"); list(got) == nil {
		t.Error("a managed session policy does not cut")
	}
	_, err := w.assume(w.response(nil), "Policy", `{"Version":"2012-10-17"}`)
	w.refused(err, 400, "MalformedPolicyDocument", "")
	_, err = w.assume(w.response(nil), "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/None")
	w.refused(err, 400, "ValidationError", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.")
	_, err = w.assume(w.response(nil), "DurationSeconds", "899")
	w.refused(err, 400, "ValidationError", "1 validation error detected: ")
	form := url.Values{
		"Action": {"AssumeRoleWithSAML"}, "Version": {"2011-06-15"}, "RoleArn": {roleARN("app")}, "PrincipalArn": {samlARN}, "SAMLAssertion": {w.response(nil)},
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} { // what stands in a query is in the logs of proxies
		r, err := http.NewRequestWithContext(t.Context(), method, w.URL+"/?"+form.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest || strings.Contains(string(text), "ASIA") {
			t.Errorf("%s with the response in the query: got %d %s", method, answer.StatusCode, text)
		}
	}
}
