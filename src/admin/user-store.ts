import { and, asc, desc, eq, gt, gte, lt, lte, sql } from 'drizzle-orm';
import type { UserRow } from '../accounts/store.ts';
import type { PromisedToken } from '../accounts/token-store.ts';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import type { ActivityRow } from '../audit/store.ts';
import { leastUuidv7 } from '../crypto/random.ts';
import type { Database } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { auditLog, oneTimeTokens, users } from '../db/schema.ts';
import { type OutboxRow, promisedFrom } from '../outbox/store.ts';

/** Sorts after every UUIDv7. With a bound on either side each list is a range of an index, also on its first page. */
const greatest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Times in milliseconds; an id carries the time its row was created. */
interface Page {
  readonly limit: number;
  readonly before: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

const idBounds = ({ before, from, to }: Page) => {
  // No time before 1970, and none beyond what an id can carry.
  const least = (time: number) => leastUuidv7(Math.min(Math.max(time, 0), 2 ** 48 - 1));
  return { before: before ?? greatest, from: least(from ?? 0), to: to === undefined ? greatest : least(to) };
};

/**
 * Users, newest first: a range of the primary key or of the index by status, or what the index by role finds, whichever
 * the planner expects to be less; never an offset, so the last page costs what the first does.
 */
export function readUsers(
  db: Database,
  page: Page,
  filter: {
    readonly status: UserRow['status'] | undefined;
    readonly role: string | undefined;
  },
): Promise<UserRow[]> {
  const { before, from, to } = idBounds(page);
  return db
    .select()
    .from(users)
    .where(
      and(
        lt(users.id, before),
        gte(users.id, from),
        lte(users.id, to),
        filter.status && eq(users.status, filter.status),
        filter.role === undefined ? undefined : sql`${users.roles} @> ${sql.param([filter.role])}::text[]`,
      ),
    )
    .orderBy(desc(users.id))
    .limit(page.limit);
}

/** Users whose username key begins so, in its order. @param after the key that the page before ended with */
export function readUsersByUsername(
  db: Database,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string | undefined; readonly limit: number },
): Promise<UserRow[]> {
  const key = sql`${users.usernameKey} collate "C"`;
  // In the order of bytes nothing that begins so comes after it.
  const end = `${prefix}\u{10ffff}`;
  return db
    .select()
    .from(users)
    .where(and(after === undefined ? gte(key, prefix) : gt(key, after), lt(key, end)))
    .orderBy(asc(key))
    .limit(limit);
}

/** What was recorded, newest first. */
export function readAudit(
  db: Database,
  page: Page,
  filter: {
    readonly user: string | undefined;
    readonly actor: string | undefined;
    readonly type: string | undefined;
    readonly result: ActivityRow['result'] | undefined;
  },
): Promise<ActivityRow[]> {
  const { before, from, to } = idBounds(page);
  return db
    .select()
    .from(auditLog)
    .where(
      and(
        lt(auditLog.id, before),
        gte(auditLog.id, from),
        lte(auditLog.id, to),
        filter.user === undefined ? undefined : eq(auditLog.userId, filter.user),
        filter.actor === undefined ? undefined : eq(auditLog.actorId, filter.actor),
        filter.type === undefined ? undefined : eq(auditLog.type, filter.type),
        // Written out, so that the index of failures is seen to fit.
        filter.result && sql`${auditLog.result} = ${sql.raw(`'${filter.result}'`)}`,
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(page.limit);
}

/**
 * A new user, made by an admin or by the command, with the mail that goes along. Whoever makes them is locked, so that
 * the audit log names nobody who is being deleted. A taken identifier breaks its unique index.
 */
export async function insertUser(
  db: Database,
  user: UserRow,
  audit: AuditRow,
  promised: PromisedToken | undefined,
  events: readonly OutboxRow[],
): Promise<void> {
  const actor = sql`(select a.id from actor as a)`;
  const one = sql`(select) as one`;
  const token = promised && sql`, token as (${insertFrom(oneTimeTokens, promised.token, one)})`;
  const rows = [...(promised === undefined ? [] : [promised.mail]), ...events];
  await db.execute(sql`with actor as (
      select u.id from ${users} as u where u.id = ${audit.actorId ?? null}::uuid for key share
    ), registered as ${db.insert(users).values(user)},
    audited as (
      ${auditFrom(audit, sql`(select ${user.id}::uuid as user_id, ${actor} as actor_id) as made`)}
    )${token ?? sql``}${promisedFrom(rows, one)}
    select 1`);
}
