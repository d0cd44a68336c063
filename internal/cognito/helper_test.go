package cognito_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/client"
	"idpool/internal/cognito"
	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/identity"
	"idpool/internal/idpooltest"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
	"idpool/internal/testidp"
)

const (
	region    = idpooltest.Region
	accountID = idpooltest.Account
	// developer is the developer provider of the pools of these tests.
	developer = "login.corp.app"
	// own is the key of our own tokens in a Logins map.
	own       = "cognito-identity.amazonaws.com"
	unknownID = "us-east-1:00000000-0000-4000-8000-000000000000"
)

// The codes, as short as they are in the specification.
const (
	invalid  = "InvalidParameterException"
	refused  = "NotAuthorizedException"
	missing  = "ResourceNotFoundException"
	conflict = "ResourceConflictException"
	tooMany  = "TooManyRequestsException"
	badPool  = "InvalidIdentityPoolConfigurationException"
	external = "ExternalServiceException"
	taken    = "DeveloperUserAlreadyRegisteredException"
	outrun   = "ConcurrentModificationException"
	internal = "InternalErrorException"
	denied   = "AccessDeniedException"
	badValue = "ValidationException"
	unread   = "SerializationException"
)

// The sentences that come up in several files.
const (
	loginsDontMatch = "Logins don't match. Please include at least one valid login for this identity or identity pool."
	noGuests        = "Unauthenticated access is not supported for this identity pool."
	notOpenID       = "Invalid login token. Not a valid OpenId Connect identity token."
	notCognito      = "Invalid login token. Not a Cognito token."
	cognitoToken    = "Invalid login token. Can't pass in a Cognito token."
	publicProvider  = "Please provide a valid public provider."
	badRoles        = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
	linkedElsewhere = "Login is already linked to another identity."
	registered      = "The developer user identifier is already registered with another identity."
	unknownUser     = "Developer user identifier not found."
	notLinked       = "The login is not linked to this identity."
	unsupported     = "This identity pool does not support the specified developer provider"
	badPage         = "Invalid NextToken."
	rateExceeded    = "Rate exceeded"
	silence         = "The identity provider is not responding."
	internalError   = "Internal error."
)

func noPool(id string) string     { return "IdentityPool '" + id + "' not found." }
func noIdentity(id string) string { return "Identity '" + id + "' not found." }
func forbidden(id string) string  { return "Access to Identity '" + id + "' is forbidden." }
func noRole(role string) string   { return "Access to Role '" + role + "' is forbidden." }
func poolARN(id string) string    { return arn.Pool(region, accountID, id) }
func roleARN(name string) string  { return arn.Role(accountID, "/", name) }

type object = map[string]any

// noon is the present of every clock at first.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// clock stands until it is moved.
type clock struct{ millis atomic.Int64 }

func (c *clock) Now() time.Time { return time.UnixMilli(c.millis.Load()).UTC() }

// journal keeps the records of requests, and their text.
type journal struct {
	mu      sync.Mutex
	records []*event.Record
	text    strings.Builder
}

func (j *journal) Write(r *event.Record, _ bool) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	j.text.Write(text)
	return nil
}

func (j *journal) since(n int) []*event.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.records[n:])
}

func (j *journal) len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.records)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// hooks let a test step in between a request and its store.
type hooks struct {
	mu     sync.Mutex
	before map[storetest.Op]func() error
}

// on runs a function before every call of an operation, which fails with its error; nil ends that.
func (h *hooks) on(op storetest.Op, fn func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before[op] = fn
}

// once runs a function before the next call of an operation.
func (h *hooks) once(op storetest.Op, fn func()) {
	h.on(op, func() error {
		h.on(op, nil)
		fn()
		return nil
	})
}

func (h *hooks) run(op storetest.Op) error {
	h.mu.Lock()
	fn := h.before[op]
	h.mu.Unlock()
	if fn == nil {
		return nil
	}
	return fn()
}

type hookedDocuments struct {
	store.Documents
	hooks *hooks
}

func (d *hookedDocuments) Revision(ctx context.Context) (int64, error) {
	if err := d.hooks.run(storetest.DocumentsRevision); err != nil {
		return 0, err
	}
	return d.Documents.Revision(ctx)
}

