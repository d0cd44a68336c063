#!/usr/bin/env bash
# The main job with the aws CLI, with nothing but the variables of the environment file.
set -euo pipefail

fail() {
	echo "$*" >&2
	exit 1
}
id() { aws cognito-identity --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" --output text "$@"; }
token() {
	/usr/bin/python3 -c 'import json,os,sys,urllib.request as u
print(json.load(u.urlopen(u.Request(os.environ["IDPOOL_TEST_ISSUER"]+"/token",
 json.dumps({"sub":sys.argv[1],"aud":os.environ["IDPOOL_TEST_AUDIENCE"]}).encode())))["id_token"])' "$1"
}
# refused CODE COMMAND…: the command must fail with the code.
refused() {
	local code=$1 said
	shift
	if said=$("$@" 2>&1); then fail "not refused: $*"; fi
	grep -qF "($code)" <<<"$said" || fail "refused otherwise: $said"
}

key=${IDPOOL_TEST_ISSUER#*://}
login="$key=$(token alice)"
alice=$(id get-id --identity-pool-id "$IDPOOL_POOL_ID" --logins "$login" --query IdentityId)
bob=$(id get-id --identity-pool-id "$IDPOOL_POOL_ID" --logins "$key=$(token bob)" --query IdentityId)
[ "$alice" != "$bob" ] || fail "alice and bob are one"

# snippet: aws CLI
ID=$(aws cognito-identity get-id --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" \
	--identity-pool-id "$IDPOOL_POOL_ID" --logins "$login" --query IdentityId --output text)
aws cognito-identity get-credentials-for-identity --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" \
	--identity-id "$ID" --logins "$login"
# end
[ "$ID" = "$alice" ] || fail "the snippet found $ID"

read -r access secret session < <(id get-credentials-for-identity --identity-id "$alice" --logins "$login" \
	--query 'Credentials.[AccessKeyId,SecretKey,SessionToken]')
as_alice() { AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$session "$@"; }

arn=$(as_alice aws sts get-caller-identity --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" --output text --query Arn)
[ "$arn" = "arn:aws:sts::$IDPOOL_ACCOUNT_ID:assumed-role/dev-authenticated/CognitoIdentityCredentials" ] || fail "alice is $arn"
[ "$(as_alice id describe-identity --identity-id "$alice" --query 'Logins[0]')" = "$key" ] || fail "alice's login is missing"
refused AccessDeniedException as_alice id describe-identity --identity-id "$bob"
refused AccessDeniedException as_alice id list-identities --identity-pool-id "$IDPOOL_POOL_ID" --max-results 10

id list-identities --identity-pool-id "$IDPOOL_POOL_ID" --max-results 60 --query 'Identities[].IdentityId' | grep -qF "$bob" || fail "bob is not listed"
id list-identity-pools --max-results 10 --query 'IdentityPools[].IdentityPoolId' | grep -qF "$IDPOOL_POOL_ID" || fail "the pool is not listed"
guest=$(id get-id --identity-pool-id "$IDPOOL_POOL_ID" --query IdentityId)
id get-credentials-for-identity --identity-id "$guest" --query Credentials.AccessKeyId | grep -q '^ASIA' || fail "the guest has no credentials"
echo "$(aws --version) did the main job"
