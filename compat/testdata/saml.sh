#!/usr/bin/env bash
# Logins of a SAML provider with the aws CLI, with nothing but the variables of the environment file. The provider is
# saml_idp.py. The snippets are the part of docs/setup.md on SAML.
set -euo pipefail
cd "$(dirname "$0")"

fail() {
	echo "$*" >&2
	exit 1
}
# refused CODE COMMAND…: the command must fail with the code.
refused() {
	local code=$1 said
	shift
	if said=$("$@" 2>&1); then fail "not refused: $*"; fi
	grep -qF "($code)" <<<"$said" || fail "refused otherwise: $said"
}
is() { [ "$1" = "$2" ] || fail "got $1, want $2"; }
idpool() { aws --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" --output text "$@"; }
vended() { AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$session idpool "$@"; }

keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
/usr/bin/python3 saml_idp.py "$keys" metadata >"$keys/metadata.xml"
metadata=$keys/metadata.xml
# login_at_idp USER ROLE…: what the provider's page posts.
login_at_idp() {
	local user=$1
	shift
	/usr/bin/python3 saml_idp.py "$keys" "${how:-response}" "$user" "${@/%/,$corp}"
}

# snippet: saml provider
corp=$(idpool iam create-saml-provider --name corp --saml-metadata-document "file://$metadata" --query SAMLProviderArn)
pool=$(idpool cognito-identity create-identity-pool --identity-pool-name saml \
	--no-allow-unauthenticated-identities --saml-provider-arns "$corp" --query IdentityPoolId)
# end
is "$corp" "arn:aws:iam::$IDPOOL_ACCOUNT_ID:saml-provider/corp"
is "$(idpool iam get-saml-provider --saml-provider-arn "$corp" --query SAMLMetadataDocument)" "$(cat "$metadata")"
is "$(idpool iam list-saml-providers --query 'SAMLProviderList[].Arn')" "$corp"
refused EntityAlreadyExists idpool iam create-saml-provider --name corp --saml-metadata-document "file://$metadata"
refused InvalidParameterException idpool cognito-identity create-identity-pool --identity-pool-name x \
	--no-allow-unauthenticated-identities --saml-provider-arns "${corp}2"

# snippet: saml roles
trust='{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {"cognito-identity.amazonaws.com:aud": "'$pool'"},
      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "'$corp'"}
    }
  }, {
    "Effect": "Allow",
    "Principal": {"Federated": "'$corp'"},
    "Action": "sts:AssumeRoleWithSAML",
    "Condition": {"StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"}}
  }]
}'
reader=$(idpool iam create-role --role-name saml-reader --assume-role-policy-document "$trust" --query Role.Arn)
writer=$(idpool iam create-role --role-name saml-writer --assume-role-policy-document "$trust" --query Role.Arn)
# end

# snippet: saml login
response=$(login_at_idp carol "$reader" "$writer")
logins='{"'$corp'": "'$response'"}'
identity=$(idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$logins" --query IdentityId)
read -r key secret session < <(idpool cognito-identity get-credentials-for-identity --identity-id "$identity" \
	--logins "$logins" --custom-role-arn "$writer" --query 'Credentials.[AccessKeyId, SecretKey, SessionToken]')
vended sts get-caller-identity --query Arn
# end
is "$(vended sts get-caller-identity --query Arn)" "arn:aws:sts::$IDPOOL_ACCOUNT_ID:assumed-role/saml-writer/CognitoIdentityCredentials"
is "$(idpool cognito-identity describe-identity --identity-id "$identity" --query Logins)" "$corp"
refused NotAuthorizedException idpool cognito-identity get-credentials-for-identity --identity-id "$identity" --logins "$logins"
refused NotAuthorizedException idpool cognito-identity get-credentials-for-identity --identity-id "$identity" --logins "$logins" \
	--custom-role-arn "arn:aws:iam::$IDPOOL_ACCOUNT_ID:role/dev-authenticated"
refused InvalidParameterException idpool cognito-identity get-open-id-token --identity-id "$identity" --logins "$logins"

# snippet: saml sts
read -r key secret session < <(idpool sts assume-role-with-saml --role-arn "$reader" --principal-arn "$corp" \
	--saml-assertion "$response" --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]')
vended sts get-caller-identity --query Arn
# end
is "$(vended sts get-caller-identity --query Arn)" "arn:aws:sts::$IDPOOL_ACCOUNT_ID:assumed-role/saml-reader/carol"
is "$(idpool sts assume-role-with-saml --role-arn "$reader" --principal-arn "$corp" --saml-assertion "$response" \
	--query '[Subject, SubjectType, Issuer, Audience]')" \
	"$(printf 'carol\tpersistent\thttps://idp.compat.test/metadata\thttps://signin.aws.amazon.com/saml')"
refused AccessDenied idpool sts assume-role-with-saml --principal-arn "$corp" --saml-assertion "$response" \
	--role-arn "arn:aws:iam::$IDPOOL_ACCOUNT_ID:role/dev-authenticated"

# The same with what else can be signed, and with boto3.
for SIGN in response both; do
	export SIGN
	signed='{"'$corp'": "'$(login_at_idp carol "$reader")'"}'
	is "$(idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$signed" --query IdentityId)" "$identity"
done
/usr/bin/python3 - "$reader" "$corp" "$(login_at_idp dave "$reader")" <<'EOF'
import boto3, os, sys
from botocore import UNSIGNED
from botocore.config import Config
sts = boto3.client("sts", region_name=os.environ["AWS_REGION"], endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(signature_version=UNSIGNED))
got = sts.assume_role_with_saml(RoleArn=sys.argv[1], PrincipalArn=sys.argv[2], SAMLAssertion=sys.argv[3])
assert got["AssumedRoleUser"]["Arn"].endswith(":assumed-role/saml-reader/dave"), got["AssumedRoleUser"]
left = (got["Credentials"]["Expiration"].timestamp() - __import__("time").time()) / 60
assert 28 < left <= 30, left # SessionDuration is 1800
EOF

# A response in which a user's name was changed, whatever is signed.
for SIGN in assertion response both; do
	export SIGN
	how=tampered
	changed=$(login_at_idp carol "$reader")
	how=response
	refused NotAuthorizedException idpool cognito-identity get-id --identity-pool-id "$pool" --logins '{"'$corp'": "'$changed'"}'
	refused InvalidIdentityToken idpool sts assume-role-with-saml --role-arn "$reader" --principal-arn "$corp" --saml-assertion "$changed"
done
unset SIGN
is "$(idpool cognito-identity list-identities --identity-pool-id "$pool" --max-results 10 --query 'length(Identities)')" 1

# snippet: saml rollover
idpool iam update-saml-provider --saml-provider-arn "$corp" --saml-metadata-document "file://$metadata"
# end
other=$(mktemp -d)
trap 'rm -rf "$keys" "$other"' EXIT
/usr/bin/python3 saml_idp.py "$other" metadata >"$other/metadata.xml"
idpool iam update-saml-provider --saml-provider-arn "$corp" --saml-metadata-document "file://$other/metadata.xml" >/dev/null
refused NotAuthorizedException idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$logins"
idpool iam update-saml-provider --saml-provider-arn "$corp" --saml-metadata-document "file://$metadata" >/dev/null
is "$(idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$logins" --query IdentityId)" "$identity"
idpool iam delete-saml-provider --saml-provider-arn "$corp"
refused NotAuthorizedException idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$logins"
refused InvalidIdentityToken idpool sts assume-role-with-saml --role-arn "$reader" --principal-arn "$corp" --saml-assertion "$response"
echo "$(aws --version) logged in by SAML"
