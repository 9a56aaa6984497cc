import { and, eq, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { oneTimeTokens, outbox } from '../db/schema.ts';
import { duration, milliseconds, timestamp } from '../db/sql.ts';

export type OutboxRow = typeof outbox.$inferInsert;

/** Writes rows by themselves; those that go with a change are written by the statement that makes it (`outboxFrom`). */
export async function insertOutbox(db: Database, rows: readonly OutboxRow[]): Promise<void> {
  await db.insert(outbox).values([...rows]);
}

/**
 * The part of a statement that promises something for each row of `source`, which may hold a condition: nothing is
 * enqueued where nothing changed.
 */
export const outboxFrom = (row: OutboxRow, source: SQL): SQL => insertFrom(outbox, row, source);

/**
 * Lets the events of one user take turns until they are committed, whatever else their statements lock: so the order of
 * their `position` is that in which they come to be seen. Statements that then wait for each other are begun anew.
 */
const turnOf = (subject: SQL): SQL =>
  sql` cross join lateral (select pg_advisory_xact_lock(hashtextextended((${subject})::text, 0))) as turn`;

interface EnqueueOptions {
  /** In place of `enqueued`, where a statement has several such parts. */
  readonly name?: string;
  /** That the source fills in. */
  readonly columns?: { readonly subject?: SQL; readonly details?: SQL };
}

/**
 * The parts of a statement that enqueue several things for each row of `source`. Each is written after the one before
 * it, which else Postgres would be free to choose.
 * @param source a relation, without a condition
 */
export function enqueueParts(
  rows: readonly OutboxRow[],
  source: SQL,
  { name = 'enqueued', columns }: EnqueueOptions = {},
): { readonly name: string; readonly part: SQL }[] {
  return rows.map((row, n) => {
    const before = sql.identifier(`${name}_${n - 1}`);
    const following = n === 0 ? source : sql`${source} cross join (select count(*) from ${before}) as before`;
    const after =
      row.kind === 'event' ? sql`${following}${turnOf(columns?.subject ?? sql`${row.subject}`)}` : following;
    return { name: `${name}_${n}`, part: sql`${insertFrom(outbox, row, after, columns)} returning id` };
  });
}

/** The same as text of a statement: `, enqueued_0 as (…), enqueued_1 as (…)`. */
export const enqueueFrom = (rows: readonly OutboxRow[], source: SQL, options?: EnqueueOptions): SQL =>
  sql.join(enqueueParts(rows, source, options).map(({ name, part }) => sql`, ${sql.identifier(name)} as (${part})`));

/**
 * Many rows about many subjects, as one part of a statement: `, enqueued as (…)`.
 * @param source a relation with the `id` of each subject that is there: what is about others is not written
 */
export function rowsFrom(rows: readonly OutboxRow[], source: SQL): SQL {
  const [first] = rows;
  if (first === undefined) return sql``;
  const list = (value: (row: OutboxRow) => string | null | undefined) => sql.param(rows.map(value));
  const listed = sql`unnest(${list(({ id }) => id)}::uuid[], ${list(({ type }) => type)}::text[],
    ${list(({ sink }) => sink ?? null)}::text[], ${list(({ subject }) => subject)}::uuid[],
    ${list(({ payloadSealed }) => payloadSealed)}::text[]) with ordinality as e (id, type, sink, subject, payload, n)`;
  const columns = { id: sql`e.id`, type: sql`e.type`, sink: sql`e.sink`, subject: sql`e.subject` };
  const rest = { payloadSealed: sql`e.payload` };
  const from = sql`${source} as s join ${listed} on e.subject = s.id order by e.n`;
  return sql`, enqueued as (${insertFrom(outbox, first, from, { ...columns, ...rest })})`;
}

/** It was carried out: nothing is left of it. */
export async function deleteOutbox(db: Database, id: string): Promise<void> {
  await db.delete(outbox).where(eq(outbox.id, id));
}

/** The part of a statement that a task carries out at most once, however many relays run it: returns its `id`. */
export const takenTask = (id: string): SQL => sql`delete from ${outbox} where id = ${id}::uuid returning id`;

/**
 * Notes that an attempt failed. Changes nothing where the row is somebody else's by now.
 * @param row as it was claimed
 * @param next when there is another attempt; where it is `dead` there is none, and the row is kept by the time it died:
 * that is now. Milliseconds
 */
export async function postponeOutbox(
  db: Database,
  row: Pick<OutboxRow, 'id' | 'nextAttemptAt'>,
  attempts: number,
  next: { readonly at: number; readonly dead: boolean },
  lastError: string,
): Promise<void> {
  await db
    .update(outbox)
    .set({ ...(next.dead ? { dead: true } : {}), nextAttemptAt: new Date(next.at), attempts, lastError })
    .where(and(eq(outbox.id, row.id), eq(outbox.nextAttemptAt, row.nextAttemptAt)));
}

/**
 * Who takes mails is back: what failed and waits for longer than until a time is due now.
 * @param which the first two in milliseconds
 * @returns how many
 */
export async function wakeMails(
  db: Database,
  { now, until, limit }: { readonly now: number; readonly until: number; readonly limit: number },
): Promise<number> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`update ${outbox} set next_attempt_at = ${timestamp(now)} where id in (
      select id from ${outbox} where kind = 'email' and delivered_at is null and not dead and attempts > 0
        and next_attempt_at > ${timestamp(until)} order by next_attempt_at limit ${limit} for update skip locked
    ) returning id`,
  );
  return rows.length;
}

