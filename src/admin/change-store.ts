import { sql } from 'drizzle-orm';
import * as z from 'zod';
import type { NewUserRow } from '../accounts/store.ts';
import type { Purpose, TokenAndMail } from '../accounts/token-store.ts';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { assignments, insertFrom } from '../db/insert-from.ts';
import { oneTimeTokens, roles, users } from '../db/schema.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import { isLastAdmin, isOutOfReach, lockedUsers } from '../roles/store.ts';
import { type EndingReason, endedFrom, noneEnded } from '../sessions/ending-store.ts';

/** What is done to a user by somebody else. */
export interface Change {
  /** What the profile shows, or who may sign in. Raises the version. */
  readonly set?: Partial<Omit<NewUserRow, 'id' | 'version' | 'sessionEpoch' | 'updatedAt'>>;
  /** Whether it could take an active admin away, or the password of one: not the last one's. */
  readonly admins: boolean;
  /** The address that the user has to have still, by its index. */
  readonly from?: string | null;
  readonly endsSessions?: EndingReason;
  /** Tokens of the user that are good no longer. */
  readonly drops?: readonly Purpose[];
  readonly enqueued?: TokenAndMail | undefined;
  readonly events: readonly OutboxRow[];
  readonly audit: AuditRow;
}

const outcome = z.object({
  found: z.boolean(),
  changed: z.boolean(),
  out_of_reach: z.boolean(),
  last_admin: z.boolean(),
  unknown_roles: z.array(z.string()),
  ended: z.array(z.string()),
});
export type Outcome = z.output<typeof outcome>;

/**
 * Changes a user in one statement: the row, the sessions, the tokens, the mail and the audit row, or nothing. Users are
 * locked before sessions, as everywhere. Of two statements that would each take away one of the last two admins, the one
 * that comes second finds a last one (`lockedUsers`).
 * @returns what kept it from being changed, and the ids of the sessions that ended
 */
export async function changeUser(db: Database, userId: string, now: number, change: Change): Promise<Outcome> {
  const { set, admins, from, endsSessions, drops = [], enqueued, events, audit } = change;
  const actorId = audit.actorId ?? null;
  const target = sql`l.id = ${userId}::uuid`;
  const beyond = isOutOfReach(actorId);
  const unknown = sql`select wanted from unnest(${sql.param([...(set?.roles ?? [])])}::text[]) as wanted
    where not exists (select from ${roles} as r where r.name = wanted)`;
  const same = from === undefined ? sql`` : sql`and l.email_index is not distinct from ${from}::text`;
  const raised = [
    ...(set === undefined
      ? []
      : [assignments(users, { ...set, updatedAt: new Date(now) }), sql`version = u.version + 1`]),
    ...(endsSessions === undefined ? [] : [sql`session_epoch = u.session_epoch + 1`]),
  ];
  const token = enqueued && sql`, token as (${insertFrom(oneTimeTokens, enqueued.token, sql`changed`)})`;
  const rows = [...(enqueued === undefined ? [] : [enqueued.mail]), ...events];
  const [row] = await query(
    db,
    outcome,
    sql`with locked as (${lockedUsers({ userId, actorId, admins })}),
    target as (
      select l.id from locked as l
      where ${target} ${same} and not ${beyond} ${admins ? sql`and not ${isLastAdmin}` : sql``} and not exists (${unknown})
    ), changed as (
      update ${users} as u set ${sql.join(raised, sql`, `)} from target where u.id = target.id
      returning u.id, u.session_epoch
    )${endsSessions === undefined ? noneEnded : endedFrom({ owner: sql`changed`, reason: endsSessions, now })}, dropped as (
      delete from ${oneTimeTokens} as t using changed
      where t.user_id = changed.id and t.purpose = any(string_to_array(${drops.join()}, ','))
    ), audited as (
      ${auditFrom(
        audit,
        sql`(select changed.id as user_id, (select l.id from locked as l where l.id = ${actorId}::uuid) as actor_id
          from changed) as changed`,
      )}
    )${token ?? sql``}${enqueueFrom(rows, sql`changed`)}
    select exists (select from locked as l where ${target}) as found, exists (select from changed) as changed,
      exists (select from locked as l where ${target} and ${beyond}) as out_of_reach,
      ${admins ? sql`exists (select from locked as l where ${target} and ${isLastAdmin})` : sql`false`} as last_admin,
      array(${unknown}) as unknown_roles, array(select id::text from ended) as ended`,
  );
  if (row === undefined) throw new Error('A statement without a condition gives a row');
  return row;
}
