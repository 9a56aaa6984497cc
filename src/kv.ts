import type { AttemptOperation, AttemptResult, FailOperation, ForgiveOperation } from './kv-attempts.ts';
import { checkOperation } from './kv-check.ts';
import { probe } from './kv-probe.ts';

/**
 * The key-value port: what the application needs of a fast shared store, as plain data.
 * One `run` is one round trip, whatever the number of operations in it.
 */

/** Counts one hit against a sliding window and says whether it was within the limit. Refused hits are not counted. */
export interface LimitOperation {
  readonly type: 'limit';
  readonly key: string;
  readonly limit: number;
  /** Window length in seconds. */
  readonly window: number;
}

/** Takes one hit back that a `limit` has counted: what it was for has not happened. */
export interface ReturnOperation {
  readonly type: 'return';
  readonly key: string;
  readonly limit: number;
  /** Window length in seconds. */
  readonly window: number;
}

/** Reads several keys at once: in the order asked, null for those that are not there. */
export interface GetOperation {
  readonly type: 'get';
  readonly keys: readonly string[];
}

/**
 * Writes one key for `ttl` seconds (for ever without it; a ttl that is over counts as one millisecond).
 * `ifAbsent` leaves an existing value alone. The result says whether the value was written.
 */
export interface SetOperation {
  readonly type: 'set';
  readonly key: string;
  readonly value: string;
  readonly ttl?: number;
  readonly ifAbsent?: boolean;
  /** One of many that no client waits for: a call about such alone has more time, and its failure costs nobody a limit. */
  readonly unhurried?: boolean;
}

/**
 * Adds to whole numbers that stand under one key: to all of them or to none. Repeated under the same `id` within
 * `memory` seconds it adds nothing, so it may be sent again where nobody knows whether it was carried out. The result
 * says whether it was now.
 */
export interface AddOperation {
  readonly type: 'add';
  readonly key: string;
  readonly id: string;
  /** Seconds. */
  readonly memory: number;
  /** Seconds after which numbers that nothing was added to are forgotten. */
  readonly ttl: number;
  /** The caller's clock: milliseconds since the epoch. */
  readonly now: number;
  readonly amounts: ReadonlyMap<string, number>;
}

/** Reads all numbers that stand under a key. */
export interface SumsOperation {
  readonly type: 'sums';
  readonly key: string;
}

export type Operation =
  | LimitOperation
  | ReturnOperation
  | GetOperation
  | SetOperation
  | AttemptOperation
  | ForgiveOperation
  | FailOperation
  | AddOperation
  | SumsOperation;

export interface LimitResult {
  readonly success: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When the window frees up again: milliseconds since the epoch. */
  readonly reset: number;
}

/** Whether there was anything to forgive, an attempt under way, the value was written, or the amounts were added: `boolean`. */
export type Result = LimitResult | AttemptResult | readonly (string | null)[] | ReadonlyMap<string, number> | boolean;

export type ResultOf<O extends Operation> = O extends LimitOperation
  ? LimitResult
  : O extends AttemptOperation
    ? AttemptResult
    : O extends GetOperation
      ? readonly (string | null)[]
      : O extends SumsOperation
        ? ReadonlyMap<string, number>
        : boolean;

export type ResultsOf<Operations extends readonly Operation[]> = {
  -readonly [Index in keyof Operations]: ResultOf<Operations[Index]>;
};

export interface KeyValue {
  readonly kind: 'upstash' | 'redis' | 'memory';
  /**
   * Carries out the operations in order. Counters and values live apart: a limit and a value may have the same key.
   * Rejects as a whole with `KeyValueUnavailable` when the store does not answer, or answers one of them with an
   * error: callers hold a fallback. Some of the operations may have been carried out then.
   */
  run<const Operations extends readonly Operation[]>(operations: Operations): Promise<ResultsOf<Operations>>;
  /** Resolves when the store does what requests ask of it, or rejects with `KeyValueUnavailable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The store did not do what was asked. `code` says why and is safe to log, as is the message: neither holds an
 * address, a credential or a key. It is `timeout`, `unreachable`, `paused` (not asked, because it failed a moment
 * ago), `closed`, or what the store answered: `refused`, or Redis' own code such as `NOAUTH` or `OOM`.
 */
export class KeyValueUnavailable extends Error {
  override readonly name = 'KeyValueUnavailable';
  readonly code: string;

  constructor(code: string) {
    super(`The key-value store is unavailable: ${code}`);
    this.code = code;
  }
}

/** A key-value store as an adapter sees it: plain lists, where the port ties each result to its operation. */
export interface Adapter extends Omit<KeyValue, 'run' | 'ping'> {
  run(operations: readonly Operation[]): Promise<readonly Result[]>;
}

/** Makes the port of an adapter. A number that makes no sense throws a RangeError and never reaches the store. */
export function defineKeyValue({ kind, run, close }: Adapter): KeyValue {
  return {
    kind,
    async run<const Operations extends readonly Operation[]>(operations: Operations) {
      for (const operation of operations) checkOperation(operation);
      // The types of a tuple do not survive a map over it: here, and only here, the compiler takes our word.
      return (await run(operations)) as ResultsOf<Operations>;
    },
    ping: async () => void (await run(probe())),
    close,
  };
}

/** Seconds of the port as whole milliseconds of a store, at least one. */
export const toMilliseconds = (seconds: number): number => Math.max(1, Math.round(seconds * 1000));
