package operate_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/operate"
	"idpool/internal/operation"
	"idpool/internal/session"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/store/sqlstore"
	"idpool/internal/store/storetest"
)

// stock makes signing keys beforehand: each takes as long as a hundred steps of these tests.
type stock struct {
	keyring.Holder
	made []keyring.Ring
	used int
}

const stocked = 8

var errSoldOut = errors.New("no more signing keys in this test")

func (s *stock) NewRing(use string, now time.Time) (keyring.Ring, error) {
	if use != keyring.Signing {
		return s.Holder.NewRing(use, now)
	}
	if s.used == len(s.made) {
		return keyring.Ring{}, errSoldOut
	}
	s.used++
	ring := s.made[s.used-1]
	ring.Keys = slices.Clone(ring.Keys)
	ring.Keys[0].Created = now
	return ring, nil
}

func newHolder(t *testing.T) keyring.Holder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := filekeys.Create(path); err != nil {
		t.Fatal(err)
	}
	holder, err := filekeys.Open(path, "https://idpool.test")
	if err != nil {
		t.Fatal(err)
	}
	return holder
}

// memory is a store of documents that lives as long as one run of the machine.
type memory struct {
	revision  int64
	documents map[string]store.Document
}

func (m *memory) Get(_ context.Context, kind store.Kind, id string) (store.Document, error) {
	d, ok := m.documents[string(kind)+" "+id]
	if !ok {
		return d, store.ErrNotFound
	}
	return d, nil
}

func (m *memory) Revision(context.Context) (int64, error) { return m.revision, nil }

func (m *memory) Changed(_ context.Context, since int64) ([]store.Document, int64, error) {
	var out []store.Document
	for _, d := range m.documents {
		if d.Revision > since {
			out = append(out, d)
		}
	}
	return out, m.revision, nil
}

func (m *memory) Write(_ context.Context, changes ...store.Write) (int64, error) {
	for _, c := range changes {
		if m.documents[string(c.Kind)+" "+c.ID].Version != c.Expect {
			return 0, store.ErrConflict
		}
	}
	m.revision++
	for _, c := range changes {
		m.documents[string(c.Kind)+" "+c.ID] = store.Document{Kind: c.Kind, ID: c.ID, Version: c.Expect + 1, Revision: m.revision, Body: c.Body}
	}
	return m.revision, nil
}

// node is a server without its frame: a source and the operations.
type node struct {
	source  *snapshot.Source
	service *operate.Service
}

func newNode(documents store.Documents, holder keyring.Holder, now func() time.Time) *node {
	source := &snapshot.Source{Documents: documents, Now: now, Compiler: &snapshot.Compiler{Account: "111122223333", Region: "us-east-1", Holder: holder}}
	return &node{source, &operate.Service{Config: source, Keys: holder}}
}

func (n *node) call() (*operation.Call, error) {
	current, err := n.source.Current()
	return &operation.Call{Snapshot: current, Now: n.source.Now(), Event: &event.Record{}}, err
}

func (n *node) rotate(use string, now bool) (*operate.Key, error) {
	call, err := n.call()
	if err != nil {
		return nil, err
	}
	out, err := n.service.RotateKeys(context.Background(), call, &operate.RotateKeysInput{Use: &use, Now: &now})
	if err != nil {
		return nil, err
	}
	return out.Key, nil
}

func (n *node) retire(use, id string, force bool) error {
	call, err := n.call()
	if err != nil {
		return err
	}
	_, err = n.service.RetireKey(context.Background(), call, &operate.RetireKeyInput{Use: &use, KeyId: &id, Force: &force})
	return err
}

// made is something that a key made.
type made struct {
	use, text, key string
	expires        time.Time
}

// published is a key set as a relying party got it.
type published struct {
	at   time.Time
	kids []string
}

// life is the machine: two nodes on one store, what their keys made, and which keys somebody forced.
type life struct {
	now       time.Time
	nodes     []*node
	made      []made
	published []published
	// activated are keys that somebody activated before their time, and when; killed are those that were retired so, and by
	// which node.
	activated map[string]time.Time
	killed    map[string]killing
}

type killing struct {
	at time.Time
	by *node
}

func newLife(t *rapid.T, holder keyring.Holder) *life {
	documents := &memory{documents: map[string]store.Document{}}
	l := &life{now: noon, activated: map[string]time.Time{}, killed: map[string]killing{}}
	clock := func() time.Time { return l.now }
	s := &setup.Setup{Documents: documents, Holder: holder, Now: clock}
	if err := s.Rings(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n := newNode(documents, holder, clock)
		l.nodes = append(l.nodes, n)
		l.refresh(t, n)
	}
	for _, ring := range l.ring(t, l.nodes[0], "") {
		l.activated[ring.Keys[0].ID] = l.now // the first keys were published by nobody
	}
	return l
}

