package httpd

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idpool/internal/door"
)

// What the door is given.
func TestDoorGetsTheRequest(t *testing.T) {
	type seen struct {
		body string
		from door.Origin
		rest int64
		uri  string
	}
	got := make(chan seen, 1)
	s := mustServe(t, Config{Limits: Limits{RequestTimeout: time.Hour}}, Parts{
		Door: doorFunc(func(w http.ResponseWriter, r *http.Request, body []byte, from door.Origin) {
			rest, _ := r.Body.Read(make([]byte, 1))
			if end, ok := r.Context().Deadline(); !ok || time.Until(end) > time.Hour {
				t.Errorf("deadline: got %v", end)
			}
			got <- seen{string(body), from, int64(rest), r.RequestURI}
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			_, _ = w.Write([]byte("{}"))
		}),
	})
	res, body := mustDo(t, s, "POST", "/a%2Fb?x=y", `{"a":1}`, "X-Forwarded-For: 8.8.8.8")
	in := <-got
	if in.body != `{"a":1}` || in.rest != 0 || in.uri != "/a%2Fb?x=y" {
		t.Errorf("got %+v", in)
	}
	if in.from.Client.String() != "127.0.0.1" || in.from.Secure || in.from.RequestID != res.Header.Get("X-Amzn-Requestid") {
		t.Errorf("origin: got %+v, answered as %s", in.from, res.Header.Get("X-Amzn-Requestid"))
	}
	if res.StatusCode != 200 || body != "{}" || !uuid4.MatchString(in.from.RequestID) {
		t.Errorf("got %d %s, id %s", res.StatusCode, body, in.from.RequestID)
	}
}

func TestDoorGetsTheForwardedClient(t *testing.T) {
	got := make(chan door.Origin, 1)
	s := mustServe(t, Config{TrustedProxies: prefixes("127.0.0.1/32")}, Parts{
		Door: doorFunc(func(_ http.ResponseWriter, _ *http.Request, _ []byte, from door.Origin) { got <- from }),
	})
	mustDo(t, s, "GET", "/", "", "X-Forwarded-For: 8.8.8.8, 2001:db8::1", "X-Forwarded-Proto: https")
	if from := <-got; from.Client.String() != "2001:db8::1" || !from.Secure {
		t.Errorf("got %+v", from)
	}
}

func TestRequestIDsAreFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newRequestID()
		if !uuid4.MatchString(id) || seen[id] {
			t.Fatalf("got %s", id)
		}
		seen[id] = true
	}
}

// Fields with underscores reach nobody (security I10).
func TestUnderscoredFieldsAreDropped(t *testing.T) {
	got := make(chan http.Header, 1)
	s := mustServe(t, Config{TrustedProxies: prefixes("127.0.0.1/32")}, Parts{
		Door: doorFunc(func(_ http.ResponseWriter, r *http.Request, _ []byte, from door.Origin) {
			r.Header.Set("Client", from.Client.String())
			got <- r.Header
		}),
	})
	raw := "GET / HTTP/1.1\r\n" + host + "X_Forwarded_For: 8.8.8.8\r\nX-Forwarded_For: 8.8.8.8\r\nx_amz_target: evil\r\nX-Amz-Target: good\r\n" +
		"X_AMZ_SECURITY_TOKEN: evil\r\nContent_Length: 7\r\n_: evil\r\nConnection: close\r\n\r\n"
	mustSend(t, mustDial(t, s), raw)
	h := <-got
	for name := range h {
		if strings.Contains(name, "_") {
			t.Errorf("%s came through", name)
		}
	}
	if h.Get("X-Amz-Target") != "good" || h.Get("Client") != "127.0.0.1" {
		t.Errorf("got %v", h)
	}
}

