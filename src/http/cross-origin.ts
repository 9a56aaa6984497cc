import { cors } from 'hono/cors';
import type { Config } from '../config.ts';
import type { RequestContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { isOrigin } from './web-address.ts';

/** What a page may read of an answer besides its body. */
const exposeHeaders = [
  ...['ETag', 'X-Request-Id', 'X-Device-Token', 'WWW-Authenticate', 'Content-Disposition'],
  ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'Retry-After'],
];
/** How long a browser may remember the answer to a preflight: seconds. */
const maxAge = 600;
/** The length of the longest origin that is worth a line in the log. */
const longestOrigin = 200;

const isPreflight = ({ req }: RequestContext) => req.header('Access-Control-Request-Method') !== undefined;

/**
 * Says in the headers of an answer what pages of other origins may do with it.
 * @returns the answer to an `OPTIONS` request; undefined where the request goes on
 */
export type ShareAcrossOrigins = (c: RequestContext) => Promise<Response | undefined>;

/** @returns whether an endpoint that takes any request answers at a path: at its own, and at all below */
export function pathsOfAnyRequest(endpoints: readonly Endpoint[]): (path: string) => boolean {
  const paths = endpoints.filter(({ contract }) => contract.anyRequest === true).map(({ contract }) => contract.path);
  return (path) => paths.some((each) => `${path}/`.startsWith(`${each}/`));
}

/**
 * What pages of other origins may do: read the key set, whoever they are, and all else where they are listed, with the
 * cookie of the device. The cookie alone lets nobody in, so a request that carries it needs no further proof of its origin.
 * Preflights are answered here, 204 and without a token. Not so below an endpoint that takes any request: a proxy asks it
 * on behalf of requests of any method, and takes each 2xx for a yes.
 */
export function createCrossOrigin(
  { corsOrigins }: Pick<Config, 'corsOrigins'>,
  endpoints: readonly Endpoint[],
): ShareAcrossOrigins {
  const listed = new Set(corsOrigins);
  const preflightOf = {
    listed: cors({ origin: (origin) => origin, credentials: true, exposeHeaders, maxAge }),
    all: cors({ origin: '*', exposeHeaders, maxAge }),
    nobody: cors({ origin: () => null, maxAge }),
  };
  const exposed = exposeHeaders.join(',');
  const isBelowJudge = pathsOfAnyRequest(endpoints);
  const judges = endpoints.filter(({ contract }) => contract.anyRequest === true).map(({ contract }) => contract.path);

  /** Whether a 2xx would say yes to a request of somebody else, on whose behalf a proxy asks. */
  function isJudged({ req }: RequestContext, isListed: boolean): boolean {
    if (!isBelowJudge(req.path)) return false;
    // A listed page that asks about itself. Envoy asks below the path, nginx, Traefik and Caddy ask by GET.
    return !(isListed && judges.includes(req.path) && req.header('Access-Control-Request-Method') === 'GET');
  }

  return async function shareAcrossOrigins(c) {
    const origin = c.req.header('Origin') ?? '';
    const isListed = listed.has(origin);
    const audience = isListed ? 'listed' : c.req.path.startsWith('/.well-known/') ? 'all' : 'nobody';
    if (c.req.method === 'OPTIONS') {
      if (isJudged(c, isListed)) return undefined;
      if (audience === 'nobody' && isPreflight(c)) {
        const named = isOrigin(origin) && origin.length <= longestOrigin ? origin : 'of another kind';
        c.set('reason', `preflight refused: the origin ${named} is not in CORS_ORIGINS`);
      }
      return (await preflightOf[audience](c, async () => undefined)) ?? undefined;
    }
    if (audience === 'nobody') c.header('Vary', 'Origin');
    else {
      c.header('Access-Control-Allow-Origin', audience === 'all' ? '*' : origin);
      c.header('Access-Control-Expose-Headers', exposed);
      if (audience === 'listed') {
        c.header('Access-Control-Allow-Credentials', 'true');
        c.header('Vary', 'Origin');
      }
    }
    return undefined;
  };
}
