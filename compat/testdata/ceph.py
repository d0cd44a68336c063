"""Credentials of a Ceph object gateway for identities of the pool: each reaches its own prefix and no other's.

Needs the environment file of `idpool dev --authorities`, with an authority named ceph, the variables that .ci/ceph
prints, and an ID token of an OpenID provider as IDPOOL_TEST_LOGIN_ISSUER, …_CLIENT and …_TOKEN: the first user's login. Every line of the matrix that it prints at the end stands for checks that held; docs/storage.md shows it.
"""
import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

endpoint, region, pool = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"], os.environ["IDPOOL_POOL_ID"]
ceph = os.environ["IDPOOL_TEST_CEPH"]
key = os.environ["IDPOOL_TEST_ISSUER"].split("://", 1)[1]
issuer = endpoint + "/authority/ceph"
provider = issuer.split("://", 1)[1]
bucket = "media"
seed = int(os.environ.get("IDPOOL_TEST_SEED", time.time()))
chance = random.Random(seed)
print("seed", seed)


def at_ceph(service, credentials=None):
    c = credentials or {"AccessKeyId": os.environ["IDPOOL_TEST_CEPH_KEY"], "SecretKey": os.environ["IDPOOL_TEST_CEPH_SECRET"]}
    return boto3.client(
        service, region_name=region, endpoint_url=ceph, aws_access_key_id=c["AccessKeyId"],
        aws_secret_access_key=c["SecretKey"], aws_session_token=c.get("SessionToken"),
        config=Config(retries={"max_attempts": 1}, signature_version="s3v4", s3={"addressing_style": "path"}),
    )


admin = boto3.client("cognito-identity", region_name=region, endpoint_url=endpoint)


def compact(document):
    """Ceph 16.2 reads a + in a form as a plus, so its documents hold no spaces."""
    return json.dumps(document, separators=(",", ":"))


def token(sub, **more):
    body = json.dumps(dict(sub=sub, aud=os.environ["IDPOOL_TEST_AUDIENCE"], **more)).encode()
    request = urllib.request.Request(os.environ["IDPOOL_TEST_ISSUER"] + "/token", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["id_token"]


class Vended:
    """An identity with credentials of Ceph."""

    def __init__(self, sub=None, logins=None, **claims):
        if sub:
            logins = {key: token(sub, **claims)}
        logins = {"Logins": logins} if logins else {}
        self.identity = admin.get_id(IdentityPoolId=pool, **logins)["IdentityId"]
        self.credentials = admin.get_credentials_for_identity(IdentityId=self.identity, **logins)["Credentials"]
        self.s3 = at_ceph("s3", self.credentials)
        self.guid = self.identity.split(":", 1)[1]
        self.prefix = "private/" + self.guid + "/"


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response["Error"]["Code"]
        assert got == code, (got, e)
        return
    raise AssertionError(f"{code} was expected, and nothing was refused: {args}")


def denied(call, **args):
    refused("AccessDenied", call, **args)


def set_up():
    iam = at_ceph("iam")
    iam.create_open_id_connect_provider(Url=issuer, ClientIDList=[pool], ThumbprintList=["0" * 40])
    for name, amr in (("app-user", "authenticated"), ("app-guest", "unauthenticated")):
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": ["arn:aws:iam:::oidc-provider/" + provider]},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {"StringEquals": {provider + ":aud": pool}, "ForAnyValue:StringLike": {provider + ":amr": amr}},
        }]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=compact(trust))
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}]}
        iam.put_role_policy(RoleName=name, PolicyName="storage", PolicyDocument=compact(everything))
    at_ceph("s3").create_bucket(Bucket=bucket)
    dev = admin.describe_identity_pool(IdentityPoolId=pool)
    admin.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=dev["OpenIdConnectProviderARNs"][0], UseDefaults=False, PrincipalTags={"team": "team"})
    arns = dev["OpenIdConnectProviderARNs"] + [boto3.client("iam", region_name=region, endpoint_url=endpoint).create_open_id_connect_provider(
        Url=os.environ["IDPOOL_TEST_LOGIN_ISSUER"], ClientIDList=[os.environ["IDPOOL_TEST_LOGIN_CLIENT"]], ThumbprintList=["0" * 40])["OpenIDConnectProviderArn"]]
    dev.pop("ResponseMetadata")
    admin.update_identity_pool(**dict(dev, OpenIdConnectProviderARNs=arns))
    give(authenticated="app-user", unauthenticated="app-guest")


def give(**roles):
    admin.set_identity_pool_roles(IdentityPoolId=pool, Roles={k: "arn:aws:iam:::role/" + v for k, v in roles.items()})


