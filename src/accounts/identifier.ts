import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import type { Name, Names } from '../limits/device.ts';
import { normaliseEmail } from './email.ts';
import type { AccountLookup } from './store.ts';
import { normaliseAnyName } from './username.ts';

/** What was typed as an identifier, ready to be looked up. */
export interface Identifier {
  readonly lookup: AccountLookup;
  /** The same for each spelling of one identifier, whether an account has it or not; tells nothing about it. */
  readonly limitKey: string;
  /** In the form that counts as the same. Never stored or logged. */
  readonly name: Name;
}

/** UTF-16 units of an email address as it is typed. What is longer is none, and is not looked at. */
const longestEmail = 320;

/** What reads as an email is one, and anything else a username: no username does. */
export const kindOf = (typed: string): Name['kind'] =>
  typed.length <= longestEmail && normaliseEmail(typed) !== undefined ? 'email' : 'username';

/** Reads an identifier of either kind. */
export async function readIdentifier({ keyring }: Pick<Deps, 'keyring'>, typed: string): Promise<Identifier> {
  if (kindOf(typed) === 'email') {
    const key = normaliseEmail(typed)?.key ?? typed;
    const emailIndexes = await blindIndexes(keyring, 'email', key);
    return { lookup: { emailIndexes }, limitKey: emailIndexes[0], name: { kind: 'email', key } };
  }
  // What is no name has no account either, and goes the same way.
  const usernameKey = normaliseAnyName(typed)?.key ?? '';
  const [limitKey] = await blindIndexes(keyring, 'username', usernameKey);
  return { lookup: { usernameKey }, limitKey, name: { kind: 'username', key: usernameKey } };
}

/** The `limitKey` of each identifier that an account has. */
export async function limitKeysOf(
  { keyring }: Pick<Deps, 'keyring'>,
  { emailKey, usernameKey }: Names,
): Promise<string[]> {
  const keys = await Promise.all([
    emailKey === undefined ? [] : blindIndexes(keyring, 'email', emailKey),
    usernameKey === undefined ? [] : blindIndexes(keyring, 'username', usernameKey),
  ]);
  return keys.flatMap(([newest]) => newest ?? []);
}
