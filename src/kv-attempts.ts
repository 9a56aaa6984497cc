/** Failures of one kind, and what follows from them. All durations in seconds. */
export interface Counter {
  readonly key: string;
  /** So many lock it for `pause`; each further one for twice as long, up to `longestPause`. */
  readonly failures: number;
  readonly pause: number;
  readonly longestPause: number;
  /** So long after the first failure all are forgotten, though never while it is locked. */
  readonly memory: number;
}

/**
 * So long an attempt is under way at most, by the clock of who asks: milliseconds. One whose outcome is not told by then
 * was a failure: its process has died, most likely.
 */
export const longestAttempt = 20_000;

/**
 * Counts an attempt as a failure before its outcome is known, so that of many at once no more go through than of many
 * in a row. It is under way until `forgive` takes it back or `fail` leaves it counted: one of the two follows each that
 * was allowed. All counters or none: where one is locked, it is refused and counted nowhere.
 */
export interface AttemptOperation {
  readonly type: 'attempt';
  readonly counters: readonly Counter[];
  /** A value of the store. What was counted before it was last written anew, with another text, is void. */
  readonly resetKey: string;
  /** The caller's clock, which all times are told by: milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Takes back one attempt of a counter, and the lock that stands; or all that was counted, but for others that are under
 * way. No lock stands without it: it was let through, so those of earlier ones were over.
 */
export interface ForgiveOperation {
  readonly type: 'forgive';
  readonly key: string;
  readonly all?: boolean;
}

/** Leaves one attempt of a counter counted: it was a failure, and is under way no more. */
export interface FailOperation {
  readonly type: 'fail';
  readonly key: string;
}

export interface AttemptResult {
  readonly allowed: boolean;
  /** Refused for the sake of others alone that are under way: they may turn out to be right, so it may be asked again. */
  readonly isPending: boolean;
  /** Until when the locked counters are: milliseconds since the epoch; 0 where it was allowed. */
  readonly until: number;
  /** How many are counted, this one included where it was allowed; in the order of the counters. */
  readonly failures: readonly number[];
  /** How many lock each counter, where it is fewer than was asked for: one process that counts alone is stricter. */
  readonly limits?: readonly number[];
}
