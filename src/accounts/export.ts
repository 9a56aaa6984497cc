import * as z from 'zod';
import { toActivity } from '../audit/activity.ts';
import { readActivity } from '../audit/store.ts';
import type { Deps } from '../deps.ts';
import { type KeptSession, readSessions } from '../sessions/store.ts';
import { openTokenData } from './one-time-tokens.ts';
import { readActiveUser, toUser } from './profile.ts';
import { readPending } from './token-store.ts';

/** What a link that changes an address carries. */
const addressed = z.object({ address: z.string() });
/** How many rows are in memory at once. */
const pageSize = 500;

/**
 * Everything that is held about a user, as JSON, in pieces: lists are read by cursor, one page at a time, so that the
 * memory it takes does not grow with the account. What is left out: hashes and keys, which say nothing about a person.
 * The user is read at once, so that a database that is away is an error and not half of a file.
 * @throws {Problem} `invalid_token` where the account is gone since the token was issued
 */
export async function exportAccount(
  deps: Pick<Deps, 'db' | 'keyring' | 'now'>,
  userId: string,
): Promise<AsyncGenerator<string>> {
  const row = await readActiveUser(deps, userId);
  return pieces(deps, userId, {
    ...(await toUser(deps, row)),
    locale: row.locale,
    email_verified_at: row.emailVerifiedAt?.toISOString() ?? null,
    status: row.status,
    has_password: row.passwordHash !== null,
  });
}

async function* pieces(
  deps: Pick<Deps, 'db' | 'keyring' | 'now'>,
  userId: string,
  user: Readonly<Record<string, unknown>>,
): AsyncGenerator<string> {
  const { db, now } = deps;
  yield `{"exported_at":${JSON.stringify(new Date(now()))},"user":${JSON.stringify(user)},"sessions":`;
  yield* list((before) => readSessions(db, userId, { limit: pageSize, before }), toKeptSession);
  yield ',"activity":';
  yield* list((before) => readActivity(db, userId, { limit: pageSize, before }), toActivity);
  yield `,"pending":${JSON.stringify(await pending(deps, userId))}`;
  yield '}\n';
}

/** What waits for the user: links that are still good, with the address that one would set, and mails on their way. */
async function pending(deps: Pick<Deps, 'db' | 'keyring'>, userId: string) {
  const { links, mails } = await readPending(deps.db, userId);
  const toLink = async (link: (typeof links)[number]) => ({
    purpose: link.purpose,
    created_at: new Date(link.created_at),
    expires_at: new Date(link.expires_at),
    email: addressed.safeParse(await openTokenData(deps, link)).data?.address ?? null,
  });
  const toMail = ({ type, created_at }: (typeof mails)[number]) => ({ type, created_at: new Date(created_at) });
  return { links: await Promise.all(links.map(toLink)), mails: mails.map(toMail) };
}

function toKeptSession(row: KeptSession) {
  return {
    id: row.id,
    client_id: row.clientId,
    scope: row.scope,
    authenticated_at: row.authenticatedAt.toISOString(),
    created_at: row.createdAt.toISOString(),
    last_seen_at: row.rotatedAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
    ended_reason: row.endedReason,
    address: row.address,
    user_agent: row.userAgent,
  };
}

async function* list<Row extends { readonly id: string }>(
  readPage: (before: string | undefined) => Promise<readonly Row[]>,
  toItem: (row: Row) => unknown,
): AsyncGenerator<string> {
  let [before, separator]: [string | undefined, string] = [undefined, '['];
  let rows: readonly Row[];
  do {
    rows = await readPage(before);
    if (rows.length > 0) yield separator + rows.map((row) => JSON.stringify(toItem(row))).join();
    before = rows.at(-1)?.id;
    if (rows.length > 0) separator = ',';
  } while (rows.length === pageSize);
  yield separator === '[' ? '[]' : ']';
}
