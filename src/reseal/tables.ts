import { normaliseEmail } from '../accounts/email.ts';
import { tokenDataPlace } from '../accounts/one-time-tokens.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Keyring } from '../crypto/derive.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { sqlState } from '../db/database.ts';
import type { Deps } from '../deps.ts';
import { payloadPlace } from '../outbox/outbox.ts';
import { signingKeyPlace } from '../tokens/secret-guard.ts';
import { readSigningKeys } from '../tokens/store.ts';
import { changeTexts, renew } from './renew.ts';
import * as store from './store.ts';

type Needs = Pick<Deps, 'db' | 'keyring'>;

/** Rows that are moved by one statement. */
const batchSize = 200;

/** What became of the rows that stood under an older secret. */
export interface Moved {
  moved: number;
  /** Opened by no configured secret. */
  unreadable: number;
}

/** Goes through a table once, in the order of its ids. @param move takes a batch, and adds to the counts */
async function throughout<Row extends { readonly id: string }>(
  read: (after: string) => Promise<readonly Row[]>,
  move: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  let after: string | undefined = store.firstId;
  while (after !== undefined) {
    const rows = await read(after);
    await move(rows);
    after = rows.at(-1)?.id;
  }
}

/** The results of those that succeed; the others count as unreadable. */
async function readable<Row, Result>(
  counts: Moved,
  rows: readonly Row[],
  renewed: (row: Row) => Promise<Result>,
): Promise<Result[]> {
  const results = await Promise.allSettled(rows.map(renewed));
  counts.unreadable += results.filter(({ status }) => status === 'rejected').length;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** @param onTaken told the ids of users whose address another account has under the newest secret */
export async function moveUsers(
  { db, keyring }: Needs,
  renewHash: (stored: string) => Promise<string>,
  onTaken: (id: string) => void,
): Promise<Moved> {
  const counts = { moved: 0, unreadable: 0 };
  const renewed = async (before: store.SealedUser) => {
    const place = (column: string) => `users.${column}:${before.id}`;
    const column = async (name: string, sealed: string | null) =>
      sealed === null ? null : await renew(keyring, place(name), sealed);
    const email = before.email_sealed === null ? null : await unseal(keyring, place('email'), before.email_sealed);
    const phone = before.phone_sealed === null ? null : await unseal(keyring, place('phone'), before.phone_sealed);
    const after = {
      id: before.id,
      email_index: email === null ? null : await emailIndex(keyring, email),
      email_sealed: await column('email', before.email_sealed),
      phone_index: phone === null ? null : (await blindIndexes(keyring, 'phone', phone))[0],
      phone_sealed: await column('phone', before.phone_sealed),
      profile_sealed: await column('profile', before.profile_sealed),
      password_hash: before.password_hash === null ? null : await renewHash(before.password_hash),
    };
    return { before, after };
  };
  const moveOne = async (move: Awaited<ReturnType<typeof renewed>>) => {
    try {
      return await store.moveUsers(db, [move]);
    } catch (error) {
      if (!isTaken(error)) throw error;
      onTaken(move.before.id);
      return 0;
    }
  };
  await throughout(
    (after) => store.readOldUsers(db, keyring.newest.id, after, batchSize),
    async (rows) => {
      const moves = await readable(counts, rows, renewed);
      try {
        if (moves.length > 0) counts.moved += await store.moveUsers(db, moves);
      } catch (error) {
        if (!isTaken(error)) throw error;
        // One whose address is taken must not hold up the others.
        for (const move of moves) counts.moved += await moveOne(move);
      }
    },
  );
  return counts;
}

const uniqueViolation = '23505';
const isTaken = (error: unknown) => sqlState(error)?.code === uniqueViolation;

const emailIndex = async (keyring: Keyring, address: string) =>
  (await blindIndexes(keyring, 'email', normaliseEmail(address)?.key ?? address))[0];

/** Every text in the data of a token that may be the address it was sent to. */
function addressesIn(data: unknown): string[] {
  if (typeof data === 'string') return data.includes('@') ? [data] : [];
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(addressesIn) : [];
}

/** The index under the newest secret of whichever of the addresses has this one; undefined for none. */
async function renewIndex(keyring: Keyring, index: string, addresses: readonly string[]): Promise<string | undefined> {
  for (const address of addresses) {
    const all = await blindIndexes(keyring, 'email', normaliseEmail(address)?.key ?? address);
    if (all.includes(index)) return all[0];
  }
  return undefined;
}

/**
 * A registration that waits for its address has the hash of its password in its data.
 * @returns the counts, and how many keep an index that no known address has: they end by themselves
 */
export async function moveTokens(
  { db, keyring }: Needs,
  renewHash: (stored: string) => Promise<string>,
): Promise<Moved & { strays: number }> {
  const counts = { moved: 0, unreadable: 0, strays: 0 };
  const renewed = async (row: store.SealedToken) => {
    const place = tokenDataPlace(row.id);
    const data: unknown = row.data_sealed === null ? null : JSON.parse(await unseal(keyring, place, row.data_sealed));
    const own =
      row.email_sealed === null ? [] : [await unseal(keyring, `users.email:${row.user_id}`, row.email_sealed)];
    const index = await renewIndex(keyring, row.email_index, [...own, ...addressesIn(data)]);
    if (index === undefined) counts.strays += 1;
    const renewedData = JSON.stringify(await changeTexts(data, renewHash));
    const isCurrent = row.data_sealed?.startsWith(`${keyring.newest.id}.`) === true;
    const isKept = row.data_sealed === null || (isCurrent && renewedData === JSON.stringify(data));
    const dataSealed = isKept ? row.data_sealed : await seal(keyring, place, renewedData);
    const after = { email_index: index ?? row.email_index, data_sealed: dataSealed };
    const isSame = after.email_index === row.email_index && after.data_sealed === row.data_sealed;
    return isSame ? [] : [{ row, after }];
  };
  await throughout(
    (after) => store.readTokens(db, after, batchSize),
    async (rows) => {
      const moves = (await readable(counts, rows, renewed)).flat();
      for (const { row, after } of moves) if (await store.moveToken(db, row, after)) counts.moved += 1;
    },
  );
  return counts;
}

export async function movePayloads({ db, keyring }: Needs): Promise<Moved> {
  const counts = { moved: 0, unreadable: 0 };
  await throughout(
    (after) => store.readOldPayloads(db, keyring.newest.id, after, batchSize),
    async (rows) => {
      const moves = await readable(counts, rows, async ({ id, payload_sealed: before }) => ({
        id,
        before,
        after: await renew(keyring, payloadPlace(id), before),
      }));
      if (moves.length > 0) counts.moved += await store.movePayloads(db, moves);
    },
  );
  return counts;
}

export async function moveSigningKeys({ db, keyring }: Needs): Promise<Moved> {
  const counts = { moved: 0, unreadable: 0 };
  const old = (await readSigningKeys(db)).filter((row) => !row.privateSealed.startsWith(`${keyring.newest.id}.`));
  const moves = await readable(counts, old, async ({ kid, privateSealed: before }) => ({
    kid,
    before,
    after: await renew(keyring, signingKeyPlace(kid), before),
  }));
  for (const { kid, before, after } of moves) if (await store.movePrivateKey(db, kid, before, after)) counts.moved += 1;
  return counts;
}
