import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { outbox } from '../db/schema.ts';
import { milliseconds, timestamp } from '../db/sql.ts';
import { deleteOutbox, type OutboxRow } from '../outbox/store.ts';

const claimed = z.object({
  id: z.uuid(),
  type: z.string(),
  sink: z.string(),
  subject: z.uuid(),
  payload_sealed: z.string(),
  position: z.string(),
  details: z.unknown(),
  attempts: z.int(),
  created_at: z.number(),
  last_error: z.string().nullable(),
});

/** An event that is this relay's until its lease is over, with how often it was tried, this time included. */
export interface ClaimedEvent extends OutboxRow {
  readonly sink: string;
  readonly attempts: number;
  /** Where it stands in the order, as digits. */
  readonly place: string;
  readonly lastError: string | null;
}

/** Both in milliseconds. */
interface Lease {
  readonly now: number;
  readonly until: number;
}

const isEvent = (alias: 'o' | 'e') => {
  const table = sql.identifier(alias);
  return sql`${table}.kind = 'event' and not ${table}.dead`;
};

/** The first of its user for its sink. An event that was given up holds up none. `except` is one that is gone already. */
const isFirst = (except?: string) => sql`not exists (
    select from ${outbox} as e where ${isEvent('e')} and e.sink = o.sink and e.subject = o.subject
      and e.position < o.position ${except === undefined ? sql`` : sql`and e.id <> ${except}::uuid`}
  )`;

/** Nobody has it now: it is new, or due. Of a new one nobody but its writer comes before it is due. */
const isFree = ({ now }: Lease) => sql`(o.attempts = 0 or o.next_attempt_at <= ${timestamp(now)})`;

const taken = ({ until }: Lease, source: SQL) => sql`
    update ${outbox} as o set next_attempt_at = ${timestamp(until)}, attempts = o.attempts + 1
    from ${source} as free where o.id = free.id
    returning o.id, o.type, o.sink, o.subject, o.payload_sealed, o.details, o.attempts, o.last_error, o.position::text,
      ${milliseconds(sql`o.created_at`)} as created_at`;

async function claim(db: Database, lease: Lease, statement: SQL): Promise<ClaimedEvent[]> {
  const rows = await query(db, claimed, statement);
  return rows.map((row) => ({
    id: row.id,
    kind: 'event',
    type: row.type,
    sink: row.sink,
    subject: row.subject,
    payloadSealed: row.payload_sealed,
    details: row.details,
    attempts: row.attempts,
    place: row.position,
    lastError: row.last_error,
    createdAt: new Date(row.created_at),
    nextAttemptAt: new Date(lease.until),
  }));
}

/**
 * Claims those of these new events that nothing comes before. What comes after another one is left: who delivers that
 * one goes on with it, or a sweep does.
 */
export function claimNewEvents(db: Database, ids: readonly string[], lease: Lease): Promise<ClaimedEvent[]> {
  return claim(
    db,
    lease,
    sql`with free as (
      select o.id from ${outbox} as o
      where o.id = any(${sql.param([...ids])}::uuid[]) and ${isEvent('o')} and o.attempts = 0 and ${isFirst()}
      for update skip locked
    ) ${taken(lease, sql`free`)}`,
  );
}

/** Claims events of one sink that are due and that nothing comes before: at most one of each user. */
export function claimDueEvents(
  db: Database,
  {
    sink,
    limit,
    freshest,
    early,
  }: {
    readonly sink: string;
    readonly limit: number;
    /** Those that were tried once at most and came to be due last, in place of those that wait longest. */
    readonly freshest: boolean;
    /** Those too that wait for long, and cannot be under way. */
    readonly early: boolean;
  },
  lease: Lease,
): Promise<ClaimedEvent[]> {
  return claim(
    db,
    lease,
    sql`with free as (
      select o.id from ${outbox} as o
      where ${isEvent('o')} and o.sink = ${sink} and ${isFirst()} and (o.next_attempt_at <= ${timestamp(lease.now)}
          ${early ? sql`or o.next_attempt_at > ${timestamp(lease.until + leaseTime)}` : sql``})
        ${freshest ? sql`and o.attempts <= 1 order by o.next_attempt_at desc` : sql`order by o.next_attempt_at`}
      limit ${limit} for update skip locked
    ) ${taken(lease, sql`free`)}`,
  );
}

/**
 * An event was delivered: nothing is left of it. Claims the one that comes after it, of the same user for the same sink.
 * A row that another relay holds by now is not passed over for a later one.
 * @param lease undefined where none is to be claimed
 */
export async function finishEvent(
  db: Database,
  { id, sink, subject }: ClaimedEvent,
  lease: Lease | undefined,
): Promise<ClaimedEvent | undefined> {
  if (lease === undefined) {
    await deleteOutbox(db, id);
    return undefined;
  }
  const [next] = await claim(
    db,
    lease,
    sql`with gone as (
      delete from ${outbox} where id = ${id}::uuid returning id
    ), free as (
      select o.id from ${outbox} as o
      where ${isEvent('o')} and o.sink = ${sink} and o.subject = ${subject}::uuid and o.id <> ${id}::uuid
        and ${isFree(lease)} and ${isFirst(id)} and exists (select from gone)
      for update skip locked
    ) ${taken(lease, sql`free`)}`,
  );
  return next;
}

/** How long a claimed event is one relay's, in milliseconds: longer than a sink may take. */
export const leaseTime = 60_000;

/** Gives up what is too old: what was tried, and all for sinks that are configured no more. @returns how many */
export async function giveUpOldEvents(
  db: Database,
  {
    createdBefore,
    firstId,
    now,
    limit,
    sinks,
  }: {
    readonly createdBefore: number;
    /** The least id of that time: an id is never newer than its row. */
    readonly firstId: string;
    readonly now: number;
    readonly limit: number;
    readonly sinks: readonly string[];
  },
): Promise<number> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`update ${outbox} set dead = true, next_attempt_at = ${timestamp(now)},
        last_error = coalesce(last_error, 'unknown_sink') where id in (
        select o.id from ${outbox} as o
        where o.id < ${firstId}::uuid and ${isEvent('o')} and o.created_at < ${timestamp(createdBefore)}
          and o.next_attempt_at <= ${timestamp(now)}
          and (o.attempts > 0 or o.sink <> all(${sql.param([...sinks])}::text[]))
        order by o.id limit ${limit} for update skip locked
      ) returning id`,
  );
  return rows.length;
}
