// Posts an event to an API of which it is told nothing but the URL, with openid-client: everything else is discovered.
// node post_event.mjs RESOURCE WIDGET, with CLIENT_ID and CLIENT_SECRET set; with DPOP set its token is bound to a key.
import * as client from 'openid-client';

const [resource, widget] = process.argv.slice(2);
const { CLIENT_ID, CLIENT_SECRET, DPOP } = process.env;

const url = new URL(resource);
const metadata = await (await fetch(new URL(`/.well-known/oauth-protected-resource${url.pathname}`, url))).json();
const configuration = await client.discovery(
  new URL(metadata.authorization_servers[0]),
  CLIENT_ID,
  undefined,
  client.ClientSecretBasic(CLIENT_SECRET),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
);
const proof = DPOP ? { DPoP: client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256')) } : {};
const tokens = await client.clientCredentialsGrant(configuration, { scope: 'events:write', resource }, proof);
const event = { widget_id: widget, event_type: 'clicked', occurred_at: '2026-03-31T12:00:00Z' };
const response = await client.fetchProtectedResource(
  configuration,
  tokens.access_token,
  new URL(`${resource}/interaction-events`),
  'POST',
  JSON.stringify(event),
  new Headers({ 'content-type': 'application/json' }),
  proof,
);
console.log(JSON.stringify({ status: response.status, type: tokens.token_type, body: await response.json() }));