func TestBodies(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{BodyBytes: 10_000}}, Parts{})
	for _, tt := range []struct {
		name, head, body string
		want             int // 200, or the status of the refusal
	}{
		{"empty", "POST / HTTP/1.1\r\nContent-Length: 0\r\n", "", 200},
		{"small", "POST / HTTP/1.1\r\nContent-Length: 2\r\n", "{}", 200},
		{"at the limit", "POST / HTTP/1.1\r\nContent-Length: 10000\r\n", strings.Repeat("a", 10_000), 200},
		{"with GET", "GET / HTTP/1.1\r\nContent-Length: 2\r\n", "{}", 200},
		{"identity", "POST / HTTP/1.1\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n", "{}", 200},
		{"one byte above", "POST / HTTP/1.1\r\nContent-Length: 10001\r\n", strings.Repeat("a", 10_001), 413},
		{"far above, not sent", "POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n", "", 413},
		{"above, with GET", "GET / HTTP/1.1\r\nContent-Length: 10001\r\n", strings.Repeat("a", 10_001), 413},
		{"above, expecting 100", "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10001\r\n", "", 413},
		{"no length", "POST / HTTP/1.1\r\n", "", 411},
		{"no length with PUT", "PUT / HTTP/1.1\r\n", "", 411},
		{"no length, HTTP/1.0", "POST / HTTP/1.0\r\n", "{}", 411},
		{"gzip", "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n", "{}", 415},
		{"aws-chunked", "POST / HTTP/1.1\r\nContent-Encoding: aws-chunked\r\nContent-Length: 2\r\n", "{}", 415},
		{"identity and gzip", "POST / HTTP/1.1\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n", "{}", 415},
		{"a list", "POST / HTTP/1.1\r\nContent-Encoding: identity, gzip\r\nContent-Length: 2\r\n", "{}", 415},
		{"no coding at all", "POST / HTTP/1.1\r\nContent-Encoding:\r\nContent-Length: 2\r\n", "{}", 415},
		{"gzip of nothing", "GET / HTTP/1.1\r\nContent-Encoding: gzip\r\n", "", 415},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := mustSend(t, mustDial(t, s), tt.head+host+"Origin: http://x\r\nConnection: close\r\n\r\n"+tt.body)
			res, body := mustParse(t, got)
			if tt.want != 200 {
				checkRefusal(t, res, body, tt.want, "SerializationException")
				return
			}
			if _, echoed, _ := strings.Cut(body, "body="); res.StatusCode != 200 || echoed != tt.body {
				t.Errorf("got %d, %d bytes of body, want %d", res.StatusCode, len(echoed), len(tt.body))
			}
		})
	}
}

// The frame refuses by itself what the scanner would not have let through, and what comes over HTTP/2.
func TestFrameWithoutScanner(t *testing.T) {
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(http.ResponseWriter, *http.Request, []byte, door.Origin) {
		t.Error("the door was reached")
	})})
	for name, change := range map[string]func(*http.Request){
		"absolute-form":  func(r *http.Request) { r.RequestURI = "http://other/" },
		"authority-form": func(r *http.Request) { r.Method, r.RequestURI = "CONNECT", "other:443" },
		"no target":      func(r *http.Request) { r.RequestURI = "" },
		"chunked":        func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader("{}"))
			r.Header.Set("Origin", "http://x")
			change(r)
			rec := httptest.NewRecorder()
			s.frame.ServeHTTP(rec, r)
			if rec.Code != 400 && rec.Code != 411 || rec.Header().Get("X-Amzn-Errortype") != "SerializationException:" {
				t.Errorf("got %d %v", rec.Code, rec.Header())
			}
		})
	}
}

// A large body that is refused is not read, and yet the client reads the refusal rather than a reset.
func TestLargeBodyIsAnswered(t *testing.T) {
	s := mustServe(t, Config{}, Parts{})
	c := mustDial(t, s)
	body := strings.Repeat("a", 900<<10)
	go func() {
		_, _ = c.Write([]byte("POST / HTTP/1.1\r\nOrigin: x\r\n" + host + "Content-Length: 921600\r\n\r\n" + body))
	}()
	res, said := mustParse(t, mustSend(t, c, ""))
	checkRefusal(t, res, said, 413, "SerializationException")
}

func TestBodyThatEndsEarly(t *testing.T) {
	reached := make(chan string, 1)
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(_ http.ResponseWriter, _ *http.Request, body []byte, _ door.Origin) {
		reached <- string(body)
	})})
	c := mustDial(t, s)
	if _, err := c.Write([]byte("POST / HTTP/1.1\r\nOrigin: x\r\n" + host + "Content-Length: 10\r\n\r\n{}")); err != nil {
		t.Fatal(err)
	}
	if err := closeWrite(c); err != nil {
		t.Fatal(err)
	}
	res, body := mustParse(t, mustSend(t, c, ""))
	checkRefusal(t, res, body, 400, "SerializationException")
	if len(reached) != 0 {
		t.Errorf("the door was reached with %q", <-reached)
	}
}