func (d *hookedDocuments) Write(ctx context.Context, changes ...store.Write) (int64, error) {
	if err := d.hooks.run(storetest.DocumentsWrite); err != nil {
		return 0, err
	}
	return d.Documents.Write(ctx, changes...)
}

type hookedIdentities struct {
	store.Identities
	hooks *hooks
}

func (i *hookedIdentities) Get(ctx context.Context, id string) (identity.Identity, error) {
	if err := i.hooks.run(storetest.IdentitiesGet); err != nil {
		return identity.Identity{}, err
	}
	return i.Identities.Get(ctx, id)
}

func (i *hookedIdentities) Apply(ctx context.Context, change identity.Change) error {
	if err := i.hooks.run(storetest.IdentitiesApply); err != nil {
		return err
	}
	return i.Identities.Apply(ctx, change)
}

func (i *hookedIdentities) Purge(ctx context.Context, poolID string, n int) (int, error) {
	if err := i.hooks.run(storetest.IdentitiesPurge); err != nil {
		return 0, err
	}
	return i.Identities.Purge(ctx, poolID, n)
}

// issuers are OpenID Connect providers on one address, each below a path of its own. All call their key "1".
type issuers struct {
	url  string
	keys []*ecdsa.PrivateKey
	now  func() time.Time
}

func startIssuers(t testing.TB, n int, now func() time.Time) *issuers {
	t.Helper()
	all := &issuers{now: now}
	for range n {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all.keys = append(all.keys, key)
	}
	web := httptest.NewServer(all)
	t.Cleanup(web.Close)
	all.url = web.URL
	return all
}

// name is the issuer's `iss`, key its key in a Logins map, arn that of its provider.
func (i *issuers) name(n int) string { return fmt.Sprintf("%s/%d", i.url, n) }
func (i *issuers) key(n int) string  { return arn.WithoutScheme(i.name(n)) }
func (i *issuers) arn(n int) string  { return arn.OIDCProvider(accountID, i.name(n)) }

func (i *issuers) arns(n int) []string {
	var out []string
	for k := range n {
		out = append(out, i.arn(k))
	}
	return out
}

func (i *issuers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n int
	var page string
	if _, err := fmt.Sscanf(r.URL.Path, "/%d/%s", &n, &page); err != nil || n < 0 || n >= len(i.keys) || n == brokenIssuer {
		http.NotFound(w, r)
		return
	}
	var answer any = map[string]string{"issuer": i.name(n), "jwks_uri": i.name(n) + "/keys"}
	if page == "keys" {
		answer = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.keys[n].PublicKey, KeyID: "1", Use: "sig", Algorithm: "ES256"}}}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// token is a token of issuer n for the pools' client id, with changes to its claims; nil takes one away.
