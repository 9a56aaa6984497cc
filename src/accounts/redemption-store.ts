import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { assignments, insertFrom } from '../db/insert-from.ts';
import { auditLog, oneTimeTokens, sessions, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import { defaultRole } from '../roles/permissions.ts';
import { endedFrom, endingFrom, noneEnded } from '../sessions/ending-store.ts';
import { spent } from './registration-store.ts';
import type { NewUserRow } from './store.ts';
import { listOf, type OneTimeTokenRow, type Purpose } from './token-store.ts';

/** What an account that loses its address leaves behind: its events, and its audit row. */
export interface Eviction {
  readonly events: readonly OutboxRow[];
  readonly audit: AuditRow;
}

/** What a token does to the account it belongs to. */
export interface Redemption {
  readonly set: Partial<Omit<NewUserRow, 'id' | 'version' | 'sessionEpoch'>>;
  /** Whether the holder of the address has proved to be one. Only where the account still has that address. */
  readonly verifies: boolean;
  /** The address the account has to have still, by its index. */
  readonly from?: string | null;
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
  /** Whether this link, and others that would have verified the same address, stay to say that it is verified. */
  readonly staysKnown?: boolean;
  readonly token?: OneTimeTokenRow;
  readonly enqueued?: readonly OutboxRow[];
  /** Promised where the address counts as verified now and did not before. */
  readonly whereVerified?: readonly OutboxRow[];
  /** For accounts that lose the address to this one: see `evicted`. One for each secret; none, and nobody loses it. */
  readonly evictions?: readonly Eviction[];
  readonly audit: AuditRow;
}

const outcome = z.object({ ended: z.array(z.string()), evicted: z.array(z.string()) });

/**
 * Uses a token up and does what it is for, in one statement. The user's row is locked first, as everywhere.
 * @returns the ids of the sessions that ended and of the users who lost the address, or undefined where the token was
 * not good any more
 */
export async function redeemToken(
  db: Database,
  token: { readonly id: string; readonly userId: string },
  now: number,
  redemption: Redemption,
): Promise<z.output<typeof outcome> | undefined> {
  const { set, verifies, endsSessions, drops, staysKnown = false, evictions = [] } = redemption;
  const { enqueued = [], whereVerified = [], audit } = redemption;
  const time = timestamp(now);
  const use = staysKnown
    ? sql`update ${oneTimeTokens} as t set ${spent} from locked`
    : sql`delete from ${oneTimeTokens} as t using locked`;
  const [row] = await query(
    db,
    outcome,
    sql`with locked as (
      select u.id, u.email_index, u.email_verified_at from ${users} as u
      where u.id = ${token.userId}::uuid and u.status = 'active' ${conditions(redemption)} for no key update
    ), used as (
      ${use} where t.id = ${token.id}::uuid and t.user_id = locked.id and t.expires_at > ${time}
        ${staysKnown ? sql`and t.purpose = 'verify_email'` : sql``}
        ${verifies ? sql`and t.email_index = locked.email_index` : sql``}
      returning t.user_id, t.email_index
    )${evicted(redemption, token.userId, now)}, changed as (
      update ${users} as u set ${sql.join(
        [
          assignments(users, { ...set, updatedAt: new Date(now) }),
          sql`version = u.version + 1`,
          ...(verifies ? [sql`email_verified_at = coalesce(u.email_verified_at, ${time})`] : []),
          ...(endsSessions === undefined ? [] : [sql`session_epoch = u.session_epoch + 1`]),
        ],
        sql`, `,
      )}
      from used ${evictions.length > 0 ? sql`, (select count(*) from evicted) as evictions` : sql``}
      where u.id = used.user_id returning u.id, u.session_epoch
    )${endsSessions === undefined ? noneEnded : endedFrom({ owner: sql`changed`, reason: endsSessions, now })}, dropped as (
      delete from ${oneTimeTokens} as t using changed where t.user_id = changed.id and t.id <> ${token.id}::uuid
        and t.purpose = any(string_to_array(${drops.join()}, ','))
        and (t.purpose <> 'undo_email_change' or t.id > ${token.id}::uuid)
    )${
      staysKnown
        ? sql`, spent as (
      update ${oneTimeTokens} as t set ${spent} from changed, used where t.user_id = changed.id
        and t.id <> ${token.id}::uuid and t.purpose = 'verify_email' and t.email_index = used.email_index
    )`
        : sql``
    }, audited as (
      ${auditFrom(audit, sql`(select id as user_id from changed) as changed`)}
    )${redemption.token ? sql`, token as (${insertFrom(oneTimeTokens, redemption.token, sql`changed`)})` : sql``}
    ${enqueueFrom(enqueued, sql`changed`)}, verified as (
      select changed.id from changed, locked where locked.email_verified_at is null
    )${enqueueFrom(whereVerified, sql`verified`, { name: 'verified_promised' })}
    select array(select id::text from ended) as ended,
      ${evictions.length > 0 ? sql`array(select id::text from evicted)` : sql`array[]::text[]`} as evicted from changed`,
  );
  return row;
}

/** What has to hold of the user `u`. */
function conditions({ from, askedBy, emailIndexes = [], evictions = [] }: Redemption): SQL {
  const [, ...older] = emailIndexes;
  return sql.join([
    ...(from === undefined ? [] : [sql` and u.email_index is not distinct from ${from}::text`]),
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
            ${evictions.length > 0 ? sql`and not (${isSquatter(sql`o`)})` : sql``})`,
        ]),
  ]);
}

/**
 * Somebody who registered by themselves, verified nothing, and was given nothing: no role, no import, no admin. While an
 * address was another account's, nobody could have it: so they came since.
 */
const isSquatter = (user: SQL) =>
  sql`${user}.email_verified_at is null and ${user}.roles = ${sql.param([defaultRole])}::text[]
    and exists (select from ${auditLog} as a where a.user_id = ${user}.id and a.type = 'user_registered')`;

/**
 * A thief must not keep an address from its owner by registering with it once the account has lost it. So whoever takes
 * a change of their address back takes it from such an account too. It loses its sessions with it, and is told by events
 * and its audit log: it has no other address. Nothing else takes an address from an account.
 */
function evicted({ set, emailIndexes = [], evictions = [] }: Redemption, userId: string, now: number): SQL {
  if (typeof set.emailIndex !== 'string' || evictions.length === 0) return sql``;
  return sql`, evicted as (
    update ${users} as u
    set email_index = null, email_sealed = null, session_epoch = u.session_epoch + 1, version = u.version + 1
    from used where u.email_index in (${listOf([set.emailIndex, ...emailIndexes])}) and u.id <> ${userId}::uuid
      and ${isSquatter(sql`u`)}
    returning u.id, u.session_epoch
), evicted_ending as (
    ${endingFrom({ owner: sql`evicted`, reason: 'email_changed', now })}
)${sql.join(
    evictions.map(({ events, audit }, n) => {
      const one = sql`(select id from evicted order by id offset ${n} limit 1) as e`;
      const about = sql`(select id as user_id from evicted order by id offset ${n} limit 1) as e`;
      return sql`, ${sql.identifier(`evicted_audited_${n}`)} as (${auditFrom(audit, about)})
        ${enqueueFrom(events, one, { name: `evicted_${n}`, columns: { subject: sql`e.id` } })}`;
    }),
  )}`;
}
