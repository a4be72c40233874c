// An authorization server by oidc-provider, which issues access tokens for a resource to the client `them`.
// node issuer.mjs RESOURCE prints the URL of the issuer. Each line on standard input rotates its key, and prints the new kid.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

const [resource] = process.argv.slice(2);
const keys = [];
console.info = console.error; // what oidc-provider notices is no answer

async function addKey() {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey);
  const kid = `key-${keys.length + 1}`;
  keys.unshift({ kty, crv, x, y, d, kid, use: 'sig', alg: 'ES256' });
  return kid;
}

function handler(issuer) {
  return new Provider(issuer, {
    clients: ['them', 'others'].map((client_id) => ({
      client_id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    jwks: { keys: keys.slice(0, 1) },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          audience: resource,
          scope: 'events:write events:read',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 60,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }).callback();
}

let serve;
const server = createServer((request, response) => serve(request, response)).listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
await addKey();
serve = handler(issuer);
console.log(issuer);

for await (const _ of createInterface({ input: process.stdin })) {
  const kid = await addKey();
  serve = handler(issuer);
  console.log(kid);
}
server.close();
server.closeAllConnections();
