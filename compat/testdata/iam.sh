#!/usr/bin/env bash
# Setting an account up with the aws CLI, from nothing to credentials, with nothing but the variables of the environment
# file. The snippets are docs/setup.md.
set -euo pipefail

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

# snippet: start
idpool() { aws --endpoint-url "$AWS_ENDPOINT_URL" --region "$AWS_REGION" --output text "$@"; }

idpool sts get-caller-identity --query Arn
# end

# snippet: away
issuer=$IDPOOL_TEST_ISSUER
audience=$IDPOOL_TEST_AUDIENCE
idpool iam delete-open-id-connect-provider \
	--open-id-connect-provider-arn "arn:aws:iam::$IDPOOL_ACCOUNT_ID:oidc-provider/${issuer#*://}"
# end

# snippet: provider
provider=$(idpool iam create-open-id-connect-provider --url "$issuer" --client-id-list "$audience" \
	--thumbprint-list 0000000000000000000000000000000000000000 --query OpenIDConnectProviderArn)
# end
is "$provider" "arn:aws:iam::$IDPOOL_ACCOUNT_ID:oidc-provider/${issuer#*://}"
is "$(idpool iam get-open-id-connect-provider --open-id-connect-provider-arn "$provider" --query Url)" "${issuer#*://}"
is "$(idpool iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn')" "$provider"
refused EntityAlreadyExists idpool iam create-open-id-connect-provider --url "$issuer" \
	--thumbprint-list 0000000000000000000000000000000000000000

# snippet: pool
pool=$(idpool cognito-identity create-identity-pool --identity-pool-name app \
	--no-allow-unauthenticated-identities --open-id-connect-provider-arns "$provider" --query IdentityPoolId)
# end

# snippet: roles
trust='{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {"cognito-identity.amazonaws.com:aud": "'$pool'"},
      "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}
    }
  }]
}'
member=$(idpool iam create-role --role-name app-member --assume-role-policy-document "$trust" --query Role.Arn)
staff=$(idpool iam create-role --role-name app-staff --assume-role-policy-document "$trust" --query Role.Arn)
# end
is "$(idpool iam get-role --role-name app-member --query 'Role.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals.*')" "$pool"
any=${trust/StringEquals/StringLike}
refused MalformedPolicyDocument idpool iam create-role --role-name any --assume-role-policy-document "${any/"$pool"/*}"

# snippet: policies
own='{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": "cognito-identity:DescribeIdentity",
    "Resource": "*",
    "Condition": {"StringEquals": {"idpool:IdentityId": "${cognito-identity.amazonaws.com:sub}"}}
  }]
}'
every='{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": ["cognito-identity:ListIdentities", "cognito-identity:DescribeIdentity"],
    "Resource": "arn:aws:cognito-identity:*:*:identitypool/'$pool'"
  }]
}'
idpool iam put-role-policy --role-name app-member --policy-name own-identity --policy-document "$own"
directory=$(idpool iam create-policy --policy-name app-directory --policy-document "$every" --query Policy.Arn)
idpool iam attach-role-policy --role-name app-staff --policy-arn "$directory"
# end
is "$(idpool iam list-attached-role-policies --role-name app-staff --query 'AttachedPolicies[].PolicyName')" app-directory
is "$(idpool iam list-role-policies --role-name app-member --query PolicyNames)" own-identity
is "$(idpool iam get-policy-version --policy-arn "$directory" --version-id v1 --query 'PolicyVersion.Document.Statement[0].Effect')" Allow
is "$(idpool iam list-entities-for-policy --policy-arn "$directory" --query 'PolicyRoles[].RoleName')" app-staff
refused DeleteConflict idpool iam delete-policy --policy-arn "$directory"

# snippet: mapping
idpool cognito-identity set-identity-pool-roles --identity-pool-id "$pool" --roles "authenticated=$member" \
	--role-mappings '{"'$provider'": {
		"Type": "Rules",
		"AmbiguousRoleResolution": "AuthenticatedRole",
		"RulesConfiguration": {"Rules": [
			{"Claim": "group", "MatchType": "Equals", "Value": "staff", "RoleARN": "'$staff'"}
		]}
	}}'
# end

# snippet: ask
idpool iam simulate-principal-policy --policy-source-arn "$staff" \
	--action-names cognito-identity:ListIdentities cognito-identity:DeleteIdentityPool \
	--resource-arns "arn:aws:cognito-identity:$AWS_REGION:$IDPOOL_ACCOUNT_ID:identitypool/$pool" \
	--query 'EvaluationResults[].[EvalActionName, EvalDecision]'
