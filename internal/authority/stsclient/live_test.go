//go:build live

package stsclient

import (
	"os"
	"testing"
	"time"

	"idpool/internal/authority"
	"idpool/internal/fetch"
)

// TestLive calls a real STS, outside the usual tests: go test -tags live, with the endpoint, the ARN of a role and an ID
// token for it in IDPOOL_LIVE_STS, IDPOOL_LIVE_ROLE and IDPOOL_LIVE_TOKEN.
func TestLive(t *testing.T) {
	endpoint, role, token := os.Getenv("IDPOOL_LIVE_STS"), os.Getenv("IDPOOL_LIVE_ROLE"), os.Getenv("IDPOOL_LIVE_TOKEN")
	if endpoint == "" || role == "" || token == "" {
		t.Fatal("IDPOOL_LIVE_STS, IDPOOL_LIVE_ROLE and IDPOOL_LIVE_TOKEN say what to call")
	}
	c := Client{"live": fetch.New(fetch.Config{Timeout: 10 * time.Second})}
	got, err := c.Ask(t.Context(), &authority.Authority{Name: "live", Endpoint: endpoint}, []authority.Field{
		{Name: "Action", Value: "AssumeRoleWithWebIdentity"}, {Name: "Version", Value: "2011-06-15"}, {Name: "RoleArn", Value: role},
		{Name: "RoleSessionName", Value: "CognitoIdentityCredentials"}, {Name: "WebIdentityToken", Value: token}, {Name: "DurationSeconds", Value: "900"},
	})
	if err != nil || got.AccessKeyID == "" || got.RoleARN == "" || !got.Expiration.After(time.Now()) {
		t.Fatalf("got %v, for the role %q, until %v", err, got.RoleARN, got.Expiration)
	}
}
