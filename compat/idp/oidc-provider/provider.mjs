// Runs the certified OpenID provider of the npm package oidc-provider on a loopback address, with its own login and consent
// forms, and with keys that change when a line "rotate" is read. It prints its issuer, and "rotated" after each change.
//
//   node provider.mjs REDIRECT-URI
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

// What the package says goes to standard error: standard output is for whoever started this.
console.info = console.log = console.error;
const say = (line) => process.stdout.write(`${line}\n`);

const algorithms = ["RS256", "PS256", "ES256", "EdDSA"];
const redirect = process.argv[2];
let number = 0;
let serve;

// keys are a new key for each algorithm; those before are withdrawn at once.
async function keys() {
  number++;
  return Promise.all(algorithms.map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `${alg}-${number}` };
  }));
}

// renew puts a provider with new keys in the place of the one before, as a restart with a new configuration does.
async function renew(issuer) {
  const provider = new Provider(issuer, {
    jwks: { keys: await keys() },
    cookies: { keys: ["for a test alone"] },
    enabledJWA: { idTokenSigningAlgValues: algorithms },
    clients: algorithms.map((alg) => ({
      client_id: `app-${alg}`,
      client_secret: "secret",
      redirect_uris: [redirect],
      id_token_signed_response_alg: alg,
    })),
  });
  serve = provider.callback();
}

const server = createServer((request, response) => serve(request, response));
server.listen(0, "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  await renew(issuer);
  say(issuer);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "rotate") throw new Error("not understood");
    await renew(issuer);
    say("rotated");
  }
  process.exit();
});
