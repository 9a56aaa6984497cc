/** The Argon2 port (RFC 9106): an adapter for each runtime, the same bytes from both. */
export interface Argon2Input {
  readonly type: 'argon2d' | 'argon2i' | 'argon2id';
  readonly version: 0x10 | 0x13;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  /** KiB */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
  /** Bytes */
  readonly tagLength: number;
}

/**
 * Gives the tag. Leaves the caller's bytes alone.
 * @throws RangeError when the input is outside of `argon2Limits`
 */
export type Argon2 = (input: Argon2Input) => Promise<Uint8Array>;

/**
 * The ceilings hold for imported hashes too: one stored string must not cost seconds, nor memory that WebAssembly
 * never gives back. 64 MiB is what PHP and most libraries use by default, and half of what an isolate on Workers has.
 */
export const argon2Limits = {
  memory: 65_536,
  iterations: 16,
  /** memory x iterations: some fourteen times the cost of a hash of our own. */
  work: 2 ** 19,
  parallelism: 16,
  saltLength: { min: 8, max: 64 },
  tagLength: { min: 12, max: 64 },
  /** Twice the UTF-8 of 256 code points: a form that is not normalised may be longer. */
  passwordLength: 2_048,
} as const;

/**
 * Says whether these parameters may be hashed with: whole numbers within `argon2Limits` and RFC 9106 section 3.1.
 * @param maxMemory KiB, where the runtime has more
 */
export function isWithinArgon2Limits(
  input: Omit<Argon2Input, 'type' | 'version' | 'password'>,
  maxMemory: number = argon2Limits.memory,
): boolean {
  const { memory, iterations, parallelism, salt, tagLength } = input;
  return (
    isWithin(parallelism, 1, argon2Limits.parallelism) &&
    isWithin(memory, 8 * parallelism, maxMemory) &&
    isWithin(iterations, 1, argon2Limits.iterations) &&
    memory * iterations <= argon2Limits.work &&
    isWithin(salt.length, argon2Limits.saltLength.min, argon2Limits.saltLength.max) &&
    isWithin(tagLength, argon2Limits.tagLength.min, argon2Limits.tagLength.max)
  );
}

/** @throws RangeError for what an adapter must not hash. Names no value of the input. */
export function assertArgon2Input(input: Argon2Input, maxMemory: number = argon2Limits.memory): void {
  if (input.password.length > argon2Limits.passwordLength) throw new RangeError('The password is too long for Argon2');
  if (!isWithinArgon2Limits(input, maxMemory)) throw new RangeError('The Argon2 parameters are out of bounds');
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
