package idpooltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/account"
	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/operation"
	"idpool/internal/sigv4"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// brittle is a sink that fails while it is told to, and notes what it was asked to sync.
type brittle struct {
	inner   event.Sink
	broken  atomic.Bool
	mu      sync.Mutex
	durable map[string]bool // by operation
	refused int
}

var errDiskFull = errors.New("canary: no space left on device")

func (b *brittle) Write(r *event.Record, durable bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken.Load() {
		b.refused++
		return errDiskFull
	}
	b.durable[r.Operation+" "+r.Outcome] = durable
	return b.inner.Write(r, durable)
}

// TestNoRecordNoAnswer: what cannot be put on record is not answered, by no operation (requirement 54); and changes of
// configuration are on the disk before their answer, when they went through.
func TestNoRecordNoAnswer(t *testing.T) {
	t.Parallel()
	sink := &brittle{durable: map[string]bool{}}
	s := Start(t, Options{WrapEvents: func(inner event.Sink) event.Sink {
		sink.inner = inner
		return sink
	}})
	all := permits(s, func() string { return s.mustPool(nil) })
	alice := s.MustGetID("alice")
	public := map[string]func() object{
		"GetId":                     func() object { return object{"IdentityPoolId": s.Dev.PoolID} },
		"GetCredentialsForIdentity": func() object { return object{"IdentityId": alice, "Logins": s.logins("alice")} },
		"GetOpenIdToken":            func() object { return object{"IdentityId": alice, "Logins": s.logins("alice")} },
		"UnlinkIdentity": func() object {
			return object{"IdentityId": s.MustGetID("bob"), "Logins": s.logins("bob"), "LoginsToRemove": []string{s.IdP.Key}}
		},
	}
	refusals := 0
	for _, row := range services()[0].Rows {
		in, signer := public[row.Name], (*sigv4.Credentials)(nil)
		if row.Access == operation.Authorised {
			in, signer = all[row.Name].in, s.Admin()
		}
		if in == nil {
			t.Errorf("%s has no row in this test", row.Name)
			continue
		}
		for name, body := range map[string]string{"success": mustJSON(t, in()), "refusal": "{"} {
			sink.broken.Store(true)
			got := s.post(row.Name, signer, body)
			sink.broken.Store(false)
			refusals++
			if want := `{"__type":"InternalErrorException","message":"Internal error."}`; got.status != 500 || got.body != want {
				t.Errorf("%s, %s: got %d %s, want 500 %s", row.Name, name, got.status, got.body, want)
			}
		}
		if got := s.call(row.Name, signer, in()); got.status != 200 {
			t.Errorf("%s with a sink again: got %d %s", row.Name, got.status, got.body)
		}
		if got := s.post(row.Name, signer, "{"); got.status != 400 {
			t.Errorf("%s, refused: got %d %s", row.Name, got.status, got.body)
		}
		if got, want := sink.durable[row.Name+" ok"], row.Writes; got != want {
			t.Errorf("%s: synced %v, want %v", row.Name, got, want)
		}
		if sink.durable[row.Name+" Serialization"] {
			t.Errorf("%s: a refusal was synced: anybody can cause those", row.Name)
		}
	}
	sink.broken.Store(true)
	got := s.query(s.Admin(), whoAmI)
	sink.broken.Store(false)
	if want := (refused{"InternalFailure", "Internal error."}); got.status != 500 || got.refusal() != want {
		t.Errorf("STS: got %d %+v, want 500 %+v", got.status, got.refusal(), want)
	}
	if sink.refused != refusals+1 {
		t.Errorf("the sink was asked %d times, want once for each of %d requests", sink.refused, refusals+1)
	}
}

