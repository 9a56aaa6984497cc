/**
 * Calls work again and again, at most once at a time.
 * @param interval milliseconds
 * @param work does not reject; its signal is aborted when it is to come to an end
 * @returns what ends it, and resolves when work that was under way is over
 */
export function runEvery(interval: number, work: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work(ending.signal).finally(() => {
      running = undefined;
    });
  }, interval);
  return async () => {
    clearInterval(timer);
    ending.abort();
    await running;
  };
}