func (i *issuers) token(n int, sub string, changes object) string {
	now := i.now().Unix()
	claims := object{"iss": i.name(n), "sub": sub, "aud": setup.DevAudience, "iat": now, "exp": now + 3600}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.keys[n], KeyID: "1"}}, nil)
	if err != nil {
		panic(err) // the key is good
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a test's own values
	}
	signed, err := signer.Sign(text)
	if err != nil {
		panic(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return out
}

// login is a Logins map with a token of issuer n; logins has one of each of the first issuers.
func (i *issuers) login(n int, sub string) map[string]string { return i.logins(map[int]string{n: sub}) }

func (i *issuers) logins(subs map[int]string) map[string]string {
	out := map[string]string{}
	for n, sub := range subs {
		out[i.key(n)] = i.token(n, sub, nil)
	}
	return out
}

// silent is a provider that nobody can reach: its port is reserved and never given out. It stands in for the one that a
// test server has besides, whose RSA key these tests do not need.
var silent = sync.OnceValue(func() *idpooltest.IdP {
	const address = "127.0.0.1:1"
	p, err := testidp.New(testidp.Config{Issuer: "http://" + address})
	if err != nil {
		panic(err)
	}
	return &idpooltest.IdP{Provider: p, Key: address}
})

// options of a world; the zero value is one server on SQLite.
type options struct {
	store     string
	dir       string
	configure func(*config.Config)
}

// world is a server with a pool that takes logins of three issuers, developers' users, and guests.
type world struct {
	*idpooltest.Server
	t       testing.TB
	clock   *clock
	journal *journal
	hooks   *hooks
	faulty  *storetest.Faulty
	idp     *issuers
	// pool is the pool of these tests, admin who may do everything.
	pool  string
	admin *sigv4.Credentials
	opts  options
}

// poolIssuers is how many issuers a pool of these tests takes; ten exist, and one that has no documents.
const (
	poolIssuers  = 3
	brokenIssuer = 10
)

func newWorld(t testing.TB, o options) *world {
	t.Helper()
	c := &clock{}
	c.millis.Store(noon.UnixMilli())
	w := &world{clock: c, idp: startIssuers(t, brokenIssuer+1, c.Now), opts: o}
	w.start(t)
	var changes []store.Write
	for n := range w.idp.keys {
		p := &account.OIDCProvider{Issuer: w.idp.name(n), ClientIDs: []string{setup.DevAudience}, Created: c.Now()}
		if err := p.Validate(true); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, snapshot.PutOIDCProvider(p, accountID, 0))
	}
	w.write(changes...)
	w.changePool(w.pool, func(p *pool.Pool) { p.OIDCProviders, p.DeveloperProvider = w.idp.arns(poolIssuers), developer })
	return w
}

// start starts the server of a world, or starts it again.
func (w *world) start(t testing.TB) {
	t.Helper()
	w.t, w.journal, w.hooks = t, &journal{}, &hooks{before: map[storetest.Op]func() error{}}
	w.Server = idpooltest.Start(t, idpooltest.Options{
		Dir: w.opts.dir, Store: w.opts.store, Clock: w.clock.Now, IdP: silent(), Events: w.journal,
		Configure: func(c *config.Config) {
			c.Limits.GuestsPerSecond, c.Limits.GuestsPerPool, c.Limits.GuestsInAll = 0, 0, 0 // the clock stands
			c.Limits.Verifications = 256
			if w.opts.configure != nil {
				w.opts.configure(c)
			}
		},
		WrapStore: func(inner *store.Store) *store.Store {
			w.faulty = storetest.NewFaulty(inner)
			out := *w.faulty.Store
			out.Documents, out.Identities = &hookedDocuments{out.Documents, w.hooks}, &hookedIdentities{out.Identities, w.hooks}
			return &out
		},
	})
	w.opts.dir = w.Dir
	w.pool, w.admin = w.Dev.PoolID, w.Admin()
}

// node starts another server on the same database, with the same keys, clock and issuers.
func (w *world) node() *world {
	w.t.Helper()
	other := &world{clock: w.clock, idp: w.idp, opts: w.opts}
	other.start(w.t)
	return other
}

// twoNodes are two servers on one PostgreSQL.
func twoNodes(t *testing.T) (*world, *world) {
	t.Helper()
	one := newWorld(t, options{store: storetest.PostgresURL(t)})
	return one, one.node()
}

// advance moves the clock and has the server look at its store again, as it does every second.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.clock.millis.Add(d.Milliseconds())
	w.refresh()
}

