package httpd

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"idpool/internal/door"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

var statusLine = regexp.MustCompile(`HTTP/1\.[01] [2-5][0-9]{2} `)

// checkRefusal checks all that an answer of the frame's own has: AWS's shape, our id, no caching, readable by browsers.
func checkRefusal(t *testing.T, res *http.Response, body string, status int, code string) {
	t.Helper()
	if res.StatusCode != status {
		t.Errorf("status: got %d, want %d; body %s", res.StatusCode, status, body)
	}
	var said map[string]string
	if err := json.Unmarshal([]byte(body), &said); err != nil || len(said) != 2 || said["__type"] != code || said["message"] == "" {
		t.Errorf("body: got %s, want __type %s and a message", body, code)
	}
	for name, want := range map[string]string{
		"Content-Type":                  "application/x-amz-json-1.1",
		"X-Amzn-Errortype":              code + ":",
		"X-Amzn-Errormessage":           said["message"],
		"Cache-Control":                 "no-store",
		"X-Content-Type-Options":        "nosniff",
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Expose-Headers": exposedHeaders,
	} {
		if got := res.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if !uuid4.MatchString(res.Header.Get("X-Amzn-Requestid")) {
		t.Errorf("request id: got %q", res.Header.Get("X-Amzn-Requestid"))
	}
	if _, err := http.ParseTime(res.Header.Get("Date")); err != nil {
		t.Errorf("Date: got %q", res.Header.Get("Date"))
	}
	if !res.Close {
		t.Error("the connection is kept")
	}
}

// Every row of doubtful framing over a real socket: refused in AWS's shape, the connection ended, the door never reached.
func TestRefusesDoubtfulFraming(t *testing.T) {
	reached := make(chan string, 100)
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(w http.ResponseWriter, r *http.Request, body []byte, _ door.Origin) {
		reached <- r.RequestURI + " " + string(body)
		w.WriteHeader(http.StatusNoContent)
	})})
	for _, tt := range framingRows {
		if tt.want == 0 || strings.HasPrefix(tt.raw, "POST / HTTP/1.1\r\n"+host+"Content-Length: 2\r\n\r\n{}") {
			continue // those have a sound request first
		}
		t.Run(tt.name, func(t *testing.T) {
			res, body := mustParse(t, mustSend(t, mustDial(t, s), tt.raw))
			checkRefusal(t, res, body, tt.want, "SerializationException")
		})
	}
	if len(reached) != 0 {
		t.Errorf("the door was reached: %s", <-reached)
	}
}

func TestServesSoundFraming(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	for _, tt := range framingRows {
		if tt.want != 0 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			raw := strings.Replace(tt.raw, "\r\n", "\r\nConnection: close\r\n", 1)
			got := mustSend(t, mustDial(t, s), raw)
			got = strings.TrimPrefix(got, "HTTP/1.1 100 Continue\r\n\r\n")
			if res, body := mustParse(t, got); res.StatusCode != 200 || !strings.Contains(body, "127.0.0.1 body=") {
				t.Errorf("got %d %s", res.StatusCode, body)
			}
		})
	}
}

// A second request hidden behind a first gets no further than the first's end.
func TestRefusesSmuggledRequests(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	const first = "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}"
	for name, second := range map[string]string{
		"chunked":       "POST /evil HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bare LF":       "GET /evil HTTP/1.1\nHost: x\n\n",
		"absolute-form": "GET http://evil/evil HTTP/1.1\r\n" + host + "\r\n",
		"garbage":       "evil evil evil\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := mustSend(t, mustDial(t, s), first+second)
			// The second is refused, or the connection ends without a word.
			_, rest, ok := strings.Cut(got, "body={}")
			if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !ok || strings.Contains(got, "evil") || rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 4") {
				t.Errorf("got %s", got)
			}
		})
	}
}

// Sound requests in one go are answered one after the other.
func TestServesPipelinedRequests(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	const one = "POST /a HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}"
	const two = "GET /b HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"
	got := mustSend(t, mustDial(t, s), one+two)
	r := bufio.NewReader(strings.NewReader(got))
	_, a := mustRead(t, r)
	_, b := mustRead(t, r)
	if a != "POST /a 127.0.0.1 body={}" || b != "GET /b 127.0.0.1 body=" {
		t.Errorf("got %q and %q", a, b)
	}
}

