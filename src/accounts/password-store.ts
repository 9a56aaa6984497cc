import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { auditLog, oneTimeTokens, outbox, sessions, users } from '../db/schema.ts';
import { type OutboxRow, promisedFrom } from '../outbox/store.ts';
import { isLastAdmin, isOutOfReach, lockedUsers } from '../roles/store.ts';
import { type PresentSession, presentColumns, presentSession, timestamp } from '../sessions/store.ts';
import { listOf } from './token-store.ts';

const unconfirmed = z.object({ id: z.null(), confirmed: z.boolean() });
const confirmedSession = presentSession.extend({ confirmed: z.literal(true) });
const text = z.array(z.string());

/** The caller of a change: whose password, and which session goes on. */
interface Whose {
  readonly userId: string;
  readonly sessionId: string;
}

/** The user, where the password is still the one that was verified; locked before any session, as everywhere. */
const confirmedUser = (userId: string, verifiedHash: string, lock: SQL) =>
  sql`select u.id, u.roles, u.session_epoch from ${users} as u
    where u.id = ${userId}::uuid and u.status = 'active' and u.password_hash = ${verifiedHash} ${lock}`;

/** The session `s` of the user `u`, where it is alive. */
const isAlive = (sessionId: string, now: number) =>
  sql`s.id = ${sessionId}::uuid and s.user_id = u.id and s.epoch = u.session_epoch and s.ended_at is null
    and s.expires_at > ${timestamp(now)}`;

/**
 * Notes for a session that the password was proved just now.
 * @returns whether the password is still the one that was verified, and the session if it is alive
 */
export async function confirmPassword(
  db: Database,
  { userId, sessionId }: Whose,
  verifiedHash: string,
  now: number,
  audit: AuditRow,
): Promise<{ confirmed: boolean; session: PresentSession | undefined }> {
  const [row] = await query(
    db,
    z.union([unconfirmed, confirmedSession]),
    sql`with confirmed as (${confirmedUser(userId, verifiedHash, sql`for share`)}),
    renewed as (
      update ${sessions} as s set authenticated_at = ${timestamp(now)} from confirmed as u
      where ${isAlive(sessionId, now)}
      returning ${presentColumns}
    ), audited as (
      ${auditFrom(audit, sql`renewed`)}
    )
    select exists (select from confirmed) as confirmed, renewed.* from (select) as one left join renewed on true`,
  );
  return { confirmed: row?.confirmed === true, session: row?.id == null ? undefined : row };
}

/**
 * Replaces the password where it is still the one that was verified and the session is alive; ends the other sessions.
 * The raised epoch also ends one that starts at this very moment and that this statement cannot see yet; the session
 * that goes on steps to the new epoch. Links that would set another password or address die with the old one: whoever
 * changes it may do so because of who asked for them.
 * @returns whether the password was still the verified one; the session that goes on; the ids of those that ended
 */
export async function replacePassword(
  db: Database,
  { userId, sessionId }: Whose,
  hash: { readonly verified: string; readonly next: string },
  now: number,
  audit: AuditRow,
  notices: readonly OutboxRow[],
): Promise<{ confirmed: boolean; session: PresentSession | undefined; ended: string[] }> {
  const [row] = await query(
    db,
    z.union([unconfirmed.extend({ ended: text }), confirmedSession.extend({ ended: text })]),
    sql`with confirmed as (${confirmedUser(userId, hash.verified, sql`for no key update`)}),
    mine as (
      select s.id, s.user_id from ${sessions} as s, confirmed as u where ${isAlive(sessionId, now)}
      for no key update of s
    ), changed as (
      update ${users} as u set password_hash = ${hash.next}, session_epoch = u.session_epoch + 1,
        updated_at = ${timestamp(now)}, version = u.version + 1
      from mine where u.id = mine.user_id
      returning u.id, u.roles, u.session_epoch
    ), kept as (
      update ${sessions} as s set epoch = u.session_epoch, authenticated_at = ${timestamp(now)}
      from changed as u where s.id = ${sessionId}::uuid and s.user_id = u.id
      returning ${presentColumns}
    ), ended as (
      update ${sessions} as s set ended_at = ${timestamp(now)}, ended_reason = 'password_changed'
      where s.user_id = (select id from changed) and s.id <> ${sessionId}::uuid and s.ended_at is null
      returning s.id
    ), dropped as (
      delete from ${oneTimeTokens} as t using changed
      where t.user_id = changed.id and t.purpose in ('reset_password', 'change_email')
    ), audited as (
      ${auditFrom(audit, sql`kept`)}
    )${promisedFrom(notices, sql`kept`)}
    select exists (select from confirmed) as confirmed, array(select id::text from ended) as ended, kept.*
    from (select) as one left join kept on true`,
  );
  const session = row?.id == null ? undefined : row;
  return { confirmed: row?.confirmed === true, session, ended: row?.ended ?? [] };
}

