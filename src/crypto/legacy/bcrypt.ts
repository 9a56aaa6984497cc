import type { HashLimits } from '../hashing.ts';
import { type ForeignHash, type ReadHash, type RefusedHash, refuse } from './scheme.ts';

/** bcrypt reads no more than this. */
export const BCRYPT_MOST_BYTES = 72;

const shape = /^\$2([abxy]?)\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;
const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 128 bits of salt leave four bits of its last character unused, 184 bits of digest two. */
const clearedBits = { salt: 0b110000, digest: 0b111100 } as const;

export interface BcryptString {
  readonly encoded: string;
  readonly cost: number;
}

/**
 * Reads a bcrypt string in its one spelling: older libraries left the unused bits of the last characters as they came.
 * @returns undefined for what is none
 */
export function readBcryptString(text: string, limits: HashLimits): BcryptString | RefusedHash | undefined {
  const [, version, digits = '', salt = '', digest = ''] = shape.exec(text) ?? [];
  if (version === undefined) return undefined;
  if (version === 'x') return refuse('$2x$ marks hashes of a broken implementation');
  if (version === '') return refuse('$2$ is older than the supported versions of bcrypt ($2a$, $2b$, $2y$)');
  const cost = Number(digits);
  if (cost < 4 || cost > limits.bcryptCost) {
    return refuse(`bcrypt of cost ${cost}: ${limits.runtime} verifies 4 to ${limits.bcryptCost}`);
  }
  const encoded = `$2${version}$${digits}$${cleared(salt, clearedBits.salt)}${cleared(digest, clearedBits.digest)}`;
  return { encoded, cost };
}

/** What a comparison takes: bcrypt of cost 12 takes a core a quarter of a second. */
const bcryptCost = (cost: number): number => 250 * 2 ** (cost - 12);

/** bcrypt as it is: `$2a$`, `$2b$`, `$2y$`. */
export const readBcrypt: ReadHash = (text, limits) => {
  const read = readBcryptString(text, limits);
  if (read === undefined || 'refused' in read) return read;
  return foreignBcrypt(read.encoded, read, (password) => password, BCRYPT_MOST_BYTES);
};

/**
 * bcrypt of a password, or of something made of it.
 * @param stored how it is written
 * @param toInput what bcrypt is given
 */
export function foreignBcrypt(
  stored: string,
  { encoded, cost }: BcryptString,
  toInput: (password: string, pepper: string) => string,
  readsBytes?: number,
): ForeignHash {
  return {
    stored,
    form: 'typed',
    cost: bcryptCost(cost),
    isLarge: false,
    ...(readsBytes === undefined ? {} : { readsBytes }),
    async matches(password, { bcrypt }, pepper) {
      const matches = await bcrypt(toInput(password, pepper), encoded);
      // bcrypt repeats the password and its final zero byte to 72 bytes, so `a\0a` reads as `a`. C knows no such password.
      return matches && !password.includes('\0');
    },
  };
}

function cleared(text: string, mask: number): string {
  const last = alphabet.indexOf(text.slice(-1));
  return text.slice(0, -1) + alphabet.charAt(last & mask);
}
