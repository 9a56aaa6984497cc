import type { Hashing, HashLimits } from '../hashing.ts';

/** Which form of a password was hashed: what was typed, as most systems do, or its NFKC. */
export type PasswordForm = 'typed' | 'nfkc';

/** A hash of another system that can be verified here. */
export interface ForeignHash {
  /** The one spelling that is stored: read again, it gives the same. */
  readonly stored: string;
  readonly form: PasswordForm;
  /** What a comparison takes a core, roughly: milliseconds. */
  readonly cost: number;
  readonly isLarge: boolean;
  /** How many bytes of a password it tells apart; undefined for all. */
  readonly readsBytes?: number;
  /** Why it protects no password: an import refuses it. One that is stored signs in, and is replaced. */
  readonly weakness?: string | undefined;
  /** The name of the other system's pepper that it needs. */
  readonly pepper?: string;
  /** @param pepper of that name */
  readonly matches: (password: string, hashing: Hashing, pepper: string) => Promise<boolean>;
}

/** Why a hash is not verified here, as a sentence that holds nothing of it but numbers. */
export interface RefusedHash {
  readonly refused: string;
}

/** What a scheme makes of a string; undefined where it is none of its own. */
export type ReadHash = (text: string, limits: HashLimits) => ForeignHash | RefusedHash | undefined;

export const refuse = (reason: string): RefusedHash => ({ refused: reason });

/** More memory than this is large: KiB. */
export const largeMemory = 32_768;