// TestOneEventForEachRequest: of whatever kind, with the id that its answer bears.
func TestOneEventForEachRequest(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	id := `{"IdentityPoolId":"` + s.Dev.PoolID + `"}`
	for name, c := range map[string]struct {
		call                        func() *answer
		service, operation, outcome string
	}{
		"success":           {func() *answer { return s.post("GetId", nil, id) }, "cognito-identity", "GetId", "ok"},
		"refused":           {func() *answer { return s.post("GetId", nil, `{"IdentityPoolId":"a:0"}`) }, "cognito-identity", "GetId", "ResourceNotFound"},
		"invalid":           {func() *answer { return s.post("GetId", nil, `{}`) }, "cognito-identity", "GetId", "Validation"},
		"not JSON":          {func() *answer { return s.post("GetId", nil, `{`) }, "cognito-identity", "GetId", "Serialization"},
		"unknown operation": {func() *answer { return s.post("GetSecret", nil, `{}`) }, "cognito-identity", "", "UnknownOperation"},
		"no operation":      {func() *answer { return s.send("GET", "/", http.Header{}, "") }, "", "", "UnknownOperation"},
		"another path":      {func() *answer { return s.send("POST", "/x", jsonHeader("GetId"), "{}") }, "", "", "UnknownOperation"},
		"unsigned":          {func() *answer { return s.post("DescribeIdentityPool", nil, id) }, "cognito-identity", "DescribeIdentityPool", "MissingAuthentication"},
		"signed":            {func() *answer { return s.post("DescribeIdentityPool", s.Admin(), id) }, "cognito-identity", "DescribeIdentityPool", "ok"},
		"STS":               {func() *answer { return s.query(s.Admin(), whoAmI) }, "sts", "GetCallerIdentity", "ok"},
		"STS, no action":    {func() *answer { return s.query(nil, "") }, "", "", "MissingAction"},
	} {
		at := s.mark()
		got := c.call()
		records := s.since(at)
		if len(records) != 1 {
			t.Errorf("%s: got %d events, want one", name, len(records))
			continue
		}
		r := records[0]
		if r.RequestID != got.header.Get("X-Amzn-Requestid") || r.Service != c.service || r.Operation != c.operation || r.Outcome != c.outcome ||
			r.Client != "127.0.0.1" || r.UserAgent != "Go-http-client/1.1" || r.Time.IsZero() || r.Micros < 0 {
			t.Errorf("%s: got the event %+v, want %s %s %s of this request", name, r, c.service, c.operation, c.outcome)
		}
	}
	at := s.mark()
	for _, path := range []string{"/livez", "/readyz", "/.well-known/jwks_uri"} {
		if got := s.send("GET", path, http.Header{}, ""); got.status != 200 {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	if n := len(s.since(at)); n != 0 {
		t.Errorf("health and documents left %d events, want none", n)
	}
	if got := s.post("GetId", nil, id, "User-Agent", "a\tb "+strings.Repeat("x", 500)); got.status != 200 {
		t.Errorf("long user agent: got %d %s", got.status, got.body)
	}
	if r := s.since(at)[0]; len(r.UserAgent) != 256 || strings.Contains(r.UserAgent, "\t") {
		t.Errorf("user agent: got %q, want 256 printable characters", r.UserAgent)
	}
}

// TestTheStory is the whole event of the main job, and of an administrator's change.
func TestTheStory(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Clock: newClock().Now})
	at := s.mark()
	vended := s.MustVend("alice")
	s.MustCall("UpdateIdentityPool", s.Admin(), object{"IdentityPoolId": s.Dev.PoolID, "IdentityPoolName": "dev", "AllowUnauthenticatedIdentities": true}, nil)
	records := s.since(at)
	verified := event.Step{Name: "verify", OK: true, Subject: s.IdP.Key, Expected: "a valid token of this provider for one of its client ids", Found: "all checks passed"}
	role, identity := s.Dev.AuthenticatedRoleARN, vended.IdentityId
	const user = "arn:aws:iam::" + Account + ":user/dev-admin"
	want := []*event.Record{
		{Operation: "GetId", Pool: s.Dev.PoolID, Identity: identity, Steps: []event.Step{verified, {Name: "link", OK: true, Found: "1 identities created, 0 logins linked, 0 moved"}}},
		{Operation: "GetCredentialsForIdentity", Pool: s.Dev.PoolID, Identity: identity, Role: role, Minted: vended.Credentials.AccessKeyId, Steps: []event.Step{
			verified, {Name: "link", OK: true, Found: "known logins"},
			{Name: "choose", OK: true, Subject: role, Found: "the pool's role for authenticated identities"},
			{Name: "trust", OK: true, Subject: role}, {Name: "mint", OK: true, Subject: role},
		}},
		{Operation: "UpdateIdentityPool", Pool: s.Dev.PoolID, Caller: user, AccessKeyID: s.Admin().AccessKeyID, Steps: []event.Step{
			{Name: "authenticate", OK: true, Subject: user, Found: "the signature verifies"},
			{Name: "authorise", OK: true, Subject: "cognito-identity:UpdateIdentityPool on " + poolARN(s.Dev.PoolID), Expected: "the caller's policies allow it", Found: `identity-based policy policy administrator, statement 0 ""`},
		}},
	}
	for i, r := range records {
		if i >= len(want) {
			t.Errorf("got another event %+v", r)
			break
		}
		w := want[i]
		w.Time, w.RequestID, w.Client, w.UserAgent, w.Service, w.Outcome = noon, r.RequestID, "127.0.0.1", "Go-http-client/1.1", "cognito-identity", "ok"
		for j := range r.Steps {
			if r.Steps[j].Name == "trust" || r.Steps[j].Name == "mint" { // their words are those of sts
				r.Steps[j].Expected, r.Steps[j].Found = "", ""
			}
		}
		if d := cmp.Diff(mustJSON(t, r), mustJSON(t, w)); d != "" {
			t.Errorf("event %d (-got +want):\n%s", i, d)
		}
	}
	if len(records) != len(want) {
		t.Errorf("got %d events, want %d", len(records), len(want))
	}
}

