package login

import "testing"

// TestAMR has the form of spec cognito-identity §10.2 for each kind of provider.
func TestAMR(t *testing.T) {
	const (
		iam  = "arn:aws:iam::123456789012:"
		pool = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf"
	)
	for _, c := range []struct {
		login Login
		want  [2]string
	}{
		{
			Login{
				Provider: &Provider{Kind: OIDC, Key: "token.example.com/org", ARN: iam + "oidc-provider/token.example.com/org", Issuer: "https://token.example.com/org"},
				Subject:  "repo:org/repo:ref:refs/heads/main", Audience: "sts.example.com",
			},
			[2]string{"token.example.com/org", iam + "oidc-provider/token.example.com/org:OIDC:repo:org/repo:ref:refs/heads/main"},
		},
		{
			Login{Provider: &Provider{Kind: SAML, Key: iam + "saml-provider/corp", ARN: iam + "saml-provider/corp", Issuer: "https://idp.example.com"}, Subject: "alice@example.com", Audience: "urn:amazon:webservices"},
			[2]string{iam + "saml-provider/corp", iam + "saml-provider/corp:SAML:alice@example.com"},
		},
		{
			Login{Provider: &Provider{Kind: UserPool, Key: pool, Issuer: "https://" + pool}, Subject: "0b6c-11", Audience: "client"},
			[2]string{pool, pool + ":CognitoSignIn:0b6c-11"},
		},
		{
			Login{Provider: &Provider{Kind: Social, Key: "graph.facebook.com"}, Subject: "10203", Audience: "4711"},
			[2]string{"graph.facebook.com", "graph.facebook.com:4711:10203"},
		},
	} {
		if got := c.login.AMR(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.login.Provider.Kind, got, c.want)
		}
	}
}
