import { availableParallelism } from 'node:os';
import { hashRaw } from '@node-rs/argon2';
import { type Argon2, assertArgon2Input } from '../crypto/argon2.ts';
import { createGate } from '../crypto/gate.ts';

/** Hashes that may wait for each that runs: at some 15 ms each, about three seconds of waiting. */
const waiting = 200;
const algorithms = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;
const versions = { 16: 0, 19: 1 } as const;

/**
 * Native Argon2 for Node, on libuv's threads.
 * @param concurrency hashes at once. Further ones wait here, where a client who leaves takes its hash along, and not in
 *   libuv's queue, where they would keep DNS and WebCrypto waiting: it has four threads.
 */
export function createArgon2Native(concurrency = Math.min(availableParallelism(), 3)): Argon2 {
  const gate = createGate(concurrency, waiting * concurrency);
  return async (input, signal) => {
    assertArgon2Input(input);
    const options = {
      algorithm: algorithms[input.type],
      version: versions[input.version],
      salt: input.salt,
      memoryCost: input.memory,
      timeCost: input.iterations,
      parallelism: input.parallelism,
      outputLen: input.tagLength,
    };
    return new Uint8Array(await gate(() => hashRaw(input.password, options), signal));
  };
}
