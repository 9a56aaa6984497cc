import { or, sql } from 'drizzle-orm';
import * as z from 'zod';
import type { AuditRow } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { auditLog, users } from '../db/schema.ts';
import { type OutboxRow, rowsFrom } from '../outbox/store.ts';
import type { NewUserRow, UserRow } from './store.ts';

export interface Holder extends Pick<UserRow, 'id' | 'emailIndex' | 'usernameKey'> {
  /** What the username looks like. */
  readonly skeleton: string | null;
  /** Came by an import, and has another address since: the file still names the old one. */
  readonly hasMoved: boolean;
}

interface Sought {
  readonly ids: readonly string[];
  readonly emailIndexes: readonly string[];
  readonly skeletons: readonly string[];
}

const noted = (type: AuditRow['type']) =>
  sql`exists (select from ${auditLog} as a where a.user_id = ${users.id} and a.type = ${type} and a.result = 'success')`;

const skeleton = sql<string | null>`coalesce(${users.usernameSkeleton}, ${users.usernameKey})`;

/** The accounts that have one of these ids or emails, or a username that looks like one of these. */
export async function findHolders(db: Database, sought: Sought): Promise<Holder[]> {
  const { id, emailIndex, usernameKey } = users;
  return await db
    .select({
      id,
      emailIndex,
      usernameKey,
      skeleton,
      hasMoved: sql<boolean>`${noted('user_imported')} and ${noted('email_changed')}`,
    })
    .from(users)
    .where(
      or(
        sql`${id} = any(${sql.param([...sought.ids])}::uuid[])`,
        sql`${emailIndex} = any(${sql.param([...sought.emailIndexes])}::text[])`,
        sql`${skeleton} = any(${sql.param([...sought.skeletons])}::text[])`,
      ),
    );
}

/**
 * Writes users and one audit row for each, all of them or none. A user whose id, email or username somebody took in
 * the meantime is left out, with the audit row.
 * @param audit what the audit rows have in common; `auditIds` their ids, one for each user
 * @param events about these users: one that is left out has none
 * @returns the ids of the users that were written
 */
export async function insertImported(
  db: Database,
  rows: readonly NewUserRow[],
  audit: Omit<AuditRow, 'id' | 'userId'>,
  auditIds: readonly string[],
  events: readonly OutboxRow[],
): Promise<string[]> {
  const written = db
    .insert(users)
    .values([...rows])
    .onConflictDoNothing()
    .returning({ id: users.id });
  const pairs = sql`unnest(${sql.param(rows.map(({ id }) => id))}::uuid[], ${sql.param([...auditIds])}::uuid[])`;
  const source = sql`written join ${pairs} as pair (user_id, audit_id) on pair.user_id = written.id`;
  const columns = { id: sql`pair.audit_id`, userId: sql`pair.user_id` };
  const found = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with written as ${written}, audited as (
      ${insertFrom(auditLog, { ...audit, id: '' }, source, columns)}
    )${rowsFrom(events, sql`written`)}
    select id from written`,
  );
  return found.map(({ id }) => id);
}