/** Stands for the hash of a token that no mail holds, and that lives as long as if this one did. */
export const waitingFor = (mailId: string) => `waits ${mailId}`;

const claimed = z.object({
  id: z.uuid(),
  kind: z.enum(['event', 'email', 'task']),
  type: z.string(),
  subject: z.uuid(),
  payload_sealed: z.string(),
  attempts: z.int(),
  created_at: z.number(),
});

interface Claim {
  readonly kinds: readonly ('email' | 'task')[];
  /** Both in milliseconds. */
  readonly now: number;
  readonly leaseUntil: number;
  /** Those too that wait for longer than until then: milliseconds. Undefined for none. */
  readonly early?: number;
  readonly limit: number;
}

/**
 * Claims mails and tasks that are due until `leaseUntil`: no other relay gets them before. Each claim counts as an
 * attempt, so that a row which ends every instance that touches it comes to an end itself. The time a one-time token is
 * good for begins anew with each attempt to send its mail: a link that was held up must not arrive dead. One that waits
 * for the mail of another (`waitingFor`) goes along. Events are claimed by themselves (`events/store.ts`).
 */
export async function claimOutbox(db: Database, { kinds, now, leaseUntil, limit, early }: Claim): Promise<OutboxRow[]> {
  const rows = await query(
    db,
    claimed,
    sql`with due as (
      select id from ${outbox} where delivered_at is null and not dead and (next_attempt_at <= ${timestamp(now)}
          ${early === undefined ? sql`` : sql`or next_attempt_at > ${timestamp(early)}`})
        and kind <> 'event' and kind in ${kinds}
      order by next_attempt_at limit ${limit} for update skip locked
    ), claimed as (
      update ${outbox} as o set next_attempt_at = ${timestamp(leaseUntil)}, attempts = o.attempts + 1
      from due where o.id = due.id
      returning o.id, o.kind, o.type, o.subject, o.payload_sealed, o.attempts, o.created_at
    ), renewed as (
      update ${oneTimeTokens} as t set created_at = ${timestamp(now)},
        expires_at = ${timestamp(now)} + ${duration(sql`t.created_at`, sql`t.expires_at`)},
        code_expires_at = ${timestamp(now)} + ${duration(sql`t.created_at`, sql`t.code_expires_at`)}
      from claimed where t.id = claimed.id or t.token_hash = ${waitingFor('')} || claimed.id
    )
    select id, kind, type, subject, payload_sealed, attempts, ${milliseconds(sql`created_at`)} as created_at
    from claimed`,
  );
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    type: row.type,
    subject: row.subject,
    payloadSealed: row.payload_sealed,
    attempts: row.attempts,
    createdAt: new Date(row.created_at),
    nextAttemptAt: new Date(leaseUntil),
  }));
}
