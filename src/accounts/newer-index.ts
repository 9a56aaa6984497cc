import type { Upgrade } from '../sessions/new-session-store.ts';
import type { AccountLookup, UserRow } from './store.ts';

/** The index under the newest secret, where the row still holds one that an older secret made. */
export function newerIndex(lookup: AccountLookup, account: UserRow): Pick<Upgrade, 'emailIndex'> {
  const newest = lookup.emailIndexes?.[0];
  const { emailIndex: from } = account;
  return newest === undefined || from === null || newest === from ? {} : { emailIndex: { from, to: newest } };
}
