import { auditRow, type Origin } from '../audit/audit.ts';
import { endSurplusSessions } from './limit-store.ts';
import type { SessionDeps } from './sessions.ts';
import type { SessionRow } from './store.ts';

/**
 * Holds a user to the configured number of open sessions, where there is one: the oldest end, and their access tokens
 * are refused before the new ones are handed out.
 * @param session that has just been written; it stays
 */
export async function limitSessions(deps: SessionDeps, session: SessionRow, origin: Origin): Promise<void> {
  const { config, db, now, revocation } = deps;
  if (config.maxSessions === undefined) return;
  const { id: sessionId, userId } = session;
  const audit = auditRow(deps, { type: 'session_limit', result: 'success', userId, sessionId, origin });
  const at = { now: now(), idleFrom: now() - config.sessionIdleTtl * 1000 };
  const ended = await endSurplusSessions(db, { userId, sessionId, limit: config.maxSessions }, at, audit);
  if (ended.length > 0) await revocation.revokeSessions(ended);
}
