"""Every action of STS that the client knows, by boto3 or by the aws CLI (sts.py boto3|cli), and the web-identity provider
of the SDK itself: AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE."""
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

how = sys.argv[1]
endpoint, region, account = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"], os.environ["IDPOOL_ACCOUNT_ID"]
issuer = os.environ["IDPOOL_TEST_ISSUER"].split("://", 1)[1]


class Refused(Exception):
    pass


def by_boto3(keys, service, action, members):
    extra = {}
    if keys:
        extra = dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    try:
        return getattr(boto3.client(service, region_name=region, endpoint_url=endpoint, **extra), xform_name(action))(**members)
    except ClientError as e:
        raise Refused(e.response["Error"]["Code"]) from e


def by_cli(keys, service, action, members):
    env = dict(os.environ)
    if keys:
        env.update(AWS_ACCESS_KEY_ID=keys["AccessKeyId"], AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"], AWS_SESSION_TOKEN=keys["SessionToken"])
    command = ["aws", "--endpoint-url", endpoint, "--region", region, "--output", "json", service, xform_name(action, "-")]
    done = subprocess.run(command + ["--cli-input-json", json.dumps(members)], capture_output=True, text=True, env=env)
    if done.returncode:
        raise Refused(done.stderr.split("(", 1)[-1].split(")", 1)[0])
    return json.loads(done.stdout or "{}")


def do(keys, action, service="sts", **members):
    return (by_boto3 if how == "boto3" else by_cli)(keys, service, action, members)


def refused(code, keys, action, **members):
    try:
        do(keys, action, **members)
    except Refused as e:
        assert str(e) == code, (action, str(e), code)
        return
    raise AssertionError(f"{action}: {code} was expected, and nothing was refused")


def policy(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [dict(Effect="Allow", **statement)]})


def role(name, principal, action, **more):
    arn = do(None, "CreateRole", service="iam", RoleName=name, AssumeRolePolicyDocument=policy(Principal=principal, Action=action, **more))["Role"]["Arn"]
    do(None, "PutRolePolicy", service="iam", RoleName=name, PolicyName="p", PolicyDocument=policy(Action="*", Resource="*"))
    return arn


me = do(None, "GetCallerIdentity")
assert me["Account"] == account and me["Arn"].endswith(":user/dev-admin"), me

# AssumeRole, with all that a session can carry, and chained.
job = role("job", {"AWS": account}, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
made = do(None, "AssumeRole", RoleArn=job, RoleSessionName="ci", DurationSeconds=900, Policy=policy(Action="sts:*", Resource="*"),
          PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}], Tags=[{"Key": "team", "Value": "blue"}],
          TransitiveTagKeys=["team"], ExternalId="x-1", SourceIdentity="Ann")
assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/job/ci" and made["SourceIdentity"] == "Ann" and made["PackedPolicySize"] > 0, made
session = made["Credentials"]
assert do(session, "GetCallerIdentity")["UserId"] == made["AssumedRoleUser"]["AssumedRoleId"]
chained = do(session, "AssumeRole", RoleArn=job, RoleSessionName="next")
assert chained["SourceIdentity"] == "Ann", chained
refused("ValidationError", session, "AssumeRole", RoleArn=job, RoleSessionName="next", DurationSeconds=3601)
refused("ValidationError", session, "AssumeRole", RoleArn=job, RoleSessionName="next", Tags=[{"Key": "TEAM", "Value": "red"}])
refused("AccessDenied", session, "AssumeRole", RoleArn=job, RoleSessionName="next", SourceIdentity="Bob")
refused("AccessDenied", None, "AssumeRole", RoleArn=job + "x", RoleSessionName="ci")
refused("MalformedPolicyDocument", None, "AssumeRole", RoleArn=job, RoleSessionName="ci", Policy="{}")
refused("PackedPolicyTooLarge", None, "AssumeRole", RoleArn=job, RoleSessionName="ci", Policy=policy(Action="*", Resource="*", Sid="a") + " " * 20000)

