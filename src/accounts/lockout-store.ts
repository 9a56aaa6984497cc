import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { users } from '../db/schema.ts';
import { enqueueFrom, type OutboxRow, takenTask } from '../outbox/store.ts';

/**
 * Carries out the task to tell of a lock: takes it away, records it, and promises the mail where there is one. Of
 * relays that run it at once, one does. Of a user who is being deleted it keeps nothing: the lock makes it come wholly
 * before that, or after and find nobody.
 * @returns whether it was carried out here, for an account that is active
 */
export async function insertLockoutNotice(
  db: Database,
  taskId: string,
  userId: string,
  audit: AuditRow,
  enqueued: readonly OutboxRow[],
): Promise<boolean> {
  const told = sql`told`;
  const rows = await query(
    db,
    z.object({ user_id: z.uuid() }),
    sql`with taken as (${takenTask(taskId)}),
    told as (
      select u.id as user_id from ${users} as u
      where u.id = ${userId}::uuid and u.status = 'active' and exists (select from taken) for key share
    ), audited as (${auditFrom(audit, told)})${enqueueFrom(enqueued, told)}
    select user_id from told`,
  );
  return rows.length > 0;
}
