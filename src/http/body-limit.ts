import { bodyLimit } from 'hono/body-limit';
import { Problem } from '../errors.ts';
import type { RequestContext } from './context.ts';

const maxBodyBytes = 64 * 1024;

function refuse(): never {
  throw new Problem('body_too_large');
}

const countBytes = bodyLimit({ maxSize: maxBodyBytes, onError: refuse });
const hasNoBody: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a body that is too large. One that says its length is judged by it; one that comes in chunks is read and counted
 * here, and nothing behind the limit is kept.
 * @throws {Problem} `body_too_large`
 */
export async function limitBody(c: RequestContext): Promise<void> {
  if (hasNoBody.has(c.req.method)) return;
  const length = c.req.header('Content-Length');
  if (length === undefined || c.req.header('Transfer-Encoding') !== undefined) {
    await countBytes(c, async () => undefined);
  } else if (Number.parseInt(length, 10) > maxBodyBytes) refuse();
}
