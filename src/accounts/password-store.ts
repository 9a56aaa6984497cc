import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { oneTimeTokens, outbox, sessions, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import { isLastAdmin, isOutOfReach, lockedUsers } from '../roles/store.ts';
import { endedFrom, endingFrom, forgottenAudit, maxEnded, sessionsOf } from '../sessions/ending-store.ts';
import { type PresentSession, presentColumns, presentSession } from '../sessions/store.ts';
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
 * Notes that the password was proved just now, for a session that is alive. Nothing of the session changes: the tokens
 * of the answer alone say so.
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
    mine as (
      select ${presentColumns} from ${sessions} as s, confirmed as u where ${isAlive(sessionId, now)} for share of s
    ), audited as (
      ${auditFrom(audit, sql`mine`)}
    )
    select exists (select from confirmed) as confirmed, mine.* from (select) as one left join mine on true`,
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
      update ${sessions} as s set epoch = u.session_epoch
      from changed as u where s.id = ${sessionId}::uuid and s.user_id = u.id
      returning ${presentColumns}
    )${endedFrom({ owner: sql`changed`, reason: 'password_changed', now, kept: { relation: sql`mine`, id: sessionId } })}, dropped as (
      delete from ${oneTimeTokens} as t using changed
      where t.user_id = changed.id and t.purpose in ('reset_password', 'change_email')
    ), audited as (
      ${auditFrom(audit, sql`kept`)}
    )${enqueueFrom(notices, sql`kept`)}
    select exists (select from confirmed) as confirmed, array(select id::text from ended) as ended, kept.*
    from (select) as one left join kept on true`,
  );
  const session = row?.id == null ? undefined : row;
  return { confirmed: row?.confirmed === true, session, ended: row?.ended ?? [] };
}

/**
 * Deletes a user where the password is still the one that was verified, or somebody does who may, and who is not the
 * last active admin: the row, by cascade its one-time tokens, its sessions, and what was sent or is to be mailed. Of
 * sessions and audit rows it takes so many; what it leaves, or a sign-in at this moment adds, `forgetNext` takes. An
 * event that was enqueued and not yet delivered stays, sealed; and registrations of that address until they run out, since
 * those who typed them would see them end. Audit rows lose whom they are about; `audit` is the one that says that somebody
 * left.
 * @param passwordHash that was verified; undefined where nobody had to prove it
 * @param emailIndexes of the address, under each secret
 * @returns whether it was deleted, or what kept it from that, and the ids of the sessions that were open
 */
export async function deleteUser(
  db: Database,
  { id: userId, passwordHash }: { readonly id: string; readonly passwordHash?: string | undefined },
  emailIndexes: readonly string[],
  now: number,
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
    forgotten as (${forgottenAudit(confirmed, maxEnded)} returning 1),
    withdrawn as (
      delete from ${outbox} as o where o.subject = ${confirmed}
        and (o.kind = 'email' or o.delivered_at is not null or o.dead)
    ), ended as (
      delete from ${sessions} as s where s.id = any(array(${sessionsOf(confirmed, maxEnded)}))
      returning s.id, s.ended_at
    ), noted_ending as (${endingFrom({
      owner: sql`(select id, 0 as session_epoch from confirmed)`,
      reason: 'user_deleted',
      now,
    })}), removed as (
      delete from ${users} as u where u.id = ${confirmed} returning null::uuid as user_id, (
        select l.id from locked as l where l.id = ${actorId}::uuid and l.id <> ${userId}::uuid) as actor_id
    ), dropped as (
      delete from ${oneTimeTokens} as t using confirmed where t.email_index in (${listOf(['', ...emailIndexes])}) and t.user_id is null
        and t.purpose <> 'verify_email'
    ), audited as (
      ${auditFrom(audit, sql`removed`)}
    )${enqueueFrom(notices, sql`removed`)}
    select exists (select from removed) as deleted,
      exists (select from locked as l where l.id = ${userId}::uuid and ${beyond}) as out_of_reach,
      exists (select from locked as l where l.id = ${userId}::uuid and ${isLastAdmin}) as last_admin,
      array(select id::text from ended where ended_at is null) as session_ids`,
  );
  return {
    deleted: row?.deleted === true,
    isOutOfReach: row?.out_of_reach === true,
    isLastAdmin: row?.last_admin === true,
    sessionIds: row?.session_ids ?? [],
  };
}
