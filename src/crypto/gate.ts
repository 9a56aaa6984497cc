/** The line is full: to wait in it would take longer than anybody does. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/**
 * Lets a few run at once, and the others wait in line.
 * @param width how many run at once
 * @param length how many may wait; a further one rejects with `Overloaded`
 * @returns a function that runs what it is given once it is its turn. It rejects with the reason of `signal` instead of
 *   running when that has aborted by then.
 */
export function createGate(
  width: number,
  length = Number.POSITIVE_INFINITY,
): <Result>(run: () => Promise<Result>, signal?: AbortSignal) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run, signal) => {
    signal?.throwIfAborted();
    if (running < width) running += 1;
    else if (waiting.length >= length) throw new Overloaded('Too many wait for their turn');
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal?.throwIfAborted();
      return await run();
    } finally {
      // The place goes to the next in line, or is free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
