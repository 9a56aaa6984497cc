import { hashRaw } from '@node-rs/argon2';
import { type Argon2, assertArgon2Input } from '../crypto/argon2.ts';

const algorithms = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;
const versions = { 16: 0, 19: 1 } as const;

/**
 * Native Argon2 for Node, on libuv's threads.
 * @param maxMemory KiB
 */
export function createArgon2Native(maxMemory?: number): Argon2 {
  return async (input) => {
    assertArgon2Input(input, maxMemory);
    const options = {
      algorithm: algorithms[input.type],
      version: versions[input.version],
      salt: input.salt,
      memoryCost: input.memory,
      timeCost: input.iterations,
      parallelism: input.parallelism,
      outputLen: input.tagLength,
    };
    return new Uint8Array(await hashRaw(input.password, options));
  };
}
