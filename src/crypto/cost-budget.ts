import type { Semaphore } from './hashing.ts';
import { Overloaded, requireAwaited } from './semaphore.ts';

interface BudgetOptions {
  /** The most that may be spent ahead of the clock: milliseconds of computing. */
  readonly max: number;
  /** Milliseconds since the epoch. It stands still while an isolate computes. */
  readonly now: () => number;
}

/**
 * Admission where a hash holds the only thread there is: nothing can wait in line, so what bounds it is how much was
 * computed lately. Each hash spends what it is known to cost, and time gives it back. No request waits for another: a
 * Worker drops what belongs to a request whose client has gone, and a place that such a one held would stay taken.
 */
export function createCostBudget({ max, now }: BudgetOptions): Semaphore {
  let spent = 0;
  let since = now();
  return async (run, { cost, isContinuation = false, signal }) => {
    requireAwaited(signal);
    const time = now();
    // A clock that was set back gives nothing back.
    spent = Math.max(0, spent - Math.max(0, time - since));
    since = time;
    // What costs more than the whole is let in where nothing else was.
    if (!isContinuation && spent > 0 && spent + cost > max) throw new Overloaded('Too many hashes at once');
    spent += cost;
    return await run();
  };
}
