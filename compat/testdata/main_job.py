"""The main job with boto3, and a pool's whole life, with nothing but the variables of the environment file."""
import json
import os
import urllib.request

import boto3
from botocore.exceptions import ClientError

endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
pool = os.environ["IDPOOL_POOL_ID"]
key = os.environ["IDPOOL_TEST_ISSUER"].split("://", 1)[1]


def client(service, credentials=None):
    extra = {}
    if credentials:
        extra = dict(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretKey"],
            aws_session_token=credentials["SessionToken"],
        )
    return boto3.client(service, region_name=region, endpoint_url=endpoint, **extra)


def token(sub, **more):
    body = dict(sub=sub, aud=os.environ["IDPOOL_TEST_AUDIENCE"], **more)
    request = urllib.request.Request(
        os.environ["IDPOOL_TEST_ISSUER"] + "/token", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    return json.load(urllib.request.urlopen(request))["id_token"]


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response["Error"]
        assert got["Code"] == code, got
        assert e.response["ResponseMetadata"]["RequestId"], e.response
        return got["Message"]
    raise AssertionError(f"{code} was expected, and nothing was refused")


def vend(sub, **more):
    logins = {key: token(sub, **more)}
    identity = client("cognito-identity").get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
    return client("cognito-identity").get_credentials_for_identity(IdentityId=identity, Logins=logins)


anonymous, admin = client("cognito-identity"), client("cognito-identity")
id_token = token("alice")

# snippet: boto3
identities = boto3.client("cognito-identity", region_name=region, endpoint_url=endpoint)
logins = {key: id_token}
identity = identities.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]
vended = identities.get_credentials_for_identity(IdentityId=identity, Logins=logins)["Credentials"]
session = boto3.Session(
    aws_access_key_id=vended["AccessKeyId"],
    aws_secret_access_key=vended["SecretKey"],
    aws_session_token=vended["SessionToken"],
    region_name=region,
)
me = session.client("sts", endpoint_url=endpoint).get_caller_identity()
# end
assert me["Arn"].endswith("assumed-role/dev-authenticated/CognitoIdentityCredentials"), me

alice, bob = vend("alice"), vend("bob", alg="ES256")
assert alice["IdentityId"] != bob["IdentityId"]
assert vend("alice")["IdentityId"] == alice["IdentityId"]

me = client("sts", alice["Credentials"]).get_caller_identity()
assert me["Account"] == os.environ["IDPOOL_ACCOUNT_ID"], me
assert me["Arn"].endswith("/CognitoIdentityCredentials"), me

own = client("cognito-identity", alice["Credentials"])
described = own.describe_identity(IdentityId=alice["IdentityId"])
assert described["Logins"] == [key], described
message = refused("AccessDeniedException", own.describe_identity, IdentityId=bob["IdentityId"])
assert me["Arn"] in message and "cognito-identity:DescribeIdentity" in message, message
refused("AccessDeniedException", own.list_identities, IdentityPoolId=pool, MaxResults=10)

guest = anonymous.get_id(IdentityPoolId=pool)["IdentityId"]
assert guest != anonymous.get_id(IdentityPoolId=pool)["IdentityId"]
credentials = anonymous.get_credentials_for_identity(IdentityId=guest)["Credentials"]
assert "dev-guest" in client("sts", credentials).get_caller_identity()["Arn"]

logins = {key: token("alice")}
open_id = anonymous.get_open_id_token(IdentityId=alice["IdentityId"], Logins=logins)
assert open_id["IdentityId"] == alice["IdentityId"] and open_id["Token"].count(".") == 2

assert refused("NotAuthorizedException", anonymous.get_credentials_for_identity, IdentityId=alice["IdentityId"]) == (
    f"Access to Identity '{alice['IdentityId']}' is forbidden."
)
assert refused(
    "NotAuthorizedException", anonymous.get_id, IdentityPoolId=pool, Logins={key: token("alice", ttl_seconds=-60)}
).startswith("Invalid login token. Token expired: ")
wrong = dict(alice["Credentials"], SecretKey="A" * 40)
refused("SignatureDoesNotMatch", client("sts", wrong).get_caller_identity)
mangled = dict(alice["Credentials"], SessionToken=alice["Credentials"]["SessionToken"][:-2])
refused("InvalidClientTokenId", client("sts", mangled).get_caller_identity)

made = admin.create_identity_pool(
    IdentityPoolName="made by boto3",
    AllowUnauthenticatedIdentities=True,
    AllowClassicFlow=False,
    IdentityPoolTags={"team": "a"},
)
assert made["IdentityPoolTags"] == {"team": "a"} and made["AllowClassicFlow"] is False, made
made_id = made["IdentityPoolId"]
roles = {"authenticated": os.environ["IDPOOL_AUTHENTICATED_ROLE_ARN"], "unauthenticated": os.environ["IDPOOL_GUEST_ROLE_ARN"]}
admin.set_identity_pool_roles(IdentityPoolId=made_id, Roles=roles)
assert admin.get_identity_pool_roles(IdentityPoolId=made_id)["Roles"] == roles
admin.update_identity_pool(IdentityPoolId=made_id, IdentityPoolName="renamed", AllowUnauthenticatedIdentities=True)
renamed = admin.describe_identity_pool(IdentityPoolId=made_id)
assert renamed["IdentityPoolName"] == "renamed" and renamed["IdentityPoolTags"] == {"team": "a"}, renamed
assert made_id in [p["IdentityPoolId"] for page in admin.get_paginator("list_identity_pools").paginate(
    PaginationConfig={"PageSize": 1}) for p in page["IdentityPools"]]
stranger = anonymous.get_id(IdentityPoolId=made_id)["IdentityId"]
refused("InvalidIdentityPoolConfigurationException", anonymous.get_credentials_for_identity, IdentityId=stranger)
assert [i["IdentityId"] for i in admin.list_identities(IdentityPoolId=made_id, MaxResults=60)["Identities"]] == [stranger]
admin.delete_identity_pool(IdentityPoolId=made_id)
assert refused("ResourceNotFoundException", admin.describe_identity_pool, IdentityPoolId=made_id) == (
    f"IdentityPool '{made_id}' not found."
)
refused("ResourceNotFoundException", anonymous.get_credentials_for_identity, IdentityId=stranger)
print("boto3", boto3.__version__, "did the main job")
