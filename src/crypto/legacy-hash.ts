import { scrypt, timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import { createGate } from './gate.ts';
import type { BcryptHash, ScryptHash } from './stored-hash.ts';

/** bcrypt reads no more than this. */
export const BCRYPT_MOST_BYTES = 72;

// One at a time, for each may take 128 MiB. On Workers it is synchronous, so that no request ever waits for another.
const gate = createGate(1);

/** Says whether a bcrypt hash of another system is of this password: of its first 72 bytes, that is. */
export async function verifyBcrypt(password: string, hash: BcryptHash): Promise<boolean> {
  const matches = await compare(password, hash.encoded);
  // bcrypt repeats the password and its final zero byte to 72 bytes, so `a\0a` reads as `a`. C knows no such password.
  return matches && !password.includes('\0');
}

/** Says whether an scrypt hash of another system is of this password. */
export async function verifyScrypt(password: string, hash: ScryptHash, signal?: AbortSignal): Promise<boolean> {
  const { cost, blockSize, parallelization, salt, tag } = hash;
  const options = { cost, blockSize, parallelization, maxmem: 128 * blockSize * (cost + parallelization + 2) };
  const derive = () =>
    new Promise<Uint8Array>((resolve, reject) => {
      scrypt(password, salt, tag.length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
    });
  return timingSafeEqual(await gate(derive, signal), tag);
}
