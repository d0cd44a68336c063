package login

import "testing"

// TestAMR is the form of spec cognito-identity §10.2 for an IAM OpenID Connect provider.
func TestAMR(t *testing.T) {
	const provider = "arn:aws:iam::123456789012:oidc-provider/token.example.com/org"
	l := Login{
		Provider: &Provider{Kind: OIDC, Key: "token.example.com/org", ARN: provider, Issuer: "https://token.example.com/org"},
		Subject:  "repo:org/repo:ref:refs/heads/main", Audience: "sts.example.com",
	}
	want := [2]string{"token.example.com/org", provider + ":OIDC:repo:org/repo:ref:refs/heads/main"}
	if got := l.AMR(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
