/** Milliseconds between two runs; on Cloudflare it is a minute. */
const pause = 30_000;

/**
 * Does what the cron trigger does on Cloudflare, which `wrangler dev` leaves out: it calls the Worker's `scheduled`
 * handler now and then, through the path that wrangler offers for it.
 * @returns what ends it
 */
export function startSchedule(port: number, every = pause): () => Promise<void> {
  const ending = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  const run = async () => {
    isRunning = true;
    // A Worker that is just being rebuilt does not answer; the next run comes soon.
    await fetch(`http://127.0.0.1:${port}/cdn-cgi/local/scheduled`, {
      signal: AbortSignal.any([ending.signal, AbortSignal.timeout(60_000)]),
    })
      .then((response) => response.body?.cancel())
      .catch(() => undefined);
    isRunning = false;
  };
  const timer = setInterval(() => {
    if (!isRunning) running = run();
  }, every);
  return async () => {
    clearInterval(timer);
    ending.abort();
    await running;
  };
}