// TestDeniedLoginsAreExplained: the event of a refusal names the check that failed, what it expected and what it found.
func TestDeniedLoginsAreExplained(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	f := startForge(t, "1", s.Clock)
	s.mustProvider(s.Dev.PoolID, f.url, "dev-app", "other-app")
	alice := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token("alice", nil)}})
	closed, guest := s.mustPool(nil), s.MustGetID("")
	in := func(id string, logins any) object { return object{"IdentityId": id, "Logins": logins} }
	with := func(claims object) object { return in(alice, object{f.key: f.token("alice", claims)}) }
	now := noon.Unix()
	const get = "GetCredentialsForIdentity"
	for name, row := range map[string]struct {
		operation string
		in        object
		want      event.Step
	}{
		"expired":     {get, with(object{"iat": now - 100, "exp": now - 40}), event.Step{Name: "verify", Subject: f.key, Expected: "a time after now", Found: "expired: 40 s ago"}},
		"issuer":      {get, with(object{"iss": f.url + "/"}), event.Step{Name: "verify", Subject: f.key, Expected: f.url, Found: "issuer mismatch: another issuer, which differs by a trailing slash"}},
		"audience":    {get, with(object{"aud": "x"}), event.Step{Name: "verify", Subject: f.key, Expected: "one of the 2 configured client ids", Found: "audience mismatch: 1 audiences, none of them configured"}},
		"claim":       {get, with(object{"sub": nil}), event.Step{Name: "verify", Subject: f.key, Expected: "the claim", Found: "missing claim: none, or an empty one"}},
		"no provider": {get, in(alice, object{"https://" + f.key: "x"}), event.Step{Name: "verify", Expected: "the key of a provider of the pool", Found: "a key with a scheme, such as https://, which keys do not have"}},
		"unknown key": {get, in(alice, object{"accounts.google.com": "x"}), event.Step{Name: "verify", Expected: "the key of a provider of the pool", Found: "a key that no provider of the pool has"}},
		"no logins":   {get, in(alice, nil), event.Step{Name: "verify", Expected: "a login of this identity", Found: "no logins"}},
		"no guests":   {"GetId", object{"IdentityPoolId": closed}, event.Step{Name: "verify", Expected: "logins, or a pool that allows guests", Found: "no logins, and no guests allowed"}},
		"another's":   {get, in(alice, object{f.key: f.token("bob", nil)}), event.Step{Name: "link", Expected: "logins that lead to this identity", Found: loginsMismatch}},
		"role": {get, object{"IdentityId": guest, "CustomRoleArn": s.Dev.AuthenticatedRoleARN},
			event.Step{Name: "choose", Expected: "one role for this identity", Found: "Access to Role '" + s.Dev.AuthenticatedRoleARN + "' is forbidden."}},
	} {
		at := s.mark()
		if got := s.call(row.operation, nil, row.in); got.status != 400 {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
		r := s.since(at)[0]
		if len(r.Steps) == 0 || r.Steps[len(r.Steps)-1] != row.want {
			t.Errorf("%s: got the steps %+v, want the last to be %+v", name, r.Steps, row.want)
		}
		if id, _ := row.in["IdentityId"].(string); id != "" && r.Identity != event.IdentityName(id, id == guest) {
			t.Errorf("%s: got the identity %q in the event, want %q", name, r.Identity, event.IdentityName(id, id == guest))
		}
	}
	s.mustChangeRole("dev-authenticated", func(r *account.Role) { r.Trust = trust("us-east-1:"+strings.Repeat("0", 36), "authenticated") })
	at := s.mark()
	if got := s.call(get, nil, with(nil)); got.status != 400 {
		t.Errorf("trust: got %d %s", got.status, got.body)
	}
	r := s.since(at)[0]
	last := r.Steps[len(r.Steps)-1]
	if last.Name != "trust" || last.OK || last.Subject != s.Dev.AuthenticatedRoleARN || last.Expected == "" || last.Found == "" || r.Minted != "" || r.Outcome != "InvalidIdentityPoolConfiguration" {
		t.Errorf("trust: got the event %+v, want the role's trust policy in its last step", r)
	}
}

