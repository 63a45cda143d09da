// npm oidc-provider with its in-memory adapter: the same client_credentials and introspection work as authcenter.
//
// Environment: PEER_PORT, PEER_SECRET. Clients `bench-ES256`, `bench-RS256` and `bench-EdDSA` get a JWT access token
// signed with that algorithm; `bench-opaque` gets an opaque one, for a structured token is not introspected here.
// `bench-code` uses the authorization code grant: its access tokens are ES256 too, and anybody may sign in.

import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

const port = Number(process.env.PEER_PORT);
const secret = process.env.PEER_SECRET;
const RESOURCE = 'urn:bench:';

function signingKey(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg };
}

const keys = [
  signingKey('ES256', 'ec', { namedCurve: 'P-256' }),
  signingKey('RS256', 'rsa', { modulusLength: 2048 }),
  signingKey('EdDSA', 'ed25519'),
];
const algorithms = keys.map((key) => key.alg);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: [
    ...[...algorithms, 'opaque'].map((name) => ({
      client_id: `bench-${name}`,
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'read',
    })),
    {
      client_id: 'bench-code',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      redirect_uris: ['https://app.bench.test/cb'],
      response_types: ['code'],
      scope: 'openid read',
    },
  ],
  scopes: ['openid', 'read'],
  cookies: { keys: [secret] },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  ttl: { AccessToken: 900, AuthorizationCode: 60, ClientCredentials: 900, Grant: 3600, IdToken: 300, Session: 3600 },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => client.clientId.replace('bench-', RESOURCE),
      useGrantedResource: () => true,
      getResourceServerInfo(ctx, resource) {
        const name = resource.slice(RESOURCE.length);
        const alg = name === 'code' ? 'ES256' : name;
        return {
          scope: 'read',
          audience: resource,
          accessTokenTTL: 900,
          ...(alg === 'opaque'
            ? { accessTokenFormat: 'opaque' }
            : { accessTokenFormat: 'jwt', jwt: { sign: { alg, kid: alg } } }),
        };
      },
    },
  },
});

provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(port, '127.0.0.1');
