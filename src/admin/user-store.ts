import { and, asc, desc, eq, gt, gte, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { UserRow } from '../accounts/store.ts';
import type { TokenAndMail } from '../accounts/token-store.ts';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import type { ActivityRow } from '../audit/store.ts';
import { minUuidv7 } from '../crypto/random.ts';
import type { Database } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { auditLog, oneTimeTokens, userRoles, users } from '../db/schema.ts';
import { columnsOf } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';

/** Where a page of users ended. */
export interface Place {
  /** Milliseconds. */
  readonly createdAt: number;
  readonly id: string;
}

/** Sort before and after every id. With a bound on either side each list is a range of an index, also its first page. */
const [min, greatest] = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'] as const;

/** What Postgres reads as it stands in ISO 8601: no year before 1 and none after 9999. */
const [earliest, latest] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

function timestamp(milliseconds: number | undefined, otherwise: 'infinity' | '-infinity'): SQL {
  if (milliseconds === undefined) return sql`${otherwise}::timestamptz`;
  return sql`${new Date(Math.min(Math.max(milliseconds, earliest), latest)).toISOString()}::timestamptz`;
}

/**
 * Users, newest first: a range of the index by creation, of a status, of a role, or of both; never an offset, so the last
 * page costs what the first does.
 * @param page times in milliseconds; `to` is the first that does not belong to it any more
 */
export function readUsers(
  db: Database,
  page: {
    readonly limit: number;
    readonly before: Place | undefined;
    readonly from: number | undefined;
    readonly to: number | undefined;
  },
  filter: {
    readonly status: UserRow['status'] | undefined;
    readonly role: string | undefined;
  },
): Promise<UserRow[]> {
  const { before, from, to, limit } = page;
  const { status, role } = filter;
  const { createdAt, status: listedStatus } = role === undefined ? users : userRoles;
  const id = role === undefined ? users.id : userRoles.userId;
  // One bound and not two: of a range that ends twice Postgres would read all that is between the ends.
  const endsEarlier = to !== undefined && (before === undefined || before.createdAt >= to);
  const end = endsEarlier ? { createdAt: to, id: min } : { createdAt: before?.createdAt, id: before?.id ?? greatest };
  const wanted = and(
    sql`(${createdAt}, ${id}) < (${timestamp(end.createdAt, 'infinity')}, ${end.id}::uuid)`,
    gte(createdAt, timestamp(from, '-infinity')),
    status && eq(listedStatus, status),
    role === undefined ? undefined : eq(userRoles.role, role),
  );
  const found = db.select(columnsOf(users)).from(users).$dynamic();
  const joined = role === undefined ? found : found.innerJoin(userRoles, eq(userRoles.userId, users.id));
  return joined.where(wanted).orderBy(desc(createdAt), desc(id)).limit(limit);
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
    .select(columnsOf(users))
    .from(users)
    .where(and(after === undefined ? gte(key, prefix) : gt(key, after), lt(key, end)))
    .orderBy(asc(key))
    .limit(limit);
}

/** Times in milliseconds; an id carries the time its row was created. */
interface Page {
  readonly limit: number;
  readonly before: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

const idBounds = ({ before, from, to }: Page) => {
  // No time before 1970, and none beyond what an id can carry.
  const minOf = (time: number) => minUuidv7(Math.min(Math.max(time, 0), 2 ** 48 - 1));
  return { before: before ?? greatest, from: minOf(from ?? 0), to: to === undefined ? greatest : minOf(to) };
};

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
    .select(columnsOf(auditLog))
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
  enqueued: TokenAndMail | undefined,
  events: readonly OutboxRow[],
): Promise<void> {
  const actor = sql`(select a.id from actor as a)`;
  const one = sql`(select) as one`;
  const token = enqueued && sql`, token as (${insertFrom(oneTimeTokens, enqueued.token, one)})`;
  const rows = [...(enqueued === undefined ? [] : [enqueued.mail]), ...events];
  await db.execute(sql`with actor as (
      select u.id from ${users} as u where u.id = ${audit.actorId ?? null}::uuid for key share
    ), registered as ${db.insert(users).values(user)},
    audited as (
      ${auditFrom(audit, sql`(select ${user.id}::uuid as user_id, ${actor} as actor_id) as made`)}
    )${token ?? sql``}${enqueueFrom(rows, one)}
    select 1`);
}
