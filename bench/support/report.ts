/** Goes on where it holds, and ends the check where it does not. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
  console.log(`ok: ${message}`);
}

/** Prints what was seen. Where it is not what was wanted, it says so, and the process ends with 1. */
export function expect(what: string, is: unknown, wanted: unknown): void {
  const isGood = JSON.stringify(is) === JSON.stringify(wanted);
  console.log(`${isGood ? 'ok' : 'WRONG'}: ${what}: ${JSON.stringify(is)}`);
  if (!isGood) process.exitCode = 1;
}
