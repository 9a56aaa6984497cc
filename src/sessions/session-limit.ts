import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { eventRows } from '../events/event-rows.ts';
import { describeError } from '../ops/log.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { endSurplusSessions } from './limit-store.ts';
import type { SessionDeps } from './sessions.ts';
import type { SessionRow } from './store.ts';

/**
 * Holds a user to the configured number of open sessions, where there is one: the oldest end, and their access tokens
 * are refused before the new ones are handed out.
 * @param session that has just been written; it stays
 */
export async function limitSessions(
  deps: SessionDeps,
  session: SessionRow,
  call: Pick<Call, 'origin' | 'after'>,
): Promise<void> {
  const { config, db, log, now, revocation } = deps;
  if (config.maxSessions === undefined) return;
  const { id: sessionId, userId } = session;
  const audit = auditRow(deps, { type: 'session_limit', result: 'success', userId, sessionId, origin: call.origin });
  const at = { now: now(), idleFrom: now() - config.sessionIdleTtl * 1000 };
  // Which they are the statement finds out, and fills in.
  const revoked = { session_ids: null, except_session_id: null, reason: 'session_limit' } as const;
  const events = await eventRows(deps, 'SessionRevoked', userId, revoked);
  const which = { userId, sessionId, limit: config.maxSessions };
  // The new session is there: the next sign-in ends what this one could not.
  const ended = await endSurplusSessions(db, which, at, audit, events).catch((error: unknown) => {
    log.warn('session_limit_failed', describeError(error));
    return [];
  });
  if (ended.length === 0) return;
  deliverAfter(deps, call, events);
  await revocation.revokeSessions(ended);
}
