package fetch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// secret stands for a token: it must be in what is sent, and in no error.
const secret = "EAAGhunter2"

func question(address string) Request {
	return Request{URL: address, Query: url.Values{"input_token": {secret}, "a b": {"|&="}}, Authorization: "Bearer " + secret}
}

func TestAsk(t *testing.T) {
	var got, body string
	s, c := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got = fmt.Sprint(r.Method, " ", r.URL.RequestURI(), " ", r.Header.Get("Authorization"), " ", r.Header.Get("Content-Type"), " ", r.Header.Get("Accept-Encoding"))
		body = string(text)
		_, _ = w.Write([]byte(`{"is_valid":true}`))
	})
	answer, err := c.Ask(t.Context(), question(s.URL+"/debug"))
	if err != nil || answer.Status != 200 || string(answer.Body) != `{"is_valid":true}` {
		t.Fatalf("got %+v and %v", answer, err)
	}
	if want := "GET /debug?a+b=%7C%26%3D&input_token=" + secret + " Bearer " + secret + "  identity"; got != want || body != "" {
		t.Errorf("got %q and the body %q, want %q", got, body, want)
	}
	if _, err := c.Ask(t.Context(), Request{URL: s.URL + "/active", Form: url.Values{"token": {secret}}}); err != nil {
		t.Fatal(err)
	}
	if want := "POST /active  application/x-www-form-urlencoded identity"; got != want || body != "token="+secret {
		t.Errorf("got %q and the body %q, want %q", got, body, want)
	}
}

// TestAskStatus: 200 and refusals are answers, the rest are errors.
func TestAskStatus(t *testing.T) {
	status := 0
	s, c := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		if status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"`+secret+`"}`)
	})
	for status = range map[int]bool{200: true, 400: true, 401: true, 403: true, 404: true, 429: true, 499: true} {
		answer, err := c.Ask(t.Context(), question(s.URL))
		if err != nil || answer.Status != status || string(answer.Body) != `{"error":"`+secret+`"}` {
			t.Errorf("%d: got %+v and %v, want the answer", status, answer, err)
		}
	}
	for _, status = range []int{201, 202, 206, 301, 302, 303, 307, 308, 500, 502, 503, 599} {
		answer, err := c.Ask(t.Context(), question(s.URL))
		if err == nil || answer != nil || !strings.Contains(err.Error(), fmt.Sprint(status)) || strings.Contains(err.Error(), secret) {
			t.Errorf("%d: got %+v and %v, want an error that names the status and nothing else", status, answer, err)
		}
	}
}

// TestAskLimits: the rules of Get hold, and no error repeats what was asked.
func TestAskLimits(t *testing.T) {
	s, c := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, MaxBody+1))
	})
	gone := mustServeRaw(t, func(_ context.Context, c net.Conn) { _ = c.Close() })
	long := Request{URL: s.URL, Query: url.Values{"t": {strings.Repeat("x", maxQuestion)}}}
	longForm := Request{URL: s.URL, Form: url.Values{"t": {strings.Repeat("x", maxQuestion)}}}
	for name, r := range map[string]struct {
		ask  Request
		want string
	}{
		"huge":            {question(s.URL), "larger than"},
		"hung up":         {question(gone), "breaks HTTP"},
		"long query":      {long, "longer than"},
		"long form":       {longForm, "longer than"},
		"query in URL":    {question(s.URL + "?" + secret), "query or a fragment"},
		"fragment in URL": {question(s.URL + "#" + secret), "query or a fragment"},
		"not https":       {question("ftp://example.com/"), "not https"},
		"not loopback":    {question("http://192.0.2.1/"), "loopback"},
		"private":         {question("https://127.0.0.1:1/"), "refused"},
		"bad header":      {Request{URL: s.URL, Authorization: secret + "\r\nX: y"}, "breaks HTTP"},
	} {
		answer, err := c.Ask(t.Context(), r.ask)
		if err == nil || answer != nil || !strings.Contains(err.Error(), r.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %+v and %v, want an error with %q and nothing of the question", name, answer, err, r.want)
		}
	}
}

func TestAskSlow(t *testing.T) {
	release := make(chan struct{})
	s, _ := mustServe(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := New(Config{LoopbackHTTP: true, Timeout: 50 * time.Millisecond})
	if _, err := c.Ask(t.Context(), question(s.URL)); err == nil || !strings.Contains(err.Error(), "no complete answer in time") || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an error of time", err)
	}
}
