"""Every action of IAM, by boto3 or by the aws CLI: actions.py boto3|cli ACTIONS, where ACTIONS are the names that the server has, with commas.

The steps are the same for both clients; what an answer must hold is asserted, and an action that no step calls is an error."""
import json
import os
import subprocess
import sys

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

how, wanted = sys.argv[1], set(sys.argv[2].split(","))
endpoint, region, account = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"], os.environ["IDPOOL_ACCOUNT_ID"]
iam = boto3.client("iam", region_name=region, endpoint_url=endpoint)
called = set()


class Refused(Exception):
    pass


def by_boto3(action, members):
    try:
        return getattr(iam, xform_name(action))(**members)
    except ClientError as e:
        raise Refused(e.response["Error"]["Code"]) from e


def by_cli(action, members):
    command = ["aws", "--endpoint-url", endpoint, "--region", region, "--output", "json", "iam", xform_name(action, "-")]
    done = subprocess.run(command + ["--no-paginate", "--cli-input-json", json.dumps(members)], capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr.split("(", 1)[-1].split(")", 1)[0])
    return json.loads(done.stdout or "{}")


def do(action, **members):
    called.add(action)
    return (by_boto3 if how == "boto3" else by_cli)(action, members)


def refused(code, action, **members):
    try:
        do(action, **members)
    except Refused as e:
        assert str(e) == code, (action, str(e))
        return
    raise AssertionError(f"{action}: {code} was expected, and nothing was refused")


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def allow(action, resource="*"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


def text(document):
    return json.dumps(document)


def tags(**of):
    return [{"Key": k, "Value": v} for k, v in of.items()]


trust = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}],
}


