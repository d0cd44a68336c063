package authority

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

const (
	roleARN    = "arn:aws:iam:::role/app/User"
	sessionARN = "arn:aws:sts:::assumed-role/app/User/CognitoIdentityCredentials"
)

// signer is a ring that writes tokens anyone can read.
type signer struct{ keyring.Keys }

func (signer) Issuer(use string) keyring.IssuerKeys {
	if use != "authority/ceph/RS256" {
		return nil
	}
	return signer{}
}

func (signer) Sign(payload []byte) (string, error) {
	return "eyJhbGciOi." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln", nil
}

// sts is an STS that answers as it is told, once for each answer; the last one stays.
type fakeSTS struct {
	answers []any // *Answer or error
	forms   []map[string]string
	tick    func()
}

func (f *fakeSTS) Ask(_ context.Context, _ *Authority, form []Field) (*Answer, error) {
	got := map[string]string{}
	for _, field := range form {
		got[field.Name] = field.Value
	}
	f.forms = append(f.forms, got)
	if f.tick != nil {
		f.tick()
	}
	next := f.answers[0]
	if len(f.answers) > 1 {
		f.answers = f.answers[1:]
	}
	switch v := next.(type) {
	case *Answer:
		out := *v
		return &out, nil
	default:
		return nil, v.(error)
	}
}

// world is a service with an authority of Ceph's, and a clock.
type world struct {
	*Service
	t     *testing.T
	a     *Authority
	sts   *fakeSTS
	now   time.Time
	waits []time.Duration
	snap  *snapshot.Snapshot
	call  *operation.Call
}

func newWorld(t *testing.T, answers ...any) *world {
	w := &world{t: t, now: time.Unix(1_800_000_000, 0).UTC(), sts: &fakeSTS{answers: answers}, snap: &snapshot.Snapshot{Revision: 7, Keys: signer{}}}
	w.a = &Authority{
		Name: "ceph", Dialect: DialectOf("ceph"), Roles: []Pattern{mustPattern(t, "arn:aws:iam:::role/*")}, Issuer: "https://id.example.com/authority/ceph",
		KeyUse: "authority/ceph/RS256", Tags: Nested, Duration: time.Hour, Retries: 2,
	}
	w.Service = New(Parts{
		Authorities: NewSet(w.a), Client: w.sts, Random: strings.NewReader(strings.Repeat("0123456789abcdef", 1000)),
		Now:     func() time.Time { return w.now },
		Wait:    func(_ context.Context, d time.Duration) error { w.waits = append(w.waits, d); return nil },
		Current: func() (*snapshot.Snapshot, error) { return w.snap, nil },
	})
	return w
}

func (w *world) good() *Answer {
	return &Answer{AccessKeyID: "KEY", SecretAccessKey: "SECRET", SessionToken: "TOKEN", Expiration: w.now.Add(time.Hour), RoleARN: sessionARN}
}

func (w *world) request() Request {
	return Request{RoleARN: roleARN, Claims: &issuer.Claims{
		IdentityID: alice, PoolID: "us-east-1:pool", AMR: []string{"authenticated", "idp", "idp:u:alice-at-idp"}, Tags: map[string]string{"team": "red-team"},
	}}
}

// assume makes one request and returns what it answered.
func (w *world) assume(r Request) (string, error) {
	w.t.Helper()
	w.call = &operation.Call{Snapshot: w.snap, Now: w.now, Event: &event.Record{}, Fresh: func() error { return nil }}
	c, err := w.Assume(w.t.Context(), w.call, w.a, r)
	if err != nil && (c.AccessKeyID != "" || c.SecretAccessKey != "" || c.SessionToken != "" || w.call.Event.Minted != "") {
		w.t.Errorf("credentials came out with %v", err)
	}
	return c.AccessKeyID, err
}

