import type { MiddlewareHandler } from 'hono';
import type { Config } from '../config.ts';
import { Problem } from '../errors.ts';
import type { Env, RequestContext } from './context.ts';

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What a page sends to another origin without asking before (Fetch, "CORS-safelisted request-header"). */
const isSimple = (type: string | undefined) =>
  type === undefined || /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(;|$)/i.test(type);

/**
 * Refuses what a page of another site has a browser send without asking: a form, in the name of the person who opened
 * it. Whatever it would change or set (a cookie that names the device), nobody meant it. All else that comes from
 * another origin is asked for before, and answered by `crossOrigin`. What is no browser says nothing and goes on.
 */
export function refuseCrossSiteForms({
  issuer,
  corsOrigins,
}: Pick<Config, 'issuer' | 'corsOrigins'>): MiddlewareHandler<Env> {
  const own = new Set([new URL(issuer).origin, ...corsOrigins]);

  function isForeign(c: RequestContext): boolean {
    const origin = c.req.header('Origin');
    if (origin !== undefined && origin !== 'null') return !own.has(origin) && origin !== new URL(c.req.url).origin;
    // A page may hide its origin; a browser that says where a request comes from does not let it hide that.
    const site = c.req.header('Sec-Fetch-Site');
    return site === undefined ? origin === 'null' : site === 'cross-site' || site === 'same-site';
  }

  return async function refuseForms(c, next) {
    if (!safe.has(c.req.method) && isSimple(c.req.header('Content-Type')) && isForeign(c)) {
      throw new Problem('forbidden', {
        detail: 'This form came from a page of another site. List its origin in CORS_ORIGINS.',
        reason: 'cross-site',
      });
    }
    await next();
  };
}
