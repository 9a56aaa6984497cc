import { HTTPException } from 'hono/http-exception';
import { NobodyWaits, Overloaded } from '../crypto/semaphore.ts';
import { isUnavailable } from '../db/database.ts';
import type { Deps } from '../deps.ts';
import { Problem, type ProblemCode, problems } from '../errors.ts';
import { describeError } from '../ops/log.ts';
import { WrongSecret } from '../tokens/secret-guard.ts';
import type { RequestContext } from './context.ts';
import { problemBody, problemHeaders } from './problem.ts';

/** Something that is no error was thrown. */
class Thrown extends Error {
  override readonly name = 'Thrown';
}

/** Anything may be thrown, and Hono hands on errors alone. */
const toError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Thrown(`a value of the type ${typeof thrown}`);

/** Turns whatever was thrown into a problem: what nobody foresaw is logged, and told to nobody. */
export function toProblem(thrown: unknown, { log }: Pick<Deps, 'log'>, requestId: string): Problem {
  const error = toError(thrown);
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    log.error('database_unavailable', { request_id: requestId, ...describeError(error) });
    return new Problem('unavailable', { headers: { 'Retry-After': '2' } });
  }
  if (error instanceof WrongSecret) {
    log.error('wrong_secret', { request_id: requestId, advice: error.message });
    return new Problem('unavailable', { headers: { 'Retry-After': '30' } });
  }
  if (error instanceof NobodyWaits || error.name === 'AbortError' || isHangUp(error))
    return new Problem('client_closed_request');
  if (error instanceof Overloaded) {
    log.warn('overloaded', { request_id: requestId });
    return new Problem('overloaded', { headers: { 'Retry-After': '5' } });
  }
  if (error instanceof HTTPException && error.status === 413) return new Problem('body_too_large');
  log.error('unexpected_error', { request_id: requestId, ...describeError(error) });
  return new Problem('internal_error');
}

/** Whether it is answered 503: the client is told to try again. Not 500, which a client may cause again and again. */
export const isOutage = (error: unknown): boolean =>
  error instanceof Problem ? problems[error.code].status === 503 : error instanceof Overloaded || isUnavailable(error);

/** The client's own connection broke while its body was read (Node). What breaks on the way to others comes wrapped. */
const isHangUp = (error: Error) => 'code' in error && error.code === 'ECONNRESET' && error.cause === undefined;

/** Writes a problem as RFC 9457 `application/problem+json`. */
export function answerProblem(c: RequestContext, problem: Problem, issuer: string): Response {
  const { code, details } = problem;
  const { status } = problems[code];
  c.set('reason', details.reason ?? code);
  for (const [name, value] of Object.entries(details.headers ?? {})) c.header(name, value);
  // Every 401 names a way in (RFC 9110 section 15.5.2).
  if (status === 401 && details.headers?.['WWW-Authenticate'] === undefined) {
    c.header('WWW-Authenticate', challenge(code, c.req.header('Authorization'), issuer));
  }
  for (const [name, value] of Object.entries(problemHeaders)) c.header(name, value);
  return c.newResponse(problemBody(problem, c.get('requestId')), status);
}

/** RFC 6750 section 3.1: the error of a bad bearer token; none without a token, and none for another scheme. */
function challenge(code: ProblemCode, authorization: string | undefined, issuer: string): string {
  const error =
    code === 'invalid_token' && /^Bearer(?:\s|$)/i.test(authorization ?? '') ? ', error="invalid_token"' : '';
  return `Bearer realm="${issuer}"${error}`;
}
