import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { auditLog, codeAttempts, oneTimeTokens, outbox, sessions } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';

/** What to delete: rows that are older than a time in milliseconds, the oldest first, `limit` of them at most. */
export interface Batch {
  readonly before: number;
  readonly limit: number;
}

/**
 * Deletes the rows whose ids a query finds by an index. It skips those that somebody else holds: nobody waits, and two
 * that delete at once share the work.
 * @returns how many there were
 */
function deleteFound(db: Database, table: PgTable, found: SQL): Promise<number> {
  return countGone(db, sql`delete from ${table} where id = any(array(${found} for update skip locked))`);
}

async function countGone(db: Database, deletion: SQL): Promise<number> {
  const counted = sql`with gone as (${deletion} returning 1) select count(*)::int as count from gone`;
  const [row] = await query(db, z.object({ count: z.int() }), counted);
  return row?.count ?? 0;
}

export function deleteEndedSessions(db: Database, { before, limit }: Batch): Promise<number> {
  const found = sql`select id from ${sessions} where ended_at < ${timestamp(before)} order by ended_at limit ${limit}`;
  return deleteFound(db, sessions, found);
}

/**
 * Sessions that have run out. One that lay idle goes with them: an index by its last use would have every refresh
 * write to all indexes of the table.
 */
export function deleteExpiredSessions(db: Database, { before, limit }: Batch): Promise<number> {
  const old = sql`expires_at < ${timestamp(before)}`;
  return deleteFound(db, sessions, sql`select id from ${sessions} where ${old} order by expires_at limit ${limit}`);
}

/** Not those whose mail is still to be sent: with the attempt their time begins anew. */
export function deleteOneTimeTokens(db: Database, { before, limit }: Batch): Promise<number> {
  const found = sql`select id from ${oneTimeTokens} as t where expires_at < ${timestamp(before)}
    and (select o.dead from ${outbox} as o where o.id = t.id) is not false
    order by expires_at limit ${limit}`;
  return deleteFound(db, oneTimeTokens, found);
}

export function deleteAuditRows(db: Database, { before, limit }: Batch): Promise<number> {
  const old = sql`created_at < ${timestamp(before)}`;
  return deleteFound(db, auditLog, sql`select id from ${auditLog} where ${old} order by created_at limit ${limit}`);
}

export async function deleteCodeAttempts(db: Database, { before, limit }: Batch): Promise<number> {
  const old = sql`select key from ${codeAttempts} where forgotten_at < ${timestamp(before)}
    order by forgotten_at limit ${limit} for update skip locked`;
  return await countGone(db, sql`delete from ${codeAttempts} where key = any(array(${old}))`);
}

/**
 * Rows that were given up so long ago, as `next_attempt_at` tells of a dead one.
 * @param firstId the least id of that time: nothing dies before it is written, and the index of dead rows is by id
 */
export function deleteDeadOutbox(
  db: Database,
  { before, limit, firstId }: Batch & { readonly firstId: string },
): Promise<number> {
  const old = sql`id < ${firstId}::uuid and dead and next_attempt_at < ${timestamp(before)}`;
  return deleteFound(db, outbox, sql`select id from ${outbox} where ${old} order by id limit ${limit}`);
}
