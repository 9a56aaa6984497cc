import { type Column, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import type { AuditEntry, AuditRow } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { auditLog, oneTimeTokens, sessions, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow, outboxFrom } from '../outbox/store.ts';
import type { SessionRow } from './store.ts';

/** From so many places within an hour a user is told of new sign-ins. */
const maxNotices = 10;
/** So many sign-ins of one user may run at once without being bounded exactly. */
const atOnce = 20;
/** How far back sessions and audit rows are looked through: not all of an account that has a million. */
const maxSeen = 1000;

/** What a sign-in brings up to date: the hash, and the index of the address with that of the links sent to it. */
export interface Upgrade {
  /** Nothing, where another sign-in has replaced it by now. */
  readonly passwordHash?: { readonly from: string; readonly to: string };
  readonly emailIndex?: { readonly from: string; readonly to: string };
}

/**
 * Starts a session for a user who just proved the password, unless something ended the user's sessions or disabled
 * the user since the row was read: then `user_id` stays null and the statement breaks that constraint.
 * The share lock makes a change of the user that runs at the same time come wholly before or wholly after.
 * One statement with what goes along: an audit row, an upgraded password hash, the notice of a new sign-in.
 * @param notice enqueued where no earlier session of the user came from the same address and user agent, and at most
 * ten of those of the last hour: whoever has the password cannot flood the mailbox. The first one of an account is no
 * news, however old the account is where it comes from.
 * @param options `bound` is how many sessions a user may have
 * @returns whether the notice was enqueued, whether there may be more sessions now than the bound, and the hash that is
 * stored from now on
 */
export async function insertSession(
  db: Database,
  session: SessionRow,
  audit: AuditRow,
  upgrade: Upgrade,
  events: readonly OutboxRow[],
  { notice, bound }: { readonly notice?: OutboxRow | undefined; readonly bound?: number | undefined } = {},
): Promise<{ noticed: boolean; crowded: boolean; passwordHash: string | null }> {
  const upgrades = Object.keys(upgrade).length > 0;
  // Two that both upgrade would share the row, and then each wait for the other to change it.
  const lock = upgrades ? sql`for no key update` : sql`for share`;
  const unchanged = sql`select ${users.id} as id, ${users.passwordHash} as password_hash from ${users}
    where ${users.id} = ${session.userId} and ${users.sessionEpoch} = ${session.epoch} and ${users.status} = 'active'
    ${lock}`;
  const userId = sql`(select id from unchanged)`;
  const isNoticed = notice === undefined ? sql`false` : sql`exists (select from noticed)`;
  const [row] = await query(
    db,
    z.object({ noticed: z.boolean(), crowded: z.boolean(), password_hash: z.string().nullable() }),
    sql`with unchanged as (${unchanged}),
    started as ${db.insert(sessions).values({ ...session, userId })},
    audited as ${db.insert(auditLog).values(audit)}${upgrades ? upgraded(db, upgrade, userId) : sql``}${noticedWhereNew(session, notice)}${enqueueFrom(events, sql`unchanged`)}
    select ${isNoticed} as noticed, ${isCrowded(session, bound)} as crowded,
      (select password_hash from unchanged) as password_hash`,
  );
  // As the row stood when it was locked: of two sign-ins that replace it at once, the first one's hash stays.
  const { from, to } = upgrade.passwordHash ?? {};
  const passwordHash = row?.password_hash ?? null;
  const isReplaced = to !== undefined && passwordHash === from;
  return {
    noticed: row?.noticed === true,
    crowded: row?.crowded === true,
    passwordHash: isReplaced ? to : passwordHash,
  };
}

/** Whether the user has nearly as many sessions as may be: others may start at this moment, which nobody sees yet. */
function isCrowded({ userId, epoch }: SessionRow, bound: number | undefined): SQL {
  if (bound === undefined) return sql`false`;
  if (bound <= atOnce) return sql`true`;
  return sql`exists (select from ${sessions} as s
    where s.user_id = ${userId}::uuid and s.epoch >= ${epoch}::int and s.ended_at is null
    order by s.epoch desc, s.id desc offset ${bound - atOnce} limit 1)`;
}

/** The index moves only while the account has that address still: a change of it ends no session. */
function upgraded(db: Database, { passwordHash, emailIndex }: Upgrade, userId: SQL): SQL {
  const isUser = sql`${users.id} = ${userId}`;
  const renewed = (column: Column, { from, to }: { readonly from: string; readonly to: string }) =>
    sql`case when ${column} = ${from} then ${to} else ${column} end`;
  const hash = passwordHash === undefined ? {} : { passwordHash: renewed(users.passwordHash, passwordHash) };
  if (emailIndex === undefined) return sql`, upgraded as ${db.update(users).set(hash).where(isUser)}`;
  const { from, to } = emailIndex;
  return sql`, upgraded as ${db
    .update(users)
    .set({ ...hash, emailIndex: renewed(users.emailIndex, emailIndex) })
    .where(isUser)}, moved as (
      update ${oneTimeTokens} as t set email_index = ${to} where t.user_id = ${userId} and t.email_index = ${from}
    )`;
}

/**
 * Whether such an event is among the newest of the user in the audit log. An import comes before each sign-in: where the
 * newest hold it, they hold every sign-in too, and a flood of failures pushes both out.
 */
const noted = (userId: SQL | string, types: readonly AuditEntry['type'][]) =>
  sql`exists (select from (
      select a.type, a.result from ${auditLog} as a where a.user_id = ${userId}::uuid order by a.id desc limit ${maxSeen}
    ) as a where a.type = any(${sql.param([...types])}::text[]) and a.result = 'success')`;

/** Sessions go some time after they end. That an account has none is no sign that nobody has signed in to it. */
function noticedWhereNew({ userId, address, userAgent, createdAt }: SessionRow, notice: OutboxRow | undefined): SQL {
  if (notice === undefined) return sql``;
  const hourAgo = timestamp(createdAt.getTime() - 3_600_000);
  const dayAgo = timestamp(createdAt.getTime() - 86_400_000);
  const source = sql`unchanged where not exists (
      select from seen where address is not distinct from ${address}::text
        and user_agent is not distinct from ${userAgent}::text
    ) and (
      select count(distinct (address, user_agent)) from seen where created_at > ${hourAgo}
    ) < ${maxNotices}
    and (exists (select from seen) or ((select u.created_at from ${users} as u where u.id = ${userId}::uuid) < ${dayAgo}
      and (${noted(userId, ['login', 'user_registered'])} or not ${noted(userId, ['user_imported', 'user_created'])})))`;
  return sql`, seen as (
      select s.address, s.user_agent, s.created_at from ${sessions} as s where s.user_id = ${userId}::uuid
      order by s.id desc limit ${maxSeen}
    ), noticed as (${outboxFrom(notice, source)} returning id)`;
}
