import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessions, users } from '../db/schema.ts';
import { milliseconds, millisecondsBetween, timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import type { RefreshTokenParts } from '../tokens/refresh-token.ts';
import { presentColumns, presentSession } from './store.ts';

export interface PresentedToken extends RefreshTokenParts {
  /** Whether the first token of the session leaves its row at that generation. */
  readonly firstLasts?: boolean;
}

/** How long the generation has been the current one, and the one before it has been there: milliseconds. */
const ages = z.object({ current_for: z.number(), previous_for: z.number() });
const told = z.object({ late: z.boolean(), clock: z.number() });
const found = presentSession.extend({ ...ages.shape, ...told.shape });
const notFound = told.extend({ id: z.null() });
export type FoundSession = z.output<typeof found>;

const age = (since: SQL) => millisecondsBetween(since, sql`clock_timestamp()`);

/**
 * Takes a refresh token of `generation`, in one conditional update that answers every race: parallel ones queue at
 * the row and each judges the row as the one before left it.
 * - The current generation steps to the next one. (A newer one than the row knows is authentic too: the answer to a
 *   proof of the password is a generation ahead, or the database was restored from a backup.)
 * - Anything older changes nothing. Whether it repeats what was just answered, came late or is reuse, `judge` says.
 * A session whose epoch is newer than the user's was kept while all others ended, after this statement began and read
 * the user.
 * @param deadline by the clock of the database: a statement that arrives later, held up on its way, changes nothing
 * @returns the session as it stands afterwards; undefined where it has ended, run out or never was, or it is `late`
 */
export async function stepSession(
  db: Database,
  token: PresentedToken,
  at: { readonly now: number; readonly idleFrom: number; readonly deadline: number },
): Promise<{ session: FoundSession | undefined; late: boolean; clock: number }> {
  const step = token.firstLasts === true && token.generation === 0 ? 0 : token.generation + 1;
  const rotates = sql`s.generation <= ${token.generation}::int`;
  const deadline = timestamp(at.deadline);
  const [row] = await query(
    db,
    z.union([notFound, found]),
    sql`with stepped as (
      update ${sessions} as s set
        generation = case when ${rotates} then ${step}::int else s.generation end,
        rotated_at = case when ${rotates} then ${timestamp(at.now)} else s.rotated_at end
      from ${users} as u
      where s.id = ${token.sessionId}::uuid and u.id = s.user_id
        and s.ended_at is null and s.epoch >= u.session_epoch and u.status = 'active'
        and s.expires_at > ${timestamp(at.now)} and s.rotated_at > ${timestamp(at.idleFrom)}
        and clock_timestamp() <= ${deadline}
      returning ${presentColumns}, ${age(sql`coalesce(s.current_since, s.rotated_at)`)} as current_for,
        ${age(sql`coalesce(s.previous_since, s.current_since, s.rotated_at)`)} as previous_for
    )
    select stepped.*, clock_timestamp() > ${deadline} as late, ${milliseconds(sql`clock_timestamp()`)} as clock
    from (select) as one left join stepped on true`,
  );
  if (row === undefined) throw new Error('A statement without a condition gives a row');
  return { session: row.id === null ? undefined : row, late: row.late, clock: row.clock };
}

/**
 * Ends a session whose token was used again: that is certain by now, so this may come late or twice.
 * @returns whether it was open
 */
export async function endReusedSession(
  db: Database,
  token: PresentedToken,
  now: number,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ user_id: z.uuid() }),
    sql`with ended as (
      update ${sessions} as s set ended_at = ${timestamp(now)}, ended_reason = 'refresh_token_reuse'
      where s.id = ${token.sessionId}::uuid and s.ended_at is null and s.generation > ${token.generation}::int
      returning s.user_id
    ), audited as (
      ${auditFrom(audit, sql`ended`)}
    )${enqueueFrom(events, sql`ended`, { columns: { subject: sql`user_id` } })}
    select user_id from ended`,
  );
  return rows.length > 0;
}
