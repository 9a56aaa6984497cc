import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { oneTimeTokens, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { enqueueFrom, type OutboxRow } from '../outbox/store.ts';
import type { NewUserRow } from './store.ts';
import { listOf } from './token-store.ts';

/** What is left of a link that has verified its address: it tells so, and does nothing. */
export const spent = sql`purpose = 'email_verified', code_hash = null, code_expires_at = null, data_sealed = null`;

/**
 * Makes the user of a registration that waited for its address, and makes all other registrations of that address void.
 * They stay until they expire, so that whoever typed them sees no difference when they sign in. They are locked first, and in one order, so that of two that are confirmed at once the second finds nothing. Makes nothing
 * where an account has the address by now, whoever made it: an account is never changed by what somebody typed elsewhere.
 * @param token whether its link stays, to say that the address is verified
 * @param emailIndexes of the address, under each secret: the unique index sees the newest one's only
 * @returns whether the token was still good, and the address free. A taken identifier breaks its unique index.
 */
export async function redeemRegistration(
  db: Database,
  token: { readonly id: string; readonly staysKnown: boolean },
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
    ), registered as (
      ${insertFrom(
        users,
        user,
        sql`locked where locked.id = ${token.id}::uuid
          and not exists (select from ${users} where email_index in (${listOf([...emailIndexes.slice(1), ''])}))`,
      )} returning id
    ), dropped as (
      delete from ${oneTimeTokens} as t using locked
      where t.id = locked.id and t.id = ${token.id}::uuid and not ${token.staysKnown}::boolean
        and exists (select from registered)
    ), voided as (
      update ${oneTimeTokens} as t set token_hash = 'void ' || t.id, code_hash = null, code_expires_at = null
      from locked where t.id = locked.id and t.id <> ${token.id}::uuid and exists (select from registered)
    )${
      token.staysKnown
        ? sql`, spent as (
      update ${oneTimeTokens} as t set user_id = registered.id, ${spent} from registered where t.id = ${token.id}::uuid
    )`
        : sql``
    }, audited as (
      ${auditFrom(audit, sql`(select id as user_id from registered) as registered`)}
    )${enqueueFrom(events, sql`registered`)}
    select id from registered`,
  );
  return rows.length > 0;
}