/**
 * Deletes a user where the password is still the one that was verified, or somebody does who may, and who is not the
 * last active admin: the row, by cascade its sessions and one-time tokens, and what was sent or is to be mailed. An
 * event that was promised and not yet delivered stays, sealed. Audit rows lose whom they are about; `audit` is the one
 * that says that somebody left.
 * @param passwordHash that was verified; undefined where nobody had to prove it
 * @param emailIndexes of the address, under each secret
 * @returns whether it was deleted, or what kept it from that, and the ids of the sessions that were open
 */
export async function deleteUser(
  db: Database,
  { id: userId, passwordHash }: { readonly id: string; readonly passwordHash?: string | undefined },
  emailIndexes: readonly string[],
  audit: AuditRow,
  notices: readonly OutboxRow[],
): Promise<{ deleted: boolean; isOutOfReach: boolean; isLastAdmin: boolean; sessionIds: string[] }> {
  const actorId = audit.actorId ?? null;
  const proved =
    passwordHash === undefined ? sql`` : sql`and l.status = 'active' and l.password_hash = ${passwordHash}`;
  const beyond = isOutOfReach(actorId);
  const confirmed = sql`(select id from confirmed)`;
  const [row] = await query(
    db,
    z.object({ deleted: z.boolean(), out_of_reach: z.boolean(), last_admin: z.boolean(), session_ids: text }),
    sql`with locked as (${lockedUsers({ userId, actorId, admins: true })}),
    confirmed as (select l.id from locked as l where l.id = ${userId}::uuid ${proved}
      and not ${beyond} and not ${isLastAdmin}),
    forgotten as (${forgotten(confirmed)}),
    withdrawn as (
      delete from ${outbox} as o where o.subject = ${confirmed}
        and (o.kind = 'email' or o.delivered_at is not null or o.dead)
    ), removed as (
      delete from ${users} as u where u.id = ${confirmed} returning null::uuid as user_id, (
        select l.id from locked as l where l.id = ${actorId}::uuid and l.id <> ${userId}::uuid) as actor_id
    ), dropped as (
      delete from ${oneTimeTokens} as t using confirmed where t.email_index in (${listOf(['', ...emailIndexes])}) and t.user_id is null
    ), audited as (
      ${auditFrom(audit, sql`removed`)}
    )${promisedFrom(notices, sql`removed`)}
    select exists (select from removed) as deleted,
      exists (select from locked as l where l.id = ${userId}::uuid and ${beyond}) as out_of_reach,
      exists (select from locked as l where l.id = ${userId}::uuid and ${isLastAdmin}) as last_admin, array(
      select s.id::text from ${sessions} as s where s.user_id = ${confirmed} and s.ended_at is null
    ) as session_ids`,
  );
  return {
    deleted: row?.deleted === true,
    isOutOfReach: row?.out_of_reach === true,
    isLastAdmin: row?.last_admin === true,
    sessionIds: row?.session_ids ?? [],
  };
}

const forgotten = (userId: SQL) =>
  sql`update ${auditLog} as a set user_id = nullif(a.user_id, ${userId}), actor_id = nullif(a.actor_id, ${userId}),
      session_id = null, address = null, user_agent = null
    where a.user_id = ${userId} or a.actor_id = ${userId}`;

/**
 * Takes from audit rows whom they are about. Once more after a user was deleted: a statement that held the user's row
 * until then may have written a row that the deletion could not see. None can come later.
 */
export async function forgetAudit(db: Database, userId: string): Promise<void> {
  await db.execute(forgotten(sql`${userId}::uuid`));
}
