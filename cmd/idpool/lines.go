package main

import (
	"fmt"
	"strings"

	"idpool/internal/arn"
)

// lines are what to copy and paste into a shell with the aws CLI.
func (d *dev) lines(envFile string) string {
	var b strings.Builder
	b.WriteString("\nGo on with the aws CLI:\n\n")
	if envFile != "" {
		fmt.Fprintf(&b, "  set -a; . %s; set +a\n", envFile)
	} else {
		for _, v := range d.variables() {
			fmt.Fprintf(&b, "  export %s=%s\n", v[0], v[1])
		}
	}
	fmt.Fprintf(&b, `  TOKEN=$(curl -s "$IDPOOL_TEST_ISSUER/token" -d '{"sub":"carol","aud":"%s"}' | sed 's/.*"id_token":"\([^"]*\)".*/\1/')
  alias awsdev='aws --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION"'
  awsdev cognito-identity get-id --identity-pool-id "$IDPOOL_POOL_ID" --logins "%s=$TOKEN"
  awsdev cognito-identity list-identities --identity-pool-id "$IDPOOL_POOL_ID" --max-results 10
  awsdev sts get-caller-identity

`, "dev-app", arn.WithoutScheme(d.issuer))
	return b.String()
}
