/** After so many attempts, which take two to three days, or so long (milliseconds), a row is given up and kept. */
export const maxAttempts = 20;
export const longestWait = 3 * 86_400_000;
const firstPause = 30_000;
const longestPause = 6 * 3_600_000;

/** What only finds out whether somebody is back is tried again so soon, and no attempt: milliseconds. */
export const probePause = 4000;

/** Milliseconds. Doubles with each attempt; up to half of it is left to chance, so that many rows do not come back together. */
export function pauseAfter(attempts: number): number {
  const pause = Math.min(firstPause * 2 ** (attempts - 1), longestPause);
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return Math.round(pause * (1 - random / 2 ** 33));
}
