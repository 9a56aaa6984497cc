import type { MiddlewareHandler } from 'hono';
import type { Env } from './context.ts';

/** What a client may call its request: as UUIDs, ULIDs and trace ids are written. */
const readable = /^[\w.:=+/-]{1,128}$/;

/** Names each request. The name is ours alone: a client that chose it could make two requests look like one. */
export function requestIds(): MiddlewareHandler<Env> {
  return async function nameRequest(c, next) {
    const id = crypto.randomUUID();
    c.set('requestId', id);
    c.header('X-Request-Id', id);
    await next();
  };
}

/** What the client calls its request, for the log; undefined where it has no name or one that is not plain. */
export function clientRequestId(header: string | undefined): string | undefined {
  return header !== undefined && readable.test(header) ? header : undefined;
}
