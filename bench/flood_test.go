package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
	"idpool/internal/login/oidc"
)

// TestAttackersTokens: what attackers send is refused, and a forged token only for its signature.
func TestAttackersTokens(t *testing.T) {
	p, err := startProvider(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	good, err := p.token("RS256", subject(1))
	if err != nil {
		t.Fatal(err)
	}
	bad := p.forged(subject(1))
	if len(good) != len(bad) {
		t.Errorf("a forged token has %d bytes, a good one %d", len(bad), len(good))
	}
	digest, signature := apart(t, bad)
	if _, real := apart(t, good); len(signature) != len(real) {
		t.Errorf("a forged signature has %d bytes, a good one %d", len(signature), len(real))
	}
	f := &floor{rsa: &p.rsa.PublicKey}
	if f.rs256(digest, signature) {
		t.Error("a forged token verifies")
	}
	if digest, signature = apart(t, good); !f.rs256(digest, signature) {
		t.Error("a good token does not verify")
	}
	v, err := oidc.New(nil, oidc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		_, err := v.Verify(t.Context(), &login.Provider{Key: p.key, Kind: login.OIDC, Issuer: p.issuer, Audiences: []string{"a"}}, p.malformed(subject(n), n), time.Now())
		if err == nil || strings.Contains(err.Error(), string(login.BadSignature)) || strings.Contains(err.Error(), string(login.IssuerUnreachable)) {
			t.Errorf("malformed token %d: got %v", n, err)
		}
	}
}

// TestAttack: an attack keeps its rate, counts what it is told, and ends.
func TestAttack(t *testing.T) {
	calls := make(chan struct{}, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			calls <- struct{}{}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"` + r.URL.Path[1:] + `"}`))
		}
	}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	c, err := dial(addr, attackers, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.close() }()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for range 20 {
			<-calls
		}
		stop()
	}()
	requests := [][]byte{post(addr, "/A", "text/plain", "", "x"), post(addr, "/B", "text/plain", "", "x")}
	got, err := c.attack(ctx, requests, 1000, 0)
	if err != nil || got.Sent < 20 || got.Answers["A"] < 8 || got.Answers["B"] < 8 || got.Sent != got.Answers["A"]+got.Answers["B"] {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.Seconds < 0.015 {
		t.Errorf("20 requests at 1,000 a second took %v s", got.Seconds)
	}
}

// TestImpatience: attackers who are kept waiting, or shown the door, come again on a new connection.
func TestImpatience(t *testing.T) {
	calls := make(chan string, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		calls <- r.RemoteAddr
		if r.URL.Path == "/out" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(io.Discard, r.Body) // else net/http does not see that the client has left
		<-r.Context().Done()
	}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	for path, want := range map[string]string{"/wait": left, "/out": noConnection} {
		t.Run(want, func(t *testing.T) {
			c, err := dial(addr, attackers, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.close() }()
			ctx, stop := context.WithCancel(t.Context())
			from := map[string]bool{}
			go func() {
				for range 5 {
					from[<-calls] = true
				}
				stop()
			}()
			got, err := c.attack(ctx, [][]byte{post(addr, path, "text/plain", "", "x")}, 0, 5*time.Millisecond)
			if err != nil || got.Sent < 5 || got.Answers[want] != got.Sent {
				t.Errorf("got %+v, %v, want %s alone, 5 times at least", got, err, want)
			}
			if len(from) != 5 {
				t.Errorf("5 requests came on %d connections", len(from))
			}
		})
	}
}

func TestTally(t *testing.T) {
	f := &flood{Rate: 2}
	for range 2 {
		if err := f.Attack.merge(&tally{Answers: map[string]int{"NotAuthorizedException": 300, "TooManyRequestsException": 100}, Seconds: 1}); err != nil {
			t.Error(err)
		}
	}
	if f.Attack.Sent != 800 || f.perHonest() != 200 || f.limited() != .25 {
		t.Errorf("got %+v, %v, %v", f.Attack, f.perHonest(), f.limited())
	}
	if err := f.Attack.merge(&tally{Answers: map[string]int{"200": 1}}); err == nil {
		t.Error("an attacker who got credentials: got no error")
	}
}

func TestFloodClaims(t *testing.T) {
	turns := func(all ...float64) (out []percentiles) {
		for _, p99 := range all {
			out = append(out, percentiles{P99: p99})
		}
		return out
	}
	calm := &flood{Scene: "calm", Program: "idpool", Turns: turns(100, 10, 1000), Rate: 1}
	worse := &flood{Scene: "worse", Program: "idpool", Turns: turns(201, 90, 1000), Rate: 1, Attack: tally{Sent: 60, Missed: 40, Seconds: 1, Rate: 100}}
	few := &flood{Scene: "few", Program: "idpool", Turns: turns(200, 10, 9000), Rate: 1, Attack: tally{Sent: 99, Seconds: 1, Rate: 100}}
	closed := &flood{Scene: "closed", Program: "idpool", Turns: turns(200, 10, 9000), Rate: 1, Attack: tally{Sent: 9, Seconds: 1}}
	f := &figures{}
	(&rig{floods: []*flood{calm, {Program: "floor", Turns: turns(1)}, worse, few, closed}}).judgeFloods(f)
	var got []bool
	for _, c := range f.Claims {
		got = append(got, c.Holds)
	}
	if len(got) != 5 || got[0] || !got[1] || !got[2] || got[3] || !got[4] {
		t.Errorf("got %+v", f.Claims)
	}
}

func TestFloodsCompared(t *testing.T) {
	turn := func(x float64) []percentiles { return []percentiles{{P50: x, P90: 2 * x, P99: 3 * x}} }
	got := compared([]*flood{{Program: "a", Turns: turn(1)}, {Program: "b", Turns: turn(2)}, {Scene: "s", Program: "b", Turns: turn(8)}, {Program: "a", Turns: turn(3)}})
	if len(got) != 2 || got[0].p50 != 4 || got[0].p99 != 4 || !strings.Contains(got[0].what, "s, b") || got[1].p90 != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestFloodSum(t *testing.T) {
	f := &flood{cpu: time.Second, span: 2 * time.Second}
	for n := range 101 {
		f.took = append(f.took, time.Duration(100-n)*time.Microsecond)
	}
	if f.sum(); f.P50 != 50 || f.P99 != 99 || f.Max != 100 || f.Honest != 101 || f.Cores != .5 {
		t.Errorf("got %+v", f)
	}
}

// TestTails: the ratios are those of one turn.
func TestTails(t *testing.T) {
	l := latencies{Idpool: []percentiles{{P50: 1, P99: 4}, {P50: 2, P99: 2}}, Floor: []percentiles{{P50: 1, P99: 2}, {P50: 1, P99: 4}}}
	if got := l.tails(); len(got) != 2 || got[0] != 2 || got[1] != .25 {
		t.Errorf("got %v", got)
	}
}

// TestPace: who was kept waiting does not make up for it.
func TestPace(t *testing.T) {
	p := pace{every: time.Hour, due: time.Now().Add(-30 * time.Hour)}
	if !p.wait(t.Context()) || time.Until(p.due) < 59*time.Minute || p.missed != 30 {
		t.Errorf("late: next in %v, %d missed", time.Until(p.due), p.missed)
	}
	before := time.Now()
	p = pace{every: time.Hour, due: before}
	if p.wait(t.Context()); p.due != before.Add(time.Hour) {
		t.Errorf("in time: next in %v", time.Until(p.due))
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if p.wait(ended) {
		t.Error("after the end: got another turn")
	}
}

func TestStatus(t *testing.T) {
	for line, want := range map[string]int{"HTTP/1.1 200 OK": 200, "HTTP/1.1 400": 400, "HTTP/1.0 200 OK": 0, "HTTP/1.1 x": 0, "": 0} {
		if got, err := statusIn([]byte(line)); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %d, %v", line, got, err)
		}
	}
}

func TestFiguresComplete(t *testing.T) {
	text := func(change func(*figures)) *figures {
		one := percentiles{Rate: 1, P50: 1}
		f := &figures{
			Latency: latencies{Floor: []percentiles{one}, Idpool: []percentiles{one}}, Binary: 1, Startup: 1, Reads: map[string]float64{"a": 1},
			Memory: map[string]memory{"a": {1, 1, 1}}, PerRow: map[string]float64{"a": 1}, Growth: map[string]float64{"a": 1},
		}
		for _, row := range rows {
			if row.at.engine != "postgres" {
				f.Rows = append(f.Rows, line{Name: row.name, CPU: 1, Floor: 1, PerSec: 1, Ratio: 1})
			}
		}
		for i, sc := range scenes {
			for _, program := range []string{"idpool", "floor"} {
				f.Floods = append(f.Floods, &flood{Scene: sc.name, Program: program, P50: 1, P99: 1, Honest: 1, Attack: tally{Sent: i}})
			}
		}
		change(f)
		return f
	}
	if err := text(func(*figures) {}).complete(false); err != nil {
		t.Errorf("all is there: got %v", err)
	}
	for name, f := range map[string]*figures{
		"no PostgreSQL": text(func(*figures) {}),
		"a row":         text(func(f *figures) { f.Rows = f.Rows[1:] }),
		"no CPU":        text(func(f *figures) { f.Rows[1].CPU = 0 }),
		"latency":       text(func(f *figures) { f.Latency.Floor = nil }),
		"floods":        text(func(f *figures) { f.Floods = f.Floods[1:] }),
		"an attack":     text(func(f *figures) { f.Floods[3].Attack.Sent = 0 }),
		"memory":        text(func(f *figures) { f.Memory = nil }),
	} {
		if err := f.complete(name == "no PostgreSQL"); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	for _, text := range []string{``, `{"Rows":1}`, `{"Else":1}`} {
		if _, err := readFigures([]byte(text)); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
