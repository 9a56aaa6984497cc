import { and, desc, eq, lt, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { outbox } from '../db/schema.ts';
import { columnsOf, timestamp } from '../db/sql.ts';
import type { OutboxRow } from '../outbox/store.ts';

/** Sorts after every UUIDv7: with a bound each list is a range of an index, also on its first page. */
const greatest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Which events are meant; all where nothing is said. */
export interface EventFilter {
  readonly id?: string | undefined;
  readonly sink?: string | undefined;
  readonly type?: string | undefined;
  readonly user?: string | undefined;
}

/**
 * Events that wait or were given up, newest first. There are few, or something is wrong: delivered ones are gone.
 * @param page at most `limit` that are older than the one with the id `before`
 */
export function readEvents(
  db: Database,
  page: { readonly limit: number; readonly before: string | undefined },
  filter: EventFilter & { readonly dead: boolean | undefined },
): Promise<(typeof outbox.$inferSelect)[]> {
  const { id, sink, type, user, dead } = filter;
  return db
    .select(columnsOf(outbox))
    .from(outbox)
    .where(
      and(
        // Written out, so that the indexes of events and of what was given up are seen to fit.
        sql`${outbox.kind} = 'event'`,
        lt(outbox.id, page.before ?? greatest),
        id === undefined ? undefined : eq(outbox.id, id),
        dead === undefined ? undefined : dead ? sql`${outbox.dead}` : sql`not ${outbox.dead}`,
        sink === undefined ? undefined : eq(outbox.sink, sink),
        type === undefined ? undefined : eq(outbox.type, type),
        user === undefined ? undefined : eq(outbox.subject, user),
      ),
    )
    .orderBy(desc(outbox.id))
    .limit(page.limit);
}

/**
 * Makes events that were given up due again, as if they were new: the oldest first, and with all their tries.
 * @param limit how many at most
 * @param audit is written where there were any
 * @returns their ids
 */
export async function replayEvents(
  db: Database,
  { id, sink, type, user }: EventFilter,
  { now, limit }: { readonly now: number; readonly limit: number },
  audit: AuditRow,
): Promise<OutboxRow['id'][]> {
  const conditions = [
    ...(id === undefined ? [] : [sql` and o.id = ${id}::uuid`]),
    ...(sink === undefined ? [] : [sql` and o.sink = ${sink}`]),
    ...(type === undefined ? [] : [sql` and o.type = ${type}`]),
    ...(user === undefined ? [] : [sql` and o.subject = ${user}::uuid`]),
  ];
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with meant as (
      select o.id from ${outbox} as o
      where o.dead and o.kind = 'event' and o.id < ${greatest}::uuid${sql.join(conditions)}
      order by o.id limit ${limit} for update skip locked
    ), replayed as (
      update ${outbox} as o set dead = false, attempts = 0, last_error = null,
        created_at = ${timestamp(now)}, next_attempt_at = ${timestamp(now)}
      from meant where o.id = meant.id returning o.id
    ), audited as (
      ${auditFrom(
        audit,
        sql`(select null::uuid as user_id, ${audit.actorId ?? null}::uuid as actor_id where exists (select from replayed)) as done`,
      )}
    )
    select id from replayed`,
  );
  return rows.map((row) => row.id);
}
