import type { Semaphore, Work } from './hashing.ts';

/** Work below this says little of how busy the machine is: milliseconds of cost. A hash of our own takes half as much more. */
const tellingCost = 10;

/** Too much waits already: to wait in this line would take longer than anybody does. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/**
 * Nobody waits for it any more. An error of our own: the reason of a signal may be anything, and Node's server aborts with
 * a text.
 */
export class NobodyWaits extends Error {
  override readonly name = 'NobodyWaits';
}

/** @throws {NobodyWaits} where nobody does */
export function requireAwaited(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new NobodyWaits();
}

interface SemaphoreOptions {
  /** How many run at once. */
  readonly width: number;
  /** How long what waits may take, by what is known of its cost: milliseconds of one core for each that runs at once. */
  readonly longestWait: number;
  /** Milliseconds of any clock that goes on: a machine that is slow or busy lets fewer wait. */
  readonly now: () => number;
}

interface Waiting {
  readonly cost: number;
  readonly isLarge: boolean;
  readonly begin: () => void;
}

/**
 * Lets a few run at once, and the others wait in line. One that finds too much work before it rejects with `Overloaded`.
 * Of those that need much memory one runs at a time. What continues an admitted one is next, and never turned away: a
 * hash that was verified is not verified again for want of its successor.
 */
export function createSemaphore({ width, longestWait, now }: SemaphoreOptions): Semaphore {
  const waiting: Waiting[] = [];
  const max = width * longestWait;
  let running = 0;
  let isLargeRunning = false;
  let waitingCost = 0;
  /** How many times its cost work has taken lately; no less than once. */
  let pace = 1;

  function startNext(): void {
    while (running < width) {
      const index = waiting.findIndex(({ isLarge }) => !isLarge || !isLargeRunning);
      const [next] = index === -1 ? [] : waiting.splice(index, 1);
      if (next === undefined) return;
      waitingCost -= next.cost;
      running += 1;
      isLargeRunning ||= next.isLarge;
      next.begin();
    }
  }

  /** Resolves when it is its turn. Who leaves the line makes room in it. */
  function turn(work: Work): Promise<void> {
    const { cost, isLarge = false, isContinuation = false, signal } = work;
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        waitingCost -= cost;
        reject(new NobodyWaits());
      };
      const begin = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const entry: Waiting = { cost, isLarge, begin };
      signal?.addEventListener('abort', leave, { once: true });
      if (isContinuation) waiting.unshift(entry);
      else waiting.push(entry);
      waitingCost += cost;
      startNext();
    });
  }

  return async (run, work) => {
    const { cost, isLarge = false, isContinuation = false, signal } = work;
    requireAwaited(signal);
    const isFull = waiting.length > 0 && (waitingCost + cost) * pace > max;
    if (isFull && !isContinuation) throw new Overloaded('Too many requests wait for a hash');
    await turn(work);
    const begun = now();
    try {
      return await run();
    } finally {
      const weight = Math.min(1, cost / tellingCost) / 8;
      pace = Math.max(1, pace + ((now() - begun) / cost - pace) * weight);
      running -= 1;
      if (isLarge) isLargeRunning = false;
      startNext();
    }
  };
}