// What net/http refuses by itself gets an answer like all others.
func TestNetHTTPRefusalsAreDressed(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	for name, raw := range map[string]string{
		"no Host":            "GET / HTTP/1.1\r\n\r\n",
		"two Hosts":          "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"Host with a space":  "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"percent in target":  "GET /%zz HTTP/1.1\r\n" + host + "\r\n",
		"slashes in Host":    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"Host on HTTP/1.0":   "GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
		"two Hosts, HTTP1.0": "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := mustSend(t, mustDial(t, s), raw)
			if strings.Contains(got, "text/plain") && !strings.Contains(got, " 200 OK") {
				t.Fatalf("net/http's own answer came through: %s", got)
			}
			res, body := mustParse(t, got)
			checkRefusal(t, res, body, 400, "SerializationException")
		})
	}
}

// Whatever bytes come: no panic, no fault of ours, and every answer has a request id (requirement 47).
func FuzzConnection(f *testing.F) {
	for _, row := range framingRows {
		f.Add([]byte(row.raw))
	}
	f.Add([]byte("OPTIONS / HTTP/1.1\r\n" + host + "Origin: x\r\nAccess-Control-Request-Headers: a,,b\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\n" + host + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"))
	s := mustServe(f, Config{Limits: Limits{HeaderBytes: 1000, BodyBytes: 1000}}, Parts{
		Door: doorFunc(func(w http.ResponseWriter, _ *http.Request, _ []byte, _ door.Origin) {
			w.WriteHeader(http.StatusNoContent)
		}),
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := mustDial(t, s)
		defer c.Close()
		// The server may hang up before it has read all.
		if _, err := c.Write(raw); err == nil {
			_ = closeWrite(c)
		}
		got, err := io.ReadAll(c)
		answers, ids := len(statusLine.FindAll(got, -1)), strings.Count(string(got), "\r\nX-Amzn-Requestid: ")
		if err == nil && answers != ids {
			t.Fatalf("%d answers, %d request ids: %s", answers, ids, got)
		}
		if strings.Contains(string(got), "InternalErrorException") || strings.Contains(s.log.String(), "panic") {
			t.Fatalf("got %s; log %s", got, s.log)
		}
	})
}

// A head that comes too slowly ends the connection (security I5).
func TestSlowHeadTimesOut(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{ReadHeaderTimeout: 30 * time.Millisecond}}, Parts{})
	for _, sent := range []string{"", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "G", "GET / HTTP/1.1"} {
		got := mustSend(t, mustDial(t, s), sent)
		if got != "" && !strings.HasPrefix(got, "HTTP/1.1 400 ") {
			t.Errorf("after %q: got %q, want the connection ended", sent, got)
		}
	}
}

func TestSlowBodyTimesOut(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{ReadTimeout: 50 * time.Millisecond}}, Parts{})
	res, body := mustParse(t, mustSend(t, mustDial(t, s), "POST / HTTP/1.1\r\nOrigin: x\r\n"+host+"Content-Length: 10\r\n\r\n{"))
	checkRefusal(t, res, body, 408, "SerializationException")
}

func TestIdleConnectionEnds(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{IdleTimeout: 30 * time.Millisecond}}, Parts{})
	got := mustSend(t, mustDial(t, s), "GET / HTTP/1.1\r\n"+host+"\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
		t.Errorf("got %q", got)
	}
}

// A client that reads nothing cannot hold an answer for longer than WriteTimeout.
func TestSlowReaderIsCutOff(t *testing.T) {
	written := make(chan error, 1)
	s := mustServe(t, Config{Limits: Limits{WriteTimeout: 50 * time.Millisecond}}, Parts{
		Door: doorFunc(func(w http.ResponseWriter, _ *http.Request, _ []byte, _ door.Origin) {
			chunk := make([]byte, 1<<20)
			for {
				if _, err := w.Write(chunk); err != nil {
					written <- err
					return
				}
			}
		}),
	})
	c := mustDial(t, s)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-written:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a deadline", err)
		}
	case <-time.After(patience):
		t.Error("the answer is still being written")
	}
}

func TestConnectionLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cfg    Config
		want   int // connections served of three
		reason string
	}{
		{"all", Config{Limits: Limits{MaxConnections: 2}}, 2, `reason="all"`},
		{"of one client", Config{Limits: Limits{ConnectionsPerClient: 2}}, 2, `reason="client"`},
		{"of a trusted proxy", Config{Limits: Limits{ConnectionsPerClient: 2}, TrustedProxies: prefixes("127.0.0.0/8")}, 3, ""},
		{"all, of a trusted proxy too", Config{Limits: Limits{MaxConnections: 2}, TrustedProxies: prefixes("127.0.0.0/8")}, 2, `reason="all"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMetrics()
			s := mustServe(t, tt.cfg, Parts{Metrics: m})
			var open []net.Conn
			for range 3 {
				if c, ok := enters(t, s); ok {
					open = append(open, c)
				}
			}
			if len(open) != tt.want {
				t.Errorf("got %d connections served, want %d", len(open), tt.want)
			}
			if got := scrape(t, m); tt.reason != "" && !strings.Contains(got, "idpool_http_refused_connections_total{"+tt.reason+"} 1") {
				t.Errorf("metrics: got %s", got)
			}
			// A connection that ends makes room for another.
			open[0].Close()
			wait(t, "room for a connection", func() bool { _, ok := enters(t, s); return ok })
		})
	}
}

// enters opens a connection and reports whether it is served.
func enters(t *testing.T, s *running) (net.Conn, bool) {
	t.Helper()
	c, err := dial(t, s)
	return c, err == nil && served(c)
}

// TestRefusedConnectionsLeaveNothing: who is turned away at the gate is reset, so that nothing of the connection is kept here.
func TestRefusedConnectionsLeaveNothing(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{ConnectionsPerClient: 1}}, Parts{})
	if !served(mustDial(t, s)) {
		t.Fatal("the first connection is not served")
	}
	c, err := dial(t, s)
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// served reports whether a request on the connection is answered; the connection is kept.
func served(c net.Conn) bool {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"+host+"\r\n"); err != nil {
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	return err == nil && res.StatusCode == 200
}

func TestClientsAreCountedByNetwork(t *testing.T) {
	g := newGate(Limits{MaxConnections: 100, ConnectionsPerClient: 1}, nil, NewMetrics())
	for _, tt := range []struct {
		peer string
		want bool
	}{
		{"[2001:db8:0:1::1]:5", true},
		{"[2001:db8:0:1::2]:5", false}, // the same /64
		{"[2001:db8:0:2::1]:5", true},
		{"192.0.2.1:5", true},
		{"192.0.2.1:6", false},
		{"[::ffff:192.0.2.1]:7", false}, // the same IPv4 address
		{"192.0.2.2:5", true},
		{"[fe80::1%eth0]:5", true},
		{"[fe80::2%eth1]:5", false},
	} {
		if _, got := g.enter(fakeConn{peer: tt.peer}); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.peer, got, tt.want)
		}
	}
}

// A connection closed twice, as servers do, is discounted once.
func TestConnectionsLeaveOnce(t *testing.T) {
	g := newGate(Limits{MaxConnections: 2, ConnectionsPerClient: 2}, nil, NewMetrics())
	a, _ := g.enter(fakeConn{peer: "192.0.2.1:1"})
	if _, ok := g.enter(fakeConn{peer: "192.0.2.1:2"}); !ok {
		t.Fatal("the second connection was refused")
	}
	a.Close()
	a.Close()
	if g.total != 1 || g.by[peerAddress("192.0.2.1:1")] != 1 {
		t.Errorf("got %d connections, %v", g.total, g.by)
	}
}

type fakeConn struct {
	net.Conn
	peer string
}

func (c fakeConn) RemoteAddr() net.Addr { return fakeAddr(c.peer) }
func (c fakeConn) Close() error         { return nil }

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }
