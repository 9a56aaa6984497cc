import type { Origin } from '../audit/audit.ts';
import type { Caller } from '../call.ts';
import { Problem } from '../errors.ts';
import { isNoted } from '../sessions/notes.ts';
import type { Admission } from './admission.ts';
import type { RequestContext } from './context.ts';
import { doLater } from './later.ts';

/** Where a request came from. */
export const originOf = (c: RequestContext): Origin => ({
  address: c.env.clientAddress,
  userAgent: c.req.header('User-Agent'),
});

/** Has a refusal noted, after the answer that tells it. */
export async function noting(
  c: RequestContext,
  admission: Admission,
  caller: Caller | undefined,
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem && isNoted(error.code)) {
      const [{ code }, origin] = [error, originOf(c)];
      c.executionCtx.waitUntil(doLater([() => admission.noteRefusal(code, caller, origin)]));
    }
    throw error;
  }
}
