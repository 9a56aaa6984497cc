import { sql } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { leases, outbox } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';

const nameOf = (sink: string) => `down ${sink}`;

/**
 * Notes that a sink takes nothing, where that is not noted yet. Kept in the database: whoever finds it back may be another
 * process than the one that found it gone.
 * @param since milliseconds
 */
export async function noteOutage(db: Database, sink: string, since: number): Promise<void> {
  await db.execute(
    sql`insert into ${leases} (name, until) values (${nameOf(sink)}, ${timestamp(since)}) on conflict (name) do nothing`,
  );
}

/**
 * A sink takes events again: what was written while it was down, and waits for it, is due now. It comes after what was due
 * before. What is older failed while the sink was there too, and keeps its pause: it is the event that is at fault.
 * Where nothing is noted of an outage nothing happens. Its end is noted when all are woken.
 */
export async function endOutage(
  db: Database,
  which: {
    readonly sink: string;
    /** The rest are in milliseconds. What waits for no longer than `until` comes by itself, or is under way. */
    readonly until: number;
    readonly now: number;
    /** How long before an outage is noted it may have begun. */
    readonly margin: number;
    /** How many at most. */
    readonly limit: number;
  },
): Promise<void> {
  const { sink, until, now, margin, limit } = which;
  await db.execute(sql`with down as (
      select until - ${margin / 1000}::float8 * interval '1 second' as since from ${leases} where name = ${nameOf(sink)}
    ), woken as (
      update ${outbox} set next_attempt_at = ${timestamp(now)} where id in (
        select o.id from ${outbox} as o
        where o.kind = 'event' and not o.dead and o.sink = ${sink} and o.next_attempt_at > ${timestamp(until)}
          and exists (select from down) and o.created_at >= (select since from down)
        limit ${limit} for update skip locked
      ) returning 1
    )
    delete from ${leases} where name = ${nameOf(sink)} and (select count(*) from woken) < ${limit}`);
}
