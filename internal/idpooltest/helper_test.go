package idpooltest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/cognito"
	"idpool/internal/event"
	"idpool/internal/iam"
	"idpool/internal/identity"
	"idpool/internal/operate"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/sts"
)

// noon is the present of a clock that stands.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// clock stands until it is moved.
type clock struct{ millis atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.millis.Store(noon.UnixMilli())
	return c
}

func (c *clock) Now() time.Time { return time.UnixMilli(c.millis.Load()).UTC() }

// mustAdvance moves the clock and has the server look at its store again, as it does every second.
func (s *Server) mustAdvance(c *clock, d time.Duration) {
	s.t.Helper()
	c.millis.Add(d.Milliseconds())
	if err := s.Source.Refresh(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// answer is what came back, as it is.
type answer struct {
	status int
	header http.Header
	body   string
}

// refused is the code and the sentence of an error answer; both are empty for a success.
type refused struct{ code, sentence string }

func (a *answer) refusal() refused {
	var out refused
	if a.status == http.StatusOK {
		return out
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/xml") {
		var e struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		_ = xml.Unmarshal([]byte(a.body), &e) // what is no error has no code
		return refused{e.Code, e.Message}
	}
	var e struct {
		Code    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal([]byte(a.body), &e)
	return refused{e.Code, e.Message}
}

// send sends a request as it is.
func (s *Server) send(method, target string, header http.Header, body string) *answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = header
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return &answer{resp.StatusCode, resp.Header, string(text)}
}

// jsonHeader is what a client of Cognito Identity sends.
func jsonHeader(operation string) http.Header {
	return http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"AWSCognitoIdentityService." + operation},
	}
}

// formHeader is what a client of STS sends.
func formHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
}

// sign signs a POST to the server.
func (s *Server) sign(signer *sigv4.Credentials, service string, header http.Header, body string) {
	s.t.Helper()
	r := &sigv4.Request{
		Method: http.MethodPost, Path: "/", Host: s.URL[len("http://"):], Header: header,
		ContentLength: int64(len(body)), Body: []byte(body),
	}
	if err := sigv4.Sign(r, *signer, Region, service, s.Clock()); err != nil {
		s.t.Fatal(err)
	}
}

// post sends a body to an operation of Cognito Identity; unsigned where signer is nil. More headers, which are signed
// too, come as pairs of name and value.
func (s *Server) post(operation string, signer *sigv4.Credentials, body string, more ...string) *answer {
	s.t.Helper()
	header := jsonHeader(operation)
	for i := 0; i < len(more); i += 2 {
		header.Add(more[i], more[i+1])
	}
	if signer != nil {
		s.sign(signer, "cognito-identity", header, body)
	}
	return s.send(http.MethodPost, "/", header, body)
}

// call is post with a body made of in.
func (s *Server) call(operation string, signer *sigv4.Credentials, in any) *answer {
	s.t.Helper()
	return s.post(operation, signer, mustJSON(s.t, in))
}

// query sends a form to STS; unsigned where signer is nil.
func (s *Server) query(signer *sigv4.Credentials, form string) *answer {
	s.t.Helper()
	header := formHeader()
	if signer != nil {
		s.sign(signer, "sts", header, form)
	}
	return s.send(http.MethodPost, "/", header, form)
}

const whoAmI = "Action=GetCallerIdentity&Version=2011-06-15"

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// object is the input of an operation.
type object = map[string]any

// state is everything that calls can leave behind.
type state struct {
	Revision   int64
	Identities map[string][]identity.Identity
}

