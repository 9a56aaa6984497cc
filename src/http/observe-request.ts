import type { Deps } from '../deps.ts';
import { methods } from '../ops/metric-table.ts';
import type { Observation } from '../ops/observation.ts';
import type { Observer } from '../ops/observer.ts';
import { parseTraceParent, parseTraceState } from '../ops/trace-context.ts';
import type { RequestContext } from './context.ts';
import { doLater } from './later.ts';

/** Does the work of a request, measured and traced. @returns what the work returns */
export type ObserveRequest = (c: RequestContext, work: () => Promise<Response>) => Promise<Response>;

/** Measures and traces each request: by the pattern of its route and a method that is known, whatever was sent. */
export function createRequestObserver(
  { config, now }: Pick<Deps, 'config' | 'now'>,
  observer: Observer,
): ObserveRequest {
  const scheme = new URL(config.issuer).protocol.slice(0, -1);

  return async function observeRequest(c, work) {
    const parent = parseTraceParent(c.req.header('traceparent'));
    const traceState = parent === undefined ? undefined : parseTraceState(c.req.header('tracestate'));
    const response = await observer.trace({ parent, traceState }, async (here) => {
      const start = now();
      const response = await work();
      const duration = now() - start;
      const method = methods.find((known) => known === c.req.method) ?? '_OTHER';
      const route = c.get('endpoint');
      const { status } = response;
      count(here, { method, route: route ?? 'unknown' }, status, duration);
      if (here.timings !== undefined) response.headers.set('Server-Timing', serverTiming(here.timings, duration));
      const failed = status >= 500;
      const outcome = () => ({
        name: [method === '_OTHER' ? 'HTTP' : method, route].filter((part) => part !== undefined).join(' '),
        kind: 'server' as const,
        failed,
        attributes: {
          'http.request.method': method,
          'http.response.status_code': status,
          'url.scheme': scheme,
          ...(route === undefined ? {} : { 'http.route': route }),
          ...(failed ? { 'error.type': String(status) } : {}),
        },
      });
      return { result: response, outcome };
    });
    if (observer.claimFlush()) c.executionCtx.waitUntil(doLater([observer.flush]));
    return response;
  };
}

type Route = Readonly<Record<'method' | 'route', string>>;

function count({ recorder: { metrics } }: Observation, route: Route, status: number, duration: number): void {
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
