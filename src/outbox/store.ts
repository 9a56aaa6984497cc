import { and, eq, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { oneTimeTokens, outbox } from '../db/schema.ts';

export type OutboxRow = typeof outbox.$inferInsert;

const timestamp = (milliseconds: number) => sql`${new Date(milliseconds).toISOString()}::timestamptz`;

/** Writes rows by themselves; those that go with a change are written by the statement that makes it (`outboxFrom`). */
export async function insertOutbox(db: Database, rows: readonly OutboxRow[]): Promise<void> {
  await db.insert(outbox).values([...rows]);
}

/**
 * The part of a statement that promises something for each row of `source`, which may hold a condition: nothing is
 * promised where nothing changed.
 */
export const outboxFrom = (row: OutboxRow, source: SQL): SQL => insertFrom(outbox, row, source);

/**
 * The parts of a statement that promise several things for each row of `source`: `, promised_0 as (…), …`. Each is
 * written after the one before it, which else Postgres would be free to choose.
 * @param source the name of a relation, without a condition
 * @param options.name in place of `promised`, where a statement has several such parts
 * @param options.columns that the source fills in
 */
export function promisedFrom(
  rows: readonly OutboxRow[],
  source: SQL,
  options: { readonly name?: string; readonly columns?: Readonly<Record<'subject' | 'details', SQL>> | Readonly<Record<'subject', SQL>> } = {},
): SQL {
  const part = (n: number) => sql.identifier(`${options.name ?? 'promised'}_${n}`);
  const parts = rows.map((row, n) => {
    const after = n === 0 ? sql`` : sql` cross join (select count(*) from ${part(n - 1)}) as before`;
    return sql`, ${part(n)} as (${insertFrom(outbox, row, sql`${source}${after}`, options.columns)} returning id)`;
  });
  return sql.join(parts);
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
 * @param nextAttemptAt milliseconds; undefined where there will be none: the row is dead, and kept
 */
export async function postponeOutbox(
  db: Database,
  row: Pick<OutboxRow, 'id' | 'nextAttemptAt'>,
  attempts: number,
  nextAttemptAt: number | undefined,
  lastError: string,
): Promise<void> {
  const next = nextAttemptAt === undefined ? { dead: true } : { nextAttemptAt: new Date(nextAttemptAt) };
  await db
    .update(outbox)
    .set({ ...next, attempts, lastError })
    .where(and(eq(outbox.id, row.id), eq(outbox.nextAttemptAt, row.nextAttemptAt)));
}

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
  readonly limit: number;
}

/**
 * Claims mails and tasks that are due until `leaseUntil`: no other relay gets them before. Each claim counts as an
 * attempt, so that a row which ends every instance that touches it comes to an end itself. The time a one-time token is
 * good for begins anew with each attempt to send its mail: a link that was held up must not arrive dead. Events are claimed
 * by themselves (`events/store.ts`).
 */
export async function claimOutbox(db: Database, { kinds, now, leaseUntil, limit }: Claim): Promise<OutboxRow[]> {
  const rows = await query(
    db,
    claimed,
    sql`with due as (
      select id from ${outbox} where next_attempt_at <= ${timestamp(now)} and delivered_at is null and not dead
        and kind <> 'event' and kind in ${kinds}
      order by next_attempt_at limit ${limit} for update skip locked
    ), claimed as (
      update ${outbox} as o set next_attempt_at = ${timestamp(leaseUntil)}, attempts = o.attempts + 1
      from due where o.id = due.id
      returning o.id, o.kind, o.type, o.subject, o.payload_sealed, o.attempts, o.created_at
    ), renewed as (
      update ${oneTimeTokens} as t set created_at = ${timestamp(now)},
        expires_at = ${timestamp(now)} + (t.expires_at - t.created_at),
        code_expires_at = ${timestamp(now)} + (t.code_expires_at - t.created_at)
      from claimed where t.id = claimed.id
    )
    select id, kind, type, subject, payload_sealed, attempts, (extract(epoch from created_at) * 1000)::float8 as created_at
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
