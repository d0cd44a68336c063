package sts_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/account"
	"idpool/internal/door"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
)

// denied calls an operation of STS as it is and returns the answer's status and the message about the denial.
func denied(t *testing.T, s *idpooltest.Server, signer *sigv4.Credentials, action string, more ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2011-06-15"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signed := &sigv4.Request{Method: "POST", Path: "/", Host: r.Host, Header: r.Header, ContentLength: int64(len(body)), Body: []byte(body)}
	if err := sigv4.Sign(signed, *signer, idpooltest.Region, "sts", s.Clock()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, answer.Header.Get(door.DenialHeader)
}

// TestDecodeAuthorizationMessage: a denial brings what the policies were asked, for who may read it, for a day.
func TestDecodeAuthorizationMessage(t *testing.T) {
	var ahead atomic.Int64
	s := idpooltest.Start(t, idpooltest.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	root := mustUser(t, s, "root", allow("sts:DecodeAuthorizationMessage", "*"))
	ann := mustUser(t, s, "ann", policyOf(`{"Sid":"NoKeys","Effect":"Deny","Action":"sts:GetAccessKeyInfo","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}`))
	status, message := denied(t, s, ann, "GetAccessKeyInfo", "AccessKeyId", ann.AccessKeyID)
	if status != 403 || message == "" || len(message) > 3<<10 {
		t.Fatalf("got %d and a message of %d letters", status, len(message))
	}
	text := mustAsk(t, s, root, "DecodeAuthorizationMessage", "EncodedMessage", message).Body.DecodedMessage
	var got struct {
		Allowed  *bool `json:"allowed"`
		Explicit bool  `json:"explicitDeny"`
		Matched  struct {
			Items []struct{ StatementID, Effect string }
		} `json:"matchedStatements"`
		Failures struct{ Items []any } `json:"failures"`
		Context  struct {
			Principal        struct{ ID, Name, ARN string }
			Action, Resource string
			Conditions       struct {
				Items []struct {
					Key    string
					Values struct{ Items []struct{ Value string } }
				}
			}
		} `json:"context"`
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	user := snapshotOf(t, s).UserNamed("ann")
	if got.Allowed == nil || *got.Allowed || !got.Explicit || len(got.Matched.Items) != 1 || got.Matched.Items[0].StatementID != "NoKeys" || got.Matched.Items[0].Effect != "DENY" ||
		got.Failures.Items == nil || got.Context.Principal.ID != user.ID || got.Context.Principal.Name != "ann" || got.Context.Principal.ARN != user.ARN ||
		got.Context.Action != "sts:GetAccessKeyInfo" || got.Context.Resource != "*" || len(got.Context.Conditions.Items) < 8 {
		t.Errorf("got %s", text)
	}
	if !strings.Contains(text, `{"key":"aws:username","values":{"items":[{"value":"ann"}]}}`) {
		t.Errorf("no condition key in %s", text)
	}

	const invalid = "The encoded message is invalid or has expired."
	other := idpooltest.Start(t, idpooltest.Options{})
	_, foreign := denied(t, other, mustUser(t, other, "ann"), "GetAccessKeyInfo", "AccessKeyId", ann.AccessKeyID)
	session := mustAsk(t, s, ann, "GetSessionToken").Body.Credentials.SessionToken
	for name, bad := range map[string]string{
		"another server's": foreign, "a session token": session, "nothing of ours": "x", "cut": message[:len(message)-1], "longer": message + "A",
		"a line break": message[:10] + "\n" + message[10:], "flipped": flip(message, len(message)/2), "twice": message + message,
	} {
		_, err := ask(s, root, "DecodeAuthorizationMessage", "EncodedMessage", bad)
		t.Log(name)
		wantFault(t, s, err, 400, "InvalidAuthorizationMessageException", invalid)
	}
	if _, err := s.WhoAmI(&sigv4.Credentials{AccessKeyID: ann.AccessKeyID, Secret: ann.Secret, Token: message}); err == nil {
		t.Error("a message is taken for a session token")
	}
	_, err := ask(s, root, "DecodeAuthorizationMessage", "EncodedMessage", strings.Repeat("A", 10241))
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	_, err = ask(s, ann, "DecodeAuthorizationMessage", "EncodedMessage", message)
	wantFault(t, s, err, 403, "AccessDenied", "User: arn:aws:iam::"+accountID+":user/ann is not authorized to perform: sts:DecodeAuthorizationMessage on resource: *")
	for d, ok := range map[time.Duration]bool{23*time.Hour + 59*time.Minute: true, 24 * time.Hour: false, -2 * time.Minute: false} {
		ahead.Store(int64(d))
		if err := s.Source.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(s, root, "DecodeAuthorizationMessage", "EncodedMessage", message); (err == nil) != ok {
			t.Errorf("after %v: %v", d, err)
		}
	}
}

// TestDenialsOfRolesAreAlike: no more than the sentence does the message tell whether there is a role.
func TestDenialsOfRolesAreAlike(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root, ann := mustUser(t, s, "root", allow("*", "*")), mustUser(t, s, "ann", allow("sts:*", "*"))
	tags := func(r *account.Role) { r.Tags = map[string]string{"team": strings.Repeat("blue ", 50)} }
	putRole(t, s, "there", policyOf(`{"Sid":"NeverEver","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`), tags)
	status, there := denied(t, s, ann, "AssumeRole", "RoleArn", roleARN("there"), "RoleSessionName", "job")
	again, gone := denied(t, s, ann, "AssumeRole", "RoleArn", roleARN("theirs")[:len(roleARN("there"))], "RoleSessionName", "job")
	if status != 403 || again != 403 || len(there) != len(gone) || there == "" {
		t.Errorf("got %d with %d letters, and %d with %d", status, len(there), again, len(gone))
	}
	text := mustAsk(t, s, root, "DecodeAuthorizationMessage", "EncodedMessage", there).Body.DecodedMessage
	if strings.Contains(text, "NeverEver") || strings.Contains(text, "blue") || strings.Contains(text, `"explicitDeny":true`) {
		t.Errorf("the message tells of the role: %s", text)
	}
	// What is allowed, and what is refused for another reason, has none.
	if status, message := denied(t, s, ann, "GetCallerIdentity"); status != 200 || message != "" {
		t.Errorf("got %d and %q", status, message)
	}
	if status, message := denied(t, s, ann, "GetAccessKeyInfo", "AccessKeyId", "x"); status != 400 || message != "" {
		t.Errorf("got %d and %q", status, message)
	}
}

// flip changes one letter.
func flip(token string, i int) string {
	b := []byte(token)
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