// TestForwardingHeaders: who is no trusted proxy cannot say where he comes from; nobody can say who we are (security F2,
// H7, I10).
func TestForwardingHeaders(t *testing.T) {
	t.Parallel()
	forged := []http.Header{
		{"Host": {"evil.example"}}, {"Host": {"evil.example:1"}}, {"X-Forwarded-Host": {"evil.example"}}, {"X-Forwarded-Proto": {"gopher"}}, {"X-Forwarded-Proto": {"http", "https"}},
		{"Forwarded": {"for=192.0.2.1;host=evil.example;proto=http"}}, {"X-Forwarded-For": {"192.0.2.1"}}, {"X-Forwarded-For": {"127.0.0.1, 192.0.2.1"}}, {"X-Real-Ip": {"192.0.2.1"}},
		{"X_forwarded_for": {"192.0.2.1"}}, {"X-Forwarded-Port": {"1"}}, {"X-Forwarded-Prefix": {"/evil"}}, {"X-Original-Url": {"/evil"}}, {"X-Rewrite-Url": {"/evil"}},
		{"X-Host": {"evil.example"}}, {"X-Forwarded-Server": {"evil.example"}}, {"Origin": {"https://evil.example"}}, {"Referer": {"https://evil.example"}}, {"Connection": {"X-Forwarded-For"}},
		{"True-Client-Ip": {"192.0.2.1"}}, {"Cf-Connecting-Ip": {"192.0.2.1"}}, {"Via": {"1.1 evil.example"}}, {"X-Forwarded-For": {"::ffff:192.0.2.1", "garbage"}},
	}
	s := Start(t, Options{})
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks_uri"} {
		plain := s.send("GET", path, http.Header{}, "")
		if plain.status != 200 || !json.Valid([]byte(plain.body)) || plain.header.Get("Cache-Control") != "public, max-age=3600" {
			t.Fatalf("%s: got %d %v %s", path, plain.status, plain.header, plain.body)
		}
		for _, header := range forged {
			if got := s.send("GET", path, header.Clone(), ""); got.status != 200 || got.body != plain.body {
				t.Errorf("%s with %v: got %d %s, want the document as ever", path, header, got.status, got.body)
			}
		}
	}
	client := func(s *Server, header http.Header) string {
		t.Helper()
		h := jsonHeader("GetId")
		for name, values := range header {
			h[name] = values
		}
		at := s.mark()
		s.send("POST", "/", h, `{"IdentityPoolId":"`+s.Dev.PoolID+`"}`)
		return s.since(at)[0].Client
	}
	for _, header := range forged {
		if got := client(s, header); got != "127.0.0.1" {
			t.Errorf("%v: got the client %s in the event, want that of the socket", header, got)
		}
	}
	behind := Start(t, Options{Configure: func(c *config.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	}})
	for forwarded, want := range map[string]string{
		"": "127.0.0.1", "192.0.2.1": "192.0.2.1", "198.51.100.9, 192.0.2.1": "192.0.2.1", "192.0.2.1, 10.1.2.3": "192.0.2.1", "garbage": "127.0.0.1",
		"192.0.2.1, garbage": "127.0.0.1", "10.9.9.9": "10.9.9.9", "2001:db8::1": "2001:db8::1",
	} {
		header := http.Header{}
		if forwarded != "" {
			header.Set("X-Forwarded-For", forwarded)
		}
		if got := client(behind, header); got != want {
			t.Errorf("X-Forwarded-For %q of a trusted proxy: got %s, want %s", forwarded, got, want)
		}
	}
	// The address is what policies decide on.
	local := behind.mustUser("local", allow("*", "*", `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`))
	for forwarded, code := range map[string]string{"192.0.2.1": "", "198.51.100.1": "AccessDeniedException", "192.0.2.1, 198.51.100.1": "AccessDeniedException"} {
		if got := behind.post("ListIdentityPools", local, `{"MaxResults":1}`, "X-Forwarded-For", forwarded).refusal().code; got != code {
			t.Errorf("SourceIp %q: got %q, want %q", forwarded, got, code)
		}
	}
}

