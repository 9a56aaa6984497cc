/**
 * What the answer does not wait for. It begins when the answer is on its way, and not in the same breath: else it would
 * take its time from it. What fails has been logged, or is tried again by the scheduled work.
 */
export async function doLater(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  if (works.length === 0) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  await Promise.allSettled(works.map((work) => work()));
}