# Sessions of a user, and of somebody whom he vouches for.
self = do(None, "GetSessionToken", DurationSeconds=900)["Credentials"]
assert do(self, "GetCallerIdentity")["Arn"] == me["Arn"]
refused("AccessDenied", self, "GetSessionToken")
refused("AccessDenied", self, "GetAccessKeyInfo", AccessKeyId=self["AccessKeyId"])
federated = do(None, "GetFederationToken", Name="bob", DurationSeconds=900, Policy=policy(Action="cognito-identity:List*", Resource="*"), Tags=[{"Key": "team", "Value": "blue"}])
assert federated["FederatedUser"] == {"FederatedUserId": f"{account}:bob", "Arn": f"arn:aws:sts::{account}:federated-user/bob"}, federated
assert do(federated["Credentials"], "GetCallerIdentity")["Arn"] == federated["FederatedUser"]["Arn"]
do(federated["Credentials"], "ListIdentityPools", service="cognito-identity", MaxResults=1)
refused("AccessDeniedException", federated["Credentials"], "DescribeIdentityPool", service="cognito-identity", IdentityPoolId=os.environ["IDPOOL_POOL_ID"])
refused("AccessDenied", federated["Credentials"], "AssumeRole", RoleArn=job, RoleSessionName="ci")

assert do(None, "GetAccessKeyInfo", AccessKeyId=session["AccessKeyId"])["Account"] == account
refused("InvalidAuthorizationMessageException", None, "DecodeAuthorizationMessage", EncodedMessage="x")
if how == "boto3":
    limited = do(None, "AssumeRole", RoleArn=job, RoleSessionName="ci", Policy=policy(Action="s3:*", Resource="*"))["Credentials"]
    sts = boto3.client("sts", region_name=region, endpoint_url=endpoint, aws_access_key_id=limited["AccessKeyId"],
                       aws_secret_access_key=limited["SecretAccessKey"], aws_session_token=limited["SessionToken"])
    try:
        sts.get_access_key_info(AccessKeyId=limited["AccessKeyId"])
        raise AssertionError("a session policy does not hold")
    except ClientError as e:
        message = e.response["ResponseMetadata"]["HTTPHeaders"]["x-idpool-authorization-message"]
    decoded = json.loads(do(None, "DecodeAuthorizationMessage", EncodedMessage=message)["DecodedMessage"])
    assert decoded["allowed"] is False and decoded["context"]["action"] == "sts:GetAccessKeyInfo", decoded

# The SDK's own web-identity provider: nothing but two variables.
body = json.dumps({"sub": "alice", "aud": os.environ["IDPOOL_TEST_AUDIENCE"]}).encode()
request = urllib.request.Request(os.environ["IDPOOL_TEST_ISSUER"] + "/token", body, {"Content-Type": "application/json"})
token = json.load(urllib.request.urlopen(request))["id_token"]
web = role("web", {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"}, "sts:AssumeRoleWithWebIdentity", Condition={"StringEquals": {f"{issuer}:sub": "alice"}})
direct = do(None, "AssumeRoleWithWebIdentity", RoleArn=web, RoleSessionName="direct", WebIdentityToken=token, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
assert direct["SubjectFromWebIdentityToken"] == "alice" and direct["PackedPolicySize"] > 0, direct
with tempfile.NamedTemporaryFile("w", suffix=".jwt") as file:
    file.write(token)
    file.flush()
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_ACCESS") and not k.startswith("AWS_SECRET") and not k.startswith("AWS_SESSION")}
    env.update(AWS_ROLE_ARN=web, AWS_WEB_IDENTITY_TOKEN_FILE=file.name, AWS_ROLE_SESSION_NAME="app", AWS_ENDPOINT_URL=endpoint)
    # Clients older than AWS_ENDPOINT_URL have no word for the endpoint of this provider: it is told to botocore here.
    script = """
import sys, botocore.session, botocore.credentials as c
s = botocore.session.get_session()
endpoint, region = sys.argv[1:]
make = s.create_client
s.create_client = lambda name, **k: make(name, **dict(k, endpoint_url=endpoint, region_name=region))
p = c.AssumeRoleWithWebIdentityProvider(load_config=lambda: {}, client_creator=s.create_client, profile_name="default")
k = p.load().get_frozen_credentials()
print(make("sts", region_name=region, endpoint_url=endpoint, aws_access_key_id=k.access_key, aws_secret_access_key=k.secret_key, aws_session_token=k.token).get_caller_identity()["Arn"])
"""
    done = subprocess.run([sys.executable, "-c", script, endpoint, region], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == f"arn:aws:sts::{account}:assumed-role/web/app", (done.stdout, done.stderr)
print("ok")