func (l *life) refresh(t *rapid.T, n *node) {
	if err := n.source.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// ring returns the ring of a use as a node sees it, or all.
func (l *life) ring(t *rapid.T, n *node, use string) []*snapshot.Ring {
	current, err := n.source.Current()
	if err != nil {
		return nil
	}
	if use == "" {
		return current.Rings()
	}
	return []*snapshot.Ring{current.Ring(use)}
}

func (l *life) node(t *rapid.T) *node { return rapid.SampledFrom(l.nodes).Draw(t, "node") }

func (l *life) use(t *rapid.T) string {
	return rapid.SampledFrom([]string{keyring.Sealing, keyring.Signing}).Draw(t, "use")
}

// make has a node seal or sign something that lives for a while; a node that knows nothing new makes nothing.
func (l *life) make(t *rapid.T) {
	n, use := l.node(t), l.use(t)
	current, err := n.source.Current()
	if err != nil {
		return
	}
	m := made{use: use, key: current.Ring(use).In(keyring.Active).ID}
	longest := issuer.MaxLifetime
	if use == keyring.Sealing {
		m.text, _, err = current.Keys.Seal(session.Purpose, []byte("payload"))
		longest = session.MaxLife
	} else {
		m.text, err = current.Keys.Sign([]byte(`{}`))
		l.relyingParties(t, n, m.key)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.expires = l.now.Add(time.Duration(rapid.Int64Range(1, int64(longest/time.Second)).Draw(t, "life")) * time.Second)
	l.made = append(l.made, m)
}

// relyingParties: whoever got the key set within the hour knows the key that a node signs with, unless it was activated
// before its time, or somebody forced its end: then another node may sign with it until it hears of that.
func (l *life) relyingParties(t *rapid.T, n *node, key string) {
	if dead := l.killed[key]; dead.by != nil {
		if age := l.now.Sub(dead.at); dead.by == n || age > snapshot.MaxAge {
			t.Fatalf("key %s signs, and was retired %v ago", key, age)
		}
		return
	}
	if _, early := l.activated[key]; early {
		return
	}
	for _, p := range l.published {
		if age := l.now.Sub(p.at); age <= time.Hour && !slices.Contains(p.kids, key) {
			t.Fatalf("key %s signs, and the key set of %v ago lacks it", key, age)
		}
	}
}

// publish has a relying party get the key set of a node.
func (l *life) publish(t *rapid.T, n *node) {
	current, err := n.source.Current()
	if err != nil {
		return
	}
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(current.Keys.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	p := published{at: l.now}
	for _, k := range set.Keys {
		p.kids = append(p.kids, k.Kid)
	}
	l.published = slices.DeleteFunc(append(l.published, p), func(p published) bool { return l.now.Sub(p.at) > time.Hour })
}

func (l *life) rotate(t *rapid.T) {
	n, use, now := l.node(t), l.use(t), rapid.IntRange(0, 3).Draw(t, "now") == 0
	key, err := n.rotate(use, now)
	if err != nil && !errors.Is(err, errSoldOut) && !l.fails(n) && !fault.Is(err, fault.LimitExceeded) {
		t.Fatal(err)
	}
	if err == nil && now && *key.State == "active" {
		l.activated[*key.KeyId] = l.now
	}
}

// retire has a node retire any key, which it does only where nobody can miss it, or is told to.
func (l *life) retire(t *rapid.T) {
	n, use, force := l.node(t), l.use(t), rapid.IntRange(0, 3).Draw(t, "force") == 0
	rings := l.ring(t, n, use)
	if rings == nil {
		return
	}
	key := rings[0].Keys[rapid.IntRange(0, len(rings[0].Keys)-1).Draw(t, "key")]
	if err := n.retire(use, key.ID, force); err != nil {
		if !fault.Is(err, fault.InvalidParameter) && !fault.Is(err, fault.ResourceNotFound) {
			t.Fatal(err)
		}
		return
	}
	// The node may not have known yet that the key is not active any more.
	if force && key.State != keyring.Retired && l.killed[key.ID].by == nil {
		l.killed[key.ID] = killing{l.now, n}
	}
}

func (l *life) fails(n *node) bool {
	_, err := n.source.Current()
	return err != nil
}

func (l *life) advance(t *rapid.T) {
	n := l.node(t)
	if _, err := n.service.AdvanceKeys(context.Background()); err != nil && !l.fails(n) {
		t.Fatal(err)
	}
}

// wait lets time pass, in which either node may fail to look at the store.
func (l *life) wait(t *rapid.T) {
	seconds := rapid.OneOf(rapid.Int64Range(1, 10), rapid.Int64Range(11, 4000), rapid.Int64Range(4001, 150_000)).Draw(t, "seconds")
	l.now = l.now.Add(time.Duration(seconds) * time.Second)
	for _, n := range l.nodes {
		if rapid.IntRange(0, 3).Draw(t, "looks") > 0 {
			l.refresh(t, n)
		}
	}
}

// check: on every node that answers, what has not ended opens, and what a killed key made does not.
func (l *life) check(t *rapid.T) {
	for i, n := range l.nodes {
		l.publish(t, n)
		current, err := n.source.Current()
		if err != nil {
			continue
		}
		for _, m := range l.made {
			opens := open(current.Keys, m)
			switch dead, early := l.killed[m.key], l.activated[m.key]; {
			case dead.by == n && opens, dead.by != nil && opens && l.now.Sub(dead.at) > snapshot.MaxAge:
				t.Fatalf("node %d opens what key %s made, which was retired %v ago", i, m.key, l.now.Sub(dead.at))
			case dead.by != nil || !l.now.Before(m.expires):
			case !opens && !early.IsZero() && l.now.Sub(early) <= snapshot.MaxAge: // what is said of --now
			case !opens:
				t.Fatalf("node %d does not open what key %s made for %s, which ends in %v", i, m.key, m.use, m.expires.Sub(l.now))
			}
		}
	}
}

func open(keys keyring.Keys, m made) bool {
	if m.use == keyring.Sealing {
		_, _, err := keys.Open(session.Purpose, m.text)
		return err == nil
	}
	_, err := keys.Verify(m.text)
	return err == nil
}

// TestLifeOfKeys: whatever operators, time and two nodes do, nothing that is alive loses its key, unless somebody forces
// that; then it is refused at once on his node, and on the other within five seconds. Whoever got the key set within the
// hour can verify what is signed (security H4).
func TestLifeOfKeys(t *testing.T) {
	holder := newHolder(t)
	var signing []keyring.Ring
	for range stocked {
		ring, err := holder.NewRing(keyring.Signing, noon)
		if err != nil {
			t.Fatal(err)
		}
		signing = append(signing, ring)
	}
	rapid.Check(t, func(rt *rapid.T) {
		l := newLife(rt, &stock{Holder: holder, made: signing})
		rt.Repeat(map[string]func(*rapid.T){
			"make": l.make, "rotate": l.rotate, "retire": l.retire, "advance": l.advance, "wait": l.wait, "": l.check,
		})
	})
}

// Of several nodes that rotate at once one does; all agree on the key, whether it waits or not.
func TestRotatingAtOnce(t *testing.T) {
	holder := newHolder(t)
	url := storetest.PostgresURL(t)
	var nodes []*node
	for range 4 {
		opened, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened.Close() })
		s := &setup.Setup{Documents: opened.Documents, Holder: holder, Now: time.Now}
		if err := s.Rings(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, newNode(opened.Documents, holder, time.Now))
	}
	for _, now := range []bool{false, true} {
		for _, n := range nodes {
			if err := n.source.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ids := make([]string, len(nodes))
		var all sync.WaitGroup
		for i, n := range nodes {
			all.Go(func() {
				key, err := n.rotate(keyring.Sealing, now)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = *key.KeyId
			})
		}
		all.Wait()
		if len(slices.Compact(slices.Clone(ids))) != 1 {
			t.Errorf("now %v: the nodes answered the keys %v, want one", now, ids)
		}
		for _, n := range nodes {
			if err := n.source.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			call, err := n.call()
			if err != nil {
				t.Fatal(err)
			}
			ring, state := call.Snapshot.Ring(keyring.Sealing), keyring.Next
			if now {
				state = keyring.Active
			}
			if len(ring.Keys) != 2 || ring.In(state).ID != ids[0] {
				t.Errorf("now %v: got the ring %+v", now, states(ring.Ring))
			}
		}
	}
}

func states(r keyring.Ring) string {
	var out []string
	for _, k := range r.Keys {
		out = append(out, k.ID+" "+string(k.State))
	}
	return strings.Join(out, ", ")
}
