import type { SetOperation } from '../kv.ts';
import { clockTolerance } from './signing-key-state.ts';

/** Keys of the marks of what ended, and of since when the store has kept them. */
export const sinceKey = 'revocations-since';
export const sessionKey = (sessionId: string) => `revoked:session:${sessionId}`;
export const userKey = (userId: string) => `revoked:user:${userId}`;
export const rolesKey = (userId: string) => `revoked:roles:${userId}`;

/** For how long an access token may be about after its session ended: seconds. */
export const markLifetime = ({ accessTokenTtl }: { readonly accessTokenTtl: number }) =>
  accessTokenTtl + 2 * clockTolerance;

export interface Marks {
  session(sessionId: string): SetOperation;
  /** @param except a session that may live on: its row decides. `at` is in milliseconds */
  user(userId: string, at: number, except: string | null): SetOperation;
  /** Of when they changed and not of now: tokens that were issued since are good. Milliseconds. */
  roles(userId: string, changedAt: number): SetOperation;
  /** Goes with every write: what the store keeps from now on is all there is. */
  since(): SetOperation;
}

/** @param ttl how long a mark stands: seconds */
export function createMarks(ttl: number, now: () => number): Marks {
  const set = (key: string, value: string): SetOperation => ({ type: 'set', key, value, ttl });
  return {
    session: (sessionId) => set(sessionKey(sessionId), String(now())),
    user: (userId, at, except) => set(userKey(userId), `${at}${except === null ? '' : ` ${except}`}`),
    roles: (userId, changedAt) => set(rolesKey(userId), String(changedAt)),
    since: () => ({ type: 'set', key: sinceKey, value: String(now()), ifAbsent: true }),
  };
}
