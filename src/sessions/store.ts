import { and, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessions, users } from '../db/schema.ts';
import { columnsOf, milliseconds } from '../db/sql.ts';
import { type OutboxRow, promisedFrom } from '../outbox/store.ts';

export type SessionRow = typeof sessions.$inferInsert;
export type KeptSession = typeof sessions.$inferSelect;

export const timestamp = (milliseconds: number) => sql`${new Date(milliseconds).toISOString()}::timestamptz`;

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

const refreshedRow = presentSession.extend({ reused: z.boolean() });
export type RefreshedSession = z.output<typeof refreshedRow>;

export interface PresentedToken {
  readonly sessionId: string;
  readonly generation: number;
  /** Whether the first token of the session leaves its row at that generation. */
  readonly firstLasts?: boolean;
}

/**
 * Takes a refresh token of `generation`, in one conditional update that answers every race: parallel ones queue at
 * the row and each judges the row as the one before left it.
 * - The current generation steps to the next one. (A newer one than the row knows is authentic too: the database was
 *   restored from a backup, and the token's generation counts.)
 * - The one before it, within the grace window, changes nothing: the caller issues the same successor again.
 * - Anything older, or later, is reuse: it ends the session, and the audit log says so.
 * A session whose epoch is newer than the user's was kept while all others ended, after this statement began and read
 * the user.
 * @returns the session as it stands afterwards, or undefined where it has ended, run out or never was
 */
export async function refreshSession(
  db: Database,
  token: PresentedToken,
  at: { readonly now: number; readonly graceFrom: number; readonly idleFrom: number },
  audit: AuditRow,
  whereReused: readonly OutboxRow[],
): Promise<RefreshedSession | undefined> {
  const next = token.generation + 1;
  const step = token.firstLasts === true && token.generation === 0 ? 0 : next;
  const rotates = sql`s.generation <= ${token.generation}::int`;
  const repeats = sql`(s.generation = ${next}::int and s.rotated_at >= ${timestamp(at.graceFrom)})`;
  const isReuse = sql`not (${rotates} or ${repeats})`;
  const [row] = await query(
    db,
    refreshedRow,
    sql`with refreshed as (
      update ${sessions} as s set
        generation = case when ${rotates} then ${step}::int else s.generation end,
        rotated_at = case when ${rotates} then ${timestamp(at.now)} else s.rotated_at end,
        ended_at = case when ${isReuse} then ${timestamp(at.now)} end,
        ended_reason = case when ${isReuse} then 'refresh_token_reuse' end
      from ${users} as u
      where s.id = ${token.sessionId}::uuid and u.id = s.user_id
        and s.ended_at is null and s.epoch >= u.session_epoch and u.status = 'active'
        and s.expires_at > ${timestamp(at.now)} and s.rotated_at > ${timestamp(at.idleFrom)}
      returning ${presentColumns}, s.ended_at is not null as reused
    ), audited as (
      ${auditFrom(audit, sql`refreshed where reused`)}
    ), reused as (
      select user_id from refreshed where reused
    )${promisedFrom(whereReused, sql`reused`, { columns: { subject: sql`user_id` } })}
    select * from refreshed`,
  );
  return row;
}

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
    )${promisedFrom(events, sql`ended`, { columns: { subject: sql`user_id` } })}
    select user_id from ended`,
  );
  return row === undefined ? undefined : { userId: row.user_id };
}

/**
 * Ends all sessions of a user. The raised epoch also ends one that starts at this very moment and that this
 * statement cannot see yet. One may be kept: it takes on that epoch, unless it was dead already. The user's row is
 * locked before those of the sessions, as deleting the user does it.
 * @returns the ids of those that were open and have ended
 */
export async function endAllSessions(
  db: Database,
  { userId, except }: { readonly userId: string; readonly except: string | null },
  now: number,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<string[]> {
  const kept = sql`s.id = ${except}::uuid and s.epoch = raised.session_epoch - 1`;
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with raised as (
      update ${users} as u set session_epoch = u.session_epoch + 1 where u.id = ${userId}::uuid
      returning u.id, u.session_epoch
    ), changed as (
      update ${sessions} as s set
        epoch = case when ${kept} then raised.session_epoch else s.epoch end,
        ended_at = case when ${kept} then null else ${timestamp(now)} end,
        ended_reason = case when ${kept} then null else 'logout_all' end
      from raised
      where s.user_id = raised.id and s.ended_at is null
      returning s.id, s.ended_at
    ), audited as (
      ${auditFrom(audit, sql`(select id as user_id from raised) as raised`)}
    )${promisedFrom(events, sql`raised`)}
    select id from changed where ended_at is not null`,
  );
  return rows.map(({ id }) => id);
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
    eq(sessions.epoch, users.sessionEpoch),
    gt(sessions.expiresAt, new Date(open.now)),
    gt(sessions.rotatedAt, new Date(open.idleFrom)),
  ];
  const older = page.before === undefined ? undefined : lt(sessions.id, page.before);
  return await db
    .select(columnsOf(sessions))
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.userId, userId), older, ...(isOpen ?? [])))
    .orderBy(desc(sessions.id))
    .limit(page.limit);
}
