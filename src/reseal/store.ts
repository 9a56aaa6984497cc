import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { type Database, query } from '../db/database.ts';
import { oneTimeTokens, outbox, signingKeys, users } from '../db/schema.ts';

/** Before every id. */
export const firstId = '00000000-0000-0000-0000-000000000000';

const text = z.string().nullable();
const userRow = z.object({
  id: z.uuid(),
  email_index: text,
  email_sealed: text,
  phone_index: text,
  phone_sealed: text,
  profile_sealed: text,
  password_hash: text,
});
export type SealedUser = z.output<typeof userRow>;

/** Whether a sealed value stands under another secret than the newest. */
const isOlder = (column: SQL, newest: string) => sql`not starts_with(${column}, ${`${newest}.`})`;

/** Whether a hash needs the pepper of another secret than the newest: its id stands in standard base64 there. */
const needsOlder = (column: SQL, newest: string) => {
  const id = newest.replaceAll('-', '+').replaceAll('_', '/');
  return sql`(position(',keyid=' in ${column}) > 0 and position(${`,keyid=${id}$`} in ${column}) = 0
    or starts_with(${column}, '$sealed$') and not starts_with(${column}, ${`$sealed$${newest}.`}))`;
};

const oldUser = (
  newest: string,
) => sql`(${isOlder(sql`u.email_sealed`, newest)} or ${isOlder(sql`u.phone_sealed`, newest)}
  or ${isOlder(sql`u.profile_sealed`, newest)} or ${needsOlder(sql`u.password_hash`, newest)})`;

/** The next users of whom something stands under an older secret, in the order of their ids. */
export async function readOldUsers(db: Database, newest: string, after: string, limit: number): Promise<SealedUser[]> {
  return await query(
    db,
    userRow,
    sql`select u.id, u.email_index, u.email_sealed, u.phone_index, u.phone_sealed, u.profile_sealed, u.password_hash
      from ${users} as u where u.id > ${after}::uuid and ${oldUser(newest)} order by u.id limit ${limit}`,
  );
}

/**
 * Writes users as they stand under the newest secret, each where nobody has changed them since, and takes the links that
 * were sent to them along. One that somebody else holds just now is left for the next round.
 * @returns how many were written. A taken address breaks `users_email_index_key`.
 */
export async function moveUsers(
  db: Database,
  moves: readonly { readonly before: SealedUser; readonly after: SealedUser }[],
): Promise<number> {
  const rows = moves.map(({ before, after }) => ({ ...after, before }));
  const [row] = await query(
    db,
    z.object({ moved: z.number() }),
    sql`with v as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v (id uuid, email_index text, email_sealed text,
        phone_index text, phone_sealed text, profile_sealed text, password_hash text, before jsonb)
    ), locked as (
      select u.id from ${users} as u where u.id in (select id from v) order by u.id for no key update skip locked
    ), moved as (
      update ${users} as u set email_index = v.email_index, email_sealed = v.email_sealed, phone_index = v.phone_index,
        phone_sealed = v.phone_sealed, profile_sealed = v.profile_sealed, password_hash = v.password_hash
      from v join locked on locked.id = v.id
      where u.id = v.id and u.email_index is not distinct from v.before ->> 'email_index'
        and u.email_sealed is not distinct from v.before ->> 'email_sealed'
        and u.phone_index is not distinct from v.before ->> 'phone_index'
        and u.phone_sealed is not distinct from v.before ->> 'phone_sealed'
        and u.profile_sealed is not distinct from v.before ->> 'profile_sealed'
        and u.password_hash is not distinct from v.before ->> 'password_hash'
      returning u.id, v.before ->> 'email_index' as old_index, u.email_index as new_index
    ), links as (
      update ${oneTimeTokens} as t set email_index = moved.new_index
      from moved where t.user_id = moved.id and t.email_index = moved.old_index and moved.new_index is not null
    )
    select count(*)::int as moved from moved`,
  );
  return row?.moved ?? 0;
}

const tokenRow = z.object({
  id: z.uuid(),
  user_id: z.uuid().nullable(),
  email_index: z.string(),
  data_sealed: text,
  email_sealed: text,
});
export type SealedToken = z.output<typeof tokenRow>;

/** The next one-time tokens, with the address of their user. An index does not say under which secret it was made. */
export async function readTokens(db: Database, after: string, limit: number): Promise<SealedToken[]> {
  return await query(
    db,
    tokenRow,
    sql`select t.id, t.user_id, t.email_index, t.data_sealed, u.email_sealed
      from ${oneTimeTokens} as t left join ${users} as u on u.id = t.user_id
      where t.id > ${after}::uuid order by t.id limit ${limit}`,
  );
}

/** Writes a token as it stands under the newest secret, where nobody has changed it. @returns whether it was written */
export async function moveToken(
  db: Database,
  before: SealedToken,
  after: Pick<SealedToken, 'email_index' | 'data_sealed'>,
): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`update ${oneTimeTokens} as t set email_index = ${after.email_index}, data_sealed = ${after.data_sealed}
      where t.id = ${before.id}::uuid and t.email_index = ${before.email_index}
        and t.data_sealed is not distinct from ${before.data_sealed}::text returning t.id`,
  );
  return rows.length > 0;
}

/** A task that is yet to be done. It looks its account up by an index of the older secret. */
const isWaitingTask = sql`(o.kind = 'task' and not o.dead and o.delivered_at is null)`;
const payloadRow = z.object({ id: z.uuid(), payload_sealed: z.string() });

/** The next rows of the outbox that stand under an older secret, but for tasks that wait. */
export async function readOldPayloads(
  db: Database,
  newest: string,
  after: string,
  limit: number,
): Promise<z.output<typeof payloadRow>[]> {
  return await query(
    db,
    payloadRow,
    sql`select o.id, o.payload_sealed from ${outbox} as o where o.id > ${after}::uuid
      and ${isOlder(sql`o.payload_sealed`, newest)} and not ${isWaitingTask} order by o.id limit ${limit}`,
  );
}

/** Writes payloads as they stand under the newest secret, where they have not changed. @returns how many were written */
export async function movePayloads(
  db: Database,
  moves: readonly { readonly id: string; readonly before: string; readonly after: string }[],
): Promise<number> {
  const [row] = await query(
    db,
    z.object({ moved: z.number() }),
    sql`with v as (
      select * from jsonb_to_recordset(${JSON.stringify(moves)}::jsonb) as v (id uuid, before text, after text)
    ), locked as (
      select o.id from ${outbox} as o where o.id in (select id from v) order by o.id for update skip locked
    ), moved as (
      update ${outbox} as o set payload_sealed = v.after from v join locked on locked.id = v.id
      where o.id = v.id and o.payload_sealed = v.before returning o.id
    )
    select count(*)::int as moved from moved`,
  );
  return row?.moved ?? 0;
}

/** Writes the private part of a signing key as it stands under the newest secret. @returns whether it was written */
export async function movePrivateKey(db: Database, kid: string, before: string, after: string): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ kid: z.string() }),
    sql`update ${signingKeys} as k set private_sealed = ${after}
      where k.kid = ${kid} and k.private_sealed = ${before} returning k.kid`,
  );
  return rows.length > 0;
}

const counts = z.object({
  users: z.number(),
  tokens: z.number(),
  outbox: z.number(),
  keys: z.number(),
  tasks: z.number(),
});

/** How many rows of each table stand under another secret than the newest; and of the outbox, tasks that wait. */
export async function countOld(db: Database, newest: string): Promise<z.output<typeof counts>> {
  const [row] = await query(
    db,
    counts,
    sql`select (select count(*)::int from ${users} as u where ${oldUser(newest)}) as users,
      (select count(*)::int from ${oneTimeTokens} as t where ${isOlder(sql`t.data_sealed`, newest)}) as tokens,
      (select count(*)::int from ${outbox} as o where ${isOlder(sql`o.payload_sealed`, newest)}) as outbox,
      (select count(*)::int from ${outbox} as o where ${isOlder(sql`o.payload_sealed`, newest)} and ${isWaitingTask}) as tasks,
      (select count(*)::int from ${signingKeys} as k where ${isOlder(sql`k.private_sealed`, newest)}) as keys`,
  );
  return row ?? { users: 0, tokens: 0, outbox: 0, keys: 0, tasks: 0 };
}