// TestNothingIsCached: no answer of the API may be kept by anybody, whatever its status; keys may, for an hour (security
// I7).
func TestNothingIsCached(t *testing.T) {
	t.Parallel()
	var fails *storetest.Faulty
	s := Start(t, Options{WrapStore: func(inner *store.Store) *store.Store {
		fails = storetest.NewFaulty(inner)
		return fails.Store
	}})
	long := strings.Repeat("x", 600<<10)
	for name, c := range map[string]struct {
		status int
		call   func() *answer
	}{
		"200":          {200, func() *answer { return s.post("GetId", nil, `{"IdentityPoolId":"`+s.Dev.PoolID+`"}`) }},
		"200, signed":  {200, func() *answer { return s.post("ListIdentityPools", s.Admin(), `{"MaxResults":1}`) }},
		"200, STS":     {200, func() *answer { return s.query(s.Admin(), whoAmI) }},
		"200, health":  {200, func() *answer { return s.send("GET", "/livez", http.Header{}, "") }},
		"200, OPTIONS": {200, func() *answer { return s.send("OPTIONS", "/", http.Header{"Origin": {"https://a.example"}}, "") }},
		"400":          {400, func() *answer { return s.post("GetId", nil, `{}`) }},
		"400, path":    {400, func() *answer { return s.send("GET", "/x", http.Header{}, "") }},
		"403":          {403, func() *answer { return s.query(nil, whoAmI) }},
		"405":          {405, func() *answer { return s.send("POST", "/.well-known/jwks_uri", http.Header{}, "") }},
		"413":          {413, func() *answer { return s.post("GetId", nil, long) }},
		"415":          {415, func() *answer { return s.post("GetId", nil, "{}", "Content-Encoding", "br") }},
		"500": {500, func() *answer {
			fails.FailNext(storetest.IdentitiesApply, storetest.Before, errors.New("gone"))
			return s.post("GetId", nil, `{"IdentityPoolId":"`+s.Dev.PoolID+`"}`)
		}},
	} {
		got := c.call()
		if got.status != c.status || !slices.Equal(got.header["Cache-Control"], []string{"no-store"}) || got.header.Get("Expires") != "" || got.header.Get("Etag") != "" {
			t.Errorf("%s: got %d %v, want %d and no-store", name, got.status, got.header, c.status)
		}
	}
}

// TestHalfClosed: a client that has ended its sending gets its answer, and nobody can make faults of ours by hanging up.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	body := `{"IdentityPoolId":"` + s.Dev.PoolID + `"}`
	at := s.mark()
	for range 20 {
		conn, err := net.Dial("tcp", s.URL[len("http://"):])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSCognitoIdentityService.GetId\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		_ = conn.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(conn)
		_ = conn.Close()
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
			t.Errorf("got %q, %v, want an answer", got, err)
		}
	}
	for _, r := range s.since(at) {
		if r.Outcome != "ok" {
			t.Errorf("got the event %+v, want ok", r)
		}
	}
}