def own_prefix(who, others):
    who.s3.put_object(Bucket=bucket, Key=who.prefix + "a", Body=b"mine")
    assert who.s3.get_object(Bucket=bucket, Key=who.prefix + "a")["Body"].read() == b"mine"
    who.s3.put_object(Bucket=bucket, Key=who.prefix + "b", Body=b"x")
    who.s3.delete_object(Bucket=bucket, Key=who.prefix + "b")


def list_own(who, others):
    found = who.s3.list_objects_v2(Bucket=bucket, Prefix=who.prefix)
    assert [o["Key"] for o in found["Contents"]] == [who.prefix + "a"], found


def cross_user(who, others):
    for other in others:
        denied(who.s3.get_object, Bucket=bucket, Key=other.prefix + "a")
        denied(who.s3.put_object, Bucket=bucket, Key=other.prefix + "a", Body=b"theirs")
        denied(who.s3.delete_object, Bucket=bucket, Key=other.prefix + "a")
        denied(who.s3.list_objects_v2, Bucket=bucket, Prefix=other.prefix)
        denied(who.s3.copy_object, Bucket=bucket, Key=who.prefix + "stolen", CopySource={"Bucket": bucket, "Key": other.prefix + "a"})


def all_else(who, others):
    denied(who.s3.list_objects_v2, Bucket=bucket)
    denied(who.s3.put_object, Bucket=bucket, Key="public", Body=b"x")
    denied(who.s3.delete_bucket, Bucket=bucket)
    denied(who.s3.create_bucket, Bucket="another")
    try:
        at_ceph("iam", who.credentials).list_roles()
    except ClientError as e:  # the gateway's errors of IAM are not in IAM's form
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 403, e
    else:
        raise AssertionError("an identity may list roles")


def multipart(who, others):
    size = 5 << 20
    upload = who.s3.create_multipart_upload(Bucket=bucket, Key=who.prefix + "big")["UploadId"]
    parts = []
    for n in (1, 2):
        done = who.s3.upload_part(Bucket=bucket, Key=who.prefix + "big", UploadId=upload, PartNumber=n, Body=bytes([n]) * size)
        parts.append({"PartNumber": n, "ETag": done["ETag"]})
    listed = who.s3.list_parts(Bucket=bucket, Key=who.prefix + "big", UploadId=upload)["Parts"]
    assert len(listed) == 2, listed
    for other in others:
        denied(other.s3.upload_part, Bucket=bucket, Key=who.prefix + "big", UploadId=upload, PartNumber=3, Body=b"x")
    who.s3.complete_multipart_upload(Bucket=bucket, Key=who.prefix + "big", UploadId=upload, MultipartUpload={"Parts": parts})
    assert who.s3.head_object(Bucket=bucket, Key=who.prefix + "big")["ContentLength"] == 2 * size
    gone = who.s3.create_multipart_upload(Bucket=bucket, Key=who.prefix + "gone")["UploadId"]
    who.s3.abort_multipart_upload(Bucket=bucket, Key=who.prefix + "gone", UploadId=gone)
    for other in others:
        denied(who.s3.create_multipart_upload, Bucket=bucket, Key=other.prefix + "big")
    who.s3.delete_object(Bucket=bucket, Key=who.prefix + "big")


def fetch(url, method="GET", body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def presigned(who, others):
    def sign(operation, name, seconds=60):
        return who.s3.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": name}, ExpiresIn=seconds)

    assert fetch(sign("put_object", who.prefix + "p"), "PUT", b"by URL")[0] == 200
    assert fetch(sign("get_object", who.prefix + "p")) == (200, b"by URL")
    for other in others:
        assert fetch(sign("get_object", other.prefix + "a"))[0] == 403
        moved = sign("get_object", who.prefix + "p").replace(who.guid, other.guid)
        assert fetch(moved)[0] == 403
    short = sign("get_object", who.prefix + "p", 1)
    time.sleep(2)  # the gateway's clock decides
    assert fetch(short)[0] == 403
    who.s3.delete_object(Bucket=bucket, Key=who.prefix + "p")


def lifetime(who, others):
    left = who.credentials["Expiration"].timestamp() - time.time()
    assert 600 < left <= 900, left
    changed = dict(who.credentials, SessionToken=who.credentials["SessionToken"][:-8] + "AAAAAAA=")
    refused_with(at_ceph("s3", changed))
    without = dict(who.credentials)
    without.pop("SessionToken")
    refused_with(at_ceph("s3", without))


def refused_with(s3):
    try:
        s3.list_buckets()
    except ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403), e
        return
    raise AssertionError("changed credentials were taken")