func (w *world) refresh() {
	w.t.Helper()
	if err := w.Source.Refresh(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) snapshot() *snapshot.Snapshot {
	w.t.Helper()
	current, err := w.Source.Current()
	if err != nil {
		w.t.Fatal(err)
	}
	return current
}

func (w *world) write(changes ...store.Write) {
	w.t.Helper()
	if err := w.Source.Write(context.Background(), changes...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) changePool(id string, change func(*pool.Pool)) {
	w.t.Helper()
	w.refresh() // another node may have written
	old := w.snapshot().Pool(id)
	changed := old.Pool
	change(&changed)
	w.write(snapshot.PutPool(&changed, old.Version))
}

// newPool makes a pool by the API and returns its id.
func (w *world) newPool(in object) string {
	w.t.Helper()
	body := object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
	maps.Copy(body, in)
	return w.ok("CreateIdentityPool", body).IdentityPoolId
}

// fullPool makes a pool like that of the world, with roles of its own.
func (w *world) fullPool() string {
	w.t.Helper()
	id := w.newPool(object{
		"AllowUnauthenticatedIdentities": true, "OpenIdConnectProviderARNs": w.idp.arns(poolIssuers), "DeveloperProviderName": developer,
	})
	_, short, _ := strings.Cut(id, ":")
	w.ok("SetIdentityPoolRoles", object{"IdentityPoolId": id, "Roles": object{
		"authenticated":   w.role("auth-"+short, trust(id, "authenticated")),
		"unauthenticated": w.role("guest-"+short, trust(id, "unauthenticated")),
	}})
	return id
}

// role makes a role, or changes it, and returns its ARN.
func (w *world) role(name, trust string, policies ...string) string {
	w.t.Helper()
	var expect int64
	r := account.Role{Name: name, Path: "/", Created: w.clock.Now(), MaxSession: 3600}
	if old := w.snapshot().RoleNamed(name); old != nil {
		r, expect = old.Role, old.Version
	} else {
		var random [11]byte
		_, _ = rand.Read(random[:])
		r.ID = arn.UniqueID(arn.PrefixRole, random)
	}
	r.Trust, r.Inline = trust, inline(policies)
	if err := r.Validate(); err != nil {
		w.t.Fatal(err)
	}
	w.write(snapshot.PutRole(&r, expect))
	return r.ARN(accountID)
}

// user makes a user with policies and returns his key.
func (w *world) user(name string, policies ...string) *sigv4.Credentials {
	w.t.Helper()
	c, err := w.Setup.Administrator(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.refresh()
	old := w.snapshot().UserNamed(name)
	changed := old.User
	changed.Inline, changed.Attached = inline(policies), nil
	if err := changed.Validate(); err != nil {
		w.t.Fatal(err)
	}
	w.write(snapshot.PutUser(&changed, old.Version))
	return &sigv4.Credentials{AccessKeyID: c.AccessKeyID, Secret: c.SecretAccessKey}
}

func inline(policies []string) map[string]string {
	out := map[string]string{}
	for i, text := range policies {
		out[fmt.Sprintf("p%d", i)] = text
	}
	return out
}

// trust is a trust policy for the identities of a pool; kind is authenticated or unauthenticated.
func trust(poolID, kind string) string {
	return trustFor("sts:AssumeRoleWithWebIdentity", poolID, kind)
}

// trustTags is one that lets them bring tags.
func trustTags(poolID, kind string) string { return trustFor("sts:*", poolID, kind) }

func trustFor(action, poolID, kind string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},`+
		`"Action":%q,"Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":%q},`+
		`"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":%q}}}]}`, action, poolID, kind)
}

// allow and deny are policies of one statement; condition is JSON, or empty.
func allow(action, resource, condition string) string {
	return statement("Allow", action, resource, condition)
}

func deny(action, resource, condition string) string {
	return statement("Deny", action, resource, condition)
}

func statement(effect, action, resource, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q%s}]}`, effect, action, resource, condition)
}

// reply has the members of all answers.
type reply struct {
	IdentityId, IdentityPoolId, Token, NextToken, DeveloperProviderName, IdentityPoolName string
	Credentials                                                                           struct {
		AccessKeyId, SecretKey, SessionToken string
		Expiration                           float64
	}
	Identities []struct {
		IdentityId                     string
		Logins                         []string
		CreationDate, LastModifiedDate float64
	}
	IdentityPools               []struct{ IdentityPoolId, IdentityPoolName string }
	DeveloperUserIdentifierList []string
	Logins                      []string
	Tags, IdentityPoolTags      map[string]string
	PrincipalTags               map[string]string
	UseDefaults                 *bool
	UnprocessedIdentityIds      []struct{ IdentityId, ErrorCode string }
	Roles                       map[string]string
	RoleMappings                map[string]any
}

// signer signs with the credentials of an answer.
func (r *reply) signer() *sigv4.Credentials {
	return &sigv4.Credentials{AccessKeyID: r.Credentials.AccessKeyId, Secret: r.Credentials.SecretKey, Token: r.Credentials.SessionToken}
}

