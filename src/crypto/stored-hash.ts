import { isWithinArgon2Limits } from './argon2.ts';
import { type Argon2String, formatArgon2, parseArgon2 } from './argon2-string.ts';
import type { HashLimits } from './hashing.ts';
import { readForeignHash } from './legacy/index.ts';
import { type ForeignHash, type RefusedHash, refuse } from './legacy/scheme.ts';

/** A hash of our own: it names its pepper. */
export interface OwnHash extends Argon2String {
  readonly keyId: string;
}

const LONGEST = 768;

/**
 * Reads what the database or another system holds for a password. Nothing is hashed or allocated for it.
 * @param limits what would cost more to verify is refused
 */
export function readStoredHash(text: string, limits: HashLimits): OwnHash | ForeignHash | RefusedHash {
  if (text.length > LONGEST) return refuse(`Longer than ${LONGEST} characters`);
  const parsed = parseArgon2(text);
  if (parsed === null || parsed.keyId === undefined) return readForeignHash(text, limits);
  if (!isWithinArgon2Limits(parsed.parameters)) return refuse('Argon2 with a pepper, and parameters out of bounds');
  // Of ours there is one spelling.
  if (formatArgon2(parsed) !== text) return refuse('Argon2 with a pepper, in another spelling');
  return { ...parsed, keyId: parsed.keyId };
}

/** Whether a sign-in here made it. One of another system is replaced by the first. */
export const isOwnHash = (text: string): boolean => parseArgon2(text)?.keyId !== undefined;
