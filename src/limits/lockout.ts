import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { type KeyValue, KeyValueUnavailable } from '../kv.ts';
import type { AttemptOperation, AttemptResult, FailOperation, ForgiveOperation } from '../kv-attempts.ts';
import type { LockoutName } from './policies.ts';
import { retryAfter } from './rate-limit.ts';

/** One guess at the secret of an account, and the counters that it counts on until it is known to be right. */
export interface Attempt {
  /** Names the account, whether it exists or not. What clears its lockout clears all counters of it. */
  readonly account: string;
  readonly counters: readonly { readonly lockout: LockoutName; readonly key: string }[];
}

export const noAttempt: Attempt = { account: '', counters: [] };

/** Counters of what others do for the same account too. */
const shared: ReadonlySet<LockoutName> = new Set(['lockout_account', 'lockout_account_devices']);

type Stores = Pick<Deps, 'fallback' | 'kv'>;

const counterKey = ({ lockout, key }: Attempt['counters'][number]) => `${lockout}:${key}`;
const resetKey = (account: string) => `lockout_reset:${account}`;

export function attemptOperation({ lockouts }: Config, { account, counters }: Attempt, now: number): AttemptOperation {
  return {
    type: 'attempt',
    counters: counters.map((counter) => ({ key: counterKey(counter), ...lockouts[counter.lockout] })),
    resetKey: resetKey(account),
    now,
  };
}

/** @throws {Problem} `account_locked`, for accounts that do not exist too */
export function enforceLockout({ allowed, until }: AttemptResult, now: number): void {
  if (!allowed) throw new Problem('account_locked', retryAfter(until, now));
}

/**
 * Whether this very attempt locks a counter for the first time, unless it turns out to be right. Judged by the limit that
 * it was counted against. A process that counts alone may know of more failures than its limit when it begins: there each
 * lock counts as one.
 */
export function isLocking(
  config: Config,
  attempt: Attempt,
  { failures, limits }: AttemptResult,
  lockout: LockoutName,
): boolean {
  const index = attempt.counters.findIndex((counter) => counter.lockout === lockout);
  const [counted = 0, limit] = [failures[index], limits?.[index]];
  if (index === -1) return false;
  return limit === undefined ? counted === config.lockouts[lockout].failures : counted >= limit;
}

/**
 * After a failure a store is left alone for a second, and one request at a time asks whether it is back. What was not
 * sent for that reason is sent then: an outcome that nobody tells makes other attempts wait, and counts as a failure.
 * Milliseconds.
 */
const untilAskedAgain = [1100, 1100] as const;

/** Runs what tells an outcome, and again where it was not sent. Never in a request that somebody waits for. */
export async function tellLater(
  store: KeyValue,
  operations: readonly (FailOperation | ForgiveOperation)[],
): Promise<void> {
  for (const pause of untilAskedAgain) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const error = await store.run(operations).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!wasNotSent(error)) return;
  }
}

export const wasNotSent = (error: unknown): boolean => error instanceof KeyValueUnavailable && error.code === 'paused';

/**
 * Takes an attempt back that was no failure, wherever it was counted. Does not reject: a store that is away forgets by
 * itself.
 * @param isOwner who tried has proved to be the owner: then the failures before count no more either, but for those of
 * the account as a whole and of all its devices, which are others' too. Others under way go on being counted
 * @param isAfterAnswer whether it may wait for a store that is left alone
 */
export async function forgiveAttempt(
  { fallback, kv }: Stores,
  { counters }: Attempt,
  isOwner: boolean,
  isAfterAnswer: boolean,
): Promise<void> {
  const operations = counters.map((counter): ForgiveOperation => {
    return { type: 'forgive', key: counterKey(counter), all: isOwner && !shared.has(counter.lockout) };
  });
  if (operations.length > 0) await tell({ fallback, kv }, operations, isAfterAnswer);
}

/** What leaves an attempt counted that was a failure: others that wait for its outcome are refused then. */
export const failOperations = ({ counters }: Attempt): readonly FailOperation[] =>
  counters.map((counter) => ({ type: 'fail', key: counterKey(counter) }));

/** Leaves an attempt counted, wherever it was. Does not reject: a store that is away counts it before long. */
export async function failAttempt(stores: Stores, attempt: Attempt): Promise<void> {
  await tell(stores, failOperations(attempt), true);
}

async function tell(
  { fallback, kv }: Stores,
  operations: readonly (FailOperation | ForgiveOperation)[],
  isAfterAnswer: boolean,
): Promise<void> {
  const [told] = await onBoth({ fallback, kv }, (store) => store.run(operations));
  if (isAfterAnswer && told.status === 'rejected' && wasNotSent(told.reason)) await tellLater(kv, operations);
}

/**
 * Lifts every lock of an account, in one round trip: those of addresses, of devices, and that of the account. Does not
 * reject: a store that is away keeps its locks until they run out, which bind no device that gets its first token now.
 * @param accounts each name the account goes by (`limitKeysOf`)
 */
export async function clearLockout(
  { config, fallback, kv, newId }: Stores & Pick<Deps, 'config' | 'newId'>,
  accounts: readonly string[],
): Promise<void> {
  const value = newId();
  // As long as any counter that began before may stand.
  const ttl = Math.max(...Object.values(config.lockouts).map(({ memory, longestPause }) => memory + longestPause));
  const operations = accounts.map((account) => ({ type: 'set', key: resetKey(account), value, ttl }) as const);
  if (operations.length > 0) await onBoth({ fallback, kv }, (store) => store.run(operations));
}

/** Which of the two counted is not known afterwards, and either may have. */
const onBoth = ({ fallback, kv }: Stores, work: (store: KeyValue) => Promise<unknown>) =>
  Promise.allSettled([work(kv), work(fallback)]);
