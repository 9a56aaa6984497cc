import type * as z from 'zod';
import { describeUserAgent } from '../audit/user-agent.ts';
import type { Deps } from '../deps.ts';
import type { openSession } from './schemas.ts';
import { type KeptSession, readSessions } from './store.ts';

/**
 * The open sessions of a user, newest first.
 * @param page at most `limit` that started before the one with the id `before`
 */
export function listSessions(
  { config, db, now }: Pick<Deps, 'config' | 'db' | 'now'>,
  userId: string,
  page: { readonly limit: number; readonly before: string | undefined },
): Promise<KeptSession[]> {
  const time = now();
  return readSessions(db, userId, page, { now: time, idleFrom: time - config.sessionIdleTtl * 1000 });
}

/** A session as the user sees it. @param currentId the session that asks */
export function toOpenSession(row: KeptSession, currentId: string): z.output<typeof openSession> {
  return {
    id: row.id,
    created_at: row.createdAt.toISOString(),
    last_seen_at: row.rotatedAt.toISOString(),
    address: row.address,
    user_agent: row.userAgent,
    ...describeUserAgent(row.userAgent),
    current: row.id === currentId,
  };
}
