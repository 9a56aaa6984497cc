import type { Deps } from '../deps.ts';
import type { GetOperation, LimitOperation, LimitResult } from '../kv.ts';
import type { AttemptOperation, AttemptResult } from '../kv-attempts.ts';

type Answer = readonly [marks: readonly (string | null)[] | undefined, tried: AttemptResult, ...LimitResult[]];

/** What one process lets through while it counts alone: others may do the same for the same account. */
const half = (max: number) => Math.max(1, Math.ceil(max / 2));
const tighterLimit = (operation: LimitOperation): LimitOperation => ({ ...operation, limit: half(operation.limit) });
const tighterAttempt = (operation: AttemptOperation): AttemptOperation => ({
  ...operation,
  counters: operation.counters.map((counter) => ({ ...counter, failures: half(counter.failures) })),
});

/**
 * Counts in the shared store, or in this process where that one does not answer. The process has learnt what the store
 * said before, so that a lock that was closed stays closed, and lets through half as much: what it does not know of plus
 * what it lets through is no more than the whole limit.
 * @returns the marks too; undefined where the shared store did not answer
 */
export async function countShared(
  { fallback, kv }: Pick<Deps, 'fallback' | 'kv'>,
  read: GetOperation,
  guess: AttemptOperation,
  limits: readonly LimitOperation[],
): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await kv.run([read, guess, ...limits]);
  } catch {
    const tighter = tighterAttempt(guess);
    const [tried, ...results] = await fallback.run([tighter, ...limits.map(tighterLimit)]);
    return [undefined, { ...tried, limits: tighter.counters.map(({ failures }) => failures) }, ...results];
  }
  const [, tried, ...results] = answer;
  if (kv.kind !== 'memory') fallback.learn(guess, tried, limits, results);
  return answer;
}
