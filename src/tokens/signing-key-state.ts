import type { SigningKeyRow } from './store.ts';

/** Clocks may differ by this much: seconds. */
export const clockTolerance = 60;
/** The longest that an isolate keeps the keys before it reads them again: seconds. */
const longestKept = 60;

export type SigningKeyState = 'published-next' | 'signing' | 'published-retired' | 'expired';

/** The part of a key's row that decides its state. */
type KeyTerm = Pick<SigningKeyRow, 'ordinal' | 'signsFrom'>;

/**
 * The state of a key at a time. It follows from the rows alone, so every isolate switches at the same moment.
 * @param keys all keys, oldest first
 * @param tokenTtl seconds the last token it signed may live
 */
export function signingKeyState(
  key: KeyTerm,
  keys: readonly KeyTerm[],
  now: number,
  tokenTtl: number,
): SigningKeyState {
  if (key.signsFrom.getTime() > now) return 'published-next';
  const successor = keys.find((other) => other.ordinal > key.ordinal && other.signsFrom.getTime() <= now);
  if (successor === undefined) return 'signing';
  // A successor made in haste was not published before it signed: some isolates have yet to hear of it.
  const lastTokenEnds = successor.signsFrom.getTime() + (longestKept + tokenTtl + 2 * clockTolerance) * 1000;
  return lastTokenEnds > now ? 'published-retired' : 'expired';
}

/** Seconds a verifier may keep the JWKS. With the isolates' own cache it stays well below the lead time. */
export const jwksMaxAge = (lead: number) => Math.min(3600, Math.floor(lead / 4));
/** Seconds an isolate keeps the keys before it reads them again. */
export const keyCacheTtl = (lead: number) => Math.min(longestKept, Math.floor(lead / 4));
/** Seconds after which what an isolate knows may not be signed with or published: a whole lead may have passed. */
export const outdatedAfter = (lead: number) => Math.floor(lead / 2);