# end
is "$(idpool iam simulate-principal-policy --policy-source-arn "$staff" \
	--action-names cognito-identity:ListIdentities cognito-identity:DeleteIdentityPool \
	--resource-arns "arn:aws:cognito-identity:$AWS_REGION:$IDPOOL_ACCOUNT_ID:identitypool/$pool" \
	--query 'EvaluationResults[].EvalDecision')" "$(printf 'allowed\timplicitDeny')"

# snippet: vend
token() {
	curl -sS "$issuer/token" -d '{"sub": "'$1'", "aud": "'$audience'", "claims": {"group": "'$2'"}}' |
		sed 's/.*"id_token":"\([^"]*\)".*/\1/'
}
vend() {
	login="${issuer#*://}=$(token "$1" "$2")"
	identity=$(idpool cognito-identity get-id --identity-pool-id "$pool" --logins "$login" --query IdentityId)
	read -r key secret session < <(idpool cognito-identity get-credentials-for-identity --identity-id "$identity" \
		--logins "$login" --query 'Credentials.[AccessKeyId, SecretKey, SessionToken]')
}
vended() { AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$session idpool "$@"; }

vend carol staff
vended sts get-caller-identity --query Arn
vended cognito-identity list-identities --identity-pool-id "$pool" --max-results 10
# end
is "$(vended sts get-caller-identity --query Arn)" "arn:aws:sts::$IDPOOL_ACCOUNT_ID:assumed-role/app-staff/CognitoIdentityCredentials"
refused AccessDenied vended iam list-roles

# What changes holds for credentials that are out already.
more=${every/'"cognito-identity:ListIdentities", '/}
is "$(idpool iam create-policy-version --policy-arn "$directory" --policy-document "$more" --set-as-default --query PolicyVersion.VersionId)" v2
refused AccessDeniedException vended cognito-identity list-identities --identity-pool-id "$pool" --max-results 10
idpool iam set-default-policy-version --policy-arn "$directory" --version-id v1
vended cognito-identity list-identities --identity-pool-id "$pool" --max-results 10 >/dev/null

carol=$identity
vend dave none
is "$(vended sts get-caller-identity --query Arn)" "arn:aws:sts::$IDPOOL_ACCOUNT_ID:assumed-role/app-member/CognitoIdentityCredentials"
is "$(vended cognito-identity describe-identity --identity-id "$identity" --query 'Logins[0]')" "${issuer#*://}"
refused AccessDeniedException vended cognito-identity describe-identity --identity-id "$carol"

# snippet: administrator
pools='{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "cognito-identity:*", "Resource": "arn:aws:cognito-identity:*:*:identitypool/'$pool'"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/app-*"}
  ]
}'
idpool iam create-user --user-name erin --tags Key=team,Value=app
idpool iam put-user-policy --user-name erin --policy-name one-pool --policy-document "$pools"
read -r key secret < <(idpool iam create-access-key --user-name erin --query 'AccessKey.[AccessKeyId, SecretAccessKey]')
# end
erin() { AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret idpool "$@"; }
is "$(erin cognito-identity describe-identity-pool --identity-pool-id "$pool" --query IdentityPoolName)" app
refused AccessDeniedException erin cognito-identity describe-identity-pool --identity-pool-id "$IDPOOL_POOL_ID"
refused AccessDenied erin iam list-roles
is "$(idpool iam list-access-keys --user-name erin --query 'AccessKeyMetadata[].Status')" Active

# snippet: revoke
idpool iam update-access-key --user-name erin --access-key-id "$key" --status Inactive
# end
refused UnrecognizedClientException erin cognito-identity describe-identity-pool --identity-pool-id "$pool"

# All of it away again, in Terraform's order.
idpool iam delete-access-key --user-name erin --access-key-id "$key"
idpool iam delete-user-policy --user-name erin --policy-name one-pool
idpool iam delete-user --user-name erin
idpool cognito-identity set-identity-pool-roles --identity-pool-id "$pool" --roles '{}' --role-mappings '{}'
idpool iam detach-role-policy --role-name app-staff --policy-arn "$directory"
idpool iam delete-role --role-name app-staff
idpool iam delete-role-policy --role-name app-member --policy-name own-identity
idpool iam delete-role --role-name app-member
idpool iam delete-policy-version --policy-arn "$directory" --version-id v2
idpool iam delete-policy --policy-arn "$directory"
idpool cognito-identity delete-identity-pool --identity-pool-id "$pool"
idpool iam delete-open-id-connect-provider --open-id-connect-provider-arn "$provider"
refused NoSuchEntity idpool iam get-role --role-name app-staff
echo "$(aws --version) set an account up"
