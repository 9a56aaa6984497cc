import { sql } from 'drizzle-orm';
import { base64url } from 'jose';
import * as z from 'zod';
import { type AuditRow, auditFrom } from '../audit/audit.ts';
import { type Database, query } from '../db/database.ts';
import { insertFrom } from '../db/insert-from.ts';
import { codeAttempts, oneTimeTokens, outbox, users } from '../db/schema.ts';
import { timestamp } from '../db/sql.ts';
import { codeLifetime } from '../email/lifetimes.ts';
import { type OutboxRow, outboxFrom, takenTask } from '../outbox/store.ts';

export type OneTimeTokenRow = typeof oneTimeTokens.$inferInsert;
export type Purpose = OneTimeTokenRow['purpose'];
/** What a token can be made for. */
export type NewPurpose = Exclude<Purpose, 'email_verified'>;

/** Stands for a code where there is none, so that it is read and compared too. No code has this hash. */
const decoy = { id: '00000000-0000-7000-8000-000000000000', codeHash: 'A'.repeat(43) };
/** How often a code can be tried while it is good. */
const maxAttempts = 10;
/** By all strangers together. A code has 40 bits: the chance to guess it stays under one in a thousand million. */
const maxOfAll = 1000;

/** A one-time token with the mail that carries it. */
export interface TokenAndMail {
  readonly token: OneTimeTokenRow;
  readonly mail: OutboxRow;
}

const found = z.object({
  id: z.uuid(),
  purpose: z.enum(oneTimeTokens.purpose.enumValues),
  user_id: z.uuid().nullable(),
  email_index: z.string(),
  data_sealed: z.string().nullable(),
});
export type FoundToken = z.output<typeof found>;
const isGood = (purpose: Purpose, now: number) => sql`t.purpose = ${purpose} and t.expires_at > ${timestamp(now)}`;
const tokenColumns = sql`t.id, t.purpose, t.user_id, t.email_index, t.data_sealed`;

/** The token of a link, where it is still good, or was until it verified its address. Reading it consumes nothing. */
export async function findToken(
  db: Database,
  purpose: Purpose,
  tokenHash: string,
  now: number,
): Promise<FoundToken | undefined> {
  const [row] = await query(
    db,
    found,
    sql`select ${tokenColumns} from ${oneTimeTokens} as t where t.token_hash = ${tokenHash}
      and t.purpose in (${listOf(purpose === 'verify_email' ? [purpose, 'email_verified'] : [purpose])})
      and t.expires_at > ${timestamp(now)}`,
  );
  return row;
}

/** Who tries a code: a browser that asked for the mail, or all others at an address. */
export interface Requester {
  readonly id: string;
  readonly isBrowser: boolean;
}

/** Under what tries are counted. It names nobody: what it is made of is known to who has the secret alone. */
async function attemptsKey(...parts: readonly string[]): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(parts.join('\0')));
  return base64url.encode(new Uint8Array(hash));
}

/**
 * Counts one try of a code, before it is looked at: for whoever tries, and for all strangers together, since somebody may
 * have many addresses. It is written whether the address holds a code or not: both cost the same. A new code begins anew.
 * @param emailIndexes of the address, newest secret first
 * @returns what is to be compared with: a hash that nothing has where there is none, or after too many tries in ten
 * minutes
 */
export async function tryCode(
  db: Database,
  purpose: NewPurpose,
  emailIndexes: readonly [string, ...string[]],
  { id, isBrowser }: Requester,
  now: number,
): Promise<(FoundToken & { readonly code_hash: string })[]> {
  const [own, all] = [
    await attemptsKey(purpose, emailIndexes[0], isBrowser ? 'browser' : 'address', id),
    await attemptsKey(purpose, emailIndexes[0], isBrowser ? 'browsers' : 'addresses'),
  ];
  const forgottenAt = timestamp(now + codeLifetime * 1000);
  const goesOn = sql`a.forgotten_at > ${timestamp(now)}
    and a.forgotten_at >= coalesce((select at from newest), '-infinity'::timestamptz) + ${codeLifetime}::int * interval '1 second'`;
  return await query(
    db,
    found.extend({ code_hash: z.string() }),
    sql`with newest as (
      select max(t.created_at) as at from ${oneTimeTokens} as t
      where t.email_index in (${listOf(emailIndexes)}) and t.purpose = ${purpose}
    ), counted as (
      insert into ${codeAttempts} as a (key, attempts, forgotten_at) values (${own}, 1, ${forgottenAt}), (${all}, 1, ${forgottenAt})
      on conflict (key) do update set attempts = case when ${goesOn} then a.attempts + 1 else 1 end,
        forgotten_at = case when ${goesOn} then a.forgotten_at else ${forgottenAt} end
      returning key, attempts
    ), held as (
      select ${tokenColumns}, t.code_hash from ${oneTimeTokens} as t
      where t.email_index in (${listOf(emailIndexes)}) and ${isGood(purpose, now)}
        and t.code_expires_at > ${timestamp(now)}
        and not exists (select from counted where attempts > case key when ${own} then ${maxAttempts}::int else ${maxOfAll}::int end)
    )
    select * from held union all
    select ${decoy.id}::uuid, ${purpose}::text, null, '', null, ${decoy.codeHash} where not exists (select from held)`,
  );
}

