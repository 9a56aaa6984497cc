import { and, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessions, users } from '../db/schema.ts';
import { columnsOf, milliseconds, timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';

export type SessionRow = typeof sessions.$inferInsert;
export type KeptSession = typeof sessions.$inferSelect;

/** A session as its tokens tell of it. Times are milliseconds since the epoch. */
export const presentSession = z.object({
  id: z.uuid(),
  user_id: z.uuid(),
  client_id: z.string(),
  scope: z.string(),
  roles: z.array(z.string()),
  generation: z.int(),
  rotated_at: z.number(),
  authenticated_at: z.number(),
  expires_at: z.number(),
});
export type PresentSession = z.output<typeof presentSession>;

/** What a statement that changes a session `s` of a user `u` returns of it. */
export const presentColumns = sql`s.id, s.user_id, s.client_id, s.scope, u.roles, s.generation,
  ${milliseconds(sql`s.rotated_at`)} as rotated_at, ${milliseconds(sql`s.authenticated_at`)} as authenticated_at,
  ${milliseconds(sql`s.expires_at`)} as expires_at`;

/**
 * Ends one session.
 * @param which with a user, only a session of theirs
 * @returns whether it was open: ending it twice is no error
 */
export async function endSession(
  db: Database,
  which: { readonly sessionId: string; readonly userId?: string },
  reason: 'logout' | 'revoked',
  now: number,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<{ userId: string } | undefined> {
  const own = which.userId === undefined ? sql`` : sql`and s.user_id = ${which.userId}::uuid`;
  const [row] = await query(
    db,
    z.object({ user_id: z.uuid() }),
    sql`with ended as (
      update ${sessions} as s set ended_at = ${timestamp(now)}, ended_reason = ${reason}
      where s.id = ${which.sessionId}::uuid and s.ended_at is null ${own}
      returning s.user_id
    ), audited as (
      ${auditFrom(audit, sql`ended`)}
    )${enqueueFrom(events, sql`ended`, { columns: { subject: sql`user_id` } })}
    select user_id from ended`,
  );
  return row === undefined ? undefined : { userId: row.user_id };
}

/**
 * Sessions of a user, newest first.
 * @param page at most `limit` that are older than the one with the id `before`
 * @param open where given, only those that a refresh token would still find open
 */
export async function readSessions(
  db: Database,
  userId: string,
  page: { readonly limit: number; readonly before?: string | undefined },
  open?: { readonly now: number; readonly idleFrom: number },
): Promise<KeptSession[]> {
  const isOpen = open && [
    isNull(sessions.endedAt),
    sql`${sessions.epoch} >= (select ${users.sessionEpoch} from ${users} where ${users.id} = ${userId}::uuid)`,
    gt(sessions.expiresAt, new Date(open.now)),
    gt(sessions.rotatedAt, new Date(open.idleFrom)),
  ];
  // Open ones have one epoch. With it in their order they are a range of the index that knows it, however many are dead.
  const older = page.before === undefined ? undefined : lt(sessions.id, page.before);
  return await db
    .select(columnsOf(sessions))
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.userId, userId), older, ...(isOpen ?? [])))
    .orderBy(...(isOpen === undefined ? [] : [desc(sessions.epoch)]), desc(sessions.id))
    .limit(page.limit);
}
