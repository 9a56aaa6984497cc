import type { MiddlewareHandler } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from './context.ts';
import { clientRequestId } from './request-id.ts';

/** One line for each request: what, how it ended, how long it took. No addresses, no identifiers of people. */
export function requestLog({ config, log, now }: Pick<Deps, 'config' | 'log' | 'now'>): MiddlewareHandler<Env> {
  return async function writeRequestLog(c, next) {
    const start = now();
    await next();
    const duration = now() - start;
    const fields = {
      request_id: c.get('requestId'),
      client_request_id: clientRequestId(c.req.header('X-Request-Id')),
      method: c.req.method,
      // The pattern, never the path as it came: paths can hold anything.
      route: c.get('endpoint') ?? 'unknown',
      status: c.res.status,
      duration_ms: duration,
      reason: c.get('reason'),
    };
    if (duration > config.slowRequestMs) log.warn('slow_request', fields);
    else if (c.res.status >= 500) log.error('request', fields);
    else log.info('request', fields);
  };
}
