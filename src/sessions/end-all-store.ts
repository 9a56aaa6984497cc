import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessions, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import { endedFrom } from './ending-store.ts';

/**
 * Ends all sessions of a user. The raised epoch is what ends them, also one that starts at this very moment and that
 * this statement cannot see yet. One may be kept: it takes on that epoch, unless it was dead already. The user's row is
 * locked before those of the sessions, as deleting the user does it.
 * @returns the ids of the newest that were open and have ended
 */
export async function endAllSessions(
  db: Database,
  { userId, except }: { readonly userId: string; readonly except: string | null },
  now: number,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<string[]> {
  // Judged once the row is locked: another statement may just have taken it to an epoch of its own.
  const isAlive = sql`s.epoch = raised.session_epoch - 1`;
  const kept = except === null ? {} : { kept: { relation: sql`kept`, id: except } };
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with raised as (
      update ${users} as u set session_epoch = u.session_epoch + 1 where u.id = ${userId}::uuid
      returning u.id, u.session_epoch
    ), kept as (
      update ${sessions} as s set
        epoch = case when ${isAlive} then raised.session_epoch else s.epoch end,
        ended_at = case when ${isAlive} then null else ${timestamp(now)} end,
        ended_reason = case when ${isAlive} then null else 'logout_all' end
      from raised where s.id = ${except}::uuid and s.user_id = raised.id and s.ended_at is null
      returning s.id, s.ended_at
    )${endedFrom({ owner: sql`raised`, reason: 'logout_all', now, ...kept })}, audited as (
      ${auditFrom(audit, sql`(select id as user_id from raised) as raised`)}
    )${enqueueFrom(events, sql`raised`)}
    select id from ended union all select id from kept where ended_at is not null`,
  );
  return rows.map(({ id }) => id);
}