// The memory of all bodies together is bounded; what was held is given back, also by refused requests.
func TestBodyMemory(t *testing.T) {
	inside, release := make(chan bool), make(chan bool)
	s := mustServe(t, Config{Limits: Limits{BodyMemory: 10_000}}, Parts{
		Door: doorFunc(func(_ http.ResponseWriter, r *http.Request, _ []byte, _ door.Origin) {
			if r.URL.Path == "/hold" {
				inside <- true
				<-release
			}
		}),
	})
	held := make(chan error, 1)
	go func() {
		_, _, err := do(t, s, "POST", "/hold", strings.Repeat("a", 8000))
		held <- err
	}()
	<-inside
	res, body := mustDo(t, s, "POST", "/", strings.Repeat("a", 4000), "Origin: x")
	checkRefusal(t, res, body, 400, "TooManyRequestsException")
	release <- true
	if err := <-held; err != nil {
		t.Error(err)
	}
	wait(t, "the memory to be given back", func() bool { return s.frame.memory.left.Load() == 10_000 })
	if res, _ := mustDo(t, s, "POST", "/", strings.Repeat("a", 4000)); res.StatusCode != 200 {
		t.Errorf("afterwards: got %d", res.StatusCode)
	}
	if res, _ := mustDo(t, s, "POST", "/", strings.Repeat("a", 600<<10)); res.StatusCode != 413 {
		t.Errorf("too large: got %d", res.StatusCode)
	}
	wait(t, "all memory to be given back", func() bool { return s.frame.memory.left.Load() == 10_000 })
}

// A panic costs its request and nothing else, and says nothing of it to anybody (security I9).
func TestPanics(t *testing.T) {
	for _, tt := range []struct {
		name   string
		panics func(w http.ResponseWriter, body []byte)
		want   string // in the log
	}{
		{"a value", func(_ http.ResponseWriter, body []byte) { panic(string(body)) }, "a value of type string"},
		{"an error", func(_ http.ResponseWriter, body []byte) { panic(errors.New(string(body))) }, "a value of type *errors.errorString"},
		{"of the runtime", func(_ http.ResponseWriter, body []byte) { _ = body[1000] }, "index out of range"},
		{"nil map", func(_ http.ResponseWriter, body []byte) { map[string]map[string]int{}[string(body)]["x"] = 1 }, "nil map"},
		{"after headers", func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Length", "5")
			w.Header().Set("X-Amzn-Errormessage", string(body))
			panic(1)
		}, "a value of type int"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustServe(t, Config{}, Parts{Door: doorFunc(func(w http.ResponseWriter, _ *http.Request, body []byte, _ door.Origin) {
				tt.panics(w, body)
			})})
			res, body := mustDo(t, s, "POST", "/?secret-query", "secret-body", "Origin: x", "X-Secret: secret-header")
			checkRefusal(t, res, body, 500, "InternalErrorException")
			if body != `{"__type":"InternalErrorException","message":"Internal error."}` {
				t.Errorf("body: got %s", body)
			}
			said := s.log.String()
			for _, want := range []string{"level=ERROR", "request_id=" + res.Header.Get("X-Amzn-Requestid"), tt.want, "frame_test.go:"} {
				if !strings.Contains(said, want) {
					t.Errorf("the log lacks %q: %s", want, said)
				}
			}
			if strings.Contains(said, "secret") {
				t.Errorf("the log has values of the request: %s", said)
			}
			if got := scrape(t, s.frame.metrics); !strings.Contains(got, "idpool_http_panics_total 1\n") {
				t.Error("the panic was not counted")
			}
		})
	}
}

// An answer that has begun cannot be taken back; the client must see that it is broken.
func TestPanicAfterTheAnswerBegan(t *testing.T) {
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(w http.ResponseWriter, _ *http.Request, _ []byte, _ door.Origin) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic("x")
	})})
	got := mustSend(t, mustDial(t, s), "GET / HTTP/1.1\r\n"+host+"\r\n")
	if !strings.HasSuffix(got, "\r\n\r\nhalf") || strings.Count(got, "HTTP/1.1") != 1 {
		t.Errorf("got %q", got)
	}
	if said := s.log.String(); strings.Count(said, "level=ERROR") != 1 {
		t.Errorf("log: got %s", said)
	}
}

func TestAbortedHandlerSaysNothing(t *testing.T) {
	s := mustServe(t, Config{}, Parts{Door: doorFunc(func(http.ResponseWriter, *http.Request, []byte, door.Origin) {
		panic(http.ErrAbortHandler)
	})})
	if got := mustSend(t, mustDial(t, s), "GET / HTTP/1.1\r\n"+host+"\r\n"); got != "" {
		t.Errorf("got %q", got)
	}
	if strings.Contains(s.log.String(), "ERROR") {
		t.Errorf("log: got %s", s.log)
	}
}

