let failures = 0;

/** Tells of what does not hold, and goes on. */
export function expect(what: string, holds: boolean, seen: unknown): void {
  if (holds) return;
  failures += 1;
  console.error(`error: ${what}: ${JSON.stringify(seen)}`);
}

/** Tells of a program whose runtime is missing, which is a failure in CI. */
export function leaveOut(name: string): void {
  console.log(`${name}: left out, its runtime is not here`);
  if (process.env['CI'] !== undefined) expect(name, false, 'has no runtime in CI');
}

export const hasFailed = (): boolean => failures > 0;
