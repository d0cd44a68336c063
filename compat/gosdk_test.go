package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"idpool/cognitocreds"
)

func TestGoSDK(t *testing.T) {
	env := map[string]string{}
	for _, line := range mustStart(t) {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	loginKey := strings.TrimPrefix(env["IDPOOL_TEST_ISSUER"], "http://")
	idToken := func(ctx context.Context) (string, error) { return mintToken(ctx, env, "alice") }

	// snippet: Go
	endpoint := aws.String(env["AWS_ENDPOINT_URL"])
	pool := cognitoidentity.New(cognitoidentity.Options{BaseEndpoint: endpoint, Region: env["AWS_REGION"]})
	credentials := cognitocreds.New(pool, cognitocreds.Options{
		IdentityPoolID: env["IDPOOL_POOL_ID"],
		Logins: func(ctx context.Context) (map[string]string, error) {
			token, err := idToken(ctx)
			return map[string]string{loginKey: token}, err
		},
	})
	client := sts.New(sts.Options{BaseEndpoint: endpoint, Region: env["AWS_REGION"], Credentials: credentials})
	// end

	me, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || !strings.HasSuffix(aws.ToString(me.Arn), "assumed-role/dev-authenticated/CognitoIdentityCredentials") {
		t.Fatalf("got %v, %v", me, err)
	}
	guest := cognitocreds.New(pool, cognitocreds.Options{IdentityPoolID: env["IDPOOL_POOL_ID"]})
	client = sts.New(sts.Options{BaseEndpoint: endpoint, Region: env["AWS_REGION"], Credentials: guest})
	me, err = client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || !strings.Contains(aws.ToString(me.Arn), "assumed-role/dev-guest/") {
		t.Fatalf("guest: got %v, %v", me, err)
	}
}

// mintToken has the test identity provider sign an ID token.
func mintToken(ctx context.Context, env map[string]string, sub string) (string, error) {
	body, err := json.Marshal(map[string]string{"sub": sub, "aud": env["IDPOOL_TEST_AUDIENCE"]})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, env["IDPOOL_TEST_ISSUER"]+"/token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Token string `json:"id_token"`
	}
	return out.Token, json.NewDecoder(resp.Body).Decode(&out)
}
