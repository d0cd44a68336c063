package stsclient

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"idpool/internal/authority"
	"idpool/internal/fetch"
)

// The call is the one that AWS's own serializer writes, member by member, unsigned; and its own deserializer reads from the
// answers what we read.
func TestCallIsThatOfTheSDK(t *testing.T) {
	var forms []url.Values
	var signed []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.URL.Path != "/" {
			t.Errorf("got %s %s, %v", r.Method, r.URL, err)
		}
		forms, signed = append(forms, r.PostForm), append(signed, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, answerOf(inNamespace, user, credentials))
	}))
	defer web.Close()
	theirs := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(web.URL), Credentials: aws.AnonymousCredentials{}})
	out, err := theirs.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("S"), WebIdentityToken: aws.String("a.b+c/=.d"),
		Policy: aws.String(`{"Version":"2012-10-17", "é": "+ %"}`), DurationSeconds: aws.Int32(3600),
	})
	if err != nil {
		t.Fatal(err)
	}
	ours := Client{"aws": fetch.New(fetch.Config{LoopbackHTTP: true, Timeout: time.Second})}
	got, err := ours.Ask(t.Context(), &authority.Authority{Name: "aws", Endpoint: web.URL}, []authority.Field{
		{Name: "Action", Value: "AssumeRoleWithWebIdentity"}, {Name: "Version", Value: "2011-06-15"},
		{Name: "RoleArn", Value: "arn:aws:iam::123456789012:role/x"}, {Name: "RoleSessionName", Value: "S"}, {Name: "WebIdentityToken", Value: "a.b+c/=.d"},
		{Name: "Policy", Value: `{"Version":"2012-10-17", "é": "+ %"}`}, {Name: "DurationSeconds", Value: "3600"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(forms) != 2 || forms[0].Encode() != forms[1].Encode() || signed[0] != "" || signed[1] != "" {
		t.Errorf("the SDK sends\n%v, and we\n%v", forms[0], forms[1])
	}
	c := out.Credentials
	if got.AccessKeyID != *c.AccessKeyId || got.SecretAccessKey != *c.SecretAccessKey || got.SessionToken != *c.SessionToken ||
		!got.Expiration.Equal(*c.Expiration) || got.RoleARN != *out.AssumedRoleUser.Arn {
		t.Errorf("the SDK reads %+v, and we %+v", c, got)
	}
}
