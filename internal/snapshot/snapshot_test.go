package snapshot_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/fault"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/policy"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/store/sqlstore"
	"idpool/internal/store/storetest"
)

const owner = "111122223333"

// world is a source over a real store that can be made to fail, with a clock that stands.
type world struct {
	t      *testing.T
	faulty *storetest.Faulty
	source *snapshot.Source
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := filekeys.Create(key); err != nil {
		t.Fatal(err)
	}
	holder, err := filekeys.Open(key, "https://idpool.test")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(dir, "db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	w := &world{t: t, faulty: storetest.NewFaulty(opened), now: time.Unix(1_800_000_000, 0)}
	s := &setup.Setup{Documents: opened.Documents, Holder: holder, Account: owner, Random: rand.Reader, Now: w.clock}
	if err := s.Rings(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.source = &snapshot.Source{
		Documents: w.faulty.Store.Documents, Now: w.clock,
		Compiler: &snapshot.Compiler{Account: owner, Region: "us-east-1", Holder: holder},
	}
	w.mustRefresh()
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) mustRefresh() {
	w.t.Helper()
	if err := w.source.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mustWrite(changes ...store.Write) {
	w.t.Helper()
	if err := w.source.Write(w.t.Context(), changes...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mustCurrent() *snapshot.Snapshot {
	w.t.Helper()
	s, err := w.source.Current()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// A node whose store has not answered for more than MaxAge gives no snapshot, and gives one again once it answers.
func TestStaleness(t *testing.T) {
	w := newWorld(t)
	down := errors.New("down")
	w.now = w.now.Add(snapshot.MaxAge)
	w.mustCurrent()
	w.now = w.now.Add(time.Millisecond)
	if s, err := w.source.Current(); s != nil || !fault.Is(err, fault.Internal) {
		t.Errorf("after MaxAge: got %v, %v", s, err)
	}
	w.faulty.FailNext(storetest.DocumentsRevision, storetest.Before, down)
	if err := w.source.Refresh(t.Context()); !errors.Is(err, down) {
		t.Errorf("Refresh while the store is down: %v", err)
	}
	if _, err := w.source.Current(); err == nil {
		t.Error("a refresh that failed makes the snapshot fresh")
	}
	w.mustRefresh()
	w.mustCurrent()
	if _, err := (&snapshot.Source{Now: w.clock}).Current(); !fault.Is(err, fault.Internal) {
		t.Errorf("a source that never read: %v", err)
	}
}

// A request that holds a snapshot sees nothing of later changes; the next one sees all of them.
func TestSnapshotsDoNotChange(t *testing.T) {
	w := newWorld(t)
	p := &pool.Pool{ID: "us-east-1:1", Name: "one"}
	w.mustWrite(snapshot.PutPool(p, 0))
	before := w.mustCurrent()
	p.Name = "two"
	w.mustWrite(snapshot.PutPool(p, 1))
	if got := before.Pool(p.ID).Name; got != "one" {
		t.Errorf("the older snapshot has become %q", got)
	}
	now := w.mustCurrent()
	if now.Pool(p.ID).Name != "two" || now.Pool(p.ID).Version != 2 || now.Revision <= before.Revision {
		t.Errorf("the newer one: %q, version %d", now.Pool(p.ID).Name, now.Pool(p.ID).Version)
	}
	if err := w.source.Write(t.Context(), snapshot.PutPool(p, 1)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a write on an old version: %v", err)
	}
	w.mustWrite(snapshot.DeletePool(p.ID, 2)...)
	if now = w.mustCurrent(); now.Pool(p.ID) != nil || len(now.Purges()) != 1 {
		t.Errorf("after its deletion: %v, purges %v", now.Pool(p.ID), now.Purges())
	}
}

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
const allowNone = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

func role(name string, attached ...string) *account.Role {
	return &account.Role{
		Name: name, Path: "/", ID: "AROA" + name, MaxSession: 3600, Attached: attached,
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"sts:AssumeRole"}]}`,
	}
}

func managed(text string) *account.ManagedPolicy {
	return &account.ManagedPolicy{Name: "P", Path: "/", ID: "ANPA1", Default: "v1", Versions: map[string]string{"v1": text}}
}

func allowed(r *snapshot.Role) bool {
	return r.Policies.Decide(&policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: new(policy.Context)}).Allowed
}

// What a managed policy is attached to follows it, whichever of the two is written first.
func TestManagedPoliciesTakeEffect(t *testing.T) {
	w := newWorld(t)
	arn := managed("").ARN(owner)
	r := role("R", arn)
	w.mustWrite(snapshot.PutRole(r, 0))
	steps := []struct {
		write store.Write
		want  bool
	}{
		{snapshot.PutPolicy(managed(allowAll), 0), true},
		{snapshot.PutPolicy(managed(allowNone), 1), false},
		{snapshot.PutPolicy(managed(allowAll), 2), true},
		{store.Write{Kind: snapshot.KindPolicy, ID: "p", Expect: 3}, false},
	}
	if allowed(w.mustCurrent().Role(r.ARN(owner))) {
		t.Error("a policy that does not exist allows")
	}
	for i, step := range steps {
		w.mustWrite(step.write)
		if got := allowed(w.mustCurrent().Role(r.ARN(owner))); got != step.want {
			t.Errorf("step %d: allowed %v, want %v", i, got, step.want)
		}
	}
}

// An attached policy that cannot be compiled takes everything with it: what it would have denied is unknown.
func TestBrokenManagedPolicyDeniesAll(t *testing.T) {
	w := newWorld(t)
	r := role("R", managed("").ARN(owner))
	r.Inline = map[string]string{"all": allowAll}
	w.mustWrite(snapshot.PutRole(r, 0), snapshot.PutPolicy(managed(allowNone), 0))
	w.mustWrite(snapshot.PutPolicy(managed(`{"Version":"2030-01-01"}`), 1))
	if s := w.mustCurrent(); allowed(s.Role(r.ARN(owner))) || len(s.Broken) != 2 {
		t.Errorf("broken %v", s.Broken)
	}
	w.mustWrite(snapshot.PutPolicy(managed(allowAll), 2))
	if s := w.mustCurrent(); !allowed(s.Role(r.ARN(owner))) || len(s.Broken) != 0 {
		t.Errorf("after it was mended: broken %v", s.Broken)
	}
}

// A boundary that is gone is no open fence, and one that comes back is a fence again.
func TestMissingBoundaryDeniesAll(t *testing.T) {
	w := newWorld(t)
	r := role("R")
	r.Inline, r.Boundary = map[string]string{"all": allowAll}, managed("").ARN(owner)
	w.mustWrite(snapshot.PutRole(r, 0))
	if s := w.mustCurrent(); allowed(s.Role(r.ARN(owner))) || len(s.Broken) != 1 {
		t.Errorf("without its boundary: broken %v", s.Broken)
	}
	w.mustWrite(snapshot.PutPolicy(managed(allowAll), 0))
	if s := w.mustCurrent(); !allowed(s.Role(r.ARN(owner))) || len(s.Broken) != 0 {
		t.Errorf("with its boundary: broken %v", s.Broken)
	}
	w.mustWrite(store.Write{Kind: snapshot.KindPolicy, ID: "p", Expect: 1})
	if s := w.mustCurrent(); allowed(s.Role(r.ARN(owner))) {
		t.Error("its boundary was deleted, and it is allowed")
	}
}

// A document that cannot be compiled is as good as absent, and takes nothing else with it.
func TestBrokenDocuments(t *testing.T) {
	w := newWorld(t)
	var reported []string
	w.source.Report = func(err error) { reported = append(reported, err.Error()) }
	good, bad := role("Good"), role("Bad")
	bad.Trust = "{"
	w.mustWrite(snapshot.PutRole(good, 0), snapshot.PutRole(bad, 0), store.Write{Kind: snapshot.KindPool, ID: "us-east-1:1", Body: []byte("null and void")})
	s := w.mustCurrent()
	if s.Role(good.ARN(owner)) == nil || s.Role(bad.ARN(owner)) != nil || s.Pool("us-east-1:1") != nil || len(s.Broken) != 2 {
		t.Errorf("broken %v", s.Broken)
	}
	if len(reported) != 2 {
		t.Errorf("reported %q", reported)
	}
	w.mustWrite(snapshot.PutRole(role("Bad"), 1))
	if s := w.mustCurrent(); s.Role(bad.ARN(owner)) == nil || len(s.Broken) != 1 {
		t.Errorf("after it was mended: broken %v", s.Broken)
	}
}

// A pool takes logins of providers that exist, under their newest configuration.
func TestProvidersOfAPool(t *testing.T) {
	w := newWorld(t)
	o := &account.OIDCProvider{Issuer: "https://login.example.com/a", ClientIDs: []string{"one"}}
	p := &pool.Pool{ID: "us-east-1:1", OIDCProviders: []string{o.ARN(owner)}}
	w.mustWrite(snapshot.PutPool(p, 0))
	if got := w.mustCurrent().Pool(p.ID).Providers; len(got) != 0 {
		t.Errorf("before the provider exists: %v", got)
	}
	w.mustWrite(snapshot.PutOIDCProvider(o, owner, 0))
	first := w.mustCurrent().Pool(p.ID).Providers["login.example.com/a"]
	if first == nil || first.Issuer != o.Issuer || strings.Join(first.Audiences, " ") != "one" {
		t.Fatalf("got %+v", first)
	}
	o.ClientIDs = []string{"two"}
	w.mustWrite(snapshot.PutOIDCProvider(o, owner, 1))
	second := w.mustCurrent().Pool(p.ID).Providers["login.example.com/a"]
	if second == nil || second.Audiences[0] != "two" || second.Config == first.Config {
		t.Errorf("after its change: %+v; a configuration of its own: %v", second, second.Config != first.Config)
	}
	w.mustWrite(store.Write{Kind: snapshot.KindOIDCProvider, ID: o.ARN(owner), Expect: 2})
	if got := w.mustCurrent().Pool(p.ID).Providers; len(got) != 0 {
		t.Errorf("after its deletion: %v", got)
	}
}

// Two sources over one store: what one writes the other sees at its next look.
func TestOtherNodesFollow(t *testing.T) {
	w := newWorld(t)
	other := &snapshot.Source{Documents: w.faulty.Store.Documents, Now: w.clock, Compiler: w.source.Compiler}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mustWrite(snapshot.PutPool(&pool.Pool{ID: "us-east-1:1", Name: "one"}, 0))
	tick, done := make(chan time.Time), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		other.Run(ctx, tick)
	}()
	tick <- w.now
	tick <- w.now // taken only once the first look is over
	cancel()
	<-done
	s, err := other.Current()
	if err != nil || s.Pool("us-east-1:1") == nil {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestPoolIDs(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"us-east-1:c", "us-east-1:a", "us-east-1:b"} {
		w.mustWrite(snapshot.PutPool(&pool.Pool{ID: id}, 0))
	}
	s := w.mustCurrent()
	for _, tc := range []struct {
		after string
		n     int
		want  string
	}{
		{"", 10, "us-east-1:a us-east-1:b us-east-1:c"},
		{"", 2, "us-east-1:a us-east-1:b"},
		{"us-east-1:a", 2, "us-east-1:b us-east-1:c"},
		{"us-east-1:aa", 1, "us-east-1:b"},
		{"us-east-1:c", 2, ""},
	} {
		if got := strings.Join(s.PoolIDs(tc.after, tc.n), " "); got != tc.want {
			t.Errorf("PoolIDs(%q, %d) = %s, want %s", tc.after, tc.n, got, tc.want)
		}
	}
}

// hanging is a store of documents whose first look never answers, as a connection that was silently dropped.
type hanging struct {
	store.Documents
	once sync.Once
	hung chan struct{} // closed once it hangs
}

func (h *hanging) Revision(ctx context.Context) (int64, error) {
	first := false
	h.once.Do(func() { first = true })
	if first {
		close(h.hung)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return h.Documents.Revision(ctx)
}

// A store that hangs once costs the node one look, and no write waits longer than its own time.
func TestAHangingStoreIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	store := &hanging{Documents: w.source.Documents, hung: make(chan struct{})}
	w.source.Documents = store
	reported := make(chan error, 1)
	w.source.Report = func(err error) { reported <- err }
	tick := make(chan time.Time)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.source.Run(ctx, tick)
	}()
	tick <- w.now
	<-store.hung
	short, end := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer end()
	if err := w.source.Refresh(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a refresh that waits for the one that hangs: %v", err)
	}
	if err := <-reported; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reported %v", err)
	}
	w.mustRefresh()
	cancel()
	<-done
}
