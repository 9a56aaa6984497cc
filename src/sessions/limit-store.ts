import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessions, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import { maxEnded } from './ending-store.ts';

/**
 * Ends the oldest open sessions of a user, so that with the one that has just started at most `limit` are left; of an
 * account that has more than one statement ends, the next sign-ins go on.
 * A statement of its own after that start: a statement sees what was there when it began, whatever it locks, so of two
 * sign-ins at once neither would count the other's session. The one that comes last here sees them all. The user's row
 * makes them take turns, and a session that another one has ended by then ends none: where two meet, one lives on. The
 * locks have each row judged as the one before left it, before the offset counts it.
 * @param at milliseconds; a session last used at `idleFrom` or before is not open
 * @param events whose `session_ids` are those that have ended
 * @returns the ids of those that have ended
 */
export async function endSurplusSessions(
  db: Database,
  { userId, sessionId, limit }: { readonly userId: string; readonly sessionId: string; readonly limit: number },
  at: { readonly now: number; readonly idleFrom: number },
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<string[]> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with owner as (
      select u.id, u.session_epoch from ${users} as u where u.id = ${userId}::uuid for no key update
    ), mine as (
      select s.id, s.user_id, s.epoch from ${sessions} as s, owner
      where s.id = ${sessionId}::uuid and s.user_id = owner.id and s.epoch = owner.session_epoch and s.ended_at is null
      for no key update of s
    ), surplus as (
      select s.id from ${sessions} as s, mine
      where s.id = any(array(
          select n.id from ${sessions} as n where n.user_id = (select user_id from mine)
            and n.epoch >= (select epoch from mine) and n.ended_at is null
          order by n.epoch desc, n.id desc limit ${limit + maxEnded}))
        and s.user_id = mine.user_id and s.id <> mine.id and s.epoch = mine.epoch and s.ended_at is null
        and s.expires_at > ${timestamp(at.now)} and s.rotated_at > ${timestamp(at.idleFrom)}
      order by s.id desc offset ${limit - 1}
      for no key update of s
    ), ended as (
      update ${sessions} as s set ended_at = ${timestamp(at.now)}, ended_reason = 'session_limit'
      where s.id in (select id from surplus) and s.ended_at is null
      returning s.id, s.user_id
    ), audited as (
      ${auditFrom(audit, sql`(select distinct user_id from ended) as ended`)}
    ), surplus_ended as (
      select jsonb_build_object('session_ids', jsonb_agg(id)) as details from ended having count(*) > 0
    )${enqueueFrom(events, sql`surplus_ended`, { columns: { details: sql`details` } })}
    select id from ended`,
  );
  return rows.map(({ id }) => id);
}
