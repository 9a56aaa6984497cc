import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { auditLog, sessionEndings, sessions, users } from '../db/schema.ts';
import { milliseconds, timestamp } from '../db/sql.ts';

/** So many sessions of a user one statement ends. The epoch ends the others, and the scheduled work notes it later. */
export const maxEnded = 1000;

export type EndingReason = (typeof sessionEndings.$inferInsert)['reason'];

interface Ending {
  /** A relation with the `id` of the user and the raised `session_epoch`. Of one row at most where sessions are noted. */
  readonly owner: SQL;
  readonly reason: EndingReason;
  /** Milliseconds. */
  readonly now: number;
  /** The relation with the session that lives on, and its id. */
  readonly kept?: { readonly relation: SQL; readonly id: string };
}

/**
 * The parts of a statement that end the sessions of a user whose epoch it raises: the newest, within bounds, as the
 * relation `ended` of their ids. A row says that they ended (`endingFrom`).
 */
export function endedFrom({ owner, reason, now, kept }: Ending): SQL {
  const others = kept === undefined ? sql`` : sql`and s.id not in (select k.id from ${kept.relation} as k)`;
  return sql`, ended as (
    update ${sessions} as s set ended_at = ${timestamp(now)}, ended_reason = ${reason}
    from ${owner} as o
    where s.id = any(array(
      select s.id from ${sessions} as s where s.user_id = (select w.id from ${owner} as w) and s.ended_at is null
      order by s.epoch desc, s.id desc limit ${maxEnded}
    )) and s.user_id = o.id and s.ended_at is null ${others}
    returning s.id
  ), noted_ending as (${endingFrom({ owner, reason, now, ...(kept && { kept }) })})`;
}

/** In place of it, where no session ends. */
export const noneEnded: SQL = sql`, ended as (select null::uuid as id where false)`;

/**
 * Notes that an epoch has ended the sessions of users. Each statement that raises one has this part, however few sessions
 * it sees: it cannot see one that starts at the same moment, and the row is what the mark of the user is repeated from.
 */
export const endingFrom = ({ owner, reason, now, kept }: Ending): SQL =>
  sql`insert into ${sessionEndings} as e (user_id, epoch, reason, ended_at, kept_id)
    select w.id, w.session_epoch, ${reason}, ${timestamp(now)}, ${kept?.id ?? null}::uuid from ${owner} as w
    on conflict (user_id) do update set epoch = excluded.epoch, reason = excluded.reason,
      ended_at = greatest(e.ended_at, excluded.ended_at), kept_id = excluded.kept_id`;

const endingRow = z.object({
  user_id: z.uuid(),
  reason: z.string(),
  ended_at: z.number(),
});
export type EndingRow = z.output<typeof endingRow>;

/**
 * Users whose sessions an epoch ended, the oldest first.
 * @param before ended then at the latest: milliseconds
 */
export async function readEndings(db: Database, before: number, limit: number): Promise<EndingRow[]> {
  return await query(
    db,
    endingRow,
    sql`${endings} where e.ended_at <= ${timestamp(before)} order by e.ended_at limit ${limit}`,
  );
}

/** Users who are gone since a time (milliseconds), the oldest first. */
export async function readDeletions(db: Database, since: number, limit: number): Promise<EndingRow[]> {
  return await query(
    db,
    endingRow,
    sql`${endings} where e.ended_at > ${timestamp(since)} and e.reason = 'user_deleted' order by e.ended_at limit ${limit}`,
  );
}

const endings = sql`select e.user_id, e.reason, ${milliseconds(sql`e.ended_at`)} as ended_at from ${sessionEndings} as e`;

const counted = z.object({ count: z.int() });
const countOf = async (db: Database, statement: SQL): Promise<number> =>
  (await query(db, counted, statement))[0]?.count ?? 0;

/** Notes of the next sessions of a user that an older epoch has ended. @returns how many there were */
export const noteEnded = (db: Database, { user_id, reason, ended_at }: EndingRow, limit: number): Promise<number> =>
  countOf(
    db,
    sql`with noted as (
      update ${sessions} as s set ended_at = ${timestamp(ended_at)}, ended_reason = ${reason}
      where s.id = any(array(
        select s.id from ${sessions} as s where s.user_id = ${user_id}::uuid and s.ended_at is null
          and s.epoch < (select u.session_epoch from ${users} as u where u.id = ${user_id}::uuid)
        order by s.epoch, s.id limit ${limit} for update skip locked
      )) returning 1
    ) select count(*)::int as count from noted`,
  );

/** Takes away the next sessions of a user who is gone, and from the next audit rows whom they are about. */
export const forgetNext = (db: Database, userId: string, limit: number): Promise<number> =>
  countOf(
    db,
    sql`with gone as (
      delete from ${sessions} where id = any(array(${sessionsOf(sql`${userId}::uuid`, limit)})) returning 1
    ), anonymous as (
      ${forgottenAudit(sql`${userId}::uuid`, limit)} returning 1
    )
    select greatest((select count(*) from gone), (select count(*) from anonymous))::int as count`,
  );

/** The ids of the next sessions of a user. */
export const sessionsOf = (userId: SQL, limit: number): SQL =>
  sql`select s.id from ${sessions} as s where s.user_id = ${userId} order by s.id desc limit ${limit}`;

/** Takes from the next audit rows of a user whom they are about. */
export const forgottenAudit = (userId: SQL, limit: number): SQL =>
  sql`update ${auditLog} as a set user_id = nullif(a.user_id, ${userId}), actor_id = nullif(a.actor_id, ${userId}),
      session_id = null, address = null, user_agent = null
    where a.id = any(array(
      (select a.id from ${auditLog} as a where a.user_id = ${userId} order by a.id desc limit ${limit})
      union (select a.id from ${auditLog} as a where a.actor_id = ${userId} order by a.id desc limit ${limit})
    ))`;

/** All is done for a user, unless more has ended since. */
export async function deleteEnding(db: Database, { user_id, ended_at }: EndingRow): Promise<void> {
  await db.execute(
    sql`delete from ${sessionEndings} where user_id = ${user_id}::uuid and ended_at <= ${timestamp(ended_at)}`,
  );
}
