/**
 * The least that any service of this kind has to do: `bare-server.ts PORT SERVICE` serves the key set as a text that
 * never changes, and verifies a token with jose and the keys that SERVICE publishes. Says so to its parent when it serves.
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createLocalJWKSet, jwtVerify } from 'jose';

const [port, service] = process.argv.slice(2);
const text = await (await fetch(`${service}/.well-known/jwks.json`)).text();
const keys = createLocalJWKSet(JSON.parse(text));
const app = new Hono();
app.get('/jwks', (c) => c.body(text, 200, { 'Content-Type': 'application/json' }));
app.get('/verify', async (c) => {
  const { payload } = await jwtVerify(c.req.header('Authorization')?.slice('Bearer '.length) ?? '', keys, {
    algorithms: ['RS256'],
    typ: 'at+jwt',
  });
  return c.json(payload);
});
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, () => process.send?.('ready'));
