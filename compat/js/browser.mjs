// Runs page.mjs in headless Chromium, served from another origin than the server's: every call needs a CORS preflight.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { chromium } from "playwright-core";

const env = process.env;
const key = env.IDPOOL_TEST_ISSUER.replace(/^\w+:\/\//, "");
// The package names its entry for browsers without the file's ending, which this bundler does not follow.
const alias = { "@aws-sdk/credential-providers": "./node_modules/@aws-sdk/credential-providers/dist-es/index.browser.js" };
const bundle = await esbuild.build({ entryPoints: ["page.mjs"], bundle: true, write: false, format: "iife", define: { global: "window" }, alias });
const script = bundle.outputFiles[0].text;

const site = createServer((request, response) => {
  const isScript = request.url === "/page.js";
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? script : '<!doctype html><meta charset="utf-8"><title>compat</title><script src="/page.js"></script>');
});
await new Promise((ready) => site.listen(0, "localhost", ready));

const answer = await fetch(`${env.IDPOOL_TEST_ISSUER}/token`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ sub: "alice", aud: env.IDPOOL_TEST_AUDIENCE }),
});
const settings = {
  endpoint: env.AWS_ENDPOINT_URL,
  region: env.AWS_REGION,
  poolId: env.IDPOOL_POOL_ID,
  key,
  idToken: (await answer.json()).id_token,
};

const browser = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "chromium-")), {
  executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  const preflights = [];
  const devtools = await browser.newCDPSession(page);
  await devtools.send("Network.enable");
  devtools.on("Network.requestWillBeSent", (e) => {
    if (e.request.method === "OPTIONS") preflights.push(e.request.url);
  });
  page.on("console", (m) => console.log("page:", m.text()));
  await page.goto(`http://localhost:${site.address().port}/`);
  const got = await page.evaluate((s) => window.run(s), settings);
  assert.match(got.sdk.alice, /assumed-role\/dev-authenticated\//);
  assert.equal(got.sdk.refused, "NotAuthorizedException: Invalid login token. Not a valid OpenId Connect identity token.");
  assert.match(got.amplify.guest, /assumed-role\/dev-guest\//);
  assert.match(got.amplify.alice, /assumed-role\/dev-authenticated\//);
  assert.deepEqual(got.amplify.logins, [key]);
  assert.equal(got.amplify.identityId, got.sdk.identityId);
  assert.ok(preflights.some((url) => url.startsWith(settings.endpoint)), "no preflight was seen");
  console.log(`Amplify and the SDK in Chromium, ${preflights.length} preflights`);
} finally {
  await browser.close();
  site.close();
}
