// What runs in the browser: Amplify v6 and the SDK's credential provider, from another origin than the server's.
import { Amplify } from "aws-amplify";
import { decodeJWT, fetchAuthSession } from "aws-amplify/auth";
import { cognitoCredentialsProvider } from "aws-amplify/auth/cognito";
import { CognitoIdentityClient, DescribeIdentityCommand } from "@aws-sdk/client-cognito-identity";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromCognitoIdentityPool } from "@aws-sdk/credential-providers";

async function whoIs(settings, credentials) {
  const sts = new STSClient({ endpoint: settings.endpoint, region: settings.region, credentials });
  return (await sts.send(new GetCallerIdentityCommand({}))).Arn;
}

async function amplify(settings) {
  let signedIn = false;
  // snippet: Amplify
  Amplify.configure(
    { Auth: { Cognito: { identityPoolId: settings.poolId, identityPoolEndpoint: settings.endpoint, allowGuestAccess: true } } },
    {
      Auth: {
        credentialsProvider: cognitoCredentialsProvider,
        tokenProvider: {
          // After your own login: the ID token twice, since Amplify asks for both and sends the ID token alone.
          async getTokens() {
            return signedIn ? { accessToken: decodeJWT(settings.idToken), idToken: decodeJWT(settings.idToken) } : null;
          },
        },
      },
    },
  );
  const guest = await fetchAuthSession();
  // end
  signedIn = true;
  const alice = await fetchAuthSession({ forceRefresh: true });
  const client = new CognitoIdentityClient({ endpoint: settings.endpoint, region: settings.region, credentials: alice.credentials });
  const own = await client.send(new DescribeIdentityCommand({ IdentityId: alice.identityId }));
  return {
    guest: await whoIs(settings, guest.credentials),
    alice: await whoIs(settings, alice.credentials),
    logins: own.Logins,
    identityId: alice.identityId,
  };
}

async function sdk(settings) {
  const clientConfig = { endpoint: settings.endpoint, region: settings.region };
  const credentials = fromCognitoIdentityPool({ identityPoolId: settings.poolId, logins: { [settings.key]: settings.idToken }, clientConfig });
  let refused = "";
  try {
    await fromCognitoIdentityPool({ identityPoolId: settings.poolId, logins: { [settings.key]: "x.y.z" }, clientConfig })();
  } catch (e) {
    refused = `${e.name}: ${e.message}`;
  }
  return { alice: await whoIs(settings, credentials), identityId: (await credentials()).identityId, refused };
}

window.run = async (settings) => ({ sdk: await sdk(settings), amplify: await amplify(settings) });
