/**
 * When to look through all entries: at capacity, and whenever there are twice as many as the last look left. So each
 * write pays for a few entries only, and what has expired never outweighs what lives.
 */
export function createPruning(capacity: number) {
  const smallest = Math.min(1024, capacity);
  let threshold = smallest;
  return {
    isDue: (size: number) => size >= threshold,
    done(size: number): void {
      threshold = Math.min(capacity, Math.max(smallest, size * 2));
    },
  };
}
