import type { Deps } from '../deps.ts';
import { eventRows } from '../events/event-rows.ts';
import type { OutboxRow } from '../outbox/store.ts';
import type { SessionRow } from './store.ts';

/** The event of a new session. */
export function sessionStarted(deps: Deps, { id, userId, clientId }: SessionRow): Promise<OutboxRow[]> {
  return eventRows(deps, 'SessionStarted', userId, { session_id: id, client_id: clientId });
}

/** The event of the end of one session. @param userId undefined where the statement knows it */
export function sessionRevoked(
  deps: Deps,
  userId: string | undefined,
  sessionId: string,
  reason: 'logout' | 'revoked' | 'refresh_token_reuse',
): Promise<OutboxRow[]> {
  return eventRows(deps, 'SessionRevoked', userId, { session_ids: [sessionId], except_session_id: null, reason });
}