/** The members of an `in (…)`; one at least. */
export const listOf = (values: readonly string[]) =>
  sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  );

/** How many registrations of one address are looked at. */
export const maxPending = 20;

/** The registrations that wait for an address, newest first. */
export async function findPendingRegistrations(
  db: Database,
  emailIndexes: readonly string[],
  now: number,
): Promise<FoundToken[]> {
  return await query(
    db,
    found,
    sql`select ${tokenColumns} from ${oneTimeTokens} as t
      where t.email_index in (${listOf(emailIndexes)}) and ${isGood('verify_email', now)} and t.data_sealed is not null
      order by t.id desc limit ${maxPending}`,
  );
}

const pendingLink = found.extend({ created_at: z.number(), expires_at: z.number() });
const pendingMail = z.object({ type: z.string(), created_at: z.number() });

/** The links that a user holds, and the mails on their way to them, but those that would tell that an address is free. */
export async function readPending(db: Database, userId: string) {
  const [row] = await query(
    db,
    z.object({ links: z.array(pendingLink), mails: z.array(pendingMail) }),
    sql`select
      (select coalesce(json_agg(json_build_object('id', t.id, 'user_id', t.user_id, 'email_index', t.email_index,
          'data_sealed', t.data_sealed, 'purpose', t.purpose,
          'created_at', extract(epoch from t.created_at) * 1000, 'expires_at', extract(epoch from t.expires_at) * 1000)
          order by t.id desc), '[]')
        from ${oneTimeTokens} as t where t.user_id = ${userId}::uuid and t.purpose <> 'email_verified') as links,
      (select coalesce(json_agg(json_build_object('type', o.type, 'created_at', extract(epoch from o.created_at) * 1000)
          order by o.id desc), '[]')
        from ${outbox} as o where o.subject = ${userId}::uuid and o.kind = 'email'
          and o.type <> 'confirm_email_change') as mails`,
  );
  return row ?? { links: [], mails: [] };
}

/** Writes a task, unless its username, or one that looks like it, is taken. @returns whether it was written */
export async function insertRegistrationTask(db: Database, task: OutboxRow, skeleton: string): Promise<boolean> {
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with written as (
      ${outboxFrom(task, sql`(select) as one where not exists (select from ${users} where coalesce(username_skeleton, username_key) = ${skeleton})`)}
      returning id
    ) select id from written`,
  );
  return rows.length > 0;
}

/**
 * Carries out a task: what it promises is written in the statement that takes its row, so once.
 * @returns whether this call was the one
 */
export async function finishTask(
  db: Database,
  taskId: string,
  enqueued: { readonly token?: OneTimeTokenRow; readonly mail?: OutboxRow; readonly waits?: OneTimeTokenRow },
  audit?: AuditRow,
): Promise<boolean> {
  const parts = [
    enqueued.token && sql`, token as (${insertFrom(oneTimeTokens, enqueued.token, sql`task`)})`,
    enqueued.waits && sql`, waits as (${insertFrom(oneTimeTokens, enqueued.waits, sql`task`)})`,
    enqueued.mail && sql`, mailed as (${outboxFrom(enqueued.mail, sql`task`)})`,
    audit &&
      sql`, audited as (${auditFrom(
        audit,
        sql`(select u.id as user_id from ${users} as u, task where u.id = ${audit.userId}::uuid for key share of u) as u`,
      )})`,
  ].filter((part) => part !== undefined);
  const rows = await query(
    db,
    z.object({ id: z.uuid() }),
    sql`with task as (${takenTask(taskId)})${sql.join(parts)} select id from task`,
  );
  return rows.length > 0;
}