// The door's context ends at the deadline, so that it can answer before the connection is cut.
func TestRequestTimeout(t *testing.T) {
	s := mustServe(t, Config{Limits: Limits{RequestTimeout: 20 * time.Millisecond}}, Parts{
		Door: doorFunc(func(w http.ResponseWriter, r *http.Request, _ []byte, _ door.Origin) {
			<-r.Context().Done()
			_, _ = w.Write([]byte(r.Context().Err().Error()))
		}),
	})
	if res, body := mustDo(t, s, "POST", "/", "{}"); res.StatusCode != 200 || body != context.DeadlineExceeded.Error() {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}

func TestPages(t *testing.T) {
	page := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data := make([]byte, 100)
			n, _ := r.Body.Read(data)
			_, _ = w.Write([]byte(name + " " + string(data[:n])))
		})
	}
	s := mustServe(t, Config{}, Parts{Pages: map[string]http.Handler{
		"/.well-known/openid-configuration": page("discovery"), "/idp/": page("idp"), "/idp/deep/": page("deep"), "/idp/exact": page("exact"),
	}})
	for _, tt := range []struct{ path, want string }{
		{"/.well-known/openid-configuration", "discovery {}"},
		{"/.well-known/openid-configuration?x=y", "discovery {}"},
		{"/.well-known/openid-configuration/", "POST"},
		{"/.well-known/openid-configuratio%6E", "POST"}, // as sent, not as meant
		{"/.well-known//openid-configuration", "POST"},
		{"/x/../.well-known/openid-configuration", "POST"},
		{"/idp/", "idp {}"},
		{"/idp/a/b", "idp {}"},
		{"/idp/deep/x", "deep {}"},
		{"/idp/exact", "exact {}"},
		{"/idp", "POST"},
		{"/idpx/", "POST"},
		{"/livez/", "POST"},
		{"//livez", "POST"},
		{"/LIVEZ", "POST"},
		{"/%6Civez", "POST"},
	} {
		got := mustSend(t, mustDial(t, s), "POST "+tt.path+" HTTP/1.1\r\n"+host+"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
		if _, body := mustParse(t, got); !strings.HasPrefix(body, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.path, body, tt.want)
		}
	}
}

func TestPagesMustNotHideOthers(t *testing.T) {
	for _, path := range []string{"/", "", "x", "/livez", "/readyz"} {
		f := &frame{}
		if err := f.split(map[string]http.Handler{path: http.NotFoundHandler()}); err == nil {
			t.Errorf("page %q: got no error", path)
		}
	}
	if err := (&frame{}).split(map[string]http.Handler{"/x": nil}); err == nil {
		t.Error("a page without a handler: got no error")
	}
}

// What may be cached (security I7): never the API's answers, never errors, a page's documents where it says so.
func TestCaching(t *testing.T) {
	answer := func(status int, cache string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if cache != "" {
				w.Header().Set("Cache-Control", cache)
				w.Header().Set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
			}
			w.WriteHeader(status)
		})
	}
	s := mustServe(t, Config{}, Parts{
		Pages: map[string]http.Handler{
			"/jwks": answer(200, "public, max-age=3600"), "/404": answer(404, "public, max-age=3600"),
			"/500": answer(500, "public, max-age=3600"), "/silent": answer(200, ""), "/panic": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", "public, max-age=3600")
				panic("x")
			}),
		},
		Door: doorFunc(func(w http.ResponseWriter, r *http.Request, _ []byte, _ door.Origin) {
			if r.URL.Path == "/400" {
				w.WriteHeader(400)
			}
		}),
	})
	for _, tt := range []struct {
		path, want string
		status     int
	}{
		{"/jwks", "public, max-age=3600", 200},
		{"/404", "no-store", 404},
		{"/500", "no-store", 500},
		{"/panic", "no-store", 500},
		{"/silent", "no-store", 200},
		{"/", "no-store", 200},
		{"/400", "no-store", 400},
		{"/livez", "no-store", 200},
		{"/readyz", "no-store", 200},
	} {
		res, _ := mustDo(t, s, "GET", tt.path, "")
		if got := res.Header["Cache-Control"]; res.StatusCode != tt.status || len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s: got %d %q, want %d %q", tt.path, res.StatusCode, got, tt.status, tt.want)
		}
		if expires := res.Header.Get("Expires"); (expires != "") != (tt.path == "/jwks") {
			t.Errorf("%s: Expires: got %q", tt.path, expires)
		}
	}
}
