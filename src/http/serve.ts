import type { Deps } from '../deps.ts';
import type { Observer } from '../ops/observer.ts';
import { limitBody } from './body-limit.ts';
import type { RequestContext } from './context.ts';
import type { Contract } from './contract.ts';
import { createCrossOrigin } from './cross-origin.ts';
import { createCrossSiteRefusal } from './cross-site.ts';
import type { Endpoint } from './endpoint.ts';
import { createRequestObserver } from './observe-request.ts';
import { answerProblem, toProblem } from './on-error.ts';
import { createRequestLog } from './request-log.ts';
import { securityHeaders } from './security-headers.ts';

type Handler = (c: RequestContext) => Response | Promise<Response>;

/**
 * Surrounds the handler of a route with what every answer has: a request id, the headers that protect it, what other
 * origins may do with it, a line in the log, and a problem where something is thrown. What depends on the route alone is
 * decided when the route is mounted, so that a request pays for no more than it needs.
 */
export type Serve = (route: Partial<Pick<Contract, 'path' | 'contentSecurityPolicy'>>, handle: Handler) => Handler;

/** @param endpoints those that other origins may call */
export function createServe(deps: Deps, observer: Observer, endpoints: readonly Endpoint[]): Serve {
  const { config, now, steady } = deps;
  const observe = createRequestObserver(deps, observer);
  const log = createRequestLog(deps);
  const shareAcrossOrigins = createCrossOrigin(config, endpoints);
  const refuseCrossSiteForm = createCrossSiteRefusal(config, endpoints);

  return (route, handle) => {
    const headers = securityHeaders(route.contentSecurityPolicy);

    async function answer(c: RequestContext): Promise<Response> {
      try {
        const preflight = await shareAcrossOrigins(c);
        if (preflight !== undefined) return preflight;
        refuseCrossSiteForm(c);
        await limitBody(c);
        return await handle(c);
      } catch (error) {
        return answerProblem(c, toProblem(error, deps, c.get('requestId')), config.issuer);
      }
    }

    return function serve(c) {
      const requestId = crypto.randomUUID();
      c.set('requestId', requestId);
      c.set('startedAt', steady());
      c.set('endpoint', route.path);
      c.header('X-Request-Id', requestId);
      for (const [name, value] of headers) c.header(name, value);
      return observe(c, async () => {
        const start = now();
        const response = await answer(c);
        log(c, response.status, now() - start);
        return response;
      });
    };
  };
}
