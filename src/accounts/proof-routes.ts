import type { Call } from '../call.ts';
import { requesterOf } from '../http/asked.ts';
import type { RequestContext } from '../http/context.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { proofHits } from './mail-limits.ts';
import type { MailProof, TypedProof } from './one-time-tokens.ts';

/** Reads who shows a proof, and what that counts against. */
export async function prepareProof(deps: SessionDeps, c: RequestContext, typed: TypedProof, call: Call) {
  const subject: MailProof =
    'token' in typed ? typed : { ...typed, requester: await requesterOf(deps, c, call, typed.email.key) };
  return { hits: await proofHits(deps, subject, call), subject };
}
