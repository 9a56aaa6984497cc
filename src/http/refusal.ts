import type { Deps } from '../deps.ts';
import { Problem, type ProblemCode, problems } from '../errors.ts';
import type { Metrics } from '../ops/metrics.ts';
import { problemBody, problemHeaders } from './problem.ts';

/** An answer to a request that is too malformed to become one of the application's. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Refuse = (code: ProblemCode, reason: string) => Refusal;

/**
 * Makes the problem that answers a malformed request, and logs and counts it like every other answer.
 * @returns what an entry point writes, since there is no route that could
 */
export function createRefuse({ log }: Pick<Deps, 'log'>, metrics: Metrics): Refuse {
  return function refuse(code, reason) {
    const { status } = problems[code];
    const requestId = crypto.randomUUID();
    log.info('request', { request_id: requestId, route: 'unknown', status, duration_ms: 0, reason });
    metrics.count('edge_auth_http_requests_total', { method: '_OTHER', route: 'unknown', status: String(status) });
    const headers = {
      ...problemHeaders,
      'X-Request-Id': requestId,
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
    };
    return { status, headers, body: problemBody(new Problem(code), requestId) };
  };
}

export const toResponse = ({ body, status, headers }: Refusal): Response => new Response(body, { status, headers });