def roles():
    made = do("CreateRole", RoleName="r", AssumeRolePolicyDocument=text(trust), Description="a", Tags=tags(team="a"))["Role"]
    same(made["Arn"], f"arn:aws:iam::{account}:role/r")
    same(do("GetRole", RoleName="r")["Role"]["AssumeRolePolicyDocument"], trust)
    do("UpdateRole", RoleName="r", Description="b", MaxSessionDuration=7200)
    same(do("UpdateRoleDescription", RoleName="r", Description="c")["Role"]["MaxSessionDuration"], 7200)
    do("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=text(trust))
    assert "r" in [r["RoleName"] for r in do("ListRoles")["Roles"]]
    do("TagRole", RoleName="r", Tags=tags(cost="1"))
    do("UntagRole", RoleName="r", TagKeys=["team"])
    same(do("ListRoleTags", RoleName="r")["Tags"], tags(cost="1"))
    do("PutRolePolicy", RoleName="r", PolicyName="inline", PolicyDocument=text(allow("a:B")))
    same(do("GetRolePolicy", RoleName="r", PolicyName="inline")["PolicyDocument"], allow("a:B"))
    same(do("ListRolePolicies", RoleName="r")["PolicyNames"], ["inline"])
    same(do("ListInstanceProfilesForRole", RoleName="r")["InstanceProfiles"], [])


def policies():
    arn = do("CreatePolicy", PolicyName="p", PolicyDocument=text(allow("a:B")), Description="", Tags=tags(team="a"))["Policy"]["Arn"]
    do("TagPolicy", PolicyArn=arn, Tags=tags(cost="1"))
    do("UntagPolicy", PolicyArn=arn, TagKeys=["team"])
    same(do("ListPolicyTags", PolicyArn=arn)["Tags"], tags(cost="1"))
    same(do("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=text(allow("a:C")), SetAsDefault=False)["PolicyVersion"]["VersionId"], "v2")
    do("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    same(do("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"], "v2")
    same(do("GetPolicyVersion", PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"], allow("a:C"))
    same([v["VersionId"] for v in do("ListPolicyVersions", PolicyArn=arn)["Versions"]], ["v2", "v1"])
    do("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    do("AttachRolePolicy", RoleName="r", PolicyArn=arn)
    same(do("ListAttachedRolePolicies", RoleName="r")["AttachedPolicies"], [{"PolicyName": "p", "PolicyArn": arn}])
    same([p["Arn"] for p in do("ListPolicies", Scope="Local", OnlyAttached=True)["Policies"] if p["PolicyName"] == "p"], [arn])
    same([r["RoleName"] for r in do("ListEntitiesForPolicy", PolicyArn=arn)["PolicyRoles"]], ["r"])
    do("PutRolePermissionsBoundary", RoleName="r", PermissionsBoundary=arn)
    refused("DeleteConflict", "DeletePolicy", PolicyArn=arn)
    return arn


def users(policy):
    do("CreateUser", UserName="u", Tags=tags(team="a"))
    same(do("GetUser", UserName="u")["User"]["Arn"], f"arn:aws:iam::{account}:user/u")
    do("UpdateUser", UserName="u", NewUserName="v")
    assert "v" in [u["UserName"] for u in do("ListUsers")["Users"]]
    same(do("ListGroupsForUser", UserName="v")["Groups"], [])
    do("TagUser", UserName="v", Tags=tags(cost="1"))
    do("UntagUser", UserName="v", TagKeys=["team"])
    same(do("ListUserTags", UserName="v")["Tags"], tags(cost="1"))
    do("PutUserPolicy", UserName="v", PolicyName="inline", PolicyDocument=text(allow("sts:AssumeRole")))
    same(do("GetUserPolicy", UserName="v", PolicyName="inline")["PolicyDocument"], allow("sts:AssumeRole"))
    same(do("ListUserPolicies", UserName="v")["PolicyNames"], ["inline"])
    do("AttachUserPolicy", UserName="v", PolicyArn=policy)
    same(do("ListAttachedUserPolicies", UserName="v")["AttachedPolicies"], [{"PolicyName": "p", "PolicyArn": policy}])
    do("PutUserPermissionsBoundary", UserName="v", PermissionsBoundary=policy)
    do("DeleteUserPermissionsBoundary", UserName="v")
    key = do("CreateAccessKey", UserName="v")["AccessKey"]["AccessKeyId"]
    do("UpdateAccessKey", UserName="v", AccessKeyId=key, Status="Inactive")
    same([k["Status"] for k in do("ListAccessKeys", UserName="v")["AccessKeyMetadata"]], ["Inactive"])
    do("DeleteAccessKey", UserName="v", AccessKeyId=key)


def openid():
    arn = do("CreateOpenIDConnectProvider", Url="https://login.example.com/x", ClientIDList=["a"], ThumbprintList=["0" * 40], Tags=tags(team="a"))
    arn = arn["OpenIDConnectProviderArn"]
    do("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="b")
    do("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="a")
    do("UpdateOpenIDConnectProviderThumbprint", OpenIDConnectProviderArn=arn, ThumbprintList=["1" * 40])
    got = do("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    same((got["Url"], got["ClientIDList"], got["ThumbprintList"]), ("login.example.com/x", ["b"], ["1" * 40]))
    assert arn in [p["Arn"] for p in do("ListOpenIDConnectProviders")["OpenIDConnectProviderList"]]
    do("TagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, Tags=tags(cost="1"))
    do("UntagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, TagKeys=["team"])
    same(do("ListOpenIDConnectProviderTags", OpenIDConnectProviderArn=arn)["Tags"], tags(cost="1"))
    do("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    refused("NoSuchEntity", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)


def metadata(key):
    return f"""<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example.com">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/slo"/>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"""


# Two certificates that signed themselves.
key1 = """
MIIBCzCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcNMDEwMTAxMDAwMDAwWhcNMDEwMTAyMDAwMDAwWjAPMQ0wCwYDVQQDEwR0
ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVw3quGxLk/klCed3XFNuHu2kcI7MS/YWJnPlUpBnRzrYQS5AL2/OaaBdfB5mPODrisukW0DdRpmADPsz
hnLujDAKBggqhkjOPQQDAgNJADBGAiEAwYqJrC8SnI1kTuFM4Nb374tuTA7gm/FIp9pR6LBWmP0CIQDjD4tkRjE+f1s5RfEtgdfB8lF1IvSFhYzMSxDAoOu3
KQ==
"""
key2 = """
MIIBCjCBsaADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwHhcNMDEwMTAxMDAwMDAwWhcNMDEwMTAyMDAwMDAwWjAPMQ0wCwYDVQQDEwR0
ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOUIBycE468y2NP066FPyzuqGbzI+btevq3HaT831IVU9UJP9XKNbotsRWQL2DNPvDDVbLXSSZGHPwDDL
0w3UDzAKBggqhkjOPQQDAgNIADBFAiEAgAmO/bpROHE19NTB0nrZeknaZzMSSaOFHQLPb3VlOhcCIFQZrMcDCGvVQUGE0RYyjV7h2CTn6awh3mf+8ZNkm6ME
"""


def saml():
    arn = do("CreateSAMLProvider", Name="corp", SAMLMetadataDocument=metadata(key1), Tags=tags(team="a"))["SAMLProviderArn"]
    same(arn, f"arn:aws:iam::{account}:saml-provider/corp")
    same(do("GetSAMLProvider", SAMLProviderArn=arn)["SAMLMetadataDocument"], metadata(key1))
    same(do("UpdateSAMLProvider", SAMLProviderArn=arn, SAMLMetadataDocument=metadata(key2))["SAMLProviderArn"], arn)
    same(do("GetSAMLProvider", SAMLProviderArn=arn)["SAMLMetadataDocument"], metadata(key2))
    same([p["Arn"] for p in do("ListSAMLProviders")["SAMLProviderList"]], [arn])
    do("TagSAMLProvider", SAMLProviderArn=arn, Tags=tags(cost="1"))
    do("UntagSAMLProvider", SAMLProviderArn=arn, TagKeys=["team"])
    same(do("ListSAMLProviderTags", SAMLProviderArn=arn)["Tags"], tags(cost="1"))
    refused("InvalidInput", "UpdateSAMLProvider", SAMLProviderArn=arn, SAMLMetadataDocument=metadata("?" * 1000))
    do("DeleteSAMLProvider", SAMLProviderArn=arn)
    refused("NoSuchEntity", "GetSAMLProvider", SAMLProviderArn=arn)


def account_wide():
    assert do("GetAccountSummary")["SummaryMap"]["Roles"] >= 1
    same(do("ListAccountAliases")["AccountAliases"], [])
    details = do("GetAccountAuthorizationDetails")
    assert "r" in [r["RoleName"] for r in details["RoleDetailList"]]
    got = do("SimulateCustomPolicy", PolicyInputList=[text(allow("s3:Get*"))], ActionNames=["s3:GetObject", "s3:PutObject"])
    same([r["EvalDecision"] for r in got["EvaluationResults"]], ["allowed", "implicitDeny"])
    got = do("SimulatePrincipalPolicy", PolicySourceArn=f"arn:aws:iam::{account}:user/v", ActionNames=["sts:AssumeRole", "iam:GetUser"])
    same([r["EvalDecision"] for r in got["EvaluationResults"]], ["allowed", "implicitDeny"])


def away(policy):
    do("DetachUserPolicy", UserName="v", PolicyArn=policy)
    do("DeleteUserPolicy", UserName="v", PolicyName="inline")
    do("DeleteUser", UserName="v")
    do("DeleteRolePermissionsBoundary", RoleName="r")
    do("DetachRolePolicy", RoleName="r", PolicyArn=policy)
    do("DeleteRolePolicy", RoleName="r", PolicyName="inline")
    do("DeleteRole", RoleName="r")
    do("DeletePolicy", PolicyArn=policy)
    refused("NoSuchEntity", "GetRole", RoleName="r")


roles()
policy = policies()
users(policy)
openid()
saml()
account_wide()
away(policy)
same((wanted - called, called - wanted), (set(), set()))
print(f"{how} called {len(called)} actions")
