import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { assignments, insertFrom } from '../db/insert-from.ts';
import { oneTimeTokens, sessions, users } from '../db/schema.ts';
import { type OutboxRow, promisedFrom } from '../outbox/store.ts';
import { endedFrom, noneEnded } from '../sessions/ending-store.ts';
import { timestamp } from '../sessions/store.ts';
import type { NewUserRow } from './store.ts';
import { listOf, type OneTimeTokenRow, type Purpose } from './token-store.ts';

/**
 * Makes the user of a registration that waited for its address, and drops all other registrations of that address: they
 * are locked first, and in one order, so that of two that are confirmed at once the second finds nothing.
 * @param emailIndexes of the address, under each secret: the unique index sees the newest one's only
 * @returns whether the token was still good, and the address free. A taken identifier breaks its unique index.
 */
export async function redeemRegistration(
  db: Database,
  token: { readonly id: string },
  emailIndexes: readonly string[],
  user: NewUserRow,
  now: number,
  audit: AuditRow,
  events: readonly OutboxRow[],
): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with locked as (
      select t.id from ${oneTimeTokens} as t
      where t.email_index in (${listOf(emailIndexes)}) and t.user_id is null
        and (t.id <> ${token.id}::uuid or t.expires_at > ${timestamp(now)})
      order by t.id for update
    ), used as (
      delete from ${oneTimeTokens} as t using locked
      where t.id = locked.id and exists (select from locked where id = ${token.id}::uuid)
      returning t.id
    ), registered as (
      ${insertFrom(
        users,
        user,
        sql`used where used.id = ${token.id}::uuid
          and not exists (select from ${users} where email_index in (${listOf([...emailIndexes.slice(1), ''])}))`,
      )} returning id
    ), audited as (
      ${auditFrom(audit, sql`(select id as user_id from registered) as registered`)}
    )${promisedFrom(events, sql`registered`)}
    select id from registered`,
  );
  return rows.length > 0;
}

/** What a token does to the account it belongs to. */
export interface Redemption {
  readonly set: Partial<Omit<NewUserRow, 'id' | 'version' | 'sessionEpoch'>>;
  /** Whether the holder of the address has proved to be one. Only where the account still has that address. */
  readonly verifies: boolean;
  /** The address the account has to have still, by its index. */
  readonly from?: string | null;
  /** What waited for an address to be verified changes nothing of an account where it has been, by whatever else. */
  readonly onlyUnverified?: boolean;
  /** The session that asked for it: void where something has ended all sessions since, or somebody ended this one. */
  readonly askedBy?: string;
  /** Of the address that the account is to have, under each secret, newest first. */
  readonly emailIndexes?: readonly string[];
  readonly endsSessions?: 'password_changed' | 'email_changed';
  /**
   * Other tokens of the account that are good no longer. Of those that take a change of the address back only what came
   * after this one: the holder of a later address must not keep that of an earlier one from it.
   */
  readonly drops: readonly Purpose[];
  readonly token?: OneTimeTokenRow;
  readonly promised?: readonly OutboxRow[];
  /** Promised where the address counts as verified now and did not before. */
  readonly whereVerified?: readonly OutboxRow[];
  /** Promised for accounts that lost the address to this one, which they had not verified: a set for each. */
  readonly whereEvicted?: readonly (readonly OutboxRow[])[];
  readonly audit: AuditRow;
}

/**
 * Uses a token up and does what it is for, in one statement. The user's row is locked first, as everywhere.
 * @returns the ids of the sessions that ended, or undefined where the token was not good any more
 */
export async function redeemToken(
  db: Database,
  token: { readonly id: string; readonly userId: string },
  now: number,
  redemption: Redemption,
): Promise<{ ended: string[] } | undefined> {
  const { set, verifies, endsSessions, drops, promised = [], whereVerified = [], audit } = redemption;
  const time = timestamp(now);
  const [row] = await query(
    db,
    z.object({ ended: z.array(z.string()) }),
    sql`with locked as (
      select u.id, u.email_index, u.email_verified_at from ${users} as u
      where u.id = ${token.userId}::uuid and u.status = 'active' ${conditions(redemption)} for no key update
    ), used as (
      delete from ${oneTimeTokens} as t using locked
      where t.id = ${token.id}::uuid and t.user_id = locked.id and t.expires_at > ${time}
        ${verifies ? sql`and t.email_index = locked.email_index` : sql``}
      returning t.user_id
    )${evicted(redemption, token.userId)}, changed as (
      update ${users} as u set ${sql.join(
        [
          assignments(users, { ...set, updatedAt: new Date(now) }),
          sql`version = u.version + 1`,
          ...(verifies ? [sql`email_verified_at = coalesce(u.email_verified_at, ${time})`] : []),
          ...(endsSessions === undefined ? [] : [sql`session_epoch = u.session_epoch + 1`]),
        ],
        sql`, `,
      )}
      from used ${typeof set.emailIndex === 'string' ? sql`, (select count(*) from evicted) as evictions` : sql``}
      where u.id = used.user_id returning u.id, u.session_epoch
    )${endsSessions === undefined ? noneEnded : endedFrom({ owner: sql`changed`, reason: endsSessions, now })}, dropped as (
      delete from ${oneTimeTokens} as t using changed where t.user_id = changed.id and t.id <> ${token.id}::uuid
        and t.purpose = any(string_to_array(${drops.join()}, ','))
        and (t.purpose <> 'undo_email_change' or t.id > ${token.id}::uuid)
    ), audited as (
      ${auditFrom(audit, sql`(select id as user_id from changed) as changed`)}
    )${redemption.token ? sql`, token as (${insertFrom(oneTimeTokens, redemption.token, sql`changed`)})` : sql``}
    ${promisedFrom(promised, sql`changed`)}, verified as (
      select changed.id from changed, locked where locked.email_verified_at is null
    )${promisedFrom(whereVerified, sql`verified`, { name: 'verified_promised' })}
    select array(select id::text from ended) as ended from changed`,
  );
  return row;
}

/** What has to hold of the user `u`. */
function conditions({ from, onlyUnverified = false, askedBy, emailIndexes = [] }: Redemption): SQL {
  const [, ...older] = emailIndexes;
  return sql.join([
    ...(from === undefined ? [] : [sql` and u.email_index is not distinct from ${from}::text`]),
    ...(onlyUnverified ? [sql` and u.email_verified_at is null`] : []),
    ...(askedBy === undefined
      ? []
      : [
          sql` and exists (select from ${sessions} as s where s.id = ${askedBy}::uuid and s.user_id = u.id
            and s.epoch = u.session_epoch
            and (s.ended_reason is null or s.ended_reason in ('logout', 'session_limit')))`,
        ]),
    // The unique index sees the newest secret's index only.
    ...(older.length === 0
      ? []
      : [
          sql` and not exists (select from ${users} as o where o.email_index in (${listOf(older)}) and o.id <> u.id
            and o.email_verified_at is not null)`,
        ]),
  ]);
}

/** An unverified claim on an address does not stand in the way of who has proved to hold it. */
function evicted({ set, emailIndexes = [], whereEvicted = [] }: Redemption, userId: string): SQL {
  if (typeof set.emailIndex !== 'string') return sql``;
  return sql`, evicted as (
    update ${users} as u set email_index = null, email_sealed = null, version = u.version + 1
    from used where u.email_index in (${listOf([set.emailIndex, ...emailIndexes])}) and u.email_verified_at is null and u.id <> ${userId}::uuid
    returning u.id
)${sql.join(
    whereEvicted.map((rows, n) => {
      const one = sql`(select id from evicted order by id offset ${n} limit 1) as e`;
      return promisedFrom(rows, one, { name: `evicted_${n}`, columns: { subject: sql`e.id` } });
    }),
  )}`;
}
