import { auditRow } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { Problem } from '../errors.ts';
import { eventRows } from '../events/event-rows.ts';
import { deliverAfter } from '../outbox/relay.ts';
import { endAllSessions } from './end-all-store.ts';
import { sessionRevoked } from './session-events.ts';
import type { SessionDeps } from './sessions.ts';
import { endSession } from './store.ts';

/** What the end of a session needs to know of the request for it. */
type EndingCall = Pick<Call, 'origin' | 'after'>;

/** Ends a session, and with it its access tokens. Ending it again is no error. */
export async function logout(deps: SessionDeps, sessionId: string, call: EndingCall): Promise<void> {
  const { origin } = call;
  const audit = auditRow(deps, { type: 'logout', result: 'success', userId: null, sessionId, origin });
  const events = await sessionRevoked(deps, undefined, sessionId, 'logout');
  const ended = await endSession(deps.db, { sessionId }, 'logout', deps.now(), audit, events);
  if (ended !== undefined) deliverAfter(deps, call, events);
  await deps.revocation.revokeSessions([sessionId]);
}

/**
 * Ends one of the user's own sessions, and with it its access tokens.
 * @throws {Problem} `not_found` where no session of theirs is open under that id
 */
export async function revokeSession(
  deps: SessionDeps,
  session: { readonly userId: string; readonly sessionId: string },
  call: EndingCall,
): Promise<void> {
  const { origin } = call;
  const audit = auditRow(deps, { type: 'session_revoked', result: 'success', ...session, origin });
  const events = await sessionRevoked(deps, session.userId, session.sessionId, 'revoked');
  const ended = await endSession(deps.db, session, 'revoked', deps.now(), audit, events);
  if (ended === undefined) throw new Problem('not_found', { reason: 'no open session of the caller' });
  deliverAfter(deps, call, events);
  await deps.revocation.revokeSessions([session.sessionId]);
}

/**
 * Ends every session of a user.
 * @param exceptCurrent the session that asks lives on
 * @returns how many were open and have ended
 */
export async function logoutAll(
  deps: SessionDeps,
  caller: { readonly userId: string; readonly sessionId: string },
  exceptCurrent: boolean,
  call: EndingCall,
): Promise<number> {
  const { userId, sessionId } = caller;
  const except = exceptCurrent ? sessionId : null;
  const audit = auditRow(deps, { type: 'logout_all', result: 'success', ...caller, origin: call.origin });
  const revoked = { session_ids: null, except_session_id: except, reason: 'logout_all' } as const;
  const events = await eventRows(deps, 'SessionRevoked', userId, revoked);
  const ended = await endAllSessions(deps.db, { userId, except }, deps.now(), audit, events);
  deliverAfter(deps, call, events);
  await deps.revocation.revokeUser(userId, ended, except);
  return ended.length;
}
