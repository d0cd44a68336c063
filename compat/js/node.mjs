// The AWS SDK for JavaScript v3 in Node: its two credential providers, and every command of the client.
import assert from "node:assert/strict";
import * as cognito from "@aws-sdk/client-cognito-identity";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromCognitoIdentity, fromCognitoIdentityPool } from "@aws-sdk/credential-providers";

const env = process.env;
const endpoint = env.AWS_ENDPOINT_URL;
const region = env.AWS_REGION;
const key = env.IDPOOL_TEST_ISSUER.replace(/^\w+:\/\//, "");

async function token(sub) {
  const answer = await fetch(`${env.IDPOOL_TEST_ISSUER}/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub, aud: env.IDPOOL_TEST_AUDIENCE }),
  });
  return (await answer.json()).id_token;
}

const whoIs = async (credentials) =>
  (await new STSClient({ endpoint, region, credentials }).send(new GetCallerIdentityCommand({}))).Arn;

// snippet: JavaScript
const idToken = await token("alice");
const credentials = fromCognitoIdentityPool({
  identityPoolId: env.IDPOOL_POOL_ID,
  logins: { [key]: idToken },
  clientConfig: { endpoint, region },
});
// end

const alice = await credentials();
assert.match(await whoIs(credentials), /assumed-role\/dev-authenticated\/CognitoIdentityCredentials$/);
const again = fromCognitoIdentity({ identityId: alice.identityId, logins: { [key]: idToken }, clientConfig: { endpoint, region } });
assert.equal((await again()).identityId, alice.identityId);
const guest = fromCognitoIdentityPool({ identityPoolId: env.IDPOOL_POOL_ID, clientConfig: { endpoint, region } });
assert.match(await whoIs(guest), /assumed-role\/dev-guest\//);

// Every command of the client, once, with the administrator's key from the environment.
const admin = new cognito.CognitoIdentityClient({ endpoint, region });
const used = new Set();
async function call(name, input) {
  used.add(name);
  return admin.send(new cognito[`${name}Command`](input));
}

const made = await call("CreateIdentityPool", {
  IdentityPoolName: "made by JavaScript",
  AllowUnauthenticatedIdentities: true,
  DeveloperProviderName: "login.example",
  OpenIdConnectProviderARNs: [`arn:aws:iam::${env.IDPOOL_ACCOUNT_ID}:oidc-provider/${key}`],
});
const IdentityPoolId = made.IdentityPoolId;
const ResourceArn = `arn:aws:cognito-identity:${region}:${env.IDPOOL_ACCOUNT_ID}:identitypool/${IdentityPoolId}`;
assert.equal((await call("DescribeIdentityPool", { IdentityPoolId })).IdentityPoolName, "made by JavaScript");
await call("UpdateIdentityPool", { ...made, $metadata: undefined, IdentityPoolName: "renamed" });
assert.ok((await call("ListIdentityPools", { MaxResults: 60 })).IdentityPools.some((p) => p.IdentityPoolName === "renamed"));
await call("SetIdentityPoolRoles", { IdentityPoolId, Roles: { authenticated: env.IDPOOL_AUTHENTICATED_ROLE_ARN } });
assert.deepEqual((await call("GetIdentityPoolRoles", { IdentityPoolId })).Roles, { authenticated: env.IDPOOL_AUTHENTICATED_ROLE_ARN });
await call("TagResource", { ResourceArn, Tags: { team: "a", stage: "b" } });
await call("UntagResource", { ResourceArn, TagKeys: ["stage"] });
assert.deepEqual((await call("ListTagsForResource", { ResourceArn })).Tags, { team: "a" });
const IdentityProviderName = made.OpenIdConnectProviderARNs[0];
await call("SetPrincipalTagAttributeMap", { IdentityPoolId, IdentityProviderName, UseDefaults: true });
assert.equal((await call("GetPrincipalTagAttributeMap", { IdentityPoolId, IdentityProviderName })).UseDefaults, true);

const Logins = { [key]: await token("carol") };
const { IdentityId } = await call("GetId", { IdentityPoolId, Logins });
assert.equal((await call("GetOpenIdToken", { IdentityId, Logins })).IdentityId, IdentityId);
assert.deepEqual((await call("DescribeIdentity", { IdentityId })).Logins, [key]);
// The role trusts the other pool: the configuration is refused, and nothing is vended.
await assert.rejects(call("GetCredentialsForIdentity", { IdentityId, Logins }), { name: "InvalidIdentityPoolConfigurationException" });

const developer = (user) => call("GetOpenIdTokenForDeveloperIdentity", { IdentityPoolId, Logins: { "login.example": user } });
const [one, two] = [await developer("one"), await developer("two")];
assert.notEqual(one.IdentityId, two.IdentityId);
const look = await call("LookupDeveloperIdentity", { IdentityPoolId, DeveloperUserIdentifier: "one" });
assert.equal(look.IdentityId, one.IdentityId);
const merged = await call("MergeDeveloperIdentities", {
  IdentityPoolId,
  DeveloperProviderName: "login.example",
  SourceUserIdentifier: "one",
  DestinationUserIdentifier: "two",
});
assert.equal(merged.IdentityId, two.IdentityId);
await call("UnlinkDeveloperIdentity", {
  IdentityPoolId,
  IdentityId: two.IdentityId,
  DeveloperProviderName: "login.example",
  DeveloperUserIdentifier: "one",
});
await call("UnlinkIdentity", { IdentityId, Logins, LoginsToRemove: [key] });
await assert.rejects(call("GetOpenIdToken", { IdentityId }), { name: "NotAuthorizedException" });
assert.equal((await call("ListIdentities", { IdentityPoolId, MaxResults: 60, HideDisabled: true })).Identities.length, 2);
assert.deepEqual((await call("DeleteIdentities", { IdentityIdsToDelete: [IdentityId] })).UnprocessedIdentityIds, []);
await call("DeleteIdentityPool", { IdentityPoolId });
await assert.rejects(call("DescribeIdentityPool", { IdentityPoolId }), { name: "ResourceNotFoundException" });

const commands = Object.keys(cognito).filter((n) => n.endsWith("Command") && n !== "$Command").map((n) => n.slice(0, -"Command".length));
assert.equal(commands.length, 23);
assert.deepEqual([...used].sort(), commands.sort());
console.log("the AWS SDK for JavaScript did all 23 commands");
