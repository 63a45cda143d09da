// Clients from npm, driven by the test: each line of JSON on stdin is a call, each on stdout its answer.
//
// The test is the person: it opens `url` in a browser and gives the address at which the browser arrived.

import { createInterface } from 'node:readline';

import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

const given = JSON.parse(process.env.REAL_CLIENT);
const issuer = new URL(given.issuer);

async function withOpenidClient(ask) {
  const config = await client.discovery(issuer, given.client_id, undefined, client.ClientSecretBasic(given.client_secret));
  const verifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const parameters = {
    redirect_uri: given.redirect_uri,
    scope: given.scope,
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  };
  const build = given.pushed ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
  const current = await ask({ url: (await build(config, parameters)).href });
  const tokens = await client.authorizationCodeGrant(config, new URL(current), checks);
  const { sub } = tokens.claims();
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const told = await client.fetchUserInfo(config, refreshed.access_token, sub);
  const introspected = await client.tokenIntrospection(config, refreshed.access_token);
  await client.tokenRevocation(config, refreshed.refresh_token);
  const wish = { post_logout_redirect_uri: given.out, id_token_hint: tokens.id_token, state: 'bye' };
  const logout = await ask({ url: client.buildEndSessionUrl(config, wish).href });
  return { sub, told, refreshed_sub: refreshed.claims().sub, introspected: introspected.active, logout };
}

async function withOauth4webapi(ask) {
  const found = await oauth.discoveryRequest(issuer);
  const as = await oauth.processDiscoveryResponse(issuer, found);
  const self = { client_id: given.client_id };
  const auth = oauth.ClientSecretPost(given.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: given.client_id,
    redirect_uri: given.redirect_uri,
    response_type: 'code',
    scope: given.scope,
    prompt: 'consent',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });
  const url = new URL(as.authorization_endpoint);
  if (given.pushed) {
    const answer = await oauth.pushedAuthorizationRequest(as, self, auth, parameters);
    const { request_uri } = await oauth.processPushedAuthorizationResponse(as, self, answer);
    url.search = new URLSearchParams({ client_id: given.client_id, request_uri });
  } else {
    url.search = parameters;
  }
  const current = new URL(await ask({ url: url.href }));
  const callback = oauth.validateAuthResponse(as, self, current, state);
  const answer = await oauth.authorizationCodeGrantRequest(as, self, auth, callback, given.redirect_uri, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(as, self, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, answer);
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const again = await oauth.refreshTokenGrantRequest(as, self, auth, tokens.refresh_token);
  const refreshed = await oauth.processRefreshTokenResponse(as, self, again);
  const info = await oauth.userInfoRequest(as, self, refreshed.access_token);
  const told = await oauth.processUserInfoResponse(as, self, sub, info);
  const asked = await oauth.introspectionRequest(as, self, auth, refreshed.access_token);
  const introspected = await oauth.processIntrospectionResponse(as, self, asked);
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, self, auth, refreshed.refresh_token));
  const refreshed_sub = oauth.getValidatedIdTokenClaims(refreshed).sub;
  const end = new URL(as.end_session_endpoint);
  end.search = new URLSearchParams({ post_logout_redirect_uri: given.out, id_token_hint: tokens.id_token, state: 'bye' });
  return { sub, told, refreshed_sub, introspected: introspected.active, logout: await ask({ url: end.href }) };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(question) {
  console.log(JSON.stringify(question));
  const { value, done } = await lines.next();
  if (done) throw new Error('the test is gone');
  return JSON.parse(value);
}

const run = { 'openid-client': withOpenidClient, oauth4webapi: withOauth4webapi }[given.library];
console.log(JSON.stringify({ done: await run(ask) }));
process.exit(0);
