package idpooltest

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/arn"
	"idpool/internal/door"
	"idpool/internal/login/saml/samltest"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/sigv4"
)

var (
	requestIDForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	idForm        = regexp.MustCompile(`us-east-1:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
)

// checkHeader compares all headers of an answer of ours with want, which is without those that every answer has.
func checkHeader(t *testing.T, name string, a *answer, want http.Header) {
	t.Helper()
	got := maps.Clone(a.header)
	if id := got["X-Amzn-Requestid"]; len(id) != 1 || !requestIDForm.MatchString(id[0]) {
		t.Errorf("%s: request id: got %q, want a lower-case UUID", name, id)
	}
	date, err := http.ParseTime(got.Get("Date"))
	if age := time.Since(date); err != nil || age < -time.Minute || age > time.Minute {
		t.Errorf("%s: Date: got %q, want now", name, got.Get("Date"))
	}
	delete(got, "X-Amzn-Requestid")
	delete(got, "Date")
	all := http.Header{
		"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, "Content-Length": {strconv.Itoa(len(a.body))},
	}
	maps.Copy(all, want)
	if d := cmp.Diff(got, all); d != "" {
		t.Errorf("%s: headers (-got +want):\n%s", name, d)
	}
}

// names are ids and other values that change from run to run, with what stands for them in a test.
type names map[string]string

func (n names) in(text string) string {
	for id, name := range n {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

func (n names) out(text string) string {
	for id, name := range n {
		text = strings.ReplaceAll(text, name, id)
	}
	return text
}

// meet gives the first id in a text that has no name yet this one.
func (n names) meet(text, name string) {
	for _, id := range idForm.FindAllString(text, -1) {
		if n[id] == "" {
			n[id] = name
			return
		}
	}
}

// secretForms are secrets as answers bear them: the name of the member, a form, and what stands for it.
var secretForms = regexp.MustCompile(`"(AccessKeyId":"ASIA)[A-Z2-7]{16}"|"(SecretKey":")[A-Za-z0-9+/]{40}"|"(SessionToken":")[\w-]{200,}"|"(Token":")[\w-]+\.[\w-]+\.[\w-]+"`)

// everySetting is a pool with all members; a client may send them in any order.
const (
	everySetting = `,"AllowUnauthenticatedIdentities":false,"AllowClassicFlow":false,"SupportedLoginProviders":{"accounts.google.com":"g","graph.facebook.com":"7346241598935555"},` +
		`"DeveloperProviderName":"login.corp.app","OpenIdConnectProviderARNs":["<PROVIDER>"],"CognitoIdentityProviders":[` +
		`{"ProviderName":"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC","ClientId":"c1","ServerSideTokenCheck":false},` +
		`{"ProviderName":"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC","ClientId":"c2"}],` +
		`"SamlProviderARNs":["arn:aws:iam::111122223333:saml-provider/corp"],"IdentityPoolTags":{"k":"v é","k2":""}}`
	everyRole = `{"authenticated":"arn:aws:iam::111122223333:role/dev-authenticated"},"RoleMappings":{"<PROVIDER>":{"Type":"Rules","AmbiguousRoleResolution":"Deny",` +
		`"RulesConfiguration":{"Rules":[{"Claim":"c","MatchType":"Equals","Value":"v","RoleARN":"arn:aws:iam::111122223333:role/dev-guest"}]}}}}`
	credentials = `{"Credentials":{"AccessKeyId":"ASIA*","Expiration":1772370000,"SecretKey":"*","SessionToken":"*"},"IdentityId":`
	times       = `"CreationDate":1772366400.123,"LastModifiedDate":1772366400.123}`
)

// exchanges are every operation with its whole answer, in the order in which an administrator and clients come to them.
// meets is the name of an id that the answer brings; an operation with * is called without a signature.
var exchanges = []struct{ operation, in, want, meets string }{
	{"CreateIdentityPool", `{"IdentityPoolName":"idpool","AllowUnauthenticatedIdentities":true}`,
		`{"IdentityPoolId":"<POOL>","IdentityPoolName":"idpool","AllowUnauthenticatedIdentities":true,"IdentityPoolTags":{}}`, "<POOL>"},
	{"DescribeIdentityPool", `{"IdentityPoolId":"<POOL>"}`,
		`{"IdentityPoolId":"<POOL>","IdentityPoolName":"idpool","AllowUnauthenticatedIdentities":true,"IdentityPoolTags":{}}`, ""},
	{"GetIdentityPoolRoles", `{"IdentityPoolId":"<POOL>"}`, `{"IdentityPoolId":"<POOL>","Roles":{}}`, ""},
	{"ListTagsForResource", `{"ResourceArn":"<ARN><POOL>"}`, `{"Tags":{}}`, ""},
	{"UpdateIdentityPool", `{"IdentityPoolId":"<POOL>","IdentityPoolName":"all of it"` + everySetting, `{"IdentityPoolId":"<POOL>","IdentityPoolName":"all of it"` + everySetting, ""},
	{"SetIdentityPoolRoles", `{"IdentityPoolId":"<POOL>","Roles":` + everyRole, ``, ""},
	{"GetIdentityPoolRoles", `{"IdentityPoolId":"<POOL>"}`, `{"IdentityPoolId":"<POOL>","Roles":` + everyRole, ""},
	{"TagResource", `{"ResourceArn":"<ARN><POOL>","Tags":{"k":"w","new":"1"}}`, `{}`, ""},
	{"UntagResource", `{"ResourceArn":"<ARN><POOL>","TagKeys":["k2","never"]}`, `{}`, ""},
	{"ListTagsForResource", `{"ResourceArn":"<ARN><POOL>"}`, `{"Tags":{"k":"w","new":"1"}}`, ""},
	{"GetPrincipalTagAttributeMap", `{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>"}`,
		`{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","UseDefaults":false,"PrincipalTags":{}}`, ""},
	{"SetPrincipalTagAttributeMap", `{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","PrincipalTags":{"team":"t"}}`,
		`{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","UseDefaults":false,"PrincipalTags":{"team":"t"}}`, ""},
	{"SetPrincipalTagAttributeMap", `{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","UseDefaults":true,"PrincipalTags":{"team":"t"}}`,
		`{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","UseDefaults":true,"PrincipalTags":{}}`, ""},
	{"GetPrincipalTagAttributeMap", `{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>"}`,
		`{"IdentityPoolId":"<POOL>","IdentityProviderName":"<PROVIDER>","UseDefaults":true,"PrincipalTags":{}}`, ""},

	{"GetOpenIdTokenForDeveloperIdentity", `{"IdentityPoolId":"<POOL>","Logins":{"login.corp.app":"user1"}}`, `{"IdentityId":"<USER1>","Token":"*"}`, "<USER1>"},
	{"GetOpenIdTokenForDeveloperIdentity", `{"IdentityPoolId":"<POOL>","Logins":{"login.corp.app":"user2"},"TokenDuration":86400}`, `{"IdentityId":"<USER2>","Token":"*"}`, "<USER2>"},
	{"LookupDeveloperIdentity", `{"IdentityPoolId":"<POOL>","DeveloperUserIdentifier":"user1"}`, `{"IdentityId":"<USER1>","DeveloperUserIdentifierList":["user1"]}`, ""},
	{"MergeDeveloperIdentities", `{"IdentityPoolId":"<POOL>","DeveloperProviderName":"login.corp.app","SourceUserIdentifier":"user2","DestinationUserIdentifier":"user1"}`,
		`{"IdentityId":"<USER1>"}`, ""},
	{"LookupDeveloperIdentity", `{"IdentityPoolId":"<POOL>","IdentityId":"<USER1>"}`, `{"IdentityId":"<USER1>","DeveloperUserIdentifierList":["user1","user2"]}`, ""},
	{"UnlinkDeveloperIdentity", `{"IdentityPoolId":"<POOL>","DeveloperProviderName":"login.corp.app","IdentityId":"<USER1>","DeveloperUserIdentifier":"user2"}`, ``, ""},
	{"DeleteIdentities", `{"IdentityIdsToDelete":["<USER1>","<USER2>"]}`, `{"UnprocessedIdentityIds":[]}`, ""},
	{"ListIdentities", `{"IdentityPoolId":"<POOL>","MaxResults":1}`, `{"IdentityPoolId":"<POOL>","Identities":[]}`, ""},
	{"DeleteIdentityPool", `{"IdentityPoolId":"<POOL>"}`, ``, ""},
	{"ListIdentityPools", `{"MaxResults":60}`, `{"IdentityPools":[{"IdentityPoolId":"<DEV>","IdentityPoolName":"dev"}]}`, ""},

	{"*GetId", `{"IdentityPoolId":"<DEV>"}`, `{"IdentityId":"<GUEST>"}`, "<GUEST>"},
	{"*GetCredentialsForIdentity", `{"IdentityId":"<GUEST>"}`, credentials + `"<GUEST>"}`, ""},
	{"*GetOpenIdToken", `{"IdentityId":"<GUEST>"}`, `{"IdentityId":"<GUEST>","Token":"*"}`, ""},
	{"DescribeIdentity", `{"IdentityId":"<GUEST>"}`, `{"IdentityId":"<GUEST>",` + times, ""},
	{"DeleteIdentities", `{"IdentityIdsToDelete":["<GUEST>"]}`, `{"UnprocessedIdentityIds":[]}`, ""},
	{"*GetId", `{"IdentityPoolId":"<DEV>","Logins":{"<IDP>":"<TOKEN>"}}`, `{"IdentityId":"<ALICE>"}`, "<ALICE>"},
	{"*GetCredentialsForIdentity", `{"IdentityId":"<ALICE>","Logins":{"<IDP>":"<TOKEN>"}}`, credentials + `"<ALICE>"}`, ""},
	{"*GetOpenIdToken", `{"IdentityId":"<ALICE>","Logins":{"<IDP>":"<TOKEN>"}}`, `{"IdentityId":"<ALICE>","Token":"*"}`, ""},
	{"DescribeIdentity", `{"IdentityId":"<ALICE>"}`, `{"IdentityId":"<ALICE>","Logins":["<IDP>"],` + times, ""},
	{"ListIdentities", `{"IdentityPoolId":"<DEV>","MaxResults":60}`, `{"IdentityPoolId":"<DEV>","Identities":[{"IdentityId":"<ALICE>","Logins":["<IDP>"],` + times + `]}`, ""},
	{"*UnlinkIdentity", `{"IdentityId":"<ALICE>","Logins":{"<IDP>":"<TOKEN>"},"LoginsToRemove":["<IDP>"]}`, ``, ""},
	{"DescribeIdentity", `{"IdentityId":"<ALICE>"}`, `{"IdentityId":"<ALICE>",` + times, ""},
}

// TestSuccessOnTheWire is every answer, byte for byte, with all its headers.
func TestSuccessOnTheWire(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Clock: newClock().Now})
	s.MustTrustSAML("corp", samltest.NewIdP(t, "https://idp.example.com"))
	known := names{
		s.Dev.PoolID: "<DEV>", `"` + s.IdP.Key + `"`: `"<IDP>"`, arn.OIDCProvider(Account, s.IdP.Issuer()): "<PROVIDER>",
		strings.TrimSuffix(poolARN("x"), "x"): "<ARN>", s.MustToken("alice"): "<TOKEN>",
	}
	seen := map[string]bool{}
	for _, e := range exchanges {
		signer := s.Admin()
		name, public := strings.CutPrefix(e.operation, "*")
		if public {
			signer = nil
		}
		seen[name] = true
		got := s.post(name, signer, known.out(e.in))
		if e.meets != "" {
			known.meet(got.body, e.meets)
		}
		if body := secretForms.ReplaceAllString(known.in(got.body), `"$1$2$3$4*"`); got.status != http.StatusOK || body != e.want {
			t.Errorf("%s %s: got %d\n%s, want\n%s", name, e.in, got.status, body, e.want)
		}
		checkHeader(t, name, got, http.Header{"Content-Type": {"application/x-amz-json-1.1"}})
	}
	for _, row := range services()[0].Rows {
		if !seen[row.Name] {
			t.Errorf("%s has no exchange in this test", row.Name)
		}
	}
}

// TestQuerySuccessOnTheWire is STS's answer, byte for byte, by POST and by GET.
func TestQuerySuccessOnTheWire(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	want := func(a *answer, arn, id string) string {
		return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
			`<Arn>` + arn + `</Arn><UserId>` + id + `</UserId><Account>111122223333</Account></GetCallerIdentityResult>` +
			`<ResponseMetadata><RequestId>` + a.header.Get("X-Amzn-Requestid") + `</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	}
	admin, alice := s.mustSnapshot().UserNamed("dev-admin"), s.MustVend("alice")
	role := s.mustSnapshot().RoleNamed("dev-authenticated")
	for name, c := range map[string]struct {
		signer  *sigv4.Credentials
		arn, id string
	}{
		"user":    {s.Admin(), admin.ARN, admin.ID},
		"session": {alice.Signer(), "arn:aws:sts::111122223333:assumed-role/dev-authenticated/CognitoIdentityCredentials", role.ID + ":CognitoIdentityCredentials"},
	} {
		got := s.query(c.signer, whoAmI)
		if got.status != http.StatusOK || got.body != want(got, c.arn, c.id) {
			t.Errorf("%s: got %d\n%s, want\n%s", name, got.status, got.body, want(got, c.arn, c.id))
		}
		checkHeader(t, name, got, http.Header{"Content-Type": {"text/xml"}})
	}
	header := http.Header{}
	r := &sigv4.Request{Method: http.MethodGet, Path: "/", Query: whoAmI, Host: s.URL[len("http://"):], Header: header}
	if err := sigv4.Sign(r, *s.Admin(), Region, "sts", s.Clock()); err != nil {
		t.Fatal(err)
	}
	if got := s.send(http.MethodGet, "/?"+whoAmI, header, ""); got.status != http.StatusOK || got.body != want(got, admin.ARN, admin.ID) {
		t.Errorf("GET: got %d\n%s", got.status, got.body)
	}
}

// TestErrorOnTheWire is an error of each kind, byte for byte.
func TestErrorOnTheWire(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	closed := s.mustPool(nil)
	nobody := s.mustUser("nobody")
	check := func(name string, got *answer, code, member, sentence string) {
		t.Helper()
		if want := `{"__type":"` + code + `","` + member + `":"` + sentence + `"}`; got.status != http.StatusBadRequest || got.body != want {
			t.Errorf("%s: got %d %s, want 400 %s", name, got.status, got.body, want)
		}
		if message := got.header.Get(door.DenialHeader); (message != "") != (name == "denied") || len(message) > 3<<10 {
			t.Errorf("%s: a message about the denial of %d letters", name, len(message))
		}
		got.header.Del(door.DenialHeader)
		checkHeader(t, name, got, http.Header{
			"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Errortype": {code + ":"}, "X-Amzn-Errormessage": {sentence},
		})
	}
	check("refused", s.post("GetId", nil, `{"IdentityPoolId":"`+closed+`"}`),
		"NotAuthorizedException", "message", "Unauthenticated access is not supported for this identity pool.")
	check("denied", s.post("DescribeIdentityPool", nobody, `{"IdentityPoolId":"`+closed+`"}`),
		"AccessDeniedException", "Message", "User: arn:aws:iam::111122223333:user/nobody is not authorized to perform: cognito-identity:DescribeIdentityPool on resource: "+
			poolARN(closed)+" because no identity-based policy allows the cognito-identity:DescribeIdentityPool action")
	check("not JSON", s.post("GetId", nil, `{`),
		"SerializationException", "message", "The request body is not the JSON object that the operation expects.")
	check("unsigned", s.post("ListIdentityPools", nil, `{"MaxResults":1}`),
		"MissingAuthenticationTokenException", "message", "Missing Authentication Token")

	got := s.query(nil, whoAmI)
	want := `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code>` +
		`<Message>Missing Authentication Token</Message></Error><RequestId>` + got.header.Get("X-Amzn-Requestid") + `</RequestId></ErrorResponse>`
	if got.status != http.StatusForbidden || got.body != want {
		t.Errorf("STS: got %d %s, want 403 %s", got.status, got.body, want)
	}
	checkHeader(t, "STS", got, http.Header{"Content-Type": {"text/xml"}})
}

// TestErrorHeaderIsOneLine: what a caller sends comes back in no header but as printable ASCII (security I8).
func TestErrorHeaderIsOneLine(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, hostile := range []string{"x\r\nSet-Cookie: a=b", "x\x1b[2J", "\u202egnp.exe", "é", strings.Repeat("a", 600)} {
		got := s.call("CreateIdentityPool", s.Admin(), object{"IdentityPoolName": hostile + "/", "AllowUnauthenticatedIdentities": true})
		sentence := got.header.Get("X-Amzn-Errormessage")
		if got.refusal().code != "ValidationException" || len(sentence) > 512 || strings.Trim(sentence, printableASCII) != "" {
			t.Errorf("%q: got %+v with the header %q, want printable ASCII", hostile, got.refusal(), sentence)
		}
		if got.header.Get("Set-Cookie") != "" {
			t.Errorf("%q: got a header of the caller's", hostile)
		}
	}
}

var printableASCII = func() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()

// TestUnroutable: what names no operation of ours finds none (security 32).
func TestUnroutable(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	with := func(changes http.Header) http.Header {
		h := jsonHeader("GetId")
		for name, values := range changes {
			if h[name] = values; values == nil {
				delete(h, name)
			}
		}
		return h
	}
	const unknown, unreadable = "UnknownOperationException", "SerializationException"
	target := func(values ...string) http.Header { return with(http.Header{"X-Amz-Target": values}) }
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		code         string
	}{
		"GET /":                      {"GET", "/", http.Header{}, unknown},
		"GET with a target":          {"GET", "/", target("AWSCognitoIdentityService.GetId"), unknown},
		"PUT":                        {"PUT", "/", with(nil), unknown},
		"DELETE":                     {"DELETE", "/", with(nil), unknown},
		"PATCH":                      {"PATCH", "/", with(nil), unknown},
		"no target":                  {"POST", "/", target(), unknown},
		"empty target":               {"POST", "/", target(""), unknown},
		"two targets":                {"POST", "/", target("AWSCognitoIdentityService.GetId", "AWSCognitoIdentityService.GetId"), unknown},
		"no operation":               {"POST", "/", target("AWSCognitoIdentityService."), unknown},
		"no service":                 {"POST", "/", target("GetId"), unknown},
		"another service":            {"POST", "/", target("AWSCognitoIdentityProviderService.GetId"), unknown},
		"unknown operation":          {"POST", "/", target("AWSCognitoIdentityService.GetEverything"), unknown},
		"lower case":                 {"POST", "/", target("AWSCognitoIdentityService.getid"), unknown},
		"a dot more":                 {"POST", "/", target("AWSCognitoIdentityService.GetId.x"), unknown},
		"a space":                    {"POST", "/", target("AWSCognitoIdentityService.GetId x"), unknown},
		"an operation of STS":        {"POST", "/", target("AWSCognitoIdentityService.GetCallerIdentity"), unknown},
		"the service as a path":      {"POST", "/AWSCognitoIdentityService.GetId", with(nil), unknown},
		"another path":               {"POST", "/x", with(nil), unknown},
		"a double slash":             {"POST", "//", with(nil), unknown},
		"an encoded slash":           {"POST", "/%2f", with(nil), unknown},
		"an encoded dot":             {"POST", "/%2e", with(nil), unknown},
		"a path above":               {"POST", "/x/..", with(nil), unknown},
		"the health page, in a path": {"POST", "/livez/", with(nil), unknown},
		"a logout endpoint":          {"POST", "/saml/slo", with(nil), unknown},
		"a query":                    {"POST", "/?x=1", with(nil), unreadable},
		"an empty query":             {"POST", "/?", with(nil), unreadable},
		"no type":                    {"POST", "/", with(http.Header{"Content-Type": nil}), unreadable},
		"another type":               {"POST", "/", with(http.Header{"Content-Type": {"application/json"}}), unreadable},
		"multipart":                  {"POST", "/", with(http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}), unreadable},
		"two types":                  {"POST", "/", with(http.Header{"Content-Type": {"application/x-amz-json-1.1", "application/x-amz-json-1.1"}}), unreadable},
		"a form":                     {"POST", "/", with(http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}), unreadable},
	} {
		body := `{"IdentityPoolId":"` + s.Dev.PoolID + `"}`
		if c.method == "GET" {
			body = ""
		}
		s.refuses(t, name, http.StatusBadRequest, refused{c.code, sentenceOf(c.code, name)}, func() *answer {
			return s.send(c.method, c.path, c.header, body)
		})
	}
	for name, kind := range map[string]string{"1.0": "application/x-amz-json-1.0", "with a charset": "Application/X-Amz-Json-1.1 ; charset=utf-8"} {
		got := s.send("POST", "/", with(http.Header{"Content-Type": {kind}}), `{"IdentityPoolId":"`+s.Dev.PoolID+`"}`)
		if got.status != http.StatusOK {
			t.Errorf("%s: got %d %s, want it taken", name, got.status, got.body)
		}
	}
	if got := s.send("POST", "/", with(http.Header{"Content-Encoding": {"gzip"}}), "{}"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("gzip: got %d %s, want 415", got.status, got.body)
	}
}

func sentenceOf(code, name string) string {
	path := []string{"the service as a path", "another path", "a double slash", "an encoded slash", "an encoded dot", "a path above",
		"the health page, in a path", "a logout endpoint"}
	switch {
	case strings.Contains(name, "query"):
		return "A query is not accepted here."
	case code == "SerializationException":
		return "The Content-Type must be application/x-amz-json-1.1."
	case slices.Contains(path, name):
		return "There is nothing at this path."
	}
	return "The X-Amz-Target header names no operation."
}

// TestUnroutableQuery is the same for forms.
func TestUnroutableQuery(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for name, c := range map[string]struct{ method, target, body, code, sentence string }{
		"no action":            {"POST", "/", "Version=2011-06-15", "MissingAction", "The request names no Action."},
		"empty":                {"POST", "/", "", "MissingAction", "The request names no Action."},
		"unknown action":       {"POST", "/", "Action=GetSecret&Version=2011-06-15", "InvalidAction", "Could not find the operation for version 2011-06-15"},
		"lower case":           {"POST", "/", "Action=getcalleridentity&Version=2011-06-15", "InvalidAction", "Could not find the operation for version 2011-06-15"},
		"no version":           {"POST", "/", "Action=GetCallerIdentity", "InvalidAction", "Could not find the operation for this version."},
		"another version":      {"POST", "/", "Action=GetCallerIdentity&Version=2010-05-09", "InvalidAction", "Could not find the operation for this version."},
		"an operation of ours": {"POST", "/", "Action=GetId&Version=2014-06-30", "InvalidAction", "Could not find the operation for this version."},
		"action twice":         {"POST", "/", whoAmI + "&Action=GetCallerIdentity", "MalformedQueryString", ""},
		"body and query":       {"POST", "/?" + whoAmI, whoAmI, "MalformedQueryString", "A form in the body of a POST, or in the query of a GET, is expected."},
		"another path":         {"POST", "/sts", whoAmI, "InvalidAction", "There is nothing at this path."},
		"PUT":                  {"PUT", "/", whoAmI, "MalformedQueryString", "A form in the body of a POST, or in the query of a GET, is expected."},
	} {
		got := s.send(c.method, c.target, formHeader(), c.body)
		want := refused{c.code, c.sentence}
		if c.sentence == "" {
			want.sentence = got.refusal().sentence
		}
		if got.status != http.StatusBadRequest || got.refusal() != want {
			t.Errorf("%s: got %d %+v, want 400 %+v", name, got.status, got.refusal(), want)
		}
	}
}

// operations are those of the API (spec cognito-identity §6); all but ours are refused as unknown.
var operations = strings.Fields(`CreateIdentityPool DeleteIdentities DeleteIdentityPool DescribeIdentity DescribeIdentityPool
	GetCredentialsForIdentity GetId GetIdentityPoolRoles GetOpenIdToken GetOpenIdTokenForDeveloperIdentity GetPrincipalTagAttributeMap
	ListIdentities ListIdentityPools ListTagsForResource LookupDeveloperIdentity MergeDeveloperIdentities SetIdentityPoolRoles
	SetPrincipalTagAttributeMap TagResource UnlinkDeveloperIdentity UnlinkIdentity UntagResource UpdateIdentityPool`)

// public are the operations that take anyone (spec §6): all others are signed.
var public = strings.Fields("GetId GetCredentialsForIdentity GetOpenIdToken UnlinkIdentity")

// TestEveryOperation: each operation of the API is ours or unknown, and none of ours takes unsigned requests that should not.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	ours := map[string]operation.Row{}
	for _, row := range services()[0].Rows {
		ours[row.Name] = row
		if !slices.Contains(operations, row.Name) {
			t.Errorf("%s is no operation of the API", row.Name)
		}
		if got, want := row.Access == operation.Anonymous, slices.Contains(public, row.Name); got != want {
			t.Errorf("%s: anonymous %v, want %v", row.Name, got, want)
		}
	}
	if len(operations) != 23 {
		t.Fatalf("got %d operations, want 23", len(operations))
	}
	for _, name := range operations {
		row, ok := ours[name]
		switch {
		case !ok:
			s.refuses(t, name, http.StatusBadRequest, refused{"UnknownOperationException", "The X-Amz-Target header names no operation."},
				func() *answer { return s.post(name, nil, "{}") })
		case row.Access != operation.Anonymous:
			s.refuses(t, name, http.StatusBadRequest, refused{"MissingAuthenticationTokenException", "Missing Authentication Token"},
				func() *answer { return s.post(name, nil, "{}") })
		}
	}
}

// TestSignatureIsDemanded: signed operations, of both protocols, refuse what is signed wrongly (security G).
func TestSignatureIsDemanded(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	admin := s.Admin()
	const (
		mismatch = "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
		unknown = "The security token included in the request is invalid."
	)
	wrong := &sigv4.Credentials{AccessKeyID: admin.AccessKeyID, Secret: strings.Repeat("x", 40)}
	nobody := &sigv4.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", Secret: admin.Secret}
	body := `{"MaxResults":1}`
	tamper := func(signer *sigv4.Credentials, change func(http.Header)) func() *answer {
		return func() *answer {
			header := jsonHeader("ListIdentityPools")
			s.sign(signer, "cognito-identity", header, body)
			change(header)
			return s.send("POST", "/", header, body)
		}
	}
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h[name] = []string{value} } }
	for name, c := range map[string]struct {
		call func() *answer
		want refused
	}{
		"wrong secret":   {func() *answer { return s.post("ListIdentityPools", wrong, body) }, refused{"InvalidSignatureException", mismatch}},
		"unknown key":    {func() *answer { return s.post("ListIdentityPools", nobody, body) }, refused{"UnrecognizedClientException", unknown}},
		"another body":   {func() *answer { return s.send("POST", "/", s.signed(admin, `{"MaxResults":2}`), body) }, refused{"InvalidSignatureException", mismatch}},
		"another target": {tamper(admin, set("X-Amz-Target", "AWSCognitoIdentityService.DescribeIdentity")), refused{"InvalidSignatureException", mismatch}},
		"another type":   {tamper(admin, set("Content-Type", "application/x-amz-json-1.0")), refused{"InvalidSignatureException", mismatch}},
		"header added": {tamper(admin, set("X-Amz-Meta", "1")),
			refused{"InvalidSignatureException", "There were headers present in the request which were not signed."}},
		"unsigned payload": {tamper(admin, set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")),
			refused{"InvalidSignatureException", "There were headers present in the request which were not signed."}},
		"Basic": {tamper(admin, set("Authorization", "Basic QWxhZGRpbjpvcGVu")), refused{"IncompleteSignatureException",
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."}},
		"SigV4A": {tamper(admin, func(h http.Header) {
			h["Authorization"] = []string{strings.Replace(h.Get("Authorization"), "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 1)}
		}), refused{"IncompleteSignatureException", "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."}},
		"twice": {tamper(admin, func(h http.Header) { h["Authorization"] = append(h["Authorization"], h.Get("Authorization")) }),
			refused{"IncompleteSignatureException", "The header 'authorization' must not be sent more than once."}},
	} {
		s.refuses(t, name, http.StatusBadRequest, c.want, c.call)
	}
	for name, c := range map[string]struct {
		signer *sigv4.Credentials
		want   refused
	}{
		"STS, wrong secret": {wrong, refused{"SignatureDoesNotMatch", mismatch}},
		"STS, unknown key":  {nobody, refused{"InvalidClientTokenId", unknown}},
	} {
		s.refuses(t, name, http.StatusForbidden, c.want, func() *answer { return s.query(c.signer, whoAmI) })
	}
	for name, c := range map[string]struct{ service, region, want string }{
		"another service": {"sts", Region, "Credential should be scoped to correct service: 'cognito-identity'."},
		"another region":  {"cognito-identity", "eu-west-1", "Credential should be scoped to a valid region, not 'eu-west-1'."},
	} {
		s.refuses(t, name, http.StatusBadRequest, refused{"InvalidSignatureException", c.want}, func() *answer {
			header := jsonHeader("ListIdentityPools")
			r := &sigv4.Request{Method: "POST", Path: "/", Host: s.URL[len("http://"):], Header: header, ContentLength: int64(len(body)), Body: []byte(body)}
			if err := sigv4.Sign(r, *admin, c.region, c.service, s.Clock()); err != nil {
				t.Fatal(err)
			}
			return s.send("POST", "/", header, body)
		})
	}
}

// signed returns the header of a signed ListIdentityPools with the body.
func (s *Server) signed(signer *sigv4.Credentials, body string) http.Header {
	s.t.Helper()
	header := jsonHeader("ListIdentityPools")
	s.sign(signer, "cognito-identity", header, body)
	return header
}

// TestQuerySignatures: a signature in the query administers nothing (security G8).
func TestQuerySignatures(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260301%2Fus-east-1%2Fsts%2Faws4_request" +
		"&X-Amz-Date=20260301T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0000000000000000000000000000000000000000000000000000000000000000"
	got := s.send("GET", "/?"+whoAmI+"&"+presigned, http.Header{}, "")
	if want := (refused{"IncompleteSignature", "Signatures in the query are not accepted."}); got.status != 400 || got.refusal() != want {
		t.Errorf("STS: got %d %+v, want 400 %+v", got.status, got.refusal(), want)
	}
	got = s.send("POST", "/?"+presigned, jsonHeader("ListIdentityPools"), `{"MaxResults":1}`)
	if want := (refused{"SerializationException", "A query is not accepted here."}); got.status != 400 || got.refusal() != want {
		t.Errorf("Cognito: got %d %+v, want 400 %+v", got.status, got.refusal(), want)
	}
}

// TestPublicOperationsIgnoreSignatures: SDKs with credentials at hand sign everything (spec §1.2).
func TestPublicOperationsIgnoreSignatures(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	guest := s.MustGetID("")
	denied := s.mustUser("denied", deny("*", "*"))
	bodies := map[string]func() string{
		"GetId":                     func() string { return `{"IdentityPoolId":"` + s.Dev.PoolID + `"}` },
		"GetCredentialsForIdentity": func() string { return `{"IdentityId":"` + guest + `"}` },
		"GetOpenIdToken":            func() string { return `{"IdentityId":"` + guest + `"}` },
		"UnlinkIdentity": func() string {
			return mustJSON(t, object{"IdentityId": s.MustGetID("alice"), "Logins": s.Logins(s.MustToken("alice")), "LoginsToRemove": []string{s.IdP.Key}})
		},
	}
	for _, row := range services()[0].Rows {
		if row.Access != operation.Anonymous {
			continue
		}
		body, ok := bodies[row.Name]
		if !ok {
			t.Errorf("%s has no row in this test", row.Name)
			continue
		}
		for _, garbage := range []string{"x", "Basic QWxhZGRpbjpvcGVu", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=AKIA/x", "Bearer " + strings.Repeat("a", 3000)} {
			if got := s.post(row.Name, nil, body(), "Authorization", garbage, "X-Amz-Security-Token", "x", "X-Amz-Date", "never"); got.status != 200 {
				t.Errorf("%s with %.20q: got %d %s", row.Name, garbage, got.status, got.body)
			}
		}
		for name, signer := range map[string]*sigv4.Credentials{
			"unknown key":   {AccessKeyID: "AKIAIOSFODNN7EXAMPLE", Secret: strings.Repeat("x", 40), Token: "x"},
			"denied caller": denied,
			"administrator": s.Admin(),
		} {
			in := body()
			at := s.mark()
			if got := s.post(row.Name, signer, in); got.status != 200 {
				t.Errorf("%s, %s: got %d %s", row.Name, name, got.status, got.body)
			}
			if r := s.since(at)[0]; r.Caller != "" || r.AccessKeyID != "" {
				t.Errorf("%s, %s: got the caller %q in the event, want nobody", row.Name, name, r.Caller)
			}
		}
	}
}

// TestCORS: any page may read any answer, and none may send cookies (security I6, spec §1.6).
func TestCORS(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) { p.AllowUnauthenticated = true })
	id := `{"IdentityPoolId":"` + s.Dev.PoolID + `"}`
	for name, c := range map[string]struct {
		status int
		call   func(more ...string) *answer
	}{
		"success":         {200, func(more ...string) *answer { return s.post("GetId", nil, id, more...) }},
		"error":           {400, func(more ...string) *answer { return s.post("GetId", nil, "{}", more...) }},
		"signed, success": {200, func(more ...string) *answer { return s.post("DescribeIdentityPool", s.Admin(), id, more...) }},
		"signed, error":   {400, func(more ...string) *answer { return s.post("DescribeIdentityPool", nil, id, more...) }},
	} {
		got := c.call("Origin", "https://app.example")
		if got.status != c.status || got.header.Get("Access-Control-Allow-Origin") != "*" ||
			got.header.Get("Access-Control-Expose-Headers") != "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date" {
			t.Errorf("%s: got %d %v, want it readable for every page", name, got.status, got.header)
		}
		for header := range got.header {
			if header == "Access-Control-Allow-Credentials" || strings.Contains(got.header.Get(header), "app.example") {
				t.Errorf("%s: got %s: %s", name, header, got.header.Get(header))
			}
		}
		if got := c.call(); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s without Origin: got %v, want no CORS", name, got.header)
		}
	}
	got := s.send("OPTIONS", "/", http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"},
		"Access-Control-Request-Headers": {"content-type,x-amz-target,x-new"}}, "")
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
		"Access-Control-Allow-Headers": "content-type, x-amz-target, x-new", "Access-Control-Max-Age": "172800",
	} {
		if got.status != 200 || got.header.Get(header) != want {
			t.Errorf("preflight: got %d, %s: %q, want %q", got.status, header, got.header.Get(header), want)
		}
	}
}
