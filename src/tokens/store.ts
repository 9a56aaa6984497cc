import { asc, inArray, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { sessionEndings, sessions, signingKeys, users } from '../db/schema.ts';
import { columnsOf, milliseconds, timestamp } from '../db/sql.ts';

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** Every signing key, oldest first: never more than a handful, expired ones are deleted. */
export function readSigningKeys(db: Database): Promise<SigningKeyRow[]> {
  return db.select(columnsOf(signingKeys)).from(signingKeys).orderBy(asc(signingKeys.ordinal));
}

/** Of no user. */
const ofNobody = (rows: string) => sql`(select null::uuid as user_id from ${sql.identifier(rows)}) as told`;

/** Adds a key unless another isolate took its ordinal first: then nothing happens, and the other's key counts. */
export async function insertSigningKey(db: Database, row: SigningKeyRow, audit?: AuditRow): Promise<void> {
  const insert = db.insert(signingKeys).values(row).onConflictDoNothing();
  if (audit === undefined) await insert;
  else
    await db.execute(
      sql`with added as ${insert.returning({ kid: signingKeys.kid })} ${auditFrom(audit, ofNobody('added'))}`,
    );
}

/** Deletes keys, and tells of it where any was there still. */
export async function deleteSigningKeys(db: Database, ordinals: readonly number[], audit?: AuditRow): Promise<void> {
  const deletion = db.delete(signingKeys).where(inArray(signingKeys.ordinal, [...ordinals]));
  if (audit === undefined) await deletion;
  else
    await db.execute(
      sql`with gone as ${deletion.returning({ kid: signingKeys.kid })} ${auditFrom(audit, ofNobody('gone'))}`,
    );
}

/**
 * Whether a token's session is alive by its row, and the user's roles are those it names: the answer that counts where
 * the key-value store has none.
 */
export async function isTokenCurrent(
  db: Database,
  { sid, roles }: { readonly sid: string; readonly roles: readonly string[] },
  now: number,
): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ alive: z.literal(true) }),
    sql`select true as alive from ${sessions} join ${users} on ${users.id} = ${sessions.userId}
      where ${sessions.id} = ${sid} and ${sessions.endedAt} is null
        and ${sessions.expiresAt} > ${timestamp(now)}
        and ${sessions.epoch} = ${users.sessionEpoch} and ${users.status} = 'active'
        and ${users.roles} = ${sql.param([...roles])}::text[]`,
  );
  return rows.length === 1;
}

/** A part of a long list, in the order of ids: at most `limit` that come after one, as far as another. */
export interface Page {
  readonly after: string | undefined;
  readonly through?: string | undefined;
  readonly limit: number;
}

const within = (column: SQL, { after, through }: Page): SQL =>
  sql`${after === undefined ? sql`` : sql`and ${column} > ${after}::uuid`}
    ${through === undefined ? sql`` : sql`and ${column} <= ${through}::uuid`}`;

export interface ChangedRoles {
  readonly id: string;
  /** Milliseconds. */
  readonly changedAt: number;
}

/** Users whose roles changed since a time. */
export async function readChangedRoles(db: Database, since: number, page: Page): Promise<ChangedRoles[]> {
  const rows = await query(
    db,
    z.object({ id: z.uuid(), changed_at: z.number() }),
    sql`select u.id, ${milliseconds(sql`u.roles_changed_at`)} as changed_at from ${users} as u
      where u.roles_changed_at is not null and u.roles_changed_at >= ${timestamp(since)}
        ${within(sql`u.id`, page)} order by u.id limit ${page.limit}`,
  );
  return rows.map(({ id, changed_at }) => ({ id, changedAt: changed_at }));
}

/**
 * Sessions that ended since a time (milliseconds): access tokens of theirs may still be about. When the row changed last
 * does not tell of all of them, since a proof of the password issues tokens and leaves the row as it is. Without those
 * that the mark of their user refuses (`readUserEndings`).
 */
export async function readEndedSessions(db: Database, since: number, page: Page): Promise<{ id: string }[]> {
  return await query(
    db,
    z.object({ id: z.uuid() }),
    sql`select s.id from ${sessions} as s
      where s.ended_at is not null and s.ended_at >= ${timestamp(since)} and not exists (
        select from ${sessionEndings} as e where e.user_id = s.user_id and e.ended_at >= ${timestamp(since)}
          and s.epoch < e.epoch and e.kept_id is distinct from s.id
      ) ${within(sql`s.id`, page)} order by s.id limit ${page.limit}`,
  );
}

const userEnding = z.object({
  id: z.uuid(),
  /** Milliseconds. */
  at: z.number(),
  /** The session that was kept. */
  except: z.uuid().nullable(),
});
export type UserEnding = z.output<typeof userEnding>;

/** Users whose sessions an epoch ended since a time (milliseconds). */
export async function readUserEndings(db: Database, since: number, page: Page): Promise<UserEnding[]> {
  return await query(
    db,
    userEnding,
    sql`select e.user_id as id, ${milliseconds(sql`e.ended_at`)} as at, e.kept_id as except
      from ${sessionEndings} as e where e.ended_at >= ${timestamp(since)}
        ${within(sql`e.user_id`, page)} order by e.user_id limit ${page.limit}`,
  );
}
