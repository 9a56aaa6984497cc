import { createHash, pbkdf2, scrypt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { verify } from '@node-rs/bcrypt';
import { type Hashing, nodeLimits, type ScryptInput } from '../crypto/hashing.ts';
import { createSemaphore } from '../crypto/semaphore.ts';
import { createArgon2Native } from './argon2-native.ts';

/** How long hashes may wait: milliseconds. A client that is told to come again waits better than one that is not. */
const longestWait = 4000;
/** Rounds of MD5 between two turns of the event loop: a millisecond, more or less. */
const slice = 500;

/**
 * The functions of passwords on Node, all on libuv's threads but for phpass, which takes a millisecond at a time.
 * @param concurrency hashes at once. Further ones wait here, where a client who leaves takes its hash along, and not in
 *   libuv's queue, where they would keep DNS and WebCrypto waiting: it has four threads. One core is left to the event
 *   loop where there are several.
 */
export function createNodeHashing(concurrency = Math.max(1, Math.min(availableParallelism() - 1, 3))): Hashing {
  return {
    argon2: createArgon2Native(nodeLimits.argon2Memory),
    bcrypt: (password, encoded) => verify(password, encoded),
    scrypt: deriveScrypt,
    pbkdf2: async ({ digest, password, salt, iterations, length }) =>
      new Uint8Array(await promisify(pbkdf2)(password, salt, iterations, length, digest)),
    phpass,
    limits: nodeLimits,
    admit: createSemaphore({ width: concurrency, longestWait, now: () => performance.now() }),
  };
}

function deriveScrypt(input: ScryptInput): Promise<Uint8Array> {
  const { password, salt, cost, blockSize, parallelization, length } = input;
  const options = { cost, blockSize, parallelization, maxmem: 128 * blockSize * (cost + parallelization + 2) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

async function phpass(password: string, salt: string, rounds: number): Promise<Uint8Array> {
  const bytes = Buffer.from(password);
  let digest = createHash('md5').update(salt).update(bytes).digest();
  for (let round = 0; round < rounds; round += 1) {
    if (round % slice === slice - 1) await turn();
    digest = createHash('md5').update(digest).update(bytes).digest();
  }
  bytes.fill(0);
  return new Uint8Array(digest);
}
