// Package socialtest has stand-ins for providers that are asked about logins: Graph's debug_token, tokeninfo of Login with
// Amazon, Twitter's verify_credentials, and the introspection endpoint of a user pool. Their answers have the shapes that
// the providers document, refusals included; on request they misbehave instead.
//
// Only tests import this package.
package socialtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Mode is how a fake answers.
type Mode string

// The modes. Genuine is what the provider would say.
const (
	Genuine  Mode = ""
	Slow     Mode = "slow"      // nothing, until the asker gives up
	Huge     Mode = "huge"      // more than any answer may have
	Page     Mode = "page"      // 200 and an HTML page
	Garbage  Mode = "garbage"   // 200 and something like JSON
	Twice    Mode = "twice"     // 200 and an answer with a member named twice
	Empty    Mode = "empty"     // 200 and nothing
	Null     Mode = "null"      // 200 and an object without any member
	Redirect Mode = "redirect"  // 302 to where a genuine answer is
	HangUp   Mode = "hang up"   // half an answer
	Broken   Mode = "broken"    // 500 with an error of the provider
	Limited  Mode = "limited"   // too many requests of the app
	NotFound Mode = "not found" // 404
	OtherApp Mode = "other app" // vouches for the token, as one of another app
	Nobody   Mode = "nobody"    // vouches for the token, and names no user
)

// Modes are all modes in which nothing of an answer can be believed.
var Modes = []Mode{Slow, Huge, Page, Garbage, Twice, Empty, Null, Redirect, HangUp, Broken, Limited, NotFound, Nobody}

// Token is what a provider knows of an access token.
type Token struct {
	App, User string
	// Ends is when it ends; zero for never.
	Ends time.Time
	// Secret is that of a token of Twitter's.
	Secret string
	// Kind is the type of a token of Facebook's; empty for USER.
	Kind string
	// Revoked tokens were taken back.
	Revoked bool
}

// Fake is a provider.
type Fake struct {
	// URL is its endpoint.
	URL string

	now    func() time.Time
	answer func(f *Fake, r *http.Request) (status int, body any)
	// secrets are the apps' by their ids.
	secrets map[string]string

	mu     sync.Mutex
	mode   Mode
	tokens map[string]Token
	asked  []*http.Request
	done   chan struct{}
}

func start(t testing.TB, path string, now func() time.Time, secrets map[string]string, answer func(*Fake, *http.Request) (int, any)) *Fake {
	t.Helper()
	f := &Fake{now: now, answer: answer, secrets: secrets, tokens: map[string]Token{}, done: make(chan struct{})}
	web := httptest.NewServer(f)
	t.Cleanup(func() { close(f.done); web.Close() })
	f.URL = web.URL + path
	return f
}

// Put makes a token known, or changes it.
func (f *Fake) Put(text string, t Token) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens[text] = t
}

// Set changes how the fake answers.
func (f *Fake) Set(m Mode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = m
}

// Asked returns how often it was asked.
func (f *Fake) Asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

// Last returns the last request.
func (f *Fake) Last() *http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[len(f.asked)-1]
}

func (f *Fake) token(text string) (Token, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tokens[text]
	return t, ok
}

// confuse changes a token by the mode.
func (f *Fake) confuse(t Token) Token {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.mode {
	case OtherApp:
		t.App = "another-app"
	case Nobody:
		t.User = ""
	}
	return t
}

func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mu.Lock()
	f.asked = append(f.asked, r)
	mode := f.mode
	f.mu.Unlock()
	if r.URL.Query().Get("redirected") != "" || !f.misbehave(w, r, mode) {
		status, body := f.answer(f, r)
		write(w, status, body)
	}
}

// misbehave answers in a mode, unless it is one in which there is an answer.
func (f *Fake) misbehave(w http.ResponseWriter, r *http.Request, mode Mode) bool {
	switch mode {
	case Slow:
		select {
		case <-f.done:
		case <-r.Context().Done():
		}
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append([]byte(`{"x":"`), make([]byte, 1<<20)...))
	case Page:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Sorry</title>"))
	case Garbage:
		_, _ = w.Write([]byte(`{"data":{"is_valid":true,`))
	case Twice:
		_, _ = w.Write([]byte(`{"active":true,"active":true,"user_id":"a","user_id":"a","id_str":"a","id_str":"a"}`))
	case Empty:
	case Null:
		_, _ = w.Write([]byte(`{}`))
	case Redirect:
		http.Redirect(w, r, f.URL+"?redirected=1&"+r.URL.RawQuery, http.StatusFound)
	case HangUp:
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"data":`))
	case NotFound:
		http.NotFound(w, r)
	default:
		return false
	}
	return true
}

func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the fakes' own values
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// current is the mode, for answers that depend on it.
func (f *Fake) current() Mode {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mode
}

// object is a JSON object.
type object = map[string]any
