package stsclient

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idpool/internal/authority"
	"idpool/internal/fetch"
)

// answerOf is a whole answer, with or without STS's namespace.
func answerOf(namespace, user, credentials string) string {
	return `<AssumeRoleWithWebIdentityResponse` + namespace + `><AssumeRoleWithWebIdentityResult>` + user + credentials +
		`<Provider>p</Provider></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`
}

const (
	inNamespace = ` xmlns="https://sts.amazonaws.com/doc/2011-06-15/"`
	user        = `<AssumedRoleUser><Arn>arn:aws:sts:::assumed-role/X/S</Arn><AssumeRoleId>i:S</AssumeRoleId></AssumedRoleUser>`
	credentials = `<Credentials><AccessKeyId>KEY</AccessKeyId><Expiration>2026-11-23T04:11:58.881679289Z</Expiration><SecretAccessKey>a/b+c=</SecretAccessKey><SessionToken>T&amp;/+=</SessionToken></Credentials>`
)

// ask asks a server that answers with the handler.
func ask(t *testing.T, timeout time.Duration, handler http.HandlerFunc) (*authority.Answer, *authority.Failure) {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	c := Client{"ceph": fetch.New(fetch.Config{LoopbackHTTP: true, Timeout: timeout})}
	answer, err := c.Ask(t.Context(), &authority.Authority{Name: "ceph", Endpoint: web.URL}, []authority.Field{{Name: "Action", Value: "x"}, {Name: "Policy", Value: `{"a": "b+c d"}`}})
	f, ok := errors.AsType[*authority.Failure](err)
	if err != nil && !ok || (err == nil) != (answer != nil) {
		t.Fatalf("got %v, %v", answer, err)
	}
	return answer, f
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAsk(t *testing.T) {
	for name, body := range map[string]string{
		"as AWS":        `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + answerOf(inNamespace, user, credentials) + "\n",
		"as Ceph":       answerOf("", user, credentials),
		"with comments": "<!-- a -->" + answerOf("", user, strings.Replace(credentials, "KEY", "K<!-- b -->EY", 1)),
	} {
		got, err := ask(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
			form, _ := io.ReadAll(r.Body)
			if r.Method != "POST" || r.URL.Path != "/" || r.URL.RawQuery != "" || !strings.Contains(r.Header.Get("Accept"), "xml") ||
				r.Header.Get("Authorization") != "" || string(form) != "Action=x&Policy=%7B%22a%22%3A%20%22b%2Bc%20d%22%7D" {
				t.Errorf("%s: got %s %s, %v, %s", name, r.Method, r.URL, r.Header, form)
			}
			text(200, body)(w, r)
		})
		want := authority.Answer{
			AccessKeyID: "KEY", SecretAccessKey: "a/b+c=", SessionToken: "T&/+=", RoleARN: "arn:aws:sts:::assumed-role/X/S",
			Expiration: time.Date(2026, 11, 23, 4, 11, 58, 881679289, time.UTC),
		}
		if err != nil || *got != want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if got, err := ask(t, time.Second, text(200, answerOf("", "<AssumedRoleUser></AssumedRoleUser>", credentials))); err != nil || got.RoleARN != "" {
		t.Errorf("as MinIO: got %+v, %v", got, err)
	}
}

// An answer that is not exactly one is none (security J10).
func TestGarbage(t *testing.T) {
	good := answerOf("", user, credentials)
	for name, body := range map[string]string{
		"nothing":                "",
		"HTML":                   "<html><body>Welcome</body></html>",
		"JSON":                   `{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":{"AccessKeyId":"KEY"}}}}`,
		"cut":                    good[:len(good)-10],
		"twice":                  good + good,
		"text after it":          good + "x",
		"another operation":      strings.ReplaceAll(good, "AssumeRoleWithWebIdentity", "AssumeRole"),
		"another namespace":      answerOf(` xmlns="https://example.com/"`, user, credentials),
		"an error with 200":      `<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>`,
		"a document type":        `<!DOCTYPE x [<!ENTITY e "KEY">]>` + strings.Replace(good, "KEY", "&e;", 1),
		"an entity":              strings.Replace(good, "KEY", "&e;", 1),
		"two credentials":        answerOf("", user, credentials+credentials),
		"two secrets":            strings.Replace(good, "<SecretAccessKey>", "<SecretAccessKey>x</SecretAccessKey><SecretAccessKey>", 1),
		"two users":              answerOf("", user+user, credentials),
		"credentials elsewhere":  `<AssumeRoleWithWebIdentityResponse>` + credentials + `</AssumeRoleWithWebIdentityResponse>`,
		"no credentials":         answerOf("", user, ""),
		"elements in the secret": strings.Replace(good, "a/b+c=", "<b>x</b>", 1),
		"no expiration":          strings.Replace(good, "2026-11-23T04:11:58.881679289Z", "", 1),
		"expiration in words":    strings.Replace(good, "2026-11-23T04:11:58.881679289Z", "tomorrow", 1),
		"too deep":               strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50),
		"too many elements":      answerOf("", strings.Repeat("<a/>", 200), credentials),
		"not UTF-8":              strings.Replace(good, "KEY", "\xff", 1),
	} {
		if got, err := ask(t, time.Second, text(200, body)); err == nil || err.Why != authority.Garbled {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status        int
		body          string
		why           authority.Why
		code, message string
	}{
		"as AWS":        {403, `<ErrorResponse` + inNamespace + `><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error><RequestId>x</RequestId></ErrorResponse>`, authority.Refused, "AccessDenied", "Not authorized"},
		"as Ceph":       {403, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message></Message><RequestId>tx</RequestId></Error>`, authority.Refused, "AccessDenied", ""},
		"throttled":     {400, `<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>`, authority.Throttled, "Throttling", ""},
		"429":           {429, `slow down`, authority.Throttled, "", ""},
		"IDP":           {400, `<ErrorResponse><Error><Code>IDPCommunicationError</Code><Message>m</Message></Error></ErrorResponse>`, authority.Unreachable, "IDPCommunicationError", "m"},
		"408":           {408, ``, authority.Unreachable, "", ""},
		"no STS":        {404, `<html>`, authority.Garbled, "", ""},
		"no reason":     {403, `nope`, authority.Refused, "", ""},
		"JSON":          {400, `{"Error":{"Code":"Throttling"}}`, authority.Refused, "", ""},
		"broken":        {500, `<Error><Code>x</Code></Error>`, authority.Unreachable, "", ""},
		"unavailable":   {503, ``, authority.Unreachable, "", ""},
		"redirect":      {307, ``, authority.Unreachable, "", ""},
		"nothing there": {204, ``, authority.Unreachable, "", ""},
	} {
		_, err := ask(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			text(c.status, c.body)(w, r)
		})
		if err == nil || err.Why != c.why || err.Code != c.code || err.Message != c.message {
			t.Errorf("%s: got %+v", name, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	for name, handler := range map[string]http.HandlerFunc{
		"no answer in time": func(_ http.ResponseWriter, r *http.Request) { <-hold },
		"a slow body": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<Assume")
			_ = http.NewResponseController(w).Flush()
			<-hold
		},
		"a huge body": text(200, strings.Repeat("x", fetch.MaxBody+1)),
		"compressed":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") },
		"not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(c, "SSH-2.0\r\n")
			_ = c.Close()
		},
		"a closed connection": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := http.NewResponseController(w).Hijack()
			_ = c.Close()
		},
	} {
		if got, err := ask(t, 200*time.Millisecond, handler); err == nil || err.Why != authority.Unreachable || err.Status != 0 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	c := Client{"x": fetch.New(fetch.Config{Timeout: time.Second})}
	for _, endpoint := range []string{"http://127.0.0.1:9", "https://169.254.169.254", "https://10.0.0.1"} {
		if _, err := c.Ask(t.Context(), &authority.Authority{Name: "x", Endpoint: endpoint}, nil); err == nil {
			t.Errorf("%s was reached", endpoint)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(answerOf(inNamespace, user, credentials))
	f.Add(`<ErrorResponse><Error><Code>a</Code><Message>b</Message></Error></ErrorResponse>`)
	f.Add(`<Error><Code>a</Code></Error>`)
	f.Add(strings.Repeat("<a>", 20))
	f.Fuzz(func(t *testing.T, body string) {
		if got, err := read([]byte(body)); err == nil && (!strings.Contains(body, "AssumeRoleWithWebIdentityResponse") || got.Expiration.IsZero() && !strings.Contains(body, "0001")) {
			t.Errorf("got %+v of %q", got, body)
		}
		if code, message, err := readError([]byte(body)); err != nil && code+message != "" {
			t.Errorf("got %q and %q with %v", code, message, err)
		}
	})
}
