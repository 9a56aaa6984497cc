import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { auditLog, sessions, users } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { truncatedAddress } from '../limits/client-address.ts';
import { version } from '../version.ts';

/** The one list of security events that are recorded. */
type AuditType =
  | 'user_registered'
  | 'user_imported'
  | 'login'
  | 'logout'
  | 'logout_all'
  | 'session_revoked'
  | 'session_limit'
  | 'refresh_token_reuse'
  | 'reauthentication'
  | 'password_changed'
  | 'profile_changed'
  | 'email_verified'
  | 'password_reset_requested'
  | 'password_reset'
  | 'email_change_requested'
  | 'email_changed'
  | 'email_change_undone'
  | 'email_lost'
  | 'account_locked'
  | 'permission_refused'
  | 'limit_reached'
  | 'lock_refused'
  | 'account_deleted'
  | 'secrets_resealed'
  | 'signing_key_added'
  | 'signing_key_retired'
  | AdministrativeType;

/** What somebody else did: `actor_id` says who. */
const administrativeTypes = [
  'user_created',
  'roles_changed',
  'user_disabled',
  'user_enabled',
  'password_reset_forced',
  'sessions_revoked',
  'user_deleted',
  'events_replayed',
  'users_listed',
  'user_searched',
  'user_viewed',
  'audit_viewed',
] as const;
type AdministrativeType = (typeof administrativeTypes)[number];

/** Where a request came from. */
export interface Origin {
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

/** What of a request's origin is kept: a truncated address, and the user agent cut to a sane length. */
export function keptOrigin(origin: Origin): { address: string | null; userAgent: string | null } {
  return { address: truncatedAddress(origin.address), userAgent: origin.userAgent?.slice(0, 256) ?? null };
}

/**
 * Where an operator's command came from: it has no request, so it names itself as a user agent does.
 * @param told what it did, without anybody's data
 */
export const commandOrigin = (...told: readonly string[]): Origin => ({
  address: undefined,
  userAgent: `edge-auth-cli/${version} (${told.join('; ')})`,
});

export interface AuditEntry {
  readonly type: AuditType;
  readonly result: 'success' | 'failure';
  readonly userId: string | null;
  /** Where it is not the user: whose session and origin these are then. */
  readonly actorId?: string | null;
  readonly sessionId: string | null;
  readonly origin: Origin;
}

export type AuditRow = typeof auditLog.$inferInsert;

export function auditRow({ newId, now }: Pick<Deps, 'newId' | 'now'>, { origin, ...entry }: AuditEntry): AuditRow {
  return { id: newId(), ...entry, ...keptOrigin(origin), createdAt: new Date(now()) };
}

/**
 * Writes one entry by itself; entries that go with a change are written by the statement that makes it. Of a user who
 * is being deleted it keeps nothing: the lock makes it come wholly before that, or after and find nobody.
 */
export async function recordAudit(db: Database, row: AuditRow): Promise<void> {
  const userId = sql`(select id from ${users} where id = ${row.userId}::uuid for key share)`;
  const sessionId = sql`(select id from ${sessions} where id = ${row.sessionId}::uuid for key share)`;
  const actorId = sql`(select id from ${users} where id = ${row.actorId ?? null}::uuid for key share)`;
  await db.insert(auditLog).values({ ...row, userId, actorId, sessionId });
}

/**
 * The part of a statement that records a change for each row of `source`, whose `user_id` it takes, and `actor_id` where
 * there is one: nothing is recorded where nothing changed.
 */
export const auditFrom = (row: AuditRow, source: SQL): SQL => {
  const actor = row.actorId == null ? {} : { actorId: sql`actor_id` };
  return insertFrom(auditLog, row, source, { userId: sql`user_id`, ...actor });
};
