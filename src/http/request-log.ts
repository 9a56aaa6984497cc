import type { Deps } from '../deps.ts';
import type { RequestContext } from './context.ts';
import { clientRequestId } from './request-id.ts';

/** What the log says of an answer: its status, and how long it took in milliseconds. */
type LogAnswer = (c: RequestContext, status: number, duration: number) => void;

/** One line for each request: what, how it ended, how long it took. No addresses, no identifiers of people. */
export function createRequestLog({ config, log }: Pick<Deps, 'config' | 'log'>): LogAnswer {
  return function logAnswer(c, status, duration) {
    const fields = {
      request_id: c.get('requestId'),
      client_request_id: clientRequestId(c.req.header('X-Request-Id')),
      method: c.req.method,
      // The pattern, never the path as it came: paths can hold anything.
      route: c.get('endpoint') ?? 'unknown',
      status,
      duration_ms: duration,
      reason: c.get('reason'),
    };
    if (duration > config.slowRequestMs) log.warn('slow_request', fields);
    else if (status >= 500) log.error('request', fields);
    else log.info('request', fields);
  };
}