// public are the operations that take anyone (spec §6).
var public = []string{"GetCredentialsForIdentity", "GetId", "GetOpenIdToken", "UnlinkIdentity"}

// as calls an operation; without a signer, as the administrator where it is to be signed.
func (w *world) as(signer *sigv4.Credentials, op string, in any) (reply, error) {
	if signer == nil && !slices.Contains(public, op) {
		signer = w.admin
	}
	var out reply
	err := w.Call(op, signer, in, &out)
	return out, err
}

func (w *world) ok(op string, in any) reply {
	w.t.Helper()
	out, err := w.as(nil, op, in)
	if err != nil {
		w.t.Fatalf("%s %v: %v", op, in, err)
	}
	return out
}

// getID returns the identity of logins in the world's pool; a new guest without any.
func (w *world) getID(logins map[string]string) string {
	w.t.Helper()
	return w.ok("GetId", object{"IdentityPoolId": w.pool, "Logins": logins}).IdentityId
}

// vend returns credentials of an identity.
func (w *world) vend(id string, logins map[string]string) reply {
	w.t.Helper()
	return w.ok("GetCredentialsForIdentity", object{"IdentityId": id, "Logins": logins})
}

// developerToken returns the identity and the token of a developer's user.
func (w *world) developerToken(in object) reply {
	w.t.Helper()
	body := object{"IdentityPoolId": w.pool}
	maps.Copy(body, in)
	return w.ok("GetOpenIdTokenForDeveloperIdentity", body)
}

func user(name string) map[string]string { return map[string]string{developer: name} }

func both(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// whole is everything that calls can leave behind.
type whole struct {
	Revision   int64
	Identities map[string][]identity.Identity
}

func (w *world) state() whole {
	w.t.Helper()
	out := whole{Identities: map[string][]identity.Identity{}}
	var err error
	if out.Revision, err = w.faulty.Store.Documents.Revision(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	if current, err := w.Source.Current(); err == nil {
		for _, id := range current.PoolIDs("", 1000) {
			out.Identities[id] = w.MustIdentities(id)
		}
	}
	return out
}

// ask is a call that must be refused.
type ask struct {
	signer *sigv4.Credentials // nil: nobody, or the administrator
	op     string
	in     any
}

// refuse makes a call that must be refused with this code and sentence, and checks that nothing came of it: no document,
// no identity, no login, no credentials, and one record that says so, which it returns. The sentence may be empty where
// it is another test's.
func (w *world) refuse(t testing.TB, name, code, sentence string, a ask) *event.Record {
	t.Helper()
	before, at := w.state(), w.journal.len()
	out, err := w.as(a.signer, a.op, a.in)
	f, ok := errors.AsType[*client.Fault](err)
	if !ok {
		t.Errorf("%s: %s: got %+v, %v, want %s: %s", name, a.op, out, err, code, sentence)
		return &event.Record{}
	}
	status := http.StatusBadRequest
	if code == internal {
		status = http.StatusInternalServerError
	}
	if sentence == "" {
		sentence = f.Message
	}
	if f.Code != code || f.Message != sentence || f.Status != status {
		t.Errorf("%s: %s: got %d %s: %s, want %d %s: %s", name, a.op, f.Status, f.Code, f.Message, status, code, sentence)
	}
	if !declares(a.op, f.Code) {
		t.Errorf("%s: %s answers %s, which it does not declare", name, a.op, f.Code)
	}
	if d := cmp.Diff(w.state(), before); d != "" {
		t.Errorf("%s: %s: what was refused left something (-got +want):\n%s", name, a.op, d)
	}
	records := w.journal.since(at)
	if len(records) != 1 || records[0].Outcome == "ok" || records[0].Minted != "" || records[0].RequestID != f.RequestID {
		t.Errorf("%s: %s: got the records %+v, want one of the refusal", name, a.op, records)
		return &event.Record{}
	}
	return records[0]
}

// table are the operations.
func table() operation.Service { return (&cognito.Service{}).Table() }

func oidcProvider(issuer string) *account.OIDCProvider {
	return &account.OIDCProvider{Issuer: issuer, ClientIDs: []string{setup.DevAudience}, Created: noon}
}