def near_misses(who, others):
    """Names that almost have the prefix, at random: the live half of the property that package authority tests."""
    own = who.prefix
    names = [own.upper() + "a", own[:-1], own[:-1] + "x/a", "/" + own + "a", "private//" + who.guid + "/a", "private/" + who.guid[:-1] + "/a",
             "private/*/a", "private/" + "?" * 36 + "/a", "private/${idpool:guid}/a", "private/" + who.identity + "/a", "x" + own + "a",
             "private/" + str(uuid.UUID(int=chance.getrandbits(128))) + "/a", "team//a", "team/a", "team/${aws:PrincipalTag/team}/a"]
    for _ in range(10):
        at = chance.randrange(len(own))
        mutant = own[:at] + chance.choice("0123456789abcdef/-*? :") + own[at + 1:]
        if mutant != own:
            names.append(mutant + "a")
    for name in names:
        denied(who.s3.put_object, Bucket=bucket, Key=name, Body=b"x")
    fresh = at_ceph("s3", who.credentials)  # a connection on which uploads were refused waits for the body of one of them
    inside = [own + "..x", own + "*", own + "?", own + "a b+c:d", own + "\u00e9"]
    for name in inside:
        fresh.put_object(Bucket=bucket, Key=name, Body=b"x")
        fresh.delete_object(Bucket=bucket, Key=name)
    who.s3 = fresh


def teams():
    red, blue, none = Vended("dora", claims={"team": "red"}), Vended("emil", claims={"team": "blue"}), Vended("frank")
    own_prefix(none, [])
    red.s3.put_object(Bucket=bucket, Key="team/red/a", Body=b"x")
    denied(blue.s3.get_object, Bucket=bucket, Key="team/red/a")
    denied(none.s3.get_object, Bucket=bucket, Key="team/red/a")
    for name in ("a", "/a", "team"):
        denied(none.s3.put_object, Bucket=bucket, Key="team/" + name, Body=b"x")


def refusals():
    """What the gateway refuses is a fault of the pool's configuration, for whoever asks."""
    logins = {key: token("alice")}
    identity = admin.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]

    def vend(code):
        refused(code, admin.get_credentials_for_identity, IdentityId=identity, Logins=logins)

    give(authenticated="app-guest", unauthenticated="app-guest")
    vend("InvalidIdentityPoolConfigurationException")  # its trust policy wants guests
    give(authenticated="absent", unauthenticated="app-guest")
    vend("InvalidIdentityPoolConfigurationException")
    give(authenticated="app-user", unauthenticated="app-guest")
    admin.get_credentials_for_identity(IdentityId=identity, Logins=logins)
    for foreign in ("arn:aws:iam::999999999999:role/x", "arn:aws:iam::role/another", "arn:minio:iam:::role/another", "arn:aws:iam:::user/another"):
        refused("NotAuthorizedException", admin.set_identity_pool_roles, IdentityPoolId=pool, Roles={"authenticated": foreign})


def own_door():
    """Nobody can have us take the tokens that are for Ceph."""
    refused("InvalidInput", boto3.client("iam", region_name=region, endpoint_url=endpoint)
            .create_open_id_connect_provider, Url=issuer, ClientIDList=[pool], ThumbprintList=["0" * 40])


rows = [
    ("put, get and delete under the own prefix", own_prefix, "yes"),
    ("list the own prefix", list_own, "yes"),
    ("get, put, delete, list or copy under another's prefix", cross_user, "refused"),
    ("anything else in the bucket, other buckets, roles", all_else, "refused"),
    ("names that almost have the prefix, at random", near_misses, "refused"),
    ("multipart upload under the own prefix; a part of another's", multipart, "yes; refused"),
    ("presigned URLs of the own prefix; of another's; too old", presigned, "yes; refused; refused"),
    ("credentials for 15 minutes; changed; without their token", lifetime, "yes; refused; refused"),
]

set_up()
login = {os.environ["IDPOOL_TEST_LOGIN_ISSUER"].split("://", 1)[1]: os.environ["IDPOOL_TEST_LOGIN_TOKEN"]}
people = {"a user": Vended(logins=login), "another user": Vended("bob"), "a guest": Vended()}
for who in people.values():
    own_prefix(who, [])
lines = ["| | " + " | ".join(people) + " |", "|---|" + "---|" * len(people)]
for what, check, cell in rows:
    for name, who in people.items():
        began = time.time()
        check(who, [p for p in people.values() if p is not who])
        print(f"{name}: {what}: {time.time() - began:.1f} s")
    lines.append(f"| {what} | " + " | ".join([cell] * len(people)) + " |")
teams()
refusals()
own_door()
print("\n".join(lines))
