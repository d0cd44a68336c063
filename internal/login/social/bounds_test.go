package social

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"idpool/internal/fetch"
	"idpool/internal/login"
	"idpool/internal/login/social/socialtest"
)

// held is an asker whose answers wait, and that counts how many wait at once.
type held struct {
	release   chan struct{}
	entered   chan struct{}
	now, most atomic.Int64
}

func (h *held) Ask(ctx context.Context, _ fetch.Request) (*fetch.Answer, error) {
	if n := h.now.Add(1); n > h.most.Load() {
		h.most.Store(n)
	}
	defer h.now.Add(-1)
	h.entered <- struct{}{}
	select {
	case <-h.release:
		return nil, errors.New("nothing")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestAtOnce: at most so many questions are under way at one provider; who comes then is told to come again, and other
// providers do not notice.
func TestAtOnce(t *testing.T) {
	h := &held{release: make(chan struct{}), entered: make(chan struct{}, 100)}
	places := startPlaces(t)
	v := newVerifier(t, func(o *Options) { o.Asker, o.AtOnce = h, 3 })
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, _ = v.Verify(t.Context(), places["amazon"].provider, amazonToken, noon) // its refusal is not what is tested
		})
		<-h.entered
	}
	l, err := v.Verify(t.Context(), places["amazon"].provider, amazonToken, noon)
	mustRefuse(t, "the fourth", l, err, login.Busy)
	all.Go(func() {
		l, err := v.Verify(t.Context(), places["twitter"].provider, twitterToken, noon)
		mustRefuse(t, "another provider's", l, err, login.IssuerUnreachable)
	})
	<-h.entered
	close(h.release)
	all.Wait()
	if got := h.most.Load(); got != 4 {
		t.Errorf("got %d questions at once, want 3 and one", got)
	}
}

// TestPerSecond: random tokens are no flood at the provider's.
func TestPerSecond(t *testing.T) {
	v := newVerifier(t, func(o *Options) { o.PerSecond = 5 })
	places := startPlaces(t)
	busy := 0
	for range 50 {
		_, err := v.Verify(t.Context(), places["amazon"].provider, "Atza|x", noon)
		if r, ok := errors.AsType[*login.Refusal](err); ok && r.Reason == login.Busy {
			busy++
		}
	}
	if places["amazon"].Asked() != 5 || busy != 45 {
		t.Errorf("got %d questions and %d who are to come again, want 5 and 45", places["amazon"].Asked(), busy)
	}
	if _, err := v.Verify(t.Context(), places["facebook"].provider, facebookToken, noon); err != nil {
		t.Errorf("another provider: %v", err)
	}
	if _, err := v.Verify(t.Context(), places["amazon"].provider, amazonToken, noon.Add(1e9)); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

// TestUserPool: ServerSideTokenCheck asks the user pool, after all else, for the clients that have it on.
func TestUserPool(t *testing.T) {
	const name, secret = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", "bearerhunter2"
	place := socialtest.StartIntrospection(t, now, secret)
	place.Put("a.b.hunter2", socialtest.Token{User: "u"})
	ids := &idTokens{token: "a.b.hunter2", login: login.Login{Subject: "u", Audience: "checked"}}
	v := newVerifier(t, func(o *Options) { o.IDTokens = ids })
	settings := login.Settings{Endpoints: map[string]string{name: place.URL}, Secrets: map[string]login.Secret{name: login.NewSecret(secret)}}
	p := settings.UserPool(name, []string{"plain", "checked"}, []string{"checked"})

	l, err := v.Verify(t.Context(), p, "a.b.hunter2", noon)
	if err != nil || l.Subject != "u" || place.Asked() != 1 {
		t.Fatalf("active: got %+v and %v after %d questions", l, err, place.Asked())
	}
	if r := place.Last(); r.PostForm.Get("token") != "a.b.hunter2" || r.PostForm.Get("token_type_hint") != "id_token" || r.URL.RawQuery != "" {
		t.Errorf("got the form %v and the query %q", r.PostForm, r.URL.RawQuery)
	}
	place.Put("a.b.hunter2", socialtest.Token{Revoked: true})
	l, err = v.Verify(t.Context(), p, "a.b.hunter2", noon)
	mustRefuse(t, "signed out", l, err, login.Inactive)
	place.Put("a.b.hunter2", socialtest.Token{User: "u"})
	for _, mode := range socialtest.Modes {
		place.Set(mode)
		l, err = v.Verify(t.Context(), p, "a.b.hunter2", noon)
		mustRefuse(t, string(mode), l, err, login.IssuerUnreachable)
	}
	place.Set(socialtest.Genuine)
	asked := place.Asked()

	wrong := *p
	wrong.Secret = login.NewSecret("x")
	l, err = v.Verify(t.Context(), &wrong, "a.b.hunter2", noon)
	mustRefuse(t, "wrong bearer token", l, err, login.IssuerUnreachable)
	nowhere := *p
	nowhere.Endpoint = ""
	l, err = v.Verify(t.Context(), &nowhere, "a.b.hunter2", noon)
	if r := mustRefuse(t, "no endpoint", l, err, login.IssuerUnreachable); !strings.Contains(r.Expected, "login_providers.endpoints") {
		t.Errorf("got %q, want an operator to read what is missing", r.Expected)
	}
	l, err = v.Verify(t.Context(), p, "forged.b.c", noon)
	mustRefuse(t, "forged", l, err, login.BadSignature)
	ids.login.Audience = "plain"
	if _, err := v.Verify(t.Context(), p, "a.b.hunter2", noon); err != nil {
		t.Errorf("a client without the check: %v", err)
	}
	if n := place.Asked() - asked; n != 1 {
		t.Errorf("got %d questions, want the one with the wrong bearer token", n)
	}
}

// told is an asker who always gets one answer.
type told struct{ answer fetch.Answer }

func (a told) Ask(context.Context, fetch.Request) (*fetch.Answer, error) { return &a.answer, nil }

// TestRefusedIntrospection: an endpoint that refuses us has said nothing, whatever its words are.
func TestRefusedIntrospection(t *testing.T) {
	ids := &idTokens{token: "a.b.c", login: login.Login{Subject: "u", Audience: "app"}}
	settings := login.Settings{}
	p := settings.UserPool("cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC", []string{"app"}, []string{"app"})
	p.Endpoint = "https://users.example.com/introspect"
	for status, want := range map[int]login.Reason{200: "", 400: login.IssuerUnreachable, 401: login.IssuerUnreachable, 403: login.IssuerUnreachable} {
		v := newVerifier(t, func(o *Options) {
			o.IDTokens, o.Asker = ids, told{fetch.Answer{Status: status, Body: []byte(`{"active":true}`)}}
		})
		l, err := v.Verify(t.Context(), p, "a.b.c", noon)
		if want == "" {
			if err != nil {
				t.Errorf("%d: %v", status, err)
			}
			continue
		}
		mustRefuse(t, "status", l, err, want)
	}
}