func (s *Server) mustState() state {
	s.t.Helper()
	out := state{Identities: map[string][]identity.Identity{}}
	var err error
	if out.Revision, err = s.Store.Documents.Revision(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	for _, id := range s.mustSnapshot().PoolIDs("", 1000) {
		out.Identities[id] = s.MustIdentities(id)
	}
	return out
}

// refuses makes a call that must be refused in these words, and checks that nothing came of it: no document, no identity,
// no login, no credentials, and one event that says so, which it returns.
func (s *Server) refuses(t testing.TB, name string, status int, want refused, call func() *answer) *event.Record {
	t.Helper()
	before, at := s.mustState(), s.mark()
	got := call()
	if got.status != status || got.refusal() != want {
		t.Errorf("%s: got %d %+v, want %d %+v", name, got.status, got.refusal(), status, want)
	}
	if d := cmp.Diff(s.mustState(), before); d != "" {
		t.Errorf("%s: the refused call left something (-got +want):\n%s", name, d)
	}
	records := s.since(at)
	if len(records) != 1 {
		t.Errorf("%s: got %d events, want one", name, len(records))
		return &event.Record{}
	}
	if r := records[0]; r.Outcome == "ok" || r.Minted != "" || r.RequestID != got.header.Get("X-Amzn-Requestid") {
		t.Errorf("%s: got the event %+v, want one of this refusal, with nothing minted", name, r)
	}
	return records[0]
}

func (s *Server) mustSnapshot() *snapshot.Snapshot {
	s.t.Helper()
	current, err := s.Source.Current()
	if err != nil {
		s.t.Fatal(err)
	}
	return current
}

// mustWrite stores documents.
func (s *Server) mustWrite(changes ...store.Write) {
	s.t.Helper()
	if err := s.Source.Write(context.Background(), changes...); err != nil {
		s.t.Fatal(err)
	}
}

// mustUser makes a user with policies, or none, and returns his key.
func (s *Server) mustUser(name string, policies ...string) *sigv4.Credentials {
	s.t.Helper()
	c, err := s.Setup.Administrator(context.Background(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Source.Refresh(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.mustChangeUser(name, func(u *account.User) { u.Inline = inline(policies) })
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey}
}

func (s *Server) mustChangeUser(name string, change func(*account.User)) {
	s.t.Helper()
	user := s.mustSnapshot().UserNamed(name)
	changed := user.User
	change(&changed)
	if err := changed.Validate(); err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(snapshot.PutUser(&changed, user.Version))
}

func inline(policies []string) map[string]string {
	out := map[string]string{}
	for i, text := range policies {
		out[fmt.Sprintf("p%d", i)] = text
	}
	return out
}

// mustRole makes a role with a trust policy and policies, and returns its ARN.
func (s *Server) mustRole(name, trust string, policies ...string) string {
	s.t.Helper()
	var random [11]byte
	_, _ = rand.Read(random[:])
	r := &account.Role{
		Name: name, Path: "/", ID: arn.UniqueID(arn.PrefixRole, random), Created: s.Clock(),
		Trust: trust, MaxSession: 3600, Inline: inline(policies),
	}
	if err := r.Validate(); err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(snapshot.PutRole(r, 0))
	return r.ARN(Account)
}

func (s *Server) mustChangeRole(name string, change func(*account.Role)) {
	s.t.Helper()
	role := s.mustSnapshot().RoleNamed(name)
	changed := role.Role
	change(&changed)
	if err := changed.Validate(); err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(snapshot.PutRole(&changed, role.Version))
}

// trust is a trust policy for identities of a pool; kind is authenticated or unauthenticated.
func trust(poolID, kind string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},`+
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":%q},`+
		`"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":%q}}}]}`, poolID, kind)
}

// allow and deny are policies of one statement; condition is JSON, or empty.
func allow(action, resource, condition string) string {
	return statement("Allow", action, resource, condition)
}

func deny(action, resource string) string { return statement("Deny", action, resource, "") }

func statement(effect, action, resource, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q%s}]}`, effect, action, resource, condition)
}

// mustPool makes a pool and returns its id.
func (s *Server) mustPool(in object) string {
	s.t.Helper()
	body := object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
	maps.Copy(body, in)
	var out struct{ IdentityPoolId string }
	s.MustCall("CreateIdentityPool", s.Admin(), body, &out)
	return out.IdentityPoolId
}

func (s *Server) mustChangePool(id string, change func(*pool.Pool)) {
	s.t.Helper()
	old := s.mustSnapshot().Pool(id)
	changed := old.Pool
	change(&changed)
	s.mustWrite(snapshot.PutPool(&changed, old.Version))
}

func poolARN(id string) string { return arn.Pool(Region, Account, id) }

// mustProvider trusts an issuer for client ids in a pool, and returns the provider's ARN.
func (s *Server) mustProvider(poolID, issuer string, clients ...string) string {
	s.t.Helper()
	p := &account.OIDCProvider{Issuer: issuer, ClientIDs: clients, Created: s.Clock()}
	if err := p.Validate(true); err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(snapshot.PutOIDCProvider(p, Account, 0))
	s.mustChangePool(poolID, func(p *pool.Pool) {
		p.OIDCProviders = append(append([]string{}, p.OIDCProviders...), arn.OIDCProvider(Account, issuer))
	})
	return arn.OIDCProvider(Account, issuer)
}

// services are the tables of the server's operations: Cognito Identity, STS, IAM, and idpool's own.
func services() []operation.Service {
	return []operation.Service{(&cognito.Service{}).Table(), (&sts.Service{}).Table(), (&iam.Service{}).Table(), (&operate.Service{}).Table()}
}

// forge is an issuer whose tokens say whatever a test wants.
type forge struct {
	url, key string
	kid      string
	secret   *ecdsa.PrivateKey
	now      func() time.Time
	asked    atomic.Int64 // requests for its documents
}

func startForge(t testing.TB, kid string, now func() time.Time) *forge {
	t.Helper()
	f := &forge{kid: kid, now: now}
	var err error
	if f.secret, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(f)
	t.Cleanup(web.Close)
	f.url, f.key = web.URL, web.Listener.Addr().String()
	return f
}

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, f.url, f.url+"/keys")
	case "/keys":
		point, err := f.secret.PublicKey.Bytes()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":%q,"x":%q,"y":%q}]}`, f.kid, b64(point[1:33]), b64(point[33:]))
	default:
		http.NotFound(w, r)
	}
}

func b64[T string | []byte](b T) string { return base64.RawURLEncoding.EncodeToString([]byte(b)) }

// header is that of an ordinary token.
func (f *forge) header() string { return fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"JWT"}`, f.kid) }

// claims are those of an ordinary token for the pool's client id, with changes: nil takes one away.
func (f *forge) claims(sub string, changes object) string {
	now := f.now().Unix()
	all := object{"iss": f.url, "sub": sub, "aud": setup.DevAudience, "iat": now, "exp": now + 3600}
	for name, v := range changes {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // a test's own values
	}
	return string(text)
}

// sign signs a header and a payload as they are.
func (f *forge) sign(header, payload string) string {
	text := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, f.secret, sum[:])
	if err != nil {
		panic(err) // the key is good
	}
	return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// token is an ordinary token, with changes to its claims.
func (f *forge) token(sub string, changes object) string {
	return f.sign(f.header(), f.claims(sub, changes))
}
