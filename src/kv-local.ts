import type { KeyValue, LimitOperation, LimitResult } from './kv.ts';
import type { AttemptOperation, AttemptResult } from './kv-attempts.ts';

/** A store in the memory of this process, which counts while the shared one is away. */
export interface LocalKeyValue extends KeyValue {
  /**
   * Takes over what the shared store said, so that this one goes on from there: failures and locks, and limits that are
   * half used up. What it knows itself is not forgotten for it.
   */
  learn(
    guess: AttemptOperation,
    tried: AttemptResult,
    limits: readonly LimitOperation[],
    results: readonly LimitResult[],
  ): void;
}
