import * as z from 'zod';
import type { Deps } from '../deps.ts';
import { isKnown } from '../http/conditional.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { jwksMaxAge } from './signing-key-state.ts';
import type { SigningKeys } from './signing-keys.ts';

const jwks = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('RSA'),
        n: z.string(),
        e: z.string(),
        kid: z.string(),
        alg: z.literal('RS256'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({
    id: 'Jwks',
    examples: [{ keys: [{ kty: 'RSA', n: '0vx7agoebGcQ', e: 'AQAB', kid: 'NzbLsXh8uDCc', alg: 'RS256', use: 'sig' }] }],
  });

export function tokenRoutes({ config }: Pick<Deps, 'config'>, signingKeys: SigningKeys): Endpoint[] {
  const cacheControl = `public, max-age=${jwksMaxAge(config.signingKeyLead)}`;
  return [
    endpoint({
      method: 'get',
      path: '/.well-known/jwks.json',
      operationId: 'jwks',
      tag: 'Tokens',
      summary: 'Get the public keys that verify access tokens (RFC 7517)',
      description:
        'Cache the set for as long as Cache-Control says. The service publishes a new key well before it signs.',
      responses: { 200: { description: 'The key set', schema: jwks, headers: { ETag: 'Changes with the keys' } } },
      errors: [],
      prepare: unlimited,
      handler: async ({ c }) => {
        const set = await signingKeys.published();
        // The key ids are thumbprints of the keys, so together they name the set.
        const etag = `"${set.keys.map(({ kid }) => kid).join('.')}"`;
        const headers = { ETag: etag, 'Cache-Control': cacheControl };
        return isKnown(c.req.header('If-None-Match'), etag) ? c.body(null, 304, headers) : c.json(set, 200, headers);
      },
    }),
  ];
}
