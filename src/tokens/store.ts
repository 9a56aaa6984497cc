import { asc, inArray, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { sessionEndings, sessions, signingKeys, users } from '../db/schema.ts';

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** Every signing key, oldest first: never more than a handful, expired ones are deleted. */
export function readSigningKeys(db: Database): Promise<SigningKeyRow[]> {
  return db.select().from(signingKeys).orderBy(asc(signingKeys.ordinal));
}

/** Adds a key unless another isolate took its ordinal first: then nothing happens, and the other's key counts. */
export async function insertSigningKey(db: Database, row: SigningKeyRow): Promise<void> {
  await db.insert(signingKeys).values(row).onConflictDoNothing();
}

export async function deleteSigningKeys(db: Database, ordinals: readonly number[]): Promise<void> {
  await db.delete(signingKeys).where(inArray(signingKeys.ordinal, [...ordinals]));
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
        and ${sessions.expiresAt} > ${new Date(now).toISOString()}
        and ${sessions.epoch} = ${users.sessionEpoch} and ${users.status} = 'active'
        and ${users.roles} = ${sql.param([...roles])}::text[]`,
  );
  return rows.length === 1;
}

/** Users whose roles changed since a time, and when (milliseconds). At most `limit`, newest first. */
export async function readChangedRoles(
  db: Database,
  since: number,
  limit: number,
): Promise<{ userId: string; changedAt: number }[]> {
  const rows = await query(
    db,
    z.object({ id: z.uuid(), changed_at: z.number() }),
    sql`select u.id, (extract(epoch from u.roles_changed_at) * 1000)::float8 as changed_at from ${users} as u
      where u.roles_changed_at is not null and u.roles_changed_at >= ${new Date(since).toISOString()}
      order by u.roles_changed_at desc limit ${limit}`,
  );
  return rows.map(({ id, changed_at }) => ({ userId: id, changedAt: changed_at }));
}

/**
 * Sessions that ended since a time and whose last tokens were issued since another: access tokens of theirs may still
 * be about. At most `limit`, newest first.
 */
export async function readEndedSessions(
  db: Database,
  endedSince: number,
  usedSince: number,
  limit: number,
): Promise<string[]> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`select ${sessions.id} as id from ${sessions}
      where ${sessions.endedAt} is not null and ${sessions.endedAt} >= ${new Date(endedSince).toISOString()}
        and ${sessions.rotatedAt} >= ${new Date(usedSince).toISOString()}
      order by ${sessions.endedAt} desc limit ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Users of whom more sessions ended since a time than could be noted one by one, when that was (milliseconds), and the
 * session that was kept.
 */
export async function readUserEndings(
  db: Database,
  since: number,
  limit: number,
): Promise<{ userId: string; at: number; except: string | null }[]> {
  const rows = await query(
    db,
    z.object({ user_id: z.uuid(), at: z.number(), kept_id: z.uuid().nullable() }),
    sql`select e.user_id, (extract(epoch from e.ended_at) * 1000)::float8 as at, e.kept_id from ${sessionEndings} as e
      where e.ended_at >= ${new Date(since).toISOString()} order by e.ended_at desc limit ${limit}`,
  );
  return rows.map(({ user_id, at, kept_id }) => ({ userId: user_id, at, except: kept_id }));
}
