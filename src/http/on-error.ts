import { HTTPException } from 'hono/http-exception';
import { Overloaded } from '../crypto/gate.ts';
import { isUnavailable } from '../db/database.ts';
import type { Deps } from '../deps.ts';
import { Problem, problems } from '../errors.ts';
import { describeError } from '../ops/log.ts';
import { WrongSecret } from '../tokens/secret-guard.ts';
import type { RequestContext } from './context.ts';

/** Turns whatever was thrown into a problem: what nobody foresaw is logged, and told to nobody. */
export function toProblem(error: Error, { log }: Pick<Deps, 'log'>, requestId: string): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    log.error('database_unavailable', { request_id: requestId, ...describeError(error) });
    return new Problem('unavailable', { headers: { 'Retry-After': '2' } });
  }
  if (error instanceof WrongSecret) {
    log.error('wrong_secret', { request_id: requestId, advice: error.message });
    return new Problem('unavailable', { headers: { 'Retry-After': '30' } });
  }
  if (error.name === 'AbortError' || isHangUp(error)) return new Problem('client_closed_request');
  if (error instanceof Overloaded) {
    log.warn('overloaded', { request_id: requestId });
    return new Problem('overloaded', { headers: { 'Retry-After': '5' } });
  }
  if (error instanceof HTTPException && error.status === 413) return new Problem('body_too_large');
  log.error('unexpected_error', { request_id: requestId, ...describeError(error) });
  return new Problem('internal_error');
}

/** The client's own connection broke while its body was read (Node). What breaks on the way to others comes wrapped. */
const isHangUp = (error: Error) => 'code' in error && error.code === 'ECONNRESET' && error.cause === undefined;

/** Writes a problem as RFC 9457 `application/problem+json`. */
export function answerProblem(c: RequestContext, { code, details }: Problem, issuer: string): Response {
  const { status, title } = problems[code];
  c.set('reason', details.reason ?? code);
  for (const [name, value] of Object.entries(details.headers ?? {})) c.header(name, value);
  // RFC 6750 section 3: without a token only the scheme, with a bad one the error too.
  if (code === 'invalid_token') {
    const error = c.req.header('Authorization') === undefined ? '' : ', error="invalid_token"';
    c.header('WWW-Authenticate', `Bearer realm="${issuer}"${error}`);
  }
  c.header('Cache-Control', 'no-store');
  const body = {
    type: 'about:blank',
    title,
    status,
    // Clients of FastAPI services show it, and look for no title.
    detail: details.detail ?? title,
    code,
    request_id: c.get('requestId'),
    ...(details.errors === undefined ? {} : { errors: details.errors }),
  };
  c.header('Content-Type', 'application/problem+json');
  return c.newResponse(JSON.stringify(body), status);
}
