import type { MiddlewareHandler } from 'hono';
import type { Deps } from '../deps.ts';
import { methods } from '../ops/metric-table.ts';
import type { Observation } from '../ops/observation.ts';
import type { Observer } from '../ops/observer.ts';
import { parseTraceParent, parseTraceState } from '../ops/trace-context.ts';
import type { Env, RequestContext } from './context.ts';
import { doLater } from './later.ts';

/** Measures and traces each request: by the pattern of its route and a method that is known, whatever was sent. */
export function observeRequest(
  { config, now }: Pick<Deps, 'config' | 'now'>,
  observer: Observer,
): MiddlewareHandler<Env> {
  const scheme = new URL(config.issuer).protocol.slice(0, -1);

  return async function observeRequest(c, next) {
    const parent = parseTraceParent(c.req.header('traceparent'));
    const traceState = parent === undefined ? undefined : parseTraceState(c.req.header('tracestate'));
    await observer.trace({ parent, traceState }, async (here) => {
      const start = now();
      await next();
      const duration = now() - start;
      const method = methods.find((known) => known === c.req.method) ?? '_OTHER';
      const route = c.get('endpoint');
      const { status } = c.res;
      count(here, { method, route: route ?? 'unknown' }, status, duration);
      if (here.timings !== undefined) c.header('Server-Timing', serverTiming(here.timings, duration));
      const failed = status >= 500;
      return {
        name: [method === '_OTHER' ? 'HTTP' : method, route].filter((part) => part !== undefined).join(' '),
        kind: 'server',
        failed,
        attributes: {
          'http.request.method': method,
          'http.response.status_code': status,
          'url.scheme': scheme,
          ...(route === undefined ? {} : { 'http.route': route }),
          ...(failed ? { 'error.type': String(status) } : {}),
        },
      };
    });
    if (observer.claimFlush()) c.executionCtx.waitUntil(doLater([observer.flush]));
  };
}

type Route = Readonly<Record<'method' | 'route', string>>;

function count(
  { recorder: { metrics } }: Observation,
  route: Route,
  status: RequestContext['res']['status'],
  duration: number,
): void {
  const status_class = `${Math.floor(status / 100)}xx`;
  metrics.count('edge_auth_http_requests_total', { ...route, status: String(status) });
  metrics.observe('edge_auth_http_request_duration_seconds', { ...route, status_class }, duration);
}

const shortNames = {
  database: 'db',
  key_value: 'kv',
  mailer: 'mail',
  event_sink: 'events',
  breached_passwords: 'breaches',
  hash: 'hash',
  verify: 'hash',
};

/** W3C Server Timing: milliseconds, of what ran side by side added up. */
function serverTiming(timings: NonNullable<Observation['timings']>, duration: number): string {
  const sums = new Map([['total', duration]]);
  for (const [what, time] of timings) sums.set(shortNames[what], (sums.get(shortNames[what]) ?? 0) + time);
  return [...sums].map(([name, time]) => `${name};dur=${time}`).join(', ');
}
