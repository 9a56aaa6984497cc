import { and, eq, inArray, or, sql } from 'drizzle-orm';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import type { Database } from '../db/database.ts';
import { auditLog, oneTimeTokens, sessions, users } from '../db/schema.ts';
import { columnsOf } from '../db/sql.ts';
import { enqueueFrom, enqueueParts, type OutboxRow } from '../outbox/store.ts';
import type { SessionRow } from '../sessions/store.ts';
import type { TokenAndMail } from './token-store.ts';

export type UserRow = typeof users.$inferSelect;
export type NewUserRow = typeof users.$inferInsert;

/** How an account is looked for: by the blind indexes of an email, or by the key of a username. */
export type AccountLookup =
  | { readonly emailIndexes: readonly string[]; readonly usernameKey?: undefined }
  | { readonly usernameKey: string; readonly emailIndexes?: undefined };

/** The account of an identifier: what signing in needs to know. */
export async function findAccount(db: Database, lookup: AccountLookup): Promise<UserRow | undefined> {
  const where =
    lookup.emailIndexes === undefined
      ? eq(users.usernameKey, lookup.usernameKey)
      : inArray(users.emailIndex, [...lookup.emailIndexes]);
  const [row] = await db.select(columnsOf(users)).from(users).where(where).limit(1);
  return row;
}

/** Whether an email is taken under an index that an older secret made. */
export async function isEmailIndexed(db: Database, indexes: readonly string[]): Promise<boolean> {
  const rows = await db
    .select({ id: users.id })
    .from(users)
    .where(or(...indexes.map((index) => eq(users.emailIndex, index))))
    .limit(1);
  return rows.length > 0;
}

/**
 * A new user with the first session and the audit rows, all or nothing. A taken identifier breaks
 * `users_email_index_key` or `users_username_key`, which tells which one it was, also in a race.
 */
export async function insertAccount(
  db: Database,
  user: NewUserRow,
  session: SessionRow,
  audit: readonly AuditRow[],
  verification: TokenAndMail | undefined,
  events: readonly OutboxRow[],
): Promise<void> {
  const token = verification && sql`, token as ${db.insert(oneTimeTokens).values(verification.token)}`;
  const enqueued = [...(verification === undefined ? [] : [verification.mail]), ...events];
  await db.execute(sql`with registered as ${db.insert(users).values(user)},
    started as ${db.insert(sessions).values(session)},
    audited as ${db.insert(auditLog).values([...audit])}${token ?? sql``}${enqueueFrom(enqueued, sql`(select) as one`)}
    select 1`);
}

export async function readUser(db: Database, id: string): Promise<UserRow | undefined> {
  const [row] = await db.select(columnsOf(users)).from(users).where(eq(users.id, id)).limit(1);
  return row;
}

/**
 * Changes the profile of an active user, whose version has to be one of `versions` where these are given. Parallel
 * changes queue at the row, and each judges the version as the one before left it: of those that name one version,
 * one wins.
 * @returns the user as changed, or undefined where nothing was
 */
export async function updateProfile(
  db: Database,
  which: { readonly id: string; readonly versions: readonly number[] | undefined },
  values: Pick<UserRow, 'phoneIndex' | 'phoneSealed' | 'profileSealed' | 'locale' | 'updatedAt'>,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<UserRow | undefined> {
  const expected = which.versions === undefined ? undefined : inArray(users.version, [...which.versions]);
  const changed = db.$with('changed').as(
    db
      .update(users)
      .set({ ...values, version: sql`${users.version} + 1` })
      .where(and(eq(users.id, which.id), eq(users.status, 'active'), expected))
      .returning(columnsOf(users)),
  );
  const audited = db.$with('audited', {}).as(auditFrom(audit, sql`(select id as user_id from changed) as changed`));
  const enqueued = enqueueParts(events, sql`changed`).map(({ name, part }) => db.$with(name, {}).as(part));
  const [row] = await db
    .with(changed, audited, ...enqueued)
    .select()
    .from(changed);
  return row;
}
