import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { Config } from '../config.ts';
import type { Env } from './context.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * What pages of other origins may do: read the key set, whoever they are, and all else where they are listed.
 * Preflights are answered here, 204 and without a token. Not so for an endpoint that takes any request: a proxy asks it
 * on behalf of requests of any method, and takes each 2xx for a yes.
 */
export function crossOrigin(
  { corsOrigins }: Pick<Config, 'corsOrigins'>,
  endpoints: readonly Endpoint[],
): MiddlewareHandler<Env> {
  const share = cors({
    origin: (origin, c) =>
      c.req.path.startsWith('/.well-known/') ? '*' : corsOrigins.includes(origin) ? origin : null,
    exposeHeaders: [
      ...['ETag', 'X-Request-Id', 'X-Device-Token'],
      ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'Retry-After'],
    ],
    maxAge: 600,
  });
  const judges = endpoints.filter(({ contract }) => contract.anyRequest === true).map(({ contract }) => contract.path);
  return async function shareAcrossOrigins(c, next) {
    const isJudged = judges.some((path) => c.req.path === path || c.req.path.startsWith(`${path}/`));
    return isJudged ? await next() : await share(c, next);
  };
}