// found is what the last step of the event found.
func (w *world) found() string {
	w.t.Helper()
	if len(w.call.Event.Steps) == 0 {
		w.t.Fatal("the event has no step")
	}
	return w.call.Event.Steps[len(w.call.Event.Steps)-1].Found
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func TestAssume(t *testing.T) {
	w := newWorld(t)
	w.sts.answers = []any{w.good()}
	w.a.Policy = mustTemplate(t, "ceph", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${idpool:guid}/*"`)), false)
	if id, err := w.assume(w.request()); err != nil || id != "KEY" {
		t.Fatalf("got %s, %v", id, err)
	}
	form := w.sts.forms[0]
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(form["WebIdentityToken"], ".")[1])
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	delete(form, "WebIdentityToken")
	for name, want := range map[string]string{
		"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": roleARN, "RoleSessionName": "CognitoIdentityCredentials", "DurationSeconds": "3600",
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::b/11111111-2222-3333-4444-555555555555/*"]}]}`,
	} {
		if form[name] != want {
			t.Errorf("%s: got %q, want %q", name, form[name], want)
		}
		delete(form, name)
	}
	if len(form) != 0 {
		t.Errorf("got more parameters: %v", form)
	}
	if claims["iss"] != w.a.Issuer || claims["sub"] != alice || claims["aud"] != "us-east-1:pool" || claims["exp"].(float64)-claims["iat"].(float64) != 600 || len(claims["jti"].(string)) != 32 {
		t.Errorf("got the claims %s", payload)
	}
	if !strings.Contains(string(payload), `"https://aws.amazon.com/tags":{"principal_tags":{"team":["red-team"]}}`) {
		t.Errorf("got the tags of %s", payload)
	}
	if e := w.call.Event; e.Minted != "KEY" || e.Role != roleARN || !e.Steps[len(e.Steps)-1].OK {
		t.Errorf("got the event %+v", e)
	}
}

func TestFormsOfTags(t *testing.T) {
	for form, want := range map[TagForm]string{
		Flat: `"https://aws.amazon.com/tags/principal_tags":{"team":["red-team"]}`, NoTags: "",
	} {
		w := newWorld(t)
		w.sts.answers, w.a.Tags, w.a.Audience = []any{w.good()}, form, "idpool"
		if _, err := w.assume(w.request()); err != nil {
			t.Fatal(err)
		}
		payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(w.sts.forms[0]["WebIdentityToken"], ".")[1])
		if got := string(payload); want != "" && !strings.Contains(got, want) || want == "" && strings.Contains(got, "tags") || !strings.Contains(got, `"aud":"idpool"`) {
			t.Errorf("%s: got %s", form, got)
		}
	}
}

// Guests without a template of their own are held to the scope-down; users without one to their role alone.
func TestGuestsAreHeldDown(t *testing.T) {
	w := newWorld(t)
	w.sts.answers = []any{w.good()}
	r := w.request()
	if _, err := w.assume(r); err != nil || w.sts.forms[0]["Policy"] != "" {
		t.Errorf("a user: got the policy %q, %v", w.sts.forms[0]["Policy"], err)
	}
	r.Guest = true
	if _, err := w.assume(r); err != nil || w.sts.forms[1]["Policy"] != statementsOf(`["s3:*"]`) {
		t.Errorf("a guest: got the policy %q, %v", w.sts.forms[1]["Policy"], err)
	}
}

// A session policy that cannot be written is the end: nothing is asked for without it.
func TestPolicyThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.sts.answers = []any{w.good()}
	w.a.Policy = mustTemplate(t, "ceph", statements(allow(`"s3:*"`, `"arn:aws:s3:::b/${aws:PrincipalTag/other}/*"`)), false)
	_, err := w.assume(w.request())
	wantCode(t, err, fault.InvalidIdentityPoolConfiguration)
	if len(w.sts.forms) != 0 || !strings.Contains(w.found(), "permits nothing") {
		t.Errorf("%d calls were made; the event found %q", len(w.sts.forms), w.found())
	}
}

// What an STS may do wrong (security J10): each with its error and its event, and no credentials.
func TestFaults(t *testing.T) {
	changed := func(change func(*Answer)) func(*world) any {
		return func(w *world) any {
			a := w.good()
			change(a)
			return a
		}
	}
	failed := func(f Failure) func(*world) any { return func(*world) any { return &f } }
	for name, c := range map[string]struct {
		answer func(*world) any
		code   fault.Code
		found  string
		calls  int
	}{
		"unreachable":         {failed(Failure{Why: Unreachable, Cause: errors.New("connection refused")}), fault.ExternalService, "unreachable: connection refused", 3},
		"throttled":           {failed(Failure{Why: Throttled, Status: 400, Code: "SlowDown"}), fault.TooManyRequests, `throttled: it answered 400 SlowDown ""`, 3},
		"garbage":             {failed(Failure{Why: Garbled, Status: 200, Cause: errors.New("not XML")}), fault.ExternalService, "garbled: not XML: it answered 200", 1},
		"refused":             {failed(Failure{Why: Refused, Status: 403, Code: "AccessDenied", Message: "no trust"}), fault.InvalidIdentityPoolConfiguration, `refused: it answered 403 AccessDenied "no trust"`, 1},
		"another role":        {changed(func(a *Answer) { a.RoleARN = "arn:aws:sts:::assumed-role/app/Admin/CognitoIdentityCredentials" }), fault.ExternalService, "garbled: the credentials are for another role or session", 1},
		"another path":        {changed(func(a *Answer) { a.RoleARN = "arn:aws:sts:::assumed-role/other/User/CognitoIdentityCredentials" }), fault.ExternalService, "another role", 1},
		"another account":     {changed(func(a *Answer) { a.RoleARN = "arn:aws:sts::t2:assumed-role/app/User/CognitoIdentityCredentials" }), fault.ExternalService, "another role", 1},
		"another session":     {changed(func(a *Answer) { a.RoleARN = "arn:aws:sts:::assumed-role/app/User/other" }), fault.ExternalService, "another role", 1},
		"a role, no session":  {changed(func(a *Answer) { a.RoleARN = roleARN }), fault.ExternalService, "another role", 1},
		"no role":             {changed(func(a *Answer) { a.RoleARN = "" }), fault.ExternalService, "another role", 1},
		"ended already":       {changed(func(a *Answer) { a.Expiration = a.Expiration.Add(-time.Hour) }), fault.ExternalService, "have ended", 1},
		"no end at all":       {changed(func(a *Answer) { a.Expiration = time.Time{} }), fault.ExternalService, "have ended", 1},
		"lives too long":      {changed(func(a *Answer) { a.Expiration = a.Expiration.Add(6 * time.Minute) }), fault.ExternalService, "longer than was asked", 1},
		"no secret":           {changed(func(a *Answer) { a.SecretAccessKey = "" }), fault.ExternalService, "not whole", 1},
		"no session token":    {changed(func(a *Answer) { a.SessionToken = "" }), fault.ExternalService, "not whole", 1},
		"a header in the key": {changed(func(a *Answer) { a.AccessKeyID = "A\r\nX: y" }), fault.ExternalService, "not whole", 1},
		"a huge token":        {changed(func(a *Answer) { a.SessionToken = strings.Repeat("x", 17<<10) }), fault.ExternalService, "not whole", 1},
	} {
		w := newWorld(t)
		w.a.Reuse = 50
		w.sts.answers = []any{c.answer(w)}
		_, err := w.assume(w.request())
		if !fault.Is(err, c.code) || !strings.Contains(w.found(), c.found) || len(w.sts.forms) != c.calls {
			t.Errorf("%s: got %v after %d calls, and the event found %q", name, err, len(w.sts.forms), w.found())
		}
		if f := fault.From(err); strings.Contains(f.Message, "AccessDenied") || strings.Contains(f.Message, "refused") {
			t.Errorf("%s: the caller reads %q", name, f.Message)
		}
		// Nothing was kept of it: the next call is made, and its credentials are handed out.
		w.sts.answers = []any{w.good()}
		if id, err := w.assume(w.request()); err != nil || id != "KEY" || len(w.sts.forms) != c.calls+1 {
			t.Errorf("%s: afterwards got %s, %v after %d calls", name, id, err, len(w.sts.forms))
		}
	}
}

// An authority repeats what it was sent, or more: the event does not.
func TestWordsHoldNoSecrets(t *testing.T) {
	w := newWorld(t)
	said := &Failure{Why: Refused, Status: 400, Code: "InvalidIdentityToken"}
	w.sts.answers = []any{said}
	w.sts.tick = func() {
		said.Message = "cannot use " + w.sts.forms[0]["WebIdentityToken"] + " of " + alice + " in red-team with idp:u:alice-at-idp, nor aaaaaaaaaa.bbbbbbbbbb.cc\x1b[31m" + strings.Repeat("x", 5000)
	}
	_, err := w.assume(w.request())
	wantCode(t, err, fault.InvalidIdentityPoolConfiguration)
	found := w.found() + w.call.Event.Cause + err.Error()
	for _, secret := range []string{w.sts.forms[0]["WebIdentityToken"], alice, "11111111-2222", "red-team", "alice-at-idp", "bbbbbbbbbb", "\x1b"} {
		if strings.Contains(found, secret) {
			t.Errorf("%q is in %q", secret, found)
		}
	}
	if len(found) > 2000 || !strings.Contains(found, "InvalidIdentityToken") {
		t.Errorf("got %d characters: %s", len(found), found)
	}
}

func TestRetries(t *testing.T) {
	down := &Failure{Why: Unreachable}
	w := newWorld(t)
	w.sts.answers = []any{down, down, w.good()}
	if id, err := w.assume(w.request()); err != nil || id != "KEY" || len(w.sts.forms) != 3 {
		t.Errorf("got %s, %v after %d calls", id, err, len(w.sts.forms))
	}
	if len(w.waits) != 2 || w.waits[0] != 100*time.Millisecond || w.waits[1] != 200*time.Millisecond {
		t.Errorf("got the waits %v", w.waits)
	}
	w = newWorld(t, down)
	w.a.Retries = 0
	_, err := w.assume(w.request())
	wantCode(t, err, fault.ExternalService)
	if len(w.sts.forms) != 1 || len(w.waits) != 0 {
		t.Errorf("got %d calls without retries", len(w.sts.forms))
	}
}

// After five failures in a row nobody calls for ten seconds; then one call tries.
func TestBreaker(t *testing.T) {
	w := newWorld(t, &Failure{Why: Unreachable})
	w.a.Retries = 0
	for range 8 {
		_, err := w.assume(w.request())
		wantCode(t, err, fault.ExternalService)
	}
	if len(w.sts.forms) != breakAfter || !strings.Contains(w.found(), "left alone") {
		t.Errorf("got %d calls, and the event found %q", len(w.sts.forms), w.found())
	}
	w.now = w.now.Add(breakFor)
	if _, err := w.assume(w.request()); err == nil || len(w.sts.forms) != breakAfter+1 {
		t.Errorf("got %d calls after a while, %v", len(w.sts.forms), err)
	}
	if _, err := w.assume(w.request()); err == nil || len(w.sts.forms) != breakAfter+1 {
		t.Errorf("got %d calls after one that failed again, %v", len(w.sts.forms), err)
	}
	w.now = w.now.Add(breakFor)
	w.sts.answers = []any{w.good()}
	for range 3 {
		if _, err := w.assume(w.request()); err != nil {
			t.Errorf("after it came back: %v", err)
		}
	}
	// Refusals are answers: they break nothing.
	w.sts.answers = []any{&Failure{Why: Refused, Status: 403}}
	for range 2 * breakAfter {
		_, err := w.assume(w.request())
		wantCode(t, err, fault.InvalidIdentityPoolConfiguration)
	}
}

func TestReuse(t *testing.T) {
	w := newWorld(t)
	w.sts.answers, w.a.Reuse = []any{w.good()}, 50
	start := w.now
	calls := func(want int, what string, r Request) {
		t.Helper()
		if _, err := w.assume(r); err != nil || len(w.sts.forms) != want {
			t.Errorf("%s: got %d calls, %v, want %d", what, len(w.sts.forms), err, want)
		}
	}
	calls(1, "the first", w.request())
	w.now = start.Add(30 * time.Minute)
	calls(1, "half of its life", w.request())
	if !strings.Contains(w.found(), "used again") || w.call.Event.Minted != "KEY" {
		t.Errorf("got the event %+v", w.call.Event)
	}
	for name, change := range map[string]func(*Request){
		"another identity": func(r *Request) { r.Claims.IdentityID = "us-east-1:66666666-2222-3333-4444-555555555555" },
		"another pool":     func(r *Request) { r.Claims.PoolID = "us-east-1:other" },
		"another role":     func(r *Request) { r.RoleARN = "arn:aws:iam:::role/User" },
		"a guest":          func(r *Request) { r.Guest = true },
		"other tags":       func(r *Request) { r.Claims.Tags = map[string]string{"team": "blue"} },
		"no tags":          func(r *Request) { r.Claims.Tags = nil },
		"other logins":     func(r *Request) { r.Claims.AMR = []string{"authenticated"} },
	} {
		before := len(w.sts.forms)
		r := w.request()
		change(&r)
		answer := w.good()
		if r.RoleARN != roleARN {
			answer.RoleARN = "arn:aws:sts:::assumed-role/User/CognitoIdentityCredentials"
		}
		w.sts.answers = []any{answer}
		calls(before+1, name, r)
	}
	before := len(w.sts.forms)
	w.sts.answers = []any{w.good()}
	w.now = start.Add(30*time.Minute + time.Second)
	calls(before+1, "less than half of its life", w.request())
	w.snap = &snapshot.Snapshot{Revision: 8, Keys: signer{}}
	calls(before+2, "another configuration, such as a revocation", w.request())
	w.snap = &snapshot.Snapshot{Revision: 7, Keys: signer{}}
	calls(before+3, "a node that has not seen it", w.request())
	w.snap = &snapshot.Snapshot{Revision: 8, Keys: signer{}}
	calls(before+3, "the newer one again", w.request())
	w.a.Reuse = 0
	calls(before+4, "switched off", w.request())
}

func TestReuseIsBounded(t *testing.T) {
	var k kept
	now := time.Unix(1_800_000_000, 0)
	for i := range maxKept + 500 {
		var key [32]byte
		key[0], key[1], key[2] = byte(i), byte(i>>8), byte(i>>16)
		k.put(1, key, lease{begun: now}, now)
	}
	if len(k.all) > maxKept {
		t.Errorf("got %d kept", len(k.all))
	}
}

// An authority may take longer than a snapshot may be old. What it brings is handed out if nothing has changed meanwhile.
func TestSlowAuthority(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		code   fault.Code
	}{
		"nothing changed":    {func(*world) {}, ""},
		"a change meanwhile": {func(w *world) { w.snap = &snapshot.Snapshot{Revision: 8, Keys: signer{}} }, fault.TooManyRequests},
		"the store is silent": {func(w *world) {
			w.current = func() (*snapshot.Snapshot, error) { return nil, fault.From(errors.New("silent")) }
		}, fault.Internal},
		"no keys for its name": {func(w *world) { w.a.KeyUse = "authority/other/RS256" }, fault.Internal},
	} {
		w := newWorld(t)
		w.sts.answers = []any{w.good()}
		if strings.HasPrefix(name, "no keys") {
			c.change(w)
		} else {
			w.sts.tick = func() { c.change(w) }
		}
		w.call = &operation.Call{Snapshot: w.snap, Now: w.now, Event: &event.Record{}, Fresh: func() error { return errors.New("old") }}
		got, err := w.Assume(t.Context(), w.call, w.a, w.request())
		if c.code == "" && (err != nil || got.AccessKeyID != "KEY") || c.code != "" && (fault.From(err) == nil || fault.From(err).Code != c.code || got.AccessKeyID != "") {
			t.Errorf("%s: got %q, %v, want %s", name, got.AccessKeyID, err, c.code)
		}
	}
}

// How kinds name the session of a role.
func TestSessionsOfRoles(t *testing.T) {
	for _, c := range []struct {
		kind, role, session string
		want                bool
	}{
		{"aws", "arn:aws:iam::1:role/a/X", "arn:aws:sts::1:assumed-role/X/S", true},
		{"aws", "arn:aws:iam::1:role/a/X", "arn:aws:sts::1:assumed-role/a/X/S", false},
		{"aws", "arn:aws:iam::1:role/X", "arn:aws:sts::2:assumed-role/X/S", false},
		{"aws", "arn:aws:iam::1:role/X", "arn:aws-cn:sts::1:assumed-role/X/S", false},
		{"ceph", "arn:aws:iam:::role/a/X", "arn:aws:sts:::assumed-role/a/X/S", true},
		{"ceph", "arn:aws:iam:::role/X", "arn:aws:sts:::assumed-role/X/S", true},
		{"seaweedfs", "arn:aws:iam::role/X", "arn:aws:sts::assumed-role/X/S", true},
		{"seaweedfs", "arn:aws:iam::role/X", "arn:aws:sts::000000000000:assumed-role/X/S", true},
		{"seaweedfs", "arn:aws:iam::role/X", "arn:aws:sts::assumed-role/Y/S", false},
		{"seaweedfs", "arn:aws:iam::role/X", "", false},
		{"minio", "arn:minio:iam:::role/X", "", true},
		{"minio", "arn:minio:iam:::role/X", "arn:aws:sts:::assumed-role/Y/S", false},
		{"generic", "arn:aws:iam::1:role/X", "arn:aws:sts::1:assumed-role/X/S", true},
		{"generic", "arn:aws:iam::1:role/X", "", false},
	} {
		a := &Authority{Dialect: DialectOf(c.kind)}
		if got := a.sameRole(c.session, c.role, "S"); got != c.want {
			t.Errorf("%s: %s for %s: got %v", c.kind, c.session, c.role, got)
		}
	}
}

// TestSigningInTurn: tokens are signed in their turn, and none for an authority that is left alone.
func TestSigningInTurn(t *testing.T) {
	w := newWorld(t)
	w.sts.answers = []any{w.good()}
	turns, full := 0, error(nil)
	w.admit = func(_ context.Context, work func()) error {
		if turns++; full != nil {
			return full
		}
		work()
		return nil
	}
	if _, err := w.assume(w.request()); err != nil || turns != 1 {
		t.Errorf("got %v after %d turns, want one", err, turns)
	}
	full = fault.New(fault.TooManyRequests, "Rate exceeded")
	if _, err := w.assume(w.request()); fault.From(err).Code != fault.TooManyRequests || len(w.sts.forms) != 1 {
		t.Errorf("no turn: got %v and %d calls, want a refusal and no call", err, len(w.sts.forms)-1)
	}
	full, w.sts.answers = nil, []any{&Failure{Why: Unreachable, Cause: errors.New("down")}}
	for range breakAfter {
		_, _ = w.assume(w.request())
	}
	turns = 0
	if _, err := w.assume(w.request()); fault.From(err).Code != fault.ExternalService || turns != 0 {
		t.Errorf("left alone: got %v after %d turns, want none", err, turns)
	}
}
