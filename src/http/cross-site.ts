import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import type { RequestContext } from './context.ts';
import { pathsOfAnyRequest } from './cross-origin.ts';
import type { Endpoint } from './endpoint.ts';

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What a page sends to another origin without asking before (Fetch, "CORS-safelisted request-header"). */
const isSimple = (type: string | undefined) =>
  type === undefined || /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(;|$)/i.test(type);

/**
 * Refuses what a page of another site has a browser send without asking: a form, in the name of the person who opened
 * it. Whatever it would change or set (a cookie that names the device), nobody meant it. All else that comes from
 * another origin is asked for before, and answered by `crossOrigin`. What is no browser says nothing and goes on. An
 * endpoint that takes any request changes nothing, and judges by the access token alone, which no form can hold.
 */
export function createCrossSiteRefusal(
  { issuer, corsOrigins }: Pick<Config, 'issuer' | 'corsOrigins'>,
  endpoints: readonly Endpoint[],
): (c: RequestContext) => void {
  const isOfAnyRequest = pathsOfAnyRequest(endpoints);
  const own = new Set([new URL(issuer).origin, ...corsOrigins]);

  function isForeign(c: RequestContext): boolean {
    const origin = c.req.header('Origin');
    if (origin !== undefined && origin !== 'null') return !own.has(origin) && origin !== new URL(c.req.url).origin;
    // A page may hide its origin; a browser that says where a request comes from does not let it hide that.
    const site = c.req.header('Sec-Fetch-Site');
    return site === undefined ? origin === 'null' : site === 'cross-site' || site === 'same-site';
  }

  return function refuseCrossSiteForm(c) {
    const isForm = !safe.has(c.req.method) && isSimple(c.req.header('Content-Type'));
    if (isForm && isForeign(c) && !isOfAnyRequest(c.req.path)) {
      throw new Problem('forbidden', {
        detail: 'This form came from a page of another site. List its origin in CORS_ORIGINS.',
        reason: 'cross-site',
      });
    }
  };
}
