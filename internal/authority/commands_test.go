package authority

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCommands(t *testing.T) {
	const pool = "us-east-1:pool"
	for kind, c := range map[string]struct {
		role string
		want []string
	}{
		"aws": {"arn:aws:iam::123456789012:role/team/App", []string{
			"aws iam create-open-id-connect-provider --region eu-west-1 --url 'https://id.example.com/authority/x' --client-id-list 'us-east-1:pool'\n",
			"--role-name 'App' --path '/team/' --max-session-duration 3600",
			`"Principal":{"Federated":["arn:aws:iam::123456789012:oidc-provider/id.example.com/authority/x"]}`,
			`"StringEquals":{"id.example.com/authority/x:aud":"us-east-1:pool"}`,
		}},
		"ceph": {"arn:aws:iam:::role/App", []string{
			"--endpoint-url 'https://s3.example.com'", "--thumbprint-list 0000000000000000000000000000000000000000\n", "--path '/'",
			`"Federated":["arn:aws:iam:::oidc-provider/id.example.com/authority/x"]`,
		}},
		"seaweedfs": {"arn:aws:iam::role/App", []string{`"roleArn":"arn:aws:iam::role/App"`, `"oidc:aud":"us-east-1:pool"`, `"issuer":"https://id.example.com/authority/x"`}},
		"minio":     {"arn:minio:iam:::role/x", []string{"config_url='https://id.example.com/authority/x/.well-known/openid-configuration' client_id='us-east-1:pool'"}},
	} {
		a := &Authority{Name: "x", Dialect: DialectOf(kind), Endpoint: "https://s3.example.com", Region: "eu-west-1", Issuer: "https://id.example.com/authority/x", Duration: time.Hour}
		var b strings.Builder
		if err := a.WriteCommands(&b, c.role, pool); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: got\n%s\nwithout %s", kind, b.String(), want)
			}
		}
		a.Audience = "it's"
		b.Reset()
		if err := a.WriteCommands(&b, c.role, pool); err != nil || strings.Contains(b.String(), pool) {
			t.Errorf("%s: got\n%s%v, want the authority's own audience", kind, b.String(), err)
		}
		if kind != "seaweedfs" && !strings.Contains(b.String(), `'it'\''s'`) {
			t.Errorf("%s: a quote is not quoted: %s", kind, b.String())
		}
	}
}

func TestTry(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		answer any
		want   string
	}{
		"it trusts":        {w.good(), ""},
		"it refuses":       {&Failure{Why: Refused, Status: 403, Code: "AccessDenied"}, `refused: it answered 403 AccessDenied ""`},
		"it cannot be had": {&Failure{Why: Unreachable, Cause: errors.New("no such host")}, "unreachable: no such host"},
		"another role":     {&Answer{AccessKeyID: "K", SecretAccessKey: "S", SessionToken: "T", Expiration: w.now.Add(time.Hour), RoleARN: "arn:aws:sts:::assumed-role/Y/S"}, "garbled: the credentials are for another role or session"},
	} {
		w.sts.answers = []any{c.answer}
		err := w.Try(t.Context(), signer{}, w.a, roleARN, "us-east-1:pool")
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
