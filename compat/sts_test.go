package compat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// TestSTS has both clients call the actions of STS, and boto3's own web-identity provider.
func TestSTS(t *testing.T) {
	need(t, exec.Command(python(), "-c", "import boto3").Run() == nil, "boto3 (Debian: python3-boto3)")
	_, err := os.Stat("/usr/bin/aws")
	need(t, err == nil, "the aws CLI (Debian: awscli)")
	for _, how := range []string{"boto3", "cli"} {
		t.Run(how, func(t *testing.T) { mustRun(t, mustStart(t), python(), "testdata/sts.py", how) })
	}
}

// TestSTSOfGoSDK: what Debian's clients do not know yet, and the Go SDK's own web-identity provider.
func TestSTSOfGoSDK(t *testing.T) {
	env := map[string]string{}
	for _, line := range mustStart(t) {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	admin := credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")
	client := func(c aws.CredentialsProvider) *sts.Client {
		return sts.New(sts.Options{BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), Region: env["AWS_REGION"], Credentials: c})
	}
	root := client(admin)
	ask := &sts.GetWebIdentityTokenInput{Audience: []string{"https://api.example"}, SigningAlgorithm: aws.String("ES384"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}
	_, err := root.GetWebIdentityToken(t.Context(), ask)
	if _, ok := errors.AsType[*types.OutboundWebIdentityFederationDisabledException](err); !ok {
		t.Errorf("GetWebIdentityToken before it is enabled: %v", err)
	}
	for name, call := range map[string]func() error{
		"AssumeRoot": func() error {
			_, err := root.AssumeRoot(t.Context(), &sts.AssumeRootInput{TargetPrincipal: aws.String(env["IDPOOL_ACCOUNT_ID"]), TaskPolicyArn: &types.PolicyDescriptorType{Arn: aws.String("arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy")}})
			return err
		},
		"GetDelegatedAccessToken": func() error {
			_, err := root.GetDelegatedAccessToken(t.Context(), &sts.GetDelegatedAccessTokenInput{TradeInToken: aws.String("x")})
			return err
		},
	} {
		if f, ok := errors.AsType[smithy.APIError](call()); !ok || f.ErrorCode() != "AccessDenied" {
			t.Errorf("%s: got %v", name, f)
		}
	}
	token, err := mintToken(t.Context(), env, "alice")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	// A token of the pool's is what the role of the environment trusts; a token of the provider itself it does not.
	pools := cognitoidentity.New(cognitoidentity.Options{BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), Region: env["AWS_REGION"]})
	logins := map[string]string{strings.TrimPrefix(env["IDPOOL_TEST_ISSUER"], "http://"): token}
	id, err := pools.GetId(t.Context(), &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(env["IDPOOL_POOL_ID"]), Logins: logins})
	if err != nil {
		t.Fatal(err)
	}
	open, err := pools.GetOpenIdToken(t.Context(), &cognitoidentity.GetOpenIdTokenInput{IdentityId: id.IdentityId, Logins: logins})
	if err != nil {
		t.Fatal(err)
	}
	role := "arn:aws:iam::" + env["IDPOOL_ACCOUNT_ID"] + ":role/dev-authenticated"
	web := stscreds.NewWebIdentityRoleProvider(client(aws.AnonymousCredentials{}), role, stscreds.IdentityTokenFile(file))
	_, err = web.Retrieve(t.Context())
	if f, ok := errors.AsType[smithy.APIError](err); !ok || f.ErrorCode() != "AccessDenied" {
		t.Errorf("a role that does not trust the provider: %v", err)
	}
	if err := os.WriteFile(file, []byte(aws.ToString(open.Token)), 0o600); err != nil {
		t.Fatal(err)
	}
	me, err := client(web).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || !strings.Contains(aws.ToString(me.Arn), ":assumed-role/dev-authenticated/") {
		t.Errorf("got %v, %v", me, err)
	}
}
