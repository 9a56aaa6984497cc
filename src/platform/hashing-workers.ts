import { createHash, scryptSync } from 'node:crypto';
import { sha1 } from '@noble/hashes/legacy.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { compareSync } from 'bcryptjs';
import type { Argon2 } from '../crypto/argon2.ts';
import { createCostBudget } from '../crypto/cost-budget.ts';
import { type Hashing, type Pbkdf2Input, workersLimits } from '../crypto/hashing.ts';

/** How much an isolate hashes ahead of the clock: milliseconds of computing. */
const max = 4000;
/** WebCrypto on Workers refuses more iterations. */
const nativeIterations = 100_000;
const digests = { sha1, sha256, sha512 } as const;
const webNames = { sha1: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' } as const;

/**
 * The functions of passwords in an isolate. Each is synchronous: none waits for what belongs to another request.
 * @param now milliseconds since the epoch
 */
export function createWorkersHashing(argon2: Argon2, now: () => number): Hashing {
  return {
    argon2,
    bcrypt: async (password, encoded) => compareSync(password, encoded),
    scrypt: async ({ password, salt, cost, blockSize, parallelization, length }) =>
      scryptSync(password, salt, length, {
        cost,
        blockSize,
        parallelization,
        maxmem: 128 * blockSize * (cost + parallelization + 2),
      }),
    pbkdf2: derivePbkdf2,
    async phpass(password, salt, rounds) {
      const bytes = new TextEncoder().encode(password);
      let digest = createHash('md5').update(salt).update(bytes).digest();
      for (let round = 0; round < rounds; round += 1) digest = createHash('md5').update(digest).update(bytes).digest();
      return new Uint8Array(digest);
    },
    limits: workersLimits,
    admit: createCostBudget({ max, now }),
  };
}

async function derivePbkdf2(input: Pbkdf2Input): Promise<Uint8Array> {
  const { digest, password, salt, iterations, length } = input;
  if (iterations > nativeIterations) return pbkdf2(digests[digest], password, salt, { c: iterations, dkLen: length });
  const bytes = new TextEncoder().encode(password);
  const key = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits']);
  const algorithm = { name: 'PBKDF2', hash: webNames[digest], salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8));
}