// TestStaleConfiguration: a node that has not heard from its store for a while hands out nothing and accepts nobody
// (security J2, requirement 49).
func TestStaleConfiguration(t *testing.T) {
	t.Parallel()
	c := newClock()
	var fails *storetest.Faulty
	s := Start(t, Options{Clock: c.Now, WrapStore: func(inner *store.Store) *store.Store {
		fails = storetest.NewFaulty(inner)
		return fails.Store
	}})
	alice := s.MustGetID("alice")
	for range 1000 {
		fails.FailNext(storetest.DocumentsRevision, storetest.Before, errBroken)
	}
	c.millis.Add((6 * time.Second).Milliseconds())
	identities := len(s.MustIdentities(s.Dev.PoolID))
	for name, call := range map[string]func() *answer{
		"guest": func() *answer { return s.call("GetId", nil, object{"IdentityPoolId": s.Dev.PoolID}) },
		"login": func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": alice, "Logins": s.logins("alice")})
		},
		"signed": func() *answer { return s.call("ListIdentityPools", s.Admin(), object{"MaxResults": 1}) },
	} {
		if got, want := call(), (refused{"InternalErrorException", "Internal error."}); got.status != 500 || got.refusal() != want {
			t.Errorf("%s: got %d %s, want 500 %+v", name, got.status, got.body, want)
		}
	}
	if got := s.query(s.Admin(), whoAmI); got.status != 500 {
		t.Errorf("STS: got %d %s, want 500", got.status, got.body)
	}
	if n := len(s.MustIdentities(s.Dev.PoolID)); n != identities {
		t.Errorf("got %d identities, want %d", n, identities)
	}
	if strings.Contains(fmt.Sprint(s.query(s.Admin(), whoAmI).body), "canary") {
		t.Error("the cause is in the answer")
	}
}

// TestUnknownIsUnknown: to who does not sign, ids that never were, that were deleted and that are another pool's are one
// (security F4, requirement 25).
func TestUnknownIsUnknown(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	poolID, other := s.mustPool(object{"AllowUnauthenticatedIdentities": true}), s.mustPool(object{"IdentityPoolTags": object{"canary": "canary"}, "IdentityPoolName": "canary"})
	deleted := s.mustIdentity("GetId", object{"IdentityPoolId": poolID})
	s.MustCall("DeleteIdentities", s.Admin(), object{"IdentityIdsToDelete": []string{deleted}}, nil)
	orphan := s.mustIdentity("GetId", object{"IdentityPoolId": poolID})
	s.MustCall("DeleteIdentityPool", s.Admin(), object{"IdentityPoolId": poolID}, nil)
	alice := s.MustGetID("alice")
	var bodies []string
	for _, id := range []string{unknownID, deleted, orphan, other} {
		for _, logins := range []any{nil, s.logins("alice"), object{"x": "y"}} {
			got := s.call("GetCredentialsForIdentity", nil, object{"IdentityId": id, "Logins": logins})
			bodies = append(bodies, strings.ReplaceAll(got.body, id, "ID"))
		}
	}
	if all := slices.Compact(bodies); len(all) != 1 || all[0] != `{"__type":"ResourceNotFoundException","message":"Identity 'ID' not found."}` {
		t.Errorf("got %v, want one answer", all)
	}
	bodies = nil
	for _, id := range []string{unknownID, poolID, alice, orphan} {
		bodies = append(bodies, strings.ReplaceAll(s.call("GetId", nil, object{"IdentityPoolId": id}).body, id, "ID"))
	}
	if all := slices.Compact(bodies); len(all) != 1 || all[0] != `{"__type":"ResourceNotFoundException","message":"IdentityPool 'ID' not found."}` {
		t.Errorf("got %v, want one answer", all)
	}
	// A pool that is there says nothing of itself either.
	got := s.call("GetId", nil, object{"IdentityPoolId": other, "Logins": object{"x": "y"}})
	if strings.Contains(got.body, "canary") {
		t.Errorf("got %s, want nothing of the pool", got.body)
	}
	form := url.Values{"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleSessionName": {"app1"}}
	var open struct{ Token string }
	s.MustCall("GetOpenIdToken", nil, object{"IdentityId": alice, "Logins": s.logins("alice")}, &open)
	form.Set("WebIdentityToken", open.Token)
	bodies = nil
	for _, role := range []string{s.Dev.GuestRoleARN, s.Dev.GuestRoleARN + "x", "arn:aws:iam::999999999999:role/x"} {
		form.Set("RoleArn", role)
		a := s.query(nil, form.Encode())
		bodies = append(bodies, strings.ReplaceAll(a.body, a.header.Get("X-Amzn-Requestid"), "ID"))
	}
	if all := slices.Compact(bodies); len(all) != 1 || !strings.Contains(all[0], "<Code>AccessDenied</Code>") {
		t.Errorf("got %v, want one answer for a role that does not trust and for none", all)
	}
}
